"""Guards that find a run which goes round, asks again or swells."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hive import control
from hive.board.contributions import Note, Review, Task
from hive.board.entry import Address, Entry
from hive.board.fold import fold, fold_turns
from hive.board.payload import Payload
from hive.board.records import Inference, Observation, ToolCall
from hive.board.state import Folding, State
from hive.control import (
    Graph,
    Guard,
    approved,
    bloated,
    failing_tests,
    finish,
    handoff,
    looped,
    open_tasks,
    repeated,
    stalled,
    start,
    stop,
    turns,
)
from hive.errors import DeclarationError, GraphError
from hive.message import Usage
from hive.role import Role
from tests.control.states import decision, entry, folded, report

anything: Any = control
"""The door without its types, for what only untyped callers can get wrong."""
GOAL = entry(Note(text="goal"), "user")


def says(turn: int, *texts: str, author: str = "a") -> list[Entry]:
    """A turn in which a role posts some notes."""
    notes = [
        entry(Note(text=text), author, turn=turn, place=place)
        for place, text in enumerate(texts, 1)
    ]
    return [decision(turn, author), *notes]


def held(guard: Guard, *entries: Entry) -> list[bool]:
    """Whether a guard holds after each turn, the goal's left out."""
    folding, state, told = Folding(tallies=guard.tallies), State(), []
    for number, turn in groupby([GOAL, *entries], lambda e: e.address.turn):
        state = fold(state, list(turn), folding)
        if number:
            told.append(guard.test(state))
    return told


def test_a_run_that_says_the_same_again_stands_where_it_stood() -> None:
    same = [e for turn in range(1, 5) for e in says(turn, "x")]
    assert held(looped(times=3), *same) == [False, False, True, True]


def test_two_roles_that_answer_each_other_alike_go_round() -> None:
    there_and_back = [
        e for turn in range(1, 8) for e in says(turn, "x", author="a" if turn % 2 else "b")
    ]
    assert held(looped(times=3), *there_and_back) == [False] * 5 + [True, True]
    state = folded(GOAL, *there_and_back, tallies=looped(times=3).tallies)
    assert looped(times=3).values(state) == {"looped(times=3)": 3}


def changed(turn: int, digest: str) -> Entry:
    seen = Observation(id="1", tool="write", text="ok", workspace=digest)
    return entry(seen, "a", turn=turn, place=8)


@pytest.mark.parametrize(
    "third",
    [
        says(3, "y"),
        says(3, "x", author="b"),
        [*says(3, "x"), changed(3, "another")],
        [*says(3, "x"), entry(Task(id="1", title="t"), "a", turn=3, place=2)],
    ],
    ids=["says something else", "another role", "the workspace changed", "a task was opened"],
)
def test_whatever_is_new_is_another_state(third: list[Entry]) -> None:
    assert held(looped(times=3), *says(1, "x"), *says(2, "x"), *third) == [False] * 3


def test_the_same_tests_failing_again_are_an_equal_state_however_long_they_took() -> None:
    took = [
        e
        for turn in range(1, 4)
        for e in (
            decision(turn, "a"),
            entry(report("t", failed=["t"], duration=turn), "a", turn=turn),
        )
    ]
    assert held(looped(times=3), *took) == [False, False, True]


def called(
    turn: int, arguments: dict[str, Any], result: str, *, step: int = 0, **more: Any
) -> list[Entry]:
    """A call of a tool and what it gave back, without the decision that began the turn."""
    call = ToolCall(id="1", tool="read", arguments=arguments, effect="read", repeat="safe", key="")
    asked = placed(call, turn, (step, 2))
    seen = Observation(id="1", tool="read", text=result, **more)
    return [asked, placed(seen, turn, (step, 2, 1), causes=(str(asked.address),))]


def placed(
    payload: Payload, turn: int, place: tuple[int, ...], causes: tuple[str, ...] = ()
) -> Entry:
    return Entry(
        0, Address(turn, "a", place), 0, "a", "a", "trusted", causes, turn, 0, payload,
        payload.body(),
    )  # fmt: skip


def test_equal_calls_with_equal_results_are_counted_over_turns() -> None:
    calls = [e for turn in range(1, 5) for e in (decision(turn, "a"), *called(turn, {"p": 1}, "r"))]
    assert held(repeated(calls=3), *calls) == [False, False, True, True]
    assert held(repeated(calls=3), *calls, *says(5, "x")) == [False, False, True, True, False]


def test_equal_calls_within_one_turn_count_too() -> None:
    calls = [e for step in range(3) for e in called(1, {"p": 1}, "r", step=step)]
    assert held(repeated(calls=3), decision(1, "a"), *calls) == [True]


@pytest.mark.parametrize(
    "third",
    [
        called(3, {"p": 2}, "r"),
        called(3, {"p": 1}, "another"),
        called(3, {"p": 1}, "r", error=True),
        called(3, {"p": 1}, "r", workspace="new"),
    ],
    ids=["other arguments", "another result", "an error now", "the workspace changed"],
)
def test_a_call_that_differs_is_no_repetition(third: list[Entry]) -> None:
    first = [e for turn in (1, 2) for e in (decision(turn, "a"), *called(turn, {"p": 1}, "r"))]
    assert held(repeated(calls=3), *first, decision(3, "a"), *third) == [False] * 3


def asked(turn: int, size: int, *, said: bool = False, author: str = "a") -> list[Entry]:
    """A turn in which a role's model is sent so many tokens, and posts something or nothing."""
    inference = Inference(model="m", parts=(), stop="end", usage=Usage(input=size), digest="")
    note = [entry(Note(text=str(turn)), author, turn=turn, place=2)] if said else []
    return [decision(turn, author), entry(inference, author, turn=turn), *note]


def test_input_that_grows_without_progress_is_found() -> None:
    grows = [*asked(1, 100, said=True), *asked(2, 150), *asked(3, 199), *asked(4, 200)]
    assert held(bloated(tokens=100), *grows) == [False, False, False, True]


def test_progress_makes_room_for_more_input() -> None:
    grows = [*asked(1, 100, said=True), *asked(2, 150), *asked(3, 210, said=True), *asked(4, 300)]
    assert held(bloated(tokens=100), *grows) == [False] * 4


def test_each_role_is_compared_with_itself() -> None:
    large = [*asked(1, 100, said=True), *asked(2, 900, author="b"), *asked(3, 110)]
    assert held(bloated(tokens=100), *large) == [False] * 3


def test_growth_is_told_by_the_signals_that_are_named() -> None:
    grows = [*asked(1, 100, said=True), *asked(2, 200, said=True)]
    assert held(bloated(tokens=100, of=(open_tasks,)), *grows) == [False, True]
    assert str(bloated(tokens=9, of=(open_tasks,))) == "bloated(tokens=9, of=open tasks)"


EVERY = (
    looped(times=2) | repeated(calls=2) | bloated(tokens=5) | bloated(tokens=5, of=(open_tasks,))
    | stalled(turns=2, of=(open_tasks, failing_tests))
)  # fmt: skip


def test_they_can_stand_beside_each_other_and_bound_nothing() -> None:
    a = Role("a")
    Graph(start(a), handoff(a, a), finish(a), stop(when=turns(9) | looped(times=2)))
    assert not EVERY.eventually
    assert {part.reason for part in EVERY.primitives} == {
        "looped", "repeated", "bloated", "stalled",
    }  # fmt: skip
    with pytest.raises(GraphError, match=r"no two states may ever be equal"):
        Graph(start(a), handoff(a, a), finish(a), stop(when=looped(times=2)))


@pytest.mark.parametrize(
    "when", [stalled(turns=3), approved | looped(times=2), ~~repeated(calls=2) & approved], ids=str
)
def test_no_finish_may_rest_on_being_stuck(when: Guard) -> None:
    with pytest.raises(GraphError, match="is stuck and has reached nothing"):
        finish(Role("a"), when=when)


def test_a_finish_may_want_a_run_that_is_not_stuck() -> None:
    assert finish(Role("a"), when=approved & ~stalled(turns=3)).when is not None
    assert finish(Role("a"), when=~(~approved | bloated(tokens=3))).when is not None


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: anything.looped(times=1), "once is no repetition"),
        (lambda: anything.repeated(calls=0), "give a whole number"),
        (lambda: anything.bloated(tokens=0), "give a whole number"),
        (lambda: anything.bloated(tokens=5, of=(1,)), "not a signal"),
    ],
)
def test_a_wrong_number_says_what_would_be_right(wrong: Any, said: str) -> None:
    with pytest.raises(DeclarationError, match=said):
        wrong()


@st.composite
def courses(draw: st.DrawFn) -> list[list[Entry]]:
    """Random turns of notes, reviews, tasks, calls and requests, out of few words each."""
    drawn: list[list[Entry]] = [[GOAL]]
    for turn in range(1, draw(st.integers(0, 12)) + 1):
        author = draw(st.sampled_from("ab"))
        entries = asked(turn, draw(st.integers(0, 12)), author=author)
        entries += called(turn, {"p": draw(st.integers(0, 1))}, draw(st.sampled_from("xy")))
        posted: list[Payload] = [
            Note(text=draw(st.sampled_from("xy"))),
            Review(approved=draw(st.booleans()), reasons=()),
            Task(id=draw(st.sampled_from("12")), title="t"),
        ]
        some = draw(st.lists(st.sampled_from(posted), max_size=2))
        entries += [
            entry(payload, author, turn=turn, place=7 + n) for n, payload in enumerate(some)
        ]
        drawn.append(entries)
    return drawn


@given(courses())
def test_every_detector_is_a_pure_fold_of_json_values(drawn: list[list[Entry]]) -> None:
    folding = Folding(tallies=EVERY.tallies)
    state, before = State(), []
    for turn in drawn:
        before.append((state, orjson.dumps(dict(state.tallies))))
        state = fold(state, turn, folding)
    assert all(orjson.dumps(dict(known.tallies)) == told for known, told in before)
    again = fold_turns(drawn, folding)
    assert again.tallies == state.tallies
    assert orjson.loads(orjson.dumps(dict(state.tallies))) == state.tallies
    assert EVERY.values(again) == EVERY.values(state)


@given(st.integers(1, 300))
def test_what_is_remembered_is_bounded(most: int) -> None:
    guard = looped(times=2) | repeated(calls=2)
    many = [
        e
        for turn in range(1, most + 1)
        for e in (decision(turn, "a"), *called(turn, {"p": turn}, "r"))
    ]
    kept: Any = folded(GOAL, *many, tallies=guard.tallies).tallies
    assert len(kept["states"]["seen"]) <= 64
    assert len(kept["equal calls"]["made"]) <= 64
    assert kept["equal calls"]["open"] == {}
