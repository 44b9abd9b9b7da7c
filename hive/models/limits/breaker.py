"""A circuit breaker (models floor): an ill server is left alone for a while, then tried.

After Nygard, "Release It!" (2007).
"""

__all__ = ["Breaker"]


class Breaker:
    """Opens after so many failures in a row, for a while that doubles each time a trial fails.

    While it is open nobody may ask. Then one call may, the trial: if it ends well the breaker
    closes, if not it opens again. Times are seconds of one clock that never goes back.
    """

    THRESHOLD = 5
    FIRST = 5.0
    LONGEST = 60.0

    def __init__(self) -> None:
        self.failures = 0
        self.until: float | None = None
        """When a trial may be made; None while the breaker is closed."""
        self.pause = self.FIRST
        self.trial: object | None = None
        """The call under way that decides."""

    def wait(self, now: float) -> float:
        """Seconds for which nobody may ask; 0 when a call may, or a trial is under way."""
        return 0.0 if self.until is None else max(0.0, self.until - now)

    def begin(self, call: object) -> None:
        """A call is made; the first after the breaker was open is the trial."""
        if self.until is not None:
            self.trial = call

    def well(self) -> None:
        """A call was answered, be it by a refusal: the server is there."""
        self.failures, self.until, self.pause, self.trial = 0, None, self.FIRST, None

    def ill(self, call: object, now: float) -> None:
        """A call failed in a way that says that the server is ill."""
        if self.until is None:
            self.failures += 1
            if self.failures >= self.THRESHOLD:
                self.until = now + self.pause
        elif call is self.trial:
            self.trial = None
            self.pause = min(2 * self.pause, self.LONGEST)
            self.until = now + self.pause

    def untold(self, call: object) -> None:
        """A call ended without telling anything, as a cancelled one does."""
        if call is self.trial:
            self.trial = None
