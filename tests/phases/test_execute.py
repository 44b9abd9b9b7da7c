"""Tools at work: recorded before they run, judged, side by side, bounded, told back in order."""

import asyncio
import math
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pydantic import JsonValue

from hive import Finding, Limits, Note, Payload, Role, Workflow, tool
from hive.board.entry import Entry
from hive.board.records import Approval, Fault, Observation, Suspension, ToolCall
from hive.journal.memory import MemoryJournal
from hive.journal.sqlite import SQLiteJournal
from hive.message import Request, ToolResult, ToolUse
from hive.testing import FunctionModel, Gate, ScriptedModel, play
from hive.tools import (
    Approver,
    Call,
    Judgement,
    ProposedCall,
    Tool,
    ToolOutput,
    allow,
    ask,
    by_tool,
    deny,
)

pytestmark = pytest.mark.asyncio


def use(identity: str, name: str, /, **arguments: JsonValue) -> ToolUse:
    return ToolUse(id=identity, name=name, arguments=arguments)


def calling(*uses: ToolUse) -> ScriptedModel:
    """A model that asks for these tools at once, and then has done."""
    return ScriptedModel([list(uses), "done"])


def told(model: ScriptedModel) -> list[ToolResult]:
    """What the model was told of its calls."""
    return [part for part in model.requests[1].messages[-1].parts if isinstance(part, ToolResult)]


def payloads(entries: list[Entry] | tuple[Entry, ...], cls: type[Any]) -> list[Any]:
    return [entry.payload for entry in entries if isinstance(entry.payload, cls)]


def gated(gate: Gate, name: str, **options: Any) -> Tool:
    """A tool whose calls wait at the gate under their word."""

    async def run(arguments: Mapping[str, Any], call: Call) -> str:
        await gate.enter(arguments["word"])
        return f"{arguments['word']} is done"

    schema: dict[str, JsonValue] = {
        "type": "object",
        "properties": {"word": {"type": "string"}},
        "required": ["word"],
    }
    return Tool(name, "Wait.", schema, run, **options)


@tool(effect="read")
async def double(number: int, times: int = 2) -> int:
    """Double a number."""
    return number * times


async def test_the_calls_of_one_reply_run_side_by_side_and_are_told_in_its_order() -> None:
    gate = Gate()
    model = calling(*[use(str(i), "wait", word=f"w{i}") for i in range(3)])
    playing = asyncio.create_task(play(Role("a", tools=(gated(gate, "wait"),)), model))
    await gate.arrived("w0", "w1", "w2")
    gate.release("w2", "w0", "w1")
    entries = await playing
    assert [result.text for result in told(model)] == ["w0 is done", "w1 is done", "w2 is done"]
    assert [result.id for result in told(model)] == ["0", "1", "2"]
    places = [".".join(map(str, entry.address.place)) for entry in entries]
    assert places == [
        "0.0", "0.1", "0.2", "0.2.0", "0.2.1", "0.3", "0.3.0", "0.3.1", "0.4", "0.4.0", "0.4.1",
        "1.0", "1.1", "1.2",
    ]  # fmt: skip
    assert entries[5].causes == ("1/a/0.1",)
    assert entries[7].causes == ("1/a/0.3",)
    assert entries[11].causes == ("1/a/0.1", "1/a/0.2.1", "1/a/0.3.1", "1/a/0.4.1")


@pytest.mark.parametrize("synchronous", ["normal", "full"])
async def test_every_call_of_a_reply_is_durable_before_the_first_is_made(
    synchronous: str, tmp_path: Path
) -> None:
    path = tmp_path / "journal.db"
    seen: list[list[str]] = []

    @tool(effect="write")
    async def witness(word: str) -> str:
        """Look at the journal through a connection of its own."""
        with closing(SQLiteJournal(path)) as other:
            run = other.runs()[0]
            seen.append(
                [s.row.header.decode().split('"kind":"')[1].split('"')[0] for s in other.read(run)]
            )
            bodies = [stored.body for stored in other.read(run)]
            assert any(word.encode() in (body or b"") for body in bodies)
        return word

    model = calling(use("1", "witness", word="alpha"), use("2", "witness", word="omega"))
    own = SQLiteJournal(path, synchronous="full" if synchronous == "full" else "normal")
    with closing(own):
        result = await Workflow(Role("a", tools=(witness,)), model=model).run("g", journal=own)
    assert result.finished
    assert len(seen) == 2
    for kinds in seen:
        assert kinds.count("ToolCall") == kinds.count("Approval") == 2
        assert kinds.count("Inference") == 1


async def test_arguments_are_checked_and_told_what_would_be_right() -> None:
    model = calling(
        use("1", "double", number="seven"), use("2", "double"), use("3", "double", number=2, x=1)
    )
    entries = await play(Role("a", tools=(double,)), model)
    assert [result.error for result in told(model)] == [True] * 3
    first, second, third = (result.text for result in told(model))
    assert "invalid arguments for double: number: " in first
    assert "number is missing" in second
    assert "there is no argument x" in third
    assert all("It takes: number, times" in result.text for result in told(model))
    assert [o.error for o in payloads(entries, Observation)] == [True] * 3


async def test_a_result_says_where_it_stands_and_values_come_as_json() -> None:
    model = calling(use("1", "double", number=21))
    await play(Role("a", tools=(double,)), model)
    (result,) = told(model)
    assert (result.text, result.source, result.error) == ("42", "1/a/0.2.1", False)


async def test_what_a_tool_says_is_from_outside() -> None:
    entries = await play(Role("a", tools=(double,)), calling(use("1", "double", number=1)))
    (observation,) = [entry for entry in entries if entry.kind == "Observation"]
    assert (observation.label, observation.origin) == ("outside", "tool:double")
    assert observation.author == "a"


async def test_a_tool_that_breaks_is_an_observation_and_the_run_goes_on() -> None:
    @tool(effect="read")
    async def broken(word: str) -> str:
        """Break."""
        raise RuntimeError(f"no {word}")

    model = calling(use("1", "broken", word="x"))
    entries = await play(Role("a", tools=(broken,)), model)
    assert told(model)[0].text == "broken failed: RuntimeError: no x"
    assert entries[-1].payload == Note(text="done")


async def test_a_tool_that_takes_too_long_is_cancelled_and_says_so() -> None:
    gate = Gate()
    model = calling(use("1", "wait", word="never"))
    slow = gated(gate, "wait", timeout=0.001)
    entries = await play(Role("a", tools=(slow,)), model)
    assert gate.arrivals == ["never"]
    assert gate.waiting == ()
    assert told(model)[0].text == "wait did not finish within 0.001 s and was cancelled"
    assert told(model)[0].error
    assert entries[-1].payload == Note(text="done")


async def test_one_slow_call_does_not_cancel_the_others() -> None:
    gate = Gate()
    slow, quick = gated(gate, "slow", timeout=0.001), gated(gate, "quick")
    model = calling(use("1", "slow", word="never"), use("2", "quick", word="soon"))
    gate.release("soon")
    await play(Role("a", tools=(slow, quick)), model)
    assert [result.error for result in told(model)] == [True, False]


async def test_long_results_are_shortened_in_the_conversation_and_whole_on_the_board() -> None:
    @tool(effect="read")
    async def recite(times: int) -> str:
        """Recite."""
        return "abc" * times

    model = calling(use("1", "recite", times=1000))
    limits = Limits(observation_chars=90)
    entries = await play(Role("a", tools=(recite,)), model, limits=limits)
    (observation,) = payloads(entries, Observation)
    assert observation.text == "abc" * 1000
    assert told(model)[0].text == (
        "abc" * 20 + "\n[… 2910 characters left out here;"
        " ask for a smaller piece to read the rest …]\n" + "abc" * 10
    )


@pytest.mark.parametrize("text", ["\ud800 alone", "a\x00b", "é\u2028🐝"])
async def test_any_text_of_a_tool_can_be_recorded(text: str) -> None:
    @tool(effect="read")
    async def odd() -> str:
        """Say something odd."""
        return text

    model = calling(use("1", "odd"))
    entries = await play(Role("a", tools=(odd,)), model)
    (observation,) = payloads(entries, Observation)
    assert observation.text == text.replace("\ud800", "\ufffd")
    assert told(model)[0].text == observation.text


class Measured(Payload):
    """What only a tool posts."""

    data: Any


def measuring(*data: Any) -> Tool:
    async def run(arguments: Mapping[str, Any], call: Call) -> ToolOutput:
        return ToolOutput("measured", posts=tuple(Measured(data=value) for value in data))

    return Tool("measure", "Measure.", {}, run, posts=(Measured,))


async def test_a_tool_posts_what_it_declares_from_outside() -> None:
    entries = await play(Role("a", tools=(measuring(1, 2),)), calling(use("1", "measure")))
    found = [entry for entry in entries if entry.kind == "Measured"]
    assert [entry.payload for entry in found] == [Measured(data=1), Measured(data=2)]
    assert [str(entry.address) for entry in found] == ["1/a/0.2.2", "1/a/0.2.3"]
    assert {(e.author, e.origin, e.label) for e in found} == {
        ("tool:measure", "tool:measure", "outside")
    }
    assert {entry.causes for entry in found} == {("1/a/0.2.1",)}


async def test_what_a_tool_posts_and_cannot_be_written_is_the_tools_error() -> None:
    model = calling(use("1", "measure"))
    entries = await play(Role("a", tools=(measuring(1, math.nan),)), model)
    assert [entry for entry in entries if entry.kind == "Measured"] == []
    (result,) = told(model)
    assert result.error
    assert "Measured.data is nan" in result.text
    assert entries[-1].payload == Note(text="done")


async def test_tools_are_told_who_calls_from_where() -> None:
    calls: list[Call] = []

    @tool(effect="read")
    async def look(call: Call) -> str:
        """Look at the call itself."""
        calls.append(call)
        latest = call.latest("Finding")
        return "nothing" if latest is None else latest.model_dump_json()

    model = calling(use("1", "look"))
    entries = await play(Role("a", tools=(look,)), model, [Finding(claim="known")])
    (call,) = calls
    (recorded,) = payloads(entries, ToolCall)
    assert (call.role, call.address, call.workspace) == ("a", "1/a/0.2", None)
    assert call.key == recorded.key == f"{call.run}/1/a/0.2"
    assert '"claim":"known"' in told(model)[0].text
    assert "call" not in str(look.schema)


@pytest.mark.parametrize(
    ("approvals", "decision", "by"),
    [
        (None, "allow", "default"),
        (allow(effect="read"), "allow", "allow(effect='read')"),
        (deny(effect="write") | allow(), "allow", "allow()"),
        (deny(role="a"), "deny", "deny(role='a')"),
        (by_tool(double="deny"), "deny", "by_tool(double='deny')"),
    ],
)
async def test_every_ruling_is_recorded(approvals: Approver, decision: str, by: str) -> None:
    model = calling(use("1", "double", number=1))
    entries = await play(Role("a", tools=(double,)), model, approvals=approvals)
    (approval,) = payloads(entries, Approval)
    assert (approval.decision, approval.by) == (decision, by)
    assert approval.reason
    (result,) = told(model)
    if decision == "deny":
        assert result.error
        assert result.text == f"double was denied by {by}: double has effect read"
    else:
        assert result.text == "2"


async def test_an_approver_sees_the_call_and_how_far_it_can_be_trusted() -> None:
    proposed: list[ProposedCall] = []

    class Noting:
        async def judge(self, call: ProposedCall) -> Judgement:
            proposed.append(call)
            return Judgement("allow", "", "noting")

    model = ScriptedModel([use("1", "double", number=1), use("2", "double", number=2), "done"])
    await play(Role("a", tools=(double,)), model, approvals=Noting())
    assert [(p.tool, p.effect, p.arguments, p.role, p.label) for p in proposed] == [
        ("double", "read", {"number": 1}, "a", "model"),
        ("double", "read", {"number": 2}, "a", "outside"),
    ]


def counting(counts: list[str], **options: Any) -> Tool:
    async def run(arguments: Mapping[str, Any], call: Call) -> str:
        counts.append(call.key)
        return "fired"

    return Tool("fire", "Fire.", {}, run, effect="irreversible", **options)


async def test_a_call_that_needs_a_person_suspends_the_run_and_is_made_once_allowed() -> None:
    counts: list[str] = []
    asked: list[Request] = []

    def answer(request: Request) -> str | ToolUse:
        asked.append(request)
        return "done" if len(request.messages) > 1 else use("1", "fire")

    journal = MemoryJournal()
    workflow = Workflow(Role("a", tools=(counting(counts),)), model=FunctionModel(answer))
    waiting = await workflow.run("g", journal=journal)
    assert (waiting.outcome, waiting.finished, waiting.reason) == ("waiting", False, None)
    assert waiting.waits_for == ("approval: fire has effect irreversible",)
    assert counts == []
    (suspension,) = payloads(waiting.entries, Suspension)
    assert (suspension.waits_for, suspension.subject) == ("approval", "1/a/0.2")

    still = await workflow.resume(waiting.run, journal=journal).result()
    assert still.waits_for == waiting.waits_for
    assert counts == []

    result = await workflow.resume(waiting.run, journal=journal, approvals=allow()).result()
    assert result.finished
    assert result.text == "done"
    assert counts == [f"{waiting.run}/1/a/0.2"]
    assert len(asked) == 2
    assert [a.decision for a in payloads(result.entries, Approval)] == ["ask", "allow"]
    assert list(result.state.approvals) == []


async def test_a_call_that_a_person_denies_is_told_so() -> None:
    counts: list[str] = []
    journal, model = MemoryJournal(), calling(use("1", "fire"))
    workflow = Workflow(Role("a", tools=(counting(counts),)), model=model)
    waiting = await workflow.run("g", journal=journal)
    result = await workflow.resume(waiting.run, journal=journal, approvals=deny()).result()
    assert result.finished
    assert counts == []
    assert told(model)[0].text == "fire was denied by deny(): fire has effect irreversible"


async def test_what_need_not_wait_is_done_before_the_run_is_suspended() -> None:
    counts: list[str] = []
    journal = MemoryJournal()
    model = calling(use("1", "fire"), use("2", "double", number=4))
    workflow = Workflow(Role("a", tools=(counting(counts), double)), model=model)
    waiting = await workflow.run("g", journal=journal)
    assert [o.text for o in payloads(waiting.entries, Observation)] == ["8"]
    result = await workflow.resume(waiting.run, journal=journal, approvals=allow()).result()
    assert [result.text for result in told(model)] == ["fired", "8"]
    assert [o.text for o in payloads(result.entries, Observation)] == ["8", "fired"]


async def test_only_what_still_waits_is_named() -> None:
    counts: list[str] = []
    journal = MemoryJournal()
    rules = ask(effect="irreversible") | ask(effect="read")
    model = calling(use("1", "fire"), use("2", "double", number=4))
    workflow = Workflow(Role("a", tools=(counting(counts), double)), model=model, approvals=rules)
    waiting = await workflow.run("g", journal=journal)
    assert len(waiting.waits_for) == 2
    half = by_tool(fire="allow") | ask()
    still = await workflow.resume(waiting.run, journal=journal, approvals=half).result()
    assert still.waits_for == ("approval: double has effect read",)
    assert counts == [f"{waiting.run}/1/a/0.2"]
    result = await workflow.resume(waiting.run, journal=journal, approvals=allow()).result()
    assert result.finished
    assert len(counts) == 1


async def test_a_strand_that_waits_lets_the_others_finish_their_work() -> None:
    from hive import Graph, finish, handoff, start, stop, turns

    counts: list[str] = []
    journal = MemoryJournal()
    asks, works, last = Role("asks", tools=(counting(counts),)), Role("works"), Role("last")
    graph = Graph(
        start((asks, works)), handoff((asks, works), last), finish(last), stop(when=turns(5))
    )
    model = FunctionModel(
        lambda request: (
            use("1", "fire")
            if "'asks'" in request.system and len(request.messages) == 1
            else "said"
        )
    )
    workflow = Workflow(graph, model=model)
    waiting = await workflow.run("g", journal=journal)
    assert [entry.author for entry in waiting.entries if entry.kind == "Note"] == ["works"]
    assert waiting.turns == 0  # the turn is still open
    result = await workflow.resume(waiting.run, journal=journal, approvals=allow()).result()
    assert result.finished
    assert sorted(e.author for e in result.entries if e.kind == "Note") == ["asks", "last", "works"]
    assert not payloads(result.entries, Fault)
