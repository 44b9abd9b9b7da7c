"""Taking something out of a journal's SQLite file again (floor 2): contents for good, or a run."""

import sqlite3
from collections.abc import Sequence

from hive.board.entry import named_content
from hive.errors import JournalError
from hive.journal.schema import SEQ_BITS

__all__ = ["compact", "erase", "forget"]


def erase(
    db: sqlite3.Connection,
    path: object,
    number: int,
    seqs: Sequence[int],
    commitments: Sequence[str],
    items: Sequence[int],
) -> None:
    """Erase contents of the run with a number, and leave their bytes nowhere in the files.

    Raises sqlite3.Error when nothing was erased, and JournalError when bytes may be left.
    """
    keys = [(number << SEQ_BITS | seq,) for seq in seqs]
    db.execute("PRAGMA secure_delete = ON")
    db.execute("BEGIN IMMEDIATE")
    headers = [
        row[0] for key in keys for row in db.execute("SELECT header FROM entries WHERE id = ?", key)
    ]
    shared = {*commitments, *map(named_content, headers)}
    db.executemany("UPDATE contents SET salt = NULL, body = NULL WHERE id = ?", keys)
    db.executemany(
        "UPDATE kept SET salt = NULL, body = NULL WHERE run = ? AND commitment = ?",
        [(number, bytes.fromhex(commitment)) for commitment in shared if commitment],
    )
    db.executemany(
        "UPDATE inbox SET subject = '', text = ''"
        " WHERE id = ? AND run = (SELECT run FROM runs WHERE number = ?)",
        [(item, number) for item in items],
    )
    db.execute("COMMIT")
    try:
        scrub(db)
    except sqlite3.Error as error:
        raise JournalError(
            f"the contents are erased, but bytes of theirs may be left in {path} or the log beside"
            f" it, since {error}; erase them once more when that is over"
        ) from error


def scrub(db: sqlite3.Connection) -> None:
    """Rewrite the file and cut its log, so that no page holds what was erased."""
    db.execute("VACUUM")
    (busy, _, _) = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise sqlite3.OperationalError("another process is reading it")


def compact(db: sqlite3.Connection) -> int:
    """Rewrite the file without the pages that nothing stands on any more; how many bytes that gave
    back. Raises sqlite3.Error."""
    (size,) = db.execute("PRAGMA page_size").fetchone()
    (before,) = db.execute("PRAGMA page_count").fetchone()
    scrub(db)
    (after,) = db.execute("PRAGMA page_count").fetchone()
    return int((before - after) * size)


def forget(db: sqlite3.Connection, run: str) -> None:
    """Delete whatever there is of a run. Raises sqlite3.Error."""
    row = db.execute("SELECT number FROM runs WHERE run = ?", (run,)).fetchone()
    if row is None:
        return
    keys = (row[0] << SEQ_BITS, (row[0] + 1) << SEQ_BITS)
    db.execute("BEGIN IMMEDIATE")
    for table in ("entries", "contents"):
        db.execute(f"DELETE FROM {table} WHERE id >= ? AND id < ?", keys)
    db.execute("DELETE FROM kept WHERE run = ?", row)
    db.execute("DELETE FROM inbox WHERE run = ?", (run,))
    db.execute("DELETE FROM runs WHERE number = ?", row)
    db.execute("COMMIT")
