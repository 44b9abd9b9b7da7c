"""What a workflow comes to once its models are resolved (floor 6)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from hive.board.contributions import TestReport
from hive.board.pieces import Drawn
from hive.board.records import StrandPlan
from hive.board.state import Folding, Tally
from hive.control.allocating.allocation import ANYONE, Allocator
from hive.control.allocating.allotment import table_of
from hive.control.allocating.complexity import Estimator
from hive.control.budgets.budget import Budget, usd
from hive.control.graphs.graph import Graph
from hive.control.guards.levels import JUDGED, judging
from hive.control.guards.watch import Watch, climbing
from hive.control.policies.policy import Policy, layers
from hive.control.synthesis import Synthesis
from hive.errors import DeclarationError, Divergence
from hive.message import Reply, Request
from hive.models.catalog import ModelCard, card, card_of
from hive.models.model import Model, check
from hive.models.wrappers.steady import steady
from hive.phases.brief import Briefing
from hive.phases.strand import Limits
from hive.role import Role

__all__ = [
    "Mind",
    "Silent",
    "Team",
    "advisors_of",
    "by_key",
    "check_policy",
    "check_prices",
    "check_roles",
    "folding_for",
    "hired",
    "program_name",
    "silent",
]


@dataclass(frozen=True, slots=True)
class Silent:
    """Stands for a model in a replay, where it is not asked."""

    name: str

    async def complete(self, request: Request) -> Reply:
        """Refuse: what is on record needs no model."""
        raise Divergence(f"model {self.name} is asked for what is not on record")


@dataclass(frozen=True, slots=True)
class Mind:
    """A model with what is known of it; `model` is None where the role is a program."""

    name: str
    card: ModelCard
    model: Model | None = None


@dataclass(frozen=True, slots=True)
class Team:
    """What a workflow comes to once its models are resolved."""

    graph: Graph
    policy: Policy
    allocator: Allocator
    estimator: Estimator
    synthesis: Synthesis
    budget: Budget
    limits: Limits
    minds: Mapping[str, Mind]
    programs: Mapping[str, Mind]
    """Minds of roles that are programs, by role."""
    reads: Mapping[str, frozenset[str]]
    targets: Mapping[str, tuple[str, ...]]
    """The roles each role may hand on to."""
    briefings: Mapping[str, Briefing]
    """What each role is told in every turn alike."""
    watches: tuple[Watch, ...] = ()
    own: tuple[Model, ...] = ()
    """Models that were made for this run and end with it."""

    @property
    def assessor(self) -> Role | None:
        """The role that is asked first how hard the work is, where the estimator has one."""
        assessor: Role | None = getattr(self.estimator, "advisor", None)
        return assessor

    @property
    def advisor(self) -> Role | None:
        """The role that the policy consults before it decides, where it does."""
        advisor: Role | None = getattr(self.policy, "advisor", None)
        return advisor

    @property
    def writer(self) -> Role | None:
        """The role that writes the answer when the run has ended, where one does."""
        writer: Role | None = getattr(self.synthesis, "advisor", None)
        return writer

    def role(self, name: str) -> Role:
        """A role by its name: of the graph, or an advisor."""
        role = self.graph.roles.get(name)
        if role is not None:
            return role
        return advisors_of(self.policy, self.estimator, self.synthesis)[name]

    def keys_for(self, role: str, without: Collection[str] = ()) -> tuple[str, ...]:
        """The keys of the models that a role may get, where those under some keys are left out."""
        left = [key for key in self.minds if key not in without]
        reached = getattr(self.allocator, "reached", None)
        if reached is not None:
            return tuple(sorted(reached((self.role(role),), left)))
        kept = getattr(self.allocator, "kept", None)
        if kept is not None:
            names = {key: self.minds[key].name for key in left}
            return tuple(kept(self.role(role), names, self.briefings))
        others = self.briefings.keys() - {role}
        return tuple(key for key in left if key not in others)

    def mind(self, plan: StrandPlan) -> Mind:
        """The mind that a strand was given."""
        return self.programs.get(plan.role) or self.minds[plan.key or ""]


def advisors_of(policy: Policy, estimator: Estimator, synthesis: Synthesis) -> dict[str, Role]:
    """Who is consulted beside the roles of the graph, by name: by the policy, by the estimator, and
    for the answer."""
    parts = [getattr(part, "advisor", None) for part in (policy, estimator, synthesis)]
    return {role.name: role for role in parts if isinstance(role, Role)}


def folding_for(
    graph: Graph,
    roles: Mapping[str, Role],
    policy: Policy,
    estimator: Estimator,
    allocator: Allocator,
    watches: Sequence[Watch],
) -> Folding:
    """What the fold of a workflow's runs must know; `roles` are the advisors too."""
    guards = [tally for watch in watches for tally in watch.guard.tallies]
    tallies: dict[str, Tally] = {tally.name: tally for tally in (*graph.tallies, *guards)}
    asked = tallies.pop(JUDGED.name, None) is not None
    for part in (*layers(policy), estimator, allocator):
        tallies.update({tally.name: tally for tally in getattr(part, "tallies", ())})
    if asked:  # by a guard; it is judged last, from what the others remember
        tallies[JUDGED.name] = judging(estimator, table_of(allocator))
    if watches:
        climbs = climbing(watches)
        tallies[climbs.name] = climbs
    tools = [tool for role in graph.roles.values() for tool in role.tools]
    return Folding(
        per={name: role.per.kind for name, role in graph.roles.items() if role.per},
        tallies=tuple(tallies.values()),
        tested=any(cls.kind == TestReport.kind for tool in tools for cls in tool.posts),
        advisors=frozenset(roles) - frozenset(graph.roles),
    )


def by_key(models: Mapping[str, str | Model]) -> dict[str, str | Model]:
    """The `models` of a workflow; "default", which is a word in Python, is written "*". Raises
    DeclarationError for what is no mapping."""
    if not isinstance(models, Mapping):
        raise DeclarationError(
            f"models={models!r}: give a mapping from roles or tiers to models, such as"
            ' {"small": "openai:gpt-5-mini"}; the model for everyone is model='
        )
    everyone, spoken = ANYONE
    return {everyone if key == spoken else key: model for key, model in models.items()}


def hired(assigned: Mapping[str, str | Model], cards: Collection[ModelCard]) -> dict[str, Mind]:
    """The minds for a workflow's models by key, those given by name made. Raises UnknownModel, and
    MissingKey for a model whose key is not set."""
    minds: dict[str, Mind] = {}
    for key, given in assigned.items():
        model = steady(given, cards=cards) if isinstance(given, str) else given
        check(model)
        minds[key] = Mind(model.name, card_of(model), model)
    return minds


def silent(assigned: Mapping[str, str | Model], cards: Collection[ModelCard]) -> dict[str, Mind]:
    """The minds for a replay: names with their cards, which are not asked."""
    minds: dict[str, Mind] = {}
    for key, given in assigned.items():
        name = given if isinstance(given, str) else given.name
        known = card(given, cards=cards) if isinstance(given, str) else card_of(given)
        minds[key] = Mind(name, known, Silent(name))
    return minds


def check_prices(
    minds: Mapping[str, Mind], budget: Budget, roles: Collection[str], pool: Drawn | None = None
) -> None:
    """Raise DeclarationError for a model without a known price under a cap on money."""
    for key, mind in minds.items():
        if mind.card.prices is not None:
            continue
        kept = ""
        if pool is not None and pool.cost is not None:
            kept = f"the pool {pool.name!r} of ${usd(pool.cost)}"
        elif capped(budget, key, roles):
            kept = "a budget in dollars" if budget.usd is None else f"a budget of ${budget.usd}"
        if kept:
            raise DeclarationError(
                f"the price of {mind.name} (models[{key!r}]) is not known, so {kept} could not be"
                " kept; give the model a card with prices"
                f' (Workflow(cards=...), or [cards."{mind.name}"] in hive.toml), or cap tokens'
                " instead"
            )


def check_policy(policy: Policy, roles: Mapping[str, Role]) -> None:
    """Raise DeclarationError for what is no policy, and for a team, the roles of a graph, for which
    a policy or one within it could not decide."""
    whole = callable(getattr(policy, "decide", None)) and not isinstance(policy, type)
    if not whole or not isinstance(getattr(policy, "name", None), str):
        raise DeclarationError(
            f"policy={policy!r}: give an object with a name and decide(situation), such as"
            " RoundRobin()"
        )
    checks = getattr(policy, "check", None)
    if checks is not None:
        checks(roles)
    for inner in getattr(policy, "inner", ()):
        check_policy(inner, roles)


def check_roles(budget: Budget, roles: Collection[str]) -> None:
    """Raise DeclarationError for caps of a role that nobody has, and for what is no Budget."""
    if not isinstance(budget, Budget):
        raise DeclarationError(f"budget={budget!r}: give a Budget, such as Budget(usd=2)")
    for name in budget.roles:
        if name not in roles:
            raise DeclarationError(
                f"the budget has caps for a role {name!r}; the roles are {', '.join(sorted(roles))}"
            )


def capped(budget: Budget, key: str, roles: Collection[str]) -> bool:
    """Whether a model under a key may serve a role, of these, that has a cap on money."""
    served = (key,) if key in roles else roles
    return any(budget.caps_money(role) for role in served)


def program_name(role: Role) -> str:
    """The name under which a role's own program is recorded, or that a person acts."""
    if role.person:
        return "person"
    program = role.program
    return f"program:{getattr(program, '__qualname__', type(program).__qualname__)}"
