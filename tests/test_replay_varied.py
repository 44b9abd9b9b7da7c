"""Replay of teams of every kind: programs, typed output, strands per entry, advisors, chance, caps.

Each team runs live once, its calls completing in a drawn order. Then a tape of that run stands in
for every mind and tool, forbids live calls, and the same board must come out of it.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from hypothesis import given, settings
from hypothesis import strategies as st

from hive import (
    Budget,
    EpsilonGreedy,
    Finding,
    Graph,
    GraphOrder,
    Limits,
    Note,
    Payload,
    Role,
    RoundRobin,
    Task,
    View,
    Workflow,
    failed,
    finish,
    handoff,
    start,
    stop,
    tool,
    turns,
)
from hive.beginning import desk_for
from hive.board.entry import Entry
from hive.board.tape import Tape
from hive.clock import SystemClock
from hive.control import Chooser, Mention, Policy
from hive.coordinator import Coordinator
from hive.errors import Divergence, ModelError
from hive.journal.journal import new_run_id
from hive.journal.memory import MemoryJournal
from hive.message import Reply, Request, Text, ToolUse
from hive.testing import Gate, comparable, opening
from hive.tools import Tool, ToolOutput, by_tool
from tests.phases.replies import Colour
from tests.sound import sound

Shape = Literal["talker", "typed", "poster", "program", "broken program"]
FIRST = ("amy", "bob", "cat")
GOAL = "Go through it all."
NO_REPLY = Reply(parts=(Text(text="no"),), stop="refusal")


def use(name: str, /, number: int = 0, **arguments: Any) -> ToolUse:
    return ToolUse(id=str(number), name=name, arguments=arguments)


said: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(["a word", '{"name": "red"}', '{"name": "green"}', "@cat should look at it"]),
    st.sampled_from(["fail", "break", "refuse"]),
    st.lists(
        st.sampled_from(
            [
                use("echo", word="w"), use("echo", word=7), use("boom", word="x"),
                use("measure"), use("dig"), use("post_Colour", name="red"),
                use("post_Task", id="T1", title="t"), use("post_Finding", claim="c"),
                use("handoff", to="last", reason="r"), use("pass", reason="done"),
            ]
        ),
        min_size=1,
        max_size=3,
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A team, what its minds say step by step, its policy and caps, and an order of completion."""

    shapes: tuple[Shape, ...]
    lines: dict[str, list[Any]]
    policy: int
    samples: int
    calls: int | None
    order: list[int]
    advice: list[str] = field(default_factory=list)


cases = st.builds(
    Case,
    shapes=st.tuples(*[st.sampled_from(Shape.__args__)] * 3),  # type: ignore[attr-defined]
    lines=st.fixed_dictionaries(
        {name: st.lists(said, max_size=3) for name in (*FIRST, "worker", "last")}
    ),
    policy=st.integers(0, 4),
    samples=st.integers(1, 2),
    calls=st.none() | st.integers(1, 9),
    order=st.lists(st.integers(0, 7), max_size=30),
    advice=st.lists(st.sampled_from(['{"move": "1", "reason": "r"}', "nonsense"]), max_size=3),
)


@dataclass
class Mind:
    """One mind in all chairs, which waits at the gate before it says its line."""

    case: Case
    gate: Gate
    name: str = "script:all"

    async def complete(self, request: Request) -> Reply:
        role = request.system.split("'")[1]
        await self.gate.enter(role)
        step = sum(message.role == "assistant" for message in request.messages)
        lines = self.case.advice if role == "chooser" else self.case.lines.get(role, [])
        line = lines[step] if step < len(lines) else "done"
        if line == "fail":
            raise ModelError(f"{role} was cut off")
        if line == "break":
            raise RuntimeError(f"{role} broke down")
        if line == "refuse":
            return NO_REPLY
        if isinstance(line, str):
            return Reply(parts=(Text(text=line),))
        uses = [each.model_copy(update={"id": str(n)}) for n, each in enumerate(line)]
        return Reply(parts=tuple(uses), stop="tools")


def tools_at(gate: Gate) -> tuple[Tool, ...]:
    @tool(effect="read")
    async def echo(word: str) -> str:
        """Say it again."""
        await gate.enter("echo")
        return word * 2

    @tool(effect="write")
    async def boom(word: str) -> str:
        """Is never allowed."""
        raise AssertionError(word)

    @tool(effect="read", posts=(Task, Finding))
    async def measure() -> ToolOutput:
        """Post what was measured."""
        await gate.enter("measure")
        return ToolOutput("measured", posts=(Task(id="T9", title="m"), Finding(claim="m")))

    return echo, boom, measure


def shaped(name: str, shape: Shape, tools: tuple[Tool, ...]) -> Role:
    async def program(view: View) -> Sequence[Payload]:
        if shape == "broken program":
            raise LookupError(f"{name} is broken")
        return [Task(id=f"T-{name}", title=str(len(view.entries))), Note(text=name)]

    match shape:
        case "talker":
            return Role(name, tools=tools)
        case "typed":
            return Role(name, writes=(Colour,), corrections=1)
        case "poster":
            return Role(name, writes=(Colour, Finding, Task), tools=tools, corrections=1)
        case _:
            return Role(name, writes=(Task, Note), program=program)


def team(case: Case, gate: Gate) -> Workflow:
    """Three beside each other or in turn, a strand for each task, and a last one who closes."""
    tools = tools_at(gate)
    first = tuple(
        shaped(name, shape, tools) for name, shape in zip(FIRST, case.shapes, strict=True)
    )
    worker, last = Role("worker", per=Task, tools=tools), Role("last", writes=(Note, Task))
    graph = Graph(
        start(first, samples=case.samples),
        start(first[0]),
        handoff(first, worker),
        *(handoff(role, worker) for role in first),
        *(handoff(role, last) for role in first),
        handoff(worker, last),
        handoff(last, worker, when=~turns(5)),
        finish(last, when=~failed(last)),
        stop(when=turns(6)),
    )
    policies: tuple[Policy, ...] = (
        GraphOrder(), RoundRobin(), EpsilonGreedy(GraphOrder(), 0.5), Chooser(), Mention(),
    )  # fmt: skip
    return Workflow(
        graph,
        model=Mind(case, gate),
        policy=policies[case.policy],
        budget=Budget(calls=case.calls),
        approvals=by_tool(boom="deny"),
        limits=Limits(steps=4, strands=4),
    )


async def board(case: Case, tape: Tape, order: Sequence[int]) -> tuple[list[Entry], list[str]]:
    """The entries of a run over a tape, and who was asked live."""
    gate = Gate()
    workflow = team(case, gate)
    desk = desk_for(workflow, new_run_id(), MemoryJournal(), SystemClock(), tape, None, None)
    conductor = asyncio.create_task(gate.sequence(order))
    try:
        await Coordinator(workflow.team(), desk, GOAL, seed=7).run(opening(workflow, desk, seed=7))
    finally:
        conductor.cancel()
        desk.deadline.close()
    return list(desk.writer.board.entries), gate.arrivals


@given(cases)
@settings(max_examples=150)
def test_a_tape_of_any_run_gives_its_board_again_without_a_call(case: Case) -> None:
    live, _ = asyncio.run(board(case, Tape(), case.order))
    sound(live)
    again, asked = asyncio.run(board(case, Tape(live, live=False), ()))
    assert asked == []
    assert comparable(again) == comparable(live)
    sound(again)


@given(cases, st.integers(0, 200))
@settings(max_examples=100)
def test_a_tape_that_ends_early_is_where_replay_diverges_and_where_a_fork_goes_on(
    case: Case, cut: int
) -> None:
    live, _ = asyncio.run(board(case, Tape(), case.order))
    kept = live[: cut % len(live)]
    try:
        asyncio.run(board(case, Tape(kept, live=False), ()))
        diverged = False
    except* Divergence:
        diverged = True
    answered = {e.address for e in live if e.kind in ("Inference", "Observation", "Fault")}
    missing = answered - {entry.address for entry in kept}
    assert diverged or not missing or case.calls is not None
    forked, asked = asyncio.run(board(case, Tape(kept), case.order))
    sound(forked)
    if not missing:
        assert asked == []
