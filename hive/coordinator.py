"""The control loop (floor 6): fold, end or decide, run the strands of a turn, join, repeat."""

from collections.abc import Awaitable
from dataclasses import replace

import anyio
import anyio.lowlevel

from hive.answering import Answering
from hive.board.board import COORDINATOR, USER
from hive.board.contributions import Attachment, Goal
from hive.board.entry import Address, Entry, Label, join_labels
from hive.board.payload import Payload
from hive.board.records import (
    Complexity,
    Decision,
    Observation,
    Paused,
    Resumed,
    RunStarted,
    Spoken,
    StrandPlan,
    Suspension,
    Termination,
)
from hive.board.records import (
    Synthesis as SynthesisRecord,
)
from hive.board.state import State, begun_anew
from hive.checkpoint import PASSED, Checkpoint, allows
from hive.concluding import close_calls, cut_short, last_record
from hive.consulting import Consulting
from hive.control.allocating.complexity import judged
from hive.control.graphs.graph import Ending
from hive.decider import Decider
from hive.diagnostics import debug, log
from hive.ending import Endings
from hive.outside import Outside
from hive.pauses import Pauses
from hive.phases.recover import recover
from hive.phases.strand import Desk, Strand
from hive.phases.turn import StrandEnd
from hive.rationing import affordable, rations_for, starved
from hive.role import Role
from hive.strands import Ends, OneByOne, Strands
from hive.team import Team

__all__ = ["ATTACHED", "Coordinator"]

SHIELD_SECONDS = 5.0
ATTACHED = 2
"""Where in turn 0 the images and files stand that came with the goal."""


class Coordinator:
    """Runs one goal to its end over a writer and a tape; there is no other loop."""

    def __init__(
        self,
        team: Team,
        desk: Desk,
        goal: str,
        seed: int,
        resumed: Resumed | None = None,
        attachments: tuple[Attachment, ...] = (),
    ) -> None:
        self.team = team
        self.desk = desk
        self.goal = goal
        self.attachments = attachments
        self.board = desk.writer.board
        self.decider = Decider(team, self.board, goal, seed)
        self.consulting = Consulting(team, self.board, self.decider, self.ask)
        self.suspended: list[Entry] = []
        self.endings = Endings(team, desk)
        self.rations = rations_for(team, desk)
        self.answering = Answering(team, desk, self.decider, self.endings)
        self.answering.prepare(goal, attachments)
        self.checkpoint = Checkpoint(team, desk, self.endings)
        self.answer = ""
        self.maybe_cancelled = True
        """Whether to look before the next turn, since minds that never wait would not hear of it:
        before the first, and when who drives it has left. Each turn would cost too much."""
        self.running = Strands() if desk.tape.live else OneByOne(desk.tape)
        self.outside = Outside(desk.writer, desk.room, self.stop)
        self.pauses = Pauses(desk, self.outside, resumed or Resumed())

    async def run(self, first: RunStarted) -> Ending | None:
        """Work until the run ends; None when it is suspended, with `suspended` saying on what.

        When it is cancelled, what is open is closed on the board and the run stays resumable.
        """
        try:
            self.begin(first)
            while True:
                ending = self.endings.due()
                if ending is None:
                    if self.maybe_cancelled:
                        await anyio.lowlevel.checkpoint_if_cancelled()
                        self.maybe_cancelled = False
                    ending = await self.turn()
                if ending is not None:
                    return await self.conclude(ending)
                if self.suspended:
                    await self.desk.durable()
                    return None
        except anyio.get_cancelled_exc_class():
            with anyio.CancelScope(shield=True, deadline=anyio.current_time() + SHIELD_SECONDS):
                over = self.board.of_kind(Termination)  # then there is nothing left to resume
                if not over and not self.outside.paused:
                    self.pauses.post(Paused(reason="interrupted"))
                await self.desk.durable()
            raise

    def begin(self, first: RunStarted) -> None:
        """Post what every run begins with: turn 0."""
        writer = self.desk.writer
        if self.board.shared and not self.board.entries[0].digest:
            log("fork started", run=first.run, parent=first.parent)
            return
        if self.board.state.counts:  # turn 0 was read back from the journal
            self.pauses.go_on()
            if (
                self.endings.stopping is not None
            ):  # somebody asked for that while nobody was at work
                cut_short(self.board, writer)
            return
        log("run started", run=first.run, workflow=first.workflow)
        self.post((0,), first)
        goal = Address(0, "", (1,))
        writer.post(goal, USER, Goal(text=self.goal), origin=USER)
        for number, each in enumerate(self.attachments):
            # The user's own, but nobody knows who made what is in it.
            handed = Address(0, "", (ATTACHED, number))
            writer.post(handed, USER, each, origin=USER, label="outside")
        self.close(0, (), ())

    async def turn(self) -> Ending | None:
        """One turn: decide, run its strands, join. An Ending when there was nothing to decide."""
        decision = await self.decide()
        if not isinstance(decision, Decision):
            return decision
        plans, advisors, number = decision.strands, decision.advisors, self.board.state.turn + 1
        entry = self.post((0,), decision, turn=number)
        debug("decided", run=self.desk.writer.run, turn=number, reason=decision.reason)
        held = self.checkpoint.stands_before(decision)
        ends = await self.checkpoint.ask(entry, self.endings.seconds_left()) if held else PASSED
        if ends == PASSED:
            ends = await self.run_strands(plans, entry, number)
        if ends is None or self.endings.stopping is not None:
            close_calls(self.board, self.desk.writer)
            self.close(number, plans, advisors)
            return self.endings.out_of_time()
        if "suspended" in ends:
            self.suspended = waiting(self.board.entries, number)
            return None
        await self.join(number, plans, advisors)
        return None

    async def decide(self) -> Decision | Ending | None:
        """What the next turn is to be: its decision, or an Ending; None where it was one in which
        only the goal was assessed."""
        if self.desk.share is not None:
            await self.desk.share.up_to_date()
        state = self.board.state
        number = state.turn + 1
        try:
            complexity = judged(self.team.estimator, self.goal, state)
        except Exception as error:  # noqa: BLE001  a user's estimator must not lose the record
            return self.undecided(number, (), error)
        if number == 1 and self.team.assessor is not None:
            return await self.assess(state, complexity)
        return await self.choose(number, state, complexity)

    async def choose(self, number: int, state: State, complexity: Complexity) -> Decision | Ending:
        """The decision among the moves that are allowed and that the budget has room for, or an
        Ending where there is none."""
        candidates = self.decider.moves(state, complexity)
        if not candidates:
            return self.team.graph.no_candidate(state)
        short = None if self.rations is None else self.rations.shortage(number, candidates)
        if short is not None:
            candidates = affordable(candidates, short)
            if not candidates:
                return starved(short)
        candidates, change = self.decider.ways(state, candidates)
        consulted = await self.consulting.advise(number, state, candidates, complexity)
        if consulted is None:
            return self.cut_off(number)
        advice, advisors = consulted
        situation = self.decider.situation(state, candidates, advice, number, change)
        if short is not None:
            situation = replace(situation, unfit=short.roles)
        try:
            decision = self.decider.decide(situation, complexity, advisors)
        except Exception as error:  # noqa: BLE001  a user's policy must not lose the record
            return self.undecided(number, advisors, error)
        if self.rations is None:
            return decision
        return self.rations.keep(
            number,
            candidates[decision.chosen],
            decision,
            lambda line, dear: self.decider.planned(line, situation, complexity, dear),
        )

    def undecided(self, number: int, advisors: tuple[str, ...], error: Exception) -> Ending:
        """Close a turn in which what users wrote for deciding has failed."""
        self.close(number, (), advisors)
        text = f"nothing could be decided: {type(error).__name__}: {error}"
        return Ending("failed", "policy_error", "", text)

    async def assess(self, state: State, complexity: Complexity) -> Ending | None:
        """The first turn where the estimator has somebody to ask: nobody else acts in it."""
        decision = await self.consulting.assess(1, state, complexity)
        if decision is None:
            return self.cut_off(1)
        self.post((0,), decision, turn=1)
        await self.join(1, (), decision.advisors)
        return None

    def cut_off(self, number: int) -> Ending:
        """Close a turn that was cut off before its decision."""
        close_calls(self.board, self.desk.writer)
        self.close(number, (), ())
        return self.endings.out_of_time()

    async def join(
        self, number: int, plans: tuple[StrandPlan, ...], advisors: tuple[str, ...]
    ) -> None:
        """End a turn whose strands have ended, after a pause where somebody asked for one."""
        self.outside.look()
        asked = self.outside.begin_pause()
        if asked is not None:
            await self.pauses.pause(asked)
        rule = self.team.graph.plan_rule
        if rule is not None:
            recover(self.desk, rule, number, (*advisors, *[plan.strand for plan in plans]))
        self.close(number, plans, advisors)

    def close(self, number: int, plans: tuple[StrandPlan, ...], advisors: tuple[str, ...]) -> State:
        """The join: take in what was said meanwhile, fold the turn's entries in address order."""
        self.take_in(number)
        return self.board.close_turn((*advisors, *[plan.strand for plan in plans]))

    def take_in(self, number: int) -> None:
        """Put on the board what was said to the run from outside, before a turn is closed."""
        parent = self.desk.parent
        given = self.desk.tape.join(number) if parent is None else parent.messages(number)
        for entry in given:
            self.desk.writer.again(entry)
        self.outside.post(number)

    async def ask(self, plan: StrandPlan, role: Role, number: int, task: str) -> Ends:
        """Run the strand of an advisor; None when the run was stopped meanwhile."""
        opened = self.strand(plan, role, number, state_address(self.board.state))
        self.desk.room.open(1)
        strands = [opened._replace(task=task)]
        ends = await self.running.beside(strands, self.endings.seconds_left())
        return None if self.endings.stopping is not None else ends

    def run_strands(
        self, plans: tuple[StrandPlan, ...], decision: Entry, number: int
    ) -> Awaitable[list[StrandEnd] | None]:
        """Run the strands of a turn beside each other; None when the run was stopped meanwhile."""
        roles, address = self.team.graph.roles, str(decision.address)
        opened = [self.strand(plan, roles[plan.role], number, address) for plan in plans]
        told = getattr(decision.payload, "nudge", "")
        if told:
            opened = [strand._replace(task=told) for strand in opened]
        self.desk.room.open(len(opened))
        return self.running.beside(opened, self.endings.seconds_left())

    def stop(self, reason: str) -> None:
        """End the run: what is open is cancelled, closed on the board, and concluded."""
        self.endings.stopping = self.endings.stopping or reason
        self.running.cut_off()
        self.checkpoint.cut_off()
        self.outside.go_on(None)

    def strand(self, plan: StrandPlan, role: Role, number: int, decision: str) -> Strand:
        """Set a strand up: its mind, its scope of the budget, its view, pinned at the decision."""
        team, desk = self.team, self.desk
        mind = team.mind(plan)
        view = self.board.view(team.reads[role.name], team.limits.view_tokens)
        if plan.cause is not None:
            view = view._replace(cause=self.board.at(plan.cause))
        program = mind.name.startswith("program:")
        own: Label = "trusted" if mind.model is None or program else "model"
        return Strand(
            desk,
            number,
            plan,
            role,
            mind.model,
            mind.card,
            desk.books.strand(role.name, plan.strand, number),
            view,
            join_labels(own, view.label),
            team.targets.get(role.name, ()),
            team.briefings[role.name],
            decision,
            plan.strand,
            mind.name if program else f"model:{mind.name}",
        )

    async def conclude(self, ending: Ending) -> Ending:
        """Post the ending, a turn of its own, and make it durable; before that the answer is
        written, where a role does that."""
        if self.desk.share is not None:
            await self.desk.share.up_to_date()
        self.leave_off()
        decision = self.answering.decision(ending)
        if decision is not None:
            await self.write(decision)
            ending = self.endings.on_record() or ending
        state = self.board.state
        log("run ended", run=self.desk.writer.run, turn=state.turn, reason=ending.reason)
        end = self.post((0,), last_record(ending, state), turn=state.turn + 1)
        self.answer = text = self.team.synthesis.synthesise(self.board, ending)
        self.post((1,), SynthesisRecord(text=text), turn=state.turn + 1, causes=(str(end.address),))
        await self.desk.durable()
        return ending

    def leave_off(self) -> None:
        """Close a turn that was begun anew and came to no decision after that, since what it had
        spent before counts."""
        number = self.board.state.turn + 1
        if begun_anew(self.board.open_turn) or self.desk.tape.left_off(number):
            self.close(number, (), ())

    async def write(self, decision: Decision) -> None:
        """Have the answer written, in a turn of its own."""
        assert decision.ending is not None
        [plan], number = decision.strands, self.board.state.turn + 1
        entry = self.post((0,), decision, turn=number)
        strand = self.strand(plan, self.team.role(plan.role), number, str(entry.address))
        self.desk.room.open(1)
        strands = [self.answering.opened(strand, decision.ending)]
        await self.running.beside(strands, self.endings.seconds_left())
        close_calls(self.board, self.desk.writer)
        self.close(number, (plan,), ())

    def post(
        self,
        place: tuple[int, ...],
        payload: Payload,
        *,
        turn: int | None = None,
        causes: tuple[str, ...] = (),
    ) -> Entry:
        """Post as the coordinator."""
        number = self.board.state.turn + 1 if turn is None and self.board.entries else turn or 0
        return self.desk.writer.post(
            Address(number, "", place), COORDINATOR, payload, origin=COORDINATOR, causes=causes
        )


def state_address(state: State) -> str:
    """The decision that closed the last turn, or the goal."""
    return f"{state.turn}//0" if state.turn else "0//1"


def waiting(entries: list[Entry], turn: int) -> list[Entry]:
    """What the open turn waits for: calls without a result, and people who have not spoken."""
    found: dict[str, Entry] = {}
    for entry in entries:
        if entry.address.turn != turn:
            continue
        payload = entry.payload
        if isinstance(payload, Suspension):
            found[payload.subject] = entry
        elif isinstance(payload, Observation | Spoken) or allows(payload):
            found.pop(entry.causes[0], None)
    return sorted(found.values(), key=lambda entry: entry.address)
