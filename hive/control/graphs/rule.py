"""Rules on a handoff graph (control floor): whose turn must come before what.

    require(reviewer, before="finish")
    require(reviewer, after=coder, before="finish")
    require(approver, before="irreversible")
    require("approval", before="irreversible")

A role dominates what no walk comes to without passing it first. Since a role can stand in several
frontiers, and edges open by what was written before, this is found by walking around the role.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from hive.control.graphs.frontier import END, GOAL, Node, labels
from hive.control.graphs.opening import Opening
from hive.errors import Flaw, GraphError
from hive.role import Role
from hive.tools.tool import Effect, Tool

if TYPE_CHECKING:
    from hive.control.graphs.graph import Graph

__all__ = ["APPROVAL", "Rule", "calls_before", "require", "rules_broken", "walk_around"]

Before = Literal["finish"] | Effect
WORDS: tuple[str, ...] = ("finish", *get_args(Effect))
APPROVAL: Literal["approval"] = "approval"
"""What is no role, and can be required all the same: that a call is allowed by who was asked."""


@dataclass(frozen=True)
class Rule:
    """Whose turn must come before what; made by `require`."""

    role: str | None
    """None where it is the approval of a call that is required."""
    before: str
    """A role, "finish", or an effect of tools."""
    after: str | None = None

    def __str__(self) -> str:
        """The rule as it is written."""
        before = f'"{self.before}"' if self.before in WORDS else self.before
        after = "" if self.after is None else f"after={self.after}, "
        role = f'"{APPROVAL}"' if self.role is None else self.role
        return f"require({role}, {after}before={before})"


def require(
    role: Role | Literal["approval"], *, before: Role | Before, after: Role | None = None
) -> Rule:
    """Let a graph be refused in which a walk gets around a role.

    Every walk to `before` must pass a turn of the role: before any finish, before another role's
    turn, or before the turn of any role that has a tool with that effect ("irreversible", "egress",
    "write", "read"). With `after`, every walk from any turn of that role on must. A turn beside
    another does not come before it. What the role says there is a guard's business: a rule holds
    that it was asked.

    `require("approval", before="irreversible")` is about the calls themselves: of each tool with
    that effect the workflow's `approvals` ask somebody or deny, or every walk to who may call it
    passes a person. It is kept here, and checked when a Workflow is made of the graph.

    Raises GraphError for what is no role and no such word.
    """
    if role == APPROVAL:
        if after is not None or before not in get_args(Effect):
            raise GraphError(
                f'require("{APPROVAL}", …): give before= one of'
                f" {', '.join(map(repr, get_args(Effect)))}, and nothing else"
            )
        return Rule(None, str(before))
    for each in (role, *(() if after is None else (after,))):
        if not isinstance(each, Role):
            raise GraphError(f"require({each!r}): not a Role")
    since = None if after is None else after.name
    if isinstance(before, Role):
        return Rule(role.name, before.name, since)
    if before not in WORDS:
        raise GraphError(
            f"require({role.name}, before={before!r}): give a Role or one of"
            f" {', '.join(map(repr, WORDS))}"
        )
    return Rule(role.name, before, since)


def rules_broken(graph: "Graph", opening: Opening) -> Iterator[Flaw]:
    """Rules that some walk breaks, with the walk; and rules about roles that are not there."""
    for rule in graph.rules:
        if rule.role is None:  # about calls, on which the workflow's approvals rule
            continue
        named = (rule.role, rule.after, None if rule.before in WORDS else rule.before)
        absent = [name for name in named if name is not None and name not in graph.roles]
        if absent:
            yield Flaw(
                "broken_rule",
                f"{rule}: the graph has no role {absent[0]!r}; there are {', '.join(graph.roles)}",
            )
            continue
        walk = labels(
            walk_around(graph, frozenset({rule.role}), wanted(graph, rule), opening, rule.after)
        )
        if walk:
            yield Flaw(
                "broken_rule",
                f"{rule} does not hold: start → {' → '.join(walk)} gets around {rule.role}; lead"
                " every way through it, or guard the last handoff with what only it writes",
                walk,
            )


class Standing(NamedTuple):
    """Where a walk has come to."""

    node: Node
    met: int
    """The needs that were met on the way."""
    wanting: bool
    """Whether the role's turn is still to come."""


def walk_around(
    graph: "Graph",
    roles: frozenset[str],
    wants: Callable[[Node], object],
    opening: Opening,
    after: str | None = None,
) -> tuple[Node, ...]:
    """A walk that comes to a frontier which wants a turn of one of some roles before it, and passes
    none, or none after a role's; empty when there is none.

    A walk on which more was written can go wherever another can, so of walks that come to one place
    only those are followed that no other surpasses.
    """
    first = Standing(GOAL, opening.free, after is None)
    before: dict[Standing, Standing] = {}
    best: dict[tuple[Node, bool], list[int]] = {}
    queue = deque([first])
    while queue:
        at = queue.popleft()
        for to in graph.digraph.successors(at.node):
            if not opening.taken(at.node, to, at.met):
                continue
            if at.wanting and wants(to):
                walk = [to, at.node]
                while at in before:
                    at = before[at]
                    walk.append(at.node)
                return tuple(walk[::-1])
            wanting = after in to or (at.wanting and roles.isdisjoint(to))
            new = Standing(to, at.met | opening.met_at(to), wanting)
            known = best.setdefault((to, wanting), [])
            if not any(new.met | met == met for met in known):
                known[:] = [met for met in known if met | new.met != new.met] + [new.met]
                before[new] = at
                queue.append(new)
    return ()


def wanted(graph: "Graph", rule: Rule) -> Callable[[Node], bool]:
    """Tells the frontiers that a rule wants the role's turn before."""
    if rule.before == "finish":
        return lambda node: node == END
    if rule.before not in WORDS:
        return lambda node: rule.before in node
    callers = {name for name, _ in calls_before(graph, rule)} - {rule.role}
    return lambda node: not callers.isdisjoint(node)


def calls_before(graph: "Graph", rule: Rule) -> Iterator[tuple[str, Tool]]:
    """The tools that a rule on an effect is about, with the roles that may call them."""
    for name, role in graph.roles.items():
        yield from ((name, tool) for tool in role.tools if tool.effect == rule.before)
