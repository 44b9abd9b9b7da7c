"""The state of a run (floor 1): a small fold of its closed turns; all that guards see."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

from pydantic import JsonValue

from hive.board.entry import Entry
from hive.board.payload import Payload
from hive.board.records import Resumed
from hive.board.tape import is_from_outside
from hive.board.tasks import Standing, is_met

__all__ = ["PROGRESS_KEPT", "Folding", "State", "Tally", "begun_anew", "is_gone"]

PROGRESS_KEPT = 64


class Tally(NamedTuple):
    """Memory for a guard or policy: a JSON-shaped value folded over the entries of closed turns.

    `step(value, entry)` must be pure and return a new value. `kinds` are the kinds of the entries
    that can change the value, where they are known; it is then asked in no turn without one.
    `close(value, state)`, where it is given, is asked once more when a turn has closed, with the
    state as it then is; the tallies named before this one are closed already. It must be pure too.
    """

    name: str
    init: JsonValue
    step: Callable[[JsonValue, Entry], JsonValue]
    kinds: frozenset[str] | None = None
    close: "Callable[[JsonValue, State], JsonValue] | None" = None


@dataclass(frozen=True, slots=True)
class Folding:
    """What the fold must know of a workflow: which roles take one strand per entry, the tallies of
    its guards, and whether its progress is measured by tests."""

    per: Mapping[str, str] = field(default_factory=dict)
    """Role to the kind it opens a strand for."""
    tallies: tuple[Tally, ...] = ()
    tested: bool = False
    advisors: frozenset[str] = frozenset()
    """Roles that advise the policy: what they post is no progress."""


NONE: Mapping[str, Any] = MappingProxyType({})


class State(NamedTuple):
    """What is known after the last closed turn; O(1) in the length of the run, JSON-shaped.

    Money is in nano-dollars, time in microseconds. Nothing is reserved here: when a turn has
    closed, every grant is settled; the ledger knows what is reserved while one is open. References
    are "turn.ordinal": the ordinal of a contribution within its turn, in address order.
    """

    turn: int = 0
    frontier: tuple[str, ...] = ()
    """Roles of the last closed turn; none before the first."""
    started: int = 0
    shared: int = 0
    """In a fork, how many entries precede the cut."""
    spent: int = 0
    paid: int = 0
    """What was spent anew: in a fork neither what it shares nor what it was served."""
    tokens: int = 0
    calls: int = 0
    units: int = 0
    elapsed: int = 0
    idle: int = 0
    """Microseconds since `started` in which the run was paused; below zero in a fork, which counts
    the time of what it shares with its parent as its own, and what is served at the time it took
    there."""
    contributions: int = 0
    counts: Mapping[str, int] = NONE
    """Entries by kind, and by "author/kind"."""
    newest: Mapping[str, Entry] = NONE
    """The latest entry by kind, and by "author/kind"."""
    acted: Mapping[str, int] = NONE
    """Role to the last turn in which it acted."""
    handoffs: tuple[tuple[str, str], ...] = ()
    """Handoffs asked for in the last closed turn: (from, to)."""
    open: Mapping[str, tuple[str, ...]] = NONE
    """Role with `per` to references of entries it has not served yet, oldest first."""
    tasks: Mapping[str, str] = NONE
    """Open tasks, which nothing has settled: id to reference."""
    plan: Mapping[str, Standing] = NONE
    """How every task of the plan stands, by id, and those of no plan, of which settled ones are
    forgotten when there are too many."""
    questions: tuple[str, ...] = ()
    """Addresses of questions without an answer."""
    approvals: tuple[str, ...] = ()
    """Addresses of tool calls that wait for a person."""
    workspace: str | None = None
    progress: tuple[int, ...] = ()
    """The last 64 values of the progress measure, one a turn: tests that pass in the latest report
    where the workflow has a test tool, contributions made otherwise."""
    tallies: Mapping[str, JsonValue] = NONE

    def count(self, kind: str | type[Payload], author: str | None = None) -> int:
        """How many entries of a kind there are, of one author or of all."""
        name = kind if isinstance(kind, str) else kind.kind
        return self.counts.get(name if author is None else f"{author}/{name}", 0)

    def latest(self, kind: str | type[Payload], author: str | None = None) -> Any:
        """The newest payload of a kind, of one author or of all; None when there is none."""
        name = kind if isinstance(kind, str) else kind.kind
        entry = self.newest.get(name if author is None else f"{author}/{name}")
        return None if entry is None else entry.payload

    def waiting(self, role: str) -> tuple[str, ...]:
        """References of the entries a `per` role has not served yet, oldest first."""
        return self.open.get(role, ())

    def ready(self, role: str) -> tuple[str, ...]:
        """Those of them that it may take up now: a task must be open, its needs settled."""
        waiting = self.open.get(role, ())
        if not waiting or not self.plan:
            return waiting
        held = {
            task.reference
            for task in self.plan.values()
            if task.status != "open"
            or (task.needs and not all(is_met(need, self.plan) for need in task.needs))
        }
        return tuple([reference for reference in waiting if reference not in held])


def begun_anew(entries: Iterable[Entry]) -> int:
    """The sequence number from which the entries of a turn count for more than their cost: that of
    the last beginning of a turn that was begun anew, else 0."""
    first = 0
    for entry in entries:
        if entry.cls is Resumed and getattr(entry.payload, "anew", False):
            first = max(first, entry.seq)
    return first


def is_gone(entry: Entry, first: int) -> bool:
    """Whether an entry is from before its turn was begun anew, at `first`; what was said to the run
    from outside is not said again, and stays."""
    return entry.seq < first and not is_from_outside(entry)
