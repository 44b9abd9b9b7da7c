"""Which edges can ever open (control floor): what a guard needs must be written before it is asked.

A walk can take an edge once what the edge cannot do without may have been written by the user, or
in a turn of the walk: that of a parallel role, of a tool, of anybody who acted before. What can be
written makes edges open, and edges that open let more be written: the least fixpoint of the two.
Each need is judged by itself and negations count for nothing, so an edge that can open is never
taken for one that cannot.
"""

from collections import deque
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from hive.control.graphs.algebra import Guard, Need, Possible
from hive.control.graphs.edge import Edge
from hive.control.graphs.frontier import GOAL, Node
from hive.control.graphs.needs import Writers, needs_of

if TYPE_CHECKING:
    import networkx as nx

    from hive.control.graphs.graph import Graph

__all__ = ["Course", "Opening"]


class Course(NamedTuple):
    """Where the walks of a run get to."""

    written: dict[Node, int]
    """Each frontier that is reached, nearest first, with the needs that can be met there."""
    before: dict[Node, Node]
    """The one that each was first reached from."""

    def walk(self, node: Node) -> tuple[Node, ...]:
        """A walk to a frontier, from the goal."""
        walk = [node]
        while walk[0] in self.before:
            walk.insert(0, self.before[walk[0]])
        return tuple(walk)


class Opening:
    """Asks which edges of a graph can open when some needs are met; sets of needs are bits."""

    def __init__(self, graph: "Graph", writers: Writers) -> None:
        self.graph = graph
        needs = dict.fromkeys(need for edge in graph.edges for need in needs_of(edge))
        self.bits = {need: 1 << place for place, need in enumerate(needs)}
        self.free = sum(bit for need, bit in self.bits.items() if writers.free(need))
        self.meets: dict[str, int] = dict.fromkeys(graph.roles, 0)
        for need, bit in self.bits.items():
            for role in writers.of(need):
                self.meets[role] |= bit
        self.opens = lru_cache(maxsize=None)(self._opens)

    def met_at(self, node: Node) -> int:
        """What can be written in one turn of a frontier."""
        met = 0
        for name in node:
            met |= self.meets.get(name, 0)
        return met

    def _opens(self, edge: Edge, met: int) -> bool:
        """Whether an edge may be open where these needs are met and no others."""
        if any(
            role.per is not None and not met & self.bits[Need(role.per)] for role in edge.targets
        ):
            return False

        def judged(guard: Guard) -> Possible:
            return Possible(
                not guard.strict or all(met & self.bits[need] for need in guard.needs), True
            )

        return edge.when is None or edge.when.possible(judged).hold

    def taken(self, one: Node, two: Node, met: int) -> bool:
        """Whether a walk may go from one frontier to another where these needs are met."""
        return any(self.opens(edge, met) for edge in self.graph.digraph.edges[one, two]["edges"])

    @property
    def course(self) -> Course:
        """Where the walks of a run get to."""
        course = Course({GOAL: self.free}, {})
        queue, digraph = deque([GOAL]), self.graph.digraph
        while queue:
            at = queue.popleft()
            met = course.written[at]
            for to in digraph.successors(at):
                if not self.taken(at, to, met):
                    continue
                known = course.written.get(to)
                if known is None:
                    course.before[to] = at
                new = met | self.met_at(to) | (known or 0)
                if new != known:
                    course.written[to] = new
                    queue.append(to)
        return course

    def open_graph(self, course: Course) -> "nx.DiGraph[Node]":
        """The frontiers of a course, joined by the edges that can open at them."""
        import networkx as nx

        made: nx.DiGraph[Node] = nx.DiGraph()
        made.add_nodes_from(course.written)
        for at, met in course.written.items():
            for to in self.graph.digraph.successors(at):
                edges: tuple[Edge, ...] = self.graph.digraph.edges[at, to]["edges"]
                taken = tuple(edge for edge in edges if self.opens(edge, met))
                if taken:
                    made.add_edge(at, to, edges=taken)
        return made

    def lacks(self, edge: Edge, met: int) -> tuple[Need, ...]:
        """What keeps an edge from opening where these needs are met; none where it opens."""
        if self.opens(edge, met):
            return ()
        strict = {
            need
            for guard in (() if edge.when is None else edge.when.primitives)
            for need in guard.needs
            if guard.strict
        }
        per = {Need(role.per) for role in edge.targets if role.per is not None}
        return tuple(n for n in needs_of(edge) if n in strict | per and not met & self.bits[n])
