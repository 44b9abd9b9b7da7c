"""Parallel consultation (control floor): the same question to several roles or models at once, and
one role that makes one answer of theirs.

Graph(*consultation(asker, (lawyer, doctor, engineer), merger))
Workflow(…, allocator=AcrossModels(("small", "large")))
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from hive.board.records import Complexity
from hive.control.allocating.allocation import Allocation, Allocator, ByComplexity
from hive.control.allocating.allotment import AllocationTable, table_of
from hive.control.allocating.within import check_within, is_pinned, reached_within, tiers_within
from hive.control.graphs.edge import Edge, as_roles, finish, handoff, start
from hive.control.graphs.move import Line
from hive.control.guards.guard import at_least_one
from hive.control.guards.rounds import answered
from hive.control.policies.policy import Situation
from hive.errors import DeclarationError
from hive.role import Role

__all__ = ["AcrossModels", "consultation"]


def consultation(
    asker: Role | None,
    experts: Role | Sequence[Role],
    merger: Role,
    *,
    samples: int = 1,
    quorum: int = 1,
    then: Role | None = None,
) -> tuple[Edge, ...]:
    """The edges by which several experts answer one question beside each other, and one role, or a
    program, makes one answer of theirs.

    The experts act in one turn and see the board as it was before it, so that none knows what
    another says. `samples` are independent strands of each; `AcrossModels` gives them different
    models. The merger acts if `quorum` strands at least had something to say; else no move is
    allowed, and the run stops and says so. Without an asker the run begins with the experts. The
    merged answer goes to `then`, or the run is finished.

    Raises DeclarationError where there is nothing to merge, or a quorum that cannot be reached.
    """
    at_least_one("consultation(samples=…)", samples)
    at_least_one("consultation(quorum=…)", quorum)
    asked = as_roles("consultation of", experts)
    strands = len(asked) * samples
    if strands < 2:
        raise DeclarationError(
            f"consultation: role {asked[0].name!r} alone leaves nothing to merge; give several"
            " roles, or samples=3"
        )
    if quorum > strands:
        raise DeclarationError(f"consultation: quorum={quorum} of {strands} strands")
    if merger in asked or (asker is not None and asker in (*asked, merger)):
        raise DeclarationError(
            "consultation: the asker, the experts and the merger are different roles; two of them"
            " may have the same instructions and model"
        )
    first = (
        start(asked, samples=samples) if asker is None else handoff(asker, asked, samples=samples)
    )
    enough = answered(asked, quorum)
    last = finish(merger) if then is None else handoff(merger, then)
    return (first, handoff(asked, merger, when=enough), last)


@dataclass(frozen=True)
class AcrossModels:
    """Gives the samples of a role different models: the first sample the first of some keys, and so
    on, from the front again where there are more samples than keys.

    Whoever works in a strand of its own, and a role with a model or a tier of its own, gets what
    `within` says. Raises DeclarationError for fewer than two keys.
    """

    keys: tuple[str, ...]
    within: Allocator = field(default_factory=ByComplexity)

    def __post_init__(self) -> None:
        object.__setattr__(self, "keys", tuple(self.keys))
        if len(set(self.keys)) < max(2, len(self.keys)):
            raise DeclarationError(
                f"AcrossModels({self.keys!r}): give two or more keys of models, each once, as in"
                ' ("small", "large")'
            )

    @property
    def table(self) -> AllocationTable:
        """What work of each class is given, by the allocator within."""
        return table_of(self.within)

    def allocate(
        self,
        situation: Situation,
        line: Line,
        role: Role,
        complexity: Complexity,
        models: Mapping[str, str],
    ) -> Allocation:
        """The key for a sample of a role."""
        if line.samples == 1 or is_pinned(role, models):
            return self.within.allocate(situation, line, role, complexity, models)
        key = self.keys[line.sample % len(self.keys)]
        return Allocation(key, key, because=f"sample {line.sample + 1} of {line.samples}")

    def tiers(self, roles: Iterable[Role]) -> tuple[str, ...]:
        """The keys of the samples, and the tiers of those who work alone."""
        return tiers_within(self.within, roles, self.keys)

    def reached(self, roles: Iterable[Role], models: Collection[str]) -> frozenset[str]:
        """The keys that some role may get."""
        return reached_within(self.within, roles, models) | (frozenset(self.keys) & {*models})

    def check(self, roles: Iterable[Role], models: Mapping[str, str]) -> None:
        """Raise DeclarationError for a key that `models` lacks, and where the allocator within
        does."""
        check_within("AcrossModels", self.within, self.keys, tuple(roles), models)
