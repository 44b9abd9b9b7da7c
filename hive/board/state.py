"""The state of a run (floor 1): a small fold of its closed turns; all that guards see."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

from pydantic import JsonValue

from hive.board.contributions import Answer, Question, Task, TestReport
from hive.board.entry import Entry
from hive.board.payload import Payload
from hive.board.records import (
    Approval,
    Decision,
    Fault,
    Handoff,
    Inference,
    Observation,
    Paused,
    Redaction,
    Request,
    Resumed,
    RunStarted,
)

__all__ = ["PROGRESS_KEPT", "Folding", "State", "Tally", "begun_anew", "fold", "fold_turns"]

PROGRESS_KEPT = 64


class Tally(NamedTuple):
    """Memory for a guard or policy: a JSON-shaped value folded over every entry of closed turns.

    `step(value, entry)` must be pure and return a new value.
    """

    name: str
    init: JsonValue
    step: Callable[[JsonValue, Entry], JsonValue]


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
    spent: int = 0
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
    """Open tasks: id to reference."""
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
        return self.counts.get(index_key(kind, author), 0)

    def latest(self, kind: str | type[Payload], author: str | None = None) -> Any:
        """The newest payload of a kind, of one author or of all; None when there is none."""
        entry = self.newest.get(index_key(kind, author))
        return None if entry is None else entry.payload

    def waiting(self, role: str) -> tuple[str, ...]:
        """References of the entries a `per` role has not served yet, oldest first."""
        return self.open.get(role, ())


def index_key(kind: str | type[Payload], author: str | None) -> str:
    name = kind if isinstance(kind, str) else kind.kind
    return name if author is None else f"{author}/{name}"


class Draft:
    """The next State while one turn is folded into it; copies what it changes, once."""

    def __init__(self, state: State, turn: int) -> None:
        self.turn = turn
        self.counts = dict(state.counts)
        self.newest = dict(state.newest)
        self.acted = dict(state.acted)
        self.open = dict(state.open)
        self.tasks = dict(state.tasks)
        self.tallies = dict(state.tallies)
        self.questions = list(state.questions)
        self.approvals = list(state.approvals)
        self.handoffs: list[tuple[str, str]] = []
        self.frontier = state.frontier
        self.spent = state.spent
        self.tokens = state.tokens
        self.calls = state.calls
        self.units = state.units
        self.idle = state.idle
        self.workspace = state.workspace
        self.contributions = state.contributions
        self.ordinal = 0
        self.started = state.started
        self.served = False
        """Whether something in this turn was taken over from another run."""

    def contribute(self, entry: Entry, folding: Folding) -> None:
        reference = f"{self.turn}.{self.ordinal}"
        self.ordinal += 1
        if entry.author not in folding.advisors:
            self.contributions += 1
        if folding.per:
            for role, kind in folding.per.items():
                if kind == entry.kind:
                    self.open[role] = (*self.open.get(role, ()), reference)
        if issubclass(entry.cls, Task):
            self.tasks[entry.payload.id] = reference  # type: ignore[attr-defined]
        elif self.tasks:
            for closed in getattr(entry.payload, "closes", ()):
                self.tasks.pop(closed, None)

    def close(self, role: str, reference: str) -> None:
        """A `per` strand ran for an entry: it no longer waits for that role."""
        self.open[role] = tuple(ref for ref in self.open.get(role, ()) if ref != reference)

    def own(self, entry: Entry) -> bool:
        """Whether the run made an entry; what it shares is older, and its time counted already."""
        return entry.at >= self.started


def decided(draft: Draft, entry: Entry) -> None:
    payload = entry.payload
    assert isinstance(payload, Decision)
    draft.frontier = tuple(dict.fromkeys([plan.role for plan in payload.strands]))
    for role in draft.frontier:
        draft.acted[role] = draft.turn
    for plan in payload.strands:
        if plan.cause is not None:
            draft.close(plan.role, plan.strand.partition("#")[0].partition("@")[2])


def began(draft: Draft, entry: Entry) -> None:
    payload = entry.payload
    assert isinstance(payload, RunStarted)
    draft.idle -= payload.elapsed


def requested(draft: Draft, entry: Entry) -> None:
    draft.calls += 1


def inferred(draft: Draft, entry: Entry) -> None:
    payload = entry.payload
    assert isinstance(payload, Inference)
    draft.spent += payload.cost
    draft.tokens += payload.usage.input + payload.usage.output
    draft.units += payload.usage.units
    draft.served |= payload.served and draft.own(entry)


def faulted(draft: Draft, entry: Entry) -> None:
    payload = entry.payload
    assert isinstance(payload, Fault)
    draft.spent += payload.cost
    draft.tokens += payload.tokens


PASSING = frozenset({Fault.kind, Paused.kind, Resumed.kind, Redaction.kind})


def passes(entry: Entry) -> bool:
    """Whether an entry leaves nothing in the state but its cost: a pause, and the calls that it cut
    off. A run that was paused decides as one that was not."""
    payload = entry.payload
    if isinstance(payload, Fault):
        return payload.code in ("cancelled", "interrupted", "withdrawn")
    return isinstance(payload, Paused | Resumed | Redaction)


def begun_anew(entries: Iterable[Entry]) -> int:
    """The sequence number from which the entries of a turn count for more than their cost: that of
    the last beginning of a turn that was begun anew, else 0."""
    return max(
        (e.seq for e in entries if isinstance(e.payload, Resumed) and e.payload.anew), default=0
    )


def lasting(draft: Draft, entries: list[Entry]) -> list[Entry]:
    """The entries that leave more than their cost, once that of the others is taken in."""
    lasting = []
    first = begun_anew(entry for entry in entries if entry.kind == Resumed.kind)
    for entry in entries:
        if entry.seq < first or (entry.kind in PASSING and passes(entry)):
            passed(draft, entry)
        else:
            lasting.append(entry)
    return lasting


def passed(draft: Draft, entry: Entry) -> None:
    """Take in what such an entry costs: money, tokens, time in which nothing was done."""
    payload = entry.payload
    if isinstance(payload, Resumed):
        draft.idle += payload.idle if draft.own(entry) else 0
        draft.workspace = payload.workspace or draft.workspace
    elif isinstance(payload, Request | Inference | Fault | Observation):
        BY_CLASS[type(payload)](draft, entry)


def observed(draft: Draft, entry: Entry) -> None:
    payload = entry.payload
    assert isinstance(payload, Observation)
    if payload.workspace is not None:
        draft.workspace = payload.workspace
    draft.served |= payload.served and draft.own(entry)


def handed(draft: Draft, entry: Entry) -> None:
    payload = entry.payload
    assert isinstance(payload, Handoff)
    draft.handoffs.append((entry.author, payload.to))


def asked(draft: Draft, entry: Entry) -> None:
    draft.questions.append(str(entry.address))


def answered(draft: Draft, entry: Entry) -> None:
    payload = entry.payload
    assert isinstance(payload, Answer)
    if payload.question in draft.questions:
        draft.questions.remove(payload.question)


def judged(draft: Draft, entry: Entry) -> None:
    payload = entry.payload
    assert isinstance(payload, Approval)
    subject = entry.causes[0] if entry.causes else ""
    if payload.decision == "ask":
        draft.approvals.append(subject)
    elif subject in draft.approvals:
        draft.approvals.remove(subject)


BY_CLASS: dict[type[Payload], Callable[[Draft, Entry], None]] = {
    RunStarted: began,
    Decision: decided,
    Request: requested,
    Inference: inferred,
    Fault: faulted,
    Observation: observed,
    Handoff: handed,
    Question: asked,
    Answer: answered,
    Approval: judged,
}
STEPS = {cls.kind: {cls: step} for cls, step in BY_CLASS.items()}


def fold(state: State, entries: Iterable[Entry], folding: Folding) -> State:
    """The state after one more closed turn, whose entries come in address order."""
    entries = list(entries)
    if not entries:
        return state
    turn, began = entries[0].address.turn, entries[0].at
    draft = Draft(state, turn)
    if any(entry.kind in PASSING for entry in entries):
        entries = lasting(draft, entries)
    counts, newest = draft.counts, draft.newest
    latest = state.started
    for entry in entries:
        kind = entry.kind
        own = f"{entry.author}/{kind}"
        counts[kind] = counts.get(kind, 0) + 1
        counts[own] = counts.get(own, 0) + 1
        newest[kind] = newest[own] = entry
        if entry.erased:  # what came before it says no more than it does
            del newest[kind], newest[own]
        if entry.at > latest:
            latest = entry.at
        if kind in STEPS:
            step = STEPS[kind].get(entry.cls)
            if step is not None:  # else a user's own kind of that name
                step(draft, entry)
        if entry.level == "domain":
            draft.contribute(entry, folding)
    tallied(draft, entries, folding)
    if draft.served:
        draft.idle -= spared(entries)
    started = state.started or began
    return State(
        turn=turn,
        frontier=draft.frontier,
        started=started,
        spent=draft.spent,
        tokens=draft.tokens,
        calls=draft.calls,
        units=draft.units,
        elapsed=max(state.elapsed, latest - started - draft.idle),
        idle=draft.idle,
        contributions=draft.contributions,
        counts=draft.counts,
        newest=draft.newest,
        acted=draft.acted,
        handoffs=tuple(draft.handoffs),
        open=draft.open,
        tasks=draft.tasks,
        questions=tuple(draft.questions),
        approvals=tuple(draft.approvals),
        workspace=draft.workspace,
        progress=(*state.progress, measure(draft, folding))[-PROGRESS_KEPT:],
        tallies=draft.tallies,
    )


def tallied(draft: Draft, entries: list[Entry], folding: Folding) -> None:
    """Fold the entries into the tallies of guards and policies."""
    for tally in folding.tallies:
        value, step = draft.tallies.get(tally.name, tally.init), tally.step
        for entry in entries:
            value = step(value, entry)
        draft.tallies[tally.name] = value


def spared(entries: Iterable[Entry]) -> int:
    """Microseconds that a turn would have taken longer, had what was served been asked: its longest
    strand, less the longest of what was asked in it."""
    whole: dict[tuple[str, int, str], int] = {}
    asked: dict[tuple[str, int, str], int] = {}
    for entry in entries:
        payload = entry.payload
        if isinstance(payload, Inference | Observation):
            key = (entry.address.strand, entry.address.place[0], entry.kind)
            for known in (whole,) if payload.served else (whole, asked):
                known[key] = max(known.get(key, 0), payload.latency)
    return longest(whole) - longest(asked)


def longest(latencies: Mapping[tuple[str, int, str], int]) -> int:
    """The time of the strand that took longest; the calls of one step run beside each other."""
    strands: dict[str, int] = {}
    for (strand, _, _), latency in latencies.items():
        strands[strand] = strands.get(strand, 0) + latency
    return max(strands.values(), default=0)


def measure(draft: Draft, folding: Folding) -> int:
    """How far the work has come: verifiable signals only."""
    if not folding.tested:
        return draft.contributions
    entry = draft.newest.get(TestReport.kind)
    return entry.payload.passed if entry and isinstance(entry.payload, TestReport) else 0


def fold_turns(turns: Iterable[Iterable[Entry]], folding: Folding) -> State:
    """The state from zero: the same as folding each turn as it closed."""
    state = State()
    for entries in turns:
        state = fold(state, entries, folding)
    return state
