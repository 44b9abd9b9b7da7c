"""A way past the team (control floor): easy work is done by one role, in one turn.

Graph(*skip_team(solo, start(planner), handoff(planner, coder), finish(coder)))
"""

from dataclasses import replace

from hive.control.graphs.algebra import Guard
from hive.control.graphs.edge import Edge, finish, start
from hive.control.guards.guard import failed
from hive.control.guards.levels import level
from hive.errors import GraphError
from hive.role import Role

__all__ = ["skip_team"]

TRIVIAL = level("trivial")


def skip_team(solo: Role, *edges: Edge, when: Guard = TRIVIAL) -> tuple[Edge, ...]:
    """The edges of a team, with a role that does alone what the guard holds for at the start.

    Where it fails, the team begins after all. The role is none of the team's own, whose edges say
    already what follows its turns. Raises GraphError for one that is.

    >>> from hive import Role, finish, start
    >>> for edge in skip_team(Role("solo"), start(Role("team")), finish(Role("team"))):
    ...     print(edge)
    start(solo, when=level(trivial))
    finish(solo)
    start(team, when=~level(trivial))
    handoff(solo, team, when=failed(solo))
    finish(team)
    """
    for edge in edges:
        if solo.name in edge.source_names | edge.target_names:
            raise GraphError(
                f"skip_team({solo.name}, …): {edge} has a role of that name already; give one of"
                f' its own, such as {solo.name}.with_(name="solo")',
                [solo.name],
            )
    made = [start(solo, when=when), finish(solo)]
    for edge in edges:
        if edge.kind == "start":
            own, fell = edge.when, failed(solo)
            made.append(replace(edge, when=~when if own is None else ~when & own))
            again = fell if own is None else fell & own
            made.append(replace(edge, kind="handoff", sources=(solo,), when=again))
        else:
            made.append(edge)
    return tuple(made)
