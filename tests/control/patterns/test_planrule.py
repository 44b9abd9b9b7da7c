"""What roles and the rule make of tasks, in real runs, read from the board."""

from __future__ import annotations

from typing import Any

import pytest

from hive import (
    Graph,
    Note,
    Payload,
    Role,
    Task,
    View,
    Workflow,
    finish,
    handoff,
    start,
    stop,
    turns,
)
from hive.board.records import Fault
from hive.control import PlanRule, TaskChange, task_failed, tasks_ready
from tests.control.patterns.test_plan import plan, task
from tests.control.planned import (
    fails,
    minds,
    payloads,
    planner,
    stands,
    waves,
    worker,
)


def judging(change: TaskChange, *parts: Any) -> Workflow:
    """A foreman looks at all after every wave, and says one thing once."""

    async def look(view: View) -> Payload:
        said = any(isinstance(entry.payload, TaskChange) for entry in view.entries)
        return Note(text="good") if said else change

    foreman = Role("foreman", writes=(TaskChange, Note), program=look)
    graph = Graph(
        start(planner),
        handoff(planner, worker),
        handoff(worker, foreman),
        handoff(foreman, worker, when=tasks_ready),
        finish(foreman, when=~tasks_ready),
        stop(when=turns(12)),
        *parts,
    )
    return Workflow(graph, model=minds([plan(task("A"), task("B", "A"), task("C", "B"))]))


def test_a_role_may_skip_a_task_and_what_needs_it_goes_on() -> None:
    skip = TaskChange(id="B", change="skipped", reason="there is one already")
    result = judging(skip).run_sync("g")
    assert (waves(result), stands(result)) == (
        [["A"], ["C"]],
        {"A": "done", "B": "skipped", "C": "done"},
    )


def test_a_role_may_adjust_a_task_before_it_is_done() -> None:
    now = task("B", title="do B better")
    change = TaskChange(id="B", change="adjusted", reason="the goal asks for it", task=now)
    result = judging(change).run_sync("g")
    assert waves(result) == [["A"], ["B"], ["C"]]
    titles = {e.payload.id: e.payload.title for e in result.entries if isinstance(e.payload, Task)}
    assert titles["B"] == "do B better"


def test_a_role_may_have_a_task_done_once_more() -> None:
    change = TaskChange(id="A", change="adjusted", reason="once more", task=task("A"))
    assert waves(judging(change).run_sync("g")) == [["A"], ["A"], ["B"], ["C"]]


def test_what_a_role_calls_failed_is_done_again_by_the_rule() -> None:
    failed_ = TaskChange(id="A", change="failed", reason="it does not hold water")
    result = judging(failed_, PlanRule(attempts=2)).run_sync("g")
    assert waves(result) == [["A"], ["A"], ["B"], ["C"]]
    assert [e.detail for e in payloads(result, Task) if e.id == "A"] == [
        "", "Attempt 1 failed: it does not hold water",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (TaskChange(id="X", change="done", reason="r"), "there is no task 'X' to be changed"),
        (
            TaskChange(id="A", change="adjusted", reason="r", task=task("A", "C")),
            "task A could never be taken up: A needs C, which needs B, which needs A",
        ),
        (
            TaskChange(id="A", change="adjusted", reason="r", task=task("A", "Q")),
            "task A could never be taken up: A needs Q, and no task has that id",
        ),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(change: TaskChange, said: str) -> None:
    result = judging(change).run_sync("g")
    assert payloads(result, Fault)[0].message.startswith(said)
    assert payloads(result, TaskChange) == []


def test_what_keeps_the_next_task_from_being_taken_up_is_told() -> None:
    graph = Graph(
        start(planner),
        handoff(planner, worker),
        handoff(worker, worker),
        finish(worker, when=~tasks_ready & ~task_failed),
        stop(when=turns(9)),
    )
    mind = minds([plan(task("A"), task("B", "A"))], fails("A"))
    result = Workflow(graph, model=mind).run_sync("g")
    assert result.reason == "no_candidate"
    assert "worker → worker (B waits for A, which is failed)" in result.message
