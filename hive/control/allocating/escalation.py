"""The escalation ladder (control floor): every role begins with a cheap model, and goes one rung up
each time there is doubt in its work.

ladder = Escalation(("small", "medium", "large"), doubt=invalid | unsure() | refused)
Graph(start(coder), *escalating(coder, ladder))
Workflow(graph, models={"small": …, "medium": …, "large": …}, allocator=ladder)

Cascades of models are due to Chen, Zaharia and Zou (FrugalGPT, 2023); here what is doubtful is read
from the record, so that a replay climbs as the run did.
"""

import math
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

from hive.board.pieces import whole
from hive.board.records import Complexity, Level5, Option
from hive.board.state import State, Tally
from hive.control.allocating.allocation import Allocation, Allocator
from hive.control.allocating.allotment import AllocationTable, table_of
from hive.control.allocating.doubt import Doubt
from hive.control.allocating.figures import Figure, check_rows, rows_for
from hive.control.allocating.ladder import climb_of, climbing, doubt_in
from hive.control.allocating.preferring import NAMED, option
from hive.control.allocating.weighing import Weighed
from hive.control.allocating.within import check_within, is_pinned, reached_within, tiers_within
from hive.control.graphs.algebra import Guard
from hive.control.graphs.edge import Edge, finish, handoff, stop
from hive.control.graphs.move import Line
from hive.control.guards.guard import failed
from hive.control.guards.rounds import acted, named
from hive.control.policies.policy import Situation
from hive.errors import DeclarationError
from hive.role import Role

__all__ = ["Escalation", "escalating"]

HIGHER, LOWER = "a higher rung", "a lower rung"
"""Why a model is not taken that another rung of the ladder gives."""

NANO = 10**9


@dataclass(frozen=True)
class Escalation:
    """Gives every role the model of its rung: the lowest at first, or where `within` puts it, and
    one higher after each turn whose work is in `doubt`.

    `rungs` are keys of the workflow's models, the cheapest first. A role with a model or a tier of
    its own keeps it, and what `within` gives that is no rung stays as it is. Nobody comes down
    again. The decision says on which rung a role is, since when and why, and what the way up costs:
    by `figures` for a strand, where they know both models, and else by the models' prices for one
    long call.

    Raises DeclarationError for fewer than two rungs.
    """

    rungs: tuple[str, ...]
    doubt: Doubt
    within: Allocator | None = None
    figures: tuple[Figure, ...] = field(default=(), repr=False)

    def __init__(
        self,
        rungs: Iterable[str],
        doubt: Doubt,
        within: Allocator | None = None,
        figures: Iterable[Figure] = (),
    ) -> None:
        values = {
            "rungs": tuple(rungs),
            "doubt": doubt,
            "within": within,
            "figures": tuple(figures),
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)
        if len(set(self.rungs)) < max(2, len(self.rungs)):
            raise DeclarationError(
                f"Escalation({self.rungs!r}): give two or more keys of models, each once, the"
                ' cheapest first, as in ("small", "large")'
            )
        if not isinstance(doubt, Doubt):
            raise DeclarationError(
                f"Escalation(doubt={doubt!r}): not a doubt; take invalid, refused, unsure(), … or"
                " several, as in invalid | refused"
            )
        check_rows(self.figures)

    def __hash__(self) -> int:
        return hash((self.rungs, self.doubt.name))

    @cached_property
    def tally(self) -> Tally:
        """What is remembered of each role: its rung, and what was doubtful."""
        return climbing(self.rungs, self.doubt)

    @property
    def tallies(self) -> tuple[Tally, ...]:
        """What it must remember, and what the allocator within must."""
        return (*getattr(self.within, "tallies", ()), self.tally)

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
        """The key of the rung that a role is on."""
        stuck = situation.change == "tier"  # then it is this ladder that takes another tier
        calm = replace(situation, change="") if stuck else situation
        given = self.given(calm, line, role, complexity, models)
        climb = climb_of(self.tally, situation.state, role.name)
        if (climb is None and not stuck) or is_pinned(role, models):
            return given
        if given.model not in self.rungs or given.model not in models:
            return given
        began, top = self.rungs.index(given.model), len(self.rungs) - 1
        rung = max(began, 0 if climb is None else climb.rung)
        because = "" if climb is None or climb.rung < rung else str(climb)
        if stuck and rung < top:
            rung, because = rung + 1, "the run gets no further"
        rung = max([n for n in range(began, rung + 1) if self.rungs[n] in models])
        if rung == began:
            return given
        key, options = self.rungs[rung], lifted(given.options, self.rungs, rung)
        likely = next((o.probability for o in options if o.key == key), given.probability)
        price = self.price(rung, complexity, situation, models)
        why = f"rung {rung + 1} of {top + 1}: {because}; {price}"
        return Allocation(key, key, likely, options, why)

    def given(
        self,
        situation: Situation,
        line: Line,
        role: Role,
        complexity: Complexity,
        models: Mapping[str, str],
    ) -> Allocation:
        """Where a role begins."""
        if self.within is not None:
            return self.within.allocate(situation, line, role, complexity, models)
        if is_pinned(role, models):
            return NAMED.pick(role, complexity.level, models)
        key = next((key for key in self.rungs if key in models), self.rungs[0])
        if not self.figures:
            return Allocation(key, key)
        given = tuple([(each, models[each]) for each in self.rungs if each in models])
        return Allocation(key, key, 1.0, weighed(self.figures, given, complexity.level))

    def price(
        self, rung: int, complexity: Complexity, situation: Situation, models: Mapping[str, str]
    ) -> str:
        """What the way up to a rung costs, in words."""
        pair = (self.rungs[rung - 1], self.rungs[rung])
        if pair[0] not in models:
            return "what the way up costs is not known"
        below, here = rows_for(self.figures, [models[key] for key in pair], complexity.level)
        if below.usd is not None and here.usd is not None:
            return (
                f"a strand is expected to cost {dollars(float(here.usd))},"
                f" {dollars(float(below.usd))} on the rung below"
            )
        less, more = (situation.call_price(key) for key in pair)
        if less is None or more is None:
            return "what the way up costs is not known"
        return f"a long call costs {dollars(more / NANO)}, {dollars(less / NANO)} on the rung below"

    def tiers(self, roles: Iterable[Role]) -> tuple[str, ...]:
        """The rungs, and the tiers that roles which do not climb may have."""
        own = [role for role in roles if self.within is not None or role.tier]
        return tiers_within(NAMED if self.within is None else self.within, own, self.rungs)

    def reached(self, roles: Iterable[Role], models: Collection[str]) -> frozenset[str]:
        """The keys that some role may get."""
        roles = tuple(roles)
        begun = NAMED if self.within is None else self.within
        own = [role for role in roles if self.within is not None or is_pinned(role, models)]
        free = any(role.asks_model and not is_pinned(role, models) for role in roles)
        rungs = frozenset(self.rungs) & {*models} if free else frozenset[str]()
        return reached_within(begun, own, models) | rungs

    def check(self, roles: Iterable[Role], models: Mapping[str, str]) -> None:
        """Raise DeclarationError for a rung that `models` lacks, and where a role that does not
        climb finds no model."""
        roles = tuple(roles)
        if self.within is not None:
            check_within("Escalation", self.within, self.rungs, roles, models)
            return
        pinned = tuple(role for role in roles if is_pinned(role, models))
        check_within("Escalation", NAMED, self.rungs, pinned, models)

    def doubted(self, role: Role | str) -> Guard:
        """Whether the last turn brought doubt in a role's work: its own turn, or one that judged
        it."""
        return self._guard("doubted", named(role), lambda up, top: True)

    def higher(self, role: Role | str) -> Guard:
        """Whether the last turn brought doubt in a role's work, and there is a higher rung than the
        one it was done on. It holds at most as often as there are rungs to go up, which bounds a
        cycle."""
        check_climbs(role)
        guard = self._guard("higher", named(role), lambda up, top: up)
        return replace(guard, times=len(self.rungs) - 1, never_again=True)

    def exhausted(self, role: Role | str) -> Guard:
        """Whether the last turn brought doubt in work that was done on the highest rung."""
        check_climbs(role)
        guard = self._guard("exhausted", named(role), lambda up, top: top)
        return replace(guard, reason="gave_up")

    def _guard(self, what: str, role: str, fits: Callable[[bool, bool], bool]) -> Guard:
        tally = self.tally

        def test(state: State) -> bool:
            found = doubt_in(tally, state, role)
            return found is not None and fits(found.up, found.top)

        def measure(state: State) -> str:
            found = doubt_in(tally, state, role)
            return "no doubt" if found is None else found.text

        return Guard(
            f"{what}({role})",
            test,
            tallies=(tally,),
            loose="there may be doubt again and again",
            measure=measure,
        )


def escalating(
    role: Role,
    ladder: Escalation,
    *,
    samples: int = 1,
    then: Role | None = None,
    otherwise: Role | None = None,
) -> tuple[Edge, ...]:
    """The edges by which a role tries again, one rung higher each time, while its own turn ends in
    doubt; in so many independent `samples`, which can be seen to differ.

    Work without doubt goes to `then`, or the run is finished. Work that is doubtful on the highest
    rung too goes to `otherwise`; without one the run is stopped, and says that it gave up.
    """
    edges = [handoff(role, role, when=ladder.higher(role), samples=samples)]
    if then is None:
        edges.append(finish(role, when=~ladder.doubted(role)))
    else:
        calm = ~ladder.doubted(role) & ~failed(role)
        edges.append(handoff(role, then, when=calm))
    if otherwise is None:
        return (*edges, stop(when=acted(role) & ladder.exhausted(role)))
    lost = ladder.exhausted(role) | (failed(role) & ~ladder.higher(role))
    return (*edges, handoff(role, otherwise, when=lost))


@lru_cache(maxsize=256)
def weighed(
    figures: tuple[Figure, ...], rungs: tuple[tuple[str, str], ...], level: Level5
) -> tuple[Option, ...]:
    """What is known of the models on some rungs, by key, of which the lowest is taken."""
    rows = rows_for(figures, [name for _, name in rungs], level)
    judged = [Weighed(1, None), *[Weighed(0, None, HIGHER)] * (len(rungs) - 1)]
    return tuple(
        option(key, row, one) for (key, _), row, one in zip(rungs, rows, judged, strict=True)
    )


@lru_cache(maxsize=256)
def lifted(options: tuple[Option, ...], rungs: tuple[str, ...], rung: int) -> tuple[Option, ...]:
    """What could have been taken by somebody who stands on a rung at least: whatever was likely
    below it, it is now."""
    places = {key: place for place, key in enumerate(rungs)}
    below = [each for each in options if places.get(each.key, rung + 1) <= rung]
    likely = whole(min(1.0, math.fsum(each.probability for each in below)))
    here = {"probability": likely, "ruled_out": ""}
    left = {"probability": 0, "score": None, "ruled_out": LOWER}
    return tuple(
        each.model_copy(update=here if places[each.key] == rung else left)
        if each in below
        else each
        for each in options
    )


def check_climbs(role: Role | str) -> None:
    """Raise DeclarationError for a role that stays where it is."""
    if isinstance(role, Role) and role.tier is not None:
        raise DeclarationError(
            f"role {role.name!r} has the tier {role.tier!r} of its own, so it never climbs; take it"
            " away, or let the allocator within say where the role begins"
        )


def dollars(usd: float) -> str:
    """An amount with as many places as it takes: `$0.10`, `$0.00125`."""
    return f"${usd:.2f}" if usd >= 1 or not usd else f"${usd:.3g}"
