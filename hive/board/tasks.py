"""The tasks of a run (floor 1): how each stands, as a fold of what is said of it and of what became
of the strands that took it up."""

from collections.abc import Iterable, Mapping, Set
from functools import lru_cache
from typing import Literal, NamedTuple

from hive.board.contributions import Plan, Question, Task, TaskChange
from hive.board.entry import Entry
from hive.board.payload import Payload
from hive.board.records import Fault, Inference, Spoken

__all__ = [
    "SETTLED",
    "Standing",
    "TaskStatus",
    "Tasks",
    "ends_of",
    "is_met",
    "speaks_of_tasks",
    "was_not_begun",
]

TaskStatus = Literal["open", "done", "failed", "skipped"]
SETTLED: frozenset[TaskStatus] = frozenset({"done", "skipped"})
"""What a task ends as; the others still ask for something."""

REMEMBERED = 256
"""How many tasks may be known before those are forgotten that are settled and of no plan."""


class Standing(NamedTuple):
    """How a task stands."""

    status: TaskStatus
    reference: str
    """The newest entry that says what is to be done, as "turn.ordinal"."""
    needs: tuple[str, ...] = ()
    attempts: int = 0
    """How often it failed since it was planned, not counting strands that could not begin."""
    because: str = ""
    """Address of the entry by which it came to its status."""
    planned: bool = False
    """Whether it is part of the newest Plan."""


@lru_cache(maxsize=1024)
def speaks_of_tasks(cls: type[Payload]) -> bool:
    """Whether payloads of a class say what is to be done, or what becomes of it."""
    return issubclass(cls, Task | Plan | TaskChange)


def is_met(need: str, standings: Mapping[str, Standing]) -> bool:
    """Whether nothing waits for a task any more: it is settled, or nobody knows of it."""
    known = standings.get(need)
    return known is None or known.status in SETTLED


class Tasks:
    """Takes in what one turn says of tasks, and what its strands did for them.

    A Plan takes the place of the one before: what is open of that is dropped, what is settled and
    stands in the new one too stays settled. A task that is posted again is open again. A strand
    that was opened for a task settles it by a contribution, when no other role still waits to take
    the task up; it fails by a final fault, or by saying nothing. What anybody says of a task in so
    many words goes before that. What the coordinator posts at the end of the turn comes last.
    """

    def __init__(self, standings: Mapping[str, Standing]) -> None:
        self.known = dict(standings)
        self._before = standings
        self.gone: set[str] = set()
        """References of entries that nobody need take up any more."""
        self._plan = ""
        self._loose = False
        """Whether there may be more tasks of no plan than there were."""
        self._last: list[tuple[Entry, str]] = []

    @property
    def open(self) -> dict[str, str]:
        """Those that nothing has settled: id to reference."""
        return {id: t.reference for id, t in self.known.items() if t.status not in SETTLED}

    def say(self, entry: Entry, reference: str) -> None:
        """Take in a Plan, a Task or a TaskChange."""
        if entry.address.strand:
            self._say(entry, reference)
        else:
            self._last.append((entry, reference))

    def settle(self, ids: Iterable[str], entry: Entry) -> None:
        """Take in that a contribution settles some tasks."""
        for id in ids:
            known = self.known.get(id)
            if known is not None and known.status != "done":
                self._become(id, "done", str(entry.address))

    def close(
        self,
        entries: Iterable[Entry],
        taken: Mapping[str, str],
        waiting: Mapping[str, tuple[str, ...]],
    ) -> None:
        """Take in what became of the strands that took tasks up, and what was said at the end.

        `taken` is strand to reference, `waiting` what `per` roles have still to take up.
        """
        strands = self._taken(taken) if taken else {}
        if strands:
            left = {reference for references in waiting.values() for reference in references}
            ends = ends_of(entries, strands)
            for id in dict.fromkeys(strands.values()):
                self._judge(id, [ends[s] for s, of in strands.items() if of == id], left)
        for entry, reference in self._last:
            self._say(entry, reference)
        if self._loose and len(self.known) > REMEMBERED:
            self.known = {
                id: known
                for id, known in self.known.items()
                if known.planned or known.status not in SETTLED
            }

    def _taken(self, taken: Mapping[str, str]) -> dict[str, str]:
        """Strand to the task that it took up, where that is what it was."""
        wanted = frozenset(taken.values())
        by_reference = {
            known.reference: id
            for id, known in self._before.items()
            if known.reference in wanted
            and id in self.known
            and self.known[id].reference == known.reference
        }
        return {s: by_reference[ref] for s, ref in taken.items() if ref in by_reference}

    def _judge(self, id: str, ends: "list[End]", left: Set[str]) -> None:
        """Take in how the strands ended that had a task: one that did it is enough."""
        known = self.known[id]
        if known.status != "open":  # somebody has said what became of it
            return
        done = [end.said for end in ends if end.said and not end.fault]
        if done:
            if known.reference not in left:
                self._become(id, "done", done[-1])
        elif all(end.fault or end.answer for end in ends):  # else it was cut off
            begun = [end for end in ends if not end.refused]
            because = begun[0] if begun else ends[0]
            self._become(id, "failed", because.fault or because.answer, tried=bool(begun))

    def _say(self, entry: Entry, reference: str) -> None:
        payload = entry.payload
        if isinstance(payload, Plan):
            self._plan_anew(entry, {task.id for task in payload.tasks})
        elif isinstance(payload, Task):
            self._post(entry, payload, reference)
        elif isinstance(payload, TaskChange):
            self._change(payload, entry)

    def _plan_anew(self, entry: Entry, ids: Set[str]) -> None:
        """Drop what is open of the plan before; the tasks of the new one follow as entries."""
        self._plan = str(entry.address)
        for id, known in list(self.known.items()):
            if known.planned and known.status not in SETTLED:
                self.gone.add(known.reference)
                del self.known[id]
            elif known.planned and id not in ids:
                self.known[id] = known._replace(planned=False)
                self._loose = True

    def _post(self, entry: Entry, task: Task, reference: str) -> None:
        known = self.known.get(task.id)
        planned = entry.causes[:1] == (self._plan,)
        if known is not None:
            self.gone.add(known.reference)
        if planned:  # in the order of the plan
            self.known.pop(task.id, None)
        if planned and known is not None and known.status in SETTLED:
            self.gone.add(reference)
            self.known[task.id] = known._replace(
                reference=reference, needs=task.needs, planned=True
            )
            return
        self._loose = self._loose or not planned
        before = None if planned else known
        self.known[task.id] = Standing(
            "open",
            reference,
            task.needs,
            0 if before is None else before.attempts,
            str(entry.address),
            planned or (before is not None and before.planned),
        )

    def _change(self, payload: TaskChange, entry: Entry) -> None:
        if payload.change != "adjusted" and payload.id in self.known:
            self._become(payload.id, payload.change, str(entry.address))

    def _become(self, id: str, status: TaskStatus, because: str, *, tried: bool = True) -> None:
        known = self.known[id]
        attempts = known.attempts + (status == "failed" and tried)
        self.known[id] = known._replace(status=status, attempts=attempts, because=because)
        if status in SETTLED:
            self.gone.add(known.reference)


class End(NamedTuple):
    """What a strand left, by address; "" where there is no such thing."""

    said: str = ""
    """The last contribution of its role that is no question."""
    fault: str = ""
    """The fault that ended it."""
    answer: str = ""
    """The last answer of its mind, or of its person."""
    refused: bool = False
    """Whether it was not begun."""


def was_not_begun(entry: Entry) -> bool:
    """Whether an entry is the fault of a strand that the budget had no room for at all."""
    fault = entry.payload
    return (
        isinstance(fault, Fault)
        and fault.code == "budget_exhausted"
        and entry.address.place[0] == 0
    )


def ends_of(entries: Iterable[Entry], strands: Iterable[str]) -> dict[str, End]:
    """What some strands left, from the entries of their turn."""
    ends = dict.fromkeys(strands, End())
    for entry in entries:
        end = ends.get(entry.strand)
        if end is None:
            continue
        payload, address = entry.payload, str(entry.address)
        if isinstance(payload, Fault):
            if payload.final:
                end = end._replace(fault=address, refused=was_not_begun(entry))
        elif isinstance(payload, Inference | Spoken):
            end = end._replace(answer=address)
        elif entry.level == "domain" and not isinstance(payload, Question):
            own = entry.author == entry.address.role
            end = end._replace(said=address) if own else end
        ends[entry.strand] = end
    return ends
