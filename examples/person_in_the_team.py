"""A person approves a plan before it runs, or hands in one of their own.

Run it: `python examples/person_in_the_team.py`. The person here says what a script says; at the
terminal `hive run` asks, and `hive answer` takes the answer from anywhere else.
"""

import asyncio
import json

from hive import Graph, Plan, Review, Role, Task, Workflow, finish, start
from hive.control import workplan
from hive.message import Request
from hive.models import FunctionModel
from hive.testing import ScriptedPerson

planner = Role("planner", "Plan the work.", writes=(Plan,))
owner = Role(
    "owner", "Approve the plan, or change it.", person=True, reads=(Plan,), writes=(Review, Plan)
)
worker = Role("worker", "Do one task of the plan.", per=Task)
reporter = Role("reporter", "Say what was done.")


def minds(request: Request) -> str:
    """Plans a hole, does a task, or counts what was done."""
    role, board = request.system.split("'")[1], request.messages[0].text
    if role == "planner":
        dig = {"id": "T1", "title": "dig in the lawn"}
        return json.dumps({"summary": "a hole", "tasks": [dig], "done_when": "it is deep"})
    if role == "worker":
        task = board.rpartition("Work on this entry only:")[2]
        return f"done: {json.loads(task[task.index('{') :])['title']}"
    return f"{board.count('Note by worker')} tasks were done"


graph = Graph(start(planner), *workplan(planner, worker, reporter, critic=owner), finish(reporter))
team = Workflow(graph, model=FunctionModel(minds))
MINE = {
    "summary": "a pond",
    "tasks": [
        {"id": "T1", "title": "dig by the fence"},
        {"id": "T2", "title": "fill it with water", "needs": ["T1"]},
    ],
    "done_when": "there are frogs",
}


async def main() -> None:
    """The plan is refused once, and then replaced."""
    run = team.start("Something nice for the garden.")
    person = ScriptedPerson(["no, not in the lawn", json.dumps([MINE, "yes"])], by="user:ann")
    run.attend(person)
    result = await run.result()
    print(f"asked {len(person.asked)} times: {person.asked[0].text}")
    for entry in result.entries:
        if entry.kind in ("Plan", "Review", "Note"):
            print(f"{entry.author:<9} {entry.kind:<7} {entry.body.decode()[:70]}")
    print(result.outcome, "-", result.text)


if __name__ == "__main__":
    asyncio.run(main())
