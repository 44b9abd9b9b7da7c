"""`hive show --follow`: the entries of a run as whoever is at work on it writes them."""

import json
import sys
from collections.abc import Callable

import anyio

from hive.audit.record import Record
from hive.board.board import Board
from hive.board.contributions import EVERYWHERE
from hive.board.entry import Entry
from hive.board.payload import Vocabulary
from hive.board.records import RECORDS
from hive.cli.ending import code_of, verdict
from hive.cli.exits import OK
from hive.cli.faces import PlainFace
from hive.cli.printing import console_for
from hive.cli.scene import Scene
from hive.errors import JournalError, PayloadError
from hive.journal.following import follow
from hive.journal.journal import Journal
from hive.journal.writer import salts

__all__ = ["watch"]

Fits = Callable[[Entry], bool]


class Recorded(Scene):
    """A scene whose time is the record's."""

    began_at = 0
    newest_at = 0

    @property
    def elapsed(self) -> int:
        """Microseconds from the first entry to the newest."""
        return self.newest_at - self.began_at


class Watching(PlainFace):
    """Lines for what is on record, with the times that stand there."""

    def __init__(self, goal: str) -> None:
        super().__init__(goal)
        self.scene = self.recorded = Recorded(goal)

    def take(self, entry: Entry, past: bool = False) -> None:
        """Write the lines of an entry."""
        recorded = self.recorded
        recorded.began_at = recorded.began_at or entry.at
        recorded.newest_at = max(recorded.newest_at, entry.at)
        super().take(entry, past)


def watch(journal: Journal, run: str, fits: Fits, as_json: bool) -> int:
    """Show a run's entries as they come, until it ends or nobody is at work on it any more.

    Gives the code that says how it came out; Ctrl-C ends the watching, and nothing else.
    """
    try:
        anyio.run(lines if as_json else told, journal, run, fits)
    except KeyboardInterrupt:
        return OK
    record = Record(journal, run)
    if not as_json:
        console_for().print(verdict(record))
    return code_of(record)


async def told(journal: Journal, run: str, fits: Fits) -> None:
    with Watching("") as face:
        await each(journal, run, lambda entry: face.take(entry, past=not fits(entry)))


async def lines(journal: Journal, run: str, fits: Fits) -> None:
    """One JSON object in each line."""

    def write(entry: Entry) -> None:
        if fits(entry):
            json.dump(entry.as_json(), sys.stdout)
            print(flush=True)

    await each(journal, run, write)


async def each(journal: Journal, run: str, take: Callable[[Entry], None]) -> None:
    """Hand over every entry. Raises JournalError for one that cannot be read."""
    board = Board(Vocabulary((*RECORDS, *EVERYWHERE)), salts=salts)
    async for stored in follow(journal, run):
        try:
            entry = board.load(stored.row, stored.body, after=lambda turn: None)
        except (PayloadError, KeyError, TypeError, ValueError) as error:
            text = f"entry {stored.row.seq} of run {run} cannot be read: {error}"
            raise JournalError(text) from error
        take(entry)
