"""The allocation table (control floor): what work of each class of complexity is given.

A frozen value: users replace it, or edit single rows.

    strict = TABLE.with_(simple=replace(TABLE["simple"], review="panel"))
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import get_args

from hive.board.records import Allotted, Level5, ReviewDepth
from hive.errors import DeclarationError

__all__ = ["TABLE", "AllocationTable", "Allotment", "checked_table", "table_of"]

CLASSES: tuple[Level5, ...] = get_args(Level5)


@dataclass(frozen=True)
class Allotment:
    """One row of the table: what work of a class is given.

    `tier` is the rung of models for everybody but those whose kind of work, `Role.work`, has one of
    its own in `tiers`. `strands` is the most that a turn may open for entries that wait (None for
    as many as the limits of the workflow allow; 1 has tasks done one after the other). `review` is
    how thoroughly work is reviewed, where the graph offers it. With `checkpoint`, a person is asked
    before a role acts whose tools touch anything outside the board.

    Raises DeclarationError for a row that means nothing.
    """

    tier: str
    tiers: Mapping[str, str] = field(default_factory=dict, hash=False)
    strands: int | None = None
    review: ReviewDepth = "single"
    checkpoint: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "tiers", MappingProxyType(dict(self.tiers)))
        tiers: tuple[object, ...] = (self.tier, *self.tiers.values())
        if not all(isinstance(tier, str) and tier for tier in tiers):
            raise DeclarationError(
                f"Allotment({self.tier!r}, tiers={dict(self.tiers)!r}): a tier is a word, such as"
                ' "small"'
            )
        if self.strands is not None and (type(self.strands) is not int or self.strands < 1):
            raise DeclarationError(
                f"Allotment(strands={self.strands}): give a whole number from 1 on"
            )
        if self.review not in get_args(ReviewDepth):
            depths = ", ".join(map(repr, get_args(ReviewDepth)))
            raise DeclarationError(f"Allotment(review={self.review!r}): say {depths}")

    def most(self, limit: int) -> int:
        """The most strands of a turn, within a limit."""
        return limit if self.strands is None else min(limit, self.strands)

    @property
    def parallel(self) -> bool:
        """Whether entries that wait are worked on beside each other."""
        return self.strands is None or self.strands > 1

    def tier_for(self, work: str) -> str:
        """The rung of models for a kind of work."""
        return self.tiers.get(work, self.tier)

    @cached_property
    def recorded(self) -> Allotted:
        """The row as decisions record it."""
        return Allotted(strands=self.strands, review=self.review, checkpoint=self.checkpoint)


@dataclass(frozen=True)
class AllocationTable(Mapping[Level5, Allotment]):
    """A row for each of the five classes, read as a mapping.

    Raises DeclarationError for a row that is none.
    """

    trivial: Allotment
    simple: Allotment
    moderate: Allotment
    complex: Allotment
    critical: Allotment

    def __post_init__(self) -> None:
        for level, row in self.items():
            if not isinstance(row, Allotment):
                raise DeclarationError(
                    f"AllocationTable({level}={row!r}): give an Allotment, such as"
                    ' Allotment("small")'
                )

    def __getitem__(self, level: Level5) -> Allotment:
        if level not in CLASSES:
            raise KeyError(level)
        row: Allotment = getattr(self, level)
        return row

    def __iter__(self) -> Iterator[Level5]:
        return iter(CLASSES)

    def __len__(self) -> int:
        return len(CLASSES)

    def tiers(self, works: Iterable[str]) -> tuple[str, ...]:
        """The rungs that some kinds of work may fall to, and those of whoever does another kind."""
        found = {row.tier_for(work): None for work in ("", *works) for row in self.values()}
        return tuple(found)

    def with_(self, **rows: Allotment) -> "AllocationTable":
        """The same table with some rows replaced. Raises DeclarationError for a class that there
        is not."""
        for level in rows:
            if level not in self:
                raise DeclarationError(f"{level!r} is no class of work; say {', '.join(self)}")
        return replace(self, **rows)


TABLE = AllocationTable(
    trivial=Allotment("small", review="none"),
    simple=Allotment("small", review="single"),
    moderate=Allotment("large", review="single"),
    complex=Allotment("large", review="panel"),
    critical=Allotment("large", review="adversarial", checkpoint=True),
)
"""What is allotted when nothing else is said. No row bounds the strands, since what a graph ends
without having taken up is lost: who wants one task done after the other says so."""


def checked_table(what: str, table: object) -> AllocationTable:
    """A table. Raises DeclarationError for what is none."""
    if isinstance(table, AllocationTable):
        return table
    raise DeclarationError(
        f"{what}(table={table!r}): give an AllocationTable; TABLE.with_(…) is the one shipped with"
        " some rows replaced"
    )


def table_of(allocator: object) -> AllocationTable:
    """The table that an allocator goes by: its `table`, or the one shipped where it has none."""
    table = getattr(allocator, "table", None)
    return table if isinstance(table, AllocationTable) else TABLE
