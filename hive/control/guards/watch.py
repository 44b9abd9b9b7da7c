"""Watches (control floor): what is tried with a run that gets no further, before it is stopped.

Workflow(graph, model=…, watches=(Watch(stalled(turns=3, of=(failing_tests,)), patience=2),))

First a nudge, then a change of course, then the stop. All of it is a fold of the closed turns, so a
replay and a resumed run climb as the first one did.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

from pydantic import JsonValue

from hive.board.state import State, Tally
from hive.control.graphs.algebra import Guard
from hive.control.graphs.graph import Ending
from hive.control.graphs.move import Move
from hive.control.guards.guard import at_least_one
from hive.control.policies.policy import Change
from hive.errors import DeclarationError

__all__ = [
    "Rung",
    "Watch",
    "Ways",
    "asks_watches",
    "because",
    "climbing",
    "nudge",
    "stop_due",
    "stuck_at",
    "ways",
]

Rung = Literal["nudge", "change"]
"""How far up a watch has climbed: its roles are told, or another way is tried."""

CALM, NUDGED, CHANGED, STOPPED = range(4)
RUNGS: tuple[str, ...] = ("", *get_args(Rung), "stop")
WATCHES = "watches"
"""The name of the tally."""
NOTHING: JsonValue = {"rungs": {}, "at": "", "made": {}}
"""No watch has anything to say; where the run stands, and who acted next the last time that it
stood at each place."""
MOST_ENTRIES = 4
"""Entries that a nudge points at."""
WORDS = (
    "The work gets no further. Look at what has been tried, and do something other than that;"
    " if it cannot be done, say so and why."
)


@dataclass(frozen=True)
class Watch:
    """A guard that finds a run which gets no further, and what is done where it holds.

    At first every role that acts is told the `nudge`, once, with what was seen. Where the guard
    holds again `patience` turns later, another way is tried: another role than the last time where
    the graph allows one, else another tier of models, and whatever edges are guarded by
    `stuck_at("change")`. Where it holds again as many turns after that, the run is stopped with
    the guard's reason. Once it has not held for `patience` turns in a row, all begins anew.
    """

    guard: Guard
    nudge: str = WORDS
    patience: int = 2

    def __post_init__(self) -> None:
        if not isinstance(self.guard, Guard):
            raise DeclarationError(
                f"Watch({self.guard!r}): not a guard; give stalled(turns=3), looped(times=2), …"
            )
        at_least_one("Watch(patience=…)", self.patience)
        if not self.nudge.strip():
            raise DeclarationError(f"Watch({self.guard}): the nudge says nothing; leave it out")

    def __str__(self) -> str:
        return f"{self.guard}, patience={self.patience}: {self.nudge}"

    def climbed(self, known: Any, state: State) -> list[int] | None:
        """The rung after a turn, since which turn, when the guard held first, and when last; None
        where all is calm."""
        turn = state.turn
        if not self.guard.test(state):
            return None if known is None or turn - known[3] >= self.patience else known
        if known is None:
            return [NUDGED, turn, turn, turn]
        rung, since, first, _ = known
        if turn - since >= self.patience:
            return [rung + 1, turn, first, turn]
        return [rung, since, first, turn]


class Ways(NamedTuple):
    """The moves that may be made, and what is other than usual about them."""

    candidates: tuple[Move, ...]
    change: Change = ""


def climbing(watches: Sequence[Watch]) -> Tally:
    """How far up watches are; to be closed after what their guards remember."""
    watched = tuple(watches)

    def close(value: JsonValue, state: State) -> JsonValue:
        kept: Any = value
        if not state.turn:
            return value
        rungs = {}
        for watch in watched:
            name = watch.guard.name
            known = watch.climbed(kept["rungs"].get(name), state)
            if known is not None:
                rungs[name] = known
        at, made = placed(state.frontier), kept["made"]
        if made.get(kept["at"]) != at:
            made = {**made, kept["at"]: at}
        return {"rungs": rungs, "at": at, "made": made}

    return Tally(WATCHES, NOTHING, unchanged, frozenset(), close)


def unchanged(value: JsonValue, entry: object) -> JsonValue:
    """The step of a tally that looks at states only."""
    return value


def placed(roles: Sequence[str]) -> str:
    """Some roles as a place of a run."""
    return "+".join(roles)


def known_of(state: State) -> Any:
    return state.tallies.get(WATCHES, NOTHING)


def stuck_at(rung: Rung) -> Guard:
    """Whether some watch of the workflow has climbed so far, and no further: for an edge that leads
    to another plan. Bounds nothing.

        handoff(worker, planner, when=stuck_at("change"))
    """
    if rung not in get_args(Rung):
        raise DeclarationError(f"stuck_at({rung!r}): say 'nudge' or 'change'")
    wanted = RUNGS.index(rung)
    return Guard(
        f"stuck_at({rung})",
        lambda state: any(known[0] == wanted for known in known_of(state)["rungs"].values()),
        reason="stalled",
        loose="a run can make progress for ever",
    )


def asks_watches(guard: Guard) -> bool:
    """Whether a guard is one that `stuck_at` made."""
    return guard in [stuck_at(rung) for rung in get_args(Rung)]


def ways(watches: Sequence[Watch], state: State, candidates: tuple[Move, ...]) -> Ways:
    """The moves that are allowed, without the one that was made the last time where the run is to
    change its course and another one is there."""
    kept = known_of(state)
    if not kept["rungs"] or all(rung_of(watch, kept) != CHANGED for watch in watches):
        return Ways(candidates)
    before = kept["made"].get(kept["at"])
    others = tuple([move for move in candidates if placed(move.roles) != before])
    if others and len(others) < len(candidates):
        return Ways(others, "role")
    return Ways(candidates, "tier")


def because(watches: Sequence[Watch], state: State, change: Change) -> str:
    """Why a turn is other than usual, in words."""
    kept = known_of(state)
    stuck = [watch.guard.name for watch in watches if rung_of(watch, kept) == CHANGED]
    other = "another role than the last time" if change == "role" else "another tier of models"
    return f"{other}, since {' and '.join(stuck)} held and a nudge has not helped"


def rung_of(watch: Watch, kept: Any) -> int:
    known = kept["rungs"].get(watch.guard.name)
    return CALM if known is None else int(known[0])


def nudge(watches: Sequence[Watch], state: State, move: Move) -> str:
    """What the strands of a move are told beside what they see, with what was seen; "" where there
    is nothing to say, or each of its roles has acted since it was to be told."""
    kept = known_of(state)
    if not kept["rungs"]:
        return ""
    texts = []
    for watch in watches:
        known = kept["rungs"].get(watch.guard.name)
        if known is None or all(state.acted.get(role, 0) > known[1] for role in move.roles):
            continue
        texts.append(f"{watch.nudge} (Seen: {watch.guard.report(state)}{pointed(state)}.)")
    return "\n".join(texts)


def pointed(state: State) -> str:
    """The newest contributions of the roles that acted last, by address."""
    places = sorted(
        {
            entry.address
            for key, entry in state.newest.items()
            if entry.level == "domain"
            and entry.turn == state.turn
            and key == f"{entry.author}/{entry.kind}"
            and entry.author in state.frontier
        }
    )
    shown = ", ".join(f"[{place}]" for place in places[-MOST_ENTRIES:])
    return f"; last came {shown}" if shown else ""


def stop_due(watches: Sequence[Watch], state: State) -> Ending | None:
    """The ending of a run of which a watch has gone all the way up."""
    kept = known_of(state)
    for watch in watches if kept["rungs"] else ():
        if rung_of(watch, kept) < STOPPED:
            continue
        guard = watch.guard.witness(state)
        first = kept["rungs"][watch.guard.name][2]
        message = (
            f"{guard.name} held after turn {state.turn} ({guard.report(state)}); it first held"
            f" after turn {first}, and neither a nudge nor another way has helped"
        )
        return Ending("stopped", watch.guard.reason_in(state), guard.name, message)
    return None
