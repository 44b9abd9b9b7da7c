"""Who can write what the guards of a graph need (control floor)."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hive.board.contributions import EVERYWHERE, Answer, Question
from hive.control.graphs.algebra import Need
from hive.control.graphs.edge import Edge
from hive.role import Role

if TYPE_CHECKING:
    from hive.control.graphs.graph import Graph

__all__ = ["Writers", "needs_of"]

ANYWHERE = frozenset({cls.kind for cls in EVERYWHERE} | {Question.kind, Answer.kind})
"""Kinds that are posted in any team: by the user, and by whoever asks."""


def needs_of(edge: Edge) -> tuple[Need, ...]:
    """What an edge may have to wait for: what its guard names, and entries for `per` roles."""
    named: tuple[Need, ...] = () if edge.when is None else edge.when.needs
    per = tuple(Need(role.per) for role in edge.targets if role.per is not None)
    return named + per


class Writers:
    """The roles and tools of a graph by the kinds that they write."""

    def __init__(self, graph: "Graph") -> None:
        self.graph = graph
        self.roles: dict[str, list[str]] = {}
        self.tools: dict[str, dict[str, list[str]]] = {}
        """Kind to `tool:name` to the roles that may call it."""
        for role in graph.roles.values():
            for kind in own_kinds(role):
                self.roles.setdefault(kind, []).append(role.name)
            for tool in role.tools:
                for cls in tool.posts:
                    callers = self.tools.setdefault(cls.kind, {})
                    callers.setdefault(f"tool:{tool.name}", []).append(role.name)

    @property
    def kinds(self) -> list[str]:
        """Every kind that somebody writes, in order."""
        return sorted({*self.roles, *self.tools})

    def free(self, need: Need) -> bool:
        """Whether it can be on the board whatever the team does."""
        kind = need.kind
        return need.author == "user" or kind.level == "control" or kind.kind in ANYWHERE

    def of(self, need: Need) -> tuple[str, ...]:
        """The roles whose turn can put it on the board, in order."""
        own, tools = self._by_author(need)
        return tuple(sorted({*own, *(role for callers in tools.values() for role in callers)}))

    def missing(self, need: Need) -> str:
        """Why it can never be on the board; "" when it can."""
        own, tools = self._by_author(need)
        if own or tools or self.free(need):
            return ""
        kind, author = need.kind.kind, need.author
        if author is None:
            return f"no role and no tool writes {kind}"
        who = f"role {author!r}" if author in self.graph.roles else f"{author!r}, who is no role,"
        would = sorted({*self.roles.get(kind, ()), *self.tools.get(kind, ())})
        others = f"; {', '.join(would)} would" if would else ""
        return f"{who} does not write {kind}{others}"

    def _by_author(self, need: Need) -> tuple[list[str], dict[str, list[str]]]:
        own, tools = self.roles.get(need.kind.kind, []), self.tools.get(need.kind.kind, {})
        if need.author is None:
            return own, tools
        return (
            [name for name in own if name == need.author],
            {tool: callers for tool, callers in tools.items() if tool == need.author},
        )


def own_kinds(role: Role) -> Iterator[str]:
    """The kinds of which a role itself, and not one of its tools, is the author."""
    yield from {part.kind for cls in role.writes for part in (cls, *cls.unfolds)}
