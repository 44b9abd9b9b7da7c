"""From the moves allowed to a decision on record (floor 6): what is seen, chosen, and allocated."""

import functools
from collections.abc import Mapping, Sequence
from functools import partial
from random import Random
from types import MappingProxyType

from hive.board.board import Board
from hive.board.payload import Payload
from hive.board.pieces import whole
from hive.board.records import Candidate, Complexity, Decision, StrandPlan
from hive.board.state import State
from hive.control.allocating.allocation import Allocation, allocated
from hive.control.allocating.allotment import table_of
from hive.control.allocating.weighing import LimitsBroken
from hive.control.graphs.move import Line, Move
from hive.control.guards.watch import Ways, because, nudge, ways
from hive.control.policies.policy import Change, Choice, Situation, checked, features, generator
from hive.errors import DeclarationError
from hive.team import Team, advisors_of

__all__ = ["Decider"]

NOTHING: Mapping[str, str] = MappingProxyType({})
Into = tuple[tuple[str, float], ...]
"""What went into a score, by name."""


class Decider:
    """Puts the policy and the allocator to work for one run. Pure: it posts nothing."""

    def __init__(self, team: Team, board: Board, goal: str, seed: int) -> None:
        self.team = team
        self.board = board
        self.goal = goal
        self.seed = seed
        self.names = {key: mind.name for key, mind in team.minds.items()}
        """The names of the models, by key."""
        advisors = advisors_of(team.policy, team.estimator, team.synthesis)
        self.roles = {**team.graph.roles, **advisors}
        self.table = table_of(team.allocator)
        """What work of each class is allotted."""
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

    def moves(self, state: State, complexity: Complexity) -> tuple[Move, ...]:
        """The moves that the graph allows, with as many strands as the work is allotted."""
        most = self.table[complexity.level].most(self.team.limits.strands)
        return self.team.graph.candidates(state, most)

    def ways(self, state: State, candidates: tuple[Move, ...]) -> Ways:
        """The moves that may be made, and what is other than usual about them."""
        watches = self.team.watches
        return ways(watches, state, candidates) if watches else Ways(candidates)

    def situation(
        self,
        state: State,
        candidates: tuple[Move, ...],
        advice: Payload | None,
        turn: int,
        change: Change = "",
    ) -> Situation:
        """What the policy sees; its chance comes from the run's seed and the turn."""
        seen = features(state, candidates)
        if change:
            seen["change"] = change
        return Situation(
            state=state,
            candidates=candidates,
            goal=self.goal,
            roles=self.roles,
            advice=advice,
            chance=partial(generator, self.seed, f"{turn}//0", "decide"),
            strand_chance=partial(self.chance_of, turn),
            call_price=self.call_price,
            change=change,
            features=seen,
        )

    def chance_of(self, turn: int, strand: str) -> Random:
        """The generator by which a strand's model is drawn."""
        return generator(self.seed, f"{turn}/{strand}/0", "allocate")

    def call_price(self, key: str) -> int | None:
        """What a call with the model under a key costs, in nano-dollars, when its view is full and
        its output as long as allowed; None where the price is not known."""
        card, limits = self.team.minds[key].card, self.team.limits
        if card.prices is None:
            return None
        most = limits.output_tokens
        output = most if card.max_output is None else min(most, card.max_output)
        return card.worst(limits.view_tokens, output)

    def allocate(
        self, move: Move, situation: Situation, complexity: Complexity
    ) -> tuple[StrandPlan, ...]:
        """A model for every strand of the chosen move."""
        return tuple([self.planned(line, situation, complexity) for line in move.strands])

    def planned(
        self,
        line: Line,
        situation: Situation,
        complexity: Complexity,
        dear: Mapping[str, str] = NOTHING,
    ) -> StrandPlan:
        """A model for a strand: none of those that the situation says do not fit, nor of those that
        are too dear for it, as long as there is another."""
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
        allocation = allocated(
            team.allocator, situation, line, team.role(line.role), complexity, self.names
        )
        if dear or situation.unfit:
            unfit = {**situation.unfit.get(line.role, NOTHING), **dear}
            if allocation.model in unfit:
                allocation = self.instead(allocation, line, situation, complexity, unfit)
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
                because=allocation.because,
            )
            if cause is None:  # the same in every turn: made once, not three hundred times
                self._plans[line, allocation] = planned
        return planned

    def instead(
        self,
        wanted: Allocation,
        line: Line,
        situation: Situation,
        complexity: Complexity,
        unfit: Mapping[str, str],
    ) -> Allocation:
        """Another model where the one that is wanted does not fit the budget: what the allocator
        takes without those that do not, else the dearest that does; the same where none does, or
        none of these keeps the limits of the preference."""
        team = self.team
        fitting = team.keys_for(line.role, unfit)
        if not fitting:
            return wanted
        names = {key: name for key, name in self.names.items() if key not in unfit}
        try:
            found = team.allocator.allocate(
                situation, line, team.role(line.role), complexity, names
            )
        except LimitsBroken:  # a limit holds, whatever there is money for
            return wanted
        except (DeclarationError, LookupError):  # it knows of nothing else
            found = wanted
        if found.model not in fitting:
            found = Allocation(max(fitting, key=lambda key: (self.call_price(key) or 0, key)))
        why = f"{self.names[wanted.model]} does not fit: {unfit[wanted.model]}"
        return found._replace(because="; ".join(filter(None, (why, found.because))))

    def record(
        self,
        choice: Choice,
        situation: Situation,
        plans: tuple[StrandPlan, ...],
        complexity: Complexity,
        advisors: tuple[str, ...],
    ) -> Decision:
        """The record of a decision: everything that went into it."""
        parts: Sequence[Into] = ((),) * len(choice.scores)
        if choice.parts:
            parts = [tuple(into.items()) for into in choice.parts]
        candidates = [
            judged(
                tuple([line.strand for line in move.strands]),
                whole(score),
                whole(probability),
                into,
            )
            for move, score, probability, into in zip(
                situation.candidates, choice.scores, choice.probabilities, parts, strict=True
            )
        ]
        watches, state, reason, told = self.team.watches, situation.state, choice.reason, ""
        if watches:
            told = nudge(watches, state, situation.candidates[choice.index])
            if situation.change:
                reason += f"; {because(watches, state, situation.change)}"
        return Decision(
            policy=self.team.policy.name,
            chosen=choice.index,
            candidates=tuple(candidates),
            strands=plans,
            deterministic=choice.deterministic,
            complexity=complexity,
            features=dict(situation.features),
            signature=complexity.level,
            reason=reason,
            advisors=advisors,
            allotted=self.table[complexity.level].recorded,
            nudge=told,
        )


@functools.lru_cache(maxsize=4096)
def judged(strands: tuple[str, ...], score: float, probability: float, parts: Into) -> Candidate:
    """A candidate as the record holds it; most turns judge the same few alike."""
    into = {name: whole(part) for name, part in parts}
    return Candidate(strands=strands, score=score, probability=probability, parts=into)
