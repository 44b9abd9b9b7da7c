"""The rule that somebody agrees to calls (control floor): `require("approval", before=…)`.

It is kept by whoever rules on calls, or by the people whom every walk passes. Approvers are asked
about each call beforehand, without arguments; one that cannot say is no proof.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, get_args

from hive.board.board import COORDINATOR
from hive.board.entry import Label
from hive.control.allocating.allotment import AllocationTable
from hive.control.graphs.frontier import labels
from hive.control.graphs.needs import Writers
from hive.control.graphs.opening import Opening
from hive.control.graphs.rule import Rule, calls_before, walk_around
from hive.errors import Flaw, GraphError
from hive.tools.approval import CHECKPOINT, Approver, Judgement, ProposedCall
from hive.tools.tool import Effect, Tool

if TYPE_CHECKING:
    from hive.control.graphs.graph import Graph

__all__ = ["check_agreed"]


def check_agreed(graph: "Graph", approvals: Approver, table: AllocationTable) -> None:
    """Raise GraphError, with the walk, for a rule that somebody agrees to calls which may be made
    without asking anybody."""
    found = tuple(
        flaw
        for rule in graph.rules
        if rule.role is None and not checkpointed(rule, approvals, table)
        for flaw in unasked(graph, rule, approvals)
    )
    if found:
        raise GraphError(found[0].message, found[0].path, flaws=found, graph=graph)


def unasked(graph: "Graph", rule: Rule, approvals: Approver) -> Iterator[Flaw]:
    """The calls that a rule is about and that nobody need be asked for, each with a walk."""
    people = frozenset(name for name, role in graph.roles.items() if role.person)
    opening = Opening(graph, Writers(graph))
    for name, tool in calls_before(graph, rule):
        why = unguarded(approvals, name, tool)
        if not why:
            continue
        walk = labels(walk_around(graph, people, frozenset({name}).intersection, opening))
        if walk:
            yield Flaw(
                "broken_rule",
                f"{rule} does not hold: {why}, and start → {' → '.join(walk)} passes no person;"
                f' let the workflow\'s approvals ask, as ask(effect="{rule.before}") does, or lead'
                " every way through a person",
                walk,
            )


def unguarded(approvals: Approver, role: str, tool: Tool) -> str:
    """Why a call may be made without asking anybody; "" where it may not, whatever led to it."""
    for label in get_args(Label):
        call = ProposedCall(tool.name, tool.effect, {}, role, label)
        judgement = judged(approvals, call)
        if isinstance(judgement, str):
            return f"whether {role} may call {tool.name} cannot be told beforehand ({judgement})"
        if judgement.decision == "allow":
            led = "" if label == "trusted" else f" where what led to it is {label!r}"
            by = f"{judgement.by}: {judgement.reason}"
            return f"{role} may call {tool.name}{led} without asking anybody ({by})"
    return ""


def checkpointed(rule: Rule, approvals: Approver, table: AllocationTable) -> bool:
    """Whether somebody is asked at the checkpoint, whatever class the work is of."""
    if rule.before == "read" or not all(row.checkpoint for row in table.values()):
        return False
    effects: tuple[Effect, ...] = get_args(Effect)
    rulings = [
        judged(approvals, ProposedCall(CHECKPOINT, effect, {}, COORDINATOR, "trusted"))
        for effect in effects
    ]
    return all(isinstance(each, Judgement) and each.decision != "allow" for each in rulings)


def judged(approvals: Approver, call: ProposedCall) -> Judgement | str:
    """What an approver says of a call at once, or why it says nothing."""
    asked = approvals.judge(call).__await__()
    try:
        next(asked)
    except StopIteration as said:
        judgement = said.value
        if isinstance(judgement, Judgement):
            return judgement
        return f"{type(approvals).__name__} answered with a {type(judgement).__name__}"
    except Exception as error:  # noqa: BLE001  it is made to be asked about whole calls
        return f"{type(approvals).__name__} raised {type(error).__name__}: {error}"
    asked.close()
    return f"{type(approvals).__name__} waits for something first"
