"""A bound by progress (control floor): a measure that must fall, and cannot fall for ever.

This is the ranking function, or variant, by which loops are proven to end.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from pydantic import JsonValue

from hive.board.entry import Entry
from hive.board.payload import Payload
from hive.board.state import State, Tally
from hive.control.graphs.algebra import Guard, Need
from hive.control.guards.guard import at_least_one, checked_kind

__all__ = ["declining"]

Kind = TypeVar("Kind", bound=Payload)


def declining(name: str, kind: type[Kind], measure: Callable[[Kind], int], *, most: int) -> Guard:
    """Whether the last turn brought a new low of a measure, which bounds a cycle.

    `measure` gives a whole number for each payload of a kind. What is not lower than `most`, and
    than every value before, is no progress, and below 0 nothing is gained: so the guard holds after
    at most `most` turns of a run, and is closed from then on.

        handoff(tester, coder, when=declining("failing tests", TestReport, failing, most=50))
    """
    checked_kind("declining", kind)
    at_least_one("declining(most=…)", most)
    key = f"declining {name}"

    def step(value: JsonValue, entry: Entry) -> JsonValue:
        if not isinstance(entry.payload, kind):
            return value
        lowest, _ = cast(list[int], value)
        reached = max(0, measure(entry.payload))
        return [reached, entry.address.turn] if reached < lowest else value

    def known(state: State) -> Any:
        return state.tallies.get(key, [most, 0])

    return Guard(
        f"declining({name})",
        lambda state: bool(state.turn) and known(state)[1] == state.turn,
        needs=(Need(kind),),
        strict=True,
        times=most,
        tallies=(Tally(key, [most, 0], step, frozenset({kind.kind})),),
        never_again=True,
        measure=lambda state: known(state)[0],
    )
