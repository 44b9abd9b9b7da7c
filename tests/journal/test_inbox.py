"""What is sent to runs from outside reaches each of them once, wherever it was sent from."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hive.errors import JournalError, RunNotFound
from hive.journal.inbox import GLANCE_SECONDS, INBOXES, Inbox, inbox_for, send
from hive.journal.inbox import Reader as Seat
from hive.journal.journal import InboxItem, Journal, new_run_id
from hive.journal.memory import MemoryJournal
from hive.journal.sqlite import SQLiteJournal

PATIENCE_S = 10.0


class Reader:
    """Keeps what it is handed, and lets a test wait for it."""

    def __init__(self) -> None:
        self.items: list[InboxItem] = []
        self._news = asyncio.Event()

    def take(self, item: InboxItem) -> None:
        self.items.append(item)
        self._news.set()

    @property
    def texts(self) -> list[str]:
        return [item.text for item in self.items]

    async def has(self, number: int) -> list[str]:
        async with asyncio.timeout(PATIENCE_S):
            while len(self.items) < number:
                self._news.clear()
                await self._news.wait()
        return self.texts


@pytest.fixture(params=["memory", "sqlite"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    opened: Journal = MemoryJournal()
    if request.param == "sqlite":
        opened = SQLiteJournal(tmp_path / "journal.db")
    yield opened
    opened.close()


def under_way(journal: Journal) -> str:
    run = new_run_id()
    journal.hold(run, "a test")
    return run


@pytest.mark.asyncio
async def test_what_waits_is_given_on_joining_and_the_rest_as_it_comes(journal: Journal) -> None:
    run, reader = under_way(journal), Reader()
    send(journal, run, "say", by="user:a", text="early")
    inbox = inbox_for(journal)
    assert [item.text for item in inbox.join(run, reader.take)] == ["early"]
    send(journal, run, "say", by="user:a", subject="1//0", text="late")
    assert await reader.has(1) == ["late"]
    [item] = reader.items
    assert (item.run, item.kind, item.by, item.subject) == (run, "say", "user:a", "1//0")
    inbox.look()
    assert reader.texts == ["late"], "nothing is handed over twice"
    inbox.leave(run)
    send(journal, run, "say", by="user:a", text="too late")
    inbox.look()
    assert reader.texts == ["late"]


@pytest.mark.asyncio
async def test_items_go_to_the_run_they_are_for(journal: Journal) -> None:
    runs = [under_way(journal) for _ in range(3)]
    readers = {run: Reader() for run in runs}
    inbox = inbox_for(journal)
    for run in runs[:2]:
        assert inbox.join(run, readers[run].take) == []
    for run in runs:
        send(journal, run, "say", by="user", text=run)
    inbox.look()
    assert [reader.texts for reader in readers.values()] == [[runs[0]], [runs[1]], []]
    assert [item.text for item in inbox.join(runs[2], readers[runs[2]].take)] == [runs[2]]
    inbox.look()
    assert readers[runs[2]].texts == []
    for run in runs:
        inbox.leave(run)


@pytest.mark.asyncio
async def test_another_process_is_heard_without_a_nudge(tmp_path: Path) -> None:
    journal, other = SQLiteJournal(tmp_path / "j.db"), SQLiteJournal(tmp_path / "j.db")
    run, reader = under_way(journal), Reader()
    inbox = inbox_for(journal)
    inbox.join(run, reader.take)
    for number in range(3):
        send(other, run, "say", by="user", text=str(number))
        assert (await reader.has(number + 1))[-1] == str(number)
    inbox.leave(run)
    journal.close()
    other.close()


@pytest.mark.asyncio
async def test_one_poller_serves_all_runs_and_ends_with_the_last(tmp_path: Path) -> None:
    journal = SQLiteJournal(tmp_path / "j.db")
    looks: list[int] = []

    class Counting(SQLiteJournal):
        def inbox(self, after: int = 0, run: str | None = None) -> list[InboxItem]:
            if run is None:
                looks.append(after)
            return super().inbox(after, run)

    counting = Counting(tmp_path / "j.db")
    runs = [under_way(counting) for _ in range(200)]
    readers = [Reader() for _ in runs]
    inbox = inbox_for(counting)
    for run, reader in zip(runs, readers, strict=True):
        inbox.join(run, reader.take)
    assert inbox_for(counting) is inbox
    timer = inbox._timer
    assert timer is not None
    send(journal, runs[-1], "stop", by="user")
    await readers[-1].has(1)
    assert len(looks) < 200, "each look serves all of them"
    for run in runs:
        inbox.leave(run)
    assert inbox._timer is None
    assert not INBOXES[counting]
    assert inbox_for(counting) is not inbox
    journal.close()
    counting.close()


@pytest.mark.asyncio
async def test_a_journal_in_memory_is_not_polled() -> None:
    journal = MemoryJournal()
    inbox = inbox_for(journal)
    inbox.join(under_way(journal), Reader().take)
    assert inbox._timer is None


@pytest.mark.asyncio
async def test_a_journal_that_cannot_be_read_for_a_while_loses_nothing() -> None:
    class Torn(MemoryJournal):
        torn = False

        def inbox(self, after: int = 0, run: str | None = None) -> list[InboxItem]:
            if self.torn:
                raise JournalError("not now")
            return super().inbox(after, run)

    journal, reader = Torn(), Reader()
    run = under_way(journal)
    inbox = inbox_for(journal)
    inbox.join(run, reader.take)
    journal.torn = True
    send(journal, run, "say", by="user", text="hello")
    inbox.look()
    assert reader.texts == []
    journal.torn = False
    inbox.look()
    assert reader.texts == ["hello"]


def test_a_glance_asks_the_journal_unless_it_was_asked_a_moment_ago() -> None:
    class Loop:
        now = 100.0

        def time(self) -> float:
            return self.now

    journal, loop, reader = MemoryJournal(), Loop(), Reader()
    inbox = Inbox(journal, loop)  # type: ignore[arg-type]  # of a loop it wants the time
    run = under_way(journal)
    inbox._readers[run] = Seat(reader.take, 0)
    for after, expected in ((1.0, 1), (GLANCE_SECONDS / 2, 1), (GLANCE_SECONDS, 3), (1.0, 4)):
        loop.now += after
        journal.send(run, 0, "user", "say", "", "hello")
        inbox.glance()
        assert len(reader.items) == expected


def test_sending_to_a_run_that_is_not_there(journal: Journal) -> None:
    with pytest.raises(RunNotFound):
        send(journal, new_run_id(), "say", by="user", text="hello")


def test_loops_come_and_go(journal: Journal) -> None:
    """A journal outlives the loops in which runs use it."""
    run = under_way(journal)

    async def listen() -> list[str]:
        reader = Reader()
        inbox = inbox_for(journal)
        inbox.join(run, reader.take)
        send(journal, run, "say", by="user", text="hello")
        said = await reader.has(1)
        inbox.leave(run)
        return said

    assert asyncio.run(listen()) == ["hello"]
    assert asyncio.run(listen()) == ["hello"]


Move = tuple[str, int]
MOVES = st.lists(st.tuples(st.sampled_from(["send", "join", "leave", "look"]), st.integers(0, 2)))


@given(moves=MOVES)
def test_no_item_is_lost_or_handed_over_twice(moves: list[Move]) -> None:
    """Over any comings and goings: who is there gets everything that is his, in order, once."""

    async def play() -> None:
        journal = MemoryJournal()
        runs = [under_way(journal) for _ in range(3)]
        sent: dict[str, list[int]] = {run: [] for run in runs}
        got: dict[str, list[int]] = {}
        inbox = inbox_for(journal)

        def taker(run: str) -> Callable[[InboxItem], None]:
            return lambda item: got[run].append(item.id)

        for move, number in moves:
            run = runs[number]
            if move == "send":
                sent[run].append(send(journal, run, "say", by="user"))
            elif move == "join" and run not in got:
                got[run] = []
                got[run] += [item.id for item in inbox.join(run, taker(run))]
            elif move == "leave" and run in got:
                inbox.look()
                assert got.pop(run) == sent[run]
                inbox.leave(run)
            else:
                inbox.look()
        inbox.look()
        assert all(items == sent[run] for run, items in got.items())

    asyncio.run(play())
