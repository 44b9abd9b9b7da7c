"""Berths and boats, and what fits where. Lengths and depths are in centimetres."""

from dataclasses import dataclass

CLEARANCE = 30


@dataclass(frozen=True)
class Boat:
    """A boat with its length, its beam and the depth it needs."""

    name: str
    length: int
    beam: int
    draught: int


@dataclass(frozen=True)
class Berth:
    """A place between two piles, so long and so wide, with water so deep at low tide."""

    name: str
    length: int
    width: int
    depth: int

    def fits(self, boat):
        """Whether a boat can lie here at low tide, with room for its fenders."""
        return (
            boat.length <= self.length
            and boat.beam + CLEARANCE <= self.width
            and boat.draught + CLEARANCE <= self.depth
        )

    def waste(self, boat):
        """How much length a boat leaves unused."""
        return self.length - boat.length


def snuggest(berths, boat):
    """The berth that wastes least on a boat, the first by name among equals; None if none fits."""
    fitting = [berth for berth in berths if berth.fits(boat)]
    return min(fitting, key=lambda berth: (berth.waste(boat), berth.name), default=None)
