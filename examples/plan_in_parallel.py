"""A plan carried out side by side: a task that fails and is done again, and one that is skipped.

A dinner is planned as six tasks. Those that need nothing begin at once, each in a strand of its
own, the others when what they need is done. At most two cook at a time, and where more could, the
longest chain of work goes first. The first plan is refused, because two of its tasks wait for each
other, and the planner is told so. The soup boils over once, and is made again by somebody who knows
that; the soufflé falls every time, so it is skipped, and with it the sauce that was to go on it.

All minds are programs.
"""

import json

from hive import Artifact, Graph, Limits, Note, Plan, Role, Task, View, Workflow, finish, start
from hive.control import TaskChange, workplan
from hive.message import Request
from hive.models import FunctionModel

TASKS = (
    Task(id="table", title="lay the table"),
    Task(id="stock", title="boil the bones", accept=("it is clear",)),
    Task(id="soup", title="make the soup", needs=("stock",)),
    Task(id="plates", title="fill the plates", needs=("soup", "table")),
    Task(id="souffle", title="bake a soufflé"),
    Task(id="sauce", title="pour the sauce over it", needs=("souffle",)),
)


def plans(request: Request) -> str:
    """The plan; at first with stock that needs the soup it is for."""
    told = any(message.role == "assistant" for message in request.messages)
    stock = TASKS[1] if told else TASKS[1].model_copy(update={"needs": ("soup",)})
    tasks = (TASKS[0], stock, *TASKS[2:])
    return Plan(summary="a dinner", tasks=tasks, done_when="all is on the table").model_dump_json()


def cooks(request: Request) -> str:
    """One task, which stands in the last words of what a strand is asked."""
    said = request.messages[0].text.rpartition("Work on this entry only: ")[2]
    task = json.loads(said[said.index("{") :])
    if task["id"] == "souffle":
        return "It fell."  # not an Artifact, however often it is asked
    if task["id"] == "soup" and "Attempt 1 failed" not in task["detail"]:
        return "It boiled over."
    return Artifact(summary=f"{task['title']}: done").model_dump_json()


async def tells(view: View) -> Note:
    """What came of it, and what did not."""
    done = sum(isinstance(entry.payload, Artifact) for entry in view.entries)
    changes = [entry.payload for entry in view.entries if isinstance(entry.payload, TaskChange)]
    skipped = [f"{change.id} ({change.reason})" for change in changes if change.change == "skipped"]
    return Note(text="\n  ".join([f"{done} tasks are done. Skipped:", *skipped]))


planner = Role("planner", "Plan the dinner.", writes=(Plan,))
cook = Role("cook", "Do one task.", writes=(Artifact,), per=Task, corrections=0)
host = Role("host", "Say what there is to eat.", program=tells)

dinner = Workflow(
    Graph(
        start(planner), *workplan(planner, cook, host, attempts=2, on_failure="skip"), finish(host)
    ),
    models={"planner": FunctionModel(plans), "cook": FunctionModel(cooks)},
    limits=Limits(strands=2),
    name="dinner",
)

if __name__ == "__main__":
    result = dinner.run_sync("A dinner for four.")
    print("All minds are programs.\n")
    for entry in sorted(result.entries, key=lambda entry: entry.address):
        if entry.kind in ("Artifact", "Fault", "TaskChange"):
            says = getattr(entry.payload, "summary", "") or getattr(entry.payload, "message", "")
            if isinstance(entry.payload, TaskChange):
                says = f"{entry.payload.id} is {entry.payload.change}"
            print(f"turn {entry.turn}  {entry.kind:10}  {says.partition(': ')[0]}")
    print(f"\n{result.text}")
    print("\n" + ", ".join(f"{id} {task.status}" for id, task in result.state.plan.items()))
