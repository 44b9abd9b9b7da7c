"""The places that journals are tried on, and processes that use them.

Another kind of journal is tried by one more Store in `conftest.py`.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from hive.board.board import Board
from hive.board.contributions import Note
from hive.board.entry import chain, commit, named_content
from hive.journal.journal import Batch, Journal, Stored
from tests.board.boards import post
from tests.house.tree import ROOT

LARGE = 5000
"""Characters of a text that is stored as a shared content."""


@dataclass
class Store:
    """A place that journals can be opened on, again and again.

    `where` is how another process opens it ("" where none can), `files` gives the files in which it
    keeps its bytes, and `lose` has a holder lose a run without noticing.
    """

    make: Callable[[], Journal]
    where: str = ""
    files: Callable[[], Sequence[Path]] = list
    lose: Callable[[Journal, str], None] = lambda journal, run: journal.release(run)
    opened: list[Journal] = field(default_factory=list)

    def open(self) -> Journal:
        self.opened.append(self.make())
        return self.opened[-1]

    def close(self) -> None:
        for journal in self.opened:
            journal.close()

    def holds(self, words: str) -> bool:
        """Whether a text stands anywhere in the files."""
        return any(words.encode() in path.read_bytes() for path in self.files())


def batch(
    written: Board, run: str, *texts: str, keep: tuple[bytes, ...] = (), lease: int = 1
) -> Batch:
    """The next entries of a run, ready to be appended."""
    expected = len(written.entries)
    for body in keep:
        written.store(body)
    for text in texts:
        post(written, Note(text=text), f"0//{len(written.entries)}")
    return Batch(run, expected, written.seal(), written.kept(), lease)


def bodies(journal: Journal, run: str, start: int = 0) -> list[bytes | None]:
    return [stored.body for stored in journal.read(run, start)]


def proven(entries: Sequence[Stored]) -> bool:
    """Whether each entry follows from the one before and says what its header names, or nothing."""
    head = bytes(32)
    for row, salt, body in entries:
        head = chain(head, row.header)
        if head != row.digest:
            return False
        erased = salt is None and body is None
        if not erased and (
            salt is None or body is None or commit(salt, body).hex() != named_content(row.header)
        ):
            return False
    return True


PROCESS = """
import sys
from hive.errors import JournalError
from hive.journal.journal import own_name
from hive.journal.opening import open_journal
from tests.board.boards import board
from tests.journal.stores import batch

journal, run, written = open_journal(sys.argv[1]), sys.argv[2], board()
print("ready", flush=True)
for line in sys.stdin:
    try:
        said = eval(line)
    except JournalError as error:
        said = f"{type(error).__name__}: {error}"
    print(said, flush=True)
"""


class Process:
    """Another process with the journal open, which does what it is told, a line at a time."""

    def __init__(self, store: Store, run: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROCESS, store.where, run],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.answer() == "ready"

    def begin(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def answer(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip("\n")

    def does(self, line: str) -> str:
        """What an expression comes to there, or the error of a journal."""
        self.begin(line)
        return self.answer()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@contextmanager
def processes(store: Store, run: str, count: int = 1) -> Iterator[list[Process]]:
    """So many processes, ended at the end."""
    made: list[Process] = []
    try:
        for _ in range(count):
            made.append(Process(store, run))
        yield made
    finally:
        for process in made:
            process.kill()
