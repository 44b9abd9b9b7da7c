from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hive.board.contributions import TestReport
from hive.board.entry import Entry
from hive.board.records import Observation
from hive.board.state import State
from hive.control import tests_pass
from hive.control.guards.tested import COLLECTED, TEST_TOOL
from tests.control.states import decision, entry, folded, report


def reported(payload: TestReport, turn: int, origin: str = TEST_TOOL) -> tuple[Entry, ...]:
    return decision(turn, "coder"), entry(payload, "coder", turn=turn, origin=origin)


def changed(turn: int, digest: str) -> Entry:
    seen = Observation(id="1", tool="write_file", text="ok", workspace=digest)
    return entry(seen, "coder", turn=turn, place=2)


def after(*entries: Entry) -> State:
    return folded(*entries, tallies=tests_pass.tallies)


def test_a_good_report_of_an_unchanged_workspace_passes() -> None:
    state = after(*reported(report("a", "b"), 1))
    assert tests_pass.test(state)
    assert tests_pass.values(state) == {"tests_pass": "yes"}


@pytest.mark.parametrize(
    ("entries", "objection"),
    [
        ((), "no test report"),
        (reported(report("a"), 1, origin="model:coder"), "came from model:coder"),
        (reported(report("a"), 1, origin="tool:my_tests"), "came from tool:my_tests"),
        (
            (*reported(report("a"), 1), *reported(report("a"), 2, origin="tool:other")),
            "came from tool:other",
        ),
        (reported(report("a", "b", failed=["b"]), 1), "1 failed, 1 passed"),
        (reported(report("a", complete=False), 1), "not of a complete suite"),
        (reported(report(), 1), "ran no test"),
        (reported(report("a", passed=0), 1), "ran no test"),
        ((*reported(report("a", digest="old"), 1), changed(1, "new")), "has changed since"),
        (
            (*reported(report("a", "b", failed=["b"]), 1), *reported(report("a"), 2)),
            "1 tests are gone, b",
        ),
        (
            (*reported(report("a", "b", complete=False), 1), *reported(report("b"), 2)),
            "1 tests are gone, a",
        ),
    ],
)
def test_anything_less_does_not_pass(entries: tuple[Entry, ...], objection: str) -> None:
    state = after(*entries)
    assert not tests_pass.test(state)
    assert objection in str(tests_pass.values(state)["tests_pass"])


def test_a_report_after_the_last_change_passes_again() -> None:
    state = after(
        *reported(report("a", failed=["a"], digest="old"), 1),
        changed(1, "new"),
        *reported(report("a", digest="new"), 2),
    )
    assert tests_pass.test(state)


@given(st.lists(st.sets(st.sampled_from("abcd")), min_size=1, max_size=5))
def test_no_test_that_was_ever_collected_may_be_missing(suites: list[set[str]]) -> None:
    entries = [
        e for turn, ids in enumerate(suites, 1) for e in reported(report(*sorted(ids)), turn)
    ]
    state = after(*entries)
    union = set().union(*suites)
    assert state.tallies[COLLECTED.name] == sorted(union)
    assert tests_pass.test(state) == (suites[-1] == union and bool(union))


def test_it_depends_on_test_reports_and_bounds_nothing() -> None:
    assert tests_pass.kinds == {"TestReport"}
    assert not tests_pass.eventually
    assert not tests_pass.never_again
