"""From the moves allowed to a decision on record (floor 6): what is seen, chosen, and allocated."""

import functools
from functools import partial
from random import Random

from hive.board.board import Board
from hive.board.payload import Payload
from hive.board.pieces import whole
from hive.board.records import Candidate, Complexity, Decision, StrandPlan
from hive.board.state import State
from hive.control.allocation import Allocation
from hive.control.move import Line, Move
from hive.control.policy import Choice, Situation, checked, features, generator
from hive.team import Team

__all__ = ["Decider"]


class Decider:
    """Puts the policy and the allocator to work for one run. Pure: it posts nothing."""

    def __init__(self, team: Team, board: Board, goal: str, seed: int) -> None:
        self.team = team
        self.board = board
        self.goal = goal
        self.seed = seed
        self.names = {key: mind.name for key, mind in team.minds.items()}
        """The names of the models, by key."""
        advisor = team.advisor
        extra = {} if advisor is None else {advisor.name: advisor}
        self.roles = {**team.graph.roles, **extra}
        self._plans: dict[tuple[Line, Allocation], StrandPlan] = {}

    def decide(
        self, situation: Situation, complexity: Complexity, advisors: tuple[str, ...]
    ) -> Decision:
        """The decision to be recorded. Raises whatever a user's policy or allocator raises, and
        DeclarationError for a choice that is not lawful."""
        policy = self.team.policy
        choice = checked(policy.decide(situation), situation, policy.name)
        plans = self.allocate(situation.candidates[choice.index], situation, complexity)
        return self.record(choice, situation, plans, complexity, advisors)

    def situation(
        self, state: State, candidates: tuple[Move, ...], advice: Payload | None, turn: int
    ) -> Situation:
        """What the policy sees; its chance comes from the run's seed and the turn."""
        return Situation(
            state=state,
            candidates=candidates,
            goal=self.goal,
            roles=self.roles,
            advice=advice,
            chance=partial(generator, self.seed, f"{turn}//0", "decide"),
            strand_chance=partial(self.chance_of, turn),
            features=features(state, candidates),
        )

    def chance_of(self, turn: int, strand: str) -> Random:
        """The generator by which a strand's model is drawn."""
        return generator(self.seed, f"{turn}/{strand}/0", "allocate")

    def allocate(
        self, move: Move, situation: Situation, complexity: Complexity
    ) -> tuple[StrandPlan, ...]:
        """A model for every strand of the chosen move."""
        return tuple([self.planned(line, situation, complexity) for line in move.strands])

    def planned(self, line: Line, situation: Situation, complexity: Complexity) -> StrandPlan:
        team = self.team
        cause = None
        if line.cause is not None:
            cause = str(self.board.referenced(line.cause).address)
        program = team.programs.get(line.role)
        if program is not None:
            return StrandPlan(
                strand=line.strand, role=line.role, cause=cause, sample=line.sample,
                model=program.name,
            )  # fmt: skip
        allocation = team.allocator.allocate(
            situation, line, team.role(line.role), complexity, self.names
        )
        planned = self._plans.get((line, allocation))
        if planned is None:
            planned = StrandPlan(
                strand=line.strand,
                role=line.role,
                cause=cause,
                sample=line.sample,
                model=self.names[allocation.model],
                key=allocation.model,
                tier=allocation.tier,
                probability=whole(allocation.probability),
                options=allocation.options,
            )
            if cause is None:  # the same in every turn: made once, not three hundred times
                self._plans[line, allocation] = planned
        return planned

    def record(
        self,
        choice: Choice,
        situation: Situation,
        plans: tuple[StrandPlan, ...],
        complexity: Complexity,
        advisors: tuple[str, ...],
    ) -> Decision:
        """The record of a decision: everything that went into it."""
        candidates = [
            judged(tuple([line.strand for line in move.strands]), whole(score), whole(probability))
            for move, score, probability in zip(
                situation.candidates, choice.scores, choice.probabilities, strict=True
            )
        ]
        return Decision(
            policy=self.team.policy.name,
            chosen=choice.index,
            candidates=tuple(candidates),
            strands=plans,
            deterministic=choice.deterministic,
            complexity=complexity,
            features=dict(situation.features),
            signature=complexity.level,
            reason=choice.reason,
            advisors=advisors,
        )


@functools.lru_cache(maxsize=4096)
def judged(strands: tuple[str, ...], score: float, probability: float) -> Candidate:
    """A candidate as the record holds it; most turns judge the same few alike."""
    return Candidate(strands=strands, score=score, probability=probability)
