"""Rows in a journal's SQLite file that belong to nothing (floor 2); only tampering makes any."""

import sqlite3
from collections.abc import Iterator
from typing import NamedTuple

from hive.journal.schema import LARGEST_SEQ, SEQ_BITS

__all__ = ["strays"]


class Table(NamedTuple):
    """A table in the order of an index: its key, the number of a row's run, where a run begins."""

    name: str
    key: str
    number: str
    start: str


TABLES = (
    Table("entries", "id", f"id >> {SEQ_BITS}", f"? << {SEQ_BITS}"),
    Table("contents", "id", f"id >> {SEQ_BITS}", f"? << {SEQ_BITS}"),
    Table("kept", "run", "run", "?"),
)


def strays(db: sqlite3.Connection, run: str) -> Iterator[str]:
    """What belongs to no entry of a run, and what belongs to no run at all, in a few words each.

    Looking for the latter steps from run to run, not from row to row. Raises sqlite3.Error.
    """
    rows = db.execute(
        "SELECT c.id FROM runs JOIN contents c"
        f" ON c.id >= number << {SEQ_BITS} AND c.id < (number + 1) << {SEQ_BITS}"
        " LEFT JOIN entries e ON e.id = c.id WHERE run = ? AND e.id IS NULL LIMIT 10",
        (run,),
    ).fetchall()
    for (key,) in rows:
        yield f"a content is stored for entry {key & LARGEST_SEQ}, which is not there"
    known = {number for (number,) in db.execute("SELECT number FROM runs")}
    for table in TABLES:
        for number in numbers(db, table):
            if number not in known:
                yield f"the table {table.name} holds rows of a run {number}, which is not there"


def numbers(db: sqlite3.Connection, table: Table) -> Iterator[object]:
    """The numbers of the runs that a table has rows of."""
    first = f"SELECT {table.number} FROM {table.name}"
    row = db.execute(f"{first} ORDER BY {table.key} LIMIT 1").fetchone()
    while row is not None:
        yield row[0]
        if not isinstance(row[0], int):
            return
        row = db.execute(
            f"{first} WHERE {table.key} >= {table.start} ORDER BY {table.key} LIMIT 1",
            (row[0] + 1,),
        ).fetchone()
