from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from hive.board.contributions import Note
from hive.control import (
    Edge,
    Graph,
    WorstCase,
    cost,
    declining,
    elapsed,
    finish,
    guard,
    handoff,
    start,
    stop,
    turns,
    worst_case,
)  # fmt: skip
from hive.errors import GraphError
from hive.role import Role

a, b, c, d = (Role(name) for name in "abcd")


def test_a_line_takes_as_many_turns_as_it_has_roles_and_costs_as_much() -> None:
    graph = Graph(start(a), handoff(a, b), handoff(b, c), finish(c))
    assert worst_case(graph, lambda edge: 7) == WorstCase(3, 21)


def test_the_longest_and_the_dearest_walk_need_not_be_the_same() -> None:
    graph = Graph(start(a), handoff(a, b), handoff(b, c), handoff(a, d), finish(c), finish(d))
    assert worst_case(graph, lambda edge: 9 if edge.targets == (d,) else 1) == WorstCase(3, 10)


def test_a_stop_on_turns_bounds_all_and_a_cap_from_outside_too() -> None:
    ring = (start(a), handoff(a, b), handoff(b, a), finish(b))
    assert worst_case(Graph(*ring, stop(when=turns(40) | cost(usd=1))), lambda edge: 2).turns == 40
    assert worst_case(Graph(*ring, stop(when=elapsed(minutes=1))), most_turns=12).turns == 12
    assert worst_case(Graph(*ring, stop(when=turns(40) & turns(7)))).turns == 40


def test_an_edge_that_closes_at_a_turn_is_taken_before_it_and_not_after() -> None:
    graph = Graph(start(a), handoff(a, b), handoff(b, a, when=~turns(4)), finish(b))
    assert worst_case(graph).turns == 4  # a b a b, and four turns have closed
    graph = Graph(start(a), handoff(a, b, when=turns(2)), finish(a), finish(b))
    assert worst_case(graph).turns == 1  # never two before b


def test_samples_and_what_is_never_open_are_counted_as_they_are() -> None:
    graph = Graph(start(a), handoff(a, b, samples=3), finish(b))
    assert worst_case(graph, lambda edge: edge.samples * 5) == WorstCase(2, 20)


def test_what_bounds_in_time_alone_is_named() -> None:
    graph = Graph(start(a), handoff(a, b), handoff(b, a), finish(b), stop(when=elapsed(minutes=1)))
    worst = worst_case(graph)
    assert (worst.turns, worst.cost) == (None, None)
    assert worst.unbounded == (
        "a → b → a ends by elapsed(minutes=1), which says nothing of how many turns that takes",
    )


def test_a_promise_that_counts_nothing_is_named() -> None:
    room = guard("room left", bounds="never_again")(lambda state: False)
    graph = Graph(start(a), handoff(a, a, when=room), finish(a))
    assert "a → a ends by room left" in worst_case(graph).unbounded[0]


def test_what_is_too_far_to_go_through_is_bounded_by_its_stop() -> None:
    ring = (start(a), handoff(a, b), handoff(b, a), finish(b))
    assert worst_case(Graph(*ring, stop(when=turns(10**7))), lambda edge: 3) == WorstCase(
        10**7, 3 * 10**7, exact=False
    )


Arc = tuple[int, int, int | None, bool]
"""From, to, the turn at which it closes, and whether it is taken only at a new low."""
ROLES = (a, b, c)


def walked(arcs: list[Arc], low: int, cap: int) -> tuple[int, int]:
    """The most turns and the most it costs, walk by walk: a turn of role n costs n + 1."""
    most = dearest = 0
    open_: list[tuple[int, int, int, int]] = [(0, 1, low, 1)]
    while open_:
        at, turn, left, total = open_.pop()
        most, dearest = max(most, turn), max(dearest, total)
        for one, two, closes, falls in arcs if turn < cap else ():
            if one == at and (closes is None or turn < closes) and (left or not falls):
                open_.append((two, turn + 1, left - falls, total + two + 1))
    return most, dearest


@given(
    st.lists(
        st.tuples(
            *(st.integers(0, 2), st.integers(0, 2), st.none() | st.integers(1, 6), st.booleans())
        ),
        max_size=5,
        unique_by=lambda arc: arc[:2],
    ),
    st.integers(1, 3),
    st.integers(1, 8),
)
def test_the_worst_case_is_that_of_all_walks(arcs: list[Arc], low: int, cap: int) -> None:
    fewer = declining("notes", Note, lambda note: len(note.text), most=low)
    edges: list[Edge] = [start(a), stop(when=turns(cap)), *(finish(role) for role in ROLES)]
    for one, two, closes, falls in arcs:
        guards = [*([] if closes is None else [~turns(closes)]), *([fewer] if falls else [])]
        when = None if not guards else guards[0] if len(guards) == 1 else guards[0] & guards[1]
        edges.append(handoff(ROLES[one], ROLES[two], when=when))
    try:
        graph = Graph(*edges)
    except GraphError:
        assume(False)
    worst = worst_case(graph, lambda edge: ROLES.index(edge.targets[0]) + 1)
    assert worst == WorstCase(*walked(arcs, low, cap))
