"""What a run of a workflow can come to at most (floor 6): turns and dollars, before one is spent.

A call is taken at its model's whole window and most output, as often as it may be tried; a strand
at all its steps; a turn at all its strands. Real runs cost a small part of that.
"""

from collections.abc import Collection
from typing import Any, NamedTuple

from hive.control.edge import Edge
from hive.control.worst import worst_case
from hive.models.catalog import ModelCard
from hive.models.wrappers.steady import steady
from hive.role import Role
from hive.workflow import Workflow

__all__ = ["Forecast", "forecast"]


class Forecast(NamedTuple):
    """What a run can come to at most; None where nothing bounds it, as `unbounded` says."""

    turns: int | None
    cost: int | None
    """In nano-dollars, its budget included."""
    uncapped: int | None
    """The same by the graph, the limits and the prices alone."""
    unbounded: tuple[str, ...]


def forecast(workflow: Workflow) -> Forecast:
    """The most turns and dollars that a run can take, for models that keep to their limits.

    Raises UnknownModel.
    """
    prices = Prices(workflow)
    worst = worst_case(workflow.graph, prices.move, workflow.budget.turns)
    uncapped = None if prices.unknown else worst.cost
    caps = [cost for cost in (uncapped, workflow.budget.nano) if cost is not None]
    return Forecast(
        worst.turns,
        min(caps, default=None),
        uncapped,
        (*worst.unbounded, *prices.unknown),
    )


class Prices:
    """What the moves of a workflow cost at most, in nano-dollars."""

    def __init__(self, workflow: Workflow) -> None:
        self.workflow = workflow
        self.minds = workflow.silent_team().minds
        self.unknown: dict[str, None] = {}
        """Why the prices of some roles are not known."""
        self.strands = {name: self.strand(role) for name, role in workflow.roles.items()}
        advisor: Role | None = getattr(workflow.policy, "advisor", None)
        self.advice = 0 if advisor is None else self.strands[advisor.name]

    def move(self, edge: Edge) -> int:
        """The strands of one move, with the advice that it may have taken."""
        each = [self.strands[role.name] for role in edge.targets]
        per = [self.strands[role.name] for role in edge.targets if role.per is not None]
        more = max(0, self.workflow.limits.strands // edge.samples - len(each))
        return self.advice + edge.samples * (sum(each) + more * max(per, default=0))

    def strand(self, role: Role) -> int:
        """All calls of one strand, with the dearest model that the role may get."""
        if not role.asks_model:
            return 0
        calls = [self.call(key) for key in keys_for(self.workflow, role)]
        return self.workflow.limits.steps * max(calls, default=0)

    def call(self, key: str) -> int:
        """One call, with all its attempts; 0 where that is not known."""
        card = self.minds[key].card
        if card.prices is None:
            self.unknown[f"the price of {card.name} is not known"] = None
            return 0
        if not card.worst(10**6, 10**6):
            return 0
        if card.window is None:
            self.unknown[f"how much {card.name} can read in one call is not known"] = None
            return 0
        given = self.workflow.assigned[key]
        model = steady(given) if isinstance(given, str) else given
        return attempts_of(model) * card.worst(card.window, self.output(card))

    def output(self, card: ModelCard) -> int:
        most = self.workflow.limits.output_tokens
        return most if card.max_output is None else min(most, card.max_output)


def keys_for(workflow: Workflow, role: Role) -> Collection[str]:
    """The models that a role may get, by key; all, where only the allocator knows that."""
    known = getattr(workflow.allocator, "reached", None)
    keys: Collection[str] = tuple(workflow.assigned)
    if known is not None:
        keys = known((role,), keys)
    return keys


def attempts_of(model: Any) -> int:
    """How often a call of a model is made at most: what its wrappers say."""
    members = getattr(model, "models", None)
    if members is not None:
        return sum(attempts_of(member) for member in members)
    attempts: int = getattr(model, "attempts", 1)
    return attempts
