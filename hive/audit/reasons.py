"""Why a turn was as it was (floor 7): the moves, the models, what was kept back, and what another
preference would have taken; all of it read from the record.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from hive.board.entry import Entry
from hive.board.pieces import Option
from hive.board.records import (
    Decision,
    Fault,
    Inference,
    Overrun,
    Request,
    Shortage,
    StrandPlan,
)
from hive.control.allocating.escalation import HIGHER, LOWER
from hive.control.allocating.figures import Figure
from hive.control.allocating.preference import PROFILES, Preference
from hive.control.allocating.weighing import weigh
from hive.control.budgets.budget import NANO, usd
from hive.errors import DeclarationError

__all__ = ["Call", "Consulted", "Otherwise", "Seat", "Taken", "Why", "deciding_turns", "why"]


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a model: what was reserved for it, and what that settled at. Money is in
    nano-dollars; `cost` and `tokens` are None while nobody has answered."""

    address: str
    model: str
    granted: int
    granted_tokens: int
    cost: int | None = None
    tokens: int | None = None
    fault: str = ""
    """The code of the fault that it ended in."""

    def as_json(self) -> dict[str, Any]:
        """It as `hive why --json` has it."""
        return {
            "address": self.address,
            "model": self.model,
            "granted_usd": float(usd(self.granted)),
            "granted_tokens": self.granted_tokens,
            "cost_usd": None if self.cost is None else float(usd(self.cost)),
            "tokens": self.tokens,
            "fault": self.fault or None,
        }


class Taken(NamedTuple):
    """A model that a preference takes, with which probability."""

    key: str
    model: str
    probability: float


@dataclass(frozen=True, slots=True)
class Otherwise:
    """Which of the models weighed another preference takes; none where `note` says why."""

    preference: str
    taken: tuple[Taken, ...] = ()
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        """It as `hive why --json` has it."""
        taken = [each._asdict() for each in self.taken]
        return {"preference": self.preference, "taken": taken, "note": self.note}


@dataclass(frozen=True, slots=True)
class Consulted:
    """A strand in which somebody was asked before the decision, with its calls."""

    strand: str
    calls: tuple[Call, ...]

    def as_json(self) -> dict[str, Any]:
        """It as `hive why --json` has it."""
        return {"strand": self.strand, "calls": [call.as_json() for call in self.calls]}


@dataclass(frozen=True, slots=True)
class Seat:
    """A strand with the model that it was given, its calls, and what else could have been."""

    plan: StrandPlan
    calls: tuple[Call, ...]
    refused: tuple[str, ...]
    """Why calls were not made, in the words of the budget."""
    otherwise: tuple[Otherwise, ...]
    """Nothing where no preference could have taken another model."""

    def as_json(self) -> dict[str, Any]:
        """It as `hive why --json` has it."""
        plan = self.plan.model_dump(mode="json", exclude={"reserved", "options"})
        return {
            **plan,
            "reserved_usd": float(usd(self.plan.reserved)),
            "options": [option_json(option) for option in self.plan.options],
            "calls": [call.as_json() for call in self.calls],
            "refused": list(self.refused),
            "otherwise": [each.as_json() for each in self.otherwise],
        }


@dataclass(frozen=True, slots=True)
class Why:
    """A decision with what went into it and what came of it."""

    run: str
    turn: int
    address: str
    decision: Decision
    advice: tuple[str, ...]
    """Addresses of what those contributed who were consulted."""
    consulted: tuple[Consulted, ...]
    short: Shortage | None
    """For whom the budget had no room."""
    overruns: tuple[Overrun, ...]
    seats: tuple[Seat, ...]

    def as_json(self) -> dict[str, Any]:
        """It as `hive why --json` prints it."""
        made = self.decision
        dumped = made.model_dump(mode="json")
        kept = ("policy", "reason", "deterministic", "features", "complexity", "allotted", "ending")
        moves = [
            {**move, "chosen": place == made.chosen}
            for place, move in enumerate(dumped["candidates"])
        ]
        return {
            "run": self.run,
            "turn": self.turn,
            "address": self.address,
            **{name: dumped[name] for name in kept},
            "candidates": moves,
            "nudge": made.nudge or None,
            "advisors": list(made.advisors),
            "advice": list(self.advice),
            "consulted": [each.as_json() for each in self.consulted],
            "shortage": None if self.short is None else self.short.model_dump(mode="json"),
            "overruns": [each.model_dump(mode="json") for each in self.overruns],
            "strands": [seat.as_json() for seat in self.seats],
        }


def option_json(option: Option) -> dict[str, Any]:
    """A model that was weighed as `hive why --json` has it."""
    cost, latency = option.cost, option.latency
    return {
        "key": option.key,
        "model": option.model,
        "probability": option.probability,
        "score": option.score,
        "ruled_out": option.ruled_out or None,
        "accuracy": option.accuracy,
        "usd": None if cost is None else float(usd(cost)),
        "seconds": None if latency is None else latency / 1_000_000,
    }


def deciding_turns(entries: Iterable[Entry]) -> list[int]:
    """The turns of a run in which something was decided, in their order."""
    return sorted({entry.turn for entry in entries if entry.kind == Decision.kind})


def why(
    run: str, entries: Sequence[Entry], turn: int, preferences: Iterable[str] = ()
) -> Why | None:
    """Why a turn of a run was as it was; None where its decision is not there or was erased.

    What each strand would have got is said for the named preferences and for some more, as
    `Preference.of` reads them. Raises DeclarationError for one that is none.
    """
    wanted = {**PROFILES, **{text: Preference.of(text) for text in preferences}}
    own = [entry for entry in entries if entry.turn == turn]
    decisions = [entry for entry in own if isinstance(entry.payload, Decision)]
    if not decisions:
        return None
    made = decisions[-1]
    decision = made.payload
    assert isinstance(decision, Decision)
    found = [entry.payload for entry in own if isinstance(entry.payload, Shortage)]
    return Why(
        run=run,
        turn=turn,
        address=str(made.address),
        decision=decision,
        advice=tuple(
            str(entry.address)
            for entry in own
            if entry.level == "domain" and entry.strand in decision.advisors
        ),
        consulted=tuple(
            Consulted(strand, calls_of(entry for entry in own if entry.strand == strand))
            for strand in decision.advisors
        ),
        short=together(found) if found else None,
        overruns=tuple(entry.payload for entry in own if isinstance(entry.payload, Overrun)),
        seats=tuple(seat_of(plan, own, wanted) for plan in decision.strands),
    )


def together(found: Sequence[Shortage]) -> Shortage:
    """What was found of the budget before a decision and beside it, as one."""
    roles = {role: keys for one in found for role, keys in one.roles.items()}
    strands = {strand: keys for one in found for strand, keys in one.strands.items()}
    left_out = {role: why for one in found for role, why in one.left_out.items()}
    return Shortage(roles=roles, strands=strands, left_out=left_out)


def seat_of(plan: StrandPlan, turn: Sequence[Entry], wanted: Mapping[str, Preference]) -> Seat:
    """One strand of the move."""
    own = [entry for entry in turn if entry.strand == plan.strand]
    refused = [
        entry.payload.message
        for entry in own
        if isinstance(entry.payload, Fault) and entry.payload.code == "budget_exhausted"
    ]
    by_ladder = any(option.ruled_out == HIGHER for option in plan.options)
    weighed = bool(plan.options) and not by_ladder
    others = [otherwise(plan, text, wish) for text, wish in wanted.items()] if weighed else []
    return Seat(plan, calls_of(own), tuple(refused), tuple(others))


def calls_of(strand: Iterable[Entry]) -> tuple[Call, ...]:
    """The calls of a strand, each with what came of it."""
    calls: dict[tuple[int, int], Call] = {}
    newest: dict[int, tuple[int, int]] = {}
    for entry in strand:
        payload = entry.payload
        if isinstance(payload, Request):
            newest[entry.place[0]] = key = (entry.place[0], entry.attempt)
            calls[key] = Call(
                str(entry.address), payload.model, payload.grant, payload.grant_tokens
            )
        elif isinstance(payload, Inference | Fault) and entry.place[1:] == (1,):
            asked = newest.get(entry.place[0])
            if asked is not None:
                calls[asked] = settled(calls[asked], payload)
    return tuple(calls.values())


def settled(call: Call, payload: Inference | Fault) -> Call:
    """A call with its answer, or the fault it ended in."""
    return Call(
        address=call.address,
        model=call.model,
        granted=call.granted + payload.admitted,
        granted_tokens=call.granted_tokens + payload.admitted_tokens,
        cost=payload.cost,
        tokens=payload.tokens,
        fault=payload.code if isinstance(payload, Fault) else "",
    )


def otherwise(plan: StrandPlan, text: str, preference: Preference) -> Otherwise:
    """Which of the models weighed for a strand a preference takes, by the figures that stand on
    record: the one that it was given instead of a lower rung than its ladder stands on."""
    options = plan.options
    try:
        weighed = weigh([figure_of(option) for option in options], preference)
    except DeclarationError as error:
        return Otherwise(text, note=str(error))
    shares: dict[str, float] = {}
    for option, one in zip(options, weighed, strict=True):
        key = plan.key if plan.key and option.ruled_out == LOWER else option.key
        shares[key] = shares.get(key, 0.0) + one.probability
    taken = [Taken(o.key, o.model, shares[o.key]) for o in options if shares.get(o.key)]
    return Otherwise(text, tuple(taken))


def figure_of(option: Option) -> Figure:
    """What was known of a model when it was weighed; on how many strands an accuracy was measured
    is not on record, so it is taken as it stands."""
    cost, latency = option.cost, option.latency
    return Figure(
        option.model,
        accuracy=option.accuracy,
        usd=None if cost is None else Decimal(cost) / NANO,
        seconds=None if latency is None else latency / 1_000_000,
    )
