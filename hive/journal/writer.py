"""How a run writes (floor 2): post to the board at once, make it durable in groups.

Entries of all runs that share a journal are committed together, at the end of the loop's tick in which
the first of them was posted. A commit that may block goes to the one writer thread.
"""

import asyncio
import os
import weakref
from concurrent.futures import ThreadPoolExecutor

from hive.board.board import Board
from hive.board.entry import Address, Content, Entry, Label, Row
from hive.board.payload import Payload
from hive.clock import Clock
from hive.errors import Divergence, JournalError
from hive.journal.journal import Batch, Journal
from hive.journal.sqlite import Busy

__all__ = ["Committer", "Writer", "committer_for", "salts"]

salts = os.urandom


class Committer:
    """Group commit for the runs of one loop that share a journal."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self._dirty: list[Writer] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._scheduled = False
        self._working = False
        self._thread: ThreadPoolExecutor | None = None

    def schedule(self, writer: "Writer") -> None:
        """Have a writer's rows committed at the end of this tick."""
        self._dirty.append(writer)
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._flush)

    def wait(self) -> "asyncio.Future[None]":
        """A future that is done when everything posted so far is durable."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._flush)
        return future

    def close(self) -> None:
        """End the writer thread, if there was need of one."""
        if self._thread is not None:
            self._thread.shutdown(wait=True)
            self._thread = None

    def _flush(self) -> None:
        if self._working:  # the thread is writing; it comes back here when it is done
            return
        self._scheduled = False
        writers, self._dirty = self._dirty, []
        waiting, self._waiting = self._waiting, []
        batches = [writer.batch() for writer in writers]
        if not batches:
            settle(writers, waiting, None)
        elif self.journal.threaded:
            self._hand_over(batches, writers, waiting)
        else:
            try:
                self.journal.append(batches, wait=False)
            except Busy:
                self._hand_over(batches, writers, waiting)
            except JournalError as error:
                settle(writers, waiting, error)
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
    for future in waiting:
        if future.done():
            continue
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)
    if error is not None:
        for writer in writers:
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
        self.recorded: dict[tuple[Address, int], Entry] = {}
        self._committer = committer
        self._end = len(board.entries)
        self._rows: list[Row] = []
        self._contents: list[tuple[int, Content]] = []
        self._kept: list[Content] = []
        self._followers: list[asyncio.Future[None]] = []

    def post(
        self,
        address: Address,
        author: str,
        payload: Payload,
        *,
        origin: str,
        causes: tuple[str, ...] = (),
        label: Label = "trusted",
        attempt: int = 0,
    ) -> Entry:
        """Append an entry. Raises what `Board.post` raises, JournalError when earlier entries could
        not be stored, and Divergence when a recorded entry says something else."""
        if self.recorded:
            known = self._recorded(address, attempt, payload)
            if known is not None:
                return known
        if self.broken is not None:
            raise JournalError(f"run {self.run} can no longer be recorded") from self.broken
        entry, row, content = self.board.post(
            address,
            author,
            payload,
            at=self.clock.now(),
            origin=origin,
            causes=causes,
            label=label,
            attempt=attempt,
        )
        if not self._rows:
            self._committer.schedule(self)
        self._rows.append(row)
        self._contents.append((row.seq, content))
        if self._kept:
            self._contents.extend((row.seq, kept) for kept in self._kept)
            self._kept = []
        if self._followers:
            self.wake()
        return entry

    def keep(self, body: bytes) -> str:
        """Store bytes beside the next entry, once per run; gives their commitment (hex)."""
        commitment, content = self.board.store(body)
        if content is not None:
            self._kept.append(content)
        return commitment

    async def durable(self) -> None:
        """Wait until everything posted so far is durable. Raises JournalError when it is not."""
        await self._committer.wait()

    def batch(self) -> Batch:
        """What is to be stored now; the committer takes it."""
        batch = Batch(self.run, self._end, self._rows, self._contents)
        self._end += len(self._rows)
        self._rows = []
        self._contents = []
        return batch

    def news(self) -> "asyncio.Future[None]":
        """A future that is done when the next entry arrives, or the run has ended."""
        future = asyncio.get_running_loop().create_future()
        self._followers.append(future)
        return future

    def wake(self) -> None:
        """Tell every follower to look."""
        followers, self._followers = self._followers, []
        for future in followers:
            if not future.done():
                future.set_result(None)

    def _recorded(self, address: Address, attempt: int, payload: Payload) -> Entry | None:
        known = self.recorded.pop((address, attempt), None)
        if known is None:
            return None
        if known.kind != payload.kind or known.body != payload.body():
            raise Divergence(
                f"{address}: the record holds {known.kind} {known.body.decode()[:200]}, and now it"
                f" would be {payload.kind} {payload.body().decode()[:200]}",
                str(address),
            )
        return known


COMMITTERS: "weakref.WeakKeyDictionary[Journal, Committer]" = weakref.WeakKeyDictionary()


def committer_for(journal: Journal) -> Committer:
    """The one committer of a journal: runs that share the journal share their commits."""
    committer = COMMITTERS.get(journal)
    if committer is None:
        committer = COMMITTERS[journal] = Committer(journal)
    return committer
