"""The verification of handoff graphs (control floor); the full checks follow."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hive.control.edge import Edge
from hive.errors import GraphError
from hive.role import Role

if TYPE_CHECKING:
    from networkx import DiGraph

    from hive.control.graph import Graph


def check_edges(edges: Sequence[object]) -> None:
    """What must hold before a graph can be looked at as one."""
    roles: dict[str, Role] = {}
    for edge in edges:
        if not isinstance(edge, Edge):
            raise GraphError(f"Graph({edge!r}): give edges: start, handoff, finish, stop")
        for role in (*edge.sources, *edge.targets):
            if roles.setdefault(role.name, role) != role:
                raise GraphError(f"two different roles are named {role.name!r}", [role.name])


def verify(graph: "Graph") -> None:
    """Refuse a graph that cannot be run."""


def build(graph: "Graph") -> "DiGraph[str]":
    """The graph of frontiers."""
    raise NotImplementedError
