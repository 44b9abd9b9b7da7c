"""Signals: what counts as progress, and what a run that makes none is told."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hive import control
from hive.board.contributions import (
    Answer,
    Artifact,
    Finding,
    Note,
    Question,
    Review,
    Task,
    TestReport,
    Verdict,
)
from hive.board.entry import Entry
from hive.board.payload import Payload
from hive.board.state import State
from hive.control import (
    Signal,
    accepted_findings,
    contributions,
    failing_tests,
    open_questions,
    open_tasks,
    passing_tests,
    stalled,
)
from hive.control.guards.tested import TEST_TOOL
from hive.errors import DeclarationError
from tests.control.states import decision, entry, folded, report

anything: Any = control
"""The door without its types, for what only untyped callers can get wrong."""


def turn(number: int, *payloads: Payload, author: str = "a", origin: str = "") -> list[Entry]:
    """A turn in which a role posts some payloads."""
    posted = [
        entry(payload, author, turn=number, place=place, origin=origin or author)
        for place, payload in enumerate(payloads, 1)
    ]
    return [decision(number, author), *posted]


def after(signal: Signal, *turns: list[Entry]) -> State:
    goal = [entry(Note(text="goal"), "user")]
    return folded(
        *(e for each in [goal, *turns] for e in each), tallies=[*signal.tallies, signal.tally]
    )


def reported(number: int, payload: TestReport, origin: str = TEST_TOOL) -> list[Entry]:
    return turn(number, payload, origin=origin)


def lasts(signal: Signal, *turns: list[Entry]) -> list[int]:
    """The last turn with progress, as it is told after each of some turns."""
    return [signal.last(after(signal, *turns[: n + 1])) for n in range(len(turns))]


def test_failing_tests_make_progress_when_fewer_fail_than_ever_before() -> None:
    suite = [f"t{n}" for n in range(12)]
    turns = [
        reported(n, report(*suite, failed=suite[:failed]))
        for n, failed in enumerate([12, 7, 9, 7, 3], 1)
    ]
    assert lasts(failing_tests, *turns) == [1, 2, 2, 2, 5]
    state = after(failing_tests, *turns)
    assert failing_tests.report(state) == "failing tests 12 → 3, no better since turn 5"


def test_a_test_that_is_deleted_has_not_been_made_to_pass() -> None:
    turns = reported(1, report("a", "b", failed=["b"])), reported(2, report("a"))
    assert lasts(failing_tests, *turns) == [1, 1]


@pytest.mark.parametrize(
    "second",
    [reported(2, report("a", complete=False)), reported(2, report("a"), origin="model:x")],
    ids=["not complete", "not the test tool's"],
)
@pytest.mark.parametrize("signal", [failing_tests, passing_tests], ids=lambda s: s.name)
def test_a_report_that_proves_nothing_is_no_progress(signal: Signal, second: list[Entry]) -> None:
    first = reported(1, report("a", "b", failed=["a", "b"]))
    assert lasts(signal, first, second) == [1, 1]


def test_passing_tests_make_progress_when_more_pass() -> None:
    turns = reported(1, report("a")), reported(2, report("a")), reported(3, report("a", "b"))
    assert lasts(passing_tests, *turns) == [1, 1, 3]


def task(name: str) -> Task:
    return Task(id=name, title=name)


def test_open_tasks_make_progress_when_they_are_settled() -> None:
    turns = [
        turn(1, task("1"), task("2")),
        turn(2, Artifact(summary="done", closes=("1",))),
        turn(3, Artifact(summary="again", closes=("1",))),
        turn(4, Artifact(summary="done", closes=("2",))),
    ]
    assert lasts(open_tasks, *turns) == [1, 2, 2, 4]


def test_new_work_is_no_progress_but_what_is_done_of_it_is() -> None:
    turns = [
        turn(1, task("1")),
        turn(2, Artifact(summary="done", closes=("1",))),
        turn(3, task("2"), task("3")),
        turn(4, Artifact(summary="done", closes=("2",))),
    ]
    assert lasts(open_tasks, *turns) == [1, 2, 2, 4]


def test_opening_and_settling_the_same_amount_again_is_no_progress() -> None:
    turns = [
        turn(n, task(str(n)) if n % 2 else Artifact(summary="done", closes=(str(n - 1),)))
        for n in range(1, 9)
    ]
    assert lasts(open_tasks, *turns) == [1, 2, 2, 2, 2, 2, 2, 2]


def test_questions_make_progress_when_they_are_answered() -> None:
    asked = turn(1, Question(text="?"), Question(text="??"))
    answered = turn(2, Answer(text="!", question=str(asked[1].address)))
    assert lasts(open_questions, asked, answered, turn(3)) == [1, 2, 2]


def test_findings_count_once_somebody_else_accepts_them() -> None:
    approves = Review(approved=True, reasons=("so it is",))
    turns = [
        turn(1, Finding(claim="The lock is held."), Finding(claim="The file is gone.")),
        turn(2, approves),  # by their own author
        turn(3, Review(approved=False, reasons=("no",)), author="b"),
        turn(4, approves, author="b"),
        turn(5, Finding(claim="the  LOCK is held.")),
        turn(6, approves, author="b"),
        turn(7, Finding(claim="The disk is full.")),
        turn(8, Verdict(ruling="accept", reasons=()), author="b"),
    ]
    assert lasts(accepted_findings, *turns) == [1, 1, 1, 4, 4, 4, 4, 8]
    assert accepted_findings.report(after(accepted_findings, *turns)).startswith(
        "accepted findings 0 → 3"
    )


def test_contributions_are_the_weakest_signal() -> None:
    turns = turn(1, Note(text="x")), turn(2), turn(3, Note(text="x"))
    assert lasts(contributions, *turns) == [1, 1, 3]


def test_a_signal_that_never_spoke_made_no_progress() -> None:
    state = after(failing_tests, turn(1), turn(2))
    assert failing_tests.last(state) == 0
    assert failing_tests.report(state) == "failing tests unknown"


def test_stalled_wants_progress_by_any_of_its_signals() -> None:
    stuck = stalled(turns=2, of=(open_tasks, passing_tests))
    assert str(stuck) == "stalled(turns=2, of=open tasks + passing tests)"
    assert stuck.reason == "stalled"
    assert stuck.kinds == {"Task", "TestReport"}
    goal = [entry(Note(text="goal"), "user")]
    turns = [goal, turn(1, task("1")), turn(2), reported(3, report("a")), turn(4), turn(5)]
    held = [
        stuck.test(folded(*(e for t in turns[: n + 1] for e in t), tallies=stuck.tallies))
        for n in range(len(turns))
    ]
    assert held == [False, False, False, False, False, True]
    state = folded(*(e for t in turns for e in t), tallies=stuck.tallies)
    assert stuck.values(state) == {
        stuck.name: "open tasks 1, no better since turn 1; passing tests 1, no better since turn 3"
    }


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: Signal(" ", len, "less"), "needs a name"),
        (lambda: anything.Signal("x", len, "up"), "less or more"),
        (lambda: Signal("x", len, "more", work=True), "less is better"),
        (lambda: anything.stalled(turns=2, of=("tests",)), "not a signal"),
        (lambda: stalled(turns=2, of=(open_tasks, open_tasks)), "two signals have one name"),
    ],
)
def test_a_wrong_signal_says_what_would_be_right(wrong: Any, said: str) -> None:
    with pytest.raises(DeclarationError, match=said):
        wrong()


@given(st.lists(st.one_of(st.none(), st.integers(-5, 5)), max_size=20), st.booleans())
def test_progress_is_a_value_better_than_every_one_before(
    values: list[int | None], less: bool
) -> None:
    signal = Signal("x", lambda state: values[state.turn - 1], "less" if less else "more")
    turns = [turn(n) for n in range(1, len(values) + 1)]
    state = folded(*(e for t in turns for e in t), tallies=[signal.tally])
    best, expected = None, 0
    for number, value in enumerate(values, 1):
        if value is None:
            continue
        if best is None or (value < best if less else value > best):
            best, expected = value, number
    assert signal.last(state) == expected


@given(st.lists(st.integers(0, 3), max_size=40))
def test_work_that_never_grows_beyond_its_most_makes_progress_only_so_often(
    values: list[int],
) -> None:
    signal = Signal("x", lambda state: values[state.turn - 1], "less", work=True)
    turns = [turn(n) for n in range(1, len(values) + 1)]
    told = lasts(signal, *turns)
    most = max(values, default=0)
    assert len(set(told)) <= 1 + (most + 1) * (most + 2) // 2
