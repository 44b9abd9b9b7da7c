"""Rules on a handoff graph (control floor): whose turn must come before what.

    require(reviewer, before="finish")
    require(reviewer, after=coder, before="finish")
    require(approver, before="irreversible")

A role dominates what no walk comes to without passing it first. Since a role can stand in several
frontiers, and edges open by what was written before, this is found by walking around the role.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from hive.control.frontier import END, GOAL, Node, labels
from hive.control.opening import Opening
from hive.errors import Flaw, GraphError
from hive.role import Role
from hive.tools.tool import Effect

if TYPE_CHECKING:
    from hive.control.graph import Graph

__all__ = ["Rule", "require", "rules_broken"]

Before = Literal["finish"] | Effect
WORDS: tuple[str, ...] = ("finish", *get_args(Effect))


@dataclass(frozen=True)
class Rule:
    """Whose turn must come before what; made by `require`."""

    role: str
    before: str
    """A role, "finish", or an effect of tools."""
    after: str | None = None

    def __str__(self) -> str:
        """The rule as it is written."""
        before = f'"{self.before}"' if self.before in WORDS else self.before
        after = "" if self.after is None else f"after={self.after}, "
        return f"require({self.role}, {after}before={before})"


def require(role: Role, *, before: Role | Before, after: Role | None = None) -> Rule:
    """Let a graph be refused in which a walk gets around a role.

    Every walk to `before` must pass a turn of the role: before any finish, before another role's
    turn, or before the turn of any role that has a tool with that effect ("irreversible", "egress",
    "write", "read"). With `after`, every walk from any turn of that role on must. A turn beside
    another does not come before it. What the role says there is a guard's business: a rule holds
    that it was asked. Raises GraphError for what is no role and no such word.
    """
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
        named = (rule.role, rule.after, None if rule.before in WORDS else rule.before)
        absent = [name for name in named if name is not None and name not in graph.roles]
        if absent:
            yield Flaw(
                "broken_rule",
                f"{rule}: the graph has no role {absent[0]!r}; there are {', '.join(graph.roles)}",
            )
            continue
        walk = labels(walk_around(graph, rule, opening))
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


def walk_around(graph: "Graph", rule: Rule, opening: Opening) -> tuple[Node, ...]:
    """A walk that breaks a rule; empty when there is none.

    A walk on which more was written can go wherever another can, so of walks that come to one place
    only those are followed that no other surpasses.
    """
    first = Standing(GOAL, opening.free, rule.after is None)
    before: dict[Standing, Standing] = {}
    best: dict[tuple[Node, bool], list[int]] = {}
    queue = deque([first])
    while queue:
        at = queue.popleft()
        for to in graph.digraph.successors(at.node):
            if not opening.taken(at.node, to, at.met):
                continue
            if at.wanting and guarded(graph, rule, to):
                walk = [to, at.node]
                while at in before:
                    at = before[at]
                    walk.append(at.node)
                return tuple(walk[::-1])
            wanting = rule.after in to or (at.wanting and rule.role not in to)
            new = Standing(to, at.met | opening.met_at(to), wanting)
            known = best.setdefault((to, wanting), [])
            if not any(new.met | met == met for met in known):
                known[:] = [met for met in known if met | new.met != new.met] + [new.met]
                before[new] = at
                queue.append(new)
    return ()


def guarded(graph: "Graph", rule: Rule, node: Node) -> bool:
    """Whether a frontier is one that a rule wants the role's turn before."""
    if rule.before == "finish":
        return node == END
    if rule.before not in WORDS:
        return rule.before in node
    return any(
        tool.effect == rule.before
        for name in node
        if name in graph.roles and name != rule.role
        for tool in graph.roles[name].tools
    )
