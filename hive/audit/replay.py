"""Replay (floor 7): the coordinator once more, over a tape that holds the whole run."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hive.beginning import board_for
from hive.board.board import Board
from hive.board.entry import Address, Entry
from hive.board.records import RunStarted
from hive.board.tape import BreaksOff, Redacted, WholeTape
from hive.control.budget import Scope
from hive.coordinator import Coordinator
from hive.errors import Divergence, JournalError
from hive.journal.journal import Journal
from hive.journal.lineage import lineage, read_whole
from hive.journal.reading import close_before
from hive.journal.rewriter import Rewriter
from hive.phases.deadline import Deadline
from hive.phases.strand import Desk

if TYPE_CHECKING:
    from hive.workflow import Workflow

__all__ = ["Replayed", "replay"]

GOAL = Address(0, "", (1,))


@dataclass(frozen=True)
class Replayed:
    """What came of a replay: `entries` were the same, until the `divergence`, or until `redacted`,
    the first entry whose erased content was needed to go on.

    `changed` says in what the workflow differs from the recorded one, part by part. `shared` is how
    many of the entries a fork has from its parent, which are taken as they are.
    """

    run: str
    entries: int
    identical: bool
    divergence: Divergence | None = None
    redacted: Entry | None = None
    changed: tuple[str, ...] = ()
    shared: int = 0


async def replay(
    journal: Journal,
    run: str,
    workflow: "Workflow",
    beat: Callable[[int, int], None] = lambda done, entries: None,
) -> Replayed:
    """Run the coordinator again with the replies, results, times and chance of a recorded run.

    `beat` is told how many of how many entries have come. Raises JournalError for a run that cannot
    be read.
    """
    entries = [
        Entry.stored(row, body, workflow.vocabulary) for row, _, body in read_whole(journal, run)
    ]
    first = entries[0].payload
    if not isinstance(first, RunStarted):
        raise JournalError(f"run {run} does not begin with RunStarted; it cannot be replayed")
    again = Again(journal, workflow, first, entries, beat)
    divergence, redacted = await again.run()
    same = divergence is None and redacted is None
    done = again.writer.posted
    return Replayed(run, done, same, divergence, redacted, shared=again.shared)


class Again:
    """A recorded run, set up to be run again."""

    def __init__(
        self,
        journal: Journal,
        workflow: "Workflow",
        first: RunStarted,
        entries: list[Entry],
        beat: Callable[[int, int], None],
    ) -> None:
        self.first = first
        self.board = board_for(workflow)
        self.shared = first.cut or 0 if first.parent else 0
        gone = remember_all(self.board, journal, first.run)
        self.goal = next((entry for entry in entries if entry.address == GOAL), None)
        self.tape = WholeTape(entries[self.shared :])
        self.writer = Rewriter(first.run, self.board, self.tape, gone, self._told)
        self._beat = beat
        self._entries = len(entries) - self.shared
        self._take_over(entries[: self.shared])
        desk = desk_of(workflow, self.writer, self.tape)
        text = getattr(None if self.goal is None else self.goal.payload, "text", "")
        self.coordinator = Coordinator(workflow.silent_team(), desk, text, first.seed)

    async def run(self) -> tuple[Divergence | None, Entry | None]:
        """What differs first, and the erased entry that was needed; neither, if all is the same."""
        if self.goal is not None and self.goal.erased:
            return None, self.goal
        try:
            with suppress(BreaksOff):
                await self.coordinator.run(self.first)
            for entry in self.tape.end():
                self.writer.again(entry)
        except Divergence as divergence:
            return divergence, None
        except Redacted as redacted:
            return None, redacted.entry
        return None, None

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
        self._beat(self.writer.posted, self._entries)


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


def desk_of(workflow: "Workflow", writer: Rewriter, tape: WholeTape) -> Desk:
    """What the strands of a replay share: no workspace, and nobody to ask."""
    budget = workflow.budget
    return Desk(
        writer=writer,
        tape=tape,
        limits=workflow.limits,
        approver=workflow.approvals,
        scope=Scope("the run", cost=budget.nano, tokens=budget.tokens, calls=budget.calls),
        deadline=Deadline(workflow.limits.call_seconds),
        in_doubt=workflow.in_doubt,
    )
