"""The verification against brute force: all small graphs, and all their walks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import chain, combinations, permutations, product

import networkx as nx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hive.board.payload import Payload
from hive.control import Edge, Graph, Rule, finish, handoff, posted, require, start, stop, turns
from hive.errors import GraphError
from hive.role import Role

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


BY_NAME = {name: Role(name) for name in "abc"}


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


Arcs = frozenset[tuple[int, int]]
Ends = frozenset[int]


@cache
def edge(kind: str, one: int, two: int = -1, closes: bool = False) -> Edge:
    role = LINE[one]
    if kind == "handoff":
        return handoff(role, LINE[two], when=CLOSES if closes else None)
    return start(role) if kind == "start" else finish(role)


LINE = tuple(Role(name) for name in "abcde")


def judged(arcs: Arcs, closing: Arcs, starts: Iterable[int], finishes: Iterable[int]) -> set[str]:
    """The codes of what Hive finds wrong with a graph of single roles."""
    edges = [
        *(edge("start", role) for role in starts),
        *(edge("handoff", one, two, (one, two) in closing) for one, two in sorted(arcs)),
        *(edge("finish", role) for role in finishes),
    ]
    return codes_of(*edges)


def codes_of(*parts: Edge | Rule) -> set[str]:
    try:
        Graph(*parts)
    except GraphError as error:
        return {flaw.code for flaw in error.flaws}
    return set()


def enumerated(
    size: int, arcs: Arcs, closing: Arcs, starts: Iterable[int], finishes: Iterable[int]
) -> set[str]:
    """The same from every walk of the graph: a walk of as many handoffs as there are roles has been
    somewhere twice, so longer ones show nothing new."""

    def ends(begin: Iterable[int], ways: Arcs) -> list[set[int]]:
        """Where the walks of 0, 1, 2, … handoffs end."""
        found = [set(begin)]
        for _ in range(size):
            found.append({two for one, two in ways if one in found[-1]})
        return found

    reached = set().union(*ends(starts, arcs))
    wrong = set()
    if ({role for arc in arcs for role in arc} | set(finishes)) - reached:
        wrong.add("unreached_role")
    if any(set().union(*ends([role], arcs)).isdisjoint(finishes) for role in reached):
        wrong.add("no_way_to_finish")
    if ends(reached, arcs - closing)[size]:
        wrong.add("unbounded_cycle")
    return wrong


def representatives(size: int) -> Iterator[tuple[Arcs, list[tuple[int, ...]]]]:
    """Every directed graph up to isomorphism, with what maps it to itself."""
    pairs = [(one, two) for one in range(size) for two in range(size)]
    bit = {pair: 1 << place for place, pair in enumerate(pairs)}
    tables = []
    for order in permutations(range(size)):
        moved = [bit[order[one], order[two]] for one, two in pairs]
        low, high = moved[: size * size // 2], moved[size * size // 2 :]
        tables.append((order, sums(low), sums(high), len(low)))
    for shape in range(1 << size * size):
        same = []
        for order, low, high, cut in tables:
            image = low[shape & ((1 << cut) - 1)] | high[shape >> cut]
            if image < shape:
                break
            if image == shape:
                same.append(order)
        else:
            yield frozenset(pair for pair in pairs if bit[pair] & shape), same


def sums(parts: list[int]) -> list[int]:
    found = [0]
    for part in parts:
        found += [known | part for known in found]
    return found


def choices(size: int, same: list[tuple[int, ...]]) -> Iterator[tuple[Ends, Ends]]:
    """Every choice of starts and finishes, up to what maps the graph to itself."""
    some = [frozenset(c) for n in range(1, size + 1) for c in combinations(range(size), n)]
    seen: set[tuple[Ends, Ends]] = set()
    for starts, finishes in product(some, some):
        if (starts, finishes) not in seen:
            yield starts, finishes
            for order in same:
                seen.add((moved(order, starts), moved(order, finishes)))


def moved(order: tuple[int, ...], ends: Ends) -> Ends:
    return frozenset(order[role] for role in ends)


def closings(arcs: Arcs) -> Iterator[Arcs]:
    """A few choices of handoffs that close at last: none, all, those that lead back, loops."""
    yield frozenset()
    yield from {
        frozenset(arcs),
        frozenset((one, two) for one, two in arcs if one >= two),
        frozenset((one, two) for one, two in arcs if one == two),
    } - {frozenset()}


def compare(size: int, every: int = 1, first: int = 0) -> int:
    """Compare all graphs of so many roles that can differ, or each `every`th from the `first` on;
    how many that was."""
    number = compared = 0
    for arcs, same in representatives(size):
        for starts, finishes in choices(size, same):
            number += 1
            if number % every != first:
                continue
            for closing in closings(arcs):
                given = (arcs, closing, sorted(starts), sorted(finishes))
                assert judged(*given) == enumerated(size, *given), given
                compared += 1
    return compared


@pytest.mark.parametrize(("size", "known"), [(1, 2), (2, 10), (3, 104)])
def test_there_are_as_many_graphs_as_are_known_to_be(size: int, known: int) -> None:
    assert len(list(representatives(size))) == known


@pytest.mark.parametrize("size", [1, 2, 3])
def test_verification_agrees_with_all_walks_on_all_graphs_of_up_to_three_roles(size: int) -> None:
    assert compare(size)


def test_verification_agrees_with_all_walks_on_one_in_a_thousand_graphs_of_four_roles() -> None:
    assert compare(4, every=997) > 1_000


@pytest.mark.long
@pytest.mark.parametrize("part", range(16))
def test_verification_agrees_with_all_walks_on_all_graphs_of_four_roles(part: int) -> None:
    assert compare(4, every=16, first=part) > 50_000


ROLES5 = st.sets(st.integers(0, 4), min_size=1)


@given(
    st.sets(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=12), ROLES5, ROLES5, st.data()
)
def test_verification_agrees_with_all_walks_on_a_sample_of_graphs_of_five_roles(
    arcs: set[tuple[int, int]], starts: set[int], finishes: set[int], data: st.DataObject
) -> None:
    closing = frozenset(data.draw(st.sets(st.sampled_from(sorted(arcs))))) if arcs else frozenset()
    given = (frozenset(arcs), closing, sorted(starts), sorted(finishes))
    assert judged(*given) == enumerated(5, *given)


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


class One(Payload):
    """What the first role writes."""


class Two(Payload):
    """What the second role writes."""


class Three(Payload):
    """What the third role writes."""


KINDS = (One, Two, Three)
WRITERS = tuple(Role(name, writes=(kind,)) for name, kind in zip("abc", KINDS, strict=True))
State = tuple[int, frozenset[int]]
"""The role that acted, and the kinds on the board."""
Needs = dict[tuple[int, int], int | None]
"""Handoffs, from role to role, with the kind that each waits for; to -1 they are finishes."""


def taken(needs: Needs) -> dict[State, set[tuple[int, int]]]:
    """Every state that a run from the first role can be in, with the edges it can take there."""
    found: dict[State, set[tuple[int, int]]] = {}
    new: list[State] = [(0, frozenset({0}))]
    while new:
        state = new.pop()
        if state in found or state[0] < 0:
            continue
        role, board = state
        found[state] = {
            arc for arc, need in needs.items() if arc[0] == role and (need is None or need in board)
        }
        new += [(two, board | {two}) for _, two in found[state]]
    return found


def flawed(needs: Needs) -> set[str]:
    edges = [start(WRITERS[0]), stop(when=turns(9))]
    for (one, two), need in needs.items():
        when = None if need is None else posted(KINDS[need])
        source = WRITERS[one]
        edges.append(
            finish(source, when=when) if two < 0 else handoff(source, WRITERS[two], when=when)
        )
    return codes_of(*edges)


def needs_from(kinds: Iterable[int]) -> st.SearchStrategy[Needs]:
    """Handoffs and finishes of three roles; those of the last one included, so that none is left
    out by chance."""
    arcs = [(one, two) for one in range(3) for two in range(-1, 3)]
    wanted = st.one_of(st.none(), st.sampled_from(sorted(kinds)))
    return st.dictionaries(st.sampled_from(arcs), wanted, min_size=3)


@settings(max_examples=500)
@given(needs_from(range(3)))
def test_a_graph_whose_every_edge_some_run_can_take_is_never_refused(needs: Needs) -> None:
    found = taken(needs)
    roles = {state[0] for state in found}
    ends = {arc[0] for arcs in found.values() for arc in arcs if arc[1] < 0}
    if set().union(*found.values()) == set(needs) and roles == set(range(3)) == ends:
        assert not flawed(needs)


@settings(max_examples=500)
@given(needs_from([1]))
def test_an_edge_that_no_run_can_take_is_refused(needs: Needs) -> None:
    found = taken(needs)
    reached = {state[0] for state in found}
    never = {arc for arc in needs if arc[0] in reached} - set().union(*found.values())
    codes = flawed(needs)
    if not codes & {"no_start", "no_finish", "unreached_role", "unwritten_kind"}:
        assert bool(never) == bool(codes & {"closed_edge", "waiting_roles"})


@given(
    st.sets(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=12),
    ROLES5,
    ROLES5,
    st.integers(0, 4),
)
def test_a_role_is_before_every_finish_just_where_it_dominates_them(
    arcs: set[tuple[int, int]], starts: set[int], finishes: set[int], role: int
) -> None:
    ways: nx.DiGraph[int] = nx.DiGraph(arcs)
    ways.add_edges_from((-1, one) for one in starts)
    ways.add_edges_from((one, -2) for one in finishes)
    before = nx.immediate_dominators(ways, -1)
    passed: set[int | None] = set()
    at = -2 if -2 in before else None
    while at is not None and at not in passed:
        passed.add(at)
        at = before.get(at)
    edges = [edge("handoff", one, two) for one, two in arcs]
    edges += [edge("start", one) for one in starts] + [edge("finish", one) for one in finishes]
    known = {r.name for e in edges for r in (*e.sources, *e.targets)}
    codes = codes_of(*edges, stop(when=turns(9)), require(LINE[role], before="finish"))
    around = bool(passed) and role not in passed
    assert ("broken_rule" in codes) == (LINE[role].name not in known or around)


@given(
    st.sets(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=9),
    st.sets(st.integers(0, 3), min_size=1),
    st.sets(st.integers(0, 3), min_size=1),
    st.permutations(range(4)),
)
def test_a_rule_on_what_comes_after_a_role_holds_just_where_no_walk_breaks_it(
    arcs: set[tuple[int, int]], starts: set[int], finishes: set[int], order: list[int]
) -> None:
    role, after = order[:2]
    edges = [edge("handoff", one, two) for one, two in arcs]
    edges += [edge("start", one) for one in starts] + [edge("finish", one) for one in finishes]
    known = {r.name for e in edges for r in (*e.sources, *e.targets)}
    rule = require(LINE[role], after=LINE[after], before="finish")
    codes = codes_of(*edges, stop(when=turns(9)), rule)
    walks: list[tuple[int, ...]] = [(one,) for one in starts]
    broken = not {LINE[role].name, LINE[after].name} <= known
    for _ in range(8):  # there, and from there to the end: each within four handoffs
        for walk in walks:
            if walk[-1] in finishes and after in walk:
                last = len(walk) - walk[::-1].index(after)
                broken = broken or role not in walk[last:]
        ends = {
            (walk[-1], after in walk and role not in since(walk, after)): walk for walk in walks
        }
        walks = [(*walk, two) for walk in ends.values() for one, two in arcs if one == walk[-1]]
    assert ("broken_rule" in codes) == broken


def since(walk: tuple[int, ...], role: int) -> tuple[int, ...]:
    """What comes after the last turn of a role."""
    return walk[len(walk) - walk[::-1].index(role) :]
