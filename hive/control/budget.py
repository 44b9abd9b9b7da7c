"""Budgets (floor 4): caps that a call reserves its worst case under, before it is made.

Scopes nest: what is reserved in a strand is reserved in its role and in the run. On one event loop
`reserve` cannot be interrupted, so spent + reserved never passes a cap.
"""

from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal, InvalidOperation
from typing import NamedTuple

from hive.board.state import State
from hive.errors import BudgetExceeded, DeclarationError
from hive.message import Attempt

__all__ = ["NOTHING", "Allowance", "Budget", "Grant", "Scope", "nano_dollars", "usd"]

NANO = 10**9


def nano_dollars(amount: Decimal | int | float | str) -> int:
    """US dollars as integer nano-dollars, rounded down: a cap is never stretched."""
    return int((Decimal(str(amount)) * NANO).to_integral_value(ROUND_FLOOR))


def usd(nano: int) -> Decimal:
    """Nano-dollars as US dollars."""
    return Decimal(nano) / NANO


@dataclass(frozen=True)
class Budget:
    """What a run may use at most; None leaves a measure uncapped.

    `usd` in US dollars, `tokens` input and output together, `calls` to models, `turns`, and
    `seconds` of wall time, after which what still runs is cancelled.
    """

    usd: Decimal | int | float | str | None = None
    tokens: int | None = None
    calls: int | None = None
    turns: int | None = None
    seconds: float | None = None

    def __post_init__(self) -> None:
        for name in ("usd", "tokens", "calls", "turns", "seconds"):
            value = getattr(self, name)
            if value is None:
                continue
            try:
                amount = Decimal(str(value))
            except InvalidOperation:
                amount = Decimal("nan")
            if not amount.is_finite():
                raise DeclarationError(f"Budget({name}={value!r}) is no finite number")
            if amount < 0:
                raise DeclarationError(f"Budget({name}={value!r}) is below zero")

    @property
    def nano(self) -> int | None:
        """The cap on money in nano-dollars."""
        return None if self.usd is None else nano_dollars(self.usd)

    def exhausted(self, state: State) -> str | None:
        """The cap that leaves no room for another turn, as it reads; None when there is room."""
        if self == UNCAPPED:
            return None
        caps = (
            ("usd", self.nano, state.spent),
            ("tokens", self.tokens, state.tokens),
            ("calls", self.calls, state.calls),
            ("turns", self.turns, state.turn),
            ("seconds", self.seconds, state.elapsed / 1_000_000),
        )
        for name, cap, used in caps:
            if cap is not None and used >= cap:
                return f"budget({name}={getattr(self, name)})"
        return None


UNCAPPED = Budget()


class Grant(NamedTuple):
    """What one call may use: nano-dollars and tokens in the worst case."""

    cost: int
    tokens: int


NOTHING = Grant(0, 0)


class Scope:
    """One level of a ledger: caps, what was spent and what is reserved.

    Caps of None are open. A closed scope grants nothing more.
    """

    __slots__ = (
        "calls", "cap_calls", "cap_cost", "cap_tokens", "closed", "foreseen", "name", "parent",
        "reserved", "spent",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        *,
        cost: int | None = None,
        tokens: int | None = None,
        calls: int | None = None,
        parent: "Scope | None" = None,
    ) -> None:
        self.name = name
        self.cap_cost = cost
        self.cap_tokens = tokens
        self.cap_calls = calls
        self.parent = parent
        self.spent = NOTHING
        self.reserved = NOTHING
        self.calls = 0
        self.closed = False
        self.foreseen = 0
        """How many reservations were made before anybody came to take them."""

    @property
    def counts_money(self) -> bool:
        """Whether this scope or one around it has a cap on money."""
        return self.cap_cost is not None or (self.parent is not None and self.parent.counts_money)

    @property
    def counts_tokens(self) -> bool:
        """Whether this scope or one around it has a cap on tokens."""
        return self.cap_tokens is not None or (
            self.parent is not None and self.parent.counts_tokens
        )

    def room(self) -> tuple[int | None, int | None]:
        """Nano-dollars and tokens that can still be reserved here and in every scope around."""
        cost, tokens = None, None
        scope: Scope | None = self
        while scope is not None:
            if scope.cap_cost is not None:
                left = scope.cap_cost - scope.spent.cost - scope.reserved.cost
                cost = left if cost is None else min(cost, left)
            if scope.cap_tokens is not None:
                left = scope.cap_tokens - scope.spent.tokens - scope.reserved.tokens
                tokens = left if tokens is None else min(tokens, left)
            scope = scope.parent
        return cost, tokens

    def reserve(self, grant: Grant) -> None:
        """Reserve the worst case of one call, in this scope and all around it, or nowhere.

        Raises BudgetExceeded with the scope and the measure that have no room.
        """
        scope: Scope | None = self
        while scope is not None:
            scope._check(grant)
            scope = scope.parent
        self._hold(grant)

    def widen(self, grant: Grant) -> None:
        """Reserve as much again for a further attempt at the same call, here and all around, or
        nowhere. Raises BudgetExceeded."""
        scope: Scope | None = self
        while scope is not None:
            scope._afford(grant)
            scope = scope.parent
        self.hold(grant)

    def foresee(self, grant: Grant) -> None:
        """Reserve what a record says was granted, for whoever takes it in a moment: a run that goes
        on grants nothing more before all that was granted already is accounted for."""
        self._hold(grant)
        self.foreseen += 1

    def take(self, grant: Grant) -> None:
        """Reserve what a record says was granted, without judging it again, unless it was foreseen
        and is reserved."""
        if self.foreseen:
            self.foreseen -= 1
            return
        self._hold(grant)

    def _hold(self, grant: Grant) -> None:
        scope: Scope | None = self
        while scope is not None:
            scope.calls += 1
            scope = scope.parent
        if grant is not NOTHING:
            self.hold(grant)

    def hold(self, grant: Grant) -> None:
        """Reserve what was granted elsewhere, without judging it and as no call of its own."""
        scope: Scope | None = self
        while scope is not None:
            held = scope.reserved
            scope.reserved = Grant(held.cost + grant.cost, held.tokens + grant.tokens)
            scope = scope.parent

    def settle(self, grant: Grant, used: Grant) -> bool:
        """Give a reservation back and book what was used. False when more was used than granted:
        every scope up to the capped one is then closed."""
        within = used.cost <= grant.cost and used.tokens <= grant.tokens
        scope: Scope | None = self
        while scope is not None:
            held, spent = scope.reserved, scope.spent
            scope.reserved = Grant(held.cost - grant.cost, held.tokens - grant.tokens)
            scope.spent = Grant(spent.cost + used.cost, spent.tokens + used.tokens)
            scope = scope.parent
        return within

    def book(self, cost: int, tokens: int, calls: int) -> None:
        """Enter what earlier turns of a resumed run have spent."""
        self.spent = Grant(self.spent.cost + cost, self.spent.tokens + tokens)
        self.calls += calls

    def _check(self, grant: Grant) -> None:
        if self.closed:
            raise BudgetExceeded(f"the budget of {self.name} was overrun and is closed")
        if grant is NOTHING and self.cap_calls is None:
            return
        if self.cap_calls is not None and self.calls >= self.cap_calls:
            raise BudgetExceeded(f"{self.name} has made all the calls it may: {self.cap_calls}")
        self._afford(grant)

    def _afford(self, grant: Grant) -> None:
        if self.closed:
            raise BudgetExceeded(f"the budget of {self.name} was overrun and is closed")
        cost = self.spent.cost + self.reserved.cost + grant.cost
        if self.cap_cost is not None and cost > self.cap_cost:
            raise BudgetExceeded(
                f"{self.name} may spend ${usd(self.cap_cost)}; ${usd(self.spent.cost)} is spent,"
                f" ${usd(self.reserved.cost)} reserved, and this call may cost ${usd(grant.cost)}"
            )
        tokens = self.spent.tokens + self.reserved.tokens + grant.tokens
        if self.cap_tokens is not None and tokens > self.cap_tokens:
            raise BudgetExceeded(
                f"{self.name} may use {self.cap_tokens} tokens; {self.spent.tokens} are used,"
                f" {self.reserved.tokens} reserved, and this call may use {grant.tokens}"
            )


class Allowance:
    """What one call may use: its grant, and what is admitted for further attempts on top of it.

    A further attempt may use as many tokens as the first. After `close` nothing is admitted: the
    call is settled.
    """

    __slots__ = ("first", "more", "open", "scope", "times", "tried")

    def __init__(self, scope: Scope, first: Grant) -> None:
        self.scope = scope
        self.first = first
        self.more = NOTHING
        self.times = 0
        self.tried: tuple[Attempt, ...] = ()
        """The attempts that had failed when the last one was admitted."""
        self.open = True

    @property
    def grant(self) -> Grant:
        """All that is reserved for the call."""
        return Grant(self.first.cost + self.more.cost, self.first.tokens + self.more.tokens)

    def admit(self, cost: int, tried: tuple[Attempt, ...] = ()) -> Grant | None:
        """Reserve a further attempt at its worst case, in every scope or in none; None then.
        `tried` are those that have failed so far."""
        self.tried = tried
        wanted = Grant(max(0, cost), self.first.tokens)
        if not self.open:
            return None
        try:
            self.scope.widen(wanted)
        except BudgetExceeded:
            return None
        self.more = Grant(self.more.cost + wanted.cost, self.more.tokens + wanted.tokens)
        self.times += 1
        return wanted

    def close(self) -> Grant:
        """All that is reserved, to be settled now."""
        self.open = False
        return self.grant
