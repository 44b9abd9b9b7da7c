"""What a journal is (floor 2): the durable copy of boards, appended to and never changed."""

import os
import socket
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Literal, NamedTuple, Protocol

from hive.board.entry import Content, Row, Sealed
from hive.errors import RunHeld

__all__ = [
    "Batch",
    "Commit",
    "Holder",
    "InboxItem",
    "InboxKind",
    "Journal",
    "Stored",
    "held",
    "new_run_id",
    "own_name",
]


Commit = Literal["instant", "inline", "threaded"]
InboxKind = Literal["say", "attach", "stop", "pause", "go", "answer", "redacted"]


class Batch(NamedTuple):
    """What one run has to say: entries that follow position `expected`, and the shared contents
    that they are the first to name. `lease` is the token of whoever says it."""

    run: str
    expected: int
    sealed: Sealed
    kept: Sequence[Content] = ()
    lease: int = 1


class Stored(NamedTuple):
    """An entry as read back; `salt` and `body` are None where the content was erased."""

    row: Row
    salt: bytes | None
    body: bytes | None


class Holder(NamedTuple):
    """Who extends a run: a process as a person would look for it, and since when (microseconds)."""

    name: str
    since: int


class InboxItem(NamedTuple):
    """Something said to a run from outside. `at` is in microseconds, `by` says who, `subject` is
    the address of what is answered."""

    id: int
    run: str
    at: int
    by: str
    kind: InboxKind
    subject: str
    text: str


class Journal(Protocol):
    """Where entries outlive the process.

    `append` is all or nothing for all its batches and returns when they are as durable as the
    journal promises. `commit` says what that takes: nothing to speak of ("instant"), some
    microseconds ("inline"), or so long that it belongs on the journal's one writer thread
    ("threaded"). Reading never waits for a writer. `append` may be called from that thread while
    one other uses the rest.
    """

    @property
    def commit(self) -> Commit: ...

    def append(self, batches: Sequence[Batch], *, wait: bool) -> None:
        """Store the batches. Raises StaleWriter when a run does not end at `expected` or `lease`
        is not its newest token, and JournalError when they cannot be stored. With `wait` False a
        busy store raises Busy."""
        ...

    def read(self, run: str, start: int = 0) -> Iterator[Stored]:
        """The entries of a run from a position on, in order. Raises RunNotFound."""
        ...

    def length(self, run: str) -> int:
        """How many entries of a run there are. Raises RunNotFound."""
        ...

    def content(self, run: str, commitment: str) -> Content | None:
        """The shared content under a commitment (hex); None when the run has none such."""
        ...

    def kept(self, run: str) -> Iterator[Content]:
        """All shared contents of a run, in the order in which they were stored."""
        ...

    def strays(self, run: str) -> Iterator[str]:
        """What lies in the journal under a run and belongs to no entry, each in a few words; there
        is nothing such where nobody has tampered."""
        ...

    def runs(self) -> list[str]:
        """The ids of all runs that have entries, newest first."""
        ...

    def hold(self, run: str, name: str) -> int:
        """Take the exclusive right to extend a run, until `release` or the process's end; gives the
        token that `append` wants from now on, larger than any before. Raises RunHeld when somebody
        else has it."""
        ...

    def release(self, run: str) -> None:
        """Give the right up."""
        ...

    def holder(self, run: str) -> Holder | None:
        """Who, alive, holds the run."""
        ...

    def send(
        self, run: str, at: int, by: str, kind: InboxKind, subject: str = "", text: str = ""
    ) -> int:
        """Put something into a run's inbox, from any process; durable when it returns. Gives its
        id, larger than any before. Raises RunNotFound."""
        ...

    def inbox(self, after: int = 0, run: str | None = None) -> list[InboxItem]:
        """What was sent after an item, to one run or to all, oldest first."""
        ...

    def erase(
        self,
        run: str,
        seqs: Sequence[int],
        commitments: Sequence[str] = (),
        items: Sequence[int] = (),
    ) -> None:
        """Erase contents for good: those of some entries, shared ones (hex), and the words of items
        of the inbox. What an entry shares with others is erased for all of them. Headers and
        digests stay. Raises RunNotFound."""
        ...

    def forget(self, run: str) -> None:
        """Remove a whole run, its inbox included. Raises RunHeld while somebody extends it."""
        ...

    def compact(self) -> int:
        """Give back the room of what was removed; how many bytes. It may take a while, in which
        nobody else can write, and as much room again. Raises JournalError."""
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...


CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"


class Newest:
    """The largest ULID of this process: what is made in the same millisecond comes after it."""

    number = 0


def new_run_id() -> str:
    """A fresh ULID in lower case: 48 bits of milliseconds, 80 random ones (github.com/ulid/spec).

    Ids of one machine sort by the time they were made, those of one process always.
    """
    number = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10), "big")
    if number >> 80 <= Newest.number >> 80:
        number = Newest.number + 1
    Newest.number = number
    return "".join(CROCKFORD[number >> shift & 31] for shift in range(125, -5, -5))


def own_name() -> str:
    """How this process is named to others that want a run it holds."""
    return f"pid {os.getpid()} on {socket.gethostname()}"


def held(run: str, holder: Holder) -> RunHeld:
    """The error for whoever wants a run that somebody has."""
    since = ""
    if holder.since:
        at = datetime.fromtimestamp(holder.since / 1_000_000, UTC)
        since = f" since {at:%Y-%m-%d %H:%M:%S} UTC"
    return RunHeld(f"run {run} is held by {holder.name}{since}; stop that one first", holder)
