"""Ctrl-C and SIGTERM: the first pauses a run in order, the second ends the process at once."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from types import FrameType

from hive.cli.exits import PAUSED

__all__ = ["interruptible"]

SIGNALS = (signal.SIGINT, signal.SIGTERM)
SHOW_CURSOR = b"\x1b[?25h\n"
OVER = b"\0"
"""What ends the watch; no signal has the number 0."""


@contextmanager
def interruptible(pause: Callable[[], None], terminal: bool) -> Iterator[None]:
    """Have `pause` called, on another thread, at the first signal; the second one is the end.

    `terminal` says that a cursor may be hidden. Signals are read from a pipe by a thread of their
    own, so that they count however busy the event loop or the main thread is.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    watch = Thread(target=watching, args=(reading, pause, terminal), name="hive-signals")
    watch.daemon = True
    before = [(number, signal.signal(number, noticed)) for number in SIGNALS]
    woken = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    watch.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(woken)
        for number, previous in before:
            signal.signal(number, previous)
        os.write(writing, OVER)
        watch.join()
        os.close(writing)
        os.close(reading)


def noticed(number: int, frame: FrameType | None) -> None:
    """A signal is dealt with where its number is read from the pipe."""


def watching(reading: int, pause: Callable[[], None], terminal: bool) -> None:
    """Read the numbers of signals, one by one."""
    received = 0
    while (number := os.read(reading, 1)) != OVER:
        if number not in {bytes([one]) for one in SIGNALS}:
            continue  # a child's end, say, which is the event loop's business
        received += 1
        if received == 1:
            pause()
            continue
        if terminal:
            os.write(2, SHOW_CURSOR)
        os._exit(PAUSED)
