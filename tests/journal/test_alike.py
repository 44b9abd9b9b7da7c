"""Whatever is done to them, in whichever order, all journals give the same answers."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from hive.board.board import Board
from hive.errors import JournalError
from hive.journal.journal import Journal, new_run_id
from hive.journal.memory import MemoryJournal
from hive.journal.sqlite import SQLiteJournal
from tests.board.boards import board
from tests.journal.stores import LARGE, batch

RUNS = sorted(new_run_id() for _ in range(3))
runs = st.sampled_from(RUNS)
said = st.sampled_from(["a", "b", "x" * LARGE, "y" * LARGE])
places = st.lists(st.integers(0, 8), max_size=3)


class Alike(RuleBasedStateMachine):
    """A journal in memory beside one in a file: what one says, the other says."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.memory = MemoryJournal()
        self.path = Path(self.folder.name) / "journal.db"
        self.file = SQLiteJournal(self.path)
        self.boards: dict[str, Board] = {}
        self.leases: dict[str, int] = {}

    def teardown(self) -> None:
        self.file.close()
        self.folder.cleanup()

    def both(self, what: Callable[[Journal], Any]) -> Any:
        """The answer of both; for an error, its kind."""
        answers = []
        for journal in (self.memory, self.file):
            try:
                answers.append(what(journal))
            except JournalError as error:
                answers.append(type(error))
        assert answers[0] == answers[1]
        return answers[0]

    @rule(run=runs, texts=st.lists(said, max_size=4), keep=said, off=st.sampled_from([0, 0, 0, 1]))
    def append(self, run: str, texts: list[str], keep: str, off: int) -> None:
        """Append with the token that is right, or with another."""
        written = self.boards.setdefault(run, board())
        lease = self.leases.get(run, 1) + off
        following = batch(written, run, *texts, keep=(keep.encode(),), lease=lease)
        if self.both(lambda journal: journal.append([following], wait=True)) is not None:
            del self.boards[run]  # its entries are sealed, and stored nowhere

    @rule(run=runs)
    def hold(self, run: str) -> None:
        lease = self.both(lambda journal: journal.hold(run, "me"))
        if isinstance(lease, int):
            self.leases[run] = lease

    @rule(run=runs)
    def release(self, run: str) -> None:
        self.both(lambda journal: journal.release(run))

    @rule(run=runs)
    def forget(self, run: str) -> None:
        if self.both(lambda journal: journal.forget(run)) is None:
            self.boards.pop(run, None)
            self.leases.pop(run, None)

    @rule(run=runs, text=said)
    def send(self, run: str, text: str) -> None:
        self.both(lambda journal: journal.send(run, 1, "me", "say", "0//1", text))

    @rule(run=runs, seqs=places, items=places, data=st.data())
    def erase(self, run: str, seqs: list[int], items: list[int], data: st.DataObject) -> None:
        kept = [content.commitment.hex() for content in self.memory.kept(run)]
        commitments = data.draw(st.lists(st.sampled_from([*kept, "ab" * 32]), max_size=2))
        self.both(lambda journal: journal.erase(run, seqs, commitments, items))

    @rule()
    def open_again(self) -> None:
        """What is in the file is all that counts; who held a run has let go of it."""
        self.file.close()
        self.file = SQLiteJournal(self.path)
        for run in RUNS:
            self.memory.release(run)

    @invariant()
    def alike(self) -> None:
        self.both(lambda journal: journal.runs())
        self.both(lambda journal: journal.inbox())
        for run in RUNS:
            self.both(lambda journal, run=run: list(journal.read(run)))  # type: ignore[misc]
            self.both(lambda journal, run=run: list(journal.kept(run)))  # type: ignore[misc]
            self.both(lambda journal, run=run: journal.length(run))  # type: ignore[misc]
            self.both(lambda journal, run=run: journal.inbox(2, run))  # type: ignore[misc]
            self.both(lambda journal, run=run: list(journal.strays(run)))  # type: ignore[misc]
            self.both(
                lambda journal, run=run: (h := journal.holder(run)) and h.name  # type: ignore[misc]
            )


TestAlike = Alike.TestCase
TestAlike.settings = settings(stateful_step_count=20)
