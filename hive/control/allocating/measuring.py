"""Measuring (control floor): figures of models from what recorded runs hold.

A pure fold over entries; contributions may be read without their classes, as records are.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

import orjson

from hive.board.ballots import Critique, Vote
from hive.board.contributions import Review, TestReport, Verdict
from hive.board.entry import Address, Entry
from hive.board.records import (
    Decision,
    Fault,
    FaultCode,
    Inference,
    Level5,
    Observation,
    RunStarted,
)
from hive.control.allocating.figures import Figure
from hive.errors import PayloadError
from hive.models.catalog import ModelCard, card

__all__ = ["Judge", "judgement", "measured"]

Judge = Callable[[Entry], bool | None]
"""Whether an entry says that the work before it was good; None where it says nothing of it."""

OWN: frozenset[FaultCode] = frozenset(
    {
        "invalid_output",
        "write_refused",
        "unknown_tool",
        "invalid_arguments",
        "malformed_arguments",
        "empty_reply",
        "truncated",
        "refusal",
        "handoff_refused",
        "steps_exhausted",
    }
)
"""Faults that a strand ends with by its model's own doing."""
JUDGING = frozenset({Review.kind, Verdict.kind, TestReport.kind})
OPINIONS = JUDGING | {Critique.kind, Vote.kind}
"""What is said of others' work, and is no work to be judged."""
NANO, MICRO = 10**9, 10**6


@dataclass(slots=True)
class Work:
    """What is known of one strand."""

    model: str
    level: Level5
    cost: int = 0
    time: int = 0
    calls: int = 0
    served: bool = False
    changed: bool = False
    good: bool | None = None


def judgement(entry: Entry) -> bool | None:
    """The shipped judge: a Review that approves or does not, a Verdict that accepts or does not, a
    complete run of tests in which none failed, or any failed."""
    if entry.kind not in JUDGING:
        return None
    data = orjson.loads(entry.body)
    if entry.kind == Review.kind and "approved" in data:
        return data["approved"] is True
    if entry.kind == Verdict.kind and "ruling" in data:
        return None if data["ruling"] == "undecided" else bool(data["ruling"] == "accept")
    if entry.kind == TestReport.kind and "failed" in data:
        return bool(data["complete"] and data["passed"] and not data["failed"])
    return None


def measured(
    runs: Iterable[Iterable[Entry]],
    *,
    judge: Judge = judgement,
    cards: Collection[ModelCard] = (),
) -> tuple[Figure, ...]:
    """The figures of the models in some runs, for every class of work and for each one, from the
    entries of results or records.

    `usd` and `seconds` are means over the strands that called the model, its failed calls included,
    waiting for limits and other attempts not; what was served from another run is counted there.
    `usd` is None where the model's price is known neither to the `cards` nor to the catalog.
    `accuracy` is over the strands that were judged, `judged` of them, and None where none was: what
    `judge` finds in an entry is said of the strands that contributed in the newest turn before it,
    of the strand of what a Verdict has chosen, or of the entry's own strand where it tests what
    that has changed; the last word counts. A strand that broke down by its model's own doing is not
    good.
    """
    groups: dict[tuple[str, Level5 | None], list[Work]] = defaultdict(list)
    for run in runs:
        for work in works(run, judge):
            if work.calls and not work.served:
                groups[work.model, None].append(work)
                groups[work.model, work.level].append(work)
    return tuple([figure(*key, found, cards) for key, found in groups.items()])


def figure(
    model: str, level: Level5 | None, found: list[Work], cards: Collection[ModelCard]
) -> Figure:
    """The means over some strands of one model."""
    cost = sum(work.cost for work in found)
    judged = [work.good for work in found if work.good is not None]
    priced = cost > 0 or card(model, cards=cards).prices is not None
    return Figure(
        model,
        accuracy=sum(judged) / len(judged) if judged else None,
        usd=Decimal(round(cost / len(found))) / NANO if priced else None,
        seconds=sum(work.time for work in found) / len(found) / MICRO,
        judged=len(judged) or None,
        level=level,
    )


def works(run: Iterable[Entry], judge: Judge) -> Iterable[Work]:
    """The strands of one run that had a model; without those that it shares with its parent."""
    found: dict[tuple[int, str], Work] = {}
    contributed: dict[int, list[Work]] = {}
    cut = 0
    for entry in run:
        payload = entry.payload if entry.level == "control" else None
        own = found.get((entry.turn, entry.strand))
        if isinstance(payload, RunStarted):
            cut = payload.cut or 0
        elif isinstance(payload, Decision):
            level = payload.complexity.level
            found |= {
                (entry.turn, plan.strand): Work(plan.model, level, served=entry.seq < cut)
                for plan in payload.strands
                if plan.key is not None
            }
        elif own is not None and payload is not None:
            count(own, payload)
        elif own is not None and entry.kind not in OPINIONS:
            contributed.setdefault(entry.turn, []).append(own)
        said = judge(entry)
        if said is not None:
            chosen = chosen_by(entry)
            for work in meant(entry, own, contributed) if chosen is None else [found.get(chosen)]:
                if work is not None:
                    work.good = said
    return found.values()


def chosen_by(entry: Entry) -> tuple[int, str] | None:
    """The turn and the strand of what a Verdict has chosen."""
    chosen = orjson.loads(entry.body).get("chosen") if entry.kind == Verdict.kind else None
    try:
        return None if chosen is None else Address.parse(chosen)[:2]
    except PayloadError:  # a model's word may be no address: it speaks of nobody
        return 0, ""


def count(work: Work, payload: object) -> None:
    """Take in a record of a strand."""
    if isinstance(payload, Inference):
        work.calls += 1
        work.cost += payload.cost
        work.time += payload.latency - payload.waited
        work.served |= payload.served
    elif isinstance(payload, Fault):
        work.cost += payload.cost
        work.served |= payload.served
        if payload.final and payload.code in OWN:
            work.good = False
    elif isinstance(payload, Observation):
        work.changed |= bool(payload.changes)


def meant(entry: Entry, own: Work | None, contributed: dict[int, list[Work]]) -> Iterator[Work]:
    """The strands of whose work an entry speaks."""
    if own is not None and own.changed and entry.kind == TestReport.kind:
        yield own
        return
    earlier = [turn for turn in contributed if turn < entry.turn]
    if earlier:
        yield from contributed[max(earlier)]
