"""Running the test suite (floor 2): the only tool that posts a TestReport."""

from collections.abc import Mapping
from typing import Annotated, Any

import anyio.to_thread
import orjson
from pydantic import Field

from hive.board.contributions import TestReport
from hive.errors import ToolRefused
from hive.tools import sandbox
from hive.tools.call import Call, ToolOutput
from hive.tools.testing.reports import as_payload, known_tests
from hive.tools.testing.suite import Copy, Report, copy_of, start
from hive.tools.tool import tool
from hive.tools.workspace import Workspace

__all__ = ["run_tests"]

SECONDS = 110.0
STOPPED = {
    2: "the session was interrupted",
    3: "pytest itself failed; output_tail says why",
    4: "pytest refused its configuration or the tests asked for; output_tail says why",
}
"""What pytest's exit codes mean."""
MOST_TAIL = 4000
"""Characters of the suite's output that are shown."""


@tool(effect="write", repeat="safe", timeout=SECONDS + 10, posts=(TestReport,))
async def run_tests(
    call: Call,
    tests: Annotated[
        list[str],
        Field(description="Ids or files to run; none means the whole suite, which counts"),
    ] = [],  # noqa: B006 - never changed, and shown in the schema
    test_seconds: Annotated[
        float, Field(gt=0, le=100, description="CPU seconds a test may take before it fails")
    ] = 5.0,
) -> ToolOutput:
    """Run the project's pytest suite and report every outcome.

    A full run is posted on the board as a TestReport. `complete` says whether the suite really ran
    to its end; `lost` names tests that an earlier report had and this one has not.
    """
    # It runs code of the workspace as this user, so it must not pass for reading where a policy
    # decides; but it runs on a copy that is thrown away, so it may be repeated at any time.
    workspace = call.require_workspace()
    for test in tests:
        check_test(workspace, test)
    async with sandbox.scratch() as scratch:
        copy = await copy_of(workspace, scratch)
        report = await start(
            copy, scratch, "suite", SECONDS, tests=tests, test_seconds=test_seconds
        )
        unchanged = await anyio.to_thread.run_sync(copy.unchanged)
    shown = described(copy, report, unchanged)
    if tests:
        return ToolOutput(orjson.dumps({**shown, "lost": []}).decode())
    shown["lost"] = sorted(known_tests(call) - set(shown["collected"]))
    return ToolOutput(orjson.dumps(shown).decode(), posts=(as_payload(shown),))


def check_test(workspace: Workspace, test: str) -> None:
    """Raise ToolRefused unless a text names a file or a test of the workspace."""
    path = test.partition("::")[0]
    if not path or path[0] in "-@":
        raise ToolRefused(f"{test!r} is no test; name a file, or file::test as in a report")
    workspace.path(path)


def described(copy: Copy, report: Report, unchanged: bool) -> dict[str, Any]:
    """The run as it is shown to the caller."""
    results = report.of("result")
    result: Mapping[str, Any] = results[-1] if results else {"outcomes": [], "complete": False}
    outcomes = result["outcomes"]
    skipped = {each["id"] for each in outcomes if each["outcome"] == "skipped"}
    failed = [each for each in outcomes if each["outcome"] == "failed"]
    return {
        "digest": copy.digest,
        "collected": [test for test in result.get("collected", []) if test not in skipped],
        "passed": [each["id"] for each in outcomes if each["outcome"] == "passed"],
        "failed": [
            {key: each[key] for key in ("id", "message", "path", "line", "excerpt")}
            for each in failed
        ],
        "skipped": sorted(skipped),
        "lost": [],
        "complete": result["complete"] and unchanged and not report.finished.timed_out,
        "problem": problem_of(report, result, unchanged),
        "seconds": round(result.get("seconds", SECONDS), 3),
        "tests_executed": sum("::" in each["id"] for each in outcomes),
        "output_tail": report.output[-MOST_TAIL:],
    }


def problem_of(report: Report, result: Mapping[str, Any], unchanged: bool) -> str:
    """Why the run does not count, in a sentence; empty when it does."""
    if not unchanged:
        return "the suite changed files of the project while it ran"
    if result.get("problem"):
        return str(result["problem"])
    if report.finished.timed_out or not result.get("finished", False):
        return f"the suite did not come to its end within {SECONDS:g} s"
    if result["complete"]:
        return ""
    if result["status"] in STOPPED:
        return STOPPED[result["status"]]
    if not result["collected"]:
        return "no test was found"
    return "the session did not run all its tests, or reported failures as passed"
