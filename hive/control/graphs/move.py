"""Moves (control floor): what a turn would do, as a set of strands that the graph allows."""

from typing import NamedTuple

__all__ = ["Line", "Move"]


class Line(NamedTuple):
    """One strand of a move: a role, the waiting entry it is opened for, and which of `samples`
    independent strands of the role it is."""

    role: str
    cause: str | None = None
    """Reference of the entry, as in `State.waiting`."""
    sample: int = 0
    samples: int = 1

    @property
    def strand(self) -> str:
        """The strand's name: `role[@cause][#sample]`."""
        name = self.role if self.cause is None else f"{self.role}@{self.cause}"
        return name if self.samples == 1 else f"{name}#{self.sample}"


class Move(NamedTuple):
    """A candidate: strands that a turn would run beside each other, and the edge that allows it."""

    strands: tuple[Line, ...]
    edge: str

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles that would act, each once."""
        return tuple(dict.fromkeys([line.role for line in self.strands]))

    @property
    def name(self) -> str:
        """The move in a few words: `coder`, `critic + tester`, `surveyor ×3`."""
        counts: dict[str, int] = {}
        for line in self.strands:
            counts[line.role] = counts.get(line.role, 0) + 1
        return " + ".join(
            role if count == 1 else f"{role} ×{count}" for role, count in counts.items()
        )
