"""The journal that lasts as long as its process (floor 2): for scripts, tests, brief runs."""

import time
from collections.abc import Iterator, Sequence

from hive.board.entry import Content, Row, named_content
from hive.errors import RunNotFound, StaleWriter
from hive.journal.journal import Batch, Commit, Holder, InboxItem, InboxKind, Stored, held

__all__ = ["MemoryJournal"]


class Shelf:
    """One run's bytes, in flat lists: tuples by the thousand would cost the garbage collector."""

    def __init__(self) -> None:
        self.headers: list[bytes] = []
        self.digests: list[bytes] = []
        self.salts: list[bytes | None] = []
        self.bodies: list[bytes | None] = []
        self.kept: dict[str, Content] = {}
        self.lease = 0

    def stored(self, seq: int) -> Stored:
        """An entry with its own content, or the shared one that it names."""
        salt, body = self.salts[seq], self.bodies[seq]
        header = self.headers[seq]
        if body is None:
            shared = self.kept.get(named_content(header))
            if shared is not None:
                salt, body = shared.salt, shared.body
        return Stored(Row(seq, header, self.digests[seq]), salt, body)


class MemoryJournal:
    """Rows and contents in lists; the same promises as any journal, but for durability."""

    commit: Commit = "instant"

    def __init__(self) -> None:
        self._shelves: dict[str, Shelf] = {}
        self._holders: dict[str, Holder] = {}
        self._inbox: list[InboxItem] = []
        self._items = 0

    def append(self, batches: Sequence[Batch], *, wait: bool) -> None:
        for batch in batches:
            self._check(batch)
        for batch in batches:
            shelf = self._shelves.get(batch.run)
            if shelf is None:
                shelf = self._shelves[batch.run] = Shelf()
                shelf.lease = 1
            sealed = batch.sealed
            shelf.headers += sealed.headers
            shelf.digests += sealed.digests
            shelf.salts += sealed.salts
            shelf.bodies += sealed.bodies
            for kept in batch.kept:
                shelf.kept[kept.commitment.hex()] = kept

    def read(self, run: str, start: int = 0) -> Iterator[Stored]:
        shelf = self._shelf(run)
        for seq in range(start, len(shelf.headers)):
            yield shelf.stored(seq)

    def length(self, run: str) -> int:
        return len(self._shelf(run).headers)

    def content(self, run: str, commitment: str) -> Content | None:
        shelf = self._shelves.get(run)
        return None if shelf is None else shelf.kept.get(commitment)

    def kept(self, run: str) -> Iterator[Content]:
        shelf = self._shelves.get(run)
        return iter([] if shelf is None else list(shelf.kept.values()))

    def strays(self, run: str) -> Iterator[str]:
        return iter(())

    def runs(self) -> list[str]:
        return sorted((run for run, shelf in self._shelves.items() if shelf.headers), reverse=True)

    def hold(self, run: str, name: str) -> int:
        holder = self._holders.get(run)
        if holder is not None:
            raise held(run, holder)
        self._holders[run] = Holder(name, time.time_ns() // 1000)
        shelf = self._shelves.setdefault(run, Shelf())
        shelf.lease += 1
        return shelf.lease

    def release(self, run: str) -> None:
        self._holders.pop(run, None)

    def holder(self, run: str) -> Holder | None:
        return self._holders.get(run)

    def send(
        self, run: str, at: int, by: str, kind: InboxKind, subject: str = "", text: str = ""
    ) -> int:
        if run not in self._shelves:
            raise self._missing(run)
        self._items += 1
        self._inbox.append(InboxItem(self._items, run, at, by, kind, subject, text))
        return self._items

    def inbox(self, after: int = 0, run: str | None = None) -> list[InboxItem]:
        return [
            item for item in self._inbox if item.id > after and (run is None or item.run == run)
        ]

    def erase(
        self,
        run: str,
        seqs: Sequence[int],
        commitments: Sequence[str] = (),
        items: Sequence[int] = (),
    ) -> None:
        shelf = self._shelf(run)
        shared = set(commitments)
        for seq in seqs:
            if not 0 <= seq < len(shelf.headers):
                continue
            if shelf.bodies[seq] is None:
                shared.add(named_content(shelf.headers[seq]))
            shelf.salts[seq] = shelf.bodies[seq] = None
        for commitment in shared & shelf.kept.keys():
            shelf.kept[commitment] = Content(bytes.fromhex(commitment), None, None)
        self._inbox = [
            item._replace(subject="", text="") if item.id in items and item.run == run else item
            for item in self._inbox
        ]

    def forget(self, run: str) -> None:
        holder = self._holders.get(run)
        if holder is not None:
            raise held(run, holder)
        self._shelves.pop(run, None)
        self._inbox = [item for item in self._inbox if item.run != run]

    def compact(self) -> int:
        return 0

    def close(self) -> None:
        """Nothing to let go of: the runs stay readable."""

    def _shelf(self, run: str) -> Shelf:
        """What there is of a run that has entries. Raises RunNotFound."""
        shelf = self._shelves.get(run)
        if shelf is None or not shelf.headers:
            raise self._missing(run)
        return shelf

    def _missing(self, run: str) -> RunNotFound:
        return RunNotFound(f"no run {run!r} in this process's memory")

    def _check(self, batch: Batch) -> None:
        """Raise StaleWriter for a batch that does not follow on, or comes from an old holder."""
        shelf = self._shelves.get(batch.run)
        known, lease = (0, 1) if shelf is None else (len(shelf.headers), shelf.lease)
        if lease != batch.lease:
            raise StaleWriter(
                f"run {batch.run} has been taken over: this writer's token is {batch.lease}, the"
                f" newest {lease}"
            )
        if known != batch.expected:
            raise StaleWriter(
                f"run {batch.run} has {known} entries where this writer expected"
                f" {batch.expected}; another one has extended it"
            )
