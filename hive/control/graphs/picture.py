"""What a picture of a handoff graph shows (control floor): boxes, bars, lines, and marks."""

from collections.abc import Collection, Iterator
from itertools import pairwise
from typing import NamedTuple

from hive.control.graphs.algebra import Guard
from hive.control.graphs.edge import Edge
from hive.control.graphs.frontier import END, named
from hive.control.graphs.graph import Graph
from hive.errors import Flaw
from hive.role import Role

__all__ = ["FINISH", "START", "Link", "Picture", "features_of", "picture", "tooltip"]

START, FINISH = "▶", "■"
"""Keys of the two ends; no role can have such a name."""


class Link(NamedTuple):
    """A line of a picture: between roles, ends, and bars, where a move forks or joins."""

    source: str
    target: str
    label: str = ""
    proves: bool = False
    """Whether it is part of a walk that proves a flaw."""


class Picture(NamedTuple):
    """What is to be drawn: roles, bars, lines, the conditions of the stops, and what is wrong."""

    roles: tuple[Role, ...]
    bars: tuple[str, ...]
    links: tuple[Link, ...]
    stops: tuple[str, ...]
    flaws: tuple[str, ...]
    proving: frozenset[str]
    """The roles of the walks that prove the flaws."""


def picture(graph: Graph, flaws: Collection[Flaw]) -> Picture:
    """A graph as boxes and lines: a bar stands where roles act beside each other."""
    walks = [[frozenset[str](), *map(named, flaw.path)] for flaw in flaws]
    steps = {step for walk in walks for step in pairwise(walk)}
    bars: list[str] = []
    links: list[Link] = []
    stops: list[str] = []
    for place, edge in enumerate(graph.edges):
        if edge.kind == "stop" and edge.when is not None:
            stops += [str(part) for part in alternatives(edge.when)]
            continue
        sources = [role.name for role in edge.sources] or [START]
        targets = [role.name for role in edge.targets] or [FINISH]
        to = edge.target_names or frozenset(END)
        proves = any(
            to == two and bool(one) == bool(edge.sources) and edge.source_names <= one
            for one, two in steps
        )
        if len(sources) == len(targets) == 1:
            links.append(Link(sources[0], targets[0], caption(edge), proves))
            continue
        bar = f"bar {place}"
        bars.append(bar)
        fork = len(sources) == 1
        links += [Link(source, bar, caption(edge) if fork else "", proves) for source in sources]
        first = "" if fork else caption(edge)
        links += [Link(bar, target, "" if n else first, proves) for n, target in enumerate(targets)]
    return Picture(
        tuple(graph.roles.values()),
        tuple(bars),
        tuple(links),
        tuple(stops),
        tuple(": ".join(filter(None, (flaw.code, " → ".join(flaw.path)))) for flaw in flaws),
        frozenset[str]().union(*(names for walk in walks for names in walk)),
    )


def alternatives(guard: Guard) -> Iterator[Guard]:
    if guard.joint == "|":
        for part in guard.parts:
            yield from alternatives(part)
    else:
        yield guard


def caption(edge: Edge) -> str:
    """What stands on a line: how many samples, and the guard."""
    samples = f"×{edge.samples}" if edge.samples > 1 else ""
    return " ".join(part for part in (samples, "" if edge.when is None else str(edge.when)) if part)


def features_of(role: Role) -> list[str]:
    """The lines under a role's name."""
    lines = [f"writes {', '.join(cls.kind for cls in role.writes)}"]
    if role.tools:
        lines.append(f"tools {', '.join(tool.name for tool in role.tools)}")
    if role.per is not None:
        lines.append(f"one strand per {role.per.kind}")
    if role.tier is not None:
        lines.append(f"tier {role.tier}")
    return lines


def tooltip(role: Role) -> str:
    """Everything about a role, for whoever points at its box."""
    reads = "all contributions" if role.reads is None else ", ".join(c.kind for c in role.reads)
    duty = role.instructions.strip().partition("\n")[0]
    return "\n".join([role.name, *([duty] if duty else []), f"reads {reads}", *features_of(role)])
