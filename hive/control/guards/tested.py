"""The guard `tests_pass` (control floor), which believes the framework's own test tool only."""

from typing import cast

from pydantic import JsonValue

from hive.board.contributions import TestReport
from hive.board.entry import Entry
from hive.board.state import State, Tally
from hive.control.graphs.algebra import Guard, Need

__all__ = ["COLLECTED", "TEST_TOOL", "tests_pass"]

TEST_TOOL = "tool:run_tests"
"""The origin of the reports that count."""


def collect(value: JsonValue, entry: Entry) -> JsonValue:
    if entry.kind != TestReport.kind or entry.origin != TEST_TOOL:
        return value
    if not isinstance(entry.payload, TestReport):
        return value
    known = set(cast(list[str], value))
    new = known.union(entry.payload.collected)
    return value if len(new) == len(known) else cast(JsonValue, sorted(new))


COLLECTED = Tally("tests collected", [], collect, frozenset({TestReport.kind}))
"""Every test id that any report of the test tool has named: a later report may lose none."""


def objection(state: State) -> str:
    """Why the tests cannot be said to pass, or "" when they do."""
    entry = state.newest.get(TestReport.kind)
    if entry is None:
        return "no test report yet"
    if entry.origin != TEST_TOOL or not isinstance(entry.payload, TestReport):
        return f"the newest report came from {entry.origin}, not from {TEST_TOOL}"
    report = entry.payload
    if state.workspace is not None and report.digest != state.workspace:
        return "the workspace has changed since the newest report"
    if report.failed:
        return f"{len(report.failed)} failed, {report.passed} passed"
    if not report.complete:
        return "the newest report is not of a complete suite"
    if report.passed < 1 or not report.collected:
        return "the newest report ran no test"
    seen = cast(list[str], state.tallies.get(COLLECTED.name, []))
    lost = set(seen).difference(report.collected)
    if lost:
        return f"{len(lost)} tests are gone, {min(lost)} among them"
    return ""


tests_pass = Guard(
    "tests_pass",
    lambda state: not objection(state),
    needs=(Need(TestReport),),
    strict=True,
    tallies=(COLLECTED,),
    loose="the tests may never pass",
    measure=lambda state: objection(state) or "yes",
)
"""Whether the newest report of the test tool is of the workspace as the run left it, is complete,
has no failure and at least one test that passed, and has lost no test an earlier report named."""
