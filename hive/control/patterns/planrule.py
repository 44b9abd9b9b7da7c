"""What becomes of tasks that fail (control floor), by a rule that stands in the graph.

Graph(start(planner), handoff(planner, worker), …, PlanRule(attempts=3, then="skip"))
"""

from collections.abc import Iterator, Set
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

from hive.board.board import Board
from hive.board.contributions import Task, TaskChange
from hive.board.entry import Label, join_labels
from hive.board.records import Fault
from hive.board.state import State
from hive.board.tasks import SETTLED, Standing, was_not_begun
from hive.errors import DeclarationError, PayloadError

__all__ = ["PlanRule", "Ruling", "rulings"]

Then = Literal["skip", "leave"]
LONGEST = 600
"""Characters of what went wrong that a task is told again with."""


@dataclass(frozen=True)
class PlanRule:
    """What becomes of a task that failed: its strand ended in a final fault or said nothing, or a
    TaskChange says so.

    Until it has failed `attempts` times it is adjusted: to be done again, with what went wrong in
    its detail. That the budget had no room to begin it is no attempt: it is still to be done. Then
    it is skipped, and with it each task that needs it; or, with "leave", it stays failed, which
    edges can look for. Every change is a TaskChange of the coordinator's, posted before the turn
    closes. Raises DeclarationError for attempts below 1 and another word.
    """

    attempts: int = 2
    then: Then = "skip"

    def __post_init__(self) -> None:
        if type(self.attempts) is not int or self.attempts < 1:
            raise DeclarationError(
                f"PlanRule(attempts={self.attempts!r}): a whole number from 1 on"
            )
        if self.then not in get_args(Then):
            raise DeclarationError(f'PlanRule(then={self.then!r}): say "skip" or "leave"')

    def __str__(self) -> str:
        return f'PlanRule(attempts={self.attempts}, then="{self.then}")'

    @property
    def text(self) -> str:
        """The rule as a person reads it."""
        tried = "" if self.attempts == 1 else f"done again, up to {self.attempts} attempts; then "
        ends = {"skip": "skipped, with those that need it", "leave": "left as failed"}
        return tried + ends[self.then]

    def concerns(self, known: Standing) -> bool:
        """Whether it says anything of a task as it stands."""
        failed = known.status == "failed"
        return failed and (known.attempts < self.attempts or self.then == "skip")


class Ruling(NamedTuple):
    """A change that the rule makes, and what it rests on."""

    change: TaskChange
    task: Task | None
    """The task as it reads from now on, of its own class."""
    because: str
    """Address of what it was caused by."""
    label: Label


def rulings(rule: PlanRule, state: State, board: Board) -> Iterator[Ruling]:
    """The changes that follow from how the tasks stand at the end of a turn."""
    skipped: set[str] = set()
    for id, known in state.plan.items():
        if not rule.concerns(known):
            continue
        try:
            entry = board.referenced(known.reference)
        except PayloadError:  # posted in this very turn: its time comes at the end of the next
            continue
        task, why = entry.payload, reason_of(board, known)
        if not isinstance(task, Task):  # its contents were erased
            continue
        label = join_labels(entry.label, label_of(board, known))
        if known.attempts < rule.attempts:
            said = f"attempt {known.attempts} of {rule.attempts} failed: {why}"
            now = adjusted(task, known.attempts, why)
            if not_begun(board, known):
                said, now = f"it was not begun: {why}", task
            change = TaskChange(id=id, change="adjusted", reason=said, task=plainly(now))
            yield Ruling(change, now, known.because, label)
        else:
            skipped.add(id)
            times = "once" if known.attempts == 1 else f"{known.attempts} times"
            said = f"it failed {times}; at last: {why}"
            change = TaskChange(id=id, change="skipped", reason=said)
            yield Ruling(change, None, known.because, label)
    if skipped:
        yield from skipped_after(skipped, state)


def skipped_after(skipped: Set[str], state: State) -> Iterator[Ruling]:
    """The tasks that need one which is skipped, and those that need them."""
    gone = {*skipped}
    left = [id for id, known in state.plan.items() if known.status not in SETTLED]
    found = True
    while found:
        found = False
        for id in left:
            need = next((need for need in state.plan[id].needs if need in gone), None)
            if id not in gone and need is not None:
                gone.add(id)
                found = True
                said = f"it needs {need}, which is skipped"
                change = TaskChange(id=id, change="skipped", reason=said)
                yield Ruling(change, None, state.plan[need].because, "trusted")


def reason_of(board: Board, known: Standing) -> str:
    """What went wrong with a task, in the words of whoever said so."""
    entry = board.at(known.because)
    payload = None if entry is None else entry.payload
    if isinstance(payload, Fault):
        text = payload.message
    elif isinstance(payload, TaskChange):
        text = payload.reason
    else:
        text = "its strand ended with nothing said"
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"


def not_begun(board: Board, known: Standing) -> bool:
    """Whether there was no room to begin a task, which is nothing against it."""
    entry = board.at(known.because)
    return entry is not None and was_not_begun(entry)


def label_of(board: Board, known: Standing) -> Label:
    entry = board.at(known.because)
    return "trusted" if entry is None else entry.label


def adjusted(task: Task, attempt: int, why: str) -> Task:
    """The task as it is to be done again."""
    detail = f"{task.detail}\n\nAttempt {attempt} failed: {why}".strip()
    return task.model_copy(update={"detail": detail})


def plainly(task: Task) -> Task:
    """What a task of any class says as a Task."""
    return Task(**{name: getattr(task, name) for name in Task.model_fields})
