"""The embedded journal (floor 2): one SQLite file in WAL mode.

An entry's row and its content have one integer key each, run and sequence number together: SQLite
then appends to the end of a table, which is several times quicker than any other key, and costs the
same in a large file. Only contents that entries share are looked up by commitment.

One connection appends, perhaps from the writer's thread; another does everything else, so that what
is read was committed.
"""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Literal

from hive.board.entry import Content, Row, named_content
from hive.errors import JournalError, RunNotFound, StaleWriter
from hive.journal.erasing import compact, erase, forget
from hive.journal.journal import Batch, Commit, Holder, InboxItem, InboxKind, Stored, held
from hive.journal.lock import RunLocks
from hive.journal.schema import FOLD_PAGES, LARGEST_SEQ, PAGE, SEQ_BITS, connect, prepare
from hive.journal.strays import strays

__all__ = ["Busy", "SQLiteJournal", "Synchronous"]

HAS_ENTRIES = (
    f"EXISTS (SELECT 1 FROM entries WHERE id >= number << {SEQ_BITS}"
    f" AND id < (number + 1) << {SEQ_BITS})"
)
INSERT_ENTRY = "INSERT INTO entries VALUES (?, ?, ?)"
INSERT_CONTENT = "INSERT INTO contents VALUES (?, ?, ?)"
PATIENCE = 10.0
FEW_ROWS = 8
"""Rows that are read at first: who wants a run's beginning or end wants no more."""
ROWS_AT_ONCE = 500
"""Rows that are read in one go: no reader keeps the file's log from being folded in."""
UNKNOWN = Holder("another process", 0)

Synchronous = Literal["normal", "full"]


class Busy(JournalError):
    """Another process is writing to the file right now, or its log is to be folded into it, which
    takes a while."""


class SQLiteJournal:
    """A journal in one file.

    `synchronous` "normal" survives the death of the process, "full" a power cut too, at the price
    of a disk flush for each commit, which then runs on the writer thread. `patience` is how many
    seconds another process's write is waited for. Raises JournalError when the file cannot be
    opened and JournalVersion when another version of Hive wrote it.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        synchronous: Synchronous = "normal",
        create: bool = True,
        patience: float = PATIENCE,
    ) -> None:
        self.path = Path(path)
        self.commit: Commit = "threaded" if synchronous == "full" else "inline"
        if self.path.is_dir():
            raise JournalError(f"{str(path)!r} is a folder; name a file in it for the journal")
        if not create and not self.path.exists():
            raise JournalError(f"no journal at {self.path}; runs are kept there once one was made")
        self._patience = patience
        self._locks = RunLocks(self.path)
        with self._opening():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._db = connect(self.path, patience)
        try:
            with self._opening():
                self._side = self._db
                prepare(self._db, self.path, self._locks)
                self._side = connect(self.path, patience)
                for db in (self._db, self._side):
                    db.execute(f"PRAGMA synchronous = {synchronous.upper()}")
        except JournalError:
            self.close()
            raise
        self._appending = Lock()
        """Appending may be left to a thread; another one waits for it."""
        self._cursor = self._db.cursor()
        self._patient = True
        self._unfolded = 0
        """Pages that this journal has written to the log since it was folded in, as a guess."""
        self._version = -1
        """What SQLite calls the state of the file: the same as long as nobody else commits."""
        self._known: dict[str, tuple[int, int, int]] = {}
        """Number, token and end of runs, as they are at that version."""

    def append(self, batches: Sequence[Batch], *, wait: bool) -> None:
        try:
            with self._appending:
                if wait is not self._patient:
                    milliseconds = int(self._patience * 1000) if wait else 0
                    self._cursor.execute(f"PRAGMA busy_timeout = {milliseconds}")
                    self._patient = wait
                if self._unfolded > FOLD_PAGES:
                    self._fold(wait)
                self._commit(batches)
        except sqlite3.IntegrityError as error:
            raise StaleWriter(f"another process has extended the run: {error}") from error
        except sqlite3.DatabaseError as error:
            if not wait and is_busy(error):
                raise Busy(f"the journal {self.path} is busy") from error
            raise self._unwritable(error) from error

    def read(self, run: str, start: int = 0) -> Iterator[Stored]:
        number = self._number(run)
        key, end = number << SEQ_BITS | start, (number + 1) << SEQ_BITS
        most = FEW_ROWS
        while True:
            with self._reading():
                rows = self._side.execute(
                    "SELECT e.id, e.header, e.digest, c.id, c.salt, c.body"
                    " FROM entries e LEFT JOIN contents c USING (id)"
                    " WHERE e.id >= ? AND e.id < ? ORDER BY e.id LIMIT ?",
                    (key, end, most),
                ).fetchall()
            for key, header, digest, own, salt, body in rows:
                row = Row(key & LARGEST_SEQ, header, digest)
                if own is None:
                    yield Stored(row, *self._shared(number, header))
                else:
                    yield Stored(row, salt, body)
            if len(rows) < most:
                return
            key, most = key + 1, ROWS_AT_ONCE

    def length(self, run: str) -> int:
        number = self._number(run)
        with self._reading():
            (last,) = self._side.execute(
                "SELECT max(id) FROM entries WHERE id >= ? AND id < ?",
                (number << SEQ_BITS, (number + 1) << SEQ_BITS),
            ).fetchone()
        return int(last & LARGEST_SEQ) + 1

    def content(self, run: str, commitment: str) -> Content | None:
        with self._reading():
            row = self._side.execute(
                "SELECT commitment, salt, body FROM kept JOIN runs ON kept.run = number"
                " WHERE runs.run = ? AND commitment = ?",
                (run, key_of(commitment)),
            ).fetchone()
        return None if row is None else Content(*row)

    def kept(self, run: str) -> Iterator[Content]:
        with self._reading():
            keys = self._side.execute(
                "SELECT number, commitment FROM kept JOIN runs ON kept.run = number"
                " WHERE runs.run = ? ORDER BY kept.rowid",
                (run,),
            ).fetchall()
        for key in keys:  # no rowids: these are given anew when the file is rewritten meanwhile
            with self._reading():
                row = self._side.execute(
                    "SELECT commitment, salt, body FROM kept WHERE run = ? AND commitment = ?", key
                ).fetchone()
            if row is not None:
                yield Content(*row)

    def strays(self, run: str) -> Iterator[str]:
        with self._reading():
            yield from strays(self._side, run)

    def runs(self) -> list[str]:
        with self._reading():
            rows = self._side.execute(f"SELECT run FROM runs WHERE {HAS_ENTRIES} ORDER BY run DESC")
            return [run for (run,) in rows]

    def hold(self, run: str, name: str) -> int:
        with self._locks.alone(run):  # who comes second waits until the first has left its name
            if not self._locks.hold(run):
                raise held(run, self.holder(run) or UNKNOWN)
            try:
                with self._writing():
                    row = self._side.execute(
                        "INSERT INTO runs (run, lease, holder, since) VALUES (?, 1, ?, ?)"
                        " ON CONFLICT (run) DO UPDATE SET lease = lease + 1,"
                        " holder = excluded.holder, since = excluded.since RETURNING lease",
                        (run, name, time.time_ns() // 1000),
                    ).fetchone()
            except BaseException:
                self._locks.release(run)
                raise
        return int(row[0])

    def release(self, run: str) -> None:
        self._locks.release(run)

    def holder(self, run: str) -> Holder | None:
        if not self._locks.held(run):
            return None
        with self._reading():
            row = self._side.execute(
                "SELECT holder, since FROM runs WHERE run = ?", (run,)
            ).fetchone()
        return UNKNOWN if row is None else Holder(*row)

    def send(
        self, run: str, at: int, by: str, kind: InboxKind, subject: str = "", text: str = ""
    ) -> int:
        with self._writing():
            cursor = self._side.execute(
                "INSERT INTO inbox (run, at, by, kind, subject, text)"
                " SELECT run, ?, ?, ?, ?, ? FROM runs WHERE run = ?",
                (at, by, kind, subject, text, run),
            )
        if not cursor.rowcount or cursor.lastrowid is None:
            raise RunNotFound(f"no run {run!r} in {self.path}")
        return cursor.lastrowid

    def inbox(self, after: int = 0, run: str | None = None) -> list[InboxItem]:
        with self._reading():
            rows = self._side.execute(
                "SELECT id, run, at, by, kind, subject, text FROM inbox"
                f" WHERE id > ?{'' if run is None else ' AND run = ?'} ORDER BY id",
                (after,) if run is None else (after, run),
            )
            return [InboxItem(*row) for row in rows]

    def erase(
        self,
        run: str,
        seqs: Sequence[int],
        commitments: Sequence[str] = (),
        items: Sequence[int] = (),
    ) -> None:
        number = self._number(run)
        with self._writing():
            erase(self._side, self.path, number, seqs, commitments, items)

    def forget(self, run: str) -> None:
        if not self._locks.hold(run):
            raise held(run, self.holder(run) or UNKNOWN)
        try:
            with self._writing():
                forget(self._side, run)
        finally:
            self._locks.release(run)

    def compact(self) -> int:
        with self._writing():
            return compact(self._side)

    def close(self) -> None:
        self._locks.close()
        self._side.close()
        self._db.close()

    @contextmanager
    def _opening(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise JournalError(f"the journal {self.path} cannot be opened: {error}") from error

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise JournalError(f"the journal {self.path} cannot be read: {error}") from error

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """For what is written beside the log of entries; a transaction left open is taken back."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise self._unwritable(error) from error
        finally:
            if self._side.in_transaction:
                self._side.execute("ROLLBACK")

    def _unwritable(self, error: sqlite3.Error) -> JournalError:
        why = str(error)
        if is_busy(error):
            why = f"another process has been writing to it for more than {self._patience:g} seconds"
        return JournalError(f"the journal {self.path} cannot be written: {why}")

    def _shared(self, number: int, header: bytes) -> tuple[bytes | None, bytes | None]:
        """Salt and body of the shared content that a header names."""
        with self._reading():
            try:
                key = bytes.fromhex(named_content(header))
            except (ValueError, TypeError, AttributeError):  # somebody has changed it
                return None, None
            row = self._side.execute(
                "SELECT salt, body FROM kept WHERE run = ? AND commitment = ?", (number, key)
            ).fetchone()
        return (None, None) if row is None else (row[0], row[1])

    def _number(self, run: str) -> int:
        """The number of a run that has entries. Raises RunNotFound."""
        with self._reading():
            row = self._side.execute(
                f"SELECT number FROM runs WHERE run = ? AND {HAS_ENTRIES}", (run,)
            ).fetchone()
        if row is None:
            raise RunNotFound(f"no run {run!r} in {self.path}")
        return int(row[0])

    def _place(self, run: str) -> tuple[int, int, int]:
        """Number, token and end of a run, which is made where it is new."""
        row = self._db.execute("SELECT number, lease FROM runs WHERE run = ?", (run,)).fetchone()
        if row is None:
            cursor = self._db.execute(
                "INSERT INTO runs (run, lease, holder, since) VALUES (?, 1, '', 0)", (run,)
            )
            assert cursor.lastrowid is not None
            return cursor.lastrowid, 1, 0
        (end,) = self._db.execute(
            "SELECT coalesce((max(id) & ?) + 1, 0) FROM entries WHERE id >= ? AND id < ?",
            (LARGEST_SEQ, row[0] << SEQ_BITS, (row[0] + 1) << SEQ_BITS),
        ).fetchone()
        return row[0], row[1], end

    def _commit(self, batches: Sequence[Batch]) -> None:
        """Store the batches in one transaction. Raises StaleWriter and sqlite3.Error."""
        execute = self._cursor.execute
        execute("BEGIN IMMEDIATE")
        try:
            (version,) = execute("PRAGMA data_version").fetchone()
            if version != self._version:
                self._known.clear()
                self._version = version
            for batch in batches:
                self._insert(batch)
            execute("COMMIT")
        except BaseException:
            self._known.clear()
            if self._db.in_transaction:
                execute("ROLLBACK")
            raise

    def _insert(self, batch: Batch) -> None:
        number, lease, end = self._known.get(batch.run) or self._place(batch.run)
        if lease != batch.lease:
            raise StaleWriter(
                f"run {batch.run} has been taken over: this writer's token is {batch.lease}, the"
                f" newest {lease}"
            )
        if end != batch.expected:
            raise StaleWriter(
                f"run {batch.run} has {end} entries where this writer expected {batch.expected};"
                " another process has extended it"
            )
        first = number << SEQ_BITS | end
        (headers, digests, salts, bodies), db = batch.sealed, self._cursor
        if len(headers) == 1 and bodies[0] is not None:  # quicker than a list of one
            db.execute(INSERT_ENTRY, (first, headers[0], digests[0]))
            db.execute(INSERT_CONTENT, (first, salts[0], bodies[0]))
        else:
            keys = range(first, first + len(headers))
            own = zip(keys, salts, bodies, strict=True)
            db.executemany(INSERT_ENTRY, zip(keys, headers, digests, strict=True))
            db.executemany(INSERT_CONTENT, [row for row in own if row[2] is not None])
        if batch.kept:
            db.executemany(
                "INSERT INTO kept VALUES (?, ?, ?, ?)", [(number, *kept) for kept in batch.kept]
            )
            self._unfolded += sum(len(kept.body or b"") // PAGE + 2 for kept in batch.kept)
        self._unfolded += len(headers) + 2
        self._known[batch.run] = (number, lease, end + len(headers))

    def _fold(self, wait: bool) -> None:
        """Fold the log into the file: some flushes of the disk, which no event loop waits for."""
        if not wait:
            raise Busy(f"the log of the journal {self.path} is to be folded in")
        with suppress(sqlite3.Error):  # what is in the log is safe there until the next time
            self._cursor.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        self._unfolded = 0


def key_of(commitment: str) -> bytes:
    """The bytes of a commitment; none where the text is no hex."""
    try:
        return bytes.fromhex(commitment)
    except ValueError:
        return b""


def is_busy(error: sqlite3.Error) -> bool:
    code: int = getattr(error, "sqlite_errorcode", 0)  # the module's own errors have none
    return code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
