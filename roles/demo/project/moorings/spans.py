"""Stays as half-open spans of days: the arrival is in, the departure is not."""

from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, order=True)
class Span:
    """From the day of arrival to the day of departure, which is free again."""

    arrival: date
    departure: date

    def __post_init__(self):
        if self.departure <= self.arrival:
            raise ValueError(f"a stay from {self.arrival} to {self.departure} has no night")

    @property
    def nights(self):
        """How many nights lie between arrival and departure."""
        return (self.departure - self.arrival).days

    def covers(self, day):
        """Whether the berth is taken in the night that follows `day`."""
        return self.arrival <= day < self.departure

    def overlaps(self, other):
        """Whether two stays want one berth in the same night."""
        return self.arrival <= other.departure and other.arrival < self.departure

    def extended(self, nights):
        """The same stay with more nights at its end."""
        return Span(self.arrival, self.departure + timedelta(days=nights))


def gaps(spans, window):
    """The free spans of a window, between stays that do not overlap each other."""
    found = []
    free_from = window.arrival
    for span in sorted(spans):
        if span.arrival > free_from:
            found.append(Span(free_from, min(span.arrival, window.departure)))
        free_from = max(free_from, span.departure)
        if free_from >= window.departure:
            return found
    found.append(Span(free_from, window.departure))
    return found
