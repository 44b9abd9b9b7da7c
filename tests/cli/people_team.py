"""Teams with people for the command's tests."""

from dataclasses import replace

from hive import Graph, Plan, Review, Role, Task, Workflow, finish, handoff, rejected, start, tool
from hive.control import TABLE, ByComplexity
from hive.message import Request, ToolUse
from hive.models import FunctionModel
from hive.tools import allow

PLAN = Plan(summary="dig a hole", tasks=(Task(id="T1", title="dig"),), done_when="it is deep")


@tool(effect="irreversible")
async def dig(where: str) -> str:
    """Dig."""
    return f"dug in {where}"


def digs(request: Request) -> str | ToolUse:
    if request.messages[-1].role == "tool":
        return "all dug"
    return ToolUse(id="d", name="dig", arguments={"where": "the garden"})


planner = Role("planner", writes=(Plan,))
owner = Role("owner", "Approve the plan.", person=True, reads=(Plan,), writes=(Review, Plan))
worker = Role("worker")
digger = Role("digger", tools=(dig,))

MINDS = {
    "planner": FunctionModel(lambda request: PLAN.body().decode(), "planner"),
    "worker": FunctionModel(lambda request: "done", "worker"),
}
DIGS = FunctionModel(digs)
asking = Workflow(
    Graph(
        start(planner),
        handoff(planner, owner),
        handoff(owner, worker, when=~rejected),
        finish(owner, when=rejected),
        finish(worker),
    ),
    models=MINDS,
)
chief = owner.with_(name="chief")
two = Workflow(Graph(start((owner, chief)), finish((owner, chief))))
every = TABLE.with_(**{level: replace(row, checkpoint=True) for level, row in TABLE.items()})
careful = Workflow(
    digger, model=DIGS, approvals=allow(role="digger"), allocator=ByComplexity(table=every)
)
