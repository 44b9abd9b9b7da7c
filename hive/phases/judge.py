"""Whether a tool call may be made (floor 5): by rule, by a person, or by what is on the tape."""

from typing import Literal, NamedTuple

from hive.board.board import USER
from hive.board.records import Approval, Suspension
from hive.phases.calls import Begun, Done, told
from hive.phases.observe import observed, said, unobserved
from hive.phases.served import served
from hive.phases.strand import Strand
from hive.tools.approval import ProposedCall
from hive.tools.call import ToolOutput

__all__ = ["Settlement", "judge", "settle"]

SETTLED = {
    "done": "it was done and is not made again",
    "again": "it is to be made again",
    "lost": "nobody can tell, and it is not made again",
}


async def judge(strand: Strand, call: Begun) -> Done | None:
    """Ask the approver and record what it says; None lets the call be made."""
    address = call.entry.address
    tape, tool = strand.desk.tape, call.action.tool
    ruled = None
    if tape:
        done = served(strand, call)
        if done is not None:
            return done
        ruled = tape.approval(address)
    if ruled is not None and ruled.decision == "allow":
        return in_doubt(strand, call) if tool.repeat == "never" else None
    judgement = await strand.desk.approver.judge(
        ProposedCall(
            tool=tool.name,
            effect=tool.effect,
            arguments=call.payload.arguments,
            role=strand.role.name,
            label=strand.label,
            key=call.payload.key,
        )
    )
    if ruled is None or ruled.decision != judgement.decision:
        strand.post(
            (*address.place, 0),
            Approval(decision=judgement.decision, by=judgement.by, reason=judgement.reason),
            causes=(str(address),),
            origin="coordinator",
            attempt=tape.rulings(address),
        )
    if judgement.decision == "allow":
        return None
    if judgement.decision == "ask":
        return wait(strand, call, "approval", judgement.reason or tool.name)
    reason = judgement.reason or "not allowed"
    output = ToolOutput(text=f"{tool.name} was denied by {judgement.by}: {reason}", error=True)
    return told(strand, call, observed(strand, call.entry, output, 0)[0])


def wait(
    strand: Strand, call: Begun, waits_for: Literal["approval", "in_doubt"], text: str
) -> Done:
    """Leave a call open: the strand waits for something outside the run."""
    address = call.entry.address
    waiting = Suspension(waits_for=waits_for, subject=str(address), text=text)
    strand.post((*address.place, 0, 0), waiting, causes=(str(address),), origin="coordinator")
    return Done(address.place[1], said(strand, call.action.use, f"waits for {waits_for}"), None)


def in_doubt(strand: Strand, call: Begun) -> Done | None:
    """A call that must not be made twice and was begun before a crash: it waits for a person, or
    goes by the workflow's rule. None lets it be made again."""
    rule = strand.desk.in_doubt
    if rule == "repeat":
        return None
    if rule == "lost":
        return lost(strand, call, "coordinator")
    text = f"{call.payload.tool} was begun and nobody knows whether it took effect"
    return wait(strand, call, "in_doubt", text)


class Settlement(NamedTuple):
    """What a person says of a call in doubt: that it was done, with what came of it in `text`; that
    it is to be made again; or that nobody can find out. `item` is that of the inbox."""

    how: Literal["done", "again", "lost"]
    by: str
    text: str = ""
    item: int = 0


def settle(strand: Strand, call: Begun, settlement: Settlement) -> Done | None:
    """End the doubt about a call as a person settled it; None lets the call be made again."""
    how, by, text, item = settlement
    again = how == "again"
    address = call.entry.address
    where = address._replace(place=(*address.place, 0))
    ruling = Approval(
        decision="allow" if again else "deny", by=by, reason=f"in doubt: {SETTLED[how]}", item=item
    )
    rulings = [e for e in strand.desk.writer.board.of_kind(Approval) if e.address == where]
    strand.post(where.place, ruling, causes=(str(address),), origin=USER, attempt=len(rulings))
    if again:
        return None
    if how == "lost":
        return lost(strand, call, USER)
    return told(strand, call, unobserved(strand, call.entry, text, USER))


def lost(strand: Strand, call: Begun, origin: str) -> Done:
    """Tell a role that nobody knows what became of its call."""
    text = (
        f"{call.payload.tool} was begun when the process ended; nobody knows whether it took"
        " effect, and it was not called again"
    )
    return told(strand, call, unobserved(strand, call.entry, text, origin, error=True))
