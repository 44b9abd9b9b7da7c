"""Efficiency factors (floor 7): what helped a run along and what it lost work to, read from its
record. A closed list; docs/control.md tells each of them.
"""

from collections.abc import Callable, Iterable
from typing import Any, Literal, NamedTuple, get_args

from hive.board.entry import Entry
from hive.board.payload import Opaque
from hive.board.records import (
    STUCK,
    Approval,
    Decision,
    Fault,
    Inference,
    Observation,
    Overrun,
    Resumed,
    Shortage,
    Suspension,
    Termination,
    ToolCall,
)
from hive.control.guards.tested import TEST_TOOL
from hive.message import Attempt
from hive.phases.judge import IN_DOUBT

__all__ = ["Factor", "Found", "factors"]

Factor = Literal[
    "tests_passed_first_try",
    "tests_passed_after_fix",
    "tests_failing",
    "review_passed_first_try",
    "review_blocked",
    "task_failed",
    "replanned",
    "answer_corrected",
    "strand_failed",
    "tool_failed",
    "calls_repeated",
    "rate_limit",
    "server_failed",
    "context_overflow",
    "prompt_cached",
    "nudged",
    "escalated",
    "no_progress",
    "timeout_no_progress",
    "budget_short",
    "budget_exhausted",
    "overrun",
    "waited_for_person",
    "denied",
    "interrupted",
]

ATTEMPTS: dict[str, Factor] = {
    "rate_limited": "rate_limit",
    "held_back": "rate_limit",
    "server_failed": "server_failed",
    "timeout": "server_failed",
    "bad_reply": "server_failed",
    "left_alone": "server_failed",
    "context_overflow": "context_overflow",
}
"""What a failed attempt at a call counts for."""
NOBODYS = frozenset({"cancelled", "interrupted", "withdrawn", "budget_exhausted", "timeout"})
"""Codes of faults that say nothing of how well a strand worked."""

CLIMBED = "rung "
"""How the reason of a model begins that an escalation ladder gave on a higher rung."""


class Found(NamedTuple):
    """A factor of a run: how often it was seen, and the entry that showed it first."""

    factor: Factor
    times: int
    at: str
    """An address."""

    def __str__(self) -> str:
        """`rate limit ×3 [2/coder/0.1]`."""
        times = f" ×{self.times}" if self.times > 1 else ""
        return f"{self.factor.replace('_', ' ')}{times} [{self.at}]"


def factors(entries: Iterable[Entry]) -> tuple[Found, ...]:
    """The factors of a run, ended or not, in the order of the list; each that was seen, once.

    A pure function of the entries in the order of their arrival. Contents that were erased count
    for nothing.
    """
    seen = Seen()
    for entry in entries:
        if entry.level == "domain":
            seen.posted.add((entry.turn, entry.strand))
            seen.spoken.add(entry.turn)
        step = STEPS.get(entry.kind)
        if step is not None and not entry.erased:
            step(seen, entry, entry.payload)
    seen.close()
    return tuple([seen.found[each] for each in get_args(Factor) if each in seen.found])


class Seen:
    """What must be remembered from entry to entry."""

    def __init__(self) -> None:
        self.found: dict[Factor, Found] = {}
        self.posted: set[tuple[int, str]] = set()
        """Strands that put something on the board."""
        self.spoken: set[int] = set()
        """Turns in which somebody did."""
        self.changed = False
        """Whether files were changed."""
        self.failing: Entry | None = None
        """The newest report of the test tool, where tests fail in it."""
        self.tried = 0
        """Reports since files were first changed."""
        self.missed = False
        """Whether tests failed in one of them."""
        self.reviewed = False
        self.planned = False
        self.calls: dict[str, str] = {}
        """What is called, by the address of the call."""
        self.results: dict[str, bytes] = {}
        """What each call gave back last, since files were last changed."""
        self.timeouts: list[Entry] = []
        self.input = self.cached = 0
        self.cache: Entry | None = None
        self.asked: set[str] = set()
        """Addresses of the calls that a person had a say on."""

    def note(self, factor: Factor, entry: Entry, times: int = 1) -> None:
        known = self.found.get(factor)
        if known is None:
            self.found[factor] = Found(factor, times, str(entry.address))
        else:
            self.found[factor] = known._replace(times=known.times + times)

    def close(self) -> None:
        """Note what can be told only when everything was seen."""
        if self.failing is not None:
            self.note("tests_failing", self.failing)
        if self.cache is not None and 2 * self.cached >= self.input:
            self.note("prompt_cached", self.cache)
        for entry in self.timeouts:
            if (entry.turn, entry.strand) not in self.posted:
                self.note("timeout_no_progress", entry)

    def attempts(self, entry: Entry, failed: Iterable[Attempt]) -> None:
        for attempt in failed:
            factor = ATTEMPTS.get(attempt.reason)
            if factor is not None:
                self.note(factor, entry)


def data_of(payload: Any) -> dict[str, Any]:
    """The fields of a contribution, with its class or without."""
    data = payload.data if isinstance(payload, Opaque) else payload.model_dump()
    return data if isinstance(data, dict) else {}


def reported(seen: Seen, entry: Entry, payload: Any) -> None:
    if entry.origin != TEST_TOOL:
        return
    data = data_of(payload)
    passes = bool(data.get("complete")) and not data.get("failed") and bool(data.get("passed"))
    seen.failing = None if passes else entry
    if not seen.changed:
        return
    seen.tried += 1
    if passes and seen.tried == 1:
        seen.note("tests_passed_first_try", entry)
    elif passes and seen.missed:
        seen.note("tests_passed_after_fix", entry)
    seen.missed = not passes


def reviewed(seen: Seen, entry: Entry, payload: Any) -> None:
    approved = data_of(payload).get("approved") is True
    if not approved:
        seen.note("review_blocked", entry)
    elif not seen.reviewed:
        seen.note("review_passed_first_try", entry)
    seen.reviewed = True


def planned(seen: Seen, entry: Entry, payload: Any) -> None:
    if seen.planned:
        seen.note("replanned", entry)
    seen.planned = True


def settled(seen: Seen, entry: Entry, payload: Any) -> None:
    if data_of(payload).get("change") == "failed":
        seen.note("task_failed", entry)


def called(seen: Seen, entry: Entry, payload: ToolCall) -> None:
    arguments = sorted(payload.arguments.items())
    seen.calls[str(entry.address)] = f"{entry.address.role} {payload.tool} {arguments!r}"


def observed(seen: Seen, entry: Entry, payload: Observation) -> None:
    if payload.error:
        seen.note("tool_failed", entry)
    if payload.workspace is not None:
        seen.changed = True
        seen.results.clear()
        return
    what = seen.calls.get(entry.causes[0]) if entry.causes else None
    if what is None:
        return
    result = f"{payload.text}{[media.data for media in payload.media]}".encode()
    if seen.results.get(what) == result:
        seen.note("calls_repeated", entry)
    seen.results[what] = result


def inferred(seen: Seen, entry: Entry, payload: Inference) -> None:
    seen.attempts(entry, payload.attempts)
    if payload.stop == "overflow":
        seen.note("context_overflow", entry)
    seen.input += payload.usage.input
    seen.cached += payload.usage.cached_read
    if payload.usage.cached_read and seen.cache is None:
        seen.cache = entry


def faulted(seen: Seen, entry: Entry, payload: Fault) -> None:
    seen.attempts(entry, payload.attempts)
    if payload.code == "budget_exhausted":
        seen.note("budget_exhausted", entry)
    elif payload.code == "timeout":
        seen.timeouts.append(entry)
    elif payload.code not in NOBODYS:
        seen.note("strand_failed" if payload.final else "answer_corrected", entry)


def decided(seen: Seen, entry: Entry, payload: Decision) -> None:
    if payload.nudge:
        seen.note("nudged", entry)
    if any(plan.because.startswith(CLIMBED) for plan in payload.strands):
        seen.note("escalated", entry)


def ran_short(seen: Seen, entry: Entry, payload: Shortage) -> None:
    seen.note("budget_short", entry)


def ruled(seen: Seen, entry: Entry, payload: Approval) -> None:
    if payload.decision == "deny" and payload.reason not in IN_DOUBT.values():
        seen.note("denied", entry)
    elif payload.decision == "ask" and entry.causes:
        waited(seen, entry, entry.causes[0])


def suspended(seen: Seen, entry: Entry, payload: Suspension) -> None:
    waited(seen, entry, payload.subject)


def waited(seen: Seen, entry: Entry, subject: str) -> None:
    if subject not in seen.asked:
        seen.asked.add(subject)
        seen.note("waited_for_person", entry)


def overran(seen: Seen, entry: Entry, payload: Overrun) -> None:
    seen.note("overrun", entry)


def resumed(seen: Seen, entry: Entry, payload: Resumed) -> None:
    seen.note("interrupted", entry)


def ended(seen: Seen, entry: Entry, payload: Termination) -> None:
    if payload.reason in STUCK:
        seen.note("no_progress", entry)
    elif payload.reason == "budget_exhausted":
        seen.note("budget_exhausted", entry)
    elif payload.reason == "time_exhausted" and entry.turn - 1 not in seen.spoken:
        seen.note("timeout_no_progress", entry)


STEPS: dict[str, Callable[[Seen, Entry, Any], None]] = {
    "TestReport": reported,
    "Review": reviewed,
    "Plan": planned,
    "TaskChange": settled,
    "ToolCall": called,
    "Observation": observed,
    "Inference": inferred,
    "Fault": faulted,
    "Decision": decided,
    "Approval": ruled,
    "Suspension": suspended,
    "Shortage": ran_short,
    "Overrun": overran,
    "Resumed": resumed,
    "Termination": ended,
}
