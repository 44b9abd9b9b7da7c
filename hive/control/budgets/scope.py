"""Scopes (floor 4): the levels of a ledger, in which a call reserves its worst case beforehand.

Scopes nest: what is reserved in a strand is reserved in its role, in the run and in the pool that
the run draws on. On one event loop `reserve` cannot be interrupted, so spent + reserved never
passes a cap.
"""

from collections.abc import Callable
from typing import NamedTuple

from hive.control.budgets.budget import usd
from hive.errors import BudgetExceeded
from hive.message import Attempt

__all__ = ["NOTHING", "Allowance", "Grant", "Scope"]


class Grant(NamedTuple):
    """What one call may use: nano-dollars and tokens in the worst case."""

    cost: int
    tokens: int


NOTHING = Grant(0, 0)


class Scope:
    """One level of a ledger: caps, what was spent and what is reserved.

    Caps of None are open. A scope that is shut grants nothing more; `shut` then says why.
    """

    __slots__ = (
        "calls", "cap_calls", "cap_cost", "cap_tokens", "counts_calls", "counts_money",
        "counts_tokens", "each", "kept", "kept_calls", "late", "lent", "name", "parent", "reserved",
        "shut", "spent",
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
        self.counts_money: bool = cost is not None or (parent is not None and parent.counts_money)
        """Whether this scope or one around it has a cap on money."""
        self.counts_tokens: bool = tokens is not None or (
            parent is not None and parent.counts_tokens
        )
        """Whether this scope or one around it has a cap on tokens."""
        self.counts_calls: bool = calls is not None or (parent is not None and parent.counts_calls)
        """Whether this scope or one around it has a cap on calls."""
        self.spent = NOTHING
        self.reserved = NOTHING
        self.calls = 0
        self.kept_calls = 0
        """Calls that are kept back here and within, and not made yet."""
        self.kept: Grant | None = None
        """What is kept back for the next call in just this scope."""
        self.shut = ""
        self.each: tuple[int | None, int | None] | None = None
        """The caps of every single call within, in nano-dollars and tokens."""
        self.late: Callable[[Grant, Grant], None] | None = None
        """Settles the scopes around this one, where they hear of it later."""
        self.lent = False
        """Whether others reserve here too, for whom nothing is kept back."""

    def of_call(self) -> "Scope":
        """The scope of one more call: its own where calls have caps of their own, else this one."""
        if self.each is None:
            return self
        cost, tokens = self.each
        return Scope(f"a call in {self.name}", cost=cost, tokens=tokens, parent=self)

    def calls_left(self) -> int | None:
        """How many calls can still be made here and in every scope around."""
        left = None
        scope: Scope | None = self
        while scope is not None:
            if scope.cap_calls is not None:
                own = scope.cap_calls - scope.calls - scope.kept_calls
                left = own if left is None else min(left, own)
            scope = scope.parent
        return left

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
        self.judge(grant)
        self.take(grant)

    def judge(self, grant: Grant) -> None:
        """Raise BudgetExceeded where one more call has no room, here or in a scope around, with
        the scope and the measure."""
        scope: Scope | None = self
        while scope is not None:
            scope._check(grant)
            scope = scope.parent

    def keep(self, grant: Grant) -> None:
        """Keep back, here and around, what the next call in this scope needs at least. Judges
        nothing; `claim` gives it back."""
        self.kept = grant
        self._keep(1, grant)

    def claim(self) -> None:
        """Give back what is kept for a call in this scope, which is about to be reserved itself, or
        is not made."""
        kept, self.kept = self.kept, None
        if kept is not None:
            self._keep(-1, Grant(-kept.cost, -kept.tokens))

    def _keep(self, calls: int, grant: Grant) -> None:
        scope: Scope | None = self
        while scope is not None and not scope.lent:
            held = scope.reserved
            scope.reserved = Grant(held.cost + grant.cost, held.tokens + grant.tokens)
            scope.kept_calls += calls
            scope = scope.parent

    def widen(self, grant: Grant) -> None:
        """Reserve as much again for a further attempt at the same call, here and all around, or
        nowhere. Raises BudgetExceeded."""
        scope: Scope | None = self
        while scope is not None:
            scope._afford(grant)
            scope = scope.parent
        self.hold(grant)

    def take(self, grant: Grant) -> None:
        """Reserve what was granted to a call, without judging it."""
        scope: Scope | None = self
        while scope is not None:
            scope.calls += 1
            scope = scope.parent
        if grant is not NOTHING:
            self.hold(grant)

    def hold(self, grant: Grant) -> None:
        """Reserve what was granted, without judging it and as no call of its own."""
        scope: Scope | None = self
        while scope is not None:
            held = scope.reserved
            scope.reserved = Grant(held.cost + grant.cost, held.tokens + grant.tokens)
            scope = scope.parent

    def settle(self, grant: Grant, used: Grant) -> None:
        """Give a reservation back and book what was used, here and all around."""
        scope: Scope | None = self
        while scope is not None:
            held, spent = scope.reserved, scope.spent
            scope.reserved = Grant(held.cost - grant.cost, held.tokens - grant.tokens)
            scope.spent = Grant(spent.cost + used.cost, spent.tokens + used.tokens)
            if scope.late is not None:
                scope.late(grant, used)
                return
            scope = scope.parent

    def book(self, cost: int, tokens: int, calls: int) -> None:
        """Enter what was spent without a reservation, here and all around: on record, or elsewhere
        already."""
        scope: Scope | None = self
        while scope is not None:
            spent = scope.spent
            scope.spent = Grant(spent.cost + cost, spent.tokens + tokens)
            scope.calls += calls
            scope = scope.parent

    def overrun(self, grant: Grant, used: Grant) -> tuple[str, ...]:
        """Shut every scope, here and around, that caps what was used beyond a grant, whatever room
        it had left; gives their names, the innermost first."""
        names = []
        money, tokens = used.cost > grant.cost, used.tokens > grant.tokens
        scope: Scope | None = self if money or tokens else None
        while scope is not None:
            if (money and scope.cap_cost is not None) or (tokens and scope.cap_tokens is not None):
                scope.close()
                names.append(scope.name)
            scope = scope.parent
        return tuple(names)

    def close(self) -> None:
        """Grant nothing more, since it was overrun."""
        self.shut = f"the budget of {self.name} was overrun and is closed"

    def _check(self, grant: Grant) -> None:
        if self.shut:
            raise BudgetExceeded(self.shut)
        if grant is NOTHING and self.cap_calls is None:
            return
        if self.cap_calls is not None and self.calls + self.kept_calls >= self.cap_calls:
            kept = f", {self.kept_calls} of them kept back" if self.kept_calls else ""
            raise BudgetExceeded(
                f"{self.name} has made all the calls it may: {self.cap_calls}{kept}"
            )
        self._afford(grant)

    def _afford(self, grant: Grant) -> None:
        if self.shut:
            raise BudgetExceeded(self.shut)
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
