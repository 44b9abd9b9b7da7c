"""What a journal is (floor 2): the durable copy of boards, appended to and never changed."""

import os
import time
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple, Protocol

from hive.board.entry import Content, Row, Sealed

__all__ = ["Batch", "Commit", "Journal", "Stored", "new_run_id"]


Commit = Literal["instant", "inline", "threaded"]


class Batch(NamedTuple):
    """What one run has to say: entries that follow position `expected`, and contents they share."""

    run: str
    expected: int
    sealed: Sealed
    kept: Sequence[Content] = ()


class Stored(NamedTuple):
    """An entry as read back; `body` is None where the content was erased."""

    row: Row
    body: bytes | None


class Journal(Protocol):
    """Where entries outlive the process.

    `append` is all or nothing for all its batches and returns when they are as durable as the
    journal promises. `commit` says what that takes: nothing to speak of ("instant"), some
    microseconds ("inline"), or so long that it belongs on the journal's one writer thread
    ("threaded"). Reading never waits for a writer.
    """

    @property
    def commit(self) -> Commit: ...

    def append(self, batches: Sequence[Batch], *, wait: bool) -> None:
        """Store the batches. Raises StaleWriter when a run does not end at `expected`, and
        JournalError when they cannot be stored. With `wait` False a busy store raises Busy."""
        ...

    def read(self, run: str, start: int = 0) -> Iterator[Stored]:
        """The entries of a run from a position on, in order. Raises RunNotFound."""
        ...

    def content(self, run: str, commitment: str) -> bytes | None:
        """What is kept under a commitment (hex); None when unknown or erased."""
        ...

    def runs(self) -> list[str]:
        """The ids of all runs, newest first."""
        ...

    def hold(self, run: str) -> bool:
        """Take the exclusive right to extend a run, until `release` or the process's end; False
        when somebody else has it."""
        ...

    def release(self, run: str) -> None:
        """Give the right up."""
        ...

    def held(self, run: str) -> bool:
        """Whether a living process holds the run."""
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...


CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"


def new_run_id() -> str:
    """A fresh ULID in lower case: 48 bits of milliseconds, 80 random ones (github.com/ulid/spec).

    Ids of one machine sort by the time they were made.
    """
    number = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10), "big")
    return "".join(CROCKFORD[number >> shift & 31] for shift in range(125, -5, -5))
