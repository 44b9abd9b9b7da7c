"""A real command in a terminal of its own: what it draws is read, keys are pressed."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from pathlib import Path
from threading import Timer

from tests.cli.conftest import COMMAND, environment

__all__ = ["Terminal"]

DEADLINE_S = 30
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """The command in a pseudo-terminal of some size; closed by `end`."""

    def __init__(self, folder: Path, *arguments: str, rows: int = 30, columns: int = 100) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.process = subprocess.Popen(
            [*COMMAND, *arguments],
            cwd=folder,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            # Ctrl-C is the terminal's doing, so the command must be in charge of one.
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509  one call
            env={**environment(), "COLUMNS": str(columns), "LINES": str(rows)},
        )
        os.close(slave)
        self.drawn = ""
        self._deadline = Timer(DEADLINE_S, self.process.kill)
        self._deadline.start()

    @property
    def text(self) -> str:
        """All that was drawn so far, without colours and moves of the cursor."""
        return ESCAPES.sub("", self.drawn)

    def until(self, said: str) -> str:
        """Read until a text was drawn since the last call; gives what was read."""
        begun = len(self.drawn)
        while said not in ESCAPES.sub("", self.drawn[begun:]):
            piece = self._read()
            assert piece, f"it ended without {said!r}: {self.text[-2000:]}"
        return ESCAPES.sub("", self.drawn[begun:])

    def press(self, keys: str) -> None:
        """Type something."""
        os.write(self.master, keys.encode())

    def end(self) -> int:
        """Read what is left and give the exit code."""
        while self._read():
            pass
        code = self.process.wait(DEADLINE_S)
        self._deadline.cancel()
        os.close(self.master)
        return code

    def _read(self) -> str:
        try:
            piece = os.read(self.master, 65536).decode(errors="replace")
        except OSError:  # Linux says so when the other side has closed the terminal
            return ""
        self.drawn += piece
        return piece
