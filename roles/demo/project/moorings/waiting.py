"""Who is next when the harbour is full: first come, first served, members before guests."""

from dataclasses import dataclass

from moorings.berths import Boat
from moorings.spans import Span


@dataclass(frozen=True)
class Wish:
    """A boat that waits for a span of days."""

    boat: Boat
    span: Span
    member: bool = False


class WaitingList:
    """The wishes that could not be met yet."""

    def __init__(self):
        self.wishes = []

    def __len__(self):
        return len(self.wishes)

    def add(self, boat, span, member=False):
        """Let a boat wait; a boat that waits already keeps its place."""
        if not any(wish.boat == boat for wish in self.wishes):
            self.wishes.append(Wish(boat, span, member))

    def in_order(self):
        """The wishes as they will be served."""
        return sorted(self.wishes, key=lambda wish: not wish.member)

    def place(self, boat):
        """How far a boat is from being served: 1 is next. None for a boat that does not wait."""
        for number, wish in enumerate(self.in_order(), 0):
            if wish.boat == boat:
                return number
        return None

    def serve(self, schedule):
        """Book what can be booked, in order, and give the stays that came of it."""
        stays = []
        for wish in self.in_order():
            if schedule.choices(wish.boat, wish.span):
                stays.append(schedule.book(wish.boat, wish.span))
                self.wishes.remove(wish)
        return stays
