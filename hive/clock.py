"""Where time comes from (floor 0): wall time for the record, a monotonic clock for durations."""

import time
from typing import Protocol

__all__ = ["Clock", "SystemClock"]


class Clock(Protocol):
    """A source of time; `hive.testing.ManualClock` is the one for tests."""

    def now(self) -> int:
        """Wall time in microseconds since 1970, UTC. Never used for ordering."""
        ...

    def elapsed(self) -> int:
        """Microseconds on a clock that never goes back; only differences mean anything."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> int:
        return time.time_ns() // 1000

    def elapsed(self) -> int:
        return time.monotonic_ns() // 1000
