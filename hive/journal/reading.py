"""Reading a run back from its journal onto a board (floor 2), turn by turn."""

from hive.board.board import Board
from hive.board.entry import Entry
from hive.board.records import Decision, Request
from hive.errors import JournalError
from hive.journal.journal import Journal

__all__ = ["close_before", "remember", "restore"]


def restore(board: Board, journal: Journal, run: str) -> list[Entry]:
    """Read a run back onto a board, closing its turns; gives the entries of the open one.

    Raises RunNotFound, JournalVersion, and JournalError where a content is gone that is needed.
    """
    opened: list[Entry] = []
    for row, _, body in journal.read(run):
        if body is None:
            raise JournalError(f"entry {row.seq} of run {run} has lost its content")
        entry = board.load(row, body, after=lambda turn: close_before(board, opened, turn))
        opened.append(entry)
    if opened and opened[0].address.turn == 0 and len(opened) > 1:
        close_before(board, opened, 1)
    return opened


def remember(board: Board, journal: Journal, run: str) -> None:
    """Have what a recorded run shares between its requests keep its commitments."""
    shared: set[str | None] = set()
    for entry in board.of_kind(Request):
        if isinstance(entry.payload, Request):
            shared |= {entry.payload.system, entry.payload.tools, entry.payload.output}
    for commitment in shared:
        content = None if commitment is None else journal.content(run, commitment)
        if commitment is not None and content is not None and content.body is not None:
            board.remember(commitment, content.body)


def close_before(board: Board, opened: list[Entry], turn: int) -> None:
    """Close the open turn, whose entries are `opened`, once an entry of a later one arrives."""
    if not opened or opened[0].address.turn >= turn:
        return
    strands: tuple[str, ...] = ()
    for entry in opened:
        if isinstance(entry.payload, Decision):
            plans = entry.payload.strands
            strands = (*entry.payload.advisors, *[plan.strand for plan in plans])
    board.close_turn(strands)
    opened.clear()
