"""What became of two runs, or of two sets of runs, beside each other (floor 7)."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from hive.audit.comparison import Parting, parting
from hive.audit.course import Summary
from hive.audit.record import Record
from hive.audit.statistics import Difference, difference
from hive.board.canonical import decode
from hive.board.records import Request, RunStarted, ToolCall
from hive.control.budgets.budget import usd
from hive.fingerprint import differences

__all__ = ["MEASURES", "Diff", "SetDiff", "Side", "compare", "compare_sets"]


class Side(NamedTuple):
    """One of two runs: how it came out and what it took."""

    summary: Summary
    calls: int
    """Requests to models."""
    tools: int

    def as_json(self) -> dict[str, Any]:
        """The keys of `hive runs --json` and the two counts."""
        return {**self.summary.as_json(), "model_calls": self.calls, "tool_calls": self.tools}


@dataclass(frozen=True)
class Diff:
    """Two runs: what was set up differently, the first place where they part, and both sides."""

    one: Side
    other: Side
    changed: tuple[str, ...]
    """A line for each part of the workflows that differs."""
    parting: Parting | None

    def as_json(self) -> dict[str, Any]:
        """The documented keys of `hive diff --json`."""
        parted = self.parting
        return {
            "one": self.one.as_json(),
            "other": self.other.as_json(),
            "changed": list(self.changed),
            "parting": None
            if parted is None
            else {
                "address": str(parted.address),
                "fields": list(parted.fields),
                "one": None if parted.one is None else parted.one.as_json(),
                "other": None if parted.other is None else parted.other.as_json(),
            },
        }


def compare(one: Record, other: Record) -> Diff:
    """Compare two runs, of one journal or of two. Raises JournalError for what cannot be read."""
    return Diff(
        side(one),
        side(other),
        changed_between(one, other),
        parting(one.entries, other.entries),
    )


def side(record: Record) -> Side:
    board = record.board
    return Side(record.summary, len(board.of_kind(Request)), len(board.of_kind(ToolCall)))


def changed_between(one: Record, other: Record) -> tuple[str, ...]:
    """A line for each part of the workflow that differs, or for a run of which it was erased."""
    manifests = {record.id: manifest_of(record) for record in (one, other)}
    lost = [run for run, manifest in manifests.items() if not manifest]
    if lost:
        return tuple(f"how run {run} was set up was erased; nothing is compared" for run in lost)
    return tuple(differences(manifests[one.id], manifests[other.id]))


def manifest_of(record: Record) -> dict[str, Any]:
    """The fingerprint of the workflow that a run began under; empty where it was erased."""
    first = record.entries[0].payload if record.entries else None
    body = record.content(first.fingerprint) if isinstance(first, RunStarted) else None
    return decode(body) if body else {}


MEASURES: Mapping[str, Callable[[Summary], float]] = {
    "finished": lambda run: float(run.outcome == "finished"),
    "cost_usd": lambda run: float(usd(run.spent)),
    "turns": lambda run: float(run.turns),
    "seconds": lambda run: run.elapsed / 1_000_000,
    "tokens": lambda run: float(run.tokens),
}
"""What is compared between sets of runs."""


@dataclass(frozen=True)
class SetDiff:
    """Two sets of runs, paired: for each measure the other set minus the one."""

    pairs: tuple[tuple[Summary, Summary], ...]
    paired_by: str
    """How the pairs were found, in words."""
    alone: tuple[str, ...]
    """Runs without a partner, by id."""
    measures: Mapping[str, Difference]

    def as_json(self) -> dict[str, Any]:
        """The documented keys of `hive diff --json` for sets."""
        return {
            "pairs": [[one.id, other.id] for one, other in self.pairs],
            "paired_by": self.paired_by,
            "alone": list(self.alone),
            "measures": {name: found._asdict() for name, found in self.measures.items()},
        }


def compare_sets(ones: Sequence[Summary], others: Sequence[Summary]) -> SetDiff:
    """Compare two sets of runs pair by pair: the other minus the one.

    Runs pair that have one goal and one seed, as the forks of one sample have; where no two do,
    they pair in the order given. Raises ValueError when a set is empty.
    """
    pairs, paired_by = paired(ones, others)
    together = {run.id for pair in pairs for run in pair}
    return SetDiff(
        pairs=tuple(pairs),
        paired_by=paired_by,
        alone=tuple(run.id for run in (*ones, *others) if run.id not in together),
        measures={
            name: difference(
                [measure(one) for one, _ in pairs], [measure(other) for _, other in pairs]
            )
            for name, measure in MEASURES.items()
        },
    )


def paired(
    ones: Sequence[Summary], others: Sequence[Summary]
) -> tuple[list[tuple[Summary, Summary]], str]:
    """The pairs of two sets, and what they were paired by."""
    waiting: defaultdict[tuple[str, int], list[Summary]] = defaultdict(list)
    for other in others:
        waiting[key_of(other)].append(other)
    pairs = [(one, waiting[key_of(one)].pop(0)) for one in ones if waiting[key_of(one)]]
    if pairs:
        return pairs, "goal and seed"
    return list(zip(ones, others, strict=False)), order_of(ones, others)


def key_of(run: Summary) -> tuple[str, int]:
    """What two runs share that were to differ in nothing but what is compared."""
    return run.goal, run.seed


def order_of(ones: Iterable[Summary], others: Iterable[Summary]) -> str:
    """What to say of runs that are paired as they come."""
    goals = {run.goal for run in (*ones, *others)}
    return "order" if len(goals) == 1 else "order, though their goals differ"
