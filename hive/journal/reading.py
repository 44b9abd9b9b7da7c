"""Reading a run back from its journal onto a board (floor 2), turn by turn."""

from collections.abc import Callable
from types import NoneType

from hive.board.board import Board
from hive.board.canonical import decode
from hive.board.entry import Entry, Row, chain, commit
from hive.board.records import Decision, Request, RunStarted
from hive.errors import JournalError, PayloadError
from hive.journal.journal import Journal, Stored
from hive.journal.lineage import content_of, read_whole

__all__ = ["close_before", "remember", "restore"]

STORED = frozenset({(bytes, bytes, bytes, bytes), (bytes, bytes, NoneType, NoneType)})
"""Types of header, digest, salt and body; a database holds whatever was put there."""


def restore(board: Board, journal: Journal, run: str) -> list[Entry]:
    """Read a run back onto a board, closing its turns; gives the entries of the open one.

    What is read is what was written: each of the run's own entries follows from the one before, and
    contents are those that headers name. Raises RunNotFound, JournalVersion, and JournalError for
    an entry of which that is not so.
    """
    opened: list[Entry] = []
    cut = 0

    def close(turn: int) -> None:
        if opened and opened[0].address.turn < turn:
            close_before(board, opened, turn)

    for stored in read_whole(journal, run):
        entry = taken(board, run, stored, close, shared=0 < stored.row.seq < cut)
        if not entry.seq and isinstance(entry.payload, RunStarted) and entry.payload.parent:
            cut = entry.payload.cut or 0
        opened.append(entry)
    if opened and opened[0].address.turn == 0 and len(opened) > 1:
        close_before(board, opened, 1)
    if opened and opened[-1].seq + 1 == cut:  # a fork that has not gone on: all of it is closed
        close_before(board, opened, opened[-1].address.turn + 1)
    return opened


def taken(
    board: Board, run: str, stored: Stored, close: Callable[[int], None], *, shared: bool
) -> Entry:
    """Take one entry onto the board, if it is as it was written. Raises JournalError."""
    row, salt, body = stored
    if (type(row.header), type(row.digest), type(salt), type(body)) not in STORED:
        raise broken(run, row, "is not stored as entries are")
    if not shared and chain(board.head, row.header) != row.digest:
        raise broken(run, row, "does not follow from the one before it")
    try:
        entry = board.load(row, body, after=close, shared=shared)
    except PayloadError as error:
        text = f"run {run} cannot be read up to entry {row.seq}: {error}"
        raise JournalError(text) from error
    if salt is not None and body is not None and commit(salt, body) != entry.commitment:
        raise broken(run, row, "does not say what its header names")
    return entry


def broken(run: str, row: Row, what: str) -> JournalError:
    return JournalError(f"entry {row.seq} of run {run} {what}; `hive verify {run}` says more")


def remember(board: Board, journal: Journal, run: str) -> None:
    """Have what a recorded run shares between its requests keep its commitments."""
    shared: set[str | None] = set()
    for entry in board.of_kind(Request):
        if entry.cls is Request:
            data = decode(entry.body)  # its class would take several times as long
            shared |= {data.get("system"), data.get("tools"), data.get("output")}
    for commitment in shared - {None}:
        assert commitment is not None
        content = content_of(journal, run, commitment)
        if content is not None and content.body is not None:
            board.remember(commitment, content.body)


def close_before(board: Board, opened: list[Entry], turn: int) -> None:
    """Close the open turn, whose entries are `opened`, once an entry of a later one arrives."""
    if not opened or opened[0].address.turn >= turn:
        return
    strands: tuple[str, ...] = ()
    for entry in opened:
        if entry.cls is Decision and isinstance(entry.payload, Decision):
            plans = entry.payload.strands
            strands = (*entry.payload.advisors, *[plan.strand for plan in plans])
    board.close_turn(strands)
    opened.clear()
