"""Cycles that nothing bounds (control floor).

A cycle of frontiers is bounded when some stop must hold at last, or when every way round passes a
handoff that must at last be closed for good: what is left without those handoffs has no cycle.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import networkx as nx

from hive.control.graphs.algebra import Guard
from hive.control.graphs.edge import Edge
from hive.control.graphs.frontier import Frontiers, Node, labels
from hive.errors import Flaw

__all__ = ["cycles_unbounded"]


def cycles_unbounded(frontiers: Frontiers, walks: "nx.DiGraph[Node]") -> Iterator[Flaw]:
    """One cycle of each strongly connected part of what can be walked any number of times."""
    edges = frontiers.graph.edges
    stops = [edge.when for edge in edges if edge.kind == "stop" and edge.when is not None]
    if any(guard.eventually for guard in stops):
        return
    left = nx.subgraph_view(
        walks.subgraph(frontiers.reached),
        filter_edge=lambda one, two: stays_open(walks.edges[one, two]["edges"]),
    )
    for cycle in cycles(left, frontiers.reached):
        walk = labels(cycle)
        yield Flaw(
            "unbounded_cycle",
            f"{' → '.join(walk)} can go round for ever: no stop must hold at last, and none of its"
            " handoffs must at last be closed; give the graph stop(when=turns(40)), or one of the"
            f" handoffs when=~turns(20){loose_ends(walks, cycle, stops)}",
            walk,
        )


def stays_open(edges: Iterable[Edge]) -> bool:
    """Whether one of the edges of an arc can be taken any number of times."""
    return any(edge.when is None or not edge.when.never_again for edge in edges)


def cycles(graph: "nx.DiGraph[Node]", order: Iterable[Node]) -> Iterator[list[Node]]:
    """Of each strongly connected part the shortest cycle through its first node, ending where it
    began."""
    part_of = {
        node: part
        for part in map(frozenset, nx.strongly_connected_components(graph))
        for node in part
        if len(part) > 1 or graph.has_edge(node, node)
    }
    told: set[frozenset[Node]] = set()
    for node in order:
        part = part_of.get(node)
        if part is not None and part not in told:
            told.add(part)
            back = dict(nx.single_target_shortest_path(graph.subgraph(part), node))
            yield [node, *min((back[n] for n in graph.successors(node) if n in back), key=len)]


def loose_ends(walks: "nx.DiGraph[Node]", cycle: Sequence[Node], stops: Iterable[Guard]) -> str:
    """What stands on a cycle and bounds nothing, with the reason."""
    guards = list(stops)
    for one, two in pairwise(cycle):
        edges: tuple[Edge, ...] = walks.edges[one, two]["edges"]
        guards += [edge.when for edge in edges if edge.when is not None]
    parts = {part.name: part.loose for guard in guards for part in guard.primitives}
    said = [f"{name}, for {loose}" for name, loose in parts.items() if loose]
    return f". Not enough: {'; '.join(said)}" if said else ""
