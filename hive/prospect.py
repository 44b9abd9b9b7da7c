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
from hive.control.allocating.allocation import Allocation, Allocator, allocated
from hive.control.allocating.allotment import Allotment
from hive.control.allocating.complexity import LEVELS, judged
from hive.control.allocating.escalation import Escalation
from hive.control.allocating.figures import Figure, rows_for
from hive.control.allocating.preferring import ByPreference
from hive.control.allocating.within import is_pinned
from hive.control.graphs.ahead import Ahead, Step
from hive.control.graphs.edge import Edge
from hive.control.graphs.move import Line, Move
from hive.control.policies.policy import Situation
from hive.decider import Decider
from hive.forecast import Forecast, forecast, keys_for
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
    models with their probabilities, and the rungs of a ladder to which it may climb from there;
    nothing for a program and a person."""

    role: Role
    turn: int
    models: tuple[Allocation, ...]
    higher: tuple[str, ...] = ()


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
    """What that way is expected to cost by the figures of the allocator, in nano-dollars, with one
    strand of a role for entries that wait; None where these do not say it."""
    at_most: Forecast
    """The worst case of a run that begins by what is allowed first."""
    names: Mapping[str, str]
    """The names of the models, by key."""
    takes: frozenset[str]
    """The names of those that somebody may get, for work of whatever class."""


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
        self.complexity = judged(self.team.estimator, goal, self.state)
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
        ahead = Ahead(self.workflow.graph, [one.move for one in likeliest if one.probability != 0])
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
            way=tuple(str(step) for step in way),
            by_figures=self.by_figures(way, situation),
            at_most=forecast(self.workflow, None if self.before else self.open(moves)),
            names=self.decider.names,
            takes=frozenset(self.takes()),
        )

    def open(self, moves: tuple[Move, ...]) -> list[Edge]:
        """The starts that are open for the goal."""
        texts = {move.edge for move in moves}
        return [e for e in self.workflow.graph.edges if e.kind == "start" and e.text in texts]

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
        turns = {name: self.before + turn for name, turn in ahead.turns().items()}
        advisor, choice = self.team.advisor, ahead.choice()
        if advisor is not None and choice is not None:
            turns = {advisor.name: self.before + choice} | turns
        if self.team.assessor is not None:
            turns = {self.team.assessor.name: 1} | turns
        writer = self.team.writer
        if writer is not None:
            turns = turns | {writer.name: self.before + len(ahead.way()) + 1}
        samples = ahead.samples()
        for name, turn in sorted(turns.items(), key=lambda one: one[1]):
            role = self.workflow.roles[name]
            models = self.models(role, samples.get(name, 1), situation)
            yield Seated(role, turn, models, self.higher(role, models))

    def models(self, role: Role, samples: int, situation: Situation) -> tuple[Allocation, ...]:
        """What a role may get for work of this class, in so many strands beside each other."""
        given = [self.choices(line, situation) for line in lines(role.name, samples)]
        return tuple(dict.fromkeys(each for found in given for each in found))

    def higher(self, role: Role, models: tuple[Allocation, ...]) -> tuple[str, ...]:
        """The rungs above those on which a role begins."""
        ladder, names = self.team.allocator, self.decider.names
        if not isinstance(ladder, Escalation) or is_pinned(role, names):
            return ()
        begun = [ladder.rungs.index(one.model) for one in models if one.model in ladder.rungs]
        above = ladder.rungs[min(begun) + 1 :] if begun else ()
        return tuple(key for key in above if key not in {one.model for one in models})

    def choices(self, line: Line, situation: Situation) -> tuple[Allocation, ...]:
        """What a strand may get for work of this class; nothing where no model is asked."""
        role = self.workflow.roles[line.role]
        if not role.asks_model:
            return ()
        return self.choices_of(self.team.allocator, line, role, situation)

    def choices_of(
        self, allocator: Allocator, line: Line, role: Role, situation: Situation
    ) -> tuple[Allocation, ...]:
        """What an allocator may give to a strand; of one that stands around another, which leaves
        the strand to that, what that may give."""
        complexity, names = self.complexity, self.decider.names
        if isinstance(allocator, ByPreference):
            return allocator.choices(role, complexity.level, names, situation.roles)
        asked = (situation, line, role, complexity, names)
        given = allocated(allocator, *asked)
        within: Allocator | None = getattr(allocator, "within", None)
        if within is not None and given == within.allocate(*asked):
            return self.choices_of(within, line, role, situation)
        return (given,)

    def takes(self) -> Iterator[str]:
        """The models that roles may get: those that a preference takes, and by any other allocator
        all that it could give."""
        allocator, names = self.team.allocator, self.decider.names
        for role in self.workflow.roles.values():
            if not role.asks_model:
                continue
            if isinstance(allocator, ByPreference):
                for level in LEVELS:
                    for one in allocator.choices(role, level, names, self.workflow.roles):
                        yield names[one.model]
            else:
                yield from [names[key] for key in keys_for(self.team, role)]

    def by_figures(self, way: list[Step], situation: Situation) -> int | None:
        """What the strands of a way are expected to cost."""
        allocator = self.team.allocator
        known: tuple[Figure, ...] = getattr(allocator, "figures", ())
        figures = known or getattr(getattr(allocator, "within", None), "figures", ())
        if not figures or not way:
            return None
        around = [role for role in (self.team.assessor, self.team.writer) if role is not None]
        strands = [
            line for step in way for name in step.roles for line in lines(name, step.samples)
        ]
        strands += [Line(role.name) for role in around]
        total = Decimal(0)
        for line in strands:
            cost = self.strand(self.choices(line, situation), figures)
            if cost is None:
                return None
            total += cost
        return round(total * NANO)

    def strand(self, models: tuple[Allocation, ...], figures: tuple[Figure, ...]) -> Decimal | None:
        """What a strand that gets one of some models is expected to cost, in dollars."""
        total = Decimal(0)
        rows = rows_for(
            figures, [self.decider.names[one.model] for one in models], self.complexity.level
        )
        for one, row in zip(models, rows, strict=True):
            if row.usd is None:
                return None
            total += Decimal(str(row.usd)) * Decimal(str(one.probability))
        return total


def lines(role: str, samples: int) -> list[Line]:
    """The strands of a role that one move opens."""
    return [Line(role, None, sample, samples) for sample in range(samples)]
