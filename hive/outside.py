"""What reaches a run from outside (floor 6): messages, answers, a pause, a stop, and from whom."""

import asyncio
from collections.abc import Callable
from itertools import chain

from hive.board.board import USER, Board
from hive.board.contributions import UserMessage
from hive.board.entry import Address
from hive.board.payload import Payload
from hive.board.records import Approval, Paused, Redaction, Resumed, Suspension
from hive.board.state import begun_anew
from hive.diagnostics import log
from hive.errors import PayloadError
from hive.journal.journal import InboxItem
from hive.journal.writer import Writer
from hive.phases.waiting import WaitingRoom, word_of

__all__ = ["Outside", "taken"]


class Outside:
    """Takes the items of a run's inbox: an answer and a stop count at once, a message and a pause
    at the next join."""

    def __init__(self, writer: Writer, room: WaitingRoom, stop: Callable[[str], None]) -> None:
        self.writer = writer
        self.room = room
        self.look: Callable[[], None] = nothing
        """Has the inbox hand over what has come."""
        self.pausing: InboxItem | None = None
        """What asked for a pause that has not ended."""
        self._stop = stop
        self._messages: list[InboxItem] = []
        self._erased: list[tuple[InboxItem, Redaction]] = []
        self._going: asyncio.Future[InboxItem | None] | None = None

    def take(self, item: InboxItem) -> None:
        """Take one item; whoever calls sees to it that each comes once."""
        if item.kind == "say":
            self._messages.append(item)
        elif item.kind == "answer":
            word = word_of(item)
            if word is not None:
                self.room.hear(item.subject, word)
        elif item.kind == "pause":
            self.pausing = self.pausing or item
        elif item.kind == "go":
            self.go_on(item)
        elif item.kind == "stop":
            self._stop(f"stopped by {item.by}{f': {item.text}' if item.text else ''}")
        else:
            self._take_redaction(item)

    def _take_redaction(self, item: InboxItem) -> None:
        """Take the record of contents that somebody has erased while the run was under way."""
        try:
            erased = Redaction.read(item.text.encode(), Redaction.version)
        except PayloadError as error:
            log("an item of the inbox cannot be read", kind=item.kind, error=str(error))
        else:
            self._erased.append((item, erased.model_copy(update={"item": item.id})))

    def take_up(self, items: list[InboxItem], resumed: Resumed) -> None:
        """Take what waited when the run was taken up: but for what its board shows already. Who
        resumes a run wants it to go on, whatever pauses were asked for before."""
        board = self.writer.board
        if not board.entries:
            known, late = frozenset[int](), frozenset[str]()
        else:
            known, late = taken(board), frozenset({"pause", "go"})
            for subject in () if resumed.anew else still_waiting(board):
                self.room.expect(subject)
        for item in items:
            if item.id not in known and item.kind not in late:
                self.take(item)

    def post(self, turn: int) -> None:
        """Put on the board, into a turn about to be closed, what the user has said meanwhile, and
        what was erased."""
        if not self._messages and not self._erased:
            return
        messages, self._messages = self._messages, []
        for item in messages:
            self._post(turn, 8, item, UserMessage(text=item.text, item=item.id))
        erased, self._erased = self._erased, []
        for item, payload in erased:
            self._post(turn, 10, item, payload)

    def _post(self, turn: int, slot: int, item: InboxItem, payload: Payload) -> None:
        before = self.writer.board.of_kind(payload.kind)
        number = sum(entry.address.turn == turn for entry in before)
        self.writer.post(Address(turn, "", (slot, number)), USER, payload, origin=item.by)

    @property
    def paused(self) -> bool:
        """Whether the run waits for the word to go on."""
        return self._going is not None

    def begin_pause(self) -> InboxItem | None:
        """From now on wait for the word to go on; gives what asked for the pause, if anything."""
        if self.pausing is not None:
            self._going = asyncio.get_running_loop().create_future()
        return self.pausing

    async def word_to_go(self) -> InboxItem | None:
        """Wait for the item that lets a paused run go on; None when it is stopped instead."""
        assert self._going is not None
        item = await self._going
        self._going = self.pausing = None
        return item

    def go_on(self, item: InboxItem | None) -> None:
        """Let a paused run go on, or take back a pause that has not begun; None for a stop."""
        if self._going is None:
            self.pausing = None
        elif not self._going.done():
            self._going.set_result(item)


def taken(board: Board) -> frozenset[int]:
    """The items that a board shows to have been taken."""
    kinds = (UserMessage, Approval, Paused, Resumed, Redaction)
    entries = chain.from_iterable(board.of_kind(kind) for kind in kinds)
    return frozenset(getattr(entry.payload, "item", 0) for entry in entries) - {0}


def still_waiting(board: Board) -> list[str]:
    """The calls of the open turn that were left waiting for a person, by address."""
    turn = [entry for entry in board.of_kind(Suspension) if entry.address.turn > board.state.turn]
    again = [entry for entry in board.of_kind(Resumed) if entry.address.turn > board.state.turn]
    first = begun_anew(again)
    return [
        entry.payload.subject
        for entry in turn
        if entry.seq >= first and isinstance(entry.payload, Suspension)
    ]


def nothing() -> None:
    """There is no inbox."""
