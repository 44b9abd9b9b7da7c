"""Forked children, each running one session in a private copy, several at a time."""

import os
import secrets
import selectors
import shutil
import signal
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .options import Options, SessionResult
from .session import Wire, run_session

__all__ = ["Child", "Pool", "Work"]

TICK = 0.02
"""Seconds between looks at children that say nothing."""
LONGEST_MESSAGE = 16_000_000


@dataclass(frozen=True)
class Work:
    """One session to run: on a copy of `source` with some files replaced, or on `source` itself.

    `seconds` is the longest it may take on the clock; then it is killed.
    """

    options: Options
    seconds: float
    files: Mapping[str, str] = field(default_factory=dict)
    copy: bool = True
    quiet: bool = True


@dataclass
class Child:
    """A running session and what it has said so far."""

    work: Work
    token: str
    process: int
    reader: int
    folder: Path
    deadline: float
    result: SessionResult = field(default_factory=SessionResult)
    buffer: bytes = b""
    killed: bool = False
    heard: float = field(default_factory=time.monotonic)

    def read(self) -> None:
        """Take the messages that have arrived."""
        while chunk := available(self.reader):
            self.heard = time.monotonic()
            self.buffer += chunk
            *lines, rest = self.buffer.split(b"\n")
            self.buffer = rest
            for line in lines:
                self.result.take(line, self.token.encode())
            self.result.garbled = self.result.garbled or len(rest) > LONGEST_MESSAGE

    def over(self) -> bool:
        """Whether the child has ended, is done or must be; reaps it if so."""
        silent = self.heard + self.work.options.limit.silence
        late = time.monotonic() > min(self.deadline, silent)
        if self.result.finished or self.result.garbled or late:
            self.kill()
            self.killed = not self.result.finished
            return True
        process, status = os.waitpid(self.process, os.WNOHANG)
        if process:
            self.read()
            self.result.ended(os.waitstatus_to_exitcode(status))
        return process != 0

    def kill(self) -> None:
        """End the child at once."""
        os.kill(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)


def available(reader: int) -> bytes:
    """What can be read without waiting."""
    try:
        return os.read(reader, 1 << 20)
    except BlockingIOError:
        return b""


class Pool:
    """Starts children and waits for them; `channel` is closed in each, which has its own pipe."""

    def __init__(self, source: Path, scratch: Path, channel: int) -> None:
        self._source = source
        self._scratch = scratch
        self._channel = channel
        self._selector = selectors.DefaultSelector()
        self._count = 0
        self._parent = os.getppid()
        self._children: list[Child] = []

    def start(self, work: Work) -> Child:
        """Fork a child for one session."""
        self._count += 1
        folder = self._scratch / f"session{self._count}"
        token = secrets.token_hex(8)
        reader, writer = os.pipe()
        process = os.fork()
        if process == 0:
            self._be_child(work, folder, writer, token)
        os.close(writer)
        os.set_blocking(reader, False)
        child = Child(work, token, process, reader, folder, time.monotonic() + work.seconds)
        self._selector.register(reader, selectors.EVENT_READ, child)
        self._children.append(child)
        return child

    def wait(self) -> list[Child]:
        """Wait a little; gives the children that have ended since.

        Ends this process with all of them when Hive itself is gone.
        """
        if os.getppid() != self._parent:
            self.stop(list(self._children))
            os._exit(1)
        for key, _ in self._selector.select(TICK):
            key.data.read()
        ended = [child for child in self._children if child.over()]
        for child in ended:
            self._bury(child)
        return ended

    def stop(self, unwanted: Iterable[Child]) -> None:
        """Kill children that nobody needs any longer."""
        for child in unwanted:
            child.kill()
            self._bury(child)

    def run(self, work: Work) -> Child:
        """Run one session to its end."""
        child = self.start(work)
        while child not in self.wait():
            pass
        return child

    def _bury(self, child: Child) -> None:
        self._selector.unregister(child.reader)
        self._children.remove(child)
        os.close(child.reader)
        shutil.rmtree(child.folder, ignore_errors=True)

    def _be_child(self, work: Work, folder: Path, writer: int, token: str) -> None:
        """In the child: make the copy, run the session, end without a trace."""
        try:
            os.close(self._channel)
            folder.mkdir()
            root = self._source
            if work.copy:
                root = folder / "work"
                shutil.copytree(self._source, root, symlinks=True)
                for path, text in work.files.items():
                    (root / path).write_text(text, encoding="utf-8", newline="")
            if work.quiet:
                nowhere = os.open(os.devnull, os.O_RDWR)
                os.dup2(nowhere, 1)
                os.dup2(nowhere, 2)
            run_session(root, folder / "home", work.options, Wire(writer, token))
        finally:
            os._exit(0)
