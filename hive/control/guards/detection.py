"""Guards that find a run which goes round, asks again or swells (control floor).

stop(when=looped(times=3) | repeated(calls=4) | bloated(tokens=20_000) | stalled(turns=6))

Each is a fold of the record, so it says the same in a replay; its memory is bounded.
"""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import orjson
from pydantic import JsonValue

from hive.board.contributions import TestReport
from hive.board.entry import Entry
from hive.board.records import Inference, Observation, ToolCall
from hive.board.state import State, Tally
from hive.control.graphs.algebra import Guard
from hive.control.guards.guard import at_least_one
from hive.control.guards.progress import Signal, checked_signals, last_progress, named, tallies_of
from hive.errors import DeclarationError

__all__ = ["bloated", "looped", "repeated"]

STATES_KEPT = 64
CALLS_KEPT = 64


def looped(*, times: int) -> Guard:
    """Whether the run stands where it stood before: equal states so many times within the last 64
    turns, the newest of them among these.

    Two states are equal when the same roles acted last and asked for the same handoffs, the
    workspace, the open tasks and the number of questions and of entries that wait are the same,
    and the newest contribution of every author and kind says the same. A role begins each turn
    from the board alone, so from equal states it is asked the same thing again.

    What is said in other words is another state; `stalled` is for that. Bounds nothing.
    """
    at_least_two("looped", times)

    def count(state: State) -> int:
        seen = standing(state)["seen"]
        return seen.count(seen[-1]) if seen else 0

    return Guard(
        f"looped(times={times})",
        lambda state: count(state) >= times,
        reason="looped",
        tallies=(STATES,),
        loose="no two states may ever be equal",
        measure=count,
    )


def repeated(*, calls: int) -> Guard:
    """Whether a role made the same tool call, with equal arguments, and got the same result so
    many times over, the last of them in the last turn.

    Counted anew when the result is another or a call changed the workspace. The last 64 calls that
    differ are remembered. Bounds nothing.
    """
    at_least_two("repeated", calls)

    def most(state: State) -> int:
        made = called(state)["made"].values()
        return max([count for _, count, turn in made if turn == state.turn], default=0)

    return Guard(
        f"repeated(calls={calls})",
        lambda state: most(state) >= calls,
        reason="repeated",
        tallies=(CALLS,),
        loose="no call may ever be made twice",
        measure=most,
    )


def bloated(*, tokens: int, of: Sequence[Signal] = ()) -> Guard:
    """Whether what a role's model is sent has grown by so many tokens since the last progress.

    Compared are the largest input of a call of the role in the last turn, and in the first turn in
    which it acted since one made progress: by some signals, or by the progress measure where none
    are given. Bounds nothing.
    """
    at_least_one("bloated", tokens)
    signals = checked_signals("bloated", of)
    tally = inputs(signals)

    def most(state: State) -> int:
        kept: Any = state.tallies.get(tally.name, tally.init)
        if kept["turn"] != state.turn:
            return 0
        return max([size - kept["base"][role] for role, size in kept["now"].items()], default=0)

    by = f", of={named(signals)}" if signals else ""
    return Guard(
        f"bloated(tokens={tokens}{by})",
        lambda state: most(state) >= tokens,
        reason="bloated",
        tallies=(*tallies_of(signals), tally),
        loose="what is sent may never grow",
        measure=most,
    )


def at_least_two(what: str, number: object) -> None:
    at_least_one(what, number)
    if number == 1:
        raise DeclarationError(f"{what}(1): once is no repetition; give a whole number from 2 on")


def digest_of(value: object) -> str:
    """A short digest of a JSON-shaped value, whose keys may come in any order."""
    return short(orjson.dumps(value, option=orjson.OPT_SORT_KEYS))


def short(body: bytes) -> str:
    """A short digest."""
    return hashlib.blake2b(body, digest_size=8).hexdigest()


def say(value: JsonValue, entry: Entry) -> JsonValue:
    """Remember what an author said last, kind by kind, as digests."""
    if entry.level != "domain":
        return value
    kept: Any = value
    own = f"{entry.author}/{entry.kind}"
    payload = entry.payload
    if isinstance(payload, TestReport):  # no two runs of the tests take equally long
        failed = sorted(failure.id for failure in payload.failed)
        said = digest_of([payload.digest, payload.passed, failed, payload.complete])
    else:
        said = short(entry.body)
    if kept["said"].get(own) == said:
        return value
    return {**kept, "said": {**kept["said"], own: said}}


def stand(value: JsonValue, state: State) -> JsonValue:
    """Remember where the run stands after a turn."""
    kept: Any = value
    where = digest_of(
        [
            state.frontier,
            state.handoffs,
            state.workspace,
            sorted(state.tasks),
            len(state.questions),
            {role: len(waiting) for role, waiting in state.open.items()},
            kept["said"],
        ]
    )
    return {**kept, "seen": [*kept["seen"], where][-STATES_KEPT:]}


STATES = Tally("states", {"said": {}, "seen": []}, say, None, stand)
"""Digests: of what each author said last, kind by kind, and of the last 64 states."""


def standing(state: State) -> Any:
    return state.tallies.get(STATES.name, STATES.init)


def call(value: JsonValue, entry: Entry) -> JsonValue:
    """Remember a call until its result is there, then count it with those that equal it."""
    kept: Any = value
    payload = entry.payload
    if isinstance(payload, ToolCall):
        key = f"{entry.author} {payload.tool} {digest_of(payload.arguments)}"
        opened = {**kept["open"], str(entry.address): key}
        return {**kept, "open": newest(opened, CALLS_KEPT)}
    if not isinstance(payload, Observation) or not entry.causes:
        return value
    key = kept["open"].get(entry.causes[0])
    if key is None:
        return value
    opened = {**kept["open"]}
    del opened[entry.causes[0]]
    made, workspace = {**kept["made"]}, kept["workspace"]
    if payload.workspace is not None and payload.workspace != workspace:
        made, workspace = {}, payload.workspace
    shown = [payload.text, payload.error, *[media.data for media in payload.media]]
    result = digest_of(shown)
    before, count, _ = made.pop(key, ("", 0, 0))
    made[key] = [result, count + 1 if before == result else 1, entry.turn]
    return {"open": opened, "made": newest(made, CALLS_KEPT), "workspace": workspace}


def newest(items: dict[str, Any], most: int) -> dict[str, Any]:
    """Some items without the oldest beyond so many."""
    while len(items) > most:
        del items[next(iter(items))]
    return items


CALLS = Tally(
    "equal calls",
    {"open": {}, "made": {}, "workspace": None},
    call,
    frozenset({ToolCall.kind, Observation.kind}),
)
"""Calls without a result, and those with one: its digest, how often it came, and when last."""


def called(state: State) -> Any:
    return state.tallies.get(CALLS.name, CALLS.init)


def sent(value: JsonValue, entry: Entry) -> JsonValue:
    """Remember the largest input of each role in a turn."""
    if not isinstance(entry.payload, Inference):
        return value
    kept: Any = value
    now = kept["now"] if kept["turn"] == entry.turn else {}
    role, size = entry.author, entry.payload.usage.input
    if now.get(role, -1) >= size:
        return value
    return {"turn": entry.turn, "now": {**now, role: size}, "base": kept["base"]}


@lru_cache(maxsize=64)
def inputs(signals: tuple[Signal, ...]) -> Tally:
    """The memory of `bloated`: what was sent in the last turn, and what is compared with it."""

    def compare(value: JsonValue, state: State) -> JsonValue:
        kept: Any = value
        known = base = {} if last_progress(signals, state) == state.turn else kept["base"]
        if kept["turn"] == state.turn:
            for role, size in kept["now"].items():
                if role not in known:
                    base = {**base, role: size}
        return value if base is kept["base"] else {**kept, "base": base}

    name = f"inputs since {named(signals) or 'progress'}"
    init: JsonValue = {"turn": 0, "now": {}, "base": {}}
    return Tally(name, init, sent, frozenset({Inference.kind}), compare)
