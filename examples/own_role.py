"""A role of your own, with a payload of its own, a tool of its own, and one strand per task.

Is the cold room cold enough? The planner cuts the question into one task per room, the surveyor
takes all open tasks at once and measures, the judge rules. Planner and judge are programs. The
surveyor sits in a language model's chair; here the program `measure` sits in it, and
`hive run ./own_role.py:team GOAL --model surveyor=openai:gpt-5-mini` seats a language model.
"""

import json

from hive import (
    Graph,
    Note,
    Payload,
    Plan,
    Role,
    Task,
    View,
    Workflow,
    finish,
    handoff,
    start,
    stop,
    tool,
    turns,
)
from hive.message import Request, ToolUse
from hive.models import FunctionModel

READINGS = {"cold room": 3.4, "freezer": -16.5, "cellar": 11.0}
WARMEST = {"cold room": 5.0, "freezer": -18.0, "cellar": 12.0}


class Measurement(Payload):
    """One number that someone else could check."""

    room: str
    value: float
    unit: str


@tool(effect="read")  # it changes nothing, so after a crash it may be called again
async def thermometer(room: str) -> float:
    """Read the temperature of a room, in degrees Celsius."""
    if room not in READINGS:
        raise ValueError(f"there is no thermometer in {room!r}, only in {', '.join(READINGS)}")
    return READINGS[room]


def measure(request: Request) -> str | ToolUse:
    """The surveyor's mind: read the thermometer of the task's room, then answer."""
    room = json.loads(request.messages[0].text.rpartition(" Task ")[2])["detail"]
    last = request.messages[-1]
    if last.role == "user":
        return ToolUse(id="reading", name="thermometer", arguments={"room": room})
    read = [part.text for part in last.parts if part.type == "tool_result"]
    return json.dumps({"room": room, "value": float(read[0]), "unit": "°C"})


async def plan(view: View) -> Plan:
    """One task for each room."""
    tasks = [
        Task(id=f"T{number}", title=f"Measure the {room}.", detail=room)
        for number, room in enumerate(READINGS, 1)
    ]
    done = "Every room has a Measurement."
    return Plan(summary="Measure every room.", tasks=tuple(tasks), done_when=done)


async def rule(view: View) -> Note:
    """Hold every measurement against the warmest that its room may be."""
    found = [entry.payload for entry in view.entries if isinstance(entry.payload, Measurement)]
    said = [f"{m.room} {m.value} {m.unit} (at most {WARMEST[m.room]})" for m in found]
    warm = [m.room for m in found if m.value > WARMEST[m.room]]
    head = f"No, too warm: {', '.join(warm)}." if warm else "Yes."
    return Note(text=f"{head} Measured: {', '.join(said)}.")


planner = Role("planner", writes=(Plan,), program=plan)
surveyor = Role(
    "surveyor",
    "Measure what the task asks for with `thermometer`, and answer with the Measurement. Never"
    " guess a number; if a room has no thermometer, `pass` and say so.",
    reads=(Task,),
    writes=(Measurement,),
    tools=(thermometer,),
    per=Task,
)
judge = Role("judge", reads=(Measurement,), writes=(Note,), program=rule)

team = Workflow(
    Graph(
        start(planner),
        handoff(planner, surveyor),
        handoff(surveyor, judge),
        finish(judge),
        stop(when=turns(10)),
    ),
    model=FunctionModel(measure),
    name="cold room",
)

if __name__ == "__main__":
    result = team.run_sync("Is every room cold enough?")
    print("All minds are programs.\n")
    for entry in sorted(result.entries, key=lambda entry: entry.address):
        if entry.kind in ("Task", "Measurement"):
            print(f"[{entry.address}] {entry.kind} by {entry.author}: {entry.body.decode()}")
    print(f"\n{result.text}")
