"""Guards on rulings, and on an author and a reviewer who do not agree."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hive import control
from hive.board.contributions import Note, Review, Verdict
from hive.board.entry import Entry
from hive.board.fold import fold, fold_turns
from hive.board.state import Folding, State
from hive.control import Graph, disagreed, finish, handoff, ruled, start, stop, turns, undecided
from hive.errors import DeclarationError, GraphError
from hive.role import Role
from tests.control.states import decision, entry, folded

anything: Any = control
"""The door without its types, for what only untyped callers can get wrong."""
GOAL = entry(Note(text="goal"), "user")
author = Role("author")
critic = Role("critic", writes=(Review,))
teller = Role("teller", writes=(Verdict,))
arbiter = Role("arbiter", writes=(Verdict,))
GUARD = disagreed(author, critic)


def works(turn: int) -> list[Entry]:
    return [decision(turn, "author"), entry(Note(text="w"), "author", turn=turn)]


def reviews(turn: int, *approved: bool) -> list[Entry]:
    """A turn in which as many samples of the critic say yes or no."""
    strands = [f"critic#{n}" for n in range(len(approved))]
    said = [
        entry(Review(approved=yes, reasons=("r",)), "critic", turn=turn, strand=strand)
        for yes, strand in zip(approved, strands, strict=True)
    ]
    return [decision(turn, *strands), *said]


def rules(turn: int, ruling: Any, who: str = "arbiter") -> list[Entry]:
    return [decision(turn, who), entry(Verdict(ruling=ruling, reasons=()), who, turn=turn)]


def held(guard: Any, *turns_: list[Entry]) -> list[bool]:
    """Whether a guard holds after each turn."""
    folding, told = Folding(tallies=guard.tallies), []
    state = fold(State(), [GOAL], folding)
    for number, turn in groupby([e for each in turns_ for e in each], lambda e: e.turn):
        state = fold(state, list(turn), folding)
        assert state.turn == number
        told.append(guard.test(state))
    return told


def test_two_refusals_with_work_between_are_a_disagreement() -> None:
    told = held(GUARD, works(1), reviews(2, False), works(3), reviews(4, False), works(5))
    assert told == [False, False, False, True, True]


def test_refusing_again_what_nobody_has_changed_is_no_second_time() -> None:
    assert held(GUARD, works(1), reviews(2, False), reviews(3, False)) == [False] * 3


def test_an_approval_begins_anew() -> None:
    told = held(
        GUARD, works(1), reviews(2, False), works(3), reviews(4, True), works(5), reviews(6, False)
    )
    assert not any(told)


@pytest.mark.parametrize(
    ("ruling", "still"),
    [("accept", False), ("revise", False), ("give_up", False), ("undecided", True)],
)
def test_a_ruling_by_another_begins_anew_and_an_undecided_one_does_not(
    ruling: str, still: bool
) -> None:
    told = held(GUARD, works(1), reviews(2, False), works(3), reviews(4, False), rules(5, ruling))
    assert told[3:] == [True, still]


def test_a_panel_of_which_any_refuses_has_refused_once() -> None:
    for said in [(True, False, True), (False, True, True), (False, False, False)]:
        told = held(GUARD, works(1), reviews(2, *said), works(3), reviews(4, *said))
        assert told == [False, False, False, True]


def test_a_teller_disagrees_by_sending_back() -> None:
    by_teller = disagreed(author, teller, times=2)
    sent = [works(1), rules(2, "revise", "teller"), works(3)]
    assert held(by_teller, *sent, rules(4, "revise", "teller"))[-1]
    assert not held(by_teller, *sent, rules(4, "undecided", "teller"))[-1]
    assert not held(by_teller, *sent, rules(4, "accept", "teller"))[-1]
    assert not held(by_teller, *sent, reviews(4, False))[-1]


def test_once_can_be_enough() -> None:
    assert held(disagreed(author, critic, times=1), works(1), reviews(2, False)) == [False, True]


TURNS = st.lists(
    st.sampled_from(["work", "yes", "no", "split", "accept", "revise", "undecided"]), max_size=12
)


@given(TURNS)
def test_it_counts_refusals_in_a_row_each_of_newer_work(course: list[str]) -> None:
    made: dict[str, Callable[[int], list[Entry]]] = {
        "work": works,
        "yes": lambda t: reviews(t, True),
        "no": lambda t: reviews(t, False),
        "split": lambda t: reviews(t, True, False),
    }
    turns_ = [
        made[what](number) if what in made else rules(number, what)
        for number, what in enumerate(course, 1)
    ]
    row, fresh, expected = 0, False, []
    for what in course:
        if what == "work":
            fresh = True
        elif what in ("no", "split"):
            row, fresh = row + fresh, False
        elif what != "undecided":
            row = 0
        expected.append(row >= 2)
    assert held(GUARD, *turns_) == expected
    folding = Folding(tallies=GUARD.tallies)
    whole = fold_turns([[GOAL], *turns_], folding)
    assert GUARD.values(whole) == {GUARD.name: row}


def test_what_the_newest_verdict_says_is_a_guard() -> None:
    state = folded(GOAL, *rules(1, "undecided"), *rules(2, "revise"))
    assert ruled("revise").test(state)
    assert not ruled("accept").test(state)
    assert not undecided.test(state)
    assert undecided.test(folded(GOAL, *rules(1, "undecided")))
    assert (str(ruled("accept")), str(undecided)) == ("ruled(accept)", "undecided")
    assert ruled("give_up").reason == "gave_up"
    with pytest.raises(DeclarationError, match="say 'accept', 'revise', 'give_up', 'undecided'"):
        anything.ruled("yes")


def test_who_can_refuse_nothing_can_disagree_with_nobody() -> None:
    with pytest.raises(DeclarationError, match="author writes neither Review nor Verdict"):
        disagreed(critic, author)
    with pytest.raises(DeclarationError, match="times"):
        disagreed(author, critic, times=0)


def test_a_graph_that_waits_for_a_disagreement_nobody_can_voice_is_refused() -> None:
    absent = Role("absent", writes=(Review,))
    with pytest.raises(GraphError, match="absent"):
        Graph(
            start(author),
            handoff(author, critic),
            handoff(critic, arbiter, when=disagreed(author, absent)),
            handoff(critic, author),
            finish(arbiter),
            stop(when=turns(9)),
        )
