"""Reading a run back from its journal onto a board (floor 2), turn by turn."""

from hive.board.board import Board
from hive.board.canonical import decode
from hive.board.entry import Entry, Row, chain, commit, named_content
from hive.board.records import Decision, Request, RunStarted
from hive.errors import JournalError, PayloadError
from hive.journal.journal import Journal
from hive.journal.lineage import content_of, read_whole

__all__ = ["close_before", "remember", "restore"]


def restore(board: Board, journal: Journal, run: str) -> list[Entry]:
    """Read a run back onto a board, closing its turns; gives the entries of the open one.

    What is read is what was written: each of the run's own entries follows from the one before, and
    contents are those that headers name. Raises RunNotFound, JournalVersion, and JournalError for
    an entry of which that is not so.
    """
    opened: list[Entry] = []
    cut = 0

    def close(turn: int) -> None:
        close_before(board, opened, turn)

    for row, salt, body in read_whole(journal, run):
        shared = 0 < row.seq < cut
        if not shared and not follows(board.head, row):
            raise broken(run, row, "does not follow from the one before it")
        if body is not None and not says(row, salt, body):
            raise broken(run, row, "does not say what its header names")
        try:
            entry = board.load(row, body, after=close, shared=shared)
        except PayloadError as error:
            raise JournalError(
                f"run {run} cannot be read up to entry {row.seq}: {error}"
            ) from error
        if not row.seq and isinstance(entry.payload, RunStarted) and entry.payload.parent:
            cut = entry.payload.cut or 0
        opened.append(entry)
    if opened and opened[0].address.turn == 0 and len(opened) > 1:
        close_before(board, opened, 1)
    if opened and opened[-1].seq + 1 == cut:  # a fork that has not gone on: all of it is closed
        close_before(board, opened, opened[-1].address.turn + 1)
    return opened


def follows(before: bytes, row: Row) -> bool:
    try:
        return chain(before, row.header) == row.digest
    except TypeError:  # a database holds whatever was put there, be it bytes or not
        return False


def says(row: Row, salt: bytes | None, body: bytes) -> bool:
    try:
        return salt is not None and commit(salt, body).hex() == named_content(row.header)
    except TypeError:
        return False


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
