"""What can come after some moves (control floor): who acts when at the earliest, and a shortest way
to a finish."""

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from hive.control.graphs.edge import Edge
from hive.control.graphs.frontier import END, Node, label
from hive.control.graphs.move import Move
from hive.control.graphs.needs import Writers
from hive.control.graphs.opening import Opening

if TYPE_CHECKING:
    from hive.control.graphs.graph import Graph

__all__ = ["Ahead", "Step"]


class Step(NamedTuple):
    """A turn of a walk: who acts, each in so many independent strands."""

    roles: Node
    samples: int

    def __str__(self) -> str:
        return label(self.roles) + (f" ×{self.samples}" if self.samples > 1 else "")


class Ahead:
    """Goes through the walks of a graph from where some moves lead, by the edges that can open."""

    def __init__(self, graph: "Graph", moves: Sequence[Move]) -> None:
        """`moves` may be made next, the likeliest first."""
        opening = Opening(graph, Writers(graph))
        self.moves = moves
        self.walks = opening.open_graph(opening.course)
        known = {frozenset(node): node for node in self.walks}
        self.first: dict[Node, int] = {}
        """Where the moves lead, with how many strands of each role the likeliest opens."""
        for move in moves:
            samples = max(line.samples for line in move.strands)
            self.first.setdefault(known[frozenset(move.roles)], samples)
        self.turn: dict[Node, int] = dict.fromkeys(self.first, 1)
        """The first turn of each frontier, the nearest in front."""
        self.before: dict[Node, Node] = {}
        queue = deque(self.turn)
        while queue:
            node = queue.popleft()
            for after in self.walks.successors(node):
                if after not in self.turn:
                    self.turn[after] = self.turn[node] + 1
                    self.before[after] = node
                    queue.append(after)

    def turns(self) -> dict[str, int]:
        """Role to the first turn in which it can act, the nearest first; the moves are turn 1."""
        turns: dict[str, int] = {}
        for node, turn in self.turn.items():
            for name in () if node == END else node:
                turns.setdefault(name, turn)
        return turns

    def choice(self) -> int | None:
        """The first turn in which there can be several moves; None where there is none."""
        if len(self.moves) > 1:
            return 1
        several = (
            turn + 1
            for node, turn in self.turn.items()
            if sum(len(self.edges(node, to)) for to in self.walks.successors(node) if to != END) > 1
        )
        return next(several, None)

    def samples(self) -> dict[str, int]:
        """Role to the most strands of it beside each other that one entry, or none, opens."""
        most: dict[str, int] = {}
        for node in self.turn:
            arcs = [self.edges(at, node) for at in self.walks.predecessors(node) if at in self.turn]
            opened = [self.first.get(node, 1), *(edge.samples for arc in arcs for edge in arc)]
            for name in node:
                most[name] = max(most.get(name, 1), *opened)
        return most

    def way(self) -> list[Step]:
        """A shortest way to a finish, turn by turn; empty where there is none."""
        way: list[Step] = []
        at = self.before.get(END)
        while at is not None:
            back = self.before.get(at)
            opened = [self.first[at]] if back is None else [e.samples for e in self.edges(back, at)]
            way.insert(0, Step(at, min(opened)))
            at = back
        return way

    def edges(self, one: Node, two: Node) -> tuple[Edge, ...]:
        """The edges that lead from one frontier to another and can open."""
        edges: tuple[Edge, ...] = self.walks.edges[one, two]["edges"]
        return edges
