"""The layout of a journal's SQLite file (floor 2), and how a file is recognised or made."""

import os
import sqlite3
from pathlib import Path

from hive.errors import JournalError, JournalVersion
from hive.journal.lock import RunLocks

__all__ = ["FOLD_PAGES", "LARGEST_SEQ", "PAGE", "SEQ_BITS", "connect", "prepare"]

SCHEMA_VERSION = 2
SEQ_BITS = 40
"""An entry's key: the number of its run, then so many bits of its place in it."""
LARGEST_SEQ = (1 << SEQ_BITS) - 1
FOLD_PAGES = 8000
"""The write-ahead log is folded into the file once it is so long (32 MB): a fold costs flushes."""
PAGE = 4096
APPLICATION_ID = 0x48697665  # "Hive"

SCHEMA = """
CREATE TABLE runs (
    number INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT NOT NULL UNIQUE,
    lease INTEGER NOT NULL, holder TEXT NOT NULL, since INTEGER NOT NULL
);
CREATE TABLE entries (id INTEGER PRIMARY KEY, header BLOB NOT NULL, digest BLOB NOT NULL);
CREATE TABLE contents (id INTEGER PRIMARY KEY, salt BLOB, body BLOB);
CREATE TABLE kept (
    run INTEGER NOT NULL, commitment BLOB NOT NULL, salt BLOB, body BLOB,
    UNIQUE (run, commitment)
);
CREATE TABLE inbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT NOT NULL, at INTEGER NOT NULL, by TEXT NOT NULL,
    kind TEXT NOT NULL, subject TEXT NOT NULL, text TEXT NOT NULL
);
CREATE INDEX inbox_of_run ON inbox (run);
"""


def connect(path: Path, patience: float) -> sqlite3.Connection:
    """A connection; to a file in a folder that may not be written to, and that has no log beside
    it, one that needs none of the files which are otherwise made there for readers."""
    log = path.with_name(path.name + "-wal")
    fixed = path.is_file() and not log.exists() and not may_write(path.parent)
    return sqlite3.connect(
        f"{path.absolute().as_uri()}{'?immutable=1' if fixed else ''}",
        isolation_level=None,
        check_same_thread=False,
        timeout=patience,
        uri=True,
    )


def may_write(folder: Path) -> bool:
    return os.access(folder, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def prepare(db: sqlite3.Connection, path: Path, locks: RunLocks) -> None:
    """Make an empty file a journal. Raises JournalError for a file of another program,
    JournalVersion for a journal of another version, and sqlite3.Error."""
    if is_empty(db, path):
        with locks.alone():
            if is_empty(db, path):  # nobody else has made it meanwhile
                db.execute("PRAGMA journal_mode = WAL")
                db.executescript(
                    f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA application_id = {APPLICATION_ID};"
                    f" PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
                )
    db.execute(f"PRAGMA wal_autocheckpoint = {4 * FOLD_PAGES}")  # if nobody has done it before


def is_empty(db: sqlite3.Connection, path: Path) -> bool:
    """Whether the file is still to be made a journal. Raises JournalError when it is something
    else, which is left as it is."""
    # Tables first: who finds them also finds the ids, which came with them in one commit.
    if not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        return True
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (application,) = db.execute("PRAGMA application_id").fetchone()
    if application != APPLICATION_ID:
        raise JournalError(f"{path} is an SQLite file of another program; name another file")
    if version != SCHEMA_VERSION:
        raise JournalVersion(
            f"{path} is a journal of schema version {version}; this Hive reads version"
            f" {SCHEMA_VERSION}. Open it with the Hive that wrote it, or name another file"
        )
    return False
