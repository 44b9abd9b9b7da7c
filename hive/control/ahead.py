"""What can come after some moves (control floor): who acts when at the earliest, and a shortest way
to a finish."""

from collections import deque
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from hive.control.frontier import END, Node
from hive.control.needs import Writers
from hive.control.opening import Opening

if TYPE_CHECKING:
    from hive.control.graph import Graph

__all__ = ["Ahead"]


class Ahead:
    """Goes through the walks of a graph from where some moves lead, by the edges that can open."""

    def __init__(self, graph: "Graph", moves: Sequence[Collection[str]]) -> None:
        """`moves` are the roles of each, the likeliest move first."""
        opening = Opening(graph, Writers(graph))
        self.walks = opening.open_graph(opening.course)
        known = {frozenset(node): node for node in self.walks}
        first: list[Node] = [known[frozenset(roles)] for roles in moves]
        self.turn: dict[Node, int] = dict.fromkeys(first, 1)
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

    def way(self) -> list[Node]:
        """A shortest way to a finish, turn by turn; empty where there is none."""
        way: list[Node] = []
        at = self.before.get(END)
        while at is not None:
            way.insert(0, at)
            at = self.before.get(at)
        return way
