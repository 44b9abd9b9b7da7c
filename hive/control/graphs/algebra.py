"""Guard (control floor): a named pure predicate on State, and how guards combine.

The idea is that of statecharts' guards and of the termination conditions of agent frameworks;
being pure functions of State they hold nothing and need no reset. Each knows whether it must hold
at last, which is what the verification of cycles stands on.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, NoReturn, TypeVar

from pydantic import JsonValue

from hive.board.payload import Payload
from hive.board.records import Reason
from hive.board.state import State, Tally
from hive.errors import DeclarationError

__all__ = ["Guard", "Need", "Possible", "Test"]

Test = Callable[[State], bool]


class Need(NamedTuple):
    """A kind without which a guard says nothing, from one author or from anyone."""

    kind: type[Payload]
    author: str | None = None


class Possible(NamedTuple):
    """What can become of a guard."""

    hold: bool
    fail: bool


@dataclass(frozen=True, slots=True)
class Guard:
    """A named pure predicate on State; made by `guard` and the functions beside it.

    `eventually` says that in every run that goes on it holds at last, and from then on for ever;
    `never_again` that it is false at last, and from then on for ever. Where neither is known both
    are False, and `loose` says why it bounds nothing. `reason` is the code of a run that it stops.
    Two guards are equal when they read alike.
    """

    name: str
    test: Test = field(compare=False, repr=False)
    reason: Reason = "guard"
    needs: tuple[Need, ...] = ()
    strict: bool = field(default=False, compare=False, repr=False)
    """Whether it cannot hold before all its needs are on the board."""
    from_turn: int | None = field(default=None, compare=False, repr=False)
    """The number of closed turns from which on it holds, and before which it does not."""
    times: int | None = field(default=None, compare=False, repr=False)
    """After how many turns of a run it can hold at most."""
    tallies: tuple[Tally, ...] = field(default=(), compare=False, repr=False)
    eventually: bool = False
    never_again: bool = False
    loose: str = field(default="", compare=False, repr=False)
    measure: Callable[[State], JsonValue] | None = field(default=None, compare=False, repr=False)
    """What a report gives as its value; the test's own truth when None."""
    joint: Literal["", "&", "|", "~"] = field(default="", repr=False)
    parts: "tuple[Guard, ...]" = field(default=(), repr=False)

    def __and__(self, other: "Guard") -> "Guard":
        one, two = self.test, self._other(other, "&").test
        return Guard(
            f"{self._in('&')} & {other._in('&')}",
            lambda state: one(state) and two(state),
            needs=merged(self.needs, other.needs),
            tallies=merged(self.tallies, other.tallies),
            eventually=self.eventually and other.eventually,
            never_again=self.never_again or other.never_again,
            joint="&",
            parts=(self, other),
        )

    def __or__(self, other: "Guard") -> "Guard":
        one, two = self.test, self._other(other, "|").test
        return Guard(
            f"{self.name} | {other.name}",
            lambda state: one(state) or two(state),
            needs=merged(self.needs, other.needs),
            tallies=merged(self.tallies, other.tallies),
            eventually=self.eventually or other.eventually,
            never_again=self.never_again and other.never_again,
            joint="|",
            parts=(self, other),
        )

    def __invert__(self) -> "Guard":
        test = self.test
        return Guard(
            f"~{self._in('~')}",
            lambda state: not test(state),
            needs=self.needs,
            tallies=self.tallies,
            eventually=self.never_again,
            never_again=self.eventually,
            joint="~",
            parts=(self,),
        )

    def __bool__(self) -> NoReturn:
        raise DeclarationError(
            f"guard {self.name} is not true or false by itself; combine guards with & | ~ and not"
            " with and, or, not"
        )

    def __str__(self) -> str:
        return self.name

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds that it looks for on the board."""
        return frozenset(need.kind.kind for need in self.needs)

    def possible(self, of: "Callable[[Guard], Possible]") -> Possible:
        """Whether it may hold and whether it may fail, from the same of its primitives.

        Each is judged by itself, so what two of them rule out together passes as possible.
        """
        if not self.parts:
            return of(self)
        parts = [part.possible(of) for part in self.parts]
        if self.joint == "~":
            return Possible(parts[0].fail, parts[0].hold)
        if self.joint == "&":
            return Possible(all(p.hold for p in parts), any(p.fail for p in parts))
        return Possible(any(p.hold for p in parts), all(p.fail for p in parts))

    @property
    def primitives(self) -> "tuple[Guard, ...]":
        """The guards that it is made of, each once."""
        return tuple({part.name: part for part in self._leaves()}.values())

    def values(self, state: State) -> dict[str, JsonValue]:
        """Each primitive by name with its value: what was counted, or true or false."""
        return {
            part.name: part.test(state) if part.measure is None else part.measure(state)
            for part in self.primitives
        }

    def report(self, state: State) -> str:
        """The values in words: `rejected: no, turns(20): 12`."""
        told = {True: "yes", False: "no"}
        values = self.values(state).items()
        return ", ".join(
            f"{name}: {told[value] if isinstance(value, bool) else value}" for name, value in values
        )

    def witness(self, state: State) -> "Guard":
        """The part that decides where this guard holds: the first alternative that does."""
        if self.joint == "|":
            first, second = self.parts
            return (first if first.test(state) else second).witness(state)
        return self

    def reason_in(self, state: State) -> Reason:
        """The reason code of a run that ends because this guard holds."""
        deciding = self.witness(state)
        if deciding.joint != "&":
            return deciding.reason
        reasons = [part.reason_in(state) for part in deciding.parts]
        return next((reason for reason in reasons if reason != "guard"), "guard")

    def _leaves(self) -> "Iterator[Guard]":
        if not self.parts:
            yield self
        for part in self.parts:
            yield from part._leaves()

    def _in(self, joint: str) -> str:
        """The name as it stands inside a larger guard, in parentheses where it must."""
        weaker = {"&": ("|",), "~": ("|", "&")}[joint]
        return f"({self.name})" if self.joint in weaker else self.name

    def _other(self, other: object, joint: str) -> "Guard":
        if isinstance(other, Guard):
            return other
        raise DeclarationError(
            f"guard {self.name} {joint} {other!r}: only guards can be combined; wrap a function of"
            ' the state as guard("name")(function)'
        )


Item = TypeVar("Item")


def merged(one: Iterable[Item], two: Iterable[Item]) -> tuple[Item, ...]:
    """Both in order, each item once."""
    items: list[Item] = []
    for item in (*one, *two):
        if item not in items:
            items.append(item)
    return tuple(items)
