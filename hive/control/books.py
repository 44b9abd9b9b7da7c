"""The books of a run (floor 4): its scopes, and what its record says of them.

What is answered is on the books at what it used, what is open at what it was granted. So a run that
goes on after a crash has the books of the instant at which it died, and no cap is passed by reading
them again.
"""

from collections.abc import Iterable
from typing import NamedTuple

from hive.board.entry import Entry
from hive.board.records import Admission, Decision, Fault, Inference, Overrun, Request
from hive.board.state import State
from hive.control.budget import Budget
from hive.control.scope import Grant, Scope

__all__ = ["Books"]

Spending = Request | Inference | Fault


class Acted(NamedTuple):
    """In how many turns a role has acted, and the last of them."""

    turns: int = 0
    last: int = 0


class Books:
    """The scopes of one run: its own, those of roles with caps, and those of the open strands."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.run = Scope("the run", cost=budget.nano, tokens=budget.tokens, calls=budget.calls)
        if budget.call is not None:
            self.run.each = (budget.call.nano, budget.call.tokens)
        self._roles: dict[str, Scope] = {}
        self._acted: dict[str, Acted] = {}
        self._strands: dict[str, Scope] = {}
        self._turn = 0

    def strand(self, role: str, strand: str, turn: int) -> Scope:
        """The scope that a strand of a turn reserves in."""
        if not self.budget.nested:
            return self.run
        self._act(role, turn)
        return self._strand(role, strand, turn)

    def book(self, state: State, entries: Iterable[Entry]) -> None:
        """Enter what the closed turns of a run say was spent in it, in its roles, and by how many
        turns of theirs."""
        if not self.budget.nested:
            self.run.book(state.spent, state.tokens, state.calls)
            return
        for entry in entries:
            if entry.address.turn > state.turn:
                continue
            payload = entry.payload
            if isinstance(payload, Decision):
                for plan in payload.strands:
                    self._act(plan.role, entry.address.turn)
            elif isinstance(payload, Spending):
                spend(self._role(entry.author), payload)

    def put_aside(self, entry: Entry) -> None:
        """Enter what an entry of the open turn cost that was begun anew after it."""
        if isinstance(entry.payload, Spending):
            spend(self._of(entry), entry.payload)

    def reopen(self, entries: Iterable[Entry]) -> None:
        """Enter what the open turn of a run has on record: calls that were closed at what they
        used, the others at what they were granted."""
        held: dict[tuple[str, int, int], tuple[Scope, Grant]] = {}
        for entry in entries:
            payload, (_, strand, place) = entry.payload, entry.address
            if isinstance(payload, Request):
                grant = Grant(payload.grant, payload.grant_tokens)
                held[strand, place[0], entry.attempt] = self._of(entry), grant
            elif isinstance(payload, Admission):
                key = strand, place[0], place[2] - 1
                scope, grant = held[key]
                more = Grant(grant.cost + payload.cost, grant.tokens + payload.tokens)
                held[key] = scope, more
            elif isinstance(payload, Inference | Fault) and place[1:] == (1,):
                answered = held.pop((strand, place[0], entry.attempt), None)
                if answered is not None:
                    answered[0].book(payload.cost, payload.tokens, 1)
        for scope, grant in held.values():
            scope.take(grant)

    def close(self, overruns: Iterable[Entry]) -> None:
        """Shut the scopes that were overrun, by what is on record of it."""
        for entry in overruns:
            payload = entry.payload
            if not isinstance(payload, Overrun):
                continue
            named = payload.closes or (self.run.name,)
            scope: Scope | None = self._of(entry)
            while scope is not None:
                if scope.name in named:
                    scope.close()
                scope = scope.parent

    def _of(self, entry: Entry) -> Scope:
        """The scope of what a strand posted."""
        if not self.budget.nested:
            return self.run
        return self._strand(entry.author, entry.address.strand, entry.address.turn)

    def _strand(self, role: str, strand: str, turn: int) -> Scope:
        around = self._role(role)
        own = self.budget.roles.get(role)
        caps = own.strand if own is not None and own.strand is not None else self.budget.strand
        if caps is None:
            return around
        if turn > self._turn:
            self._turn = turn
            self._strands.clear()
        known = self._strands.get(strand)
        if known is None or turn < self._turn:
            name = f"strand {strand!r} of turn {turn}"
            known = scope_under(name, caps, around)
            if turn == self._turn:
                self._strands[strand] = known
        return known

    def _role(self, role: str) -> Scope:
        own = self.budget.roles.get(role)
        if own is None:
            return self.run
        known = self._roles.get(role)
        if known is None:
            known = self._roles[role] = scope_under(f"role {role!r}", own, self.run)
            if own.call is not None:
                known.each = (own.call.nano, own.call.tokens)
        return known

    def _act(self, role: str, turn: int) -> None:
        """A role acts in a turn: one that has had all its turns is shut."""
        own = self.budget.roles.get(role)
        if own is None or own.turns is None:
            return
        count, last = self._acted.get(role, Acted())
        if turn > last:
            self._acted[role] = Acted(count + 1, turn)
            if count >= own.turns:
                around = self._role(role)
                around.shut = f"{around.name} has had all the turns it may: {own.turns}"


def scope_under(name: str, caps: Budget, around: Scope) -> Scope:
    """A scope with some caps within another, whose calls have the caps of those around them."""
    scope = Scope(name, cost=caps.nano, tokens=caps.tokens, calls=caps.calls, parent=around)
    scope.each = around.each
    return scope


def spend(scope: Scope, payload: Spending) -> None:
    """Enter in a scope what an entry says was spent."""
    if isinstance(payload, Request):
        scope.book(0, 0, 1)
    else:
        scope.book(payload.cost, payload.tokens, 0)
