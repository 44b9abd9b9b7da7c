"""The embedded journal (floor 2): one SQLite file in WAL mode, insert only.

An entry's row and its content have one integer key each, run and sequence number together: SQLite
then appends to the end of a table, which is several times quicker than any other key, and costs the
same in a large file. Only contents that entries share are looked up by commitment.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from hive.board.entry import Row
from hive.errors import JournalError, JournalVersion, RunNotFound, StaleWriter
from hive.journal.journal import Batch, Commit, Stored
from hive.journal.lock import RunLocks

__all__ = ["Busy", "SQLiteJournal", "Synchronous"]

SCHEMA_VERSION = 1
SEQ_BITS = 40
LARGEST_SEQ = (1 << SEQ_BITS) - 1
CHECKPOINT_PAGES = 8000
"""The write-ahead log is folded into the file once it is so long (32 MB): a fold costs flushes."""
APPLICATION_ID = 0x48697665  # "Hive"
BUSY_SECONDS = 10.0

SCHEMA = """
CREATE TABLE runs (number INTEGER PRIMARY KEY, run TEXT NOT NULL UNIQUE);
CREATE TABLE entries (id INTEGER PRIMARY KEY, header BLOB NOT NULL, digest BLOB NOT NULL);
CREATE TABLE contents (id INTEGER PRIMARY KEY, commitment BLOB NOT NULL, salt BLOB, body BLOB);
CREATE TABLE kept (
    run INTEGER NOT NULL, commitment BLOB NOT NULL, salt BLOB, body BLOB,
    UNIQUE (run, commitment)
);
"""

Synchronous = Literal["normal", "full"]


class Busy(JournalError):
    """Another process is writing to the file right now."""


class SQLiteJournal:
    """A journal in one file.

    `synchronous` "normal" survives the death of the process, "full" a power cut too, at the price
    of a disk flush for each commit, which then runs on the writer thread. Raises JournalError when
    the file cannot be opened and JournalVersion when another version of Hive wrote it.
    """

    def __init__(
        self, path: str | Path, *, synchronous: Synchronous = "normal", create: bool = True
    ) -> None:
        self.path = Path(path)
        self.commit: Commit = "threaded" if synchronous == "full" else "inline"
        if not create and not self.path.exists():
            raise JournalError(f"no journal at {self.path}; runs are kept there once one was made")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(
                self.path, isolation_level=None, check_same_thread=False, timeout=BUSY_SECONDS
            )
        except (sqlite3.Error, OSError) as error:
            raise JournalError(f"the journal {self.path} cannot be opened: {error}") from error
        self._locks = RunLocks(self.path)
        try:
            self._prepare(synchronous)
        except (sqlite3.Error, OSError) as error:
            self.close()
            raise JournalError(f"the journal {self.path} cannot be opened: {error}") from error
        except JournalError:
            self.close()
            raise
        self._numbers: dict[str, int] = {}
        self._ends: dict[str, int] = {}
        self._patient = True

    def append(self, batches: Sequence[Batch], *, wait: bool) -> None:
        db = self._db
        try:
            if wait is not self._patient:
                db.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000) if wait else 0}")
                self._patient = wait
            db.execute("BEGIN IMMEDIATE")
            try:
                for batch in batches:
                    self._insert(batch)
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                self._forget(batches)
                raise
        except sqlite3.OperationalError as error:
            if not wait and error.sqlite_errorcode in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise Busy(f"the journal {self.path} is busy") from error
            raise JournalError(f"the journal {self.path} cannot be written: {error}") from error
        except sqlite3.IntegrityError as error:
            raise StaleWriter(f"another process has extended the run: {error}") from error
        except sqlite3.DatabaseError as error:
            raise JournalError(f"the journal {self.path} cannot be written: {error}") from error
        for batch in batches:
            self._ends[batch.run] = batch.expected + len(batch.sealed.headers)

    def read(self, run: str, start: int = 0) -> Iterator[Stored]:
        with self._reading():
            number = self._number(run)
            rows = self._db.execute(
                "SELECT e.id, e.header, e.digest, c.body"
                " FROM entries e LEFT JOIN contents c USING (id)"
                " WHERE e.id >= ? AND e.id < ? ORDER BY e.id",
                (number << SEQ_BITS | start, (number + 1) << SEQ_BITS),
            )
            for key, header, digest, body in rows:
                yield Stored(Row(key & LARGEST_SEQ, header, digest), body)

    def content(self, run: str, commitment: str) -> bytes | None:
        with self._reading():
            row = self._db.execute(
                "SELECT body FROM kept JOIN runs ON kept.run = number"
                " WHERE runs.run = ? AND commitment = ?",
                (run, bytes.fromhex(commitment)),
            ).fetchone()
        return None if row is None else row[0]

    def runs(self) -> list[str]:
        with self._reading():
            return [run for (run,) in self._db.execute("SELECT run FROM runs ORDER BY run DESC")]

    def hold(self, run: str) -> bool:
        return self._locks.hold(run)

    def release(self, run: str) -> None:
        self._locks.release(run)

    def held(self, run: str) -> bool:
        return self._locks.held(run)

    def close(self) -> None:
        self._locks.close()
        self._db.close()

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise JournalError(f"the journal {self.path} cannot be read: {error}") from error

    def _forget(self, batches: Sequence[Batch]) -> None:
        """What was taken back, or somebody else has changed, is not known any more."""
        for batch in batches:
            self._ends.pop(batch.run, None)
            self._numbers.pop(batch.run, None)

    def _prepare(self, synchronous: Synchronous) -> None:
        db = self._db
        if self._is_empty():
            with self._locks.alone():
                if self._is_empty():  # nobody else has made it meanwhile
                    db.execute("PRAGMA journal_mode = WAL")
                    db.executescript(
                        f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA application_id = {APPLICATION_ID};"
                        f" PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
                    )
        db.execute(f"PRAGMA synchronous = {synchronous.upper()}")
        db.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")

    def _is_empty(self) -> bool:
        """Whether the file is still to be made a journal. Raises JournalError when it is something
        else, which is left as it is."""
        db = self._db
        # Tables first: who finds them also finds the ids, which came with them in one commit.
        if not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            return True
        (version,) = db.execute("PRAGMA user_version").fetchone()
        (application,) = db.execute("PRAGMA application_id").fetchone()
        if application != APPLICATION_ID:
            raise JournalError(
                f"{self.path} is an SQLite file of another program; name another file"
            )
        if version != SCHEMA_VERSION:
            raise JournalVersion(
                f"{self.path} is a journal of schema version {version}; this Hive reads version"
                f" {SCHEMA_VERSION}. Open it with the Hive that wrote it, or name another file"
            )
        return False

    def _number(self, run: str, *, create: bool = False) -> int:
        number = self._numbers.get(run)
        if number is not None:
            return number
        row = self._db.execute("SELECT number FROM runs WHERE run = ?", (run,)).fetchone()
        if row is None and create:
            cursor = self._db.execute("INSERT INTO runs (run) VALUES (?)", (run,))
            row = (cursor.lastrowid,)
        if row is None:
            raise RunNotFound(f"no run {run!r} in {self.path}")
        self._numbers[run] = row[0]
        return int(row[0])

    def _insert(self, batch: Batch) -> None:
        number = self._number(batch.run, create=True)
        end = self._ends.get(batch.run)
        if end != batch.expected:  # unknown, or another process has extended the run
            (end,) = self._db.execute(
                "SELECT coalesce((max(id) & ?) + 1, 0) FROM entries WHERE id >= ? AND id < ?",
                (LARGEST_SEQ, number << SEQ_BITS, (number + 1) << SEQ_BITS),
            ).fetchone()
        if end != batch.expected:
            raise StaleWriter(
                f"run {batch.run} has {end} entries where this writer expected {batch.expected};"
                " another process has extended it"
            )
        first = number << SEQ_BITS | batch.expected
        sealed, db = batch.sealed, self._db
        keys = range(first, first + len(sealed.headers))
        db.executemany(
            "INSERT INTO entries VALUES (?, ?, ?)",
            zip(keys, sealed.headers, sealed.digests, strict=True),
        )
        db.executemany(
            "INSERT INTO contents VALUES (?, ?, ?, ?)",
            zip(keys, sealed.commitments, sealed.salts, sealed.bodies, strict=True),
        )
        if batch.kept:
            db.executemany(
                "INSERT INTO kept VALUES (?, ?, ?, ?)", [(number, *kept) for kept in batch.kept]
            )
