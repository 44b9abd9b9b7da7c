"""Allocation (control floor): which model a strand gets, as a key of the workflow's `models`.

The keys are names of roles, tiers (rungs of models, "small" and "large" as shipped), or "*" for
everyone else. What the key stands for is the workflow's business.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from hive.board.records import Complexity, Level5, Option
from hive.control.allocating.allotment import TABLE, AllocationTable, checked_table
from hive.control.allocating.complexity import LEVELS
from hive.control.graphs.move import Line
from hive.control.policies.policy import Situation
from hive.errors import DeclarationError
from hive.role import Role

__all__ = ["ANYONE", "Allocation", "Allocator", "ByComplexity", "OneModel", "allocated"]

ANYONE = ("*", "default")
"""The keys that fit every role."""


class Allocation(NamedTuple):
    """The key of the model that a strand gets, the tier it was taken for, the probability with
    which it was taken, where several were weighed all of them, and why, where that is more."""

    model: str
    tier: str | None = None
    probability: float = 1.0
    options: tuple[Option, ...] = ()
    because: str = ""


class Allocator(Protocol):
    """Who decides which model a strand gets. An allocator may also have

    - `table`, the AllocationTable that says what else work of each class is given;
    - `tallies`, the memory that it needs, found in `situation.state.tallies` by name;
    - `reached(roles, models)`, the keys of `models` that some of the roles may get, and
      `tiers(roles)`, the tiers that their work may fall to; or `kept(role, models, roles)`, the
      keys that one role may get, where the names of the models decide that;
    - `check(roles, models)`, which raises DeclarationError for a role that no model would fit;
      `models` are keys with the names of models, as below.
    """

    def allocate(
        self,
        situation: Situation,
        line: Line,
        role: Role,
        complexity: Complexity,
        models: Mapping[str, str],
    ) -> Allocation:
        """Choose one of the keys of `models`, which gives the name of the model under each, for a
        strand of the chosen move."""
        ...


def allocated(
    allocator: Allocator,
    situation: Situation,
    line: Line,
    role: Role,
    complexity: Complexity,
    models: Mapping[str, str],
) -> Allocation:
    """What an allocator gives a strand. Raises DeclarationError for what is no Allocation of one of
    the models, and whatever the allocator raises."""
    found: object = allocator.allocate(situation, line, role, complexity, models)
    if not isinstance(found, Allocation) or found.model not in models:
        raise DeclarationError(
            f"allocator {type(allocator).__name__} gave role {role.name!r} {found!r}; give an"
            f" Allocation of {listed(models)}"
        )
    return found


@dataclass(frozen=True)
class ByComplexity:
    """The class of the work picks the tier by a table, which may have another one for a role's kind
    of work.

    A model named for the role wins over every tier, and the role's own tier over the table; "*" is
    for whoever is left.
    """

    table: AllocationTable = TABLE

    def __post_init__(self) -> None:
        checked_table("ByComplexity", self.table)

    def allocate(
        self,
        situation: Situation,
        line: Line,
        role: Role,
        complexity: Complexity,
        models: Collection[str],
    ) -> Allocation:
        """The key for a role's work of this class, or of one above it with another tier where the
        run is to change its course. Raises DeclarationError when none fits."""
        level = complexity.level
        if situation.change == "tier":
            higher = self.above(role, level)
            if higher != level:
                because = f"as for {higher} work, since the run gets no further"
                return self.pick(role, higher, models)._replace(because=because)
        return self.pick(role, level, models)

    def pick(self, role: Role, level: Level5, models: Collection[str]) -> Allocation:
        """The key for a role's work of a class. Raises DeclarationError when none fits."""
        if role.name in models:
            return Allocation(role.name, role.tier)
        tier = self.tier(role, level)
        for key in (tier, *ANYONE):
            if key in models:
                return Allocation(key, tier)
        raise DeclarationError(
            f"role {role.name!r} has no model: for {level} work it needs the key {role.name!r},"
            f" {tier!r} or '*', and models has {listed(models)}"
        )

    def above(self, role: Role, level: Level5) -> Level5:
        """The next class of which a role's work is for another tier; the same where none is."""
        own = self.tier(role, level)
        higher = LEVELS[LEVELS.index(level) + 1 :]
        return next((each for each in higher if self.tier(role, each) != own), level)

    def fitting(self, role: Role, level: Level5) -> tuple[str, ...]:
        """The keys that would do for a role's work of a class, the best in front."""
        return (role.name, self.tier(role, level), *ANYONE)

    def tier(self, role: Role, level: Level5) -> str:
        """The rung of models that a role's work of a class is for."""
        return role.tier or self.table[level].tier_for(role.work)

    def tiers(self, roles: Iterable[Role]) -> tuple[str, ...]:
        """The rungs of models that the work of some roles may fall to."""
        roles = tuple(roles)
        own = [role.tier for role in roles if role.tier]
        return tuple(dict.fromkeys([*own, *self.table.tiers([role.work for role in roles])]))

    def reached(self, roles: Iterable[Role], models: Collection[str]) -> frozenset[str]:
        """The keys that some role may get."""
        minds = [role for role in roles if role.asks_model]
        fitting = [self.fitting(role, level) for role in minds for level in LEVELS]
        firsts = [next((key for key in keys if key in models), None) for keys in fitting]
        return frozenset(key for key in firsts if key is not None)

    def check(self, roles: Iterable[Role], models: Collection[str]) -> None:
        """Raise DeclarationError for a role that some class of work would leave without a model,
        and for a key that nothing would ever be looked up by."""
        roles = tuple(roles)
        for role in roles:
            for level in LEVELS if role.asks_model else ():
                self.pick(role, level, models)
        known = {role.name for role in roles} | {*self.tiers(roles), *ANYONE}
        for key in models:
            if key not in known:
                raise DeclarationError(
                    f"models names {key!r}, which is neither a role nor a tier; known are"
                    f" {listed(known)}"
                )


@dataclass(frozen=True)
class OneModel:
    """Everybody gets the same model, whatever the work."""

    key: str = "*"

    def allocate(
        self,
        situation: Situation,
        line: Line,
        role: Role,
        complexity: Complexity,
        models: Collection[str],
    ) -> Allocation:
        """The one key. Raises DeclarationError when `models` lacks it."""
        if self.key in models:
            return Allocation(self.key, role.tier)
        raise DeclarationError(
            f"role {role.name!r} has no model: OneModel wants the key {self.key!r}, and models has"
            f" {listed(models)}"
        )

    def reached(self, roles: Iterable[Role], models: Collection[str]) -> frozenset[str]:
        """The one key, where `models` has it."""
        return frozenset({self.key} & {*models})

    def check(self, roles: Iterable[Role], models: Collection[str]) -> None:
        """Raise DeclarationError when `models` lacks the one key."""
        if self.key not in models:
            raise DeclarationError(
                f"OneModel wants the key {self.key!r}, and models has {listed(models)}"
            )


def listed(keys: Iterable[str]) -> str:
    return ", ".join(repr(key) for key in sorted(keys)) or "no key at all"
