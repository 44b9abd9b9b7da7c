"""A person reviews a plan and edits it before it runs, under the rules that hold for planners."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hive import Graph, Plan, Review, Role, Task, Workflow, finish, start
from hive.audit import Record
from hive.board.records import Decision, Fault, Spoken
from hive.control import workplan
from hive.errors import WorkflowChanged
from hive.journal.memory import MemoryJournal
from hive.message import Request as Asked
from hive.run import Result
from hive.testing import FunctionModel, ScriptedPerson
from tests.sound import sound
from tests.spoken import of, replayed, role_of, texts

PLAN = Plan(
    summary="a well",
    tasks=(Task(id="T1", title="dig"), Task(id="T2", title="line it", needs=("T1",))),
    done_when="there is water",
)


def minds(request: Asked) -> str:
    """Plans, works on the one task that it is given, and reports."""
    role = role_of(request)
    if role == "planner":
        return PLAN.body().decode()
    if role == "worker":
        asked = request.messages[0].text.rpartition("Work on this entry only:")[2]
        task = json.loads(asked[asked.index("{") :])
        return f"done: {task['title']}"
    return "reported"


planner, worker = Role("planner", writes=(Plan,)), Role("worker", per=Task)
reporter = Role("reporter")
owner = Role("owner", "Approve it.", person=True, reads=(Plan,), writes=(Review, Plan))
GRAPH = Graph(start(planner), *workplan(planner, worker, reporter, critic=owner), finish(reporter))
TEAM = Workflow(GRAPH, model=FunctionModel(minds, "minds"))


def plan(*tasks: tuple[str, str, list[str]]) -> dict[str, Any]:
    """A plan as somebody writes it."""
    made = [{"id": id, "title": title, "needs": needs} for id, title, needs in tasks]
    return {"summary": "mine", "tasks": made, "done_when": "I say so"}


async def played(*said: str) -> Result:
    run = TEAM.start("g", journal=MemoryJournal(), seed=1)
    run.attend(ScriptedPerson(said))
    result = await run.result()
    await replayed(run)
    return result


def worked(result: Result) -> list[str]:
    return [text for text in texts(result) if text.startswith("done: ")]


@pytest.mark.asyncio
async def test_an_approved_plan_runs_as_it_was_made() -> None:
    result = await played("yes")
    sound(result.entries)
    assert (result.finished, worked(result)) == (True, ["done: dig", "done: line it"])


@pytest.mark.asyncio
async def test_nothing_runs_before_the_person_has_agreed() -> None:
    result = await played("no, no well", "no, not like that")
    roles = [each.strands[0].role for each in of(result.entries, Decision)]
    assert "worker" not in roles
    assert roles[:4] == ["planner", "owner", "planner", "owner"]
    assert result.outcome == "waiting"


@pytest.mark.asyncio
async def test_an_edited_plan_takes_the_place_of_the_one_before() -> None:
    mine = plan(
        ("T1", "dig", []), ("T3", "ask the neighbours", []), ("T4", "line it", ["T1", "T3"])
    )
    result = await played(json.dumps([mine, "yes"]))
    sound(result.entries)
    assert result.finished
    assert sorted(worked(result)[:2]) == ["done: ask the neighbours", "done: dig"]
    assert worked(result)[2:] == ["done: line it"], "side by side, and then what needed both"
    assert [each.summary for each in of(result.entries, Plan)] == ["a well", "mine"]


@pytest.mark.parametrize(
    ("tasks", "why"),
    [
        ([("A", "a", ["B"]), ("B", "b", ["A"])], "A needs B, which needs A"),
        ([("A", "a", ["C"])], "C"),
        ([("A", "a", []), ("A", "b", [])], "A"),
    ],
)
@pytest.mark.asyncio
async def test_a_person_too_is_told_what_cannot_be_carried_out(tasks: Any, why: str) -> None:
    bad = json.dumps(["yes", plan(*tasks)])
    result = await played(bad, "yes")
    sound(result.entries)
    [fault] = of(result.entries, Fault)
    assert (fault.code, fault.final, why in fault.message) == ("invalid_output", False, True)
    assert [each.text for each in of(result.entries, Spoken)] == [bad, "yes"]
    assert of(result.entries, Plan) == [PLAN]
    assert len(of(result.entries, Review)) == 1, "nothing of what did not fit was posted"
    assert worked(result) == ["done: dig", "done: line it"]


@pytest.mark.asyncio
async def test_under_a_changed_team_a_person_is_asked_once_more() -> None:
    journal = MemoryJournal()
    result = await TEAM.start("g", journal=journal, seed=1).result()
    run = TEAM.resume(result.run, journal=journal)
    run.answer("2/owner/0.0", "says", "perhaps", by="user:ann")
    assert (await run.result()).outcome == "waiting"
    other = TEAM.with_instructions(owner="Approve it, if it is cheap.")
    with pytest.raises(WorkflowChanged):
        other.resume(result.run, journal=journal)
    run = other.resume(result.run, journal=journal, accept="workflow")
    person = ScriptedPerson(["yes"])
    run.attend(person)
    result = await run.result()
    sound(result.entries)
    assert result.finished
    assert person.asked[0].text.startswith("Approve it, if it is cheap.")
    assert [each.text for each in of(result.entries, Spoken)] == ["perhaps", "yes"]
    assert Record(journal, result.run).summary.waits == ()
    await replayed(run)
