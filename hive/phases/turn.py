"""A strand from first step to last (floor 5): assemble, reason, select, execute, observe."""

from typing import Literal

from hive.board.entry import Entry
from hive.message import Text, ToolResult
from hive.phases.assemble import Talk, assemble
from hive.phases.execute import execute
from hive.phases.observe import contributed, correction, handed, messages, said
from hive.phases.person import turn_of_person
from hive.phases.reason import fault, reason
from hive.phases.select import Action, Contribute, GoOn, HandOff, Invalid, Pass, UseTool, select
from hive.phases.strand import Strand

__all__ = ["StrandEnd", "run_strand"]

StrandEnd = Literal["closed", "failed", "suspended"]


async def run_strand(strand: Strand) -> StrandEnd:
    """Let a role do its part of a turn. Whatever goes wrong in it ends as a Fault on the board."""
    if strand.role.person:
        return await turn_of_person(strand)
    talk = Talk([])
    contributions = 0
    while talk.step < strand.desk.limits.steps:
        request = assemble(strand, talk)
        if strand.desk.share is not None:
            await strand.desk.share.up_to_date()
        thought = await reason(strand, request, talk.causes, talk.step)
        if thought is None:
            return "failed"
        actions = select(strand.role, thought.inference, tuple(strand.targets), bool(contributions))
        step = Step(strand, talk, str(thought.entry.address))
        await step.take(actions)
        contributions += step.contributions
        if step.end is not None:
            return step.end
        if step.called and strand.label != "outside":  # from here on it speaks of what it has read
            strand = strand._replace(label="outside")
        talk.add(messages(thought.inference.parts, step.outcomes()), step.causes())
    fault(
        strand,
        (talk.step, 0),
        "steps_exhausted",
        f"role {strand.role.name!r} did not end its turn in {strand.desk.limits.steps} steps",
        talk.causes,
    )
    return "failed"


class Step:
    """The actions of one reply: carried out, put on the board, and told back in their order."""

    def __init__(self, strand: Strand, talk: Talk, thought: str) -> None:
        self.strand = strand
        self.talk = talk
        self.because = (thought,)
        self.told: dict[int, ToolResult | Text] = {}
        self.entries: dict[int, Entry] = {}
        self.contributions = 0
        self.ended = False
        self.called = False
        self.invalid = 0
        self.end: StrandEnd | None = None

    async def take(self, actions: tuple[Action, ...]) -> None:
        """Carry all actions out; afterwards `end` says how the strand ended, if it did."""
        calls: list[tuple[int, UseTool]] = []
        for slot, action in enumerate(actions, 2):
            if isinstance(action, UseTool):
                calls.append((slot, action))
            else:
                self.speak(slot, action)
        suspended = False
        if calls:
            self.called = True
            for done in await execute(self.strand, calls, self.because, self.talk.step):
                self.told[done.slot] = done.result
                suspended = suspended or done.entry is None
                if done.entry is not None:
                    self.entries[done.slot] = done.entry
        if suspended:
            self.end = "suspended"
        elif self.end is None and self.ended and not self.invalid:
            self.end = "closed"

    def speak(self, slot: int, action: Contribute | HandOff | Pass | GoOn | Invalid) -> None:
        """An action that needs no tool."""
        place = (self.talk.step, slot)
        if isinstance(action, Contribute):
            entry = contributed(self.strand, place, action, self.because)
            if isinstance(entry, Invalid):
                self.reject(slot, entry)
                return
            self.contributions += 1
            self.entries[slot] = entry
            answered = action.use is None and not action.beside
            self.ended |= answered or self.strand.role.program is not None
            if action.use is not None:
                self.told[slot] = said(self.strand, action.use, f"posted as [{entry.address}]")
        elif isinstance(action, HandOff):
            entry = handed(self.strand, place, action, self.because)
            self.entries[slot] = entry
            self.ended = True
            self.told[slot] = said(self.strand, action.use, "noted")
        elif isinstance(action, Pass):
            self.ended = True
            if action.use is not None:
                self.told[slot] = said(self.strand, action.use, "noted")
        elif isinstance(action, Invalid):
            self.reject(slot, action)

    def reject(self, slot: int, action: Invalid) -> None:
        """Record an invalid action; the strand fails once its corrections are used up."""
        role = self.strand.role
        if not self.invalid:
            self.talk.corrections += 1
        self.invalid += 1
        final = action.final or role.program is not None or self.talk.corrections > role.corrections
        entry = correction(self.strand, (self.talk.step, slot), action, self.because, final)
        self.entries[slot] = entry
        self.told[slot] = said(self.strand, action.use, action.message, error=True)
        if final:
            self.end = "failed"

    def outcomes(self) -> list[ToolResult | Text]:
        """What the role is told, in the order of its actions."""
        return [self.told[slot] for slot in sorted(self.told)]

    def causes(self) -> tuple[str, ...]:
        """What the next request adds: this answer and what came of it."""
        return (*self.because, *(str(self.entries[slot].address) for slot in sorted(self.entries)))
