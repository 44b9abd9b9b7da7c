"""Who stands on which rung, and why (control floor): a fold of the record, for `Escalation`."""

from collections.abc import Collection
from functools import lru_cache
from typing import Any, NamedTuple

from pydantic import JsonValue

from hive.board.contributions import Review, TestReport, Verdict
from hive.board.entry import Entry
from hive.board.records import Decision, Observation
from hive.board.state import State, Tally
from hive.control.allocating.doubt import Doubt

__all__ = ["Climb", "Doubtful", "climb_of", "climbing", "doubt_in"]

LONGEST = 200
"""Characters of what is remembered of a doubt."""
NOTHING: JsonValue = {
    "at": {},
    "climbs": {},
    "doubts": {},
    "earlier": [],
    "acting": [],
    "worked": [],
    "changed": [],
    "seen": {},
}
"""Role to the rung that it last worked on; to the rung it is to work on, with the turn and the text
of what brought it there; to the doubt of the last turn. Then who contributed in the newest turn
before this one; and of the turn itself who acts, contributed, changed the workspace, and what each
doubt has seen."""


class Climb(NamedTuple):
    """A rung that a role is to stand on at least, and what brought it there."""

    rung: int
    turn: int
    text: str

    def __str__(self) -> str:
        return f"{self.text} in turn {self.turn}"


class Doubtful(NamedTuple):
    """What was doubtful in the last turn about a role's work, whether that took the role up, and
    whether there is no rung above the one that the work was done on."""

    text: str
    up: bool
    top: bool


def climb_of(tally: Tally, state: State, role: str) -> Climb | None:
    """How far a role has climbed; None where it has not."""
    kept: Any = state.tallies.get(tally.name)
    found = None if kept is None else kept["climbs"].get(role)
    return None if found is None else Climb(*found)


def doubt_in(tally: Tally, state: State, role: str) -> Doubtful | None:
    """What the last turn found doubtful about a role's work; None where nothing."""
    kept: Any = state.tallies.get(tally.name)
    found = None if kept is None else kept["doubts"].get(role)
    return None if found is None else Doubtful(*found)


def climbing(rungs: tuple[str, ...], doubt: Doubt) -> Tally:
    """What is remembered of who climbs some rungs by a doubt."""
    primitives = doubt.primitives
    judging = {Review.kind, Verdict.kind, TestReport.kind}
    judging |= {kind.kind for one in primitives for kind in one.kinds}

    looking = lru_cache(maxsize=None)(
        lambda cls: tuple(one for one in primitives if one.looks(cls))
    )

    def step(value: JsonValue, entry: Entry) -> JsonValue:
        kept: Any = value
        if entry.cls is Decision:
            return decided(kept, entry, rungs)
        about: tuple[Doubt, ...] = looking(entry.cls)
        works = entry.cls is Observation or entry.level == "domain"
        if not about and not works:
            return value
        role = entry.address.role
        if role not in kept["acting"]:
            return value
        if works:
            kept = worked(kept, role, entry, judging)
        for one in about:
            for name in meant(kept, role, one, entry):
                kept = looked(kept, name, one, entry)
        return kept  # type: ignore[no-any-return]  # it is as JSON-shaped as it was

    def close(value: JsonValue, state: State) -> JsonValue:
        kept: Any = value
        texts = {role: doubt.told(seen)[:LONGEST] for role, seen in kept["seen"].items()}
        return judged(kept, {role: text for role, text in texts.items() if text}, state.turn, rungs)

    return Tally(f"ladder {' < '.join(rungs)} by {doubt}", NOTHING, step, close=close)


def meant(kept: dict[str, Any], role: str, doubt: Doubt, entry: Entry) -> list[str]:
    """Of whose work an entry speaks, to a doubt."""
    if doubt.whose == "own" or (entry.kind == TestReport.kind and role in kept["changed"]):
        return [role]
    return [other for other in kept["earlier"] if other != role]


def judged(
    kept: dict[str, Any], texts: dict[str, str], turn: int, rungs: tuple[str, ...]
) -> JsonValue:
    """Close a turn in which there was doubt in the work of some roles."""
    doubts, climbs, top = {}, kept["climbs"], len(rungs) - 1
    for role, text in texts.items():
        at, before = kept["at"].get(role), climbs.get(role)
        up = at is not None and at < top and (before is None or before[0] <= at)
        if up:
            climbs = {**climbs, role: [at + 1, turn, text]}
        # It acted below the rung that it was to stand on: no budget or model for more than that.
        held = not up and before is not None and before[1] < turn and role in kept["acting"]
        doubts[role] = [text, up, at is None or at == top or held]
    earlier = kept["worked"] or kept["earlier"]
    fresh: Any = {"acting": [], "worked": [], "changed": [], "seen": {}}
    return {**kept, **fresh, "climbs": climbs, "doubts": doubts, "earlier": earlier}


def worked(
    kept: dict[str, Any], role: str, entry: Entry, judging: Collection[str]
) -> dict[str, Any]:
    """Take in that a role has changed the workspace, or contributed what is no judgement."""
    if entry.cls is Observation:
        changes = isinstance(entry.payload, Observation) and entry.payload.changes
        return with_role(kept, "changed", role) if changes else kept
    own = entry.author == role and entry.kind not in judging
    return with_role(kept, "worked", role) if own else kept


def decided(kept: dict[str, Any], entry: Entry, rungs: tuple[str, ...]) -> JsonValue:
    """Take in who acts, and on which rung."""
    decision = entry.payload
    assert isinstance(decision, Decision)
    at = dict(kept["at"])
    for role in {plan.role for plan in decision.strands}:
        keys = [plan.key for plan in decision.strands if plan.role == role]
        known = [rungs.index(key) for key in keys if key in rungs]
        at.pop(role, None)
        if known:
            at[role] = max(known)
    return {**kept, "at": at, "acting": sorted({plan.role for plan in decision.strands})}


def with_role(kept: dict[str, Any], what: str, role: str) -> dict[str, Any]:
    return kept if role in kept[what] else {**kept, what: [*kept[what], role]}


def looked(kept: dict[str, Any], role: str, doubt: Doubt, entry: Entry) -> dict[str, Any]:
    """Let a doubt about a role look at an entry."""
    own = kept["seen"].get(role, {})
    before = own.get(doubt.name)
    after = doubt.step(before, entry)
    if after is before:
        return kept
    return {**kept, "seen": {**kept["seen"], role: {**own, doubt.name: after}}}
