"""How a run writes (floor 2): post to the board at once, make it durable in groups.

Entries of all runs that share a journal are committed together, at the end of the loop's tick in
which the first of them was posted. A commit that may block goes to the one writer thread.
"""

import asyncio
import os
import time
import weakref
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from hive.board.board import Board
from hive.board.canonical import decode, encode
from hive.board.entry import Address, Entry, Label
from hive.board.media import MARK, without_bytes
from hive.board.payload import Payload
from hive.board.records import Fault, Suspension
from hive.clock import Clock
from hive.errors import ContentErased, Divergence, JournalError
from hive.journal.journal import Batch, Journal
from hive.journal.sqlite import Busy

__all__ = ["Committer", "Writer", "brief", "committer_for", "differs", "salts", "same"]

salts = os.urandom
FAIR_SECONDS = 0.001
SHOWN = 200
"""Characters of an entry that an error shows."""


class Committer:
    """Group commit for the runs of one loop that share a journal."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.runs = 0
        """How many runs are under way: a lone one need not wait for others to join its commit."""
        self._dirty: list[Writer] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._scheduled = False
        self._working = False
        self._thread: ThreadPoolExecutor | None = None
        self._yielded = 0.0

    def schedule(self, writer: "Writer") -> None:
        """Have a writer's entries committed at the end of this tick."""
        self._dirty.append(writer)
        self._soon()

    async def durable(self) -> None:
        """Wait until everything posted so far is as durable as the journal promises.

        Where that is quick and there is nobody to share the commit with, it is done at once; the
        loop still gets its turn every millisecond. Raises JournalError.
        """
        commit = self.journal.commit
        alone = commit == "instant" or (commit == "inline" and self.runs <= 1)
        if alone and not self._working:
            self._flush()
        if not alone or self._working:  # others join in, or the thread had to take over
            future = asyncio.get_running_loop().create_future()
            self._waiting.append(future)
            self._soon()
            await future
            return
        now = time.monotonic()
        if now - self._yielded > FAIR_SECONDS:
            self._yielded = now
            await asyncio.sleep(0)

    def at_once(self) -> None:
        """Commit what was posted so far, where that takes some microseconds."""
        if self.journal.commit != "threaded" and not self._working:
            self._flush()

    def close(self) -> None:
        """End the writer thread, if there was need of one."""
        if self._thread is not None:
            self._thread.shutdown(wait=True)
            self._thread = None

    def _soon(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._tick)

    def _tick(self) -> None:
        self._scheduled = False
        if not self._working:  # else the thread is writing, and comes back here when it is done
            self._flush()

    def _flush(self) -> None:
        if not self._dirty and not self._waiting:
            return
        writers, self._dirty = self._dirty, []
        waiting, self._waiting = self._waiting, []
        batches = [writer.batch() for writer in writers]
        if not batches:
            settle(writers, waiting, None)
        elif self.journal.commit == "threaded":
            self._hand_over(batches, writers, waiting)
        else:
            try:
                self.journal.append(batches, wait=False)
            except Busy:
                self._hand_over(batches, writers, waiting)
            except BaseException as error:  # whatever it is, nobody may take it for stored
                settle(writers, waiting, error)
                if not isinstance(error, Exception):
                    raise
            else:
                settle(writers, waiting, None)

    def _hand_over(
        self, batches: list[Batch], writers: list["Writer"], waiting: list["asyncio.Future[None]"]
    ) -> None:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="hive-journal")
        self._working = True

        def done(future: "asyncio.Future[None]") -> None:
            self._working = False
            error = None if future.cancelled() else future.exception()
            settle(writers, waiting, error)
            if self._dirty or self._waiting:
                self._flush()

        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._thread, lambda: self.journal.append(batches, wait=True))
        work.add_done_callback(done)


def settle(
    writers: list["Writer"],
    waiting: list["asyncio.Future[None]"],
    error: BaseException | None,
) -> None:
    """Tell who waited, and who wrote, how a commit came out."""
    if error is not None and not isinstance(error, JournalError):
        failed = JournalError(f"the journal failed: {type(error).__name__}: {error}")
        failed.__cause__, error = error, failed
    for future in waiting:
        if future.done():
            continue
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)
    for writer in writers:
        if error is None:
            writer.stored = writer.taken
        else:
            writer.broken = error


class Writer:
    """Posts the entries of one run: onto its board at once, into its journal in groups.

    Entries in `recorded` (by address and attempt) were written before a pause: posting the same
    again gives them back, posting something else in their place is a Divergence.
    """

    def __init__(self, run: str, board: Board, committer: Committer, clock: Clock) -> None:
        self.run = run
        self.board = board
        self.clock = clock
        self.broken: BaseException | None = None
        self.over = False
        """Whether the run is no longer under way, so that nothing more comes of waiting for it."""
        self.recorded: dict[tuple[Address, int], Entry] = {}
        self.aside: Counter[Address] = Counter()
        """How many attempts at each address were used up before the open turn was begun anew."""
        self._committer = committer
        self.taken = self.stored = board.sealed
        """How many of the run's own entries the journal was given, and how many it has stored."""
        self._dirty = False
        self._followers: list[asyncio.Future[None]] = []

    def post(
        self,
        address: Address,
        author: str,
        payload: Payload,
        origin: str,
        causes: tuple[str, ...] = (),
        label: Label = "trusted",
        attempt: int = 0,
    ) -> Entry:
        """Append an entry. Raises what `Board.post` raises, JournalError when earlier entries could
        not be stored, and Divergence when a recorded entry says something else."""
        if self.aside:
            attempt += self.aside[address]
        if self.recorded:
            while self._followed(address, attempt, payload):
                attempt += 1
            known = self.recorded.pop((address, attempt), None)
            if known is not None:
                now = Entry(
                    known.seq, address, attempt, author, origin, label, causes, known.at,
                    known.lease, payload, payload.body(),
                )  # fmt: skip
                if not same(known, now):
                    raise differs(known, now)
                return known
        if self.broken is not None:
            raise self._lost() from self.broken
        entry = self.board.post(
            address, author, payload, self.clock.now(), origin, causes, label, attempt
        )
        if not self._dirty:
            self._dirty = True
            self._committer.schedule(self)
        if self._followers:
            self.wake()
        return entry

    def again(self, entry: Entry) -> Entry:
        """Put an entry that is on a tape on the board as it was, if it does not stand there yet.
        Raises ContentErased where nobody knows what it said."""
        if entry.erased:
            raise ContentErased(entry)
        number = entry.attempt + self.aside[entry.address]
        known = self.recorded.get((entry.address, number))
        if known is not None:
            return known
        return self.post(
            entry.address, entry.author, entry.payload, entry.origin, entry.causes, entry.label,
            entry.attempt,
        )  # fmt: skip

    def keep(self, body: bytes, key: bytes | None = None) -> str:
        """Store bytes with the next entry, once per run; gives their commitment (hex). `key` is
        their SHA-256 where the caller knows it."""
        return self.board.store(body, key)

    async def durable(self) -> None:
        """Wait until everything posted so far is durable. Raises JournalError when it is not."""
        await self._committer.durable()
        if self.broken is not None:
            raise self._lost() from self.broken

    def at_once(self) -> bool:
        """Have everything posted so far stored before anything else is done, unless that may block;
        whether the journal works as far as is known."""
        self._committer.at_once()
        return self.broken is None

    def batch(self) -> Batch:
        """What is to be stored now; the committer takes it."""
        self._dirty = False
        sealed = self.board.seal()
        batch = Batch(self.run, self.taken, sealed, self.board.kept(), self.board.lease)
        self.taken += len(sealed.headers)
        return batch

    def news(self) -> "asyncio.Future[None]":
        """A future that is done when the next entry arrives, or the run has ended."""
        future = asyncio.get_running_loop().create_future()
        self._followers.append(future)
        return future

    def opened(self) -> None:
        """Say that the run is under way."""
        self._committer.runs += 1

    def closed(self) -> None:
        """Say that the run is no longer under way, and tell its followers."""
        self._committer.runs -= 1
        self.over = True
        self.wake()

    def wake(self) -> None:
        """Tell every follower to look."""
        followers, self._followers = self._followers, []
        for future in followers:
            if not future.done():
                future.set_result(None)

    def _followed(self, address: Address, attempt: int, payload: Payload) -> bool:
        """Whether what is recorded there is only that a call was cut off, or waited for something
        else, which a later attempt follows."""
        known = self.recorded.get((address, attempt))
        if known is None:
            return False
        if isinstance(known.payload, Fault):
            return known.payload.code in ("cancelled", "interrupted", "withdrawn")
        return isinstance(known.payload, Suspension) and known.body != payload.body()

    def _lost(self) -> JournalError:
        return JournalError(f"run {self.run} can no longer be recorded: {self.broken}")


def same(recorded: Entry, now: Entry, body: bytes | None = None) -> bool:
    """Whether two entries of one address say the same, for the same reasons; of what was erased
    nobody can tell more than its header. `body` stands for what the second one says."""
    return (
        (recorded.body == (now.body if body is None else body) or recorded.erased)
        and recorded.kind == now.kind
        and recorded.author == now.author
        and recorded.causes == now.causes
        and recorded.origin == now.origin
        and recorded.label == now.label
    )


def differs(recorded: Entry, now: Entry) -> Divergence:
    """The error that an entry is another than the recorded one."""
    return Divergence(
        f"{now.address}: the record holds {brief(recorded)}, and now it would be {brief(now)}",
        str(now.address),
        recorded,
        now,
    )


def brief(entry: Entry) -> str:
    """What an entry says, in one line, without the bytes of images and files."""
    body = entry.body if MARK not in entry.body else encode(without_bytes(decode(entry.body)))
    text = body.decode(errors="replace")
    return f"{entry.kind} by {entry.author} {text[:SHOWN]}{'…' if len(text) > SHOWN else ''}"


COMMITTERS: "weakref.WeakKeyDictionary[Journal, Committer]" = weakref.WeakKeyDictionary()


def committer_for(journal: Journal) -> Committer:
    """The one committer of a journal: runs that share the journal share their commits."""
    committer = COMMITTERS.get(journal)
    if committer is None:
        committer = COMMITTERS[journal] = Committer(journal)
    return committer
