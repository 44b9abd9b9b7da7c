"""The waiting room (floor 5): where calls wait for a person's word while others still work.

A word that comes in time lets its call go on at once. When nobody in the turn works any more, the
room looks once more into the inbox and then sends everybody who waits away: the run is suspended.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import get_args

import anyio
import orjson

from hive.journal.journal import InboxItem
from hive.tools.person import Decided, Person, Respondent, Word

__all__ = [
    "ANSWERS",
    "APPROVALS",
    "SETTLEMENTS",
    "Party",
    "WaitingRoom",
    "spoken",
    "word_of",
]

APPROVALS: frozenset[str] = frozenset({"allow", "deny"})
ANSWERS: frozenset[str] = frozenset({"says"})
SETTLEMENTS: frozenset[str] = frozenset(get_args(Decided)) - APPROVALS - ANSWERS


def spoken(decided: Decided, text: str = "") -> str:
    """A word as the text of an item."""
    return orjson.dumps({"decided": decided, "text": text}).decode()


def word_of(item: InboxItem) -> Word | None:
    """The word that an item brings; None where it is none."""
    try:
        data = orjson.loads(item.text)
        decided, text = data["decided"], data["text"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None
    return Word(decided, item.by, str(text), item.id) if decided in get_args(Decided) else None


Asking = Callable[[], Awaitable[Word | None]]


class Party:
    """The calls of one reply, which is at work as long as one of them is."""

    def __init__(self, room: "WaitingRoom", size: int) -> None:
        self.room = room
        self.working = size
        self.waiting = 0

    def wait(self) -> None:
        """One of them begins to wait."""
        self.waiting += 1
        self.end()

    def go_on(self) -> None:
        """One of them waits no more."""
        if not self.working:
            self.room.busy += 1
        self.waiting -= 1
        self.working += 1

    def end(self) -> None:
        """One of them is through."""
        self.working -= 1
        if self.waiting and not self.working:
            self.room.leave()


@dataclass(slots=True)
class Waiting:
    """A call that waits, and the words that would do; `away` once nobody is at work on it, be it a
    person who is being asked."""

    party: Party
    words: frozenset[str]
    heard: "asyncio.Future[Word | None]"
    away: bool = False


class WaitingRoom:
    """One for each run. `busy` counts the strands of the turn that have something to do."""

    def __init__(self) -> None:
        self.busy = 0
        self.look: Callable[[], None] = nothing
        """Has the inbox hand over what is in it, at once."""
        self.person: Person | None = None
        """Who is asked about calls that need a yes, where somebody is at hand."""
        self.respondent: Respondent | None = None
        """To whom the turns of people are put, where somebody is at hand."""
        self._waiting: dict[str, Waiting] = {}
        self._words: dict[str, list[Word]] = {}
        """What was said of calls that are expected to wait, and not taken yet."""

    def open(self, strands: int) -> None:
        """Begin a turn with so many strands."""
        self.busy = strands
        self._waiting.clear()

    def expect(self, subject: str) -> None:
        """Keep what is said of a call, by its address, until it waits here."""
        self._words.setdefault(subject, [])

    def hear(self, subject: str, word: Word) -> None:
        """Take a word on a call; one that nobody expects is let go of."""
        waiting = self._waiting.get(subject)
        if waiting is not None and word.decided in waiting.words:
            self._call(subject, word)
        elif subject in self._words:
            self._words[subject].append(word)

    def word(self, subject: str, words: frozenset[str]) -> Word | None:
        """The first of some words that was said of a call and not taken yet; it is taken now."""
        said = self._words.get(subject, [])
        for word in said:
            if word.decided in words:
                said.remove(word)
                return word
        return None

    async def wait(
        self, subject: str, words: frozenset[str], party: Party, asking: Asking | None = None
    ) -> Word | None:
        """Wait for one of some words on a call; None when it did not come while others worked.

        `asking` asks somebody for it meanwhile; as long as they think about it, the call does not
        count as one that only waits.
        """
        known = self.word(subject, words)
        if known is not None:
            return known
        heard: asyncio.Future[Word | None] = asyncio.get_running_loop().create_future()
        waiting = self._waiting[subject] = Waiting(party, words, heard)
        try:
            if asking is None:
                leave(waiting)
                return await heard
            async with anyio.create_task_group() as group:
                group.start_soon(self._ask, subject, waiting, asking)
                word = await heard
                group.cancel_scope.cancel()
            return word
        finally:
            self._waiting.pop(subject, None)

    async def _ask(self, subject: str, waiting: Waiting, asking: Asking) -> None:
        word = await asking()
        if waiting.heard.done():
            return
        if word is None:
            leave(waiting)
        else:
            self._call(subject, word)

    def leave(self) -> None:
        """A strand has ended, or only waits from now on."""
        self.busy -= 1
        if self.busy > 0 or not self._waiting:
            return
        self.look()
        if self.busy <= 0:
            for subject in list(self._waiting):
                self._call(subject, None)

    def _call(self, subject: str, word: Word | None) -> None:
        waiting = self._waiting.pop(subject)
        if waiting.away:
            waiting.party.go_on()
        if not waiting.heard.done():
            waiting.heard.set_result(word)


def leave(waiting: Waiting) -> None:
    """Leave a call alone until somebody says a word."""
    waiting.away = True
    waiting.party.wait()


def nothing() -> None:
    """There is no inbox."""
