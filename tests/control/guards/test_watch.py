"""How far up a watch is after each turn, as a fold of the turns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hive.board.contributions import Note
from hive.board.entry import Entry
from hive.board.fold import fold
from hive.board.state import Folding, State
from hive.control import Guard, Watch, latest, looped, posted, stalled, stuck_at
from hive.control.guards.watch import (
    because,
    climbing,
    nudge,
    stop_due,
    ways,
)
from tests.control.states import decision, entry, move

STUCK = latest(Note, lambda note: note.text == "stuck", name="stuck", reason="stalled")
GOAL = [entry(Note(text="goal"), "user")]
RUNGS = ("nudge", "change")


def turn(number: int, stuck: bool, role: str = "a") -> list[Entry]:
    """A turn of a role in which the guard comes to hold, or not."""
    said = Note(text="stuck" if stuck else "fine")
    return [decision(number, role), entry(said, role, turn=number)]


def states(watch: Watch, held: list[bool], roles: str = "a") -> list[State]:
    """The state after each turn; the roles act one after the other, again and again."""
    folding = Folding(tallies=(*watch.guard.tallies, climbing([watch])))
    found = [fold(State(), GOAL, folding)]
    for number, stuck in enumerate(held, 1):
        entries = turn(number, stuck, roles[(number - 1) % len(roles)])
        found.append(fold(found[-1], entries, folding))
    return found[1:]


def rung(watch: Watch, state: State) -> int:
    """0 where all is calm, 1 at the nudge, 2 at the change, 3 where the run is to stop."""
    if stop_due([watch], state) is not None:
        return 3
    return next((n for n, name in enumerate(RUNGS, 1) if stuck_at(name).test(state)), 0)  # type: ignore[arg-type]  # a literal, from a tuple of them


@pytest.mark.parametrize(
    ("held", "rungs"),
    [
        ("......", "000000"),
        ("x.....", "110000"),
        ("xxxxx", "11223"),
        ("x.x.x", "11223"),
        ("xx..xx", "111011"),
        ("xxx...x", "1122001"),
    ],
)
def test_a_watch_climbs_where_its_guard_holds_again_and_falls_where_it_is_quiet(
    held: str, rungs: str
) -> None:
    watch = Watch(STUCK, patience=2)
    found = states(watch, [each == "x" for each in held])
    assert "".join(str(rung(watch, state)) for state in found) == rungs


@given(st.lists(st.booleans(), max_size=14), st.integers(1, 4))
def test_no_rung_is_left_out_and_none_is_left_too_early(held: list[bool], patience: int) -> None:
    watch = Watch(STUCK, patience=patience)
    before, since = 0, 0
    for number, state in enumerate(states(watch, held), 1):
        now = rung(watch, state)
        if now > before:
            assert now == before + 1
            assert held[number - 1]
            assert before == 0 or number - since >= patience
            since = number
        elif now < before:
            assert now == 0
            assert not any(held[number - patience : number])
        if before and not any(held[max(0, number - patience) : number]):
            assert now == 0, "so many quiet turns in a row end it"
        if now == 3:
            return
        before = now


def test_each_role_is_told_once_on_a_rung() -> None:
    watch = Watch(STUCK, "Think again.", patience=4)
    found = states(watch, [True] * 4, "ab")
    told = [
        [name for name in "abc" if nudge([watch], state, move(name))] for state in found
    ]  # fmt: skip
    assert told == [["a", "b", "c"], ["a", "c"], ["c"], ["c"]]


def test_a_nudge_says_what_was_seen_and_where() -> None:
    watch = Watch(STUCK, "Think again.")
    (state,) = states(watch, [True])
    assert nudge([watch], state, move("a")) == "Think again. (Seen: stuck: yes; last came [1/a/1].)"


def test_nothing_is_other_than_usual_before_the_change() -> None:
    watch = Watch(STUCK)
    first, second, third = states(watch, [True] * 3)
    moves = (move("a"), move("b"))
    assert ways([watch], first, moves) == ways([watch], second, moves) == (moves, "")
    assert ways([watch], third, moves) == ((move("b"),), "role")


def test_where_the_graph_leaves_no_choice_it_is_to_be_another_tier() -> None:
    watch = Watch(STUCK)
    *_, third = states(watch, [True] * 3)
    assert ways([watch], third, (move("a"),)) == ((move("a"),), "tier")
    assert because([watch], third, "tier") == (
        "another tier of models, since stuck held and a nudge has not helped"
    )


def test_what_counts_is_the_move_made_from_the_same_place() -> None:
    watch = Watch(STUCK, patience=1)
    *_, state = states(watch, [True, True], "ab")  # a, b: where b acted nobody has followed yet
    both = (move("a"), move("b"))
    assert ways([watch], state, both) == (both, "tier")
    watch = Watch(STUCK, patience=2)
    *_, state = states(watch, [True] * 4, "ab")  # after b came a
    assert ways([watch], state, both) == ((move("b"),), "role")


@pytest.mark.parametrize("guard", [looped(times=2), stalled(turns=2), posted(Note)])
def test_a_watch_reads_as_its_guard(guard: Guard) -> None:
    assert str(Watch(guard, "Stop it.", patience=3)) == f"{guard}, patience=3: Stop it."
