"""Pauses (floor 6): that a run was interrupted, and that it goes on, as its record tells it."""

from hive.board.board import COORDINATOR
from hive.board.entry import Address
from hive.board.records import Paused, Resumed
from hive.journal.journal import InboxItem
from hive.outside import Outside
from hive.phases.anew import begin_anew
from hive.phases.strand import Desk

__all__ = ["Pauses"]


class Pauses:
    """Puts on record when a run pauses and goes on, and waits for the word between."""

    def __init__(self, desk: Desk, outside: Outside, resumed: Resumed) -> None:
        self.desk = desk
        self.board = desk.writer.board
        self.outside = outside
        self.resumed = resumed
        """What is to be recorded when the run goes on, but for how long it was idle."""

    def go_on(self) -> None:
        """Post that the run goes on, and how long nothing was done."""
        if self.resumed.anew:
            begin_anew(self.desk)
        first, last = self.board.entries[0].at, self.board.entries[-1].at
        idle = max(0, self.desk.writer.clock.now() - max(first, last))
        self.post(self.resumed.model_copy(update={"idle": idle}))

    def post(self, payload: Paused | Resumed) -> None:
        """Post that the run is paused or goes on; each time is another attempt at one address. In a
        replay the tape says so."""
        if not self.desk.tape.live:
            return
        address = Address(self.board.state.turn + 1, "", (9,))
        before = [*self.board.of_kind(Paused), *self.board.of_kind(Resumed)]
        attempt = sum(entry.address == address for entry in before)
        self.desk.writer.post(address, COORDINATOR, payload, origin=COORDINATOR, attempt=attempt)

    async def pause(self, item: InboxItem) -> None:
        """Stay between two turns until somebody says to go on, or to stop."""
        self.post(Paused(reason=item.text, by=item.by, item=item.id))
        await self.desk.durable()
        word = await self.outside.word_to_go()
        if word is not None:
            self.resumed = Resumed(reason=word.text, by=word.by, item=word.id)
            self.go_on()
