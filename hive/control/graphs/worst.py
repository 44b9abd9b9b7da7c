"""The worst case of a handoff graph (control floor): its longest walk, and its dearest.

They are found in the product of the frontiers with what the guards count: the closed turns, and how
often a `declining` guard can still hold. Guards that count nothing may hold or not.
"""

from collections.abc import Callable, Collection, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from hive.control.graphs.algebra import Guard, Possible
from hive.control.graphs.edge import Edge
from hive.control.graphs.frontier import END, GOAL, Node, labels
from hive.control.graphs.graph import Graph
from hive.control.graphs.needs import Writers
from hive.control.graphs.opening import Opening

if TYPE_CHECKING:
    pass

__all__ = ["WorstCase", "worst_case"]

MOST_STEPS = 500_000
"""How many steps of walks are gone through before a looser bound is taken."""


class WorstCase(NamedTuple):
    """What a graph allows at most; None where nothing bounds it, which `unbounded` says why."""

    turns: int | None
    cost: int | None
    """In the unit of the prices that were given."""
    unbounded: tuple[str, ...] = ()
    exact: bool = True
    """Whether some walk comes to that, as far as the graph shows; else it is only a bound."""


Place = tuple[Node, tuple[int, ...]]
"""A frontier, and how often each counting guard can still hold."""


def worst_case(
    graph: Graph,
    price: Callable[[Edge], int] = lambda edge: 0,
    most_turns: int | None = None,
    first: int = 0,
    starts: Collection[Edge] | None = None,
) -> WorstCase:
    """The most turns that a run of a graph can take, and the most it can cost where each move has a
    price. `most_turns` is a cap beside the graph's own bounds, as a budget has; `first` says how
    many turns come before its first move, and `starts` which of its starts are open, where that is
    known.

    >>> from hive import Role
    >>> from hive.control import finish, handoff, start, turns
    >>> a, b = Role("a"), Role("b")
    >>> graph = Graph(start(a), handoff(a, b), handoff(b, a, when=~turns(4)), finish(b))
    >>> worst_case(graph, lambda edge: 10)
    WorstCase(turns=4, cost=40, unbounded=(), exact=True)
    """
    return Walking(graph, price, most_turns, first, starts).worst()


class Walking:
    """Goes through all walks of a graph at once, turn by turn."""

    def __init__(
        self,
        graph: Graph,
        price: Callable[[Edge], int],
        most_turns: int | None,
        first: int,
        starts: Collection[Edge] | None,
    ) -> None:
        opening = Opening(graph, Writers(graph))
        self.walks = opening.open_graph(opening.course)
        if starts is not None:
            self.shut(starts)
        self.stops = [e.when for e in graph.edges if e.kind == "stop" and e.when is not None]
        self.most_turns = most_turns
        self.first = first
        self.prices = {edge: price(edge) for edge in graph.edges if edge.targets}
        counting = {p.name: p.times for guard in graph.guards for p in guard.primitives if p.times}
        self.counting: Mapping[str, int] = counting
        self.uses = {edge: self.used(edge.when) for edge in graph.edges}
        known = [p.from_turn or 0 for guard in graph.guards for p in guard.primitives]
        self.settled = max([*known, most_turns or 0, first])
        """The turn from which on no guard on turns changes."""

    def shut(self, starts: Collection[Edge]) -> None:
        """Leave out the starts that are not open."""
        for to in [*self.walks.successors(GOAL)]:
            edges: tuple[Edge, ...] = self.walks.edges[GOAL, to]["edges"]
            left = tuple(edge for edge in edges if edge in starts)
            if left:
                self.walks.edges[GOAL, to]["edges"] = left
            else:
                self.walks.remove_edge(GOAL, to)

    def used(self, guard: Guard | None) -> frozenset[str]:
        """The counting guards without which a guard cannot hold."""
        if guard is None or guard.joint == "~":
            return frozenset()
        if not guard.parts:
            return frozenset({guard.name}) if guard.times else frozenset()
        one, two = (self.used(part) for part in guard.parts)
        return one | two if guard.joint == "&" else one & two

    def worst(self) -> WorstCase:
        """Walk until no walk goes on, or until one could go on for ever."""
        places: dict[Place, int] = {(GOAL, tuple(self.counting.values())): 0}
        turn, steps, dearest = self.first, 0, 0
        while not self.over(turn):
            if turn == self.settled and (cycle := self.cycle(places)):
                return WorstCase(None, None, (self.loose(cycle),), exact=False)
            steps += sum(self.walks.out_degree(node) for node, _ in places)
            if steps > MOST_STEPS:
                return self.bounded()
            after = self.step(places, turn)
            if not after:
                break
            places, turn = after, turn + 1
            dearest = max(dearest, *places.values())
        return WorstCase(turn, dearest)

    def over(self, turn: int) -> bool:
        """Whether every run has ended after so many turns."""
        capped = self.most_turns is not None and turn >= self.most_turns
        at = possible_at(turn)
        return capped or bool(turn and any(not stop.possible(at).fail for stop in self.stops))

    def step(self, places: Mapping[Place, int], turn: int) -> dict[Place, int]:
        """Where walks stand a turn later, with the most that they have cost."""
        after: dict[Place, int] = {}
        at = possible_at(turn)
        for (node, left), cost in places.items():
            for to in self.walks.successors(node):
                for edge in () if to == END else self.walks.edges[node, to]["edges"]:
                    if edge.when is not None and not edge.when.possible(at).hold:
                        continue
                    uses = self.uses[edge]
                    rest = tuple(
                        n - (name in uses) for name, n in zip(self.counting, left, strict=True)
                    )
                    if min(rest, default=0) >= 0:
                        place, total = (to, rest), cost + self.prices[edge]
                        after[place] = max(total, after.get(place, 0))
        return after

    def cycle(self, places: Mapping[Place, int]) -> list[Node]:
        """A cycle that can be gone round for ever from where walks stand; empty when none can."""
        import networkx as nx

        from hive.control.graphs.cycles import cycles

        at = possible_at(self.settled)
        left: nx.DiGraph[Node] = nx.DiGraph()
        left.add_nodes_from(node for node, _ in places)
        for one, two in self.walks.edges:
            edges: tuple[Edge, ...] = self.walks.edges[one, two]["edges"]
            if any(
                not self.uses[edge] and (edge.when is None or edge.when.possible(at).hold)
                for edge in edges
            ):
                left.add_edge(one, two)
        reached = [*left]
        found = next(cycles(left, reached), [])
        standing = {node for node, _ in places}
        if found and any(nx.has_path(self.walks, node, found[0]) for node in standing):
            return found
        return []

    def loose(self, cycle: list[Node]) -> str:
        """What ends a cycle, though nobody can say after how many turns."""
        guards = [*self.stops]
        for one, two in pairwise(cycle):
            edges: tuple[Edge, ...] = self.walks.edges[one, two]["edges"]
            guards += [edge.when for edge in edges if edge.when is not None]
        names = {
            part.name: None
            for guard in guards
            for part in guard.primitives
            if (part.eventually or part.never_again) and not (part.from_turn or part.times)
        }
        return (
            f"{' → '.join(labels(cycle))} ends by {' or '.join(names)}, which says nothing of how"
            " many turns that takes"
        )

    def bounded(self) -> WorstCase:
        """A bound without a walk that comes to it: as many of the dearest move as may be turns."""
        turns = next((turn for turn in self.thresholds() if self.over(turn)), None)
        if turns is None:
            return WorstCase(None, None, ("its guards count too far to be gone through",), False)
        return WorstCase(turns, turns * max(self.prices.values(), default=0), exact=False)

    def thresholds(self) -> list[int]:
        """The turns at which a stop may begin to hold."""
        known = {p.from_turn for stop in self.stops for p in stop.primitives if p.from_turn}
        return sorted(known | ({self.most_turns} if self.most_turns else set()))


def possible_at(turn: int) -> Callable[[Guard], Possible]:
    """What can become of a primitive guard after so many turns."""

    def judged(guard: Guard) -> Possible:
        if guard.from_turn is None:
            return Possible(True, True)
        return Possible(turn >= guard.from_turn, turn < guard.from_turn)

    return judged
