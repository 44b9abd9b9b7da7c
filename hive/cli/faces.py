"""What a run shows of itself while it goes on: nothing, or a plain line for whatever happens.

The live display, the third face, is in `hive.cli.live`.
"""

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from queue import Queue
from threading import Thread
from types import TracebackType
from typing import Protocol, Self, TextIO

from hive.board.entry import Entry
from hive.board.records import Decision, Resumed, RunStarted, Termination, ToolCall
from hive.cli.scene import Scene
from hive.cli.telling import Told, deciding
from hive.cli.words import duration, shortened

__all__ = ["Face", "PlainFace", "Silent"]

WIDEST = 200


class Face(Protocol):
    """How a run is shown; a context manager around the run."""

    def take(self, entry: Entry, past: bool = False) -> None:
        """Show what an entry says; one that is `past` was written before. Must return at once."""
        ...

    def asking(self, question: str) -> AbstractContextManager[None]:
        """Give the terminal over to a question and its answer."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class Silent:
    """Shows nothing, for `--json`."""

    def take(self, entry: Entry, past: bool = False) -> None:
        """Nothing is shown."""

    @contextmanager
    def asking(self, question: str) -> Iterator[None]:
        """Ask on stderr: stdout is for JSON."""
        print(question, end="", file=sys.stderr, flush=True)
        yield

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing to put away."""


class PlainFace(Silent):
    """One line for each thing that happens: time, who, what, and what came of it.

    Lines are written by a thread of their own, so that a reader who is slow, or gone, does not hold
    the run up.
    """

    def __init__(self, goal: str, out: TextIO | None = None) -> None:
        self.scene = Scene(goal)
        self._out = out or sys.stdout
        self._lines: Queue[str | None] = Queue()
        self._thread = Thread(target=self._write, name="hive-lines", daemon=True)

    def take(self, entry: Entry, past: bool = False) -> None:
        """Write the lines of an entry."""
        told = self.scene.take(entry)
        payload = entry.payload
        if past:
            return
        if isinstance(payload, RunStarted):
            self._line("run", payload.run)
        elif isinstance(payload, Decision):
            self._line(f"turn {entry.address.turn}", deciding(payload))
            self._line("", f"{payload.complexity.level} work; {payload.reason}")
        elif told is not None and not isinstance(payload, ToolCall | Termination):
            self._line(told.who, line_of(told))
        taken_up = isinstance(payload, Resumed) and not payload.item  # not from a pause kept here
        if taken_up and self.scene.decision is not None:
            self._line(f"turn {self.scene.turn}", deciding(self.scene.decision))

    @contextmanager
    def asking(self, question: str) -> Iterator[None]:
        """Ask below what was written so far."""
        self._lines.join()
        print(question, end="", file=self._out, flush=True)
        yield

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._lines.put(None)
        self._thread.join()

    def _line(self, who: str, text: str) -> None:
        when = duration(self.scene.elapsed)
        self._lines.put(f"{when:>7}  {who:<12} {shortened(text, WIDEST)}")

    def _write(self) -> None:
        gone = False
        while (line := self._lines.get()) is not None:
            try:
                if not gone:
                    print(line, file=self._out, flush=True)
            except OSError:  # nobody reads on; the run does not depend on it
                gone = True
            self._lines.task_done()


def line_of(told: Told) -> str:
    """What and what came of it, in one line."""
    mark = {"bad": "✗ ", "good": "✓ "}.get(told.tone, "")
    return f"{mark}{told.what}: {told.result}" if told.result else f"{mark}{told.what}"
