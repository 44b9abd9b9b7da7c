"""The journal that lasts as long as its process (floor 2): for scripts, tests, brief runs."""

from collections.abc import Iterator, Sequence

from hive.board.entry import Row
from hive.errors import RunNotFound, StaleWriter
from hive.journal.journal import Batch, Commit, Stored

__all__ = ["MemoryJournal"]


class Shelf:
    """One run's bytes, in flat lists: tuples by the thousand would cost the garbage collector."""

    def __init__(self) -> None:
        self.headers: list[bytes] = []
        self.digests: list[bytes] = []
        self.bodies: list[bytes] = []
        self.commitments: list[bytes] = []
        self.salts: list[bytes] = []
        self.kept: dict[bytes, bytes] = {}


class MemoryJournal:
    """Rows and contents in lists; the same promises as any journal, but for durability."""

    commit: Commit = "instant"

    def __init__(self) -> None:
        self._shelves: dict[str, Shelf] = {}
        self._held: set[str] = set()

    def append(self, batches: Sequence[Batch], *, wait: bool) -> None:
        for batch in batches:
            shelf = self._shelves.get(batch.run)
            known = 0 if shelf is None else len(shelf.headers)
            if known != batch.expected:
                raise StaleWriter(
                    f"run {batch.run} has {known} entries where this writer expected"
                    f" {batch.expected}; another one has extended it"
                )
        for batch in batches:
            shelf = self._shelves.get(batch.run)
            if shelf is None:
                shelf = self._shelves[batch.run] = Shelf()
            sealed = batch.sealed
            shelf.headers += sealed.headers
            shelf.digests += sealed.digests
            shelf.commitments += sealed.commitments
            shelf.salts += sealed.salts
            shelf.bodies += sealed.bodies
            for kept in batch.kept:
                shelf.kept[kept.commitment] = kept.body

    def read(self, run: str, start: int = 0) -> Iterator[Stored]:
        shelf = self._shelves.get(run)
        if shelf is None:
            raise RunNotFound(f"no run {run!r} in this process's memory")
        for seq in range(start, len(shelf.headers)):
            row = Row(seq, shelf.headers[seq], shelf.digests[seq])
            yield Stored(row, shelf.bodies[seq])

    def content(self, run: str, commitment: str) -> bytes | None:
        shelf = self._shelves.get(run)
        return None if shelf is None else shelf.kept.get(bytes.fromhex(commitment))

    def runs(self) -> list[str]:
        return sorted(self._shelves, reverse=True)

    def hold(self, run: str) -> bool:
        if run in self._held:
            return False
        self._held.add(run)
        return True

    def release(self, run: str) -> None:
        self._held.discard(run)

    def held(self, run: str) -> bool:
        return run in self._held

    def close(self) -> None:
        """Nothing to let go of: the runs stay readable."""
