"""The verification of handoff graphs (control floor): what cannot work is refused when written."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import networkx as nx

from hive.board.state import Tally
from hive.control.graphs.algebra import Guard
from hive.control.graphs.cycles import cycles_unbounded
from hive.control.graphs.edge import Edge, written
from hive.control.graphs.frontier import END, Frontiers, Node, label
from hive.control.graphs.needs import Writers, needs_of
from hive.control.graphs.opening import Opening
from hive.control.graphs.rule import Rule, rules_broken
from hive.control.graphs.waiting import closed_edges
from hive.errors import Flaw, GraphError
from hive.role import Role

if TYPE_CHECKING:
    from hive.control.graphs.graph import Graph

__all__ = ["flaws", "parted", "verify"]


def verify(graph: "Graph") -> None:
    """Raise GraphError for the first flaw of a graph, with all of them and the graph itself."""
    found = tuple(flaws(graph))
    if found:
        raise GraphError(found[0].message, found[0].path, flaws=found, graph=graph)


def flaws(graph: "Graph") -> Iterator[Flaw]:
    """Everything that is wrong with a graph, but for what only follows from what was told."""
    missing = list(ends_missing(graph))
    yield from missing
    yield from edges_doubled(graph.edges)
    yield from tallies_doubled(graph.guards)
    if missing:
        return
    frontiers, writers = Frontiers(graph), Writers(graph)
    yield from roles_unreached(frontiers)
    yield from edges_untaken(frontiers)
    yield from kinds_unwritten(frontiers, writers)
    opening = Opening(graph, writers)
    course = opening.course
    closed = list(closed_edges(frontiers, writers, opening, course))
    yield from closed
    unwritten = any(writers.missing(need) for edge in graph.edges for need in needs_of(edge))
    walks = graph.digraph if closed or unwritten else opening.open_graph(course)
    yield from ends_unreached(frontiers, walks)
    yield from cycles_unbounded(frontiers, walks)
    yield from rules_broken(graph, opening)


def parted(parts: Sequence[object]) -> tuple[tuple[Edge, ...], tuple[Rule, ...]]:
    """The edges and the rules of a graph. Raises GraphError for what is no graph at all: things
    that are neither, or two roles with one name."""
    roles: dict[str, Role] = {}
    edges = tuple(part for part in parts if isinstance(part, Edge))
    rules = tuple(part for part in parts if isinstance(part, Rule))
    for part in parts:
        if not isinstance(part, Edge | Rule):
            raise GraphError(
                f"Graph(… {part!r} …): not an edge; a graph is made of start(…), handoff(…),"
                " finish(…) and stop(…), and of rules: require(…)"
            )
    for edge in edges:
        for role in (*edge.sources, *edge.targets):
            if roles.setdefault(role.name, role) != role:
                raise GraphError(
                    f"two different roles are named {role.name!r}; name one of them otherwise, or"
                    " use the same value in every edge",
                    [role.name],
                )
    return edges, rules


def ends_missing(graph: "Graph") -> Iterator[Flaw]:
    kinds = {edge.kind for edge in graph.edges}
    if "start" not in kinds:
        yield Flaw("no_start", "the graph has no start; add start(role) for whoever may act first")
    if "finish" not in kinds:
        yield Flaw(
            "no_finish",
            "the graph has no finish, and a stop is not an end: a run could only break off; add"
            " finish(role) or finish(role, when=…) for whoever completes the work",
        )


def edges_doubled(edges: Sequence[Edge]) -> Iterator[Flaw]:
    seen: set[tuple[object, ...]] = set()
    for edge in edges:
        own = str(edge.when) if edge.kind == "stop" else edge.samples
        key = (edge.kind, edge.source_names, edge.target_names, own)
        if key in seen:
            said = f"{edge} joins what another edge joins already; use one, with a | b"
            path = tuple(role.name for role in (*edge.sources, *edge.targets))
            yield Flaw("doubled_edge", said, path)
        seen.add(key)


def tallies_doubled(guards: Iterable[Guard]) -> Iterator[Flaw]:
    seen: dict[str, Tally] = {}
    for guard in guards:
        for tally in guard.tallies:
            if seen.setdefault(tally.name, tally) != tally:
                yield Flaw(
                    "doubled_tally",
                    f"guard {guard}: another guard has a different tally named {tally.name!r};"
                    " name one of them otherwise",
                )


def roles_unreached(frontiers: Frontiers) -> Iterator[Flaw]:
    """Roles that nothing leads to; of those that only they lead to nothing is told."""
    told: set[str] = set()
    reached = " or ".join(sorted(frontiers.roles)) or "a role that is"
    for name in frontiers.graph.roles:
        if name in frontiers.roles:
            continue
        walk = walk_back(frontiers.graph, name)
        if told.isdisjoint(walk):
            way = f"only {' → '.join(walk)} leads to it" if len(walk) > 1 else "nothing leads to it"
            yield Flaw(
                "unreached_role",
                f"role {name!r} is never reached: {way}; add start({walk[0]}), or a handoff to it"
                f" from {reached}",
                walk,
            )
        told.add(name)


def walk_back(graph: "Graph", name: str) -> tuple[str, ...]:
    """A role with those it would come after, back to one that comes after none or is repeated."""
    walk = [name]
    while True:
        before = next(
            (
                source
                for edge in graph.edges
                if walk[0] in edge.target_names
                for source in sorted(edge.source_names)
                if source not in walk
            ),
            None,
        )
        if before is None:
            return tuple(walk)
        walk.insert(0, before)


def edges_untaken(frontiers: Frontiers) -> Iterator[Flaw]:
    """Joins of roles that are reached and never act in one turn."""
    for edge in frontiers.graph.edges:
        reached = edge.source_names <= frontiers.roles
        if edge.sources and reached and next(frontiers.leaving(edge), None) is None:
            names = written(edge.sources)
            yield Flaw(
                "untaken_edge",
                f"{edge} is never taken: {names} never act in one turn; a handoff to {names} lets"
                " them act beside each other",
                (names, *(role.name for role in edge.targets)),
            )


def kinds_unwritten(frontiers: Frontiers, writers: Writers) -> Iterator[Flaw]:
    """Needs that nobody in the team could meet, wherever it stands."""
    team = f"the team writes {', '.join(writers.kinds)}"
    for edge in frontiers.graph.edges:
        for need in () if edge.when is None else edge.when.needs:
            if fault := writers.missing(need):
                walk = frontiers.walk_to(edge)
                yield Flaw("unwritten_kind", f"{edge}: {fault}; {team}", walk)
        for need in needs_of(edge)[0 if edge.when is None else len(edge.when.needs) :]:
            if fault := writers.missing(need):
                role = next(role.name for role in edge.targets if role.per is need.kind)
                yield Flaw(
                    "unwritten_kind",
                    f"role {role!r} takes one strand per {need.kind.kind}, but {fault}; {team}",
                    (*frontiers.walk_to(edge), role),
                )


def ends_unreached(frontiers: Frontiers, walks: "nx.DiGraph[Node]") -> Iterator[Flaw]:
    """Frontiers from which no walk ends; of those that only they lead to nothing is told."""
    able = nx.ancestors(walks, END) if END in walks else set()
    told: set[Node] = set()
    for node in frontiers.reached:
        if node not in walks or node in able or node in told:
            continue
        told |= nx.descendants(walks, node)
        walk = frontiers.walk(node)
        after = [label(other) for other in walks.successors(node)]
        onward = (
            f", and from there only to {', '.join(after)}" if after else ", and nothing leads on"
        )
        yield Flaw(
            "no_way_to_finish",
            f"from {label(node)} no finish can be reached: start → {' → '.join(walk)}{onward}; a"
            " stop is not an end, so add a finish or a handoff towards one",
            walk,
        )
