"""The checkpoint (floor 6): on critical work a person is asked once, before anything is touched.

It stands in the record like a call that needs a yes: a ruling beside the decision, and a Suspension
whose subject is the decision, as long as nobody has answered.
"""

from functools import partial
from typing import Literal, get_args

import anyio

from hive.board.board import COORDINATOR, USER
from hive.board.entry import Address, Entry
from hive.board.payload import Payload
from hive.board.records import Approval, Decision, Suspension
from hive.ending import Endings
from hive.phases.strand import Desk
from hive.phases.waiting import APPROVALS, Party
from hive.strands import Ends
from hive.team import Team
from hive.tools.approval import CHECKPOINT, ProposedCall
from hive.tools.person import Word
from hive.tools.tool import Effect

__all__ = ["PASSED", "Checkpoint", "allows"]

PASSED: Ends = ["closed"]
WAITS: Ends = ["suspended"]

EFFECTS: tuple[Effect, ...] = get_args(Effect)
"""What tools may do, the most harmless first."""


class Checkpoint:
    """Asks, once in a run, whether roles may act whose tools do more than read."""

    def __init__(self, team: Team, desk: Desk, endings: Endings) -> None:
        self.team = team
        self.desk = desk
        self.endings = endings
        self._scope: anyio.CancelScope | None = None

    def stands_before(self, decision: Decision) -> bool:
        """Whether somebody is to be asked before the strands of a decision begin."""
        allotted = decision.allotted
        if allotted is None or not allotted.checkpoint:
            return False
        rulings = self.desk.writer.board.of_kind(Approval)
        passed = any(not e.address.strand and allows(e.payload) for e in rulings)
        return not passed and bool(self.touching(decision))

    def touching(self, decision: Decision) -> list[tuple[Effect, str]]:
        """The tools by which its roles may touch anything, the most harmful last."""
        roles = [self.team.graph.roles[plan.role] for plan in decision.strands]
        found = {
            (tool.effect, f"{tool.name} ({tool.effect}) by {role.name}")
            for role in roles
            for tool in role.tools
            if tool.effect != "read"
        }
        return sorted(found, key=lambda each: (EFFECTS.index(each[0]), each[1]))

    async def ask(self, entry: Entry, seconds: float | None) -> Ends:
        """Ask whether the strands of a decision may begin: PASSED when they may, WAITS while nobody
        has said so, and None when the run is to end here."""
        tape, address = self.desk.tape, entry.address
        for known in tape.checkpoint(address):
            self.desk.writer.again(known)
        ruled = tape.approval(address)
        if ruled is None:
            tape.missing(address, "ruling on the checkpoint")
        if ruled is None or ruled.decision == "ask":
            if not tape.live:  # then it was left so, or cut off
                return WAITS if tape.cut_short(address.turn + 1) is None else None
            ruled = await self.rule(entry, ruled, seconds)
        if ruled is None:
            return None
        if ruled.decision == "deny":
            why = f": {ruled.reason}" if ruled.reason else ""
            self.endings.stopping = (
                f"{ruled.by} denied the checkpoint before turn {address.turn}{why}"
            )
            return None
        return PASSED if ruled.decision == "allow" else WAITS

    async def rule(
        self, entry: Entry, before: Approval | None, seconds: float | None
    ) -> Approval | None:
        """The ruling of the approver, or of a person where it says to ask one; None when that was
        cut off."""
        room, subject = self.desk.room, str(entry.address)
        call = self.proposed(entry)
        text = f"{call.arguments['level']} work, which may call {call.arguments['calls']}"
        served = None if before is not None else self.served(entry, text)
        if served is not None:
            return served
        word = None if before is None else room.word(subject, APPROVALS)
        if word is None:
            judgement = await self.desk.approver.judge(call)
            ruled = Approval(decision=judgement.decision, by=judgement.by, reason=judgement.reason)
            if before is None or before.decision != ruled.decision:
                self.post(entry, (0,), ruled, COORDINATOR)
            if ruled.decision != "ask":
                return ruled
            self.post(
                entry,
                (0, 0),
                Suspension(waits_for="approval", subject=subject, text=text),
                COORDINATOR,
            )
            with anyio.CancelScope() as self._scope:
                if seconds is not None:
                    self._scope.deadline = anyio.current_time() + seconds
                word = await self.wait(subject, call)
            cut, self._scope = self._scope.cancelled_caught, None
            if cut:
                return None
            if word is None:
                return ruled
        decided: Literal["allow", "deny"] = "allow" if word.decided == "allow" else "deny"
        said = Approval(decision=decided, by=word.by, reason=word.text, item=word.item)
        self.post(entry, (0,), said, USER)
        return said

    def served(self, entry: Entry, text: str) -> Approval | None:
        """How a person ruled in the run that this one was forked from, where the same was asked."""
        parent = self.desk.parent
        ruling = None if parent is None else parent.checkpoint(entry.address, text)
        ruled = None if ruling is None else ruling.payload
        if ruling is None or not isinstance(ruled, Approval) or ruled.decision == "ask":
            return None
        self.post(entry, (0,), ruled, ruling.origin)
        return ruled

    async def wait(self, subject: str, call: ProposedCall) -> Word | None:
        """Wait for a word as long as somebody at hand thinks about it."""
        room = self.desk.room
        room.open(1)
        room.expect(subject)
        asking = None if room.person is None else partial(room.person.decide, call)
        return await room.wait(subject, APPROVALS, Party(room, 1), asking)

    def cut_off(self) -> None:
        """Wait no longer: the run is stopped."""
        if self._scope is not None:
            self._scope.cancel()

    def proposed(self, entry: Entry) -> ProposedCall:
        """The checkpoint as whoever judges it sees it."""
        decision = entry.payload
        assert isinstance(decision, Decision)
        touching = self.touching(decision)
        return ProposedCall(
            tool=CHECKPOINT,
            effect=touching[-1][0],
            arguments={
                "level": decision.complexity.level,
                "calls": ", ".join(name for _, name in touching),
            },
            role=COORDINATOR,
            label="trusted",
            key=f"{self.desk.writer.run}/{entry.address}",
        )

    def post(self, entry: Entry, place: tuple[int, ...], payload: Payload, origin: str) -> None:
        """Post beside a decision; each ruling is another attempt at one address."""
        writer = self.desk.writer
        where = Address(entry.address.turn, "", (*entry.address.place, *place))
        before = writer.board.of_kind(payload.kind) if isinstance(payload, Approval) else ()
        attempt = sum(known.address == where for known in before) - writer.aside[where]
        causes = (str(entry.address),)
        writer.post(where, COORDINATOR, payload, origin, causes, attempt=max(0, attempt))


def allows(payload: Payload) -> bool:
    """Whether a ruling is a yes."""
    return isinstance(payload, Approval) and payload.decision == "allow"
