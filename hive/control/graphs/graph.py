"""The handoff graph (control floor): who may act after whom, when a run is finished, when it stops.

    graph = Graph(
        start(planner), handoff(planner, (researcher, coder)),
        handoff((researcher, coder), reviewer),
        handoff(reviewer, coder, when=rejected & ~turns(20)),
        finish(reviewer, when=approved), stop(when=turns(40)),
    )

A graph's position is the frontier: the set of roles that acted in the last closed turn. An edge is
enabled where all its sources stand in the frontier and its guard holds. networkx is imported when a
graph is checked and not before, so that `import hive` stays quick.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from hive.board.contributions import Task, TaskChange
from hive.board.payload import Payload
from hive.board.records import Fault, Outcome, Reason
from hive.board.state import State, Tally
from hive.board.tasks import is_met
from hive.control.graphs.algebra import Guard
from hive.control.graphs.edge import Edge, finish, handoff, start, stop
from hive.control.graphs.move import Line, Move
from hive.control.guards.guard import failed, has_failed
from hive.control.patterns.plan import urgent_first
from hive.control.patterns.planrule import PlanRule
from hive.errors import DeclarationError, GraphError
from hive.role import Chain, Role

if TYPE_CHECKING:
    from networkx import DiGraph

    from hive.control.graphs.rule import Rule

__all__ = ["MOST_STRANDS", "Ending", "Graph", "chain_graph"]

MOST_STRANDS = 16
"""How many strands a move has at most when nothing else is said."""


class Ending(NamedTuple):
    """Why a run is over: what its Termination will say."""

    outcome: Outcome
    reason: Reason
    guard: str
    """The guard that held, as it reads; "" where none was needed."""
    message: str


@dataclass(frozen=True, init=False, repr=False)
class Graph:
    """Who may act after whom; a frozen value that is checked when it is made.

    Raises GraphError, with the walk that proves it, for a role that nothing leads to or that no
    finish can be reached from, for a cycle that nothing bounds, and for what `verify` lists beside.
    """

    edges: tuple[Edge, ...]
    rules: tuple["Rule", ...]
    """What it promises beside: whose turn comes before what."""
    plan_rule: PlanRule | None
    """What becomes of tasks that fail."""
    roles: Mapping[str, Role] = field(compare=False)
    """Name to role, in the order of first mention."""
    _sources: Mapping[str, tuple[int, ...]] = field(compare=False)
    _leaving: dict[frozenset[str], tuple[Edge, ...]] = field(compare=False)
    _ending: dict[frozenset[str], tuple[Edge, ...]] = field(compare=False)

    def __init__(self, *parts: "Edge | Rule | PlanRule") -> None:
        from hive.control.graphs.verify import parted, verify

        edges, rules = parted([part for part in parts if not isinstance(part, PlanRule)])
        roles = {role.name: role for edge in edges for role in (*edge.sources, *edge.targets)}
        values = {
            "edges": edges,
            "rules": rules,
            "plan_rule": plan_rule_of(parts),
            "roles": MappingProxyType(roles),
            "_sources": sources_of(edges),
            "_leaving": {},
            "_ending": {},
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)
        verify(self)

    def __repr__(self) -> str:
        return f"Graph({', '.join(map(str, self.parts))})"

    @property
    def parts(self) -> "tuple[Edge | Rule | PlanRule, ...]":
        """All that it was made of: its edges, and its rules."""
        return (*self.edges, *self.rules, *([self.plan_rule] if self.plan_rule else []))

    @cached_property
    def guards(self) -> tuple[Guard, ...]:
        """The guards on its edges, each once."""
        return tuple({e.when.name: e.when for e in self.edges if e.when is not None}.values())

    @cached_property
    def tallies(self) -> tuple[Tally, ...]:
        """What its guards must remember, each once; the fold of the run needs them."""
        return tuple({t.name: t for guard in self.guards for t in guard.tallies}.values())

    @cached_property
    def kinds(self) -> tuple[type[Payload], ...]:
        """Every payload class that its roles, their tools and its guards name, each once."""
        classes: dict[type[Payload], None] = {}
        for role in self.roles.values():
            classes |= dict.fromkeys(classes_of(role))
        if self.plan_rule is not None:
            classes |= dict.fromkeys((Task, TaskChange))
        classes |= dict.fromkeys(need.kind for guard in self.guards for need in guard.needs)
        return tuple(classes)

    @cached_property
    def digraph(self) -> "DiGraph[tuple[str, ...]]":
        """Its frontiers as a networkx graph; see `hive.control.graphs.frontier`."""
        from hive.control.graphs.frontier import build

        return build(self)

    def with_instructions(self, texts: Mapping[str, str]) -> "Graph":
        """The same graph with other instructions for some roles, by name. Raises DeclarationError
        for a name that no role has."""
        unknown = sorted(texts.keys() - self.roles.keys())
        if unknown:
            raise DeclarationError(
                f"no role is named {unknown[0]!r}; there are {', '.join(self.roles)}"
            )

        def told(roles: tuple[Role, ...]) -> tuple[Role, ...]:
            return tuple(
                role.with_(instructions=texts[role.name]) if role.name in texts else role
                for role in roles
            )

        return Graph(
            *(replace(e, sources=told(e.sources), targets=told(e.targets)) for e in self.edges),
            *self.parts[len(self.edges) :],
        )

    def candidates(self, state: State, max_strands: int = MOST_STRANDS) -> tuple[Move, ...]:
        """The moves allowed now, in the order in which their edges are written.

        A `per` role gets one strand for each entry that waits for it, the oldest first, as many as
        `max_strands` leaves room for; where none waits there is no such move. Of tasks those wait
        whose needs are settled; where there are more than fit, those on which the longest chain of
        others waits are taken first. Moves that would be
        the same, from several roles of the frontier, are given once.
        """
        moves: dict[frozenset[Line], Move] = {}
        for edge in self.leaving(frozenset(state.frontier)):
            if edge.when is None or edge.when.test(state):
                lines = edge.lines or waiting_lines(edge, state, max_strands)
                if lines:
                    moves.setdefault(frozenset(lines), Move(lines, edge.text))
        return tuple(moves.values())

    def termination(self, state: State) -> Ending | None:
        """Whether the run is over: a finish first, then a stop, else None.

        A finish counts only for a role whose work in the last turn did not end in a fault.
        """
        for edge in self.ending(frozenset(state.frontier)):
            if edge.when is not None and not edge.when.test(state):
                continue
            if edge.kind == "stop":
                return stopped(edge, state)
            if not any(has_failed(state, role.name) for role in edge.sources):
                return finished(edge, state)
        return None

    def leaving(self, at: frozenset[str]) -> tuple[Edge, ...]:
        """The edges that a frontier can leave by, whatever their guards: starts from the empty one.

        Remembered for each frontier, because every turn asks; a graph has only so many.
        """
        known = self._leaving.get(at)
        if known is None:
            if at:
                known = tuple(edge for edge in self._from(at) if edge.kind == "handoff")
            else:
                known = tuple(edge for edge in self.edges if edge.kind == "start")
            self._leaving[at] = known
        return known

    def ending(self, at: frozenset[str]) -> tuple[Edge, ...]:
        """The edges that can end a run at a frontier, whatever their guards: finishes first."""
        known = self._ending.get(at)
        if known is None:
            finishes = [edge for edge in self._from(at) if edge.kind == "finish"]
            stops = [edge for edge in self.edges if edge.kind == "stop"]
            known = self._ending[at] = (*finishes, *stops)
        return known

    def _from(self, at: frozenset[str]) -> list[Edge]:
        """The edges all of whose sources stand in a frontier, in the order of writing."""
        places = sorted({place for name in at for place in self._sources.get(name, ())})
        return [self.edges[place] for place in places if self.edges[place].source_names <= at]

    def no_candidate(self, state: State) -> Ending:
        """The honest end of a run in which no move is allowed, with what each edge lacked."""
        at = frozenset(state.frontier)
        where = " and ".join(state.frontier) or "the goal"
        edges = [*self.leaving(at), *(edge for edge in self.ending(at) if edge.kind == "finish")]
        missing = [f"{edge.text} ({missing_for(edge, state)})" for edge in edges]
        missing = missing or ["no edge leaves from there"]
        said = "; ".join([*missing, *failures_of(state)])
        return Ending("stopped", "no_candidate", "", f"after {where} no move was allowed: {said}")


def plan_rule_of(parts: Sequence[object]) -> PlanRule | None:
    """The rule for failed tasks among the parts of a graph. Raises GraphError for two."""
    rules = [part for part in parts if isinstance(part, PlanRule)]
    if len(rules) > 1:
        raise GraphError(f"{rules[0]} and {rules[1]}: a graph has one rule for failed tasks")
    return rules[0] if rules else None


def sources_of(edges: Sequence[Edge]) -> dict[str, tuple[int, ...]]:
    """Role to the places of the edges that it is a source of."""
    places: dict[str, tuple[int, ...]] = {}
    for place, edge in enumerate(edges):
        for name in edge.source_names:
            places[name] = (*places.get(name, ()), place)
    return places


def classes_of(role: Role) -> Iterator[type[Payload]]:
    """Every payload class that a role names."""
    for cls in role.writes:
        yield cls
        yield from cls.unfolds
    yield from role.reads or ()
    if role.per is not None:
        yield role.per
    for tool in role.tools:
        yield from tool.posts


def waiting_lines(edge: Edge, state: State, most: int) -> tuple[Line, ...]:
    """The strands of a move that takes waiting entries; none unless each such role has some."""
    waiting = {role.name: state.ready(role.name) for role in edge.targets if role.per}
    if not all(waiting.values()):
        return ()
    taken = dict.fromkeys(waiting, 1)
    room = most // edge.samples - len(edge.targets)
    while room > 0 and any(taken[role] < len(refs) for role, refs in waiting.items()):
        for role, refs in waiting.items():
            if room > 0 and taken[role] < len(refs):
                taken[role] += 1
                room -= 1
    lines: list[Line] = []
    for target in edge.targets:
        causes: tuple[str | None, ...] = (None,)
        if target.per:
            refs, fit = waiting[target.name], taken[target.name]
            causes = tuple(refs if len(refs) <= fit else urgent_first(refs, state.plan)[:fit])
        lines += [
            Line(target.name, cause, sample, edge.samples)
            for cause in causes
            for sample in range(edge.samples)
        ]
    return tuple(lines)


def finished(edge: Edge, state: State) -> Ending:
    name = "" if edge.when is None else edge.when.witness(state).name
    who = " and ".join(role.name for role in edge.sources)
    held = f", and {name} holds" if name else ""
    return Ending("finished", "goal_reached", name, f"{who} acted in turn {state.turn}{held}")


def stopped(edge: Edge, state: State) -> Ending:
    assert edge.when is not None
    witness = edge.when.witness(state)
    message = f"{witness.name} held after turn {state.turn} ({witness.report(state)})"
    return Ending("stopped", edge.when.reason_in(state), witness.name, message)


def missing_for(edge: Edge, state: State) -> str:
    """Why an edge was not taken: the values of its guards, or the entries that do not wait."""
    if edge.when is not None and not edge.when.test(state):
        return edge.when.report(state)
    idle = [role for role in edge.targets if role.per and not state.ready(role.name)]
    if idle:
        return ", ".join(nothing_for(role, state) for role in idle)
    return "its role failed" if edge.kind == "finish" else "it was open"


def nothing_for(role: Role, state: State) -> str:
    """Why a `per` role has nothing to take up."""
    assert role.per is not None
    if not state.waiting(role.name):
        return f"no {role.per.kind} waits for {role.name}"
    held = {
        known.reference: (id, known)
        for id, known in state.plan.items()
        if known.reference in state.waiting(role.name)
    }
    told = []
    for id, known in held.values():
        needs = [need for need in known.needs if not is_met(need, state.plan)]
        needed = " and ".join(f"{need}, which is {state.plan[need].status}" for need in needs)
        told.append(f"{id} waits for {needed}" if needs else f"{id} has {known.status}")
    return "; ".join(told)


def failures_of(state: State) -> Iterator[str]:
    """Why roles of the last turn failed, in the words of their faults."""
    for role in state.frontier:
        fault = state.newest.get(f"{role}/{Fault.kind}")
        if has_failed(state, role) and fault is not None and isinstance(fault.payload, Fault):
            yield f"{role} failed: {fault.payload.message}"


def chain_graph(chain: Chain, bounds: Guard | None = None) -> Graph:
    """The graph of roles that hand on in order: `writer >> critic`. The last one's work is the end,
    and one that fails hands nothing on.

    `bounds` becomes a stop. Raises DeclarationError when a role stands twice in the chain.
    """
    roles = chain.roles
    if not roles:
        raise DeclarationError("a chain of no roles; give at least one")
    for role in roles:
        if roles.count(role) > 1:
            raise DeclarationError(
                f"role {role.name!r} stands twice in {' >> '.join(r.name for r in roles)}; a chain"
                " is a line, and a way back needs a Graph with a guard that bounds it"
            )
    edges = [start(roles[0])]
    edges += [handoff(one, two, when=~failed(one)) for one, two in pairwise(roles)]
    edges.append(finish(roles[-1]))
    return Graph(*edges, *([] if bounds is None else [stop(when=bounds)]))
