"""The same replies give the same board, whatever comes first.

Random teams of two to four strands, with parallel tool calls and failures of every kind, run once
under one order of completion. Then they run again under another, before a mind that answers what
was recorded, by the request's digest.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from hive import Graph, Limits, Role, Workflow, finish, handoff, posted, start, stop, tool, turns
from hive.beginning import desk_for
from hive.board.contributions import Note
from hive.board.entry import Entry
from hive.board.records import Fault, Inference, RunStarted
from hive.board.tape import Tape
from hive.clock import SystemClock
from hive.coordinator import Coordinator
from hive.errors import ModelError
from hive.journal.journal import new_run_id
from hive.journal.memory import MemoryJournal
from hive.message import Reply, Request, Text, ToolUse
from hive.testing import Gate, comparable
from hive.tools import Tool

ROLES = ("s0", "s1", "s2", "s3")
GOAL = "Go through it all."

ToolSpec = Literal["echo", "boom", "misfit", "unknown"]


@dataclass(frozen=True)
class Saying:
    """One reply of a role: words, tool calls, something unlawful, or a failure."""

    what: Literal["say", "tools", "malformed", "refuse", "fail", "break"]
    tools: tuple[ToolSpec, ...] = ()


@dataclass(frozen=True)
class Case:
    """A team, what each role says step by step, and in which order things complete."""

    strands: int
    rounds: int
    sayings: dict[str, tuple[Saying, ...]]
    orders: tuple[list[int], list[int]]


sayings = st.one_of(
    st.just(Saying("say")),
    st.builds(
        lambda tools: Saying("tools", tuple(tools)),
        st.lists(st.sampled_from(["echo", "boom", "misfit", "unknown"]), min_size=1, max_size=3),
    ),
    st.sampled_from([Saying("malformed"), Saying("refuse"), Saying("fail"), Saying("break")]),
)
cases = st.builds(
    Case,
    strands=st.integers(2, 4),
    rounds=st.integers(1, 2),
    sayings=st.fixed_dictionaries(
        {role: st.lists(sayings, max_size=4).map(tuple) for role in ROLES}
    ),
    orders=st.tuples(*[st.lists(st.integers(0, 7), max_size=40)] * 2),
)


@dataclass
class Minds:
    """One mind in all chairs: it speaks by the case, or serves what was recorded."""

    case: Case
    gate: Gate
    recorded: dict[tuple[str, str], Inference | Fault] | None = None
    name: str = "script:all"
    asked: list[str] = field(default_factory=list)

    async def complete(self, request: Request) -> Reply:
        role = request.system.split("'")[1]
        self.asked.append(role)
        await self.gate.enter(role)
        if self.recorded is not None:
            return served(self.recorded[role, request.digest])
        step = sum(message.role == "assistant" for message in request.messages)
        told = self.case.sayings.get(role, ())
        return spoken(told[step] if step < len(told) else Saying("say"), role, step)


def spoken(saying: Saying, role: str, step: int) -> Reply:
    match saying.what:
        case "say":
            return Reply(parts=(Text(text=f"{role} has taken {step} steps."),))
        case "tools":
            return Reply(
                parts=tuple(
                    ToolUse(id=str(number), name=name_of(spec), arguments=arguments(spec, number))
                    for number, spec in enumerate(saying.tools)
                ),
                stop="tools",
            )
        case "malformed":
            return Reply(parts=(ToolUse(id="m", name="echo", malformed="{"),), stop="tools")
        case "refuse":
            return Reply(parts=(Text(text="I would rather not."),), stop="refusal")
        case "fail":
            raise ModelError(f"{role} was cut off")
        case "break":
            raise RuntimeError(f"{role} broke down")


def name_of(spec: ToolSpec) -> str:
    return "echo" if spec == "misfit" else spec


def arguments(spec: ToolSpec, number: int) -> dict[str, JsonValue]:
    return {"word": number} if spec == "misfit" else {"word": f"w{number}"}


def served(recorded: Inference | Fault) -> Reply:
    if isinstance(recorded, Inference):
        return Reply(
            parts=recorded.parts,
            stop=recorded.stop,
            usage=recorded.usage,
            model=recorded.model,
            attempts=recorded.attempts,
        )
    kind, _, message = recorded.message.partition(": ")
    raise ModelError(message) if kind == "ModelError" else RuntimeError(message)


def tools_at(gate: Gate) -> tuple[Tool, ...]:
    @tool(effect="read")
    async def echo(word: str) -> str:
        """Say it again."""
        await gate.enter("echo")
        return word * 2

    @tool(effect="write")
    async def boom(word: str) -> str:
        """Fail."""
        await gate.enter("boom")
        raise ValueError(word)

    return echo, boom


def team(case: Case, gate: Gate, minds: Minds) -> Workflow:
    """A fork of some strands, a join, and once more if the case says so."""
    workers = tuple(Role(name, tools=tools_at(gate)) for name in ROLES[: case.strands])
    closer = Role("closer")
    graph = Graph(
        start(workers),
        handoff(workers, closer),
        handoff(closer, workers, when=~turns(2 * case.rounds)),
        finish(closer, when=turns(2 * case.rounds) & posted(Note)),
        stop(when=turns(9)),
    )
    return Workflow(graph, model=minds, limits=Limits(steps=6))


async def board(
    case: Case,
    order: Iterable[int],
    recorded: dict[tuple[str, str], Inference | Fault] | None = None,
) -> tuple[list[Entry], Minds]:
    """The entries of a run whose calls complete in a given order."""
    gate = Gate()
    minds = Minds(case, gate, recorded)
    workflow = team(case, gate, minds)
    desk = desk_for(workflow, new_run_id(), MemoryJournal(), SystemClock(), Tape(), None, None)
    first = RunStarted(
        run=desk.writer.run,
        hive="test",
        schema_version=1,
        workflow="random",
        fingerprint=desk.writer.keep(workflow.manifest_bytes),
        vocabulary=desk.writer.keep(workflow.vocabulary_bytes),
    )
    conductor = asyncio.create_task(gate.sequence(order))
    try:
        await Coordinator(workflow.team(), desk, GOAL, seed=7).run(first)
    finally:
        conductor.cancel()
        desk.deadline.close()
    return list(desk.writer.board.entries), minds


def answers(entries: list[Entry]) -> dict[tuple[str, str], Inference | Fault]:
    """What was answered, by role and digest of the request."""
    return {
        (entry.author, entry.payload.digest): entry.payload
        for entry in entries
        if isinstance(entry.payload, Inference | Fault) and entry.payload.digest
    }


@given(cases)
@settings(max_examples=60)
def test_served_replies_give_the_same_board_in_any_order_of_completion(case: Case) -> None:
    live, _ = asyncio.run(board(case, case.orders[0]))
    again, minds = asyncio.run(board(case, case.orders[1], recorded=answers(live)))
    assert comparable(again) == comparable(live)
    assert len(minds.asked) == sum(entry.kind == "Request" for entry in live)


def test_orders_differ_and_strands_interleave() -> None:
    """The property above is no comparison of equal runs: orders do change what arrives first."""
    tools = tuple(Saying("tools", ("echo", "boom")) for _ in range(2))
    case = Case(3, 1, dict.fromkeys(ROLES, tools), ([], []))
    arrived = [
        [str(entry.address) for entry in asyncio.run(board(case, order))[0]]
        for order in ([], [2, 1, 3, 0, 2, 5, 1])
    ]
    assert arrived[0] != arrived[1]
    assert sorted(arrived[0]) == sorted(arrived[1])
