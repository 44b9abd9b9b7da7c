"""A person's turn (floor 5): they are asked, the strand waits, and what they say is posted.

What is asked is a Suspension, and so is every further time; what was said is on record word for
word, before anything is made of it.
"""

import hashlib
from functools import partial
from typing import Literal

from hive.board.board import USER
from hive.board.entry import Entry
from hive.board.records import Spoken, Suspension
from hive.phases.assemble import work_on
from hive.phases.observe import contributed, correction, refusal
from hive.phases.select import Contribute, Invalid
from hive.phases.spoken import question_of, read, ways
from hive.phases.strand import Strand
from hive.phases.waiting import ANSWERS, Party
from hive.tools.person import Enquiry

__all__ = ["turn_of_person"]


async def turn_of_person(strand: Strand) -> Literal["closed", "failed", "suspended"]:
    """Let a person do their part of a turn. What does not fit is told them, and they are asked
    again, as often as a turn has steps."""
    causes, wrong = (*strand.view.causes, strand.decision), ""
    own = strand._replace(origin=USER, label="trusted")
    for step in range(strand.desk.limits.steps):
        text = " ".join(filter(None, (wrong, asked_of(strand))))
        subject = str(strand.address(step, 0))
        asking = Suspension(waits_for="answer", subject=subject, text=text)
        strand.post((step, 0), asking, causes=causes, origin="coordinator")
        entry = await said(own, text, subject, step)
        if entry is None:
            return "suspended"
        fault = taken(own, entry, step)
        if fault is None:
            return "closed"
        causes = (str(entry.address), str(fault.address))
        wrong = f"That did not fit: {getattr(fault.payload, 'message', '').rstrip('.')}."
    return "failed"


def asked_of(strand: Strand) -> str:
    """What is wanted of a person, and how they may say it."""
    role, cause = strand.role, strand.view.cause
    wanted = role.instructions.strip() or f"It is your turn, {role.name}."
    work = "" if cause is None else work_on(cause)
    return " ".join(filter(None, (wanted, strand.task, work, ways(role))))


async def said(strand: Strand, text: str, subject: str, step: int) -> Entry | None:
    """What the person said to this, on record; None when nobody said anything while others of the
    turn were at work."""
    desk, address = strand.desk, strand.address(step, 1)
    known = desk.tape.spoken(address)
    if known is not None:
        return desk.writer.again(known)
    if not desk.tape.live:
        return None
    digest = hashlib.sha256(strand.view.digest + text.encode()).hexdigest()
    if desk.parent is not None:
        served = desk.parent.spoken(address, digest)
        if served is not None:
            again = served.model_copy(update={"served": True})
            return strand.post((step, 1), again, causes=(subject,))
        desk.parent.asks()
    room, party = desk.room, Party(desk.room, 1)
    room.expect(subject)
    enquiry = Enquiry(strand.role.name, text, subject, strand.view.entries)
    asking = None if room.respondent is None else partial(room.respondent.answer, enquiry)
    word = await room.wait(subject, ANSWERS, party, asking)
    party.end()
    if word is None:
        return None
    spoken = Spoken(text=word.text, by=word.by, item=word.item, digest=digest)
    return strand.post((step, 1), spoken, causes=(subject,))


def taken(strand: Strand, entry: Entry, step: int) -> Entry | None:
    """Post what a person's words come to; where they come to nothing, the Fault that says why."""
    payload = entry.payload
    assert isinstance(payload, Spoken)
    because = (str(entry.address),)
    final = step + 1 == strand.desk.limits.steps
    question = question_of(strand.view.cause, strand.desk.writer.board.state.questions)
    found = read(strand.role, payload.text, question)
    if isinstance(found, Invalid):
        return correction(strand, (step, 2), found, because, final)
    actions = [Contribute(each) for each in found]
    for action in actions:
        wrong = refusal(strand, action, tuple(action.payload.unfold()))
        if wrong is not None:
            return correction(strand, (step, 2), wrong, because, final)
    for slot, action in enumerate(actions, 2):
        contributed(strand, (step, slot), action, because)
    return None
