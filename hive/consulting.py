"""Asking those who advise (floor 6), each in a recorded strand of the turn that is being decided:
who assesses the goal, once, and who proposes a move, before each decision that has a choice."""

from collections.abc import Awaitable, Callable

from hive.board.board import Board
from hive.board.payload import Payload
from hive.board.records import Complexity, Decision, StrandPlan
from hive.board.state import State
from hive.control.graphs.move import Line, Move
from hive.control.policies.chooser import agenda
from hive.decider import Decider
from hive.role import Role
from hive.strands import Ends
from hive.team import Team

__all__ = ["Consulting"]

Ask = Callable[[StrandPlan, Role, int, str], Awaitable[Ends]]
"""Runs the strand of an advisor in a turn, with a task."""


class Consulting:
    """Asks the advisors of a run's estimator and of its policy."""

    def __init__(self, team: Team, board: Board, decider: Decider, ask: Ask) -> None:
        self.team = team
        self.board = board
        self.decider = decider
        self.ask = ask

    async def assess(self, number: int, state: State, complexity: Complexity) -> Decision | None:
        """Have the goal assessed: the decision of a turn in which nobody else acts, with what is
        known before. None when the run was stopped meanwhile."""
        assessor = self.team.assessor
        assert assessor is not None
        situation = self.decider.situation(state, (), None, number)
        plan = self.decider.planned(Line(assessor.name), situation, complexity)
        if await self.ask(plan, assessor, number, "") is None:
            return None
        return Decision(
            policy="assessment",
            chosen=0,
            candidates=(),
            strands=(),
            deterministic=True,
            complexity=complexity,
            features=dict(situation.features),
            allotted=self.decider.table[complexity.level].recorded,
            signature=complexity.level,
            reason=f"{assessor.name} was asked first how hard the work is",
            advisors=(plan.strand,),
        )

    async def advise(
        self, number: int, state: State, candidates: tuple[Move, ...], complexity: Complexity
    ) -> tuple[Payload | None, tuple[str, ...]] | None:
        """Consult the policy's advisor, where it has one and there is a choice: what it posted, and
        its strand. None when the run was stopped meanwhile."""
        advisor = self.team.advisor
        if advisor is None or len(candidates) < 2:
            return None, ()
        situation = self.decider.situation(state, candidates, None, number)
        plan = self.decider.planned(Line(advisor.name), situation, complexity)
        ends = await self.ask(plan, advisor, number, agenda(situation))
        if ends is None:
            return None
        posted = [
            entry
            for entry in self.board.of_author(advisor.name)
            if entry.address.turn == number and entry.level == "domain"
        ]
        posted.sort(key=lambda entry: entry.address)
        return (posted[-1].payload if ends == ["closed"] and posted else None), (plan.strand,)
