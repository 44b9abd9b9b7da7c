"""The inbox (floor 2): what is said to runs from outside, handed to those that are under way here.

One poller serves all runs of a journal and a loop. It looks ten times a second for what other
processes have sent; what is sent from within this process is handed over at once, and a journal in
memory is not polled at all.
"""

import asyncio
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass

from hive.diagnostics import log
from hive.errors import JournalError
from hive.journal.journal import InboxItem, InboxKind, Journal

__all__ = ["GLANCE_SECONDS", "POLL_SECONDS", "Inbox", "inbox_for", "send"]

POLL_SECONDS = 0.1
GLANCE_SECONDS = 0.005
"""How fresh a look is that nobody need look again: runs whose turns take microseconds do not ask
the journal at each of them."""

Take = Callable[[InboxItem], None]


@dataclass(slots=True)
class Reader:
    """A run under way: who takes its items, and the newest one that it was given."""

    take: Take
    newest: int


class Inbox:
    """Hands items to the runs of one journal and one loop, each item once."""

    def __init__(self, journal: Journal, loop: asyncio.AbstractEventLoop) -> None:
        self.journal = journal
        self.loop = loop
        self._readers: dict[str, Reader] = {}
        self._seen = 0
        self._looked = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def join(self, run: str, take: Take) -> list[InboxItem]:
        """Have a run given whatever is sent to it from now on; gives what waits for it already.
        Raises JournalError."""
        waiting = self.journal.inbox(0, run)
        self._readers[run] = Reader(take, waiting[-1].id if waiting else 0)
        if self._timer is None and self.journal.commit != "instant":
            self._timer = self.loop.call_later(POLL_SECONDS, self._poll)
        return waiting

    def leave(self, run: str) -> None:
        """Give a run nothing more; the last one to leave ends the polling."""
        self._readers.pop(run, None)
        if self._readers:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        inboxes = INBOXES.get(self.journal, {})
        if inboxes.get(self.loop) is self:
            del inboxes[self.loop]

    def look(self) -> None:
        """Hand over what has come since the last look."""
        self._looked = self.loop.time()
        try:
            items = self.journal.inbox(self._seen)
        except JournalError as error:  # whoever writes next is told; messages can wait
            log("the inbox cannot be read", error=str(error))
            return
        for item in items:
            self._seen = item.id
            reader = self._readers.get(item.run)
            if reader is not None and item.id > reader.newest:
                reader.newest = item.id
                reader.take(item)

    def glance(self) -> None:
        """Look, unless that was done a moment ago."""
        if self.loop.time() - self._looked > GLANCE_SECONDS:
            self.look()

    def nudge(self) -> None:
        """Have the loop look soon; from any thread."""
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.look)

    def _poll(self) -> None:
        self._timer = self.loop.call_later(POLL_SECONDS, self._poll)
        self.look()


INBOXES: "weakref.WeakKeyDictionary[Journal, dict[asyncio.AbstractEventLoop, Inbox]]" = (
    weakref.WeakKeyDictionary()
)
"""Those in which some run is under way."""


def inbox_for(journal: Journal) -> Inbox:
    """The one inbox of a journal in the running loop."""
    loop = asyncio.get_running_loop()
    inboxes = INBOXES.setdefault(journal, {})
    inbox = inboxes.get(loop)
    if inbox is None:
        inbox = inboxes[loop] = Inbox(journal, loop)
    return inbox


def send(
    journal: Journal, run: str, kind: InboxKind, *, by: str, subject: str = "", text: str = ""
) -> int:
    """Put something into a run's inbox and have this process look, should the run be under way in
    it; gives the item's id. Raises RunNotFound, and JournalError when it cannot be stored."""
    item = journal.send(run, time.time_ns() // 1000, by, kind, subject, text)
    for inbox in list(INBOXES.get(journal, {}).values()):
        inbox.nudge()
    return item
