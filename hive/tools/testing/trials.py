"""Trying changes without making them (floor 2): each candidate is judged in a private copy."""

import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

import anyio.to_thread
from pydantic import BaseModel, ConfigDict, Field

from hive.errors import ToolError
from hive.tools import sandbox
from hive.tools.call import Call
from hive.tools.edits import Edit, edited_files
from hive.tools.testing.reports import known_timeouts
from hive.tools.testing.suite import Report, copy_of, start
from hive.tools.tool import tool
from hive.tools.workspace import Workspace

__all__ = ["Candidate", "try_edits"]

SECONDS = 50.0
TEST_SECONDS = 2.0
"""CPU seconds of a test before anything is changed; candidates get what that run suggests."""
LIMITS = sandbox.Limits(memory=2_000_000_000)


class Candidate(BaseModel):
    """A change to try: edits that belong together."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    edits: Annotated[list[Edit], Field(min_length=1)]


@tool(effect="write", repeat="safe", timeout=SECONDS + 10)
async def try_edits(
    call: Call,
    candidates: Annotated[
        list[Candidate], Field(min_length=1, max_length=1000, description="Changes to try")
    ],
    stop_on_pass: Annotated[
        bool, Field(description="Leave out what comes after the first that passes everything")
    ] = True,
) -> dict[str, Any]:
    """Judge candidate edits by the real test suite without changing the workspace.

    For each: which failing tests it would fix and which passing tests it would break. `best` is
    the index of the candidate that passes everything, or else of the one that fixes most and
    breaks nothing; null when there is none. Nothing is changed: apply the best with edit_file.
    """
    # Effect and repeat for the same reasons as run_tests.
    workspace = call.require_workspace()
    async with sandbox.scratch() as scratch:
        copy = await copy_of(workspace, scratch)
        prepared = await anyio.to_thread.run_sync(prepare, copy.workspace, candidates)
        files = [
            {"index": index, "files": contents}
            for index, contents in enumerate(prepared)
            if not isinstance(contents, str)
        ]
        report = await start(
            copy,
            scratch,
            "candidates",
            SECONDS,
            limits=LIMITS,
            assumed=known_timeouts(call, copy.digest),
            candidates=files,
            stop_on_pass=stop_on_pass,
            test_seconds=TEST_SECONDS,
            workers=cores(),
        )
    return judgements(prepared, report, stop_on_pass)


def cores() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def prepare(workspace: Workspace, candidates: Sequence[Candidate]) -> list[dict[str, str] | str]:
    """For each candidate the new contents of its files, or why it cannot be tried."""
    return [prepared(workspace, candidate.edits) for candidate in candidates]


def prepared(workspace: Workspace, edits: Sequence[Edit]) -> dict[str, str] | str:
    try:
        changed = edited_files(workspace, edits)
    except ToolError as error:
        return str(error)
    contents = {path: after.decode() for path, (_, after) in changed.items()}
    for path, text in contents.items():
        if path.endswith(".py") and (problem := syntax_problem(text)):
            return f"{path} would not parse: {problem}"
    return contents


def syntax_problem(source: str) -> str | None:
    """What Python's parser says against a source, or None."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # doubtful escapes and the like are no errors
            compile(source, "<candidate>", "exec", dont_inherit=True)
    except SyntaxError as error:
        return f"line {error.lineno}: {error.msg}"
    except (ValueError, RecursionError, MemoryError) as error:
        return str(error) or type(error).__name__
    return None


def judgements(
    prepared: Sequence[dict[str, str] | str], report: Report, stop_on_pass: bool
) -> dict[str, Any]:
    """The answer: results in the order of the candidates, the baseline, and the best of them."""
    baselines = report.of("baseline")
    if not baselines:
        raise ToolError(f"the suite could not be run: {report.output[-1000:]}")
    baseline = baselines[0]
    judged = {judgement["index"]: judgement for judgement in report.of("judgement")}
    passing = [index for index, judgement in judged.items() if judgement["passes"]]
    last = min(passing) if passing and stop_on_pass else len(prepared)
    results = [
        row
        for index in range(min(last + 1, len(prepared)))
        if (row := result(index, prepared[index], judged.get(index)))
    ]
    executed = baseline["executed"] + sum(each["executed"] for each in judged.values())
    return {
        "results": results,
        "baseline": {"failing": baseline["failing"], "collected": baseline["collected"]},
        "tests_executed": executed,
        "best": best_of(judged.values(), passing),
        "unjudged": min(last + 1, len(prepared)) - len(results),
    }


def result(
    index: int, prepared: dict[str, str] | str, judgement: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    """One candidate's row; None when time ran out before it was judged."""
    if isinstance(prepared, str):
        nothing = {"passed": 0, "failed": 0, "errors": 0, "fixed": [], "broken": []}
        return {"index": index, **nothing, "timeout": False, "invalid": prepared}
    if judgement is None:
        return None
    shown = ("index", "passed", "failed", "errors", "fixed", "broken", "timeout")
    return {**{key: judgement[key] for key in shown}, "invalid": None}


def best_of(judged: Iterable[Mapping[str, Any]], passing: Sequence[int]) -> int | None:
    """The first that passes everything, or the one that fixes most and breaks nothing."""
    if passing:
        return min(passing)
    harmless = [each for each in judged if each["fixed"] and not each["broken"]]
    best = max(harmless, key=lambda each: (len(each["fixed"]), -each["index"]), default=None)
    return None if best is None else int(best["index"])
