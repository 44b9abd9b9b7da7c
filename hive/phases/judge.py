"""Whether a tool call may be made (floor 5): by rule, by a person, or by what is on the tape."""

from collections.abc import Sequence
from typing import Literal

from hive.board.board import USER
from hive.board.records import Approval, Suspension
from hive.phases.calls import Begun, Done, told
from hive.phases.observe import observed, said, unobserved
from hive.phases.served import served, taken_over
from hive.phases.strand import Strand
from hive.phases.waiting import APPROVALS, SETTLEMENTS
from hive.tools.approval import ProposedCall
from hive.tools.call import ToolOutput
from hive.tools.person import Word

__all__ = ["IN_DOUBT", "heeded", "judge", "proposed"]

IN_DOUBT = {
    "done": "in doubt: it was done and is not made again",
    "again": "in doubt: it is to be made again",
    "lost": "in doubt: nobody can tell, and it is not made again",
}
"""The reason of the Approval by which a person settled a call."""


async def judge(strand: Strand, call: Begun, beside: Sequence[Begun]) -> Done | None:
    """Ask the approver and record what it says; None lets the call be made. `beside` are all calls
    of its reply, none of which is made before the last of them is ruled on."""
    address = call.entry.address
    tape, tool = strand.desk.tape, call.action.tool
    ruled = None
    if tape:
        done = served(strand, call)
        if done is not None:
            return done
        ruled = tape.approval(address)
    if ruled is not None and ruled.decision == "allow":
        made = tool.repeat == "never" and all(is_ruled(strand, each) for each in beside)
        return in_doubt(strand, call) if made else None
    done = taken_over(strand, call) if ruled is None else None
    if done is not None:
        return done
    word = None if ruled is None else strand.desk.room.word(str(address), APPROVALS)
    if word is not None:  # it came while nobody was at work: there is no need to ask anybody again
        return heeded(strand, call, word)
    judgement = await strand.desk.approver.judge(proposed(strand, call))
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
    return denied(strand, call, judgement.by, judgement.reason)


def is_ruled(strand: Strand, call: Begun) -> bool:
    """Whether somebody has ruled on a call before the process ended."""
    tape, address = strand.desk.tape, call.entry.address
    return tape.rulings(address) > 0 or tape.result(address, call.payload) is not None


def proposed(strand: Strand, call: Begun) -> ProposedCall:
    """A call as whoever judges it sees it."""
    tool = call.action.tool
    return ProposedCall(
        tool=tool.name,
        effect=tool.effect,
        arguments=call.payload.arguments,
        role=strand.role.name,
        label=strand.label,
        key=call.payload.key,
    )


def denied(strand: Strand, call: Begun, by: str, reason: str) -> Done:
    """Tell a role that its call is not made."""
    text = f"{call.payload.tool} was denied by {by}: {reason or 'not allowed'}"
    output = ToolOutput(text=text, error=True)
    return told(strand, call, observed(strand, call.entry, output, 0)[0])


def heeded(strand: Strand, call: Begun, word: Word) -> Done | None:
    """Do with a call that waited as a person said; None lets it be made."""
    if word.decided == "allow" or word.decided == "deny":
        ruled_by(strand, call, word, word.decided, word.text)
        return None if word.decided == "allow" else denied(strand, call, word.by, word.text)
    return settle(strand, call, word)


def ruled_by(
    strand: Strand, call: Begun, word: Word, ruling: Literal["allow", "deny"], reason: str
) -> None:
    """Record how a person ruled on a call, after all that was ruled on it before."""
    address = call.entry.address
    where = address._replace(place=(*address.place, 0))
    writer = strand.desk.writer
    rulings = sum(entry.address == where for entry in writer.board.of_kind(Approval))
    strand.post(
        where.place,
        Approval(decision=ruling, by=word.by, reason=reason, item=word.item),
        causes=(str(address),),
        origin=USER,
        attempt=rulings - writer.aside[where],
    )


def wait(
    strand: Strand, call: Begun, waits_for: Literal["approval", "in_doubt"], text: str
) -> Done:
    """Leave a call open: the strand waits for something outside the run."""
    address = call.entry.address
    waiting = Suspension(waits_for=waits_for, subject=str(address), text=text)
    strand.post((*address.place, 0, 0), waiting, causes=(str(address),), origin="coordinator")
    strand.desk.room.expect(str(address))
    result = said(strand, call.action.use, f"waits for {waits_for}")
    return Done(
        address.place[1], result, None, APPROVALS if waits_for == "approval" else SETTLEMENTS
    )


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


def settle(strand: Strand, call: Begun, word: Word) -> Done | None:
    """End the doubt about a call as a person settled it: it was done, and the word's text is what
    came of it; it is to be made again, which None lets happen; or nobody can find out."""
    again = word.decided == "again"
    reason = IN_DOUBT[word.decided]
    ruled_by(strand, call, word, "allow" if again else "deny", reason)
    if again:
        return None
    if word.decided == "lost":
        return lost(strand, call, USER)
    return told(strand, call, unobserved(strand, call.entry, word.text, USER))


def lost(strand: Strand, call: Begun, origin: str) -> Done:
    """Tell a role that nobody knows what became of its call."""
    text = (
        f"{call.payload.tool} was begun when the process ended; nobody knows whether it took"
        " effect, and it was not called again"
    )
    return told(strand, call, unobserved(strand, call.entry, text, origin, error=True))
