"""What a run of a workflow can come to at most (floor 6): turns and dollars, before one is spent.

A call is taken at its model's whole window and most output, as often as it may be tried; a strand
at all its steps; a turn at all its strands; and each of them at no more than the budget caps it at.
Real runs cost a small part of that.
"""

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from hive.control.allocating.allotment import table_of
from hive.control.budgets.budget import UNCAPPED, Budget
from hive.control.graphs.edge import Edge
from hive.control.graphs.worst import WorstCase, worst_case
from hive.models.catalog import ModelCard
from hive.models.wrappers.steady import steady
from hive.role import Role
from hive.team import Team

if TYPE_CHECKING:
    from hive.workflow import Workflow

__all__ = ["Forecast", "forecast", "keys_for"]

MILLION = 10**6


class Forecast(NamedTuple):
    """What a run can come to at most; None where nothing bounds it, as `unbounded` says."""

    turns: int | None
    cost: int | None
    """In nano-dollars, with all that its budget caps."""
    uncapped: int | None
    """The same by the graph, the limits and the prices alone."""
    unbounded: tuple[str, ...]


def forecast(workflow: "Workflow", starts: Collection[Edge] | None = None) -> Forecast:
    """The most turns and dollars that a run can take, for models that keep to their limits;
    `Workflow.forecast` is its door. `starts` are those open for a goal, where it is known. Raises
    UnknownModel."""
    plain, budget = Costs(workflow, UNCAPPED, starts), workflow.budget
    worst = walked(plain)
    uncapped = None if worst.cost is None else plain.total(worst.cost)
    bounds = [
        uncapped,
        *(Capped(Costs(workflow, budget, starts)).bounds() if budget != UNCAPPED else ()),
    ]
    cost = min((bound for bound in bounds if bound is not None), default=None)
    turns = None if worst.turns is None else worst.turns + int(plain.writer is not None)
    return Forecast(turns, cost, uncapped, (*worst.unbounded, *plain.unknown))


def walked(costs: "Costs") -> WorstCase:
    """The longest and the dearest walk of a workflow's graph; the first turn may be that of who
    assesses the goal."""
    workflow, first = costs.workflow, int(costs.assessor is not None)
    return worst_case(workflow.graph, costs.move, workflow.budget.turns, first, costs.starts)


class Costs:
    """What calls, strands and moves of a workflow cost at most, in nano-dollars, under the caps of
    calls and strands; None where that is not known."""

    def __init__(
        self, workflow: "Workflow", budget: Budget, starts: Collection[Edge] | None
    ) -> None:
        self.workflow = workflow
        self.budget = budget
        self.starts = starts
        """The starts that are open, where that is known."""
        self.team = workflow.silent_team()
        self.minds = self.team.minds
        self.unknown: dict[str, None] = {}
        """Why the prices of some roles are not known."""
        self.strands = {name: self.strand(role) for name, role in workflow.roles.items()}
        """Of a strand of each role."""
        self.advisor: Role | None = getattr(workflow.policy, "advisor", None)
        self.assessor: Role | None = getattr(workflow.estimator, "advisor", None)
        self.writer: Role | None = getattr(workflow.synthesis, "advisor", None)
        limit = workflow.limits.strands
        self.most = max(row.most(limit) for row in table_of(workflow.allocator).values())
        """Strands that a turn may open for entries that wait."""

    def total(self, walk: int) -> int | None:
        """What a run costs of which one walk is all but the assessment of its goal and the writing
        of its answer."""
        if None in self.strands.values():
            return None
        around = [role for role in (self.assessor, self.writer) if role is not None]
        return walk + sum(self.of(role.name) for role in around)

    def of(self, role: str) -> int:
        """A strand of a role; 0 where that is not known, for a walk that tells nothing then."""
        return self.strands[role] or 0

    def move(self, edge: Edge) -> int:
        """The strands of one move, with the advice that it may have taken."""
        advice = 0 if self.advisor is None else self.of(self.advisor.name)
        each = [self.of(role.name) for role in edge.targets]
        per = [self.of(role.name) for role in edge.targets if role.per is not None]
        return advice + edge.samples * (sum(each) + self.more(edge) * max(per, default=0))

    def more(self, edge: Edge) -> int:
        """How many strands beside one of each role a move may have, for entries that wait."""
        return max(0, self.most // edge.samples - len(edge.targets))

    def strand(self, role: Role) -> int | None:
        """All calls of one strand, with the dearest model that the role may get."""
        if not role.asks_model:
            return 0
        own = self.budget.roles.get(role.name)
        caps = (own and own.strand) or self.budget.strand or UNCAPPED
        calls = least(self.workflow.limits.steps, caps.calls)
        return least(times(calls, self.call(role)), caps.nano, self.of_tokens(caps.tokens, [role]))

    def call(self, role: Role) -> int | None:
        """One call of a role, with all its attempts."""
        own = self.budget.roles.get(role.name)
        caps = (own and own.call) or self.budget.call or UNCAPPED
        keys = keys_for(self.team, role)
        calls = [
            least(self.attempts(key), caps.nano, self.tokens(key, caps.tokens)) for key in keys
        ]
        known = [call for call in calls if call is not None]
        return max(known, default=0) if len(known) == len(calls) else None

    def attempts(self, key: str) -> int | None:
        """One call of a model with all its attempts, at its whole window."""
        card = self.minds[key].card
        if card.prices is None:
            self.unknown[f"the price of {card.name} is not known"] = None
            return None
        if not card.worst(MILLION, MILLION):
            return 0
        if card.window is None:
            self.unknown[f"how much {card.name} can read in one call is not known"] = None
            return None
        given = self.workflow.assigned[key]
        model = steady(given) if isinstance(given, str) else given
        return attempts_of(model) * card.worst(card.window, self.output(card))

    def of_tokens(self, tokens: int | None, roles: Iterable[Role]) -> int | None:
        """So many tokens of the dearest model that some roles may get."""
        keys = {key for role in roles if role.asks_model for key in keys_for(self.team, role)}
        costs = [self.tokens(key, tokens) for key in keys]
        known = [cost for cost in costs if cost is not None]
        return max(known, default=0) if len(known) == len(costs) and tokens is not None else None

    def tokens(self, key: str, tokens: int | None) -> int | None:
        """So many tokens of a model, each at the dearest of its prices."""
        prices = self.minds[key].card.prices
        if prices is None or tokens is None:
            return None
        listed = [prices, *(beyond for _, beyond in prices.beyond)]
        dearest = max(max(p.input, p.output, p.cached_read, p.cache_write) for p in listed)
        return tokens * -(-dearest // MILLION)  # each token rounded up, as no call is rounded more

    def output(self, card: ModelCard) -> int:
        most = self.workflow.limits.output_tokens
        return most if card.max_output is None else min(most, card.max_output)


class Capped:
    """What a budget allows a run of a workflow at most, in nano-dollars."""

    def __init__(self, costs: Costs) -> None:
        self.workflow = costs.workflow
        self.budget = costs.budget
        self.costs = costs

    def bounds(self) -> tuple[int | None, ...]:
        """What each way of counting comes to; None for one that does not bound it."""
        costs, budget, roles = self.costs, self.budget, self.workflow.roles.values()
        calls = [costs.call(role) for role in roles if role.asks_model]
        dearest = None if None in calls else max(filter(None, calls), default=0)
        return (
            budget.nano,
            costs.of_tokens(budget.tokens, roles),
            times(budget.calls, dearest),
            *(self.walks() if budget.nested else ()),
        )

    def walks(self) -> tuple[int | None, ...]:
        """The dearest walk; and the dearest but for the roles with caps over the run, with these at
        most beside it."""
        costs = self.costs
        whole = self.walk()
        capped = {name: self.role(name, own) for name, own in self.budget.roles.items()}
        known = {name: cap for name, cap in capped.items() if cap is not None}
        if not known:
            return (whole,)
        costs.strands |= dict.fromkeys(known, 0)
        others = self.walk()
        return (whole, None if others is None else others + sum(known.values()))

    def walk(self) -> int | None:
        worst = walked(self.costs)
        return None if worst.cost is None else self.costs.total(worst.cost)

    def role(self, name: str, own: Budget) -> int | None:
        """What a role may cost in a whole run."""
        role, costs = self.workflow.roles[name], self.costs
        turn = times(self.abreast(role), costs.strands[name])
        return least(
            own.nano,
            costs.of_tokens(own.tokens, [role]),
            times(own.calls, costs.call(role)),
            times(own.turns, turn),
        )

    def abreast(self, role: Role) -> int:
        """The most strands of a role in one turn."""
        moves = [edge for edge in self.workflow.graph.edges if role.name in edge.target_names]
        per = role.per is not None
        return max([e.samples * (1 + per * self.costs.more(e)) for e in moves], default=1)


def least(*bounds: int | None) -> int | None:
    """The lowest of some bounds; None where there is none."""
    return min((bound for bound in bounds if bound is not None), default=None)


def times(number: int | None, cost: int | None) -> int | None:
    return None if number is None or cost is None else number * cost


def keys_for(team: Team, role: Role) -> Collection[str]:
    """The models that a role may get, by key; all, where only the allocator knows that."""
    if hasattr(team.allocator, "reached") or hasattr(team.allocator, "kept"):
        return team.keys_for(role.name)
    return tuple(team.minds)


def attempts_of(model: Any) -> int:
    """How often a call of a model is made at most: what its wrappers say."""
    members = getattr(model, "models", None)
    if members is not None:
        return sum(attempts_of(member) for member in members)
    attempts: int = getattr(model, "attempts", 1)
    return attempts
