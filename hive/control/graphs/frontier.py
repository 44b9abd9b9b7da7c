"""The frontiers of a handoff graph (control floor): the sets of roles that can act in one turn.

Parallel moves and joins are judged by what can happen and not by single roles. networkx is imported
where it is used, so that the door of this floor opens without it.
"""

from collections.abc import Collection, Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from hive.control.graphs.edge import Edge

if TYPE_CHECKING:
    import networkx as nx

    from hive.control.graphs.graph import Graph

__all__ = ["END", "GOAL", "Frontiers", "Node", "build", "label", "labels", "named"]

Node = tuple[str, ...]
"""A frontier: the names of its roles, in the order of the move that leads to it."""

GOAL: Node = ()
"""Where every run begins."""

END: Node = ("",)
"""Where every finish leads; no role has an empty name."""


def build(graph: "Graph") -> "nx.DiGraph[Node]":
    """The frontiers of a graph, from GOAL to END; an arc's `edges` are those that lead along it.

    Frontiers that no walk reaches are in it too.
    """
    import networkx as nx

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


class Frontiers:
    """The frontiers that some walk reaches, whatever the guards say."""

    def __init__(self, graph: "Graph") -> None:
        import networkx as nx

        self.graph = graph
        self.digraph = graph.digraph
        self.walks: dict[Node, list[Node]] = nx.single_source_shortest_path(self.digraph, GOAL)
        """A shortest walk to each, nearest first; to GOAL and END too."""
        self.reached = [node for node in self.walks if node not in (GOAL, END)]

    @cached_property
    def roles(self) -> frozenset[str]:
        """The roles that are reached."""
        return frozenset(self._standing)

    @cached_property
    def _standing(self) -> dict[str, list[Node]]:
        places: dict[str, list[Node]] = {}
        for node in self.reached:
            for name in node:
                places.setdefault(name, []).append(node)
        return places

    def leaving(self, edge: Edge) -> Iterator[Node]:
        """The frontiers that an edge leaves from, nearest first; a stop leaves from all."""
        if edge.kind == "start":
            yield GOAL
            return
        among = [self._standing.get(name, []) for name in edge.source_names]
        for node in min(among, key=len, default=self.reached):
            if edge.source_names.issubset(node):
                yield node

    def walk(self, node: Node) -> tuple[str, ...]:
        """A shortest walk to a frontier, as a person reads it."""
        return labels(self.walks[node])

    def walk_to(self, edge: Edge) -> tuple[str, ...]:
        """A shortest walk to a frontier that an edge leaves from; none for a stop."""
        nearest = next(self.leaving(edge), None) if edge.sources else None
        return () if nearest is None else self.walk(nearest)


def label(node: Node) -> str:
    """A frontier as a person reads it: `a`, `(b, c)`, `finish`."""
    if node == END:
        return "finish"
    return node[0] if len(node) == 1 else f"({', '.join(node)})"


def labels(nodes: Collection[Node]) -> tuple[str, ...]:
    """A walk as a person reads it, without the goal that it begins with."""
    return tuple(label(node) for node in nodes if node != GOAL)


def named(label: str) -> frozenset[str]:
    """The roles that a label names; those of END for the finish."""
    return frozenset(END if label == "finish" else label.strip("()").split(", "))
