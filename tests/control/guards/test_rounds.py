"""Guards on the turns of one role: counted from the record, and bounds where they say so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hive.board.contributions import Note, Review
from hive.board.entry import Entry
from hive.board.records import Inference
from hive.board.state import State
from hive.control import (
    Guard,
    acted,
    answered,
    grown,
    rounds_left,
    rounds_used,
)
from hive.errors import DeclarationError
from hive.message import Usage
from hive.role import Role
from tests.control.states import decision, entry, folded

critic, author = Role("critic", writes=(Review,)), Role("author")
TURNS = st.lists(st.sampled_from(["critic", "author", "both"]), max_size=20)


def states(turns: list[str], *guards: Guard) -> list[State]:
    """The state after each of some turns."""
    tallies = {tally.name: tally for guard in guards for tally in guard.tallies}
    found, entries = [], []
    for turn, who in enumerate(turns, 1):
        entries.append(decision(turn, *(("critic", "author") if who == "both" else (who,))))
        found.append(folded(*entries, tallies=tallies.values()))
    return found


@given(TURNS, st.integers(1, 5))
def test_rounds_are_left_after_the_first_turns_of_a_role_and_used_after_the_others(
    turns: list[str], most: int
) -> None:
    left, used = rounds_left(critic, most), rounds_used(critic, most)
    count = 0
    for who, state in zip(turns, states(turns, left, used), strict=True):
        mine = who != "author"
        count += mine
        assert left.test(state) == (mine and count <= most)
        assert used.test(state) == (mine and count > most)
        assert acted(critic).test(state) == mine
        assert left.values(state) == {f"rounds_left(critic, {most})": count}


@given(TURNS, st.integers(1, 5))
def test_rounds_left_hold_after_so_many_turns_at_most_which_bounds_a_cycle(
    turns: list[str], most: int
) -> None:
    left = rounds_left(critic, most)
    assert sum(left.test(state) for state in states(turns, left)) <= most
    assert (left.times, left.never_again) == (most, True)


def asked(turn: int, *sizes: int, role: str = "author") -> list[Entry]:
    """A turn in which a role's model is sent inputs of some sizes."""
    made = [
        Inference(model="m", parts=(), stop="end", usage=Usage(input=size, output=1), digest="")
        for size in sizes
    ]
    return [decision(turn, role), *(entry(each, role, turn=turn) for each in made)]


def test_what_a_role_is_sent_is_compared_with_its_first_turn() -> None:
    guard = grown(author, tokens=100)
    turns = [asked(1, 50, 80), asked(2, 500, role="critic"), asked(3, 90, 179), asked(4, 180, 9)]
    grows = []
    for number in range(1, 5):
        entries = [each for turn in turns[:number] for each in turn]
        state = folded(*entries, tallies=guard.tallies)
        grows.append((guard.values(state)["grown(author, tokens=100)"], guard.test(state)))
    assert grows == [(0, False), (0, False), (99, False), (100, True)]
    assert guard.reason == "bloated"
    assert not guard.test(State())


def test_those_who_had_something_to_say_are_counted_by_strand() -> None:
    guard = answered((author, critic), 3)
    first = [
        decision(1, "author#0", "author#1", "critic"),
        entry(Note(text="a"), "author", turn=1, strand="author#0"),
        entry(Note(text="b"), "author", turn=1, strand="author#0", place=2),
        entry(Note(text="c"), "critic", turn=1),
        entry(Note(text="d"), "tool:look", turn=1, strand="author#1"),
    ]
    state = folded(*first, tallies=guard.tallies)
    assert guard.report(state) == "answered((author, critic), 3): 2"
    whole = [*first, entry(Note(text="e"), "author", turn=1, strand="author#1")]
    assert guard.test(folded(*whole, tallies=guard.tallies))
    later = folded(*whole, decision(2, "other"), tallies=guard.tallies)
    assert guard.report(later) == "answered((author, critic), 3): 0"


@pytest.mark.parametrize("number", [0, -1, True])
def test_numbers_that_mean_nothing_are_refused(number: int) -> None:
    refusal = pytest.raises(DeclarationError, match="give a whole number from 1 on")
    with refusal:
        rounds_left(critic, number)
    with refusal:
        rounds_used(critic, number)
    with refusal:
        grown(critic, tokens=number)
    with refusal:
        answered((critic,), number)
