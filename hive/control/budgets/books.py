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
from hive.control.budgets.budget import UNCAPPED, Budget
from hive.control.budgets.scope import NOTHING, Grant, Scope

__all__ = ["Books"]

Spending = Request | Inference | Fault


class Acted(NamedTuple):
    """In how many turns a role has acted, and the last of them."""

    turns: int = 0
    last: int = 0


class Books:
    """The scopes of one run: its own, those of roles with caps, and those of the open strands.

    `around` is what the run draws on, where it shares that with others.
    """

    def __init__(self, budget: Budget, around: Scope | None = None) -> None:
        self.budget = budget
        self.uncapped = budget is UNCAPPED and around is None
        """Whether nothing bounds what the run may use."""
        self.run = Scope(
            "the run", cost=budget.nano, tokens=budget.tokens, calls=budget.calls, parent=around
        )
        if budget.call is not None:
            self.run.each = (budget.call.nano, budget.call.tokens)
        self._roles: dict[str, Scope] = {}
        self._acted: dict[str, Acted] = {}
        self._strands: dict[str, Scope] = {}
        self._turn = 0
        self._kept: dict[tuple[int, str], Scope] = {}
        """By turn and strand, the scopes in which first calls are kept back."""
        self._ending: Scope | None = None
        """The scope in which the call of the ending is kept back."""

    @property
    def capped(self) -> bool:
        """Whether anything that calls use is capped, in the run, within it or around it."""
        run = self.run
        return bool(self.budget.nested or run.counts_money or run.counts_tokens or run.counts_calls)

    def strand(self, role: str, strand: str, turn: int) -> Scope:
        """The scope that a strand of a turn reserves in."""
        if not self.budget.nested:
            return self._kept.get((turn, strand), self.run) if self._kept else self.run
        self._act(role, turn)
        return self._kept.get((turn, strand)) or self._strand(role, strand, turn)

    def probe(self, role: str) -> Scope:
        """The scope in which a call of a role would be reserved in a strand that has used nothing
        yet: for looking at, not for use."""
        own = self._caps(role)
        around = self._role(role)
        return (around if own is None else scope_under("a strand", own, around)).of_call()

    def rested(self, role: str, turn: int) -> str:
        """Why a role may not act in a turn: it has had all its turns; "" while it may."""
        own = self.budget.roles.get(role)
        if own is None or own.turns is None:
            return ""
        count, last = self._acted.get(role, Acted())
        return all_turns(role, own.turns) if turn > last and count >= own.turns else ""

    def around(self, role: str) -> Scope:
        """The scope that a role's strands are in: its own where it has caps, else the run's."""
        return self._role(role)

    def keep(self, role: str, strand: str, turn: int, least: Grant) -> None:
        """Keep back what the first call of a strand that is planned for a turn needs at least.
        Raises BudgetExceeded where it has no room."""
        around = self.strand(role, strand, turn)
        around.of_call().judge(least)
        self._keep(strand, turn, around, least)

    def keep_ending(self, role: str, least: Grant) -> None:
        """Keep back what the ending needs at least, which a role writes, until it begins. Raises
        BudgetExceeded with the scope that has no room for it."""
        if self._ending is not None:
            return
        self.probe(role).judge(least)
        own = self._caps(role)
        around = self._role(role)
        within = around if own is None else scope_under("the ending", own, around)
        self._ending = scope_within("the ending", within)
        self._ending.keep(least)

    def begin_ending(self, strand: str, turn: int) -> Scope | None:
        """The scope in which the ending reserves, in the strand that writes it: what was kept for
        it is there. None where nothing was."""
        if self._ending is not None:
            self._kept[turn, strand] = self._ending
        return self._ending

    def let_go(self, turn: int) -> None:
        """Give back what was kept for strands before a turn that have asked nothing."""
        for key in [key for key in self._kept if key[0] < turn]:
            self._kept.pop(key).claim()

    def _keep(self, strand: str, turn: int, around: Scope, least: Grant) -> None:
        own = scope_within(f"strand {strand!r} of turn {turn}", around)
        own.keep(least)
        self._kept[turn, strand] = own

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

    def give_up(self, request: Entry, worst: Grant) -> None:
        """Count a call that is open on record as one that used all it was granted."""
        self._of(request).settle(worst, worst)

    def reopen(self, entries: Iterable[Entry]) -> None:
        """Enter what some turns of a run have on record: calls that were closed at what they
        used, the others at what they were granted."""
        held: dict[tuple[int, str, int], tuple[Scope, Grant]] = {}
        for entry in entries:
            payload, (turn, strand, place) = entry.payload, entry.address
            key = turn, strand, place[0]  # of the attempts at a request one is open at most
            if isinstance(payload, Decision):
                self._plan(payload, turn)
            elif isinstance(payload, Request | Fault) and (turn, strand) in self._kept:
                self._kept[turn, strand].claim()
            if isinstance(payload, Request):
                grant = Grant(payload.grant, payload.grant_tokens)
                held[key] = self._of(entry), grant
            elif isinstance(payload, Admission):
                scope, grant = held[key]
                more = Grant(grant.cost + payload.cost, grant.tokens + payload.tokens)
                held[key] = scope, more
            elif isinstance(payload, Inference | Fault) and place[1:] == (1,):
                answered = held.pop(key, None)
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

    def _plan(self, decision: Decision, turn: int) -> None:
        """Keep back what a decision on record kept for its strands."""
        for plan in decision.strands:
            least = Grant(plan.reserved, plan.reserved_tokens)
            if least == NOTHING:
                continue
            self._keep(plan.strand, turn, self.strand(plan.role, plan.strand, turn), least)
            if decision.ending is not None:
                self._ending = self._kept[turn, plan.strand]

    def _of(self, entry: Entry) -> Scope:
        """The scope of what a strand posted."""
        turn, strand, _ = entry.address
        kept = self._kept.get((turn, strand)) if self._kept else None
        if kept is not None or not self.budget.nested:
            return kept or self.run
        return self._strand(entry.author, strand, turn)

    def _strand(self, role: str, strand: str, turn: int) -> Scope:
        around, caps = self._role(role), self._caps(role)
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

    def _caps(self, role: str) -> Budget | None:
        """The caps of a role's strands."""
        own = self.budget.roles.get(role)
        return own.strand if own is not None and own.strand is not None else self.budget.strand

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
                self._role(role).shut = all_turns(role, own.turns)


def all_turns(role: str, turns: int) -> str:
    return f"role {role!r} has had all the turns it may: {turns}"


def scope_under(name: str, caps: Budget, around: Scope) -> Scope:
    """A scope with some caps within another, whose calls have the caps of those around them."""
    scope = Scope(name, cost=caps.nano, tokens=caps.tokens, calls=caps.calls, parent=around)
    scope.each = around.each
    return scope


def scope_within(name: str, around: Scope) -> Scope:
    """A scope without caps of its own within another."""
    scope = Scope(name, parent=around)
    scope.each = around.each
    return scope


def spend(scope: Scope, payload: Spending) -> None:
    """Enter in a scope what an entry says was spent."""
    if isinstance(payload, Request):
        scope.book(0, 0, 1)
    else:
        scope.book(payload.cost, payload.tokens, 0)
