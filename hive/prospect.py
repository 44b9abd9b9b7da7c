"""What a workflow would do with a goal (floor 6), as far as that can be told before it begins.

Nothing is posted and nobody is asked: the state is that of a run after its goal.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from hive.beginning import board_for
from hive.board.board import USER
from hive.board.contributions import Goal
from hive.board.entry import Address
from hive.board.records import Complexity
from hive.board.state import State
from hive.control.ahead import Ahead
from hive.control.allocation import Allocation
from hive.control.allotment import Allotment
from hive.control.figures import Figure, rows_for
from hive.control.frontier import Node, labels
from hive.control.move import Line, Move
from hive.control.policy import Situation
from hive.decider import Decider
from hive.forecast import Forecast, forecast
from hive.role import Role

if TYPE_CHECKING:
    from hive.workflow import Workflow

__all__ = ["First", "Prospect", "Seated", "prospect"]

NANO = 10**9


class First(NamedTuple):
    """A move that is allowed at the beginning, and how likely it is made; None where somebody is
    asked before that is decided."""

    move: Move
    probability: float | None


class Seated(NamedTuple):
    """A role that can act from here, the first turn in which it can, and what it may get: keys of
    models with their probabilities; nothing for a program and a person."""

    role: Role
    turn: int
    models: tuple[Allocation, ...]


class Prospect(NamedTuple):
    """What a workflow would do with a goal."""

    complexity: Complexity
    allotted: Allotment
    strands: int
    """Most strands of a turn for entries that wait, within the limits."""
    assessor: str | None
    """Who is asked first how hard the work is, and may say otherwise."""
    first: tuple[First, ...]
    """What is allowed first; where nothing is, `lacking` says why."""
    lacking: str
    seated: tuple[Seated, ...]
    """Who can act from here, the nearest first."""
    unreached: tuple[str, ...]
    """Roles that cannot act from here."""
    way: tuple[str, ...]
    """A shortest way to a finish, turn by turn; empty where there is none from here."""
    by_figures: int | None
    """What one strand of each role on that way is expected to cost by the figures of the allocator,
    in nano-dollars; None where these do not say it."""
    at_most: Forecast
    names: Mapping[str, str]
    """The names of the models, by key."""


def prospect(workflow: "Workflow", goal: str) -> Prospect:
    """What a workflow would do with a goal. Raises UnknownModel, and what a user's estimator or
    allocator raises."""
    return Looking(workflow, goal).prospect()


class Looking:
    """Asks the parts of a workflow what they would say at the beginning of a run."""

    def __init__(self, workflow: "Workflow", goal: str) -> None:
        self.workflow = workflow
        self.goal = goal
        self.team = workflow.silent_team()
        board = board_for(workflow)
        board.post(Address(0, "", (1,)), USER, Goal(text=goal), 0, USER)
        self.state: State = board.close_turn()
        self.decider = Decider(self.team, board, goal, seed=0)
        self.complexity = self.team.estimator.estimate(goal, self.state)
        self.before = int(self.team.assessor is not None)
        """Turns before the first move."""

    def prospect(self) -> Prospect:
        """All of it."""
        row = self.decider.table[self.complexity.level]
        moves = self.decider.moves(self.state, self.complexity)
        situation = self.decider.situation(self.state, moves, None, self.before + 1)
        first = tuple(self.chances(situation)) if moves else ()
        likeliest = sorted(
            first, key=lambda one: -1 if one.probability is None else -one.probability
        )
        ahead = Ahead(
            self.workflow.graph, [one.move.roles for one in likeliest if one.probability != 0]
        )
        seated = tuple(self.seated(ahead, situation))
        way = ahead.way()
        acting = {one.role.name for one in seated}
        roles = self.workflow.roles
        return Prospect(
            complexity=self.complexity,
            allotted=row,
            strands=row.most(self.workflow.limits.strands),
            assessor=self.team.assessor.name if self.team.assessor else None,
            first=first,
            lacking="" if moves else self.workflow.graph.no_candidate(self.state).message,
            seated=seated,
            unreached=tuple(name for name in roles if name not in acting),
            way=labels(way),
            by_figures=self.by_figures(way, {one.role.name: one for one in seated}),
            at_most=forecast(self.workflow),
            names=self.decider.names,
        )

    def chances(self, situation: Situation) -> Iterator[First]:
        """The moves allowed first, with their probabilities."""
        moves = situation.candidates
        if self.team.advisor is not None and len(moves) > 1:
            yield from (First(move, None) for move in moves)
            return
        choice = self.team.policy.decide(situation)
        for move, probability in zip(moves, choice.probabilities, strict=True):
            yield First(move, probability)

    def seated(self, ahead: Ahead, situation: Situation) -> Iterator[Seated]:
        """Who can act from here, and what they would get."""
        if self.team.assessor is not None:
            yield Seated(self.team.assessor, 1, self.models(self.team.assessor, situation))
        turns = {name: self.before + turn for name, turn in ahead.turns().items()}
        advisor = self.team.advisor
        if advisor is not None:
            turns = {advisor.name: self.before + 1} | turns
        writer = self.team.writer
        if writer is not None:
            turns = turns | {writer.name: self.before + len(ahead.way()) + 1}
        for name, turn in turns.items():
            role = self.workflow.roles[name]
            yield Seated(role, turn, self.models(role, situation))

    def models(self, role: Role, situation: Situation) -> tuple[Allocation, ...]:
        """What a role may get for work of this class."""
        if not role.asks_model:
            return ()
        allocator, names = self.team.allocator, self.decider.names
        choices = getattr(allocator, "choices", None)
        if choices is not None:
            found: tuple[Allocation, ...] = choices(
                role, self.complexity.level, names, situation.roles
            )
            return found
        return (allocator.allocate(situation, Line(role.name), role, self.complexity, names),)

    def by_figures(self, way: list[Node], seated: Mapping[str, Seated]) -> int | None:
        """What the strands of a way are expected to cost, one of each role."""
        figures: tuple[Figure, ...] = getattr(self.team.allocator, "figures", ())
        if not figures or not way:
            return None
        names = [name for node in way for name in node]
        names += [role.name for role in (self.team.assessor, self.team.writer) if role is not None]
        costs = [self.strand(seated[name], figures) for name in names]
        known = [cost for cost in costs if cost is not None]
        return round(sum(known) * NANO) if len(known) == len(costs) else None

    def strand(self, seated: Seated, figures: tuple[Figure, ...]) -> Decimal | None:
        """What a strand of a role is expected to cost, in dollars."""
        total = Decimal(0)
        names = [self.decider.names[one.model] for one in seated.models]
        rows = rows_for(figures, names, self.complexity.level)
        for one, row in zip(seated.models, rows, strict=True):
            if row.usd is None:
                return None
            total += Decimal(str(row.usd)) * Decimal(str(one.probability))
        return total
