"""Guards on the turns of one role (control floor): whether it acted last, how often it has, how
much more it was shown, and how many strands of some roles had something to say.

handoff(critic, author, when=rejected & rounds_left(critic, 3))
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from pydantic import JsonValue

from hive.board.entry import Entry
from hive.board.records import Decision, Inference
from hive.board.state import State, Tally
from hive.control.graphs.algebra import Guard
from hive.control.guards.guard import at_least_one
from hive.role import Role

__all__ = ["acted", "answered", "grown", "rounds_left", "rounds_used"]


def acted(role: Role | str) -> Guard:
    """Whether a role acted in the last turn."""
    name = named(role)
    return Guard(
        f"acted({name})",
        lambda state: name in state.frontier,
        loose="it may act again and again",
    )


def rounds_left(role: Role | str, most: int) -> Guard:
    """Whether a role acted in the last turn, for the first to the `most`-th time in the run.

    It holds after so many turns and after no other one, so it bounds every cycle that a handoff
    with it lies on.
    """
    at_least_one("rounds_left", most)
    name = named(role)

    def count(state: State) -> int:
        return turns_of(name, state)

    return Guard(
        f"rounds_left({name}, {most})",
        lambda state: name in state.frontier and count(state) <= most,
        times=most,
        tallies=(turns_taken(name),),
        never_again=True,
        measure=count,
    )


def rounds_used(role: Role | str, most: int) -> Guard:
    """Whether a role acted in the last turn, and had done so `most` times before."""
    at_least_one("rounds_used", most)
    name = named(role)
    return Guard(
        f"rounds_used({name}, {most})",
        lambda state: name in state.frontier and turns_of(name, state) > most,
        reason="turns_exhausted",
        tallies=(turns_taken(name),),
        loose="the role may never act so often",
        measure=lambda state: turns_of(name, state),
    )


def grown(role: Role | str, *, tokens: int) -> Guard:
    """Whether what a role's model is sent has grown by so many tokens from the first turn of the
    role to its last one; the largest input of each counts. Bounds nothing."""
    at_least_one("grown(tokens=…)", tokens)
    name = named(role)

    def more(state: State) -> int:
        kept: Any = state.tallies.get(inputs_of(name).name)
        return 0 if kept is None else kept["last"] - kept["first"]

    return Guard(
        f"grown({name}, tokens={tokens})",
        lambda state: more(state) >= tokens,
        reason="bloated",
        tallies=(inputs_of(name),),
        loose="what is sent may never grow",
        measure=more,
    )


def answered(roles: Sequence[Role], least: int) -> Guard:
    """Whether so many strands of some roles contributed in the last turn; each sample is one."""
    at_least_one("answered", least)
    names = tuple(role.name for role in roles)
    tally = speakers(names)

    def number(state: State) -> int:
        kept: Any = state.tallies.get(tally.name)
        return len(kept["strands"]) if kept is not None and kept["turn"] == state.turn else 0

    return Guard(
        f"answered(({', '.join(names)}), {least})",
        lambda state: number(state) >= least,
        tallies=(tally,),
        loose="too few may ever answer",
        measure=number,
    )


def named(role: Role | str) -> str:
    return role.name if isinstance(role, Role) else role


@lru_cache(maxsize=256)
def turns_taken(name: str) -> Tally:
    """In how many turns a role has acted."""

    def step(value: JsonValue, entry: Entry) -> JsonValue:
        payload = entry.payload
        if isinstance(payload, Decision) and any(plan.role == name for plan in payload.strands):
            return int(value) + 1  # type: ignore[arg-type]  # it begins as one
        return value

    return Tally(f"turns of {name}", 0, step, frozenset({Decision.kind}))


def turns_of(name: str, state: State) -> int:
    value: Any = state.tallies.get(turns_taken(name).name, 0)
    return int(value)


@lru_cache(maxsize=256)
def inputs_of(name: str) -> Tally:
    """The largest input of a role's calls in its first turn and in its last one."""

    def step(value: JsonValue, entry: Entry) -> JsonValue:
        payload, kept = entry.payload, value
        if not isinstance(payload, Inference) or entry.address.role != name:
            return value
        known: Any = kept or {"turn": entry.turn, "begun": entry.turn, "first": 0, "last": 0}
        size = payload.usage.input
        last = max(size, known["last"]) if known["turn"] == entry.turn else size
        first = last if known["begun"] == entry.turn else known["first"]
        return {**known, "turn": entry.turn, "first": first, "last": last}

    return Tally(f"inputs of {name}", None, step, frozenset({Inference.kind}))


@lru_cache(maxsize=256)
def speakers(names: tuple[str, ...]) -> Tally:
    """The strands of some roles that contributed in the newest turn in which any did."""

    def step(value: JsonValue, entry: Entry) -> JsonValue:
        role = entry.address.role
        if entry.level != "domain" or role not in names or entry.author != role:
            return value
        kept: Any = value
        strands = kept["strands"] if kept["turn"] == entry.turn else []
        if entry.strand in strands:
            return value
        return {"turn": entry.turn, "strands": [*strands, entry.strand]}

    return Tally(f"answers of {', '.join(names)}", {"turn": 0, "strands": []}, step)
