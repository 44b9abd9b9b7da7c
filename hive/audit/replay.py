"""Replay (floor 7): the coordinator once more, over a tape that holds the whole run."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from hive.audit.causes import Difference, differing, likely_cause
from hive.beginning import board_for
from hive.board.board import Board
from hive.board.canonical import decode
from hive.board.contributions import Attachment
from hive.board.entry import Address, Entry
from hive.board.records import Resumed, RunStarted
from hive.board.tape import BreaksOff, WholeTape
from hive.control.budgets.books import Books
from hive.control.budgets.pool import drawn_on
from hive.coordinator import ATTACHED, Coordinator
from hive.errors import ContentErased, Divergence, JournalError
from hive.fingerprint import differences
from hive.journal.journal import Journal
from hive.journal.lineage import content_of, lineage, read_whole
from hive.journal.reading import close_before
from hive.journal.rewriter import Rewriter
from hive.phases.deadline import Deadline
from hive.phases.strand import Desk

if TYPE_CHECKING:
    from hive.workflow import Workflow

__all__ = ["Replayed", "replay"]

GOAL = Address(0, "", (1,))
BEAT = 100
"""Entries after which the count is told again."""


@dataclass(frozen=True)
class Replayed:
    """What came of a replay: `entries` were the same, until the `divergence`, or until `redacted`,
    the first entry whose erased content was needed to go on.

    `changed` says in what the workflow differs from the recorded one; `differences` are those of
    the two sides of the divergence. `shared` is how many entries a fork has from its parent, which
    were made by the parent's workflow and are taken as they are.
    """

    run: str
    entries: int
    identical: bool
    divergence: Divergence | None = None
    redacted: Entry | None = None
    changed: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()
    shared: int = 0


async def replay(
    journal: Journal,
    run: str,
    workflow: "Workflow",
    beat: Callable[[int], None] = lambda entries: None,
) -> Replayed:
    """Run the coordinator again with the replies, results, times and chance of a recorded run.

    `beat` is told now and then how many entries have come. Raises JournalError for a run that
    cannot be read.
    """
    entries = [
        Entry.stored(row, body, workflow.vocabulary) for row, _, body in read_whole(journal, run)
    ]
    first = entries[0].payload
    if not isinstance(first, RunStarted):
        raise JournalError(f"run {run} does not begin with RunStarted; it cannot be replayed")
    again = Again(journal, workflow, first, entries, beat)
    try:
        await again.run()
    except Divergence as divergence:
        # What a fork shares is taken as it is: where some of it is gone, the rest may differ.
        gone = next((entry for entry in entries[: again.shared] if entry.erased), None)
        found = told(again, journal, divergence)
        if gone is not None:
            found = Replayed(run, again.writer.posted, False, redacted=gone)
    except ContentErased as erased:
        found = Replayed(run, again.writer.posted, False, redacted=erased.entry)
    else:
        found = Replayed(run, again.writer.posted, True)
    if not found.changed:
        changed = changes(journal, run, workflow, again.workflows[-1])
        found = replace(found, changed=changed)
    return replace(found, shared=again.shared)


def told(again: "Again", journal: Journal, divergence: Divergence) -> Replayed:
    """A divergence with what differs, and what that probably comes from."""
    run, unknown = again.first.run, again.writer.unknown

    def search(commitment: str) -> bytes | None:
        kept = content_of(journal, run, commitment)
        return unknown.get(commitment) if kept is None else kept.body

    recorded, now = divergence.recorded, divergence.now
    both = recorded is not None and now is not None
    fields = tuple(differing(recorded, now, search)) if both else ()
    turn = Address.parse(divergence.address).turn
    in_force = [since for since in again.workflows if since.turn <= turn][-1]
    changed = changes(journal, run, again.workflow, in_force)
    divergence.cause = likely_cause(divergence, fields, changed)
    later = again.workflows[-1]
    if later is not in_force:
        divergence.cause += f"; in turn {later.turn} the run went on under a changed workflow"
    done = again.writer.posted
    return Replayed(run, done, False, divergence, changed=changed, differences=fields)


class Since(NamedTuple):
    """From which turn on a run went by a workflow, and the commitment of its fingerprint."""

    turn: int
    fingerprint: str


def workflows_of(first: RunStarted, entries: list[Entry]) -> list[Since]:
    """The workflows by which a run went, one after the other."""
    found = [Since(0, first.fingerprint)]
    for entry in entries:
        if entry.cls is Resumed:
            resumed = entry.payload
            if isinstance(resumed, Resumed) and resumed.fingerprint is not None:
                found.append(Since(entry.address.turn, resumed.fingerprint))
    return found


def changes(journal: Journal, run: str, workflow: "Workflow", since: Since) -> tuple[str, ...]:
    """In what a workflow differs from a recorded one; nothing where that was erased."""
    kept = content_of(journal, run, since.fingerprint)
    if kept is None or kept.body is None:
        return ()
    return tuple(differences(decode(kept.body), decode(workflow.manifest_bytes)))


class Again:
    """A recorded run, set up to be run again."""

    def __init__(
        self,
        journal: Journal,
        workflow: "Workflow",
        first: RunStarted,
        entries: list[Entry],
        beat: Callable[[int], None],
    ) -> None:
        self.workflow = workflow
        self.first = first
        self.board = board_for(workflow)
        self.shared = first.cut or 0 if first.parent else 0
        self.workflows = workflows_of(first, entries)
        gone = remember_all(self.board, journal, first.run)
        self.goal = next((entry for entry in entries if entry.address == GOAL), None)
        self.attached = [entry for entry in entries if is_attached(entry)]
        self.tape = WholeTape(entries[self.shared :])
        self.writer = Rewriter(first.run, self.board, self.tape, gone, self._told)
        self._beat = beat
        self._take_over(entries[: self.shared])
        desk = desk_of(workflow, self.writer, self.tape, first)
        text = getattr(None if self.goal is None else self.goal.payload, "text", "")
        handed = tuple(e.payload for e in self.attached if isinstance(e.payload, Attachment))
        self.coordinator = Coordinator(
            workflow.silent_team(), desk, text, first.seed, attachments=handed
        )

    async def run(self) -> None:
        """Raises Divergence at the first entry that differs, and ContentErased where an erased one
        is needed."""
        for entry in (self.goal, *self.attached):
            if entry is not None and entry.erased:
                raise ContentErased(entry)
        with suppress(BreaksOff):
            await self.coordinator.run(self.first)
        for entry in self.tape.end():
            self.writer.again(entry)

    def _take_over(self, shared: list[Entry]) -> None:
        """Put what a fork shares with its parent on the board, turn by turn."""
        opened: list[Entry] = []
        for entry in shared:
            close_before(self.board, opened, entry.address.turn)
            self.board.adopt(entry)
            opened.append(entry)
        if opened:
            close_before(self.board, opened, opened[-1].address.turn + 1)

    def _told(self) -> None:
        if not self.writer.posted % BEAT:
            self._beat(self.writer.posted)


def is_attached(entry: Entry) -> bool:
    """Whether an entry is an image or a file that came with the goal."""
    return not entry.turn and not entry.strand and entry.place[0] == ATTACHED


def remember_all(board: Board, journal: Journal, run: str) -> set[str]:
    """Have all that a run keeps stored under its recorded commitment; gives those of contents that
    were erased."""
    gone: set[str] = set()
    for owner in dict.fromkeys(segment.run for segment in lineage(journal, run)):
        for content in journal.kept(owner):
            if content.body is None:
                gone.add(content.commitment.hex())
            else:
                board.remember(content.commitment.hex(), content.body)
    return gone


def desk_of(workflow: "Workflow", writer: Rewriter, tape: WholeTape, first: RunStarted) -> Desk:
    """What the strands of a replay share: no workspace, and nobody to ask."""
    return Desk(
        writer=writer,
        tape=tape,
        limits=workflow.limits,
        approver=workflow.approvals,
        books=Books(workflow.budget, None if first.pool is None else drawn_on(first.pool)),
        deadline=Deadline(workflow.limits.call_seconds),
        in_doubt=workflow.in_doubt,
    )
