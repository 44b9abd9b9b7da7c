"""A workflow (floor 6): a team declared, checked when it is made, and started on goals."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import JsonValue

from hive.beginning import begin
from hive.board.canonical import encode
from hive.board.contributions import EVERYWHERE, Goal, UserMessage
from hive.board.payload import Payload, Vocabulary
from hive.board.pieces import Drawn
from hive.board.records import RECORDS, Fault
from hive.board.state import Folding
from hive.clock import Clock, SystemClock
from hive.control.allocating.allocation import ANYONE, Allocator, ByComplexity
from hive.control.allocating.complexity import Estimator, RuleEstimator
from hive.control.budgets.budget import UNCAPPED, Budget
from hive.control.budgets.pool import Pool
from hive.control.graphs.graph import Graph, chain_graph
from hive.control.guards.guard import elapsed, turns
from hive.control.guards.watch import Watch
from hive.control.policies.policy import GraphOrder, Policy
from hive.control.synthesis import LastWord, Synthesis
from hive.declared import check_whole
from hive.errors import DeclarationError
from hive.fingerprint import manifest
from hive.journal.journal import Journal
from hive.message import Media
from hive.models.catalog import FREE, ModelCard
from hive.models.model import Model, close
from hive.phases.brief import Briefing, brief
from hive.phases.strand import InDoubt, Limits
from hive.resuming import resume
from hive.role import Chain, Role
from hive.run import Result, Run
from hive.team import (
    Mind,
    Team,
    advisors_of,
    by_key,
    check_prices,
    folding_for,
    hired,
    program_name,
    silent,
)
from hive.tools.approval import Approver, ask

if TYPE_CHECKING:
    from hive.forecast import Forecast

__all__ = ["CHAIN_MINUTES", "CHAIN_TURNS", "Workflow"]

CHAIN_TURNS = 40
CHAIN_MINUTES = 30
"""The bounds a Workflow adds to a chain `a >> b`, whose graph has none of its own."""


@dataclass(frozen=True)
class Workflow:
    """A team, the graph of its handoffs, and the rules it works under.

    `graph` is a Graph, a chain `writer >> critic`, or one Role. `model` serves whoever has no
    other; `models` maps roles or tiers ("small", "large") to models or their names,
    `provider:name`. `cards` say what is known of models given by name, over the catalog.
    `approvals` rules on tool calls, `budget` caps a run, `limits` bounds a turn.
    `in_doubt` says what becomes of a call of a tool with `repeat="never"` that had been begun when
    its process died: "ask" lets it wait for a person, "lost" tells the role that nobody knows
    whether it took effect, "repeat" calls it again. `watches` say what is tried with a run that
    gets no further.

    Raises DeclarationError, GraphError and UnknownModel for a team that could not work.
    """

    graph: Graph
    model: str | Model | None = None
    models: Mapping[str, str | Model] = field(default_factory=dict)
    cards: tuple[ModelCard, ...] = ()
    policy: Policy = field(default_factory=GraphOrder)
    allocator: Allocator = field(default_factory=ByComplexity)
    estimator: Estimator = field(default_factory=RuleEstimator)
    synthesis: Synthesis = field(default_factory=LastWord)
    budget: Budget = UNCAPPED
    approvals: Approver = field(default_factory=lambda: ask(effect="irreversible"))
    limits: Limits = field(default_factory=Limits)
    in_doubt: InDoubt = "ask"
    watches: tuple[Watch, ...] = ()
    name: str = "workflow"
    bounds: tuple[str, ...] = ()
    """Stops that were added to a chain, as they read."""

    def __init__(
        self,
        graph: Graph | Chain | Role,
        *,
        model: str | Model | None = None,
        models: Mapping[str, str | Model] | None = None,
        cards: Iterable[ModelCard] = (),
        policy: Policy | None = None,
        allocator: Allocator | None = None,
        estimator: Estimator | None = None,
        synthesis: Synthesis | None = None,
        budget: Budget | None = None,
        approvals: Approver | None = None,
        limits: Limits | None = None,
        in_doubt: InDoubt = "ask",
        watches: Iterable[Watch] = (),
        name: str = "workflow",
        bounds: tuple[str, ...] = (),
    ) -> None:
        if not isinstance(graph, Graph):
            stops = (turns(CHAIN_TURNS), elapsed(minutes=CHAIN_MINUTES))
            chain = Chain((graph,)) if isinstance(graph, Role) else graph
            if not isinstance(chain, Chain):
                raise DeclarationError(
                    f"a workflow of {graph!r}: give a Graph, a chain of roles or one Role"
                )
            graph = chain_graph(chain, stops[0] | stops[1])
            bounds = tuple(str(stop) for stop in stops)
        values = {
            "graph": graph,
            "model": model,
            "models": by_key(models or {}),
            "cards": tuple(cards),
            "policy": policy or GraphOrder(),
            "allocator": allocator or ByComplexity(),
            "estimator": estimator or RuleEstimator(),
            "synthesis": synthesis or LastWord(),
            "budget": budget or UNCAPPED,
            "approvals": approvals or ask(effect="irreversible"),
            "limits": limits or Limits(),
            "in_doubt": in_doubt,
            "watches": tuple(watches),
            "name": name,
            "bounds": bounds,
        }
        for key, value in values.items():
            object.__setattr__(self, key, value)
        check_whole(self)

    def with_(self, **changes: Any) -> "Workflow":
        """The same workflow with some parts changed, checked again."""
        return replace(self, **changes)

    def with_models(self, **models: str | Model) -> "Workflow":
        """The same workflow with other models for some roles or tiers."""
        return replace(self, models={**self.models, **models})

    def with_instructions(self, **texts: str) -> "Workflow":
        """The same workflow with other instructions for some roles of its graph."""
        return replace(self, graph=self.graph.with_instructions(texts))

    def start(
        self,
        goal: str,
        *,
        attachments: Iterable[str | Path | Media] = (),
        journal: "str | Path | Journal | None" = None,
        workspace: str | Path | None = None,
        seed: int | None = None,
        tags: Iterable[str] = (),
        session: str | None = None,
        overrides: Mapping[str, JsonValue] | None = None,
        reference: str | None = None,
        approvals: Approver | None = None,
        clock: Clock | None = None,
        pool: Pool | None = None,
    ) -> Run:
        """A run of a goal, to be driven by `async with` or `await run.result()`.

        `attachments` are images and files that belong to the goal: paths, or Media.
        `journal` is `sqlite:PATH`, a path or a Journal; without one the run is kept in memory.
        `workspace` is the folder that tools work on, in place. `seed` fixes the run's chance;
        `pool` is what it shares with other runs. Raises DeclarationError for an attachment that
        cannot be read or is too large, for a workspace that is not there, and for a model without a
        known price under a cap on money, MissingKey for a model whose key is not set, JournalError
        for a journal that cannot be opened, PoolHeld for a pool that another process has.
        """
        return begin(
            self,
            goal,
            attachments=attachments,
            journal=journal,
            workspace=workspace,
            seed=seed,
            tags=tuple(tags),
            session=session,
            overrides=dict(overrides or {}),
            reference=reference or self.name,
            approvals=approvals,
            clock=clock or SystemClock(),
            pool=pool,
        )

    def resume(
        self,
        run: str,
        *,
        journal: "str | Path | Journal",
        approvals: Approver | None = None,
        accept: str | Collection[str] = (),
        restore: bool = False,
        clock: Clock | None = None,
        pool: Pool | None = None,
    ) -> Run:
        """Go on with a run that was paused, is waiting, or whose process died.

        What was recorded is not asked for again. `accept` names what may be other than on record,
        in one word or several, and is put on record itself: "workflow", this one, under which the
        open turn is then begun anew; "calls", those of that turn that may not simply be made again;
        "workspace", the files as they stand. With `restore`, files are put back as they are on
        record. A run that draws on a `pool` goes on in that one. Raises RunNotFound; RunHeld when
        somebody else extends the run; WorkflowChanged and WorkspaceDrift for what was not accepted;
        DeclarationError for another pool, or none; and JournalError when the run has ended.
        """
        return resume(
            self,
            run,
            journal=journal,
            approvals=approvals,
            accept=accept,
            restore=restore,
            clock=clock or SystemClock(),
            pool=pool,
        )

    async def run(self, goal: str, **options: Any) -> Result:
        """Run a goal to its end; the options are those of `start`."""
        return await self.start(goal, **options).result()

    def run_sync(self, goal: str, **options: Any) -> Result:
        """`run` for scripts without an event loop."""
        import anyio

        async def main() -> Result:
            try:
                return await self.run(goal, **options)
            finally:  # the loop ends here, and connections cannot outlive it
                for model in self.assigned.values():
                    if not isinstance(model, str):
                        await close(model)

        return anyio.run(main)

    def forecast(self) -> "Forecast":
        """The most turns and dollars that a run can come to, where anything bounds them. Nobody
        is asked for it. Raises UnknownModel."""
        from hive.forecast import forecast

        return forecast(self)

    @cached_property
    def roles(self) -> Mapping[str, Role]:
        """Every role, with those that the policy and the estimator consult."""
        advisors = advisors_of(self.policy, self.estimator, self.synthesis)
        return {**self.graph.roles, **advisors}

    @cached_property
    def assigned(self) -> Mapping[str, str | Model]:
        """Key (a role, a tier or "*") to model, as the allocator is given them."""
        return self.models if self.model is None else {ANYONE[0]: self.model, **self.models}

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The kinds that its runs speak."""
        classes: dict[type[Payload], None] = dict.fromkeys(
            (*RECORDS, *EVERYWHERE, *self.graph.kinds)
        )
        for role in self.roles.values():
            classes |= dict.fromkeys((*role.writes, *(role.reads or ())))
        return Vocabulary(classes)

    @cached_property
    def writers(self) -> Mapping[str, frozenset[str]]:
        """The domain kinds that each role may post."""
        return {
            name: frozenset(part.kind for cls in role.writes for part in (cls, *cls.unfolds))
            for name, role in self.roles.items()
        }

    @cached_property
    def reads(self) -> Mapping[str, frozenset[str]]:
        """The kinds that each role sees; where it names none, all contributions and faults."""
        domain = {kind for kind, cls in self.vocabulary.items() if cls.level == "domain"}
        everything = frozenset(domain | {Fault.kind})
        return {
            name: everything
            if role.reads is None
            else frozenset({cls.kind for cls in role.reads} | {Goal.kind, UserMessage.kind})
            for name, role in self.roles.items()
        }

    @cached_property
    def folding(self) -> Folding:
        """What the fold of its runs must know."""
        return folding_for(
            self.graph, self.roles, self.policy, self.estimator, self.allocator, self.watches
        )

    @cached_property
    def readable(self) -> frozenset[str]:
        """The records that some role asks to see."""
        asked = {cls for role in self.roles.values() for cls in role.reads or ()}
        return frozenset(cls.kind for cls in asked if cls.level == "control")

    @cached_property
    def vocabulary_bytes(self) -> bytes:
        """The schemas of its kinds, as runs keep them."""
        return encode(self.vocabulary.schemas())

    @cached_property
    def manifest_bytes(self) -> bytes:
        """Its fingerprint, as runs keep it."""
        return encode(manifest(self))

    @cached_property
    def needed(self) -> Mapping[str, str | Model]:
        """The models by key that some role may get; all, where only the allocator knows that."""
        known = getattr(self.allocator, "reached", None)
        keys = self.assigned if known is None else known(self.roles.values(), tuple(self.assigned))
        return {key: given for key, given in self.assigned.items() if key in keys}

    @cached_property
    def targets(self) -> Mapping[str, tuple[str, ...]]:
        """The roles that each role may hand on to."""
        found: dict[str, dict[str, None]] = {}
        for edge in self.graph.edges:
            for source in edge.sources:
                found.setdefault(source.name, {}).update({t.name: None for t in edge.targets})
        return {name: tuple(targets) for name, targets in found.items()}

    @cached_property
    def briefings(self) -> Mapping[str, Briefing]:
        """What each role is told in every turn alike."""
        return {name: brief(role, self.targets.get(name, ())) for name, role in self.roles.items()}

    def team(self, pool: Drawn | None = None) -> Team:
        """The workflow with its models resolved, for a run that draws on a pool. Raises
        UnknownModel, DeclarationError, and MissingKey for a model whose key is not set."""
        self.check_models()
        minds = hired(self.needed, self.cards)
        check_prices(minds, self.budget, self.roles, pool)
        own = tuple(
            mind.model
            for key, mind in minds.items()
            if isinstance(self.assigned[key], str) and mind.model is not None
        )
        return self._team(silent(self.assigned, self.cards) | minds, own)

    def silent_team(self) -> Team:
        """The workflow for a replay: its models are names with their cards, and are not asked."""
        return self._team(silent(self.assigned, self.cards), ())

    def _team(self, minds: Mapping[str, Mind], own: tuple[Model, ...]) -> Team:
        return Team(
            graph=self.graph,
            policy=self.policy,
            allocator=self.allocator,
            estimator=self.estimator,
            synthesis=self.synthesis,
            budget=self.budget,
            limits=self.limits,
            minds=minds,
            programs={
                name: Mind(program_name(role), ModelCard(program_name(role), prices=FREE))
                for name, role in self.roles.items()
                if not role.asks_model
            },
            reads=self.reads,
            targets=self.targets,
            briefings=self.briefings,
            watches=self.watches,
            own=own,
        )

    def check_models(self) -> None:
        """Raise DeclarationError for a role that no model would serve. A workflow made without any
        is whole but for that, and is given them before it is started."""
        check = getattr(self.allocator, "check", None)
        if check is not None and any(role.asks_model for role in self.roles.values()):
            named = {
                key: given if isinstance(given, str) else given.name
                for key, given in self.assigned.items()
            }
            check(tuple(self.roles.values()), named)
