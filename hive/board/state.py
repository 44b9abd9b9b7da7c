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

__all__ = ["PROGRESS_KEPT", "Folding", "State", "Tally", "fold", "fold_turns"]

PROGRESS_KEPT = 64


class Tally(NamedTuple):
    """Memory for a guard or policy: a JSON-shaped value folded over the entries of closed turns.

    `step(value, entry)` must be pure and return a new value. `kinds` are the kinds of the entries
    that can change the value, where they are known; it is then asked in no turn without one.
    """

    name: str
    init: JsonValue
    step: Callable[[JsonValue, Entry], JsonValue]
    kinds: frozenset[str] | None = None


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
    the time of what it shares with its parent as its own."""
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
    """The next State while one turn is folded into it. Counts and newest entries change in every
    turn and are copied at once; the rest is made anew where it changes."""

    __slots__ = (
        "acted", "approvals", "calls", "contributions", "counts", "frontier", "handoffs", "idle",
        "newest", "open", "ordinal", "questions", "spent", "tallies", "tasks", "tokens", "turn",
        "units", "workspace",
    )  # fmt: skip

    def __init__(self, state: State, turn: int) -> None:
        self.turn = turn
        self.counts = dict(state.counts)
        self.newest = dict(state.newest)
        self.acted = state.acted
        self.open = state.open
        self.tasks = state.tasks
        self.tallies = state.tallies
        self.questions = state.questions
        self.approvals = state.approvals
        self.handoffs: tuple[tuple[str, str], ...] = ()
        self.frontier = state.frontier
        self.spent = state.spent
        self.tokens = state.tokens
        self.calls = state.calls
        self.units = state.units
        self.idle = state.idle
        self.workspace = state.workspace
        self.contributions = state.contributions
        self.ordinal = 0

    def contribute(self, entry: Entry, folding: Folding) -> None:
        reference = f"{self.turn}.{self.ordinal}"
        self.ordinal += 1
        if entry.author not in folding.advisors:
            self.contributions += 1
        if folding.per:
            for role, kind in folding.per.items():
                if kind == entry.kind:
                    self.open = {**self.open, role: (*self.open.get(role, ()), reference)}
        payload = entry.payload
        if isinstance(payload, Task):
            self.tasks = {**self.tasks, payload.id: reference}
        elif self.tasks:
            closed = getattr(payload, "closes", ())
            if closed:
                self.tasks = {id: ref for id, ref in self.tasks.items() if id not in closed}

    def served(self, role: str, reference: str) -> None:
        """A `per` strand ran for an entry: it no longer waits for that role."""
        left = tuple(ref for ref in self.open.get(role, ()) if ref != reference)
        self.open = {**self.open, role: left}


def decided(draft: Draft, entry: Entry, payload: Decision) -> None:
    plans = payload.strands
    draft.frontier = tuple(dict.fromkeys([plan.role for plan in plans]))
    draft.acted = {**draft.acted, **dict.fromkeys(draft.frontier, draft.turn)}
    for plan in plans:
        if plan.cause is not None:
            draft.served(plan.role, plan.strand.partition("#")[0].partition("@")[2])


def began(draft: Draft, entry: Entry, payload: RunStarted) -> None:
    draft.idle -= payload.elapsed


def requested(draft: Draft, entry: Entry, payload: Request) -> None:
    draft.calls += 1


def inferred(draft: Draft, entry: Entry, payload: Inference) -> None:
    usage = payload.usage
    draft.spent += payload.cost
    draft.tokens += usage.input + usage.output
    draft.units += usage.units


def faulted(draft: Draft, entry: Entry, payload: Fault) -> None:
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


def lasting(draft: Draft, entries: list[Entry]) -> list[Entry]:
    """The entries that leave more than their cost, once that of the others is taken in."""
    lasting = []
    for entry in entries:
        if entry.kind in PASSING and passes(entry):
            passed(draft, entry)
        else:
            lasting.append(entry)
    return lasting


def passed(draft: Draft, entry: Entry) -> None:
    """Take in what such an entry costs: money, tokens, time in which nothing was done."""
    payload = entry.payload
    if isinstance(payload, Fault):
        faulted(draft, entry, payload)
    elif isinstance(payload, Resumed):
        draft.idle += payload.idle
        draft.workspace = payload.workspace or draft.workspace


def observed(draft: Draft, entry: Entry, payload: Observation) -> None:
    if payload.workspace is not None:
        draft.workspace = payload.workspace


def handed(draft: Draft, entry: Entry, payload: Handoff) -> None:
    draft.handoffs = (*draft.handoffs, (entry.author, payload.to))


def asked(draft: Draft, entry: Entry, payload: Question) -> None:
    draft.questions = (*draft.questions, str(entry.address))


def answered(draft: Draft, entry: Entry, payload: Answer) -> None:
    draft.questions = without(draft.questions, payload.question)


def judged(draft: Draft, entry: Entry, payload: Approval) -> None:
    subject = entry.causes[0] if entry.causes else ""
    if payload.decision == "ask":
        draft.approvals = (*draft.approvals, subject)
    else:
        draft.approvals = without(draft.approvals, subject)


def without(items: tuple[str, ...], item: str) -> tuple[str, ...]:
    """The items but for the first that equals one."""
    if item not in items:
        return items
    place = items.index(item)
    return (*items[:place], *items[place + 1 :])


Step = Callable[[Draft, Entry, Any], None]
BY_CLASS: dict[type[Payload], Step] = {
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
STEPS = {cls.kind: (cls, step) for cls, step in BY_CLASS.items()}


def fold(state: State, entries: Iterable[Entry], folding: Folding) -> State:
    """The state after one more closed turn, whose entries come in address order."""
    entries = list(entries)
    if not entries:
        return state
    turn, began = entries[0].address.turn, entries[0].at
    draft = Draft(state, turn)
    kinds = [entry.kind for entry in entries]
    if not PASSING.isdisjoint(kinds):
        entries = lasting(draft, entries)
    counts, newest = draft.counts, draft.newest
    latest = state.started
    for entry in entries:
        kind = entry.kind
        own = f"{entry.author}/{kind}"
        counts[kind] = counts.get(kind, 0) + 1
        counts[own] = counts.get(own, 0) + 1
        newest[kind] = newest[own] = entry
        if entry.at > latest:
            latest = entry.at
        if kind in STEPS:
            cls, step = STEPS[kind]
            payload = entry.payload
            if type(payload) is cls:  # else a user's own kind of that name
                step(draft, entry, payload)
        if entry.level == "domain":
            draft.contribute(entry, folding)
    for tally in folding.tallies:
        if (
            tally.name not in draft.tallies
            or tally.kinds is None
            or not tally.kinds.isdisjoint(kinds)
        ):
            draft.tallies = {**draft.tallies, tally.name: counted(tally, draft.tallies, entries)}
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
        handoffs=draft.handoffs,
        open=draft.open,
        tasks=draft.tasks,
        questions=draft.questions,
        approvals=draft.approvals,
        workspace=draft.workspace,
        progress=(*state.progress, measure(draft, folding))[-PROGRESS_KEPT:],
        tallies=draft.tallies,
    )


def counted(tally: Tally, known: Mapping[str, JsonValue], entries: Iterable[Entry]) -> JsonValue:
    """A tally's value after some more entries."""
    value, step = known.get(tally.name, tally.init), tally.step
    for entry in entries:
        value = step(value, entry)
    return value


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
