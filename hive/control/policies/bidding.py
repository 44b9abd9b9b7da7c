"""Bidding (control floor): every role says what its turn is worth, and the best bid has the turn.

    Bidding({"coder": Bid(value=5, chance=0.8, cost=0.4), "reviewer": bid_of_reviewer})

This is the award of a task in the contract net (R. G. Smith, IEEE Transactions on Computers C-29,
1980), with bids that are declared, so that nobody is asked and everybody can check them.
"""

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import NamedTuple

from hive.board.state import State, Tally
from hive.control.graphs.move import Line, Move
from hive.control.policies.policy import Choice, Situation, certain
from hive.errors import DeclarationError
from hive.role import Role

__all__ = ["Bid", "Bidding"]


@dataclass(frozen=True)
class Bid:
    """What a strand of a role is worth: `value` if it succeeds, which has a `chance` from 0 to 1,
    and what it costs either way.

    Value and cost are in one unit, the same for all roles: dollars, or points. Raises
    DeclarationError for numbers that cannot be.
    """

    value: float
    chance: float = 1.0
    cost: float = 0.0

    def __post_init__(self) -> None:
        for name in ("value", "chance", "cost"):
            number: object = getattr(self, name)
            known = isinstance(number, int | float) and not isinstance(number, bool)
            if not known or not math.isfinite(number):  # type: ignore[arg-type]  # known says so
                raise DeclarationError(f"{name}={number!r} is no finite number")
        if not 0 <= self.chance <= 1:
            raise DeclarationError(f"chance={self.chance!r} is not in 0 to 1")
        if self.cost < 0:
            raise DeclarationError(f"cost={self.cost!r} is below 0")

    @property
    def score(self) -> float:
        """What is expected of it: value × chance - cost."""
        return self.value * self.chance - self.cost

    def __str__(self) -> str:
        chance = f"×{self.chance:g}" if self.chance != 1 else ""
        return f"{self.value:g}{chance}" + (f"-{self.cost:g}" if self.cost else "")


Given = Bid | float | Callable[[State], Bid | float]
"""What may stand for a role's bid: a Bid, its value alone, or a pure function that gives either."""


@dataclass(frozen=True)
class Bidding:
    """The candidate with the highest bid; the first of those that bid alike.

    `bids` are by the names of roles: a Bid, a number for one that is certain and free, or a pure
    function of the State that gives either; `tallies` is the memory that such functions need. The
    bid of a move is the sum over its roles of value × chance - cost. Where a role takes several
    strands, each costs; for each entry that it takes its value counts, and for several samples
    once, with the chance that one of them at least succeeds.

    Raises DeclarationError for a bid that cannot be, when a workflow is made for roles that make
    none or are not there, and at the decision for what a function gave.
    """

    bids: Mapping[str, Given]
    tallies: tuple[Tally, ...] = ()
    name: str = field(init=False)
    """`bidding (coder 5×0.8-0.4, reviewer bid_of_reviewer)`."""
    _declared: Mapping[str, "Made"] = field(init=False, repr=False, compare=False)
    """The bids that are the same in every turn."""

    def __init__(self, bids: Mapping[str, Given], tallies: Collection[Tally] = ()) -> None:
        given = {role: b if callable(b) else read(role, b) for role, b in bids.items()}
        declared = {r: Made.of(r, b) for r, b in given.items() if isinstance(b, Bid)}
        said = [
            f"{role} {getattr(bid, '__name__', type(bid).__name__) if callable(bid) else bid}"
            for role, bid in given.items()
        ]
        values = {
            "bids": MappingProxyType(given),
            "tallies": tuple(tallies),
            "name": f"bidding ({', '.join(said)})",
            "_declared": declared,
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def __hash__(self) -> int:
        return hash(self.name)

    def check(self, roles: Mapping[str, Role]) -> None:
        """Raise DeclarationError for a bid of nobody, and for a role that makes none."""
        for name in self.bids:
            if name not in roles:
                raise DeclarationError(
                    f"bidding: a bid of {name!r}, who is no role; the roles are"
                    f" {', '.join(sorted(roles))}"
                )
        for name in roles:
            if name not in self.bids:
                raise DeclarationError(
                    f"bidding: role {name!r} makes no bid; give it one, 0 if its turn is worth"
                    " nothing"
                )

    def decide(self, situation: Situation) -> Choice:
        """Choose the highest bid."""
        state, asked = situation.state, dict[str, Made]()
        made = [self.bid_of(move, state, asked) for move in situation.candidates]
        scores = tuple([bid.score for bid in made])
        best = max(scores)
        index = scores.index(best)
        won = situation.candidates[index]
        bids = " + ".join(f"{role} {self.made(role, state, asked).bid}" for role in won.roles)
        reason = f"{won.name} bids {best:g} ({bids})"
        if len(scores) > 1:
            second = max(scores[:index] + scores[index + 1 :])
            reason += f", the most of {len(scores)}; the next is {second:g}"
        choice = certain(index, situation, reason, scores)
        return replace(choice, parts=tuple([bid.parts for bid in made]))

    def bid_of(self, move: Move, state: State, asked: dict[str, "Made"]) -> "Made":
        """The bid of a move, made of those of its roles."""
        if len(move.strands) == 1:
            return self.made(move.strands[0].role, state, asked)
        lines: dict[str, list[Line]] = {}
        for line in move.strands:
            lines.setdefault(line.role, []).append(line)
        found = []
        for role, own in lines.items():
            bid, samples = self.made(role, state, asked).bid, own[0].samples
            entries = len({line.cause for line in own})
            chance = 1 - (1 - bid.chance) ** samples if samples > 1 else bid.chance
            found.append(Made.of(role, Bid(bid.value * entries, chance, bid.cost * len(own))))
        parts = {name: number for one in found for name, number in one.parts.items()}
        return Made(found[0].bid, math.fsum(one.score for one in found), parts)

    def made(self, role: str, state: State, asked: dict[str, "Made"]) -> "Made":
        """A role's bid as things stand; what it was asked for is remembered in `asked`. Raises
        DeclarationError for one that cannot be."""
        made = self._declared.get(role) or asked.get(role)
        if made is None:
            given = self.bids.get(role)
            if not callable(given):
                raise DeclarationError(f"bidding: role {role!r} makes no bid")
            made = asked[role] = Made.of(role, read(role, given(state)))
        return made


class Made(NamedTuple):
    """A bid that was made, what it comes to, and what went into that by name."""

    bid: Bid
    score: float
    parts: Mapping[str, float]

    @classmethod
    def of(cls, role: str, bid: Bid) -> "Made":
        """The bid of one role."""
        parts = {
            f"{role} value": bid.value,
            f"{role} chance": bid.chance,
            f"{role} cost": bid.cost,
        }
        return cls(bid, bid.score, parts)


def read(role: str, given: object) -> Bid:
    """What was given as a bid. Raises DeclarationError, naming the role, where it is none."""
    if isinstance(given, Bid):
        return given
    try:
        return Bid(given)  # type: ignore[arg-type]  # it looks for itself
    except DeclarationError as error:
        raise DeclarationError(f"bidding: the bid of role {role!r}: {error}") from None
