"""Allocation by preference (control floor): the user's weights, on figures, pick the model."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from hive.board.pieces import whole
from hive.board.records import Complexity, Level5, Option
from hive.control.allocating.allocation import ANYONE, Allocation, ByComplexity
from hive.control.allocating.allotment import TABLE, AllocationTable, checked_table
from hive.control.allocating.complexity import LEVELS
from hive.control.allocating.figures import Figure, check_rows, rows_for
from hive.control.allocating.preference import Preference
from hive.control.allocating.weighing import Weighed, weigh
from hive.control.graphs.move import Line
from hive.control.policies.policy import Situation
from hive.errors import DeclarationError
from hive.role import Role

__all__ = ["ByPreference"]

NAMED = ByComplexity()
"""How a role that says itself which model it gets is served."""


@dataclass(frozen=True)
class ByPreference:
    """The preference picks the model, by what is known of each: one of all that are not named for a
    role.

    A model named for the role still wins, and so does the role's own tier; the limits bind them as
    well. `preference` may be given as text, as `Preference.of` reads it. A model of which something
    that counts is unknown, and a role for which no model keeps the limits, are refused when the
    workflow is made. Goals, messages and answers change nothing; a figure of the class of the work
    counts for it, where every model has one.
    """

    preference: Preference
    figures: tuple[Figure, ...]
    table: AllocationTable = TABLE
    """What else work of each class is given; its rungs of models count for nothing here."""

    def __init__(
        self,
        preference: Preference | str,
        figures: Iterable[Figure],
        table: AllocationTable = TABLE,
    ) -> None:
        object.__setattr__(self, "preference", Preference.of(preference))
        object.__setattr__(self, "figures", tuple(figures))
        object.__setattr__(self, "table", checked_table("ByPreference", table))
        check_rows(self.figures)

    def __hash__(self) -> int:
        """A hash of a few numbers: every decision looks judgements up by them."""
        return hash((self.preference.accuracy, self.preference.cost, len(self.figures)))

    def allocate(
        self,
        situation: Situation,
        line: Line,
        role: Role,
        complexity: Complexity,
        models: Mapping[str, str],
    ) -> Allocation:
        """The key for a role's work of this class. Raises DeclarationError when none fits."""
        found = self.choices(role, complexity.level, models, situation.roles)
        return found[0] if len(found) == 1 else drawn(found, situation, line)

    def choices(
        self, role: Role, level: Level5, models: Mapping[str, str], roles: Collection[str]
    ) -> tuple[Allocation, ...]:
        """The keys that a role may get for work of a class, each with its probability; `roles` are
        the names of all. Raises DeclarationError when none fits."""
        if role.name in models or role.tier:
            return (NAMED.pick(role, level, models),)
        open_to_all = tuple([each for each in models.items() if each[0] not in roles])
        return judged(self, open_to_all, level)

    def kept(
        self, role: Role, models: Mapping[str, str], roles: Collection[str]
    ) -> tuple[str, ...]:
        """The keys that a role may get where others have no room in the budget: those whose models
        keep the limits for some class of work; `roles` are the names of all."""
        if role.name in models or role.tier:
            own = NAMED.reached((role,), models)
        else:
            own = frozenset(models) - frozenset(roles)
        given = {key: name for key, name in models.items() if key in own}
        lawful = {
            key
            for level in LEVELS
            for key, row in zip(given, rows_for(self.figures, given.values(), level), strict=True)
            if not self.preference.broken(row)
        }
        return tuple(key for key in given if key in lawful)

    def broken(self, model: str, models: Collection[str]) -> str:
        """The limits that a model, by its name, does not keep for work of some class, of several;
        "" where it keeps all of them."""
        for level in LEVELS:
            rows = dict(zip(models, rows_for(self.figures, models, level), strict=True))
            if broken := self.preference.broken(rows[model]):
                return f"{broken} for {level} work"
        return ""

    def weighed(
        self, models: Iterable[tuple[str, str]], level: Level5
    ) -> list[tuple[str, Figure, Weighed]]:
        """The keys, with what is known of their models and how the preference judges them. Raises
        DeclarationError when none can be taken."""
        given = tuple(models)
        rows = rows_for(self.figures, [name for _, name in given], level)
        weighed = weigh(rows, self.preference)
        return [(key, row, one) for (key, _), row, one in zip(given, rows, weighed, strict=True)]

    def check(self, roles: Iterable[Role], models: Mapping[str, str]) -> None:
        """Raise DeclarationError for a role that some class of work would leave without a model,
        and for a model of which something that counts is unknown."""
        minds = [role for role in roles if role.asks_model]
        names = {role.name for role in minds}
        for role in minds:
            for level in LEVELS:
                if role.name in models or role.tier:
                    key = NAMED.pick(role, level, models).model
                    given = [(key, models[key])]
                else:
                    given = [(key, name) for key, name in models.items() if key not in names]
                try:
                    self._check(given, level)
                except DeclarationError as error:
                    raise DeclarationError(
                        f"role {role.name!r} gets no model for {level} work: {error}"
                    ) from None

    def _check(self, given: list[tuple[str, str]], level: Level5) -> None:
        if not given:
            raise DeclarationError("models has no key that is not the name of another role")
        self.weighed(given, level)


@lru_cache(maxsize=256)
def judged(
    allocator: ByPreference, models: tuple[tuple[str, str], ...], level: Level5
) -> tuple[Allocation, ...]:
    """What may be allocated, each with its probability."""
    weighed = allocator.weighed(models, level)
    options = tuple([option(key, figure, one) for key, figure, one in weighed])
    return tuple(
        [
            Allocation(key, None if key in ANYONE else key, one.probability, options)
            for key, _, one in weighed
            if one.probability
        ]
    )


def option(key: str, figure: Figure, weighed: Weighed) -> Option:
    """A model as the record holds it."""
    usd, seconds = figure.usd, figure.seconds
    return Option(
        key=key,
        model=figure.model,
        probability=whole(weighed.probability),
        score=None if weighed.score is None else whole(weighed.score),
        ruled_out=weighed.ruled_out,
        accuracy=None if figure.accuracy is None else whole(figure.accuracy),
        cost=None if usd is None else round(usd * 10**9),
        latency=None if seconds is None else round(seconds * 10**6),
    )


def drawn(found: tuple[Allocation, ...], situation: Situation, line: Line) -> Allocation:
    """One of several, by the strand's own chance."""
    point = situation.strand_chance(line.strand).random()
    for allocation in found[:-1]:
        point -= allocation.probability
        if point < 0:
            return allocation
    return found[-1]
