from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, combinations, permutations, product
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hive import control
from hive.board.contributions import Answer, Goal, Note, Review, Task, TestReport, Verdict
from hive.board.records import Inference
from hive.board.state import Tally
from hive.control import (
    Edge,
    Graph,
    cost,
    elapsed,
    finish,
    guard,
    handoff,
    latest,
    posted,
    stalled,
    start,
    stop,
    tests_pass,
    tokens,
    turns,
)
from hive.control.verify import END, GOAL
from hive.errors import GraphError
from hive.role import Role
from hive.tools import tool

anything: Any = control

a, b, c, d, e = (Role(name) for name in "abcde")
per = Role("per", per=Task)


@tool(effect="read", posts=(TestReport,))
def measure() -> str:
    """Run the tests."""
    return ""


tester = Role("tester", tools=(measure,))


def counted(step: int) -> Tally:
    return Tally("count", 0, lambda value, entry: step)


GALLERY: dict[str, tuple[list[Edge], tuple[str, ...], str]] = {
    "nothing": ([], (), "no start"),
    "no start": ([finish(a)], (), "no start"),
    "no finish": ([start(a), handoff(a, b)], (), "no finish, and a stop is not an end"),
    "no finish but a stop": ([start(a), stop(when=turns(3))], (), "no finish"),
    "two roles, one name": (
        [start(a), handoff(a, Role("a", "Another.")), finish(a)],
        ("a",),
        "two different roles are named 'a'",
    ),
    "unreachable": (
        [start(a), finish(a), finish(b)],
        ("b",),
        r"role 'b' is never reached: nothing leads to it; add start\(b\)",
    ),
    "unreachable, behind another": (
        [start(a), finish(a), handoff(b, c), finish(c)],
        ("b",),
        "role 'b' is never reached",
    ),
    "unreachable ring": (
        [start(a), finish(a), handoff(b, c, when=~turns(3)), handoff(c, b), finish(c)],
        ("c", "b"),
        "only c → b leads to it",
    ),
    "join of roles that never act together": (
        [start(a), handoff(a, b), handoff(a, c), handoff((b, c), d), handoff(b, d), finish(d)],
        ("(b, c)", "d"),
        r"handoff\(\(b, c\), d\) is never taken: \(b, c\) never act in one turn",
    ),
    "reached by an impossible join only": (
        [start(a), handoff(a, b), handoff(a, c), handoff((b, c), d), finish(b), finish(d)],
        ("a", "b", "d"),
        "role 'd' is never reached",
    ),
    "finish of roles that never act together": (
        [start(a), start(b), finish((a, b)), finish(a), finish(b)],
        ("(a, b)",),
        "never taken",
    ),
    "dead end": (
        [start(a), handoff(a, b), handoff(a, c), handoff(c, d), finish(b)],
        ("a", "c"),
        "from c no finish can be reached: start → a → c, and from there only to d",
    ),
    "dead end after a parallel move": (
        [start(a), handoff(a, (b, c)), handoff(a, d), finish(d)],
        ("a", "(b, c)"),
        r"from \(b, c\) no finish can be reached",
    ),
    "a pair that never ends": (
        [start(c), finish(c), handoff(c, a), handoff(a, b), handoff(b, a), stop(when=turns(9))],
        ("c", "a"),
        "a stop is not an end",
    ),
    "self-loop": (
        [start(a), handoff(a, a), finish(a)],
        ("a", "a"),
        "a → a can go round for ever",
    ),
    "ring of three": (
        [start(a), handoff(a, b), handoff(b, c), handoff(c, a), finish(c)],
        ("a", "b", "c", "a"),
        "can go round for ever",
    ),
    "bounded the wrong way round": (
        [start(a), handoff(a, b), handoff(b, a, when=turns(3)), finish(b)],
        ("a", "b", "a"),
        "can go round for ever",
    ),
    "bounded on one of two rings only": (
        [
            *(start(a), handoff(a, b), handoff(b, a, when=~turns(9))),
            *(handoff(b, c), handoff(c, b), finish(c)),
        ],
        ("b", "c", "b"),
        "can go round for ever",
    ),
    "bounded by money alone": (
        [start(a), handoff(a, b), handoff(b, a), finish(b), stop(when=cost(usd=2) | tokens(9))],
        ("a", "b", "a"),
        r"Not enough: cost\(usd=2\), for a model that costs nothing never gets there; tokens",
    ),
    "bounded by a stall alone": (
        [start(a), handoff(a, a, when=posted(Note)), finish(a), stop(when=stalled(turns=3))],
        ("a", "a"),
        r"stalled\(turns=3\), for a run can make progress for ever; posted\(Note\), for it may",
    ),
    "bounded together with what may never hold": (
        [start(a), handoff(a, a), finish(a), stop(when=turns(3) & posted(Note))],
        ("a", "a"),
        "can go round",
    ),
    "a ring through a parallel move": (
        [start(a), handoff(a, (b, c)), handoff((b, c), a), finish(a)],
        ("a", "(b, c)", "a"),
        "can go round for ever",
    ),
    "a ring by one role of a parallel move": (
        [start((a, b)), handoff(a, (a, b)), finish(b)],
        ("(a, b)", "(a, b)"),
        "can go round for ever",
    ),
    "guard on a kind that nobody writes": (
        [start(a), handoff(a, b, when=posted(Verdict)), finish(b)],
        ("a",),
        r"when=posted\(Verdict\)\): no role and no tool writes Verdict; the team writes Note",
    ),
    "finish on a kind that nobody writes": (
        [start(a), handoff(a, b), finish(b, when=latest(Review, lambda r: r.approved, name="ok"))],
        ("a", "b"),
        "writes Review",
    ),
    "stop on a kind that nobody writes": (
        [start(a), finish(a), stop(when=posted(Verdict))],
        (),
        "writes Verdict",
    ),
    "tests_pass without the test tool": (
        [start(a), finish(a, when=tests_pass)],
        ("a",),
        "no role and no tool writes TestReport",
    ),
    "guard on an author who does not write it": (
        [start(a), handoff(a, b, when=posted(Note, author="z")), finish(b)],
        ("a",),
        "'z', who is no role, does not write Note; a, b would",
    ),
    "guard on a role that writes something else": (
        [start(a), handoff(a, b, when=posted(Verdict, author=b)), finish(b)],
        ("a",),
        "role 'b' does not write Verdict",
    ),
    "guard on a role whose tool writes it": (
        [start(tester), finish(tester, when=posted(TestReport, author=tester))],
        ("tester",),
        "role 'tester' does not write TestReport; tool:measure would",
    ),
    "a user's guard on a kind that nobody writes": (
        [start(a), finish(a, when=guard("ruled", kinds=(Verdict,))(lambda state: True))],
        ("a",),
        "finish.a, when=ruled.: no role and no tool writes Verdict",
    ),
    "one strand per entry that nobody posts": (
        [start(a), handoff(a, per), finish(per)],
        ("a", "per"),
        "role 'per' takes one strand per Task, but no role and no tool writes Task",
    ),
    "doubled handoff": (
        [start(a), handoff(a, b), handoff(a, b, when=turns(2)), finish(b)],
        ("a", "b"),
        "joins what another edge joins already",
    ),
    "doubled start": ([start(a), start(a), finish(a)], ("a",), "joins already"),
    "doubled stop": (
        [start(a), finish(a), stop(when=turns(2)), stop(when=turns(2))],
        (),
        "joins already",
    ),
    "two tallies with one name": (
        [
            start(a),
            finish(a, when=guard("one", tallies=(counted(1),))(lambda state: True)),
            stop(when=guard("two", tallies=(counted(2),))(lambda state: True)),
        ],
        (),
        "different tally named 'count'",
    ),
}


@pytest.mark.parametrize("name", GALLERY)
def test_a_bad_graph_is_refused_with_the_walk_that_proves_it(name: str) -> None:
    edges, path, said = GALLERY[name]
    with pytest.raises(GraphError, match=said) as caught:
        Graph(*edges)
    assert caught.value.path == path


def test_what_is_no_edge_is_refused() -> None:
    with pytest.raises(GraphError, match="not an edge; a graph is made of start"):
        anything.Graph(start(a), a)


GOOD: dict[str, list[Edge]] = {
    "one role": [start(a), finish(a)],
    "bounded by a stop": [start(a), handoff(a, a), finish(a), stop(when=turns(3))],
    "bounded by one of two stops": [
        *(start(a), handoff(a, a), finish(a)),
        *(stop(when=cost(usd=1)), stop(when=elapsed(minutes=1) | posted(Note))),
    ],
    "bounded by an edge": [start(a), handoff(a, b), handoff(b, a, when=~turns(3)), finish(b)],
    "bounded by different edges": [
        *(start(a), handoff(a, b, when=~turns(3)), handoff(b, a)),
        *(handoff(b, c, when=posted(Note) & ~turns(5)), handoff(c, b), finish(c)),
    ],
    "bounded by a promise": [
        start(a),
        handoff(a, a, when=guard("room left", bounds="never_again")(lambda state: False)),
        finish(a),
    ],
    "samples beside a single strand": [
        *(start(a), handoff(a, b), handoff(a, b, samples=3), finish(b)),
    ],
    "kinds of the user and the coordinator": [
        start(a, when=posted(Goal)),
        handoff(a, b, when=posted(Answer) | posted(Inference) | posted(Verdict, author="user")),
        finish(b),
    ],
    "kinds of a tool": [
        start(tester, when=posted(TestReport) | posted(TestReport, author="tool:measure")),
        finish(tester, when=tests_pass),
    ],
    "a join after a parallel start": [start((a, b)), handoff((a, b), c), finish(c)],
    "one of a parallel move goes on": [start((a, b)), handoff(b, c), finish(c)],
    "a larger frontier enables a smaller join": [start((a, b, c)), handoff((a, c), d), finish(d)],
}


@pytest.mark.parametrize("name", GOOD)
def test_a_good_graph_is_accepted(name: str) -> None:
    assert Graph(*GOOD[name]).edges == tuple(GOOD[name])


def test_the_graph_of_frontiers_has_parallel_moves_as_nodes() -> None:
    graph = Graph(start(a), handoff(a, (b, c)), handoff((b, c), d), handoff(a, d), finish(d))
    made = graph.digraph
    assert set(made.edges) == {
        (GOAL, ("a",)),
        (("a",), ("b", "c")),
        (("a",), ("d",)),
        (("b", "c"), ("d",)),
        (("d",), END),
    }
    assert made.edges[("b", "c"), ("d",)]["edges"] == (graph.edges[2],)


Team = frozenset[str]
Arc = tuple[Team, Team, bool]
"""Sources, targets, and whether the handoff must at last be closed."""

CLOSES = ~turns(5)


def powerset(names: str) -> list[Team]:
    return [frozenset(t) for n in range(1, len(names) + 1) for t in combinations(names, n)]


def refused(starts: list[Team], arcs: list[Arc], finishes: list[Team], stops: bool) -> bool:
    """Whether a graph is bad, from the definitions alone: by walking and by trying every ring."""
    frontiers = {*starts, *(arc[1] for arc in arcs)}

    def steps(at: Team) -> Iterator[tuple[Team, bool]]:
        return ((to, closes) for sources, to, closes in arcs if sources <= at)

    def walks(origin: Team) -> set[Team]:
        found, new = {origin}, {origin}
        while new:
            new = {to for at in new for to, _ in steps(at)} - found
            found |= new
        return found

    reached = set(chain.from_iterable(walks(at) for at in starts))
    everyone = set().union(*frontiers, *finishes, *(arc[0] for arc in arcs))
    if not starts or not finishes or everyone - set().union(*reached):
        return True
    sources = [*(arc[0] for arc in arcs), *finishes]
    if any(not any(source <= at for at in reached) for source in sources):
        return True
    if any(not any(end <= at for at in walks(node) for end in finishes) for node in reached):
        return True
    open_arcs = {(at, to) for at in reached for to, closes in steps(at) if not closes}
    rings = (ring for n in range(1, len(reached) + 1) for ring in permutations(reached, n))
    return not stops and any(
        all(arc in open_arcs for arc in zip(ring, (*ring[1:], ring[0]), strict=True))
        for ring in rings
    )


BY_NAME = {role.name: role for role in (a, b, c)}


def roles(team: Team) -> tuple[Role, ...]:
    return tuple(BY_NAME[name] for name in sorted(team))


def built(starts: list[Team], arcs: list[Arc], finishes: list[Team], stops: bool) -> Graph:
    return Graph(
        *(start(roles(team)) for team in starts),
        *(
            handoff(roles(sources), roles(to), when=CLOSES if closes else None)
            for sources, to, closes in arcs
        ),
        *(finish(roles(team)) for team in finishes),
        *([stop(when=turns(9))] if stops else []),
    )


def accepted(starts: list[Team], arcs: list[Arc], finishes: list[Team], stops: bool) -> bool:
    try:
        built(starts, arcs, finishes, stops)
    except GraphError:
        return False
    return True


def agrees(starts: list[Team], arcs: list[Arc], finishes: list[Team], stops: bool) -> None:
    given = (starts, arcs, finishes, stops)
    assert accepted(*given) != refused(*given), given


def single(names: Iterable[str]) -> list[Team]:
    return [frozenset(name) for name in names]


def shapes(names: str, ways: tuple[bool | None, ...]) -> Iterator[list[Arc]]:
    """Every set of handoffs between single roles; None stands for a handoff that is not there."""
    pairs = list(product(single(names), repeat=2))
    for shape in product(ways, repeat=len(pairs)):
        yield [
            (one, two, way) for (one, two), way in zip(pairs, shape, strict=True) if way is not None
        ]


def test_verification_agrees_with_brute_force_on_all_graphs_of_two_roles() -> None:
    teams = powerset("ab")
    for arcs in shapes("ab", (None, False, True)):
        for starts, finishes, stops in product(teams, teams, (False, True)):
            agrees(single(starts), arcs, single(finishes), stops)


@pytest.mark.parametrize("starts", ["a", "ab"])
@pytest.mark.parametrize("finishes", ["a", "c", "bc"])
def test_verification_agrees_with_brute_force_on_all_unguarded_graphs_of_three_roles(
    starts: str, finishes: str
) -> None:
    for arcs in shapes("abc", (None, False)):
        agrees(single(starts), arcs, single(finishes), False)


TEAMS = st.sampled_from(powerset("abc"))


@given(
    st.lists(TEAMS, min_size=1, max_size=2, unique=True),
    st.lists(st.tuples(TEAMS, TEAMS, st.booleans()), max_size=5, unique_by=lambda arc: arc[:2]),
    st.lists(TEAMS, min_size=1, max_size=2, unique=True),
    st.booleans(),
)
@example(single("a"), [(frozenset("a"), frozenset("abc"), False)], single("b"), False)
def test_verification_agrees_with_brute_force_on_parallel_moves_and_joins(
    starts: list[Team], arcs: list[Arc], finishes: list[Team], stops: bool
) -> None:
    agrees(starts, arcs, finishes, stops)
