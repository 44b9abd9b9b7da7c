"""Teams for the command's tests; their minds are programs, each does one thing worth testing."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import anyio
from pydantic import JsonValue

from hive import (
    Budget,
    Graph,
    Note,
    Payload,
    Review,
    Role,
    Workflow,
    approved,
    finish,
    handoff,
    rejected,
    start,
    stop,
    tool,
    turns,
)
from hive.control import Choice, Situation
from hive.message import Reply, Request, Text, ToolUse, Usage
from hive.models import FunctionModel
from hive.tools import Call, allow, write_file


class Score(Payload):
    """A kind of the user's own."""

    points: int
    of: int


@tool(effect="irreversible")
def launch(where: str, call: Call) -> str:
    """Launch a rocket; there is no way back."""
    Path("launched").write_text(where)
    return f"launched to {where}"


def drafts(request: Request) -> Reply | ToolUse:
    """Writes a draft with the number of reviews it has seen."""
    seen = request.messages[0].text.count("Review by critic")
    if request.messages[-1].role == "tool":
        usage = Usage(input=100, output=20)
        return Reply(parts=(Text(text=f"draft {seen}"),), usage=usage)
    return ToolUse(
        id="w", name="write_file", arguments={"path": "draft.txt", "text": f"draft {seen}\nend\n"}
    )


def judges(request: Request) -> str:
    """Approves from the third draft on."""
    seen = request.messages[0].text.count("Review by critic")
    return json.dumps({"approved": seen >= 2, "reasons": [f"draft {seen} was read"]})


def refuses(request: Request) -> str:
    return json.dumps({"approved": False, "reasons": ["never good enough"]})


def fires(request: Request) -> str | ToolUse:
    last = request.messages[-1]
    if last.role == "tool":
        return "told: " + "; ".join(part.text for part in last.parts if part.type == "tool_result")
    return ToolUse(id="l", name="launch", arguments={"where": "the moon"})


async def sleeps(request: Request) -> str:
    """Sleeps for ever, unless there is a file named awake."""
    if not await anyio.Path("awake").exists():
        await anyio.sleep_forever()
    return "slept well"


async def at_gate() -> None:
    """Wait until somebody writes into the pipe named gate."""
    gate = os.open("gate", os.O_RDONLY | os.O_NONBLOCK)
    try:
        await anyio.wait_readable(gate)
    finally:
        os.close(gate)


async def waits(request: Request) -> str:
    """Waits at the gate."""
    await at_gate()
    return "waited"


def repeats(request: Request) -> str:
    """Says what the user has told it."""
    said = [part.text for part in request.messages[0].parts if part.type == "text"]
    heard = [text.partition("\n")[2] for text in said if " UserMessage by user " in text]
    return f"heard {', '.join(json.loads(data)['text'] for data in heard) or 'nothing'}"


@tool(effect="irreversible")
async def hold(what: str) -> str:
    """Hold something, and wait at the gate."""
    await anyio.Path("held").write_text(what)
    await at_gate()
    return f"held {what}"


def holds(request: Request) -> str | ToolUse:
    last = request.messages[-1]
    if last.role == "tool":
        return "told: " + "; ".join(part.text for part in last.parts if part.type == "tool_result")
    return ToolUse(id="h", name="hold", arguments={"what": "the line"})


def blocks(request: Request) -> str:
    """Holds the event loop up for ever."""
    time.sleep(1000)
    return "never said"


def scores(request: Request) -> str:
    return json.dumps({"points": 7, "of": 10})


NASTY = "\x1b[2J\x1b]0;title\x07\x9b31mred\u202e"
"""What would clear a terminal, rename it, colour it and turn its lines round."""


def is_nasty(request: Request) -> str | ToolUse:
    """Puts into every place it can what no terminal should be shown."""
    if request.messages[-1].role == "tool":
        return f"note {NASTY}"
    arguments: dict[str, JsonValue] = {"path": "draft.txt", "text": f"file {NASTY}\n"}
    return ToolUse(id="n", name="write_file", arguments=arguments)


class Undecided:
    """A policy that breaks."""

    name = "undecided"

    def decide(self, situation: Situation) -> Choice:
        raise LookupError("no idea")


writer = Role("writer", "Write a draft.", tools=(write_file,))
critic = Role("critic", "Judge the draft.", writes=(Review,))
pilot = Role("pilot", "Fly.", tools=(launch,))
guest = Role("guest", "Say something.")
sleeper = Role("sleeper", "Sleep.")
judge = Role("judge", "Score it.", writes=(Score,))
waiter = Role("waiter", "Wait.")
echo = Role("echo", "Repeat what the user says.", reads=(Score,))
holder = Role("holder", "Hold on.", tools=(hold,))

MINDS = {"writer": FunctionModel(drafts), "critic": FunctionModel(judges)}
round_trip = Graph(
    start(writer),
    handoff(writer, critic),
    handoff(critic, writer, when=rejected),
    finish(critic, when=approved),
    stop(when=turns(8)),
)

scribes = Workflow(round_trip, models=MINDS, name="scribes")
stubborn = scribes.with_models(critic=FunctionModel(refuses))
capped = stubborn.with_(budget=Budget(usd=1, turns=3))
rocket = Workflow(pilot, model=FunctionModel(fires))
napping = Workflow(
    guest >> sleeper,
    models={
        "guest": FunctionModel(lambda r: "good night", "guest"),
        "sleeper": FunctionModel(sleeps),
    },
)
PATIENT = {"waiter": FunctionModel(waits), "echo": FunctionModel(repeats)}
patient = Workflow(waiter >> echo, models=PATIENT, name="patient")
launching = Workflow(
    Graph(start((pilot, waiter)), handoff((pilot, waiter), echo), finish(echo)),
    models={**PATIENT, "pilot": FunctionModel(fires)},
)
fleet = Workflow(
    Graph(start((pilot, pilot2 := pilot.with_(name="second"))), finish((pilot, pilot2))),
    model=FunctionModel(fires),
)
holding = Workflow(holder, model=FunctionModel(holds), approvals=allow())
blocking = Workflow(guest, model=FunctionModel(blocks))
scored = Workflow(judge, model=FunctionModel(scores))
nasty = Workflow(writer, model=FunctionModel(is_nasty))
undecided = scribes.with_(policy=Undecided())
chain = guest >> sleeper
several = Workflow(
    Graph(
        start((guest, judge)),
        handoff((guest, judge), sleeper),
        finish(sleeper),
    ),
    models={
        "guest": FunctionModel(lambda r: "hello", "guest"),
        "judge": FunctionModel(scores),
        "sleeper": FunctionModel(lambda r: "good night", "sleeper"),
    },
)
notes = (Note,)
number = 3
