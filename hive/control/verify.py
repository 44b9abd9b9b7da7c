"""The verification of handoff graphs (control floor): what cannot work is refused when written.

It stands on the graph of frontiers: its nodes are the sets of roles that can act in one turn, so
parallel moves and joins are judged by what can happen and not by single roles. A cycle of it is
bounded when some stop must hold at last, or when every way round passes a handoff that must at last
be closed for good: what is left without those handoffs has no cycle.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import networkx as nx

from hive.board.contributions import Answer, Attachment, Goal, Question
from hive.board.state import Tally
from hive.control.algebra import Guard, Need
from hive.control.edge import Edge, written
from hive.errors import GraphError
from hive.role import Role

if TYPE_CHECKING:
    from hive.control.graph import Graph

__all__ = ["END", "GOAL", "Flaw", "Node", "build", "check_edges", "flaws", "verify"]

Node = tuple[str, ...]
"""A frontier: the names of its roles, in the order of the move that leads to it."""

GOAL: Node = ()
"""Where every run begins."""

END: Node = ("",)
"""Where every finish leads; no role has an empty name."""

ANYWHERE = frozenset({Goal.kind, Attachment.kind, Question.kind, Answer.kind})
"""Kinds that are posted in any team: by the user, and by whoever asks."""


class Flaw(NamedTuple):
    """Something that keeps a graph from being run, with the walk of roles that proves it."""

    message: str
    path: tuple[str, ...] = ()


def verify(graph: "Graph") -> None:
    """Raise GraphError for the first flaw of a graph."""
    for flaw in flaws(graph):
        raise GraphError(flaw.message, flaw.path)


def flaws(graph: "Graph") -> Iterator[Flaw]:
    """What is wrong with a graph; each check supposes that those before it found nothing."""
    yield from ends_missing(graph)
    yield from edges_doubled(graph.edges)
    yield from tallies_doubled(graph.guards)
    yield from roles_unreached(graph)
    yield from edges_untaken(graph)
    yield from kinds_unwritten(graph)
    yield from ends_unreached(graph)
    yield from cycles_unbounded(graph)


def check_edges(edges: Sequence[object]) -> None:
    """Raise GraphError for what is no graph at all: things that are no edges, or two roles with one
    name."""
    roles: dict[str, Role] = {}
    for edge in edges:
        if not isinstance(edge, Edge):
            raise GraphError(
                f"Graph(… {edge!r} …): not an edge; a graph is made of start(…), handoff(…),"
                " finish(…) and stop(…)"
            )
        for role in (*edge.sources, *edge.targets):
            if roles.setdefault(role.name, role) != role:
                raise GraphError(
                    f"two different roles are named {role.name!r}; name one of them otherwise, or"
                    " use the same value in every edge",
                    [role.name],
                )


def build(graph: "Graph") -> "nx.DiGraph[Node]":
    """The frontiers of a graph, from GOAL to END; an arc's `edges` are those that lead along it.

    Frontiers that no walk reaches are in it too.
    """
    made: nx.DiGraph[Node] = nx.DiGraph()
    made.add_node(GOAL)
    names = {frozenset(GOAL): GOAL}
    for edge in graph.edges:
        if edge.targets:
            node = tuple(role.name for role in edge.targets)
            made.add_node(names.setdefault(edge.target_names, node))
    for at, node in names.items():
        for edge in graph.leaving(at):
            join(made, node, names[edge.target_names], edge)
        for edge in graph.ending(at):
            if edge.kind == "finish":
                join(made, node, END, edge)
    return made


def join(made: "nx.DiGraph[Node]", one: Node, two: Node, edge: Edge) -> None:
    known = made.edges[one, two]["edges"] if made.has_edge(one, two) else ()
    made.add_edge(one, two, edges=(*known, edge))


def ends_missing(graph: "Graph") -> Iterator[Flaw]:
    kinds = {edge.kind for edge in graph.edges}
    if "start" not in kinds:
        yield Flaw("the graph has no start; add start(role) for whoever may act first")
    if "finish" not in kinds:
        yield Flaw(
            "the graph has no finish, and a stop is not an end: a run could only break off; add"
            " finish(role) or finish(role, when=…) for whoever completes the work"
        )


def edges_doubled(edges: Sequence[Edge]) -> Iterator[Flaw]:
    seen: set[tuple[object, ...]] = set()
    for edge in edges:
        own = str(edge.when) if edge.kind == "stop" else edge.samples
        key = (edge.kind, edge.source_names, edge.target_names, own)
        if key in seen:
            path = tuple(role.name for role in (*edge.sources, *edge.targets))
            yield Flaw(f"{edge} joins what another edge joins already; use one, with a | b", path)
        seen.add(key)


def tallies_doubled(guards: Iterable[Guard]) -> Iterator[Flaw]:
    seen: dict[str, Tally] = {}
    for guard in guards:
        for tally in guard.tallies:
            if seen.setdefault(tally.name, tally) != tally:
                yield Flaw(
                    f"guard {guard}: another guard has a different tally named {tally.name!r};"
                    " name one of them otherwise"
                )


def roles_unreached(graph: "Graph") -> Iterator[Flaw]:
    reached = reachable(graph)
    roles = {name for node in reached for name in node}
    for name in graph.roles:
        if name not in roles:
            walk = walk_back(graph, name)
            way = f"only {' → '.join(walk)} leads to it" if len(walk) > 1 else "nothing leads to it"
            yield Flaw(
                f"role {name!r} is never reached: {way}; add start({walk[0]}), or a handoff to it"
                f" from {' or '.join(sorted(roles)) or 'a role that is'}",
                walk,
            )


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


def edges_untaken(graph: "Graph") -> Iterator[Flaw]:
    """Joins of roles that never act in one turn."""
    frontiers = [frozenset(node) for node in reachable(graph)]
    for edge in graph.edges:
        if edge.sources and not any(edge.source_names <= at for at in frontiers):
            names = written(edge.sources)
            yield Flaw(
                f"{edge} is never taken: {names} never act in one turn; a handoff to {names} lets"
                " them act beside each other",
                (names, *(role.name for role in edge.targets)),
            )


def kinds_unwritten(graph: "Graph") -> Iterator[Flaw]:
    everyone = sorted(frozenset().union(*(role.kinds_written for role in graph.roles.values())))
    for edge in graph.edges:
        for need in () if edge.when is None else edge.when.needs:
            fault = unwritten(graph, need)
            if fault:
                yield Flaw(
                    f"{edge}: {fault}; the team writes {', '.join(everyone)}", walk_to(graph, edge)
                )
        for role in edge.targets:
            if role.per is not None and (fault := unwritten(graph, Need(role.per))):
                yield Flaw(
                    f"role {role.name!r} takes one strand per {role.per.kind}, but {fault}; the"
                    f" team writes {', '.join(everyone)}",
                    (*walk_to(graph, edge), role.name),
                )


def unwritten(graph: "Graph", need: Need) -> str:
    """Why what a guard needs can never be on the board; "" when it can."""
    kind, author = need.kind.kind, need.author
    if author == "user" or need.kind.level == "control" or kind in ANYWHERE:
        return ""
    tools = {
        f"tool:{tool.name}"
        for role in graph.roles.values()
        for tool in role.tools
        if any(cls.kind == kind for cls in tool.posts)
    }
    writers = {role.name for role in graph.roles.values() if kind in own_kinds(role)}
    if author in tools | writers or (author is None and tools | writers):
        return ""
    if author is None:
        return f"no role and no tool writes {kind}"
    who = f"role {author!r}" if author in graph.roles else f"{author!r}, who is no role,"
    others = f"; {', '.join(sorted(tools | writers))} would" if tools | writers else ""
    return f"{who} does not write {kind}{others}"


def own_kinds(role: Role) -> frozenset[str]:
    """The kinds of which a role itself, and not one of its tools, is the author."""
    return frozenset(part.kind for cls in role.writes for part in (cls, *cls.unfolds))


def ends_unreached(graph: "Graph") -> Iterator[Flaw]:
    able = nx.ancestors(graph.digraph, END)
    for node in reachable(graph):
        if node not in able:
            walk = labels(nx.shortest_path(graph.digraph, GOAL, node))
            yield Flaw(
                f"from {label(node)} no finish can be reached: start → {' → '.join(walk)}"
                f"{onward(graph, node)}; a stop is not an end, so add a finish or a handoff"
                " towards one",
                walk,
            )


def onward(graph: "Graph", node: Node) -> str:
    after = [label(other) for other in graph.digraph.successors(node)]
    return f", and from there only to {', '.join(after)}" if after else ", and nothing leads on"


def cycles_unbounded(graph: "Graph") -> Iterator[Flaw]:
    stops = [edge.when for edge in graph.edges if edge.kind == "stop" and edge.when is not None]
    if any(guard.eventually for guard in stops):
        return
    reached = reachable(graph)
    left = nx.subgraph_view(
        graph.digraph.subgraph(reached), filter_edge=lambda one, two: stays_open(graph, one, two)
    )
    cycle = first_cycle(left, reached)
    if cycle:
        walk = labels(cycle)
        yield Flaw(
            f"{' → '.join(walk)} can go round for ever: no stop must hold at last, and none of its"
            " handoffs must at last be closed; give the graph stop(when=turns(40)), or one of the"
            f" handoffs when=~turns(20){loose_ends(graph, cycle, stops)}",
            walk,
        )


def stays_open(graph: "Graph", one: Node, two: Node) -> bool:
    """Whether an arc can be taken any number of times."""
    edges: tuple[Edge, ...] = graph.digraph.edges[one, two]["edges"]
    return any(edge.when is None or not edge.when.never_again for edge in edges)


def first_cycle(graph: "nx.DiGraph[Node]", order: Iterable[Node]) -> list[Node]:
    """The shortest cycle through the first node that is on one, ending where it began."""
    cyclic = {
        node
        for part in nx.strongly_connected_components(graph)
        for node in part
        if len(part) > 1 or graph.has_edge(node, node)
    }
    for node in order:
        if node in cyclic:
            back = [
                nx.shortest_path(graph, after, node)
                for after in graph.successors(node)
                if nx.has_path(graph, after, node)
            ]
            return [node, *min(back, key=len)]
    return []


def loose_ends(graph: "Graph", cycle: Sequence[Node], stops: Iterable[Guard]) -> str:
    """What stands on a cycle and bounds nothing, with the reason."""
    guards = list(stops)
    for one, two in pairwise(cycle):
        edges: tuple[Edge, ...] = graph.digraph.edges[one, two]["edges"]
        guards += [edge.when for edge in edges if edge.when is not None]
    parts = {part.name: part.loose for guard in guards for part in guard.primitives}
    said = [f"{name}, for {loose}" for name, loose in parts.items() if loose]
    return f". Not enough: {'; '.join(said)}" if said else ""


def reachable(graph: "Graph") -> list[Node]:
    """The frontiers that some walk reaches, nearest first; neither GOAL nor END is one."""
    nodes = nx.single_source_shortest_path_length(graph.digraph, GOAL)
    return [node for node in nodes if node not in (GOAL, END)]


def walk_to(graph: "Graph", edge: Edge) -> tuple[str, ...]:
    """A shortest walk to a frontier that an edge leaves from."""
    for node in reachable(graph) if edge.sources else ():
        if edge.source_names <= frozenset(node):
            return labels(nx.shortest_path(graph.digraph, GOAL, node))
    return ()


def label(node: Node) -> str:
    if node == END:
        return "finish"
    return node[0] if len(node) == 1 else f"({', '.join(node)})"


def labels(nodes: Collection[Node]) -> tuple[str, ...]:
    return tuple(label(node) for node in nodes if node != GOAL)
