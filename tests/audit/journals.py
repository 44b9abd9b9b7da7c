"""Journal files with several runs in them, written as Hive writes them, to be verified and tampered
with: short and long contents, shared ones, erased ones, a run taken up again, a fork of a fork."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from hive.audit.heads import Head
from hive.audit.verification import Verification
from hive.board.board import Board
from hive.board.contributions import Note
from hive.board.entry import Entry
from hive.board.payload import Payload
from hive.board.records import Redaction, RunStarted, Termination
from hive.journal.journal import Batch, Journal, new_run_id
from hive.journal.sqlite import SQLiteJournal
from tests.board.boards import board, post

LONG = "long " * 1000
SEQ = 1 << 40
Cells = tuple[Any, ...]


class Written:
    """A run that is being written, entry by entry."""

    def __init__(self, journal: Journal, **shares: Any) -> None:
        self.journal = journal
        self.run = new_run_id()
        self.board: Board = board()
        self.board.lease = journal.hold(self.run, "a test")
        self.rows = 0
        first = RunStarted(
            run=self.run,
            hive="0.1",
            schema_version=1,
            workflow="w",
            fingerprint=self.board.store(b"the fingerprint"),
            vocabulary=self.board.store(b"the vocabulary"),
            **shares,
        )
        self.post(first, "0//0", "coordinator")

    def post(
        self, payload: Payload, address: str, author: str = "writer", causes: tuple[str, ...] = ()
    ) -> Entry:
        """Append one entry to the journal."""
        entry = post(self.board, payload, address, author, causes)
        sealed = self.board.seal()
        batch = Batch(self.run, self.rows, sealed, self.board.kept(), self.board.lease)
        self.journal.append([batch], wait=True)
        self.rows += len(sealed.headers)
        return entry

    def note(self, text: str) -> Entry:
        return self.post(Note(text=text), f"1/writer/{self.rows}")

    def end(self) -> Entry:
        """Have the run end, and let go of it."""
        end = Termination(outcome="finished", reason="goal_reached", guard="", message="done")
        entry = self.post(end, "9//0", "coordinator")
        self.journal.release(self.run)
        return entry

    def again(self) -> None:
        """Another process takes the run over."""
        self.journal.release(self.run)
        self.board.lease = self.journal.hold(self.run, "another test")

    def erase(self, entry: Entry) -> None:
        """Have an entry's content redacted."""
        address, commitment = str(entry.address), entry.commitment.hex()
        self.post(
            Redaction(why="a secret", by="a person", entries=(address,), contents=(commitment,)),
            f"1//10.{self.rows}",
            "coordinator",
        )
        self.journal.erase(self.run, [entry.seq], [commitment])

    def fork(self, cut: int, digest: str) -> Written:
        """A run that shares the first entries of this one."""
        return Written(self.journal, parent=self.run, cut=cut, cut_digest=digest)


def write(path: Path) -> list[str]:
    """Make a journal file; the ids of its runs: an ordinary one, its fork, and that one's fork."""
    journal = SQLiteJournal(path)
    one = Written(journal)
    one.board.store(b"shared with the next entry")
    entries = [one.note(text) for text in ("a", LONG, "b", LONG, "secret")]
    one.again()
    entries += [one.note(text) for text in ("c", LONG + "secret", "d")]
    one.erase(entries[4])
    one.erase(entries[6])
    one.note("e")
    fork = one.fork(7, entries[5].digest.hex())
    entries = [fork.note(text) for text in ("f", LONG, "g", "h")]
    further = fork.fork(9, entries[1].digest.hex())
    further.note("i")
    journal.close()
    return [one.run, fork.run, further.run]


def rows(path: Path, table: str) -> list[Cells]:
    """All rows of a table, each with its key first."""
    with sqlite3.connect(path) as db:
        found = db.execute(f"SELECT rowid, * FROM {table} ORDER BY rowid").fetchall()
    db.close()
    return found


def head_of(result: Verification) -> Head:
    return Head(result.run, result.entries, result.head, at=0, hive="0.1")
