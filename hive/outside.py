"""What reaches a run from outside (floor 6): messages, answers, a pause, a stop, and from whom."""

import asyncio
from collections.abc import Callable, Iterable
from itertools import chain
from pathlib import Path
from typing import TypeVar

from hive.board.board import USER, Board
from hive.board.contributions import Attachment, UserMessage
from hive.board.entry import Address, Label
from hive.board.payload import Payload
from hive.board.records import Approval, Paused, Redaction, Resumed, Spoken, Suspension
from hive.board.state import begun_anew
from hive.diagnostics import log
from hive.errors import DeclarationError, PayloadError
from hive.journal.journal import InboxItem
from hive.journal.writer import Writer
from hive.message import MOST_BYTES, Media
from hive.phases.waiting import WaitingRoom, word_of

__all__ = ["Outside", "attached", "taken"]

MESSAGE, REDACTION, HANDED = 8, 10, 11
"""The places of what is said to a run, of what was erased in it, and of what is handed to it."""


def attached(given: Iterable[str | Path | Media]) -> tuple[Attachment, ...]:
    """Images and files as they are put on the board. Raises DeclarationError for one that cannot
    be read, holds nothing, or holds more than 32 MiB."""
    if isinstance(given, str | Path | Media):
        raise DeclarationError("attachments are a list, also where there is only one: [photo]")
    return tuple(Attachment.of(opened(each)) for each in given)


def opened(given: str | Path | Media) -> Media:
    """An image or a file by its path. Raises DeclarationError for one that cannot be taken."""
    if isinstance(given, Media):
        media = given
    elif not isinstance(given, str | Path):
        raise DeclarationError(
            f"{type(given).__name__} cannot be attached: give paths, or Media.of(bytes, name)"
        )
    else:
        try:
            media = Media.read(given)
        except OSError as error:
            raise DeclarationError(
                f"{given} cannot be attached: {error.strerror}; name a file that can be read"
            ) from error
    name = media.name or "an attachment"
    if not media.size:
        raise DeclarationError(f"{name} cannot be attached: it is empty")
    if media.size > MOST_BYTES:
        raise DeclarationError(f"{name} cannot be attached: it is larger than {MOST_BYTES:,} bytes")
    return media


Item = TypeVar("Item", Attachment, Redaction)


def read(item: InboxItem, cls: type[Item]) -> Item | None:
    """The payload that an item of the inbox brings; None where it cannot be read."""
    try:
        payload = cls.read(item.text.encode(), cls.version)
    except PayloadError as error:
        log("an item of the inbox cannot be read", kind=item.kind, error=str(error))
        return None
    return payload.model_copy(update={"item": item.id})


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
        self._handed: list[tuple[InboxItem, Attachment]] = []
        self._erased: list[tuple[InboxItem, Redaction]] = []
        self._going: asyncio.Future[InboxItem | None] | None = None

    def take(self, item: InboxItem) -> None:
        """Take one item; whoever calls sees to it that each comes once."""
        if item.kind == "say":
            self._messages.append(item)
        elif item.kind == "attach":
            handed = read(item, Attachment)
            if handed is not None:
                self._handed.append((item, handed))
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
            erased = read(item, Redaction)
            if erased is not None:
                self._erased.append((item, erased))

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
        """Put on the board, into a turn about to be closed, what the user has said and handed over
        meanwhile, and what was erased."""
        if not self._messages and not self._erased and not self._handed:
            return
        messages, self._messages = self._messages, []
        for item in messages:
            self._post(turn, MESSAGE, item, UserMessage(text=item.text, item=item.id))
        handed, self._handed = self._handed, []
        for item, attachment in handed:
            self._post(turn, HANDED, item, attachment, "outside")
        erased, self._erased = self._erased, []
        for item, payload in erased:
            self._post(turn, REDACTION, item, payload)

    def _post(
        self, turn: int, slot: int, item: InboxItem, payload: Payload, label: Label = "trusted"
    ) -> None:
        before = self.writer.board.of_kind(payload.kind)
        number = sum((e.turn, e.strand, e.place[0]) == (turn, "", slot) for e in before)
        address = Address(turn, "", (slot, number))
        self.writer.post(address, USER, payload, origin=item.by, label=label)

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
    kinds = (UserMessage, Attachment, Approval, Spoken, Paused, Resumed, Redaction)
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
