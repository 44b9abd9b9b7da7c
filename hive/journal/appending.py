"""Appending to a run that no coordinator is at work on (floor 2): the epilogue, and redactions."""

import os

import orjson

from hive.board.board import Board
from hive.board.entry import CHAIN_START, Address
from hive.board.payload import Payload, Vocabulary
from hive.journal.journal import Batch, Journal
from hive.journal.lineage import read_whole

__all__ = ["append_apart"]


def append_apart(
    journal: Journal, run: str, lease: int, payload: Payload, author: str, slot: int, at: int
) -> Address:
    """Append one entry to a run that the caller holds with the token `lease`, chained as any other.

    It stands in the newest turn, on the coordinator's strand, at the next free place (slot, n).
    Raises StaleWriter where somebody else has extended the run, and JournalError.
    """
    rows, head = 0, CHAIN_START
    for stored in journal.read(run):
        rows, head = rows + 1, stored.row.digest
    board = Board(Vocabulary((type(payload),)), salts=os.urandom, lease=lease)
    board.head = head
    address = free_place(journal, run, slot)
    board.post(address, author, payload, at, author)
    sealed = board.seal()
    journal.append([Batch(run, rows, sealed, board.kept(), lease)], wait=True)
    return address


def free_place(journal: Journal, run: str, slot: int) -> Address:
    """The next free place (slot, n) of the coordinator's strand in the newest turn of a run."""
    turn, taken = 0, 0
    for stored in read_whole(journal, run):
        header = orjson.loads(stored.row.header)
        if header["turn"] > turn:
            turn, taken = header["turn"], 0
        place = header["place"]
        here = header["turn"] == turn and not header["strand"]
        if here and place[0] == slot and len(place) == 2:
            taken = max(taken, place[1] + 1)
    return Address(turn, "", (slot, taken))
