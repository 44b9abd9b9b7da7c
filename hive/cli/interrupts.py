"""Ctrl-C and SIGTERM: the first pauses a run in order, the second ends the process at once."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from hive.cli.exits import PAUSED

__all__ = ["interruptible"]

SIGNALS = (signal.SIGINT, signal.SIGTERM)
SHOW_CURSOR = b"\x1b[?25h\n"


@contextmanager
def interruptible(pause: Callable[[], None], terminal: bool) -> Iterator[None]:
    """Have `pause` called at the first signal; `terminal` says that a cursor may be hidden.

    Signals are taken by the interpreter and not by the event loop, so that the second one also ends
    a process whose loop is busy.
    """
    received: list[int] = []

    def take(number: int, frame: FrameType | None) -> None:
        received.append(number)
        if len(received) == 1:
            pause()
            return
        if terminal:
            os.write(2, SHOW_CURSOR)
        os._exit(PAUSED)

    before = [(number, signal.signal(number, take)) for number in SIGNALS]
    try:
        yield
    finally:
        for number, previous in before:
            signal.signal(number, previous)
