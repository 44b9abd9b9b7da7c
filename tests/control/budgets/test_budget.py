"""Budgets: what a call may cost is reserved before it is made, and no cap is ever passed."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from hive import Budget, Role, State, Workflow
from hive.control.budgets.budget import nano_dollars, usd
from hive.control.budgets.scope import NOTHING, Allowance, Grant, Scope
from hive.errors import BudgetExceeded, DeclarationError
from hive.message import Request
from hive.testing import FunctionModel

grants = st.builds(Grant, st.integers(0, 60), st.integers(0, 60))


class Ledger(RuleBasedStateMachine):
    """A run, two roles in it and a strand in one of them, used in any order."""

    open = Bundle("open")
    kept = Bundle("kept")

    def __init__(self) -> None:
        super().__init__()
        self.run = Scope("the run", cost=100, tokens=150, calls=12)
        self.roles = [Scope("a", parent=self.run, cost=60), Scope("b", parent=self.run)]
        self.scopes = [*self.roles, Scope("strand", parent=self.roles[0], tokens=80)]

    @rule(target=open, place=st.integers(0, 2), grant=grants)
    def reserve(self, place: int, grant: Grant) -> Allowance | None:
        scope = self.scopes[place]
        cost, tokens = scope.room()
        assert cost is not None
        assert tokens is not None
        before = [(s.spent, s.reserved, s.calls) for s in (self.run, *self.scopes)]
        left = self.run.calls_left()
        assert left is not None
        fits = grant.cost <= cost and grant.tokens <= tokens and left > 0
        if fits and not self.run.shut:
            scope.reserve(grant)
            return Allowance(scope, grant)
        with pytest.raises(BudgetExceeded):
            scope.reserve(grant)
        assert [(s.spent, s.reserved, s.calls) for s in (self.run, *self.scopes)] == before
        return None

    @rule(given=open, cost=st.integers(-5, 60))
    def admit(self, given: Allowance | None, cost: int) -> None:
        if given is None:
            return
        before = [(s.spent, s.reserved, s.calls) for s in (self.run, *self.scopes)]
        held, (cost_left, tokens_left) = given.grant, given.scope.room()
        assert cost_left is not None
        assert tokens_left is not None
        fits = max(0, cost) <= cost_left and given.first.tokens <= tokens_left
        assert (given.admit(cost) is not None) == fits
        assert self.run.calls == before[0][2]
        if fits:
            assert given.grant == Grant(held.cost + max(0, cost), held.tokens + given.first.tokens)
        else:
            assert given.grant == held
            assert [(s.spent, s.reserved, s.calls) for s in (self.run, *self.scopes)] == before

    @rule(given=consumes(open), part=st.fractions(0, 1))
    def settle(self, given: Allowance | None, part: Any) -> None:
        if given is not None:
            grant = given.close()
            assert given.admit(0) is None
            used = Grant(int(grant.cost * part), int(grant.tokens * part))
            given.scope.settle(grant, used)
            assert given.scope.overrun(grant, used) == ()

    @rule(target=kept, place=st.integers(0, 2), least=grants)
    def keep(self, place: int, least: Grant) -> tuple[Scope, Grant] | None:
        """Keep back what a strand's first call needs at least, if there is room."""
        own = Scope("a strand", parent=self.scopes[place])
        try:
            own.judge(least)
        except BudgetExceeded:
            return None
        own.keep(least)
        return own, least

    @rule(target=open, given=consumes(kept), more=st.booleans())
    def claim(self, given: tuple[Scope, Grant] | None, more: bool) -> Allowance | None:
        """What was kept is there when it is claimed: a call of that size always fits."""
        if given is None:
            return None
        own, least = given
        own.claim()
        own.claim()
        assert own.reserved == NOTHING
        if not more:
            return None
        own.reserve(least)
        return Allowance(own, least)

    @invariant()
    def no_cap_is_passed(self) -> None:
        assert 0 <= self.run.calls + self.run.kept_calls <= 12
        assert self.run.kept_calls == sum(role.kept_calls for role in self.roles) >= 0
        for scope in (self.run, *self.scopes):
            assert scope.spent.cost + scope.reserved.cost <= (scope.cap_cost or 100)
            assert scope.spent.tokens + scope.reserved.tokens <= (scope.cap_tokens or 150)
            assert min(scope.reserved) >= 0

    @invariant()
    def what_is_within_adds_up(self) -> None:
        a, b = self.roles
        assert self.run.spent == Grant(a.spent.cost + b.spent.cost, a.spent.tokens + b.spent.tokens)
        assert self.run.reserved.cost == a.reserved.cost + b.reserved.cost
        assert a.spent.cost >= self.scopes[2].spent.cost


TestLedger = Ledger.TestCase
TestLedger.settings = settings(max_examples=50, stateful_step_count=25)


def test_what_does_not_fit_is_refused_with_the_numbers() -> None:
    run = Scope("the run", cost=2_000_000_000, tokens=100, calls=2)
    strand = Scope("coder", parent=run)
    strand.reserve(Grant(500_000_000, 10))
    with pytest.raises(BudgetExceeded) as caught:
        strand.reserve(Grant(1_600_000_000, 10))
    assert str(caught.value) == (
        "the run may spend $2; $0 is spent, $0.5 reserved, and this call may cost $1.6"
    )
    with pytest.raises(BudgetExceeded, match="the run may use 100 tokens; 0 are used, 10 reserved"):
        strand.reserve(Grant(0, 91))
    strand.settle(Grant(500_000_000, 10), Grant(100_000_000, 5))
    assert run.spent == strand.spent == Grant(100_000_000, 5)
    strand.reserve(NOTHING)
    with pytest.raises(BudgetExceeded, match="the run has made all the calls it may: 2"):
        strand.reserve(NOTHING)


def test_a_closed_scope_grants_nothing_more() -> None:
    run = Scope("the run")
    run.close()
    with pytest.raises(BudgetExceeded, match="the budget of the run was overrun and is closed"):
        Scope("a", parent=run).reserve(NOTHING)


def test_more_than_was_granted_is_booked_in_full() -> None:
    run = Scope("the run", cost=100)
    run.reserve(Grant(10, 10))
    run.settle(Grant(10, 10), Grant(11, 10))
    assert run.spent == Grant(11, 10)
    assert run.reserved == NOTHING


def test_what_a_run_spent_before_it_was_paused_counts() -> None:
    run = Scope("the run", cost=100, calls=3)
    run.book(cost=95, tokens=7, calls=2)
    assert run.room() == (5, None)
    with pytest.raises(BudgetExceeded):
        run.reserve(Grant(6, 0))
    run.reserve(Grant(5, 0))
    with pytest.raises(BudgetExceeded, match="all the calls it may: 3"):
        run.reserve(NOTHING)


def test_a_scope_knows_what_is_counted_around_it() -> None:
    money, tokens, nothing = Scope("a", cost=1), Scope("b", tokens=1), Scope("c")
    assert Scope("in", parent=money).counts_money
    assert not Scope("in", parent=money).counts_tokens
    assert Scope("in", parent=tokens).counts_tokens
    assert not Scope("in", parent=nothing).counts_money
    assert nothing.room() == (None, None)


@pytest.mark.parametrize(
    ("amount", "nano"),
    [
        (2, 2_000_000_000),
        ("0.1", 100_000_000),
        (0.1, 100_000_000),
        (Decimal("0.0000000019"), 1),
        (1e-10, 0),
    ],
)
def test_a_cap_is_never_stretched_by_rounding(amount: Any, nano: int) -> None:
    assert nano_dollars(amount) == nano == (Budget(usd=amount).nano or 0)


@given(st.integers(0, 10**18))
def test_nano_dollars_are_exact(nano: int) -> None:
    assert nano_dollars(usd(nano)) == nano


@pytest.mark.parametrize("name", ["usd", "tokens", "calls", "turns", "seconds"])
def test_a_cap_below_zero_is_refused(name: str) -> None:
    with pytest.raises(DeclarationError, match=rf"Budget\({name}=-1\) is below zero"):
        Budget(**{name: -1})  # type: ignore[arg-type]


@pytest.mark.parametrize("usd", ["much", "nan", float("nan"), float("inf")])
def test_a_cap_that_is_no_amount_is_refused(usd: Any) -> None:
    with pytest.raises(DeclarationError, match="no finite number"):
        Budget(usd=usd)


@pytest.mark.parametrize("value", ["1000", 2.5, True])
@pytest.mark.parametrize("name", ["tokens", "calls", "turns"])
def test_what_is_counted_is_capped_by_a_whole_number(name: str, value: Any) -> None:
    with pytest.raises(DeclarationError, match=rf"Budget\({name}={value!r}\) is no whole number"):
        Budget(**{name: value})


@pytest.mark.parametrize("seconds", ["2", Decimal(2), float("inf")])
def test_seconds_are_a_number_that_a_clock_counts(seconds: Any) -> None:
    with pytest.raises(DeclarationError, match="no finite number"):
        Budget(seconds=seconds)


@pytest.mark.parametrize("roles", [None, [("a", Budget(usd=1))]])
def test_budgets_of_roles_are_given_by_name(roles: Any) -> None:
    with pytest.raises(DeclarationError, match="by the names of roles"):
        Budget(roles=roles)


@pytest.mark.parametrize("budget", [3, {"usd": 3}])
def test_what_is_no_budget_is_refused(budget: Any) -> None:
    with pytest.raises(DeclarationError, match=r"^budget=.*: give a Budget"):
        Workflow(Role("a"), budget=budget)


def test_a_run_that_may_have_no_turn_has_none() -> None:
    asked: list[Request] = []

    def mind(request: Request) -> str:
        asked.append(request)
        return "done"

    capped = Workflow(Role("a"), model=FunctionModel(mind), budget=Budget(turns=0))
    result = capped.run_sync("g")
    assert (result.reason, result.turns) == ("budget_exhausted", 0)
    assert result.message == "the budget(turns=0) is used up"
    assert not asked


@pytest.mark.parametrize(
    ("budget", "state", "says"),
    [
        (Budget(usd="0.5"), State(spent=500_000_000), "budget(usd=0.5)"),
        (Budget(usd="0.5"), State(spent=499_999_999), None),
        (Budget(tokens=10), State(tokens=10), "budget(tokens=10)"),
        (Budget(calls=3), State(calls=4), "budget(calls=3)"),
        (Budget(turns=2), State(turn=2), "budget(turns=2)"),
        (Budget(seconds=1.5), State(elapsed=1_500_000), "budget(seconds=1.5)"),
        (Budget(seconds=1.5), State(elapsed=1_499_999), None),
        (Budget(), State(turn=99, spent=10**12, tokens=10**9, calls=10**6), None),
        (Budget(calls=0), State(), "budget(calls=0)"),
    ],
)
def test_a_budget_says_which_cap_leaves_no_room(
    budget: Budget, state: State, says: str | None
) -> None:
    assert budget.exhausted(state) == says
