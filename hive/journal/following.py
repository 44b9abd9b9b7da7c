"""Following a run from another process (floor 2): its entries, as whoever holds it writes them."""

from collections.abc import AsyncIterator

import anyio

from hive.board.canonical import decode
from hive.board.records import Termination
from hive.errors import RunNotFound
from hive.journal.journal import Journal, Stored
from hive.journal.lineage import read_whole

__all__ = ["follow"]

POLL_SECONDS = 0.1


async def follow(journal: Journal, run: str, start: int = 0) -> AsyncIterator[Stored]:
    """The entries of a run from a position on, as they come, until it has ended or nobody holds it
    any more. Raises RunNotFound for a run that nobody is about to begin, and JournalError."""
    while True:
        held = journal.holder(run) is not None  # before reading, so that no last word is missed
        ended = False
        try:
            for stored in read_whole(journal, run, start):
                yield stored
                start = stored.row.seq + 1
                ended = ended or is_ending(stored)
        except RunNotFound:
            if not held:
                raise
        if ended or not held:
            return
        await anyio.sleep(POLL_SECONDS)


def is_ending(stored: Stored) -> bool:
    header = decode(stored.row.header)
    return isinstance(header, dict) and header.get("kind") == Termination.kind
