"""The tasks of a plan as a graph (control floor): what is wrong with it, and what is urgent in it.

A plan that could not be carried out is refused when it is posted, and its planner told why; so is
a change to a task that is not there. networkx is imported once a task needs another.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from difflib import get_close_matches
from itertools import islice
from typing import TYPE_CHECKING, Literal, NamedTuple

from hive.board.board import Board
from hive.board.contributions import Plan, Task, TaskChange
from hive.board.payload import Payload
from hive.board.tasks import SETTLED, Standing, speaks_of_tasks

if TYPE_CHECKING:
    from networkx import DiGraph

__all__ = ["PlanFlaw", "PlanFlawCode", "objection", "plan_flaws", "task_graph", "urgent_first"]

PlanFlawCode = Literal[
    "nameless", "doubled_id", "doubled_task", "own_need", "unknown_need", "cycle", "changed_done"
]
MOST_TOLD = 20
"""How many flaws a planner is told at once, and tasks of a circle."""
Needs = Mapping[str, Sequence[str]]


class PlanFlaw(NamedTuple):
    """Why a plan cannot be carried out."""

    code: PlanFlawCode
    message: str
    ids: tuple[str, ...]
    """The tasks that prove it; of a cycle each with one that it needs, ending where it began."""


def task_graph(tasks: Iterable[Task]) -> "DiGraph[str]":
    """The tasks as a networkx graph: from each that is needed to those that need it. A node's
    `task` is the task itself; what is needed and no task has none.

    >>> graph = task_graph([Task(id="T1", title="dig"), Task(id="T2", title="sow", needs=("T1",))])
    >>> list(graph.edges)
    [('T1', 'T2')]
    """
    import networkx as nx

    graph: DiGraph[str] = nx.DiGraph()
    for task in tasks:
        graph.add_node(task.id, task=task)
        graph.add_edges_from((need, task.id) for need in task.needs)
    return graph


def plan_flaws(plan: Plan, settled: Mapping[str, str] | None = None) -> tuple[PlanFlaw, ...]:
    """Everything that is wrong with a plan. `settled` are the tasks before it that are done or
    skipped, by id with their titles: they may be needed, and keep their ids for themselves."""
    return tuple(flaws_of(plan, settled or {}))


def flaws_of(plan: Plan, settled: Mapping[str, str]) -> Iterator[PlanFlaw]:
    ids = [task.id for task in plan.tasks]
    if "" in ids:
        yield PlanFlaw("nameless", f"task {ids.index('') + 1} has no id; call it T1", ("",))
    for id in sorted({id for id in ids if ids.count(id) > 1}):
        yield PlanFlaw("doubled_id", f"{ids.count(id)} tasks have the id {id}", (id,))
    same: dict[tuple[str, str], list[str]] = {}
    for task in plan.tasks:
        same.setdefault((plain(task.title), plain(task.detail)), []).append(task.id)
    for twins in same.values():
        if len(set(twins)) > 1:
            said = f"{' and '.join(twins)} are the same task; leave out all but one"
            yield PlanFlaw("doubled_task", said, tuple(twins))
    for task in plan.tasks:
        before = settled.get(task.id)
        if before and plain(before) != plain(task.title):
            said = f"{task.id} is settled already, as {before!r}; give new work a new id"
            yield PlanFlaw("changed_done", said, (task.id,))
    needs = {task.id: task.needs for task in plan.tasks}
    for id in needs:
        yield from needs_missed(id, needs, {*needs, *settled})
    yield from circles(needs)


def plain(text: str) -> str:
    """A text as it is compared: without its case and its spacing."""
    return " ".join(text.casefold().split())


def needs_missed(id: str, needs: Needs, known: Set[str]) -> Iterator[PlanFlaw]:
    """What a task needs and cannot have."""
    for need in dict.fromkeys(needs[id]):
        if need == id:
            yield PlanFlaw("own_need", f"{id} needs itself", (id, id))
        elif need not in known:
            others = sorted(known - {id})
            near = get_close_matches(need, others, 3) or others[:10]
            there = f"; there is {', '.join(near)}" if near else ""
            said = f"{id} needs {need}, and no task has that id{there}"
            yield PlanFlaw("unknown_need", said, (id, need))


def circles(needs: Needs, through: str | None = None) -> Iterator[PlanFlaw]:
    """Tasks that wait for each other, one circle of each knot; only those through one task, where
    it is named."""
    if not any(needs.values()):
        return
    import networkx as nx

    waits: DiGraph[str] = nx.DiGraph()
    waits.add_edges_from((id, need) for id in needs for need in needs[id] if need != id)
    for knot in nx.strongly_connected_components(waits):
        if len(knot) > 1 and (through is None or through in knot):
            circle = circle_from(through or next(id for id in needs if id in knot), needs)
            told = circle[1:]
            if len(told) > MOST_TOLD:
                told = (*told[: MOST_TOLD - 2], "…", told[-1])
            way = ", which needs ".join(told)
            yield PlanFlaw("cycle", f"{circle[0]} needs {way}: none of them can be first", circle)


def circle_from(first: str, needs: Needs) -> tuple[str, ...]:
    """A shortest way from a task back to itself by what is needed, the same in every process: what
    is told of it is on record."""
    before = dict.fromkeys([need for need in needs[first] if need != first], first)
    queue = deque(before)
    while first not in before:
        at = queue.popleft()
        for need in needs.get(at, ()):
            if need not in before:
                before[need] = at
                queue.append(need)
    way = [first]
    while len(way) == 1 or way[0] != first:
        way.insert(0, before[way[0]])
    return tuple(way)


def objection(payload: Payload, board: Board) -> str:
    """Why a Plan, a Task or a TaskChange cannot be posted; "" for what can, and all else."""
    if not speaks_of_tasks(type(payload)):
        return ""
    standings = board.state.plan
    if isinstance(payload, Plan):
        flaws = flaws_of(payload, titles(board))
        told = "; ".join(flaw.message for flaw in islice(flaws, MOST_TOLD))
        told += "; and there is more" if next(flaws, None) else ""
        return f"this plan cannot be carried out: {told}. Give the whole plan again" if told else ""
    if isinstance(payload, TaskChange) and payload.id not in standings:
        posted = ids_on(board)
        if payload.id not in posted:
            there = ", ".join(sorted(posted)) or "none"
            return f"there is no task {payload.id!r} to be changed; the tasks are {there}"
    task = payload.task if isinstance(payload, TaskChange) else payload
    if not isinstance(task, Task) or not task.needs:
        return ""
    needs: dict[str, Sequence[str]] = {id: known.needs for id, known in standings.items()}
    needs[task.id] = task.needs
    known = {*needs} if needs.keys() >= {*task.needs} else {*needs, *ids_on(board)}
    wrong = (*needs_missed(task.id, needs, known), *circles(needs, task.id))
    told = "; ".join(flaw.message for flaw in wrong)
    return f"task {task.id} could never be taken up: {told}" if told else ""


def titles(board: Board) -> dict[str, str]:
    """The settled tasks by id, with their titles; "" for one whose contents were erased."""
    return {
        id: getattr(board.referenced(known.reference).payload, "title", "")
        for id, known in board.state.plan.items()
        if known.status in SETTLED
    }


def ids_on(board: Board) -> set[str]:
    """The ids of all tasks that were ever posted, those of the open turn included."""
    kinds = [kind for kind, cls in board.vocabulary.items() if issubclass(cls, Task)]
    entries = [entry for kind in kinds for entry in board.of_kind(kind)]
    return {entry.payload.id for entry in entries if isinstance(entry.payload, Task)}


def urgent_first(references: Sequence[str], standings: Mapping[str, Standing]) -> Sequence[str]:
    """References of tasks, those first on which the longest chain of other open tasks waits; in
    their order where chains are equally long."""
    lengths = chains(standings)
    by_reference = {known.reference: lengths.get(id, 0) for id, known in standings.items()}
    return sorted(references, key=lambda reference: -by_reference.get(reference, 0))


def chains(standings: Mapping[str, Standing]) -> dict[str, int]:
    """How many open tasks stand in the longest chain that begins with each."""
    waiting: dict[str, list[str]] = {id: [] for id in standings}
    """Task to the open ones that it needs."""
    needed_by = dict.fromkeys(standings, 0)
    for id, known in standings.items():
        if known.status == "open":
            waiting[id] = [need for need in dict.fromkeys(known.needs) if need in standings]
            for need in waiting[id]:
                needed_by[need] += 1
    lengths = dict.fromkeys(standings, 1)
    ends = [id for id, count in needed_by.items() if not count]
    while ends:
        id = ends.pop()
        for need in waiting[id]:
            lengths[need] = max(lengths[need], lengths[id] + 1)
            needed_by[need] -= 1
            if not needed_by[need]:
                ends.append(need)
    return lengths
