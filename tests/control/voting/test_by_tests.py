"""The tests decide: which reports count, what they come to, and what reviewers said against it."""

from __future__ import annotations

from typing import Any

import pytest

from hive.board.contributions import Review, Verdict
from hive.board.entry import Entry
from hive.board.records import Observation
from hive.control import ByTests
from tests.control.states import entry, report

TOOL = "tool:run_tests"


def reported(turn: int, *collected: str, **more: Any) -> Entry:
    return entry(report(*collected, **more), TOOL, turn=turn, strand="coder", origin=TOOL)


def changed(turn: int, digest: str | None) -> Entry:
    payload = Observation(id="1", tool="write_file", text="ok", workspace=digest)
    return entry(payload, "coder", turn=turn, place=9)


def review(approved: bool, turn: int = 8) -> Entry:
    return entry(Review(approved=approved, reasons=("taste",)), "critic", turn=turn)


def decided(*entries: Entry) -> Verdict:
    return ByTests().decide(entries)


def test_a_complete_run_without_a_failure_accepts() -> None:
    found = decided(changed(1, "d"), reported(2, "a", "b"))
    assert (found.ruling, found.dissent) == ("accept", ())
    assert found.reasons == ("2/coder/1: 2 tests pass, 0 fail",)


def test_a_failing_test_sends_the_work_back_by_name() -> None:
    found = decided(reported(2, "a", "b", failed=("b",)))
    assert (found.ruling, found.reasons[1]) == ("revise", "b fails: no")


def test_the_newest_report_counts() -> None:
    assert decided(reported(1, "a", failed=("a",)), reported(2, "a")).ruling == "accept"
    assert decided(reported(2, "a", failed=("a",)), reported(1, "a")).ruling == "revise"


def test_a_test_that_is_gone_sends_the_work_back() -> None:
    found = decided(reported(1, "a", "b", failed=("b",)), reported(2, "a"))
    assert (found.ruling, found.reasons[1]) == ("revise", "b is gone")


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ([], "tool:run_tests has reported nothing"),
        ([entry(report("a"), "coder", turn=1)], "tool:run_tests has reported nothing"),
        ([reported(1, "a"), changed(2, "e")], "the workspace has changed since this report"),
        ([reported(1, "a", complete=False)], "this run of the tests broke off"),
        ([reported(1)], "no test was run"),
        ([reported(1, "a", passed=0)], "no test was run"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_without_a_whole_report_on_the_work_as_it_is_nothing_is_decided(
    entries: list[Entry], why: str
) -> None:
    found = decided(*entries)
    assert found.ruling == "undecided"
    assert found.reasons[0].endswith(why)


def test_a_call_that_changed_nothing_leaves_a_report_valid() -> None:
    assert decided(changed(1, "d"), reported(2, "a"), changed(3, None)).ruling == "accept"


def test_a_reviewer_whom_the_tests_contradict_is_the_dissent() -> None:
    assert decided(reported(2, "a"), review(False)).dissent == ("critic [8/critic/1]: taste",)
    failing = reported(2, "a", failed=("a",))
    assert decided(failing, review(True)).dissent == ("critic [8/critic/1]: taste",)
    assert decided(failing, review(False)).dissent == ()
    assert decided(reported(2, "a"), review(False, 7), review(True, 8)).dissent == ()
