"""A time limit for one test: an exception that plain `except Exception` does not catch."""

import signal
from types import FrameType

from .options import Limit

__all__ = ["Alarm", "TookTooLong"]

AGAIN = 0.05
"""Seconds after which the exception is raised once more, should the test have swallowed it."""


class TookTooLong(BaseException):
    """Raised inside a test that has used up its time."""


class Alarm:
    """Interrupts tests by CPU time, and by a longer time on the clock for those that only wait.

    CPU time is what an endless loop burns, however busy the machine is.
    """

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self.expired = 0
        self._slowest = 0.0
        self._given = 0.0
        self._armed = False
        signal.signal(signal.SIGPROF, self._ring)
        signal.signal(signal.SIGALRM, self._ring)

    @property
    def seconds(self) -> float:
        """CPU seconds that the next test may use."""
        patience = self.limit.first / float(4**self.expired)
        return max(self.limit.least, patience, 10 * self._slowest)

    def arm(self, seconds: float) -> None:
        """Give the code that follows some CPU time."""
        self._given = seconds
        self._armed = True
        signal.setitimer(signal.ITIMER_PROF, seconds, AGAIN)
        signal.setitimer(signal.ITIMER_REAL, seconds * self.limit.wall, AGAIN)

    def disarm(self) -> None:
        """Interrupt nothing from here on."""
        self._armed = False
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)

    def note(self, seconds: float, passed: bool, late: bool) -> None:
        """Learn from a test that has ended what others may take."""
        self.expired += late
        if passed:
            self._slowest = max(self._slowest, seconds)

    def _ring(self, number: int, frame: FrameType | None) -> None:
        if self._armed:
            waited = self._given * self.limit.wall
            what = (
                f"{self._given:.3g} s of CPU time"
                if number == signal.SIGPROF
                else f"{waited:.3g} s"
            )
            raise TookTooLong(f"timed out after {what}")
