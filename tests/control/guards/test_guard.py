from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hive import control
from hive.board.contributions import Note, Review, Verdict
from hive.board.records import Fault
from hive.board.state import State, Tally
from hive.control import (
    Guard,
    approved,
    cost,
    elapsed,
    failed,
    guard,
    latest,
    posted,
    rejected,
    stalled,
    tokens,
    turns,
)
from hive.errors import DeclarationError
from hive.role import Role
from tests.control.states import decision, entry, folded

anything: Any = control
"""The door without its types, for what only untyped callers can get wrong."""


def review(ok: bool, turn: int = 1) -> State:
    given = Review(approved=ok, reasons=("because",))
    return folded(decision(turn, "critic"), entry(given, "critic", turn=turn))


def test_posted_looks_for_a_kind_and_its_author() -> None:
    state = folded(entry(Note(text="x"), "writer", turn=1))
    assert posted(Note).test(state)
    assert posted(Note, author="writer").test(state)
    assert posted(Note, author=Role("writer")).test(state)
    assert not posted(Note, author="critic").test(state)
    assert not posted(Verdict).test(state)
    assert posted(Note).values(state) == {"posted(Note)": 1}


def test_latest_looks_at_the_newest_payload_only() -> None:
    assert approved.test(review(True))
    assert not rejected.test(review(True))
    assert rejected.test(review(False))
    assert not approved.test(State())
    assert not rejected.test(State())


def test_latest_of_one_author() -> None:
    state = folded(
        entry(Note(text="yes"), "a", turn=1), entry(Note(text="no"), "b", turn=1, place=2)
    )

    def says_yes(note: Note) -> bool:
        return note.text == "yes"

    assert latest(Note, says_yes, author="a").test(state)
    assert not latest(Note, says_yes).test(state)
    assert str(latest(Note, says_yes)) == "latest(Note, says_yes)"
    assert str(latest(Note, lambda note: True)) == "latest(Note, …)"
    assert str(latest(Note, says_yes, name="agreed")) == "agreed"


@pytest.mark.parametrize(
    ("limit", "below", "reached"),
    [
        (turns(3), State(turn=2), State(turn=3)),
        (tokens(100), State(tokens=99), State(tokens=100)),
        (cost(usd=2), State(spent=1_999_999_999), State(spent=2_000_000_000)),
        (cost(usd="0.000000001"), State(spent=0), State(spent=1)),
        (cost(usd=0.1), State(spent=99_999_999), State(spent=100_000_000)),
        (cost(usd=Decimal("0.5")), State(spent=499_999_999), State(spent=500_000_000)),
        (elapsed(seconds=1.5), State(elapsed=1_499_999), State(elapsed=1_500_000)),
        (elapsed(minutes=1, hours=1), State(elapsed=3_659_999_999), State(elapsed=3_660_000_000)),
    ],
    ids=str,
)
def test_a_limit_holds_from_its_number_on(limit: Guard, below: State, reached: State) -> None:
    assert not limit.test(below)
    assert limit.test(reached)


@pytest.mark.parametrize(
    ("progress", "expected"),
    [
        ((), False),
        ((0, 0), False),
        ((0, 0, 0), True),
        ((0, 1, 2), False),
        ((2, 1, 0), True),
        ((0, 5, 3, 5), True),
        ((0, 5, 3, 6), False),
        ((0, 1, 1), False),
        (tuple(range(64)), False),
        ((7,) * 64, True),
    ],
)
def test_stalled_means_no_new_best(progress: tuple[int, ...], expected: bool) -> None:
    assert stalled(turns=2).test(State(progress=progress)) is expected


def test_stalled_reports_how_long_ago_the_best_was() -> None:
    assert stalled(turns=5).values(State(progress=(0, 4, 4, 3))) == {"stalled(turns=5)": 2}
    assert stalled(turns=5).values(State()) == {"stalled(turns=5)": 0}


def test_failed_is_a_final_fault_with_nothing_posted_beside_it() -> None:
    fault = Fault(code="timeout", message="too late", final=True)
    acted = decision(1, "coder")
    assert failed("coder").test(folded(acted, entry(fault, "coder", turn=1)))
    by_coordinator = entry(fault, "coordinator", turn=1, strand="coder")
    assert failed(Role("coder")).test(folded(acted, by_coordinator))
    mended = fault.model_copy(update={"final": False})
    assert not failed("coder").test(folded(acted, entry(mended, "coder", turn=1)))
    note = entry(Note(text="done"), "coder", turn=1, place=2)
    assert not failed("coder").test(folded(acted, entry(fault, "coder", turn=1), note))
    later = (decision(2, "critic"), entry(Note(text="x"), "critic", turn=2))
    assert not failed("coder").test(folded(acted, entry(fault, "coder", turn=1), *later))


def test_guards_read_as_they_are_written() -> None:
    both = (posted(Verdict) | turns(3)) & ~(approved & rejected)
    assert str(both) == "(posted(Verdict) | turns(3)) & ~(approved & rejected)"
    assert str(turns(1) & turns(2) & turns(3)) == "turns(1) & turns(2) & turns(3)"
    assert str(turns(1) | turns(2) & ~turns(3)) == "turns(1) | turns(2) & ~turns(3)"
    assert str(~(~turns(1))) == "~~turns(1)"
    assert str(stalled(turns=6) | cost(usd=2)) == "stalled(turns=6) | cost(usd=2)"
    assert str(elapsed(minutes=10)) == "elapsed(minutes=10)"
    assert str(posted(Note, author="a")) == "posted(Note, author='a')"
    assert turns(3) == turns(3)
    assert turns(3) != turns(4)


def test_a_guard_knows_its_kinds_parts_and_values() -> None:
    both = (posted(Verdict) | turns(3)) & ~posted(Verdict) & approved
    assert both.kinds == {"Verdict", "Review"}
    assert [part.name for part in both.primitives] == ["posted(Verdict)", "turns(3)", "approved"]
    state = State(turn=2)
    assert both.values(state) == {"posted(Verdict)": 0, "turns(3)": 2, "approved": False}
    assert both.report(state) == "posted(Verdict): 0, turns(3): 2, approved: no"


@pytest.mark.parametrize(
    ("ends", "state", "reason", "cited"),
    [
        (turns(3) | stalled(turns=1), State(turn=3), "turns_exhausted", "turns(3)"),
        (turns(3) | stalled(turns=1), State(progress=(1, 1)), "stalled", "stalled(turns=1)"),
        (
            turns(3) | stalled(turns=1),
            State(turn=3, progress=(1, 1)),
            "turns_exhausted",
            "turns(3)",
        ),
        (cost(usd=1) | tokens(5), State(tokens=5), "tokens_exhausted", "tokens(5)"),
        (cost(usd=1) | tokens(5), State(spent=10**9), "cost_exhausted", "cost(usd=1)"),
        (elapsed(seconds=1), State(elapsed=10**7), "time_exhausted", "elapsed(seconds=1)"),
        (~approved & turns(2), State(turn=2), "turns_exhausted", "~approved & turns(2)"),
        (~approved, State(), "guard", "~approved"),
        (
            ~approved & (turns(9) | tokens(1)),
            State(tokens=1),
            "tokens_exhausted",
            "~approved & (turns(9) | tokens(1))",
        ),
    ],
)
def test_what_held_gives_the_reason(ends: Guard, state: State, reason: str, cited: str) -> None:
    assert ends.test(state)
    assert ends.reason_in(state) == reason
    assert str(ends.witness(state)) == cited


def test_a_users_guard_is_a_named_function() -> None:
    count = Tally("notes", 0, lambda value, entry: value)

    @guard("many notes", kinds=(Note,), tallies=(count,), reason="gave_up")
    def many(state: State) -> bool:
        return state.count(Note) > 1

    assert isinstance(many, Guard)
    assert str(many) == "many notes"
    assert many.kinds == {"Note"}
    assert many.tallies == (count,)
    assert many.reason == "gave_up"
    assert not many.test(State())
    assert not many.eventually
    assert (many | turns(1)).tallies == (count,)
    assert guard("sooner or later", bounds="eventually")(lambda state: False).eventually
    assert guard("once", bounds="never_again")(lambda state: False).never_again


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: anything.turns(0), r"turns\(0\): give a whole number"),
        (lambda: anything.turns(True), "whole number"),
        (lambda: anything.tokens(1.5), "whole number"),
        (lambda: anything.cost(usd=0), "above 0"),
        (lambda: anything.cost(usd=float("nan")), "above 0"),
        (lambda: anything.cost(usd="much"), "not a number of dollars"),
        (anything.elapsed, "give hours, minutes or seconds"),
        (lambda: anything.stalled(turns=64), "at most 63"),
        (lambda: anything.posted("Note"), "give a Payload class"),
        (lambda: anything.latest(int, bool), "give a Payload class"),
        (lambda: anything.guard(" "), "needs a name"),
        (lambda: anything.turns(3) and anything.turns(4), "& | ~"),
        (lambda: anything.turns(3) & True, "only guards can be combined"),
        (lambda: anything.turns(3) | (lambda state: True), "only guards can be combined"),
    ],
)
def test_a_wrong_guard_says_what_would_be_right(wrong: Callable[[], object], said: str) -> None:
    with pytest.raises(DeclarationError, match=said):
        wrong()


class Leaves:
    """Random guards whose leaves are limits on turns and, each once, conditions that are free."""

    LONGEST = 4

    def __init__(self) -> None:
        self.free: list[str] = []

    def fresh(self) -> Guard:
        name = f"free{len(self.free)}"
        self.free.append(name)
        return guard(name)(lambda state: bool(state.tallies[name]))


@st.composite
def guards(draw: st.DrawFn) -> tuple[Guard, list[str]]:
    leaves = Leaves()

    def one(depth: int) -> Guard:
        shape = draw(st.sampled_from(["turns", "free", "~", "&", "|"] if depth else ["turns"]))
        if shape == "free" and len(leaves.free) < 4:
            return leaves.fresh()
        if shape == "~":
            return ~one(depth - 1)
        if shape == "&":
            return one(depth - 1) & one(depth - 1)
        if shape == "|":
            return one(depth - 1) | one(depth - 1)
        return turns(draw(st.integers(1, Leaves.LONGEST)))

    return one(4), leaves.free


@given(guards())
def test_what_must_hold_at_last_agrees_with_every_behaviour(drawn: tuple[Guard, list[str]]) -> None:
    made, free = drawn
    seen = {
        made.test(State(turn=turn, tallies=dict(zip(free, values, strict=True))))
        for turn in range(Leaves.LONGEST, Leaves.LONGEST + 3)
        for values in product([False, True], repeat=len(free))
    }
    assert made.eventually == (seen == {True})
    assert made.never_again == (seen == {False})


@given(guards(), st.integers(0, 6), st.lists(st.booleans(), min_size=4, max_size=4))
def test_guards_combine_like_truth(
    drawn: tuple[Guard, list[str]], turn: int, values: list[bool]
) -> None:
    made, free = drawn
    state = State(turn=turn, tallies=dict(zip(free, values, strict=False)))
    holds = made.test(state)
    assert (~made).test(state) is (not holds)
    assert (made & turns(2)).test(state) is (holds and turn >= 2)
    assert (made | turns(2)).test(state) is (holds or turn >= 2)
    assert set(made.values(state)) == {part.name for part in made.primitives}
    if holds:
        assert made.witness(state).test(state)
        assert made.reason_in(state) in ("guard", "turns_exhausted")
