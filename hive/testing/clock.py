"""A clock worked by hand (rim)."""

__all__ = ["ManualClock"]

SECOND = 1_000_000


YEAR_2001 = 1_000_000_000 * SECOND


class ManualClock:
    """A clock that stands still until the test moves it.

    >>> clock = ManualClock()
    >>> clock.advance(seconds=1.5)
    >>> clock.elapsed()
    1500000
    """

    def __init__(self, start: int = YEAR_2001) -> None:
        self.start = start
        self._elapsed = 0

    def now(self) -> int:
        """Microseconds since 1970."""
        return self.start + self._elapsed

    def elapsed(self) -> int:
        """Microseconds since the clock was made."""
        return self._elapsed

    def advance(self, *, seconds: float = 0, microseconds: int = 0) -> None:
        """Move on."""
        self._elapsed += round(seconds * SECOND) + microseconds
