"""What is looked at when a workflow is made (floor 6): none begins a run that could not work."""

from typing import TYPE_CHECKING, get_args

from hive.control.allocating.allotment import table_of
from hive.control.graphs.agreed import check_agreed
from hive.control.guards.watch import asks_watches
from hive.errors import DeclarationError
from hive.models.catalog import ModelCard
from hive.models.naming.chain import members
from hive.models.naming.names import place_of
from hive.phases.strand import InDoubt
from hive.role import Role
from hive.team import check_policy, check_roles

if TYPE_CHECKING:
    from hive.workflow import Workflow

__all__ = ["check_whole"]


def check_whole(workflow: "Workflow") -> None:
    """Raise DeclarationError, or UnknownModel, for a workflow whose parts do not go together."""
    if workflow.in_doubt not in get_args(InDoubt):
        raise DeclarationError(
            f"in_doubt={workflow.in_doubt!r}: say {', '.join(map(repr, get_args(InDoubt)))}"
        )
    check_policy(workflow.policy, workflow.graph.roles)
    check_has(workflow, "estimator", "estimate(goal, state)", "RuleEstimator()")
    check_has(
        workflow, "allocator", "allocate(situation, line, role, complexity, models)", "OneModel()"
    )
    check_advisors(workflow)
    check_roles(workflow.budget, workflow.roles)
    for card in workflow.cards:
        if not isinstance(card, ModelCard):
            raise DeclarationError(f"cards holds {card!r}, which is no ModelCard")
    for key, given in workflow.assigned.items():
        if isinstance(given, str):
            for member in members(given):
                place_of(member)
        elif not isinstance(getattr(given, "name", None), str):
            raise DeclarationError(
                f"models[{key!r}] is {given!r}, which is neither a name nor a Model"
            )
    if workflow.assigned:
        workflow.check_models()
    check_watches(workflow)
    if any(rule.role is None for rule in workflow.graph.rules):
        check_agreed(workflow.graph, workflow.approvals, table_of(workflow.allocator))
    _ = workflow.vocabulary_bytes


def check_has(workflow: "Workflow", part: str, method: str, example: str) -> None:
    """Raise DeclarationError for a part of a workflow that cannot do what it is there for."""
    given = getattr(workflow, part)
    if isinstance(given, type) or not callable(getattr(given, method.partition("(")[0], None)):
        raise DeclarationError(f"{part}={given!r}: give an object with {method}, such as {example}")


def check_advisors(workflow: "Workflow") -> None:
    """Raise DeclarationError for a role that is consulted under the name of another one, and for a
    person, whose advice every decision would wait for."""
    known = dict(workflow.graph.roles)
    for part in ("policy", "estimator", "synthesis"):
        advisor: Role | None = getattr(getattr(workflow, part), "advisor", None)
        if advisor is not None and known.setdefault(advisor.name, advisor) != advisor:
            other = (
                "a role of the graph" if advisor.name in workflow.graph.roles else "another advisor"
            )
            raise DeclarationError(
                f"the {part}'s advisor and {other} are both named {advisor.name!r}"
            )
        if advisor is not None and advisor.person:
            raise DeclarationError(
                f"the {part}'s advisor {advisor.name!r} is a person; give them a turn of the graph,"
                " and let a model or a program advise"
            )


def check_watches(workflow: "Workflow") -> None:
    """Raise DeclarationError for watches that could say nothing, and for guards that ask for what
    no watch says."""
    names = [watch.guard.name for watch in workflow.watches]
    for watch in workflow.watches:
        if names.count(watch.guard.name) > 1:
            raise DeclarationError(f"two watches of {watch.guard}; one run climbs one ladder")
        for need in watch.guard.needs:
            if need.kind.kind not in workflow.vocabulary:
                raise DeclarationError(
                    f"a watch of {watch.guard} looks for {need.kind.kind}, which no role writes"
                )
    if names:
        return
    for guard in workflow.graph.guards:
        for part in guard.primitives:
            if asks_watches(part):
                raise DeclarationError(
                    f"{part} never holds, since nothing watches the run; give the workflow"
                    " watches=(Watch(stalled(turns=3)),)"
                )
