"""The edges of a handoff graph (control floor) as frozen values: start, handoff, finish, stop."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from hive.board.records import STUCK
from hive.control.graphs.algebra import Guard
from hive.control.graphs.move import Line
from hive.errors import GraphError
from hive.role import Role

__all__ = ["Edge", "finish", "handoff", "start", "stop"]

Roles = Role | Sequence[Role]


@dataclass(frozen=True)
class Edge:
    """One edge of a graph; made by `start`, `handoff`, `finish` and `stop`.

    It is enabled where all its sources acted in the last turn and its guard holds; its targets then
    make one move, each role with `samples` independent strands.
    """

    kind: Literal["start", "handoff", "finish", "stop"]
    sources: tuple[Role, ...] = ()
    targets: tuple[Role, ...] = ()
    when: Guard | None = None
    samples: int = 1
    source_names: frozenset[str] = field(init=False, repr=False, compare=False)
    target_names: frozenset[str] = field(init=False, repr=False, compare=False)
    text: str = field(init=False, repr=False, compare=False)
    """The edge as a person reads it: `coder → reviewer when ~turns(20)`."""
    lines: tuple[Line, ...] = field(init=False, repr=False, compare=False)
    """Its strands, where they are the same every time; empty where a role takes waiting entries."""

    def __post_init__(self) -> None:
        per = any(role.per for role in self.targets)
        lines = tuple(
            Line(role.name, None, sample, self.samples)
            for role in self.targets
            for sample in range(self.samples)
        )
        values = {
            "source_names": frozenset(role.name for role in self.sources),
            "target_names": frozenset(role.name for role in self.targets),
            "text": self._text(),
            "lines": () if per else lines,
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def __str__(self) -> str:
        """The edge as it is written."""
        ends = [written(roles) for roles in (self.sources, self.targets) if roles]
        when = [] if self.when is None else [f"when={self.when}"]
        samples = [f"samples={self.samples}"] if self.samples > 1 else []
        return f"{self.kind}({', '.join([*ends, *when, *samples])})"

    def _text(self) -> str:
        ends = {
            "start": f"start → {written(self.targets)}",
            "handoff": f"{written(self.sources)} → {written(self.targets)}",
            "finish": f"{written(self.sources)} → finish",
            "stop": "stop",
        }[self.kind]
        samples = f" ×{self.samples}" if self.samples > 1 else ""
        return f"{ends}{samples}" + ("" if self.when is None else f" when {self.when}")


def written(roles: Sequence[Role]) -> str:
    names = ", ".join(role.name for role in roles)
    return names if len(roles) == 1 else f"({names})"


def start(roles: Roles, *, when: Guard | None = None, samples: int = 1) -> Edge:
    """Who may act first; several roles begin beside each other. `samples` opens so many
    independent strands of each."""
    return Edge("start", (), as_roles("start", roles), as_guard("start", when), count(samples))


def handoff(sources: Roles, targets: Roles, *, when: Guard | None = None, samples: int = 1) -> Edge:
    """Who may act after whom.

    Several targets act beside each other in one turn; several sources are a join, which waits until
    all of them have acted in one turn. `samples` opens so many independent strands of each target.
    """
    return Edge(
        "handoff",
        as_roles("handoff from", sources),
        as_roles("handoff to", targets),
        as_guard("handoff", when),
        count(samples),
    )


def finish(sources: Roles, *, when: Guard | None = None) -> Edge:
    """Whose work reaches the goal: the run is finished once all these roles have acted in one turn
    and the guard holds. A guard that looks for a run that is stuck is refused: that is a stop."""
    roles, holds = as_roles("finish", sources), as_guard("finish", when)
    stuck = None if holds is None else rests_on_being_stuck(holds)
    if stuck is not None:
        raise GraphError(
            f"finish when={holds}: a run of which {stuck} holds is stuck and has reached nothing;"
            f" give stop(when={stuck}), or hand over to a role that judges what there is"
        )
    return Edge("finish", roles, when=holds)


def rests_on_being_stuck(guard: Guard, asked: bool = True) -> Guard | None:
    """The part of a guard that would count being stuck in its favour, if there is one."""
    if not guard.parts:
        return guard if asked and guard.reason in STUCK else None
    inner = asked is not (guard.joint == "~")
    found = (rests_on_being_stuck(part, inner) for part in guard.parts)
    return next((part for part in found if part is not None), None)


def stop(*, when: Guard) -> Edge:
    """When a run ends without having reached its goal, whoever acted last."""
    if as_guard("stop", when) is None:
        raise GraphError("stop() without a guard would end every run at once; give when=turns(40)")
    return Edge("stop", when=when)


def as_roles(what: str, roles: object) -> tuple[Role, ...]:
    given = (roles,) if isinstance(roles, Role) else roles
    if not isinstance(given, Sequence) or isinstance(given, str) or not given:
        raise GraphError(f"{what} {roles!r}: give a Role, or several as a tuple")
    names = [role.name if isinstance(role, Role) else repr(role) for role in given]
    for role, name in zip(given, names, strict=True):
        if not isinstance(role, Role):
            raise GraphError(f"{what} {name}: not a Role; edges join the roles themselves", names)
        if names.count(name) > 1:
            raise GraphError(
                f"{what} ({', '.join(names)}): role {name!r} stands twice; samples=2 opens two"
                " strands of one role",
                names,
            )
    return tuple(given)


def as_guard(what: str, when: object) -> Guard | None:
    if when is None or isinstance(when, Guard):
        return when
    raise GraphError(
        f"{what} with when={when!r}: not a guard; take one of posted, latest, turns, … or wrap a"
        ' function of the state as guard("name")(function)'
    )


def count(samples: object) -> int:
    if isinstance(samples, int) and not isinstance(samples, bool) and samples >= 1:
        return samples
    raise GraphError(f"samples={samples!r}: give a whole number from 1 on")
