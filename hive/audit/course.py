"""What a run has come to (floor 7): its state, ending, turns and cost, derived from its entries.

Only headers and the few fields that matter are read, so that a list of runs stays quick and needs
none of the classes that wrote them. Of a run that has ended only its first entries and its last
are: the record that ends it says what it came to.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import chain, islice
from typing import Any, Literal, NamedTuple, get_args

from hive.board.canonical import decode
from hive.board.records import Termination
from hive.control.budgets.budget import usd
from hive.errors import JournalError, PayloadError
from hive.journal.journal import Journal, Stored
from hive.journal.lineage import read_whole

__all__ = ["STATES", "Course", "RunState", "Summary", "Wait", "summaries"]

RunState = Literal[
    "running", "paused", "waiting", "in_doubt", "orphaned", "finished", "stopped", "failed",
    "unreadable",
]  # fmt: skip
"""Where a run stands. `running`: a living process holds it. `paused`: it was interrupted in an
orderly way, or was told to pause and its process still keeps it. `waiting`: all that is open waits
for a person. `in_doubt`: a person has to say what became of a call that was begun. `orphaned`: its
process is gone in the middle of something. The last four can be resumed, unless a process keeps
them; then come the endings. `unreadable`: what its entries say cannot be told."""

STATES: tuple[RunState, ...] = get_args(RunState)
ENDED = frozenset({"finished", "stopped", "failed"})
TAILS = (4, 64)
"""How many of the last entries are looked through for the one that ends a run; few follow it."""


class Wait(NamedTuple):
    """A call that a person has a say on: its address, whether it needs an approval, an answer, or
    is in doubt, and what is said of it."""

    subject: str
    waits_for: str
    text: str

    def __str__(self) -> str:
        return f"{self.waits_for}: {self.text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A run in a few values; money in nano-dollars, `started` and `elapsed` in microseconds.

    `turns` counts the turns that were begun; time in which it was paused is left out of `elapsed`.
    `waits` are the calls that a person has a say on, by address; `parent` and `cut` say of a fork
    which run's entries it shares, and how many. These count in all figures, as does what a fork is
    served, but for `paid`: what was spent anew. Of an unreadable run only the id is known, and the
    `message` says what is wrong.
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
    waits: tuple[Wait, ...] = ()
    parent: str | None = None
    cut: int | None = None
    paid: int = 0
    seed: int = 0

    @property
    def cost_usd(self) -> Decimal:
        """What was spent, in US dollars."""
        return usd(self.spent)

    @property
    def began(self) -> datetime | None:
        """When it began; None where that is not known."""
        return datetime.fromtimestamp(self.started / 1_000_000, UTC) if self.started else None

    @property
    def ended(self) -> bool:
        """Whether the run is over and cannot be resumed."""
        return self.state in ENDED

    @property
    def waits_for(self) -> tuple[str, ...]:
        """What a waiting run waits for, in words."""
        return tuple(str(wait) for wait in self.waits)

    def says(self, text: str) -> bool:
        """Whether its id, workflow, goal or a tag holds a text, in whatever case."""
        wanted = text.casefold()
        said = (self.id, self.workflow, self.goal, *self.tags)
        return any(wanted in part.casefold() for part in said)

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
            "started": self.began and self.began.isoformat(),
            "tags": list(self.tags),
            "parent": self.parent,
            "cut": self.cut,
            "paid_usd": float(usd(self.paid)),
        }


class Course:
    """The fold that a Summary is made of: `take` each stored entry in order, then ask."""

    def __init__(self) -> None:
        self.first: dict[str, Any] = {}
        self.goal = ""
        self.ending: dict[str, Any] | None = None
        self.turns = 0
        self.spent = 0
        self.paid = 0
        self.tokens = 0
        self.started = 0
        self.newest = 0
        self.idle = 0
        self.paused = False
        self.own = True
        """Whether the entry at hand is no entry of an ancestor."""
        self.open: set[str] = set()
        """Addresses of requests and calls without an answer."""
        self.waiting: dict[str, Wait] = {}
        """What strands wait for, by the address of the call."""

    def take(self, stored: Stored) -> None:
        """Fold one entry; one whose content was erased counts by its header alone."""
        header = decode(stored.row.header)
        step = STEPS.get(header["kind"])
        if header["kind"] == "Redaction" and not header["strand"]:
            return  # what is done to a record later is no part of its course
        self.started = self.started or header["at"]
        self.newest = max(self.newest, header["at"])
        self.own = not 0 < stored.row.seq < (self.first.get("cut") or 0)
        if header["author"] != "user":
            self.paused = header["kind"] == "Paused"
        if step is not None and stored.body is not None:
            step(self, header, decode(stored.body))
        elif not header["strand"] and header["kind"] in ERASED:
            ERASED[header["kind"]](self, header, {})

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
            turns=ending.get("turns", self.turns),
            spent=ending.get("spent", self.spent),
            tokens=ending.get("tokens", self.tokens),
            started=self.started,
            elapsed=ending.get("elapsed", self.elapsed),
            workspace=self.first.get("workspace"),
            tags=tuple(self.first.get("tags", ())),
            waits=() if ending else tuple(self.waiting.values()),
            parent=self.first.get("parent"),
            cut=self.first.get("cut"),
            paid=ending.get("paid", self.paid),
            seed=self.first.get("seed", 0),
        )

    @property
    def elapsed(self) -> int:
        """Microseconds at work so far; a fork counts those of what it shares as its own."""
        shared: int = self.first.get("elapsed", 0)
        return max(0, self.newest - self.started - self.idle) + shared

    def state(self, held: bool) -> RunState:
        """Where the run stands."""
        if self.ending is not None:
            outcome: RunState = self.ending["outcome"]
            if outcome not in ENDED:
                raise ValueError(f"no run ends as {outcome!r}")
            return outcome
        if self.paused:
            return "paused"
        if held:
            return "running"
        if not self.waiting or self.open:
            return "orphaned"
        doubts = any(wait.waits_for == "in_doubt" for wait in self.waiting.values())
        return "in_doubt" if doubts else "waiting"


def summaries(
    journal: Journal,
    newest: int | None = None,
    *,
    states: Sequence[str] = (),
    tags: Sequence[str] = (),
    text: str = "",
) -> list[Summary]:
    """The runs of a journal, newest first; all of them, or so many.

    Of those in one of some states, with all of some tags, whose id, workflow, goal or tags hold a
    text. A run that cannot be read is one of them, and hides none of the others.
    """
    fits = (
        summary
        for summary in (readable(journal, run) for run in journal.runs())
        if (not states or summary.state in states)
        and set(tags) <= set(summary.tags)
        and summary.says(text)
    )
    return list(islice(fits, newest))


def summary_of(journal: Journal, run: str) -> Summary:
    """What one run has come to. Raises RunNotFound, and JournalError for what cannot be read."""
    course = Course()
    held = journal.holder(run) is not None
    number = 0
    try:
        for stored in outline(journal, run):
            number = stored.row.seq
            course.take(stored)
        return course.summary(run, held=held)
    except (PayloadError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise JournalError(f"entry {number} of run {run} cannot be read: {error}") from error


def readable(journal: Journal, run: str) -> Summary:
    """What one run has come to, or that it cannot be read, and why."""
    try:
        return summary_of(journal, run)
    except JournalError as error:
        return Summary(
            id=run, state="unreadable", outcome=None, reason=None, message=str(error), workflow="",
            goal="", turns=0, spent=0, tokens=0, started=0, elapsed=0, workspace=None, tags=(),
        )  # fmt: skip


def outline(journal: Journal, run: str) -> Iterable[Stored]:
    """The entries that tell what a run came to: its first two and the record that ends it, or all
    of them where it has not ended."""
    length = journal.length(run)
    for most in TAILS:
        if length <= most:
            break
        for stored in journal.read(run, length - most):
            if is_ending(stored):
                return chain(beginning(journal, run), (stored,))
    return read_whole(journal, run)


def beginning(journal: Journal, run: str) -> Iterator[Stored]:
    """Where a run came from, and its goal."""
    return islice(read_whole(journal, run), 2)


def is_ending(stored: Stored) -> bool:
    """Whether an entry is the one that ends a run."""
    try:
        header = decode(stored.row.header)
    except (PayloadError, TypeError, AttributeError):
        return False
    return isinstance(header, dict) and header.get("kind") == Termination.kind


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
    spent(course, data)
    course.tokens += data["usage"]["input"] + data["usage"]["output"]
    course.tokens += sum(attempt.get("tokens", 0) for attempt in data.get("attempts", ()))
    closed(course, header["causes"])


def faulted(course: Course, header: Fields, data: Fields) -> None:
    spent(course, data)
    course.tokens += data.get("tokens", 0)
    closed(course, header["causes"])


def spent(course: Course, data: Fields) -> None:
    course.spent += data["cost"]
    if course.own and not data.get("served"):
        course.paid += data["cost"]


def observed(course: Course, header: Fields, data: Fields) -> None:
    closed(course, header["causes"])


def ruled(course: Course, header: Fields, data: Fields) -> None:
    if data["decision"] != "ask":
        for cause in header["causes"]:
            if course.waiting.pop(cause, None) is not None and header["strand"]:
                course.open.add(cause)


def suspended(course: Course, header: Fields, data: Fields) -> None:
    course.open.discard(data["subject"])
    course.waiting[data["subject"]] = Wait(data["subject"], data["waits_for"], data["text"])


def resumed(course: Course, header: Fields, data: Fields) -> None:
    if course.own:  # else it is its parent's, whose time stands in the first entry
        course.idle += data.get("idle", 0)


def ended(course: Course, header: Fields, data: Fields) -> None:
    course.ending = data


def ended_somehow(course: Course, header: Fields, data: Fields) -> None:
    course.ending = {"outcome": "stopped", "message": "how it ended was redacted"}


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
    "Spoken": observed,
    "Approval": ruled,
    "Suspension": suspended,
    "Resumed": resumed,
    "Termination": ended,
}
ERASED = {"Decision": decided, "Termination": ended_somehow}
"""What is known of these without their contents."""
