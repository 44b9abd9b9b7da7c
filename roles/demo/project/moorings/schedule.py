"""Who has which berth, and when."""

from dataclasses import dataclass

from moorings.berths import Berth, Boat, snuggest
from moorings.spans import Span, gaps


class HarbourFull(Exception):
    """No berth is both large enough and free."""


@dataclass(frozen=True)
class Stay:
    """A boat in a berth for a span of days."""

    boat: Boat
    berth: Berth
    span: Span


class Schedule:
    """The harbour's book of stays."""

    def __init__(self, berths):
        self.berths = list(berths)
        self.stays = []

    def is_free(self, berth, span):
        """Whether nobody lies in a berth during a span."""
        return not any(
            stay.berth == berth and stay.span.overlaps(span) for stay in self.stays
        )

    def choices(self, boat, span):
        """The berths that a boat could have for a whole span."""
        return [
            berth for berth in self.berths if berth.fits(boat) and not self.is_free(berth, span)
        ]

    def book(self, boat, span):
        """Give a boat the berth that fits it most snugly. Raises HarbourFull."""
        berth = snuggest(self.choices(boat, span), boat)
        if berth is None:
            raise HarbourFull(f"no berth for {boat.name} from {span.arrival}")
        stay = Stay(boat, berth, span)
        self.stays.append(stay)
        return stay

    def cancel(self, stay):
        """Take a stay out of the book; its berth is free again."""
        self.stays.remove(stay)

    def occupied(self, day):
        """The names of the berths that are taken in a night, in order."""
        return sorted(stay.berth.name for stay in self.stays if stay.span.covers(day))

    def openings(self, berth, window):
        """The spans of a window in which a berth is free."""
        return gaps([stay.span for stay in self.stays if stay.berth == berth], window)
