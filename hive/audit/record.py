"""Record (floor 7): one run read back from a journal, without its workflow or a user's classes.

with Record.open("sqlite:.hive/journal.db", "01k8") as record:
    print(record.summary.state, len(record.entries))
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from pydantic import JsonValue

from hive.audit.changes import net_changes
from hive.audit.course import Course, Summary
from hive.audit.heads import Head
from hive.audit.replay import Replayed, replay
from hive.audit.verification import Verification, verify
from hive.board.board import Board
from hive.board.contributions import EVERYWHERE
from hive.board.entry import Address, Entry
from hive.board.payload import Vocabulary
from hive.board.records import RECORDS, Redaction, RunStarted, Termination
from hive.clock import Clock, SystemClock
from hive.errors import JournalError, JournalVersion, PayloadError
from hive.forking import FRESH, LIVE_EFFECTS, Changes, fork
from hive.journal.journal import Journal
from hive.journal.lineage import content_of, read_whole
from hive.journal.opening import find_run, open_journal
from hive.journal.writer import salts
from hive.run import Run
from hive.tools.approval import Approver
from hive.tools.recorded import state_after
from hive.tools.snapshot import rebuild
from hive.tools.workspace import FileChange, Workspace
from hive.workflow import Workflow

if TYPE_CHECKING:
    from hive.workflow import Workflow

__all__ = ["Record"]

TURN = re.compile(r"turn:(\d{1,9})")


class Record:
    """A run as its journal holds it: records are typed, contributions are plain data (Opaque).

    `board` answers by kind, author, cause and address. Raises RunNotFound, and JournalError for an
    entry that cannot be read.
    """

    def __init__(self, journal: Journal, run: str) -> None:
        self.journal = journal
        self.id = run
        self.board = Board(Vocabulary((*RECORDS, *EVERYWHERE)), salts=salts)
        self._owned: Journal | None = None
        course = Course()
        held = journal.holder(run) is not None
        for stored in read_whole(journal, run):
            row, _, body = stored
            try:
                entry = self.board.load(row, body, after=stay)
                entry.payload  # noqa: B018  read now, so that what does not fit is found here
                course.take(stored)
            except JournalVersion:
                raise
            except (PayloadError, KeyError, TypeError, ValueError) as error:
                text = f"entry {row.seq} of run {run} cannot be read: {error}"
                raise JournalError(text) from error
        self.summary: Summary = course.summary(run, held=held)

    @classmethod
    def open(cls, where: "str | Path | Journal", run: str) -> Self:
        """The run whose id begins with `run` in the journal at `where`; `close` it when done with.

        Raises RunNotFound, and JournalError for a journal that is not there or cannot be read.
        """
        journal = open_journal(where, create=False)
        try:
            record = cls(journal, find_run(journal, run))
        except BaseException:
            if journal is not where:
                journal.close()
            raise
        record._owned = None if journal is where else journal
        return record

    @property
    def entries(self) -> list[Entry]:
        """All entries, in the order of arrival."""
        return self.board.entries

    @property
    def started(self) -> RunStarted:
        """The first entry: who the run is, where it came from. Raises JournalError without it."""
        first = self.entries[0].payload if self.entries else None
        if not isinstance(first, RunStarted):
            raise JournalError(
                f"run {self.id} does not begin with RunStarted; nothing is known of it"
            )
        return first

    @property
    def answer(self) -> str:
        """The final answer; "" as long as there is none."""
        words = self.board.of_kind("Synthesis")
        return getattr(words[-1].payload, "text", "") if words else ""

    def content(self, commitment: str | None) -> bytes | None:
        """What is kept under a commitment; None when unknown or erased."""
        kept = None if commitment is None else content_of(self.journal, self.id, commitment)
        return None if kept is None else kept.body

    def redaction(self, entry: Entry) -> str:
        """What stands in the place of an erased content: `[redacted: why]`."""
        for each in self.board.of_kind(Redaction):
            if (
                isinstance(each.payload, Redaction)
                and entry.commitment.hex() in each.payload.contents
            ):
                return f"[redacted: {each.payload.why}]"
        return "[redacted]"

    def verify(self, head: Head | None = None) -> Verification:
        """Check that the run is as it was written, and still has what an exported head says."""
        return verify(self.journal, self.id, head=head)

    def changes(self) -> tuple[FileChange, ...]:
        """What the run changed in its workspace, with the contents, ordered by path."""
        return tuple(
            FileChange(
                change.path,
                self.content(change.before_content),
                self.content(change.after_content),
            )
            for change in net_changes(self.entries)
        )

    async def replay(self, workflow: "Workflow") -> Replayed:
        """Run the coordinator again with what is on record: no model, no tool, no network.

        Raises Divergence at the first entry that is not the recorded one, with both sides and the
        likely cause, and JournalError for a run that cannot be read.
        """
        result = await replay(self.journal, self.id, workflow)
        if result.divergence is not None:
            raise result.divergence
        return result

    def workspace_at(self, where: Address | str | int, target: str | Path) -> Workspace:
        """Rebuild the workspace as it was after an entry, given by its address or its number, or
        at the beginning of a turn, given as `turn:5`, in the folder `target`, which is made or is
        empty. A turn later than the end of a run is its end, as where it is forked.

        What the record does not hold is taken from the run's own workspace where that still has
        the same. Raises DeclarationError for a folder in which something stands, JournalError for
        an entry or a turn that is not there and a run without a workspace on record, and
        WorkspaceLost when files cannot be had any more.
        """
        turn = TURN.fullmatch(where) if isinstance(where, str) else None
        found = self.entry(where) if turn is None else self._before(int(turn[1]))
        state = state_after(self.entries[: found.seq + 1], self.content)
        if state is None:
            raise JournalError(f"run {self.id} has no workspace on record")
        own = Path(self.started.workspace or "")
        source = Workspace(own) if self.started.workspace and own.is_dir() else None
        return rebuild(state, Path(target), self.content, source)

    def entry(self, where: Address | str | int) -> Entry:
        """An entry by its address (the last attempt there) or its number. Raises JournalError when
        there is none."""
        if isinstance(where, int):
            found = self.entries[where] if 0 <= where < len(self.entries) else None
        else:
            found = self.board.at(where)
        if found is None:
            last = len(self.entries) - 1
            raise JournalError(f"run {self.id} has no entry {where}; its last one is entry {last}")
        return found

    def _before(self, turn: int) -> Entry:
        """The last entry before a turn, or before the ending. Raises JournalError when there is
        none."""
        ending = [entry.address.turn for entry in self.board.of_kind(Termination)]
        last = max(entry.address.turn for entry in self.entries)
        begun = min([turn, *ending])
        if not 1 <= begun <= last:
            raise JournalError(f"run {self.id} has no turn {turn}; its turns are 1 to {last}")
        place = next(n for n, entry in enumerate(self.entries) if entry.address.turn >= begun)
        return self.entries[place - 1]

    def turn(self, number: int) -> list[Entry]:
        """The entries of one turn, in the order of arrival."""
        return [entry for entry in self.entries if entry.address.turn == number]

    def fork(
        self,
        *,
        at: int | str,
        workflow: "Workflow",
        workspace: str | Path | None = None,
        sample: int = 0,
        fresh: bool = False,
        live_effects: bool = False,
        tags: Iterable[str] = (),
        overrides: Mapping[str, JsonValue] | None = None,
        reference: str | None = None,
        approvals: Approver | None = None,
        clock: Clock | None = None,
    ) -> Run:
        """Another course of this run, from a cut on and under a workflow that may differ.

            fork = await record.fork(at="turn:5", workflow=team.with_models(coder="…")).result()

        The cut falls at the beginning of a turn: the one that is named, as `turn:5`, or that the
        entry of a number or an address belongs to. What precedes it is shared. What follows is
        served from this run for as long as the same is asked, and counts as it was paid there.
        Calls that leave the machine or cannot be undone are served or denied, unless
        `live_effects`. The workspace is rebuilt in a folder of the fork's own: `workspace`, which
        must be new or empty, or one beside the journal. `sample` tells several forks of one cut
        apart: from the second on chance is drawn anew. With `fresh` nothing is served but calls
        that reach the world outside: forks to measure others by, which a run served in full, the
        same every time, is not.

        The run is to be driven before this record, or the journal it was given, is closed. Raises
        DeclarationError for a cut that cannot be, JournalError and WorkspaceLost for what the
        journal does not hold any more, and what `Workflow.start` raises.
        """
        given = dict(overrides or {})
        given |= {key: True for key, on in ((FRESH, fresh), (LIVE_EFFECTS, live_effects)) if on}
        changes = Changes(
            at=at,
            workspace=workspace,
            sample=sample,
            tags=tuple(tags),
            overrides=given,
            reference=reference or workflow.name,
            approvals=approvals,
            clock=clock or SystemClock(),
        )
        return fork(workflow, self.id, journal=self.journal, changes=changes)

    def close(self) -> None:
        """Let go of the journal, if `open` opened it."""
        if self._owned is not None:
            self._owned.close()
            self._owned = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def stay(turn: int) -> None:
    """Turns need not be closed to be read."""
