"""A team that carries out a plan, with scripted minds in all chairs, and what its runs came to."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from hive import (
    Artifact,
    Graph,
    Limits,
    Payload,
    Plan,
    Result,
    Review,
    Role,
    Task,
    Workflow,
    finish,
    start,
)
from hive.board.records import Decision
from hive.control import TaskChange, workplan
from hive.message import Request, Text
from hive.models import FunctionModel
from tests.control.patterns.test_plan import plan, task

planner = Role("planner", writes=(Plan,))
worker = Role("worker", writes=(Artifact,), per=Task, corrections=0)
reporter = Role("reporter")
critic = Role("critic", writes=(Review, Plan), output=Review)
Answer = str | Payload
Work = Callable[[Task, int], Answer]
"""What the worker makes of a task, which it is given for the nth time."""


def asked_for(request: Request) -> Task:
    """The task that a strand was opened for, as the request tells it."""
    last = request.messages[0].parts[-1]
    assert isinstance(last, Text)
    return Task.model_validate(json.loads(last.text.partition(" Task ")[2]))


def does(task: Task, attempt: int) -> Answer:
    return Artifact(summary=f"{task.id} is done")


def minds(
    planned: Sequence[Answer], work: Work = does, reviews: Sequence[Answer] = ()
) -> FunctionModel:
    """One mind in all chairs; what it says hangs on nothing but what it is asked."""

    def answer(request: Request) -> str:
        role, first = request.system.split("'")[1], request.messages[0].text
        if role == "worker":
            asked = asked_for(request)
            said = work(asked, asked.detail.count("Attempt ") + 1)
        elif role == "reporter":
            said = f"{first.count('] Artifact by worker')} of {first.count('] Task by planner')}"
        else:
            lines, kind = (planned, "Plan by planner") if role == "planner" else (reviews, "Review")
            steps = sum(message.role == "assistant" for message in request.messages)
            said = lines[min(first.count(f"] {kind}") + steps, len(lines) - 1)]
        return said if isinstance(said, str) else said.model_dump_json()

    return FunctionModel(answer, "all")


def graph_of(planner: Role = planner, **options: Any) -> Graph:
    return Graph(start(planner), *workplan(planner, worker, reporter, **options), finish(reporter))


def team(mind: FunctionModel, strands: int = 4, **options: Any) -> Workflow:
    return Workflow(graph_of(**options), model=mind, limits=Limits(strands=strands))


def waves(result: Result) -> list[list[str]]:
    """The tasks that each turn of the worker took up, by id."""
    tasks = {str(e.address): e.payload.id for e in result.entries if isinstance(e.payload, Task)}
    moves = [e.payload.strands for e in result.entries if isinstance(e.payload, Decision)]
    return [[tasks[p.cause or ""] for p in move] for move in moves if move[0].role == "worker"]


def changes(result: Result) -> list[tuple[str, str]]:
    return [(e.id, e.change) for e in payloads(result, TaskChange)]


def payloads(result: Result, cls: type[Any]) -> list[Any]:
    return [entry.payload for entry in result.entries if isinstance(entry.payload, cls)]


def stands(result: Result) -> dict[str, str]:
    return {id: known.status for id, known in result.state.plan.items()}


HOUSE = plan(
    task("ground"), task("walls", "ground"), task("roof", "walls"), task("garden"), task("fence")
)


def fails(*ids: str, times: int = 9) -> Work:
    def work(task: Task, attempt: int) -> Answer:
        return "no" if task.id in ids and attempt <= times else does(task, attempt)

    return work
