"""The fold (floor 1): what a closed turn adds to the state of a run."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic import JsonValue

from hive.board.contributions import Answer, Question, TestReport
from hive.board.entry import Entry
from hive.board.payload import Erased, Payload
from hive.board.records import (
    Admission,
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
from hive.board.state import PROGRESS_KEPT, Folding, State, begun_anew, is_gone
from hive.board.tasks import Tasks, speaks_of_tasks

__all__ = ["fold", "fold_turns"]

RULING = "coordinator"
"""Who posts what becomes of tasks by rule, which is no progress."""


class Draft:
    """The next State while one turn is folded into it. Counts and newest entries change in every
    turn and are copied at once; the rest is made anew where it changes."""

    __slots__ = (
        "acted", "approvals", "calls", "contributions", "counts", "frontier", "handoffs", "idle",
        "latest", "newest", "open", "ordinal", "paid", "plan", "questions", "served", "shared",
        "spent", "taken", "tallies", "tasks", "tokens", "turn", "units", "workspace",
    )  # fmt: skip

    def __init__(self, state: State, turn: int) -> None:
        self.turn = turn
        self.counts = dict(state.counts)
        self.newest = dict(state.newest)
        self.acted = state.acted
        self.open = state.open
        self.plan = state.plan
        self.tasks: Tasks | None = None
        """What the turn makes of the tasks, once there are any."""
        self.taken: dict[str, str] = {}
        """Strand to reference of the entry that it was opened for."""
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
        self.latest = 0
        """When the run went on last in this turn, or had a call cut off, which leave nothing else;
        what was idle before counts for nothing."""
        self.workspace = state.workspace
        self.contributions = state.contributions
        self.ordinal = 0
        self.shared = state.shared
        self.paid = state.paid
        self.served = False
        """Whether something in this turn was taken over from another run."""

    def contribute(self, entry: Entry, folding: Folding) -> None:
        reference = f"{self.turn}.{self.ordinal}"
        self.ordinal += 1
        if entry.author != RULING and entry.author not in folding.advisors:
            self.contributions += 1
        if folding.per:
            for role, kind in folding.per.items():
                if kind == entry.kind:
                    self.open = {**self.open, role: (*self.open.get(role, ()), reference)}
        if speaks_of_tasks(entry.cls):
            self.turn_tasks().say(entry, reference)
        elif self.plan or self.tasks is not None:
            closed = getattr(entry.payload, "closes", ())
            if closed:
                self.turn_tasks().settle(closed, entry)

    def turn_tasks(self) -> Tasks:
        """What the turn makes of the tasks."""
        if self.tasks is None:
            self.tasks = Tasks(self.plan)
        return self.tasks

    def close_tasks(self, entries: list[Entry]) -> None:
        """Take in what became of the tasks in this turn, once all of it is read."""
        if self.tasks is None and not (self.plan and self.taken):
            return
        tasks = self.turn_tasks()
        tasks.close(entries, self.taken, self.open)
        self.plan = tasks.known
        if tasks.gone:
            self.open = {
                role: tuple(reference for reference in references if reference not in tasks.gone)
                for role, references in self.open.items()
            }

    def close(self, role: str, reference: str) -> None:
        """A `per` strand ran for an entry: it no longer waits for that role."""
        left = tuple(ref for ref in self.open.get(role, ()) if ref != reference)
        self.open = {**self.open, role: left}

    def own(self, entry: Entry) -> bool:
        """Whether the run made an entry itself, and does not share it."""
        return not 0 < entry.seq < self.shared

    def spend(self, entry: Entry, payload: Inference | Fault) -> None:
        self.spent += payload.cost
        if not payload.served and self.own(entry):
            self.paid += payload.cost


def decided(draft: Draft, entry: Entry, payload: Decision) -> None:
    if payload.ending is not None:  # who writes the answer makes no move of the graph
        return
    plans = payload.strands
    draft.frontier = tuple(dict.fromkeys([plan.role for plan in plans]))
    draft.acted = {**draft.acted, **dict.fromkeys(draft.frontier, draft.turn)}
    for plan in plans:
        if plan.cause is not None:
            reference = plan.strand.partition("#")[0].partition("@")[2]
            draft.close(plan.role, reference)
            draft.taken[plan.strand] = reference


def began(draft: Draft, entry: Entry, payload: RunStarted) -> None:
    draft.idle -= payload.elapsed
    draft.shared = payload.cut or 0


def requested(draft: Draft, entry: Entry, payload: Request) -> None:
    draft.calls += 1


def inferred(draft: Draft, entry: Entry, payload: Inference) -> None:
    draft.spend(entry, payload)
    draft.tokens += payload.tokens
    draft.units += payload.usage.units
    draft.served |= payload.served and draft.own(entry)


def faulted(draft: Draft, entry: Entry, payload: Fault) -> None:
    draft.spend(entry, payload)
    draft.tokens += payload.tokens


PASSING = frozenset({Admission.kind, Fault.kind, Paused.kind, Resumed.kind, Redaction.kind})


def passes(entry: Entry) -> bool:
    """Whether an entry leaves nothing in the state but its cost: a pause, and the calls that it cut
    off. A run that was paused decides as one that was not, and one that had to ask twice as one
    that was answered at once."""
    payload = entry.payload
    if isinstance(payload, Fault):
        return payload.code in ("cancelled", "interrupted", "withdrawn")
    return isinstance(payload, Admission | Paused | Resumed | Redaction)


def lasting(draft: Draft, entries: list[Entry]) -> list[Entry]:
    """The entries that leave more than their cost, once that of the others is taken in."""
    lasting = []
    first = begun_anew(entries)
    for entry in entries:
        if is_gone(entry, first) or (entry.kind in PASSING and passes(entry)):
            passed(draft, entry)
        else:
            lasting.append(entry)
    return lasting


def passed(draft: Draft, entry: Entry) -> None:
    """Take in what such an entry costs: money, tokens, time in which nothing was done."""
    payload = entry.payload
    if isinstance(payload, Resumed):
        if draft.own(entry):
            draft.idle += payload.idle
            draft.latest = max(draft.latest, entry.at)
        draft.workspace = payload.workspace or draft.workspace
    elif isinstance(payload, Request | Inference | Fault | Observation):
        STEPS[type(payload)](draft, entry, payload)
        if isinstance(payload, Fault) and payload.code == "cancelled" and draft.own(entry):
            draft.latest = max(draft.latest, entry.at)


def observed(draft: Draft, entry: Entry, payload: Observation) -> None:
    if payload.workspace is not None:
        draft.workspace = payload.workspace
    draft.served |= payload.served and draft.own(entry)


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
STEPS: dict[type[Payload], Step] = {
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


def fold(state: State, entries: Iterable[Entry], folding: Folding) -> State:
    """The state after one more closed turn, whose entries come in address order."""
    entries = list(entries)
    if not entries:
        return state
    turn, began = entries[0].turn, entries[0].at
    draft = Draft(state, turn)
    kinds = [entry.kind for entry in entries]
    if not PASSING.isdisjoint(kinds):
        entries = lasting(draft, entries)
    counts, newest = draft.counts, draft.newest
    latest = max(state.started, draft.latest)
    for entry in entries:
        kind, cls = entry.kind, entry.cls
        own = f"{entry.author}/{kind}"
        counts[kind] = counts.get(kind, 0) + 1
        counts[own] = counts.get(own, 0) + 1
        newest[kind] = newest[own] = entry
        if cls is Erased:  # what came before it says no more than it does
            del newest[kind], newest[own]
        if entry.at > latest:
            latest = entry.at
        step = STEPS.get(cls)
        if step is not None:
            step(draft, entry, entry.payload)
        if entry.level == "domain":
            draft.contribute(entry, folding)
    draft.close_tasks(entries)
    tallied(draft, kinds, entries, folding)
    if draft.served:
        draft.idle -= spared(entries)
    started = state.started or began
    after = State(
        turn=turn,
        frontier=draft.frontier,
        started=started,
        shared=draft.shared,
        spent=draft.spent,
        paid=draft.paid,
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
        tasks=state.tasks if draft.tasks is None else draft.tasks.open,
        plan=draft.plan,
        questions=draft.questions,
        approvals=draft.approvals,
        workspace=draft.workspace,
        progress=(*state.progress, measure(draft, folding))[-PROGRESS_KEPT:],
        tallies=(tallies := dict(draft.tallies)),
    )
    close(tallies, after, folding)
    return after


def close(tallies: dict[str, JsonValue], state: State, folding: Folding) -> None:
    """Close those tallies of a new state that look at it, in their order."""
    for tally in folding.tallies:
        if tally.close is not None:
            tallies[tally.name] = tally.close(tallies[tally.name], state)


def tallied(draft: Draft, kinds: Iterable[str], entries: list[Entry], folding: Folding) -> None:
    """Fold the entries, which are of some kinds, into the tallies of guards and policies."""
    if not folding.tallies:
        return
    found, before = set(kinds), draft.tallies
    changed = {}
    for name, init, step, wanted, _ in folding.tallies:
        known = name in before
        if known and wanted is not None and wanted.isdisjoint(found):
            continue
        value = old = before[name] if known else init
        for entry in entries:
            if wanted is None or entry.kind in wanted:
                value = step(value, entry)
        if value is not old or not known:
            changed[name] = value
    if changed:
        draft.tallies = {**before, **changed}


def spared(entries: Iterable[Entry]) -> int:
    """Microseconds that a turn would have taken longer, had what was served been asked: its longest
    strand, less the longest of what was asked in it."""
    whole: dict[tuple[str, int, str], int] = {}
    asked: dict[tuple[str, int, str], int] = {}
    for entry in entries:
        payload = entry.payload
        if isinstance(payload, Inference | Observation):
            key = (entry.strand, entry.place[0], entry.kind)
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
