"""What a run has come to (floor 7): its state, ending, turns and cost, derived from its entries.

Only headers and the few fields that matter are read, so that a list of runs stays quick and needs
none of the classes that wrote them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal

from hive.board.canonical import decode
from hive.control.budget import usd
from hive.errors import JournalError, PayloadError
from hive.journal.journal import Journal, Stored
from hive.journal.lineage import read_whole

__all__ = ["Course", "RunState", "Summary", "summaries"]

RunState = Literal["running", "paused", "waiting", "finished", "stopped", "failed", "orphaned"]
"""Where a run stands. `running`: a living process holds it. `paused`: it was interrupted in an
orderly way. `waiting`: all that is open waits for a person. `orphaned`: its process is gone in the
middle of something. The last two and `paused` can be resumed; the others are endings."""

ENDED = frozenset({"finished", "stopped", "failed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A run in a few values; money in nano-dollars, `started` and `elapsed` in microseconds.

    `turns` counts the turns that were begun. `waits_for` says what a waiting run waits for.
    """

    id: str
    state: RunState
    outcome: str | None
    reason: str | None
    message: str
    workflow: str
    goal: str
    turns: int
    spent: int
    tokens: int
    started: int
    elapsed: int
    workspace: str | None
    tags: tuple[str, ...]
    waits_for: tuple[str, ...]

    @property
    def cost_usd(self) -> Decimal:
        """What was spent, in US dollars."""
        return usd(self.spent)

    @property
    def ended(self) -> bool:
        """Whether the run is over and cannot be resumed."""
        return self.state in ENDED

    def as_json(self) -> dict[str, Any]:
        """The documented keys of `hive runs --json`."""
        return {
            "id": self.id,
            "state": self.state,
            "outcome": self.outcome,
            "reason": self.reason,
            "workflow": self.workflow,
            "goal": self.goal,
            "turns": self.turns,
            "cost_usd": float(self.cost_usd),
            "tokens": self.tokens,
            "seconds": self.elapsed / 1_000_000,
            "started": datetime.fromtimestamp(self.started / 1_000_000, UTC).isoformat(),
            "tags": list(self.tags),
        }


class Course:
    """The fold that a Summary is made of: `take` each stored entry in order, then ask."""

    def __init__(self) -> None:
        self.first: dict[str, Any] = {}
        self.goal = ""
        self.ending: dict[str, Any] | None = None
        self.turns = 0
        self.spent = 0
        self.tokens = 0
        self.started = 0
        self.newest = 0
        self.paused = False
        self.open: set[str] = set()
        """Addresses of requests and calls without an answer."""
        self.waiting: dict[str, str] = {}
        """Address of what a strand waits for, to what is said of it."""

    def take(self, stored: Stored) -> None:
        """Fold one entry; one whose content was erased counts by its header alone."""
        header = decode(stored.row.header)
        step = STEPS.get(header["kind"])
        self.started = self.started or header["at"]
        self.newest = max(self.newest, header["at"])
        if header["author"] != "user":
            self.paused = header["kind"] == "Paused"
        if step is not None and stored.body is not None:
            step(self, header, decode(stored.body))

    def summary(self, run: str, *, held: bool) -> Summary:
        """The run as it stands; `held` says whether a living process has it."""
        ending = self.ending or {}
        return Summary(
            id=run,
            state=self.state(held),
            outcome=ending.get("outcome"),
            reason=ending.get("reason"),
            message=ending.get("message", ""),
            workflow=self.first.get("workflow", ""),
            goal=self.goal,
            turns=self.turns,
            spent=self.spent,
            tokens=self.tokens,
            started=self.started,
            elapsed=self.newest - self.started,
            workspace=self.first.get("workspace"),
            tags=tuple(self.first.get("tags", ())),
            waits_for=tuple(self.waiting.values()),
        )

    def state(self, held: bool) -> RunState:
        """Where the run stands."""
        if self.ending is not None:
            outcome: RunState = self.ending["outcome"]
            return outcome
        if held:
            return "running"
        if self.paused:
            return "paused"
        return "waiting" if self.waiting and not self.open else "orphaned"


def summaries(journal: Journal, newest: int | None = None) -> list[Summary]:
    """The runs of a journal, newest first; all of them, or so many.

    Raises JournalError for what cannot be read.
    """
    return [summary_of(journal, run) for run in journal.runs()[:newest]]


def summary_of(journal: Journal, run: str) -> Summary:
    course = Course()
    held = journal.holder(run) is not None
    for stored in read_whole(journal, run):
        try:
            course.take(stored)
        except (PayloadError, KeyError, TypeError, ValueError) as error:
            text = f"entry {stored.row.seq} of run {run} cannot be read: {error}"
            raise JournalError(text) from error
    return course.summary(run, held=held)


Fields = dict[str, Any]


def began(course: Course, header: Fields, data: Fields) -> None:
    course.first = data


def wanted(course: Course, header: Fields, data: Fields) -> None:
    course.goal = course.goal or str(data.get("text", ""))


def decided(course: Course, header: Fields, data: Fields) -> None:
    course.turns += 1
    course.open.clear()
    course.waiting.clear()


def opened(course: Course, header: Fields, data: Fields) -> None:
    course.open.add(written(header))


def inferred(course: Course, header: Fields, data: Fields) -> None:
    course.spent += data["cost"]
    course.tokens += data["usage"]["input"] + data["usage"]["output"]
    closed(course, header["causes"])


def faulted(course: Course, header: Fields, data: Fields) -> None:
    course.spent += data["cost"]
    closed(course, header["causes"])


def observed(course: Course, header: Fields, data: Fields) -> None:
    closed(course, header["causes"])


def ruled(course: Course, header: Fields, data: Fields) -> None:
    if data["decision"] != "ask":
        for cause in header["causes"]:
            if course.waiting.pop(cause, None) is not None:
                course.open.add(cause)


def suspended(course: Course, header: Fields, data: Fields) -> None:
    course.open.discard(data["subject"])
    course.waiting[data["subject"]] = f"{data['waits_for']}: {data['text']}"


def ended(course: Course, header: Fields, data: Fields) -> None:
    course.ending = data


def closed(course: Course, causes: Sequence[str]) -> None:
    for cause in causes:
        course.open.discard(cause)
        course.waiting.pop(cause, None)


def written(header: Fields) -> str:
    """The address in a header, as text."""
    return f"{header['turn']}/{header['strand']}/{'.'.join(map(str, header['place']))}"


STEPS = {
    "RunStarted": began,
    "Goal": wanted,
    "Decision": decided,
    "Request": opened,
    "ToolCall": opened,
    "Inference": inferred,
    "Fault": faulted,
    "Observation": observed,
    "Answer": observed,
    "Approval": ruled,
    "Suspension": suspended,
    "Termination": ended,
}
