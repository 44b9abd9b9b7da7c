"""The teams whose processes die: one that does everything a run can do, and a small one."""

from __future__ import annotations

import json
import re
from typing import Any

from hive import (
    Artifact,
    Graph,
    Plan,
    Role,
    Task,
    Workflow,
    finish,
    handoff,
    start,
    stop,
    tool,
    turns,
)
from hive.errors import ServerFailed, ToolError
from hive.message import Reply, Request, Text, ToolUse, Usage
from hive.tools import Call, ask
from hive.tools.approval import Judgement, ProposedCall
from tests.crash.dying import World


class Yes:
    """A person who allows everything, and is asked only about what cannot be undone."""

    async def judge(self, call: ProposedCall) -> Judgement:
        if call.effect == "irreversible":
            return Judgement("allow", "go ahead", "user")
        return Judgement("allow", "no rule fits", "default")


def role_of(request: Request) -> str:
    return request.system.split("'")[1]


def step_of(request: Request) -> int:
    return sum(message.role == "assistant" for message in request.messages)


def said(text: str) -> Reply:
    return Reply(parts=(Text(text=text),), usage=Usage(input=10, output=5))


def plans(request: Request) -> Reply:
    """Gives a plan that is none first, and one with two tasks when it is corrected."""
    if not step_of(request):
        return said('{"summary": "half a plan"}')
    tasks = [{"id": f"T{number}", "title": f"part {number}"} for number in (1, 2)]
    return said(json.dumps({"summary": "two parts", "tasks": tasks, "done_when": "both are done"}))


def works(request: Request) -> Any:
    """Writes a file and pays for it beside that, then changes the file, then says so."""
    found = re.search(r"this entry only: .*(T\d)", request.messages[0].text)
    assert found is not None
    task, step = found.group(1), step_of(request)
    if step == 0:
        return [
            ToolUse(id="0a", name="put", arguments={"path": f"{task}.txt", "text": "begun\n"}),
            ToolUse(id="0b", name="pay", arguments={"what": task}),
            ToolUse(id="0c", name="stumble"),
        ]
    if step == 1:
        return ToolUse(id="1", name="put", arguments={"path": f"{task}.txt", "text": "done\n"})
    return said(json.dumps({"summary": f"{task} is done", "closes": [task]}))


def falters(request: Request) -> Reply:
    """Cannot be reached the first time."""
    if "cannot be reached" not in request.messages[0].text:
        raise ServerFailed("the server cannot be reached")
    return said("here after all")


def flies(request: Request) -> Any:
    """Launches, and says what came of it."""
    if not step_of(request):
        return ToolUse(id="l", name="launch")
    return said("launched")


def tools_of(world: World) -> dict[str, Any]:
    @tool(effect="write", repeat="safe")
    async def put(path: str, text: str, call: Call) -> str:
        """Put a text into a file, and another one beside it."""
        workspace = call.require_workspace()
        workspace.write(path, text.encode())
        world.fate.pass_by("between two writes of put")
        workspace.write(f"log/{path}", f"{text}for {call.role}\n".encode())
        return f"{path} was put there"

    @tool(effect="egress", repeat="keyed")
    async def pay(what: str, call: Call) -> str:
        """Pay for something, once for each key."""
        world.paid.setdefault(call.key, what)
        return f"{what} is paid for"

    @tool(effect="read")
    async def stumble() -> str:
        """Fail in a way that can be read."""
        raise ToolError("there is nothing to see")

    @tool(effect="irreversible", repeat="never")
    async def launch(call: Call) -> str:
        """Launch; there is no way back."""
        world.launched.append(call.address)
        return "launched"

    return {made.name: world.tool(made) for made in (put, pay, stumble, launch)}


def everything(world: World) -> Workflow:
    """Parallel strands, a correction, a model that fails and is asked again in a later turn, keyed
    and irreversible calls, and files that are written."""
    tools = tools_of(world)
    planner = Role("planner", writes=(Plan,))
    worker = Role(
        "worker",
        writes=(Artifact,),
        per=Task,
        tools=(tools["put"], tools["pay"], tools["stumble"]),
    )
    flaky, pilot = Role("flaky"), Role("pilot", tools=(tools["launch"],))
    graph = Graph(
        start(planner),
        handoff(planner, (worker, flaky)),
        handoff((worker, flaky), (flaky, pilot)),
        finish((flaky, pilot)),
        stop(when=turns(9)),
    )
    minds = {"planner": plans, "worker": works, "flaky": falters, "pilot": flies}
    return Workflow(
        graph,
        models={name: world.model(answer, name) for name, answer in minds.items()},
        approvals=Yes(),
    )


def asking(world: World) -> Workflow:
    """The little team where somebody has to say yes to the launch, and is not there at once."""
    return little(world).with_(approvals=ask(effect="irreversible"))


def little(world: World) -> Workflow:
    """One role that writes files and launches beside that, and says so."""
    tools = tools_of(world)

    def acts(request: Request) -> Any:
        if step_of(request):
            return said("done")
        return [
            ToolUse(id="w", name="put", arguments={"path": "a.txt", "text": "a\n"}),
            ToolUse(id="l", name="launch"),
        ]

    pilot = Role("pilot", tools=(tools["put"], tools["launch"]))
    return Workflow(pilot, model=world.model(acts, "pilot"), approvals=Yes())
