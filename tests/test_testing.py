"""The public doubles: a clock and a gate worked by hand, one role alone, boards compared."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hive import Finding, Note, Payload, Review, Role, Task, TestReport, Workflow, tool
from hive.errors import RequestRefused
from hive.message import Message, Request, Text, ToolUse
from hive.models import ModelCard, card_of, check, close
from hive.testing import (
    FunctionModel,
    Gate,
    GatedModel,
    ManualClock,
    ScriptedModel,
    comparable,
    play,
)
from hive.tools import ask

pytestmark = pytest.mark.asyncio
ASK = Request(model="m", system="", messages=(Message("user", (Text(text="hello"),)),))


async def test_a_clock_stands_still_until_it_is_moved() -> None:
    clock = ManualClock(start=5_000_000)
    assert (clock.now(), clock.elapsed()) == (5_000_000, 0)
    clock.advance(seconds=1.5)
    clock.advance(microseconds=7)
    assert (clock.now(), clock.elapsed()) == (6_500_007, 1_500_007)


async def test_runs_take_their_times_from_the_clock_they_are_given() -> None:
    clock = ManualClock()

    def answer(request: Request) -> str:
        clock.advance(seconds=3)
        return "said"

    result = await Workflow(Role("a"), model=FunctionModel(answer)).run("g", clock=clock)
    assert result.seconds == 3
    assert {entry.at for entry in result.entries} == {clock.start, clock.start + 3_000_000}


async def test_a_gate_lets_calls_through_in_the_order_the_test_likes() -> None:
    gate, through = Gate(), []

    async def call(name: str, number: int) -> None:
        await gate.enter(name)
        through.append((name, number))

    tasks = [asyncio.create_task(call(name, n)) for n, name in enumerate(["a", "b", "a"])]
    await gate.arrived("a", "a", "b")
    assert gate.waiting == ("a", "b", "a")
    gate.release("b", "a")
    await asyncio.gather(*tasks[:2])
    assert through == [("b", 1), ("a", 0)]
    gate.open()
    await asyncio.gather(*tasks)
    await gate.enter("anybody")
    assert gate.arrivals == ["a", "b", "a", "anybody"]


async def test_a_release_before_the_arrival_is_kept_for_it() -> None:
    gate = Gate()
    gate.release("a", "a")
    await gate.enter("a")
    await gate.enter("a")
    waiting = asyncio.create_task(gate.enter("a"))
    await gate.arrived("a")
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert gate.waiting == ()


async def test_an_arrival_that_does_not_come_is_named() -> None:
    gate = Gate(patience=0.001)
    waiting = asyncio.create_task(gate.enter("here"))
    with pytest.raises(TimeoutError, match=r"there did not arrive; here waits"):
        await gate.arrived("here", "there")
    gate.open()
    await waiting


@given(st.lists(st.integers(0, 9), max_size=6))
@settings(max_examples=40)
async def test_a_sequence_lets_one_through_whenever_nothing_else_moves(order: list[int]) -> None:
    gate, through = Gate(), []

    async def call(name: str) -> None:
        await gate.enter(name)
        through.append(name)
        await gate.enter(name.upper())
        through.append(name.upper())

    conductor = asyncio.create_task(gate.sequence(order))
    await asyncio.gather(*[call(name) for name in "abc"])
    conductor.cancel()
    waiting, expected = list("abc"), []
    for place in [*order, *[0] * 6][:6]:
        name = waiting.pop(place % len(waiting))
        expected.append(name)
        waiting += [name.upper()] if name.islower() else []
    assert through == expected


async def test_a_gated_model_is_the_model_within() -> None:
    gate = Gate()
    inner = ScriptedModel(["one", "two", RequestRefused("no")])
    model = GatedModel(inner, gate)
    assert model.name == "script:replies"
    assert card_of(model) == card_of(inner)
    check(model)
    gate.release("script:replies")
    assert (await model.complete(ASK)).text == "one"
    named = GatedModel(inner, gate, lambda request: request.messages[0].text)
    gate.release("hello")
    assert (await named.complete(ASK)).text == "two"
    gate.open()
    with pytest.raises(RequestRefused):
        await GatedModel(inner, gate, "any").complete(ASK)
    await close(model)


async def test_what_a_model_brings_along_shows_through_the_gate() -> None:
    closed = []

    class Own(ScriptedModel):
        card = ModelCard("own", window=7)

        def check(self) -> None:
            raise RequestRefused("no key")

        async def aclose(self) -> None:
            closed.append("own")

    model = GatedModel(Own(["x"]), Gate())
    assert card_of(model).window == 7
    with pytest.raises(RequestRefused, match="no key"):
        check(model)
    await close(model)
    assert closed == ["own"]


async def test_playing_a_role_gives_its_own_entries_in_address_order() -> None:
    role = Role("surveyor", "Survey.", writes=(Finding,))
    entries = await play(role, ScriptedModel(['{"claim": "it is cold"}']), goal="Is it cold?")
    assert [entry.kind for entry in entries] == ["Request", "Inference", "Finding"]
    assert [entry.payload for entry in entries if entry.level == "domain"] == [
        Finding(claim="it is cold")
    ]


@pytest.mark.parametrize(
    "payload",
    [
        Note(text="n"),
        Review(approved=False, reasons=("r",)),
        TestReport(digest="d", collected=("t",), passed=1, failed=(), complete=True, duration=1),
    ],
)
async def test_a_role_can_be_played_over_any_payloads(payload: Payload) -> None:
    seen: list[str] = []

    def answer(request: Request) -> str:
        seen.extend(part.text for part in request.messages[0].parts if isinstance(part, Text))
        return "seen"

    await play(Role("given"), FunctionModel(answer), [payload])
    assert f"[0//2] {payload.kind} by user (trusted)\n{payload.body().decode()}" in seen


async def test_a_per_role_plays_one_strand_for_each_payload_and_none_for_none() -> None:
    role = Role("a", per=Task)
    tasks = [Task(id=f"T{n}", title="t") for n in range(3)]
    entries = await play(role, ScriptedModel(["x"] * 3), tasks)
    assert {entry.address.strand for entry in entries} == {"a@0.1", "a@0.2", "a@0.3"}
    assert await play(role, ScriptedModel([])) == []


async def test_playing_gives_what_there_is_when_the_role_waits_for_a_person() -> None:
    @tool(effect="read")
    async def look() -> str:
        """Look."""
        return "seen"

    model = ScriptedModel([ToolUse(id="1", name="look")])
    entries = await play(Role("a", tools=(look,)), model, approvals=ask())
    assert entries[-1].kind == "Suspension"


async def test_boards_of_runs_that_did_the_same_compare_equal() -> None:
    workflow = Workflow(Role("a") >> Role("b"), model=FunctionModel(lambda request: "same", "m"))
    one, other = [await workflow.run("g", seed=1) for _ in range(2)]
    assert one.entries != other.entries
    assert comparable(one.entries) == comparable(reversed(other.entries))
    at = comparable(one.entries)["1/a/0.2"]
    assert (at.kind, at.author, at.origin, at.label) == ("Note", "a", "program:m", "trusted")
    assert (at.causes, at.payload) == (("1/a/0.1",), {"text": "same"})


@pytest.mark.parametrize("change", ["goal", "word", "seed"])
async def test_boards_of_runs_that_differ_do_not(change: str) -> None:
    async def board(goal: str = "g", word: str = "same", seed: int = 1) -> object:
        workflow = Workflow(Role("a"), model=FunctionModel(lambda request: word, "m"))
        return comparable((await workflow.run(goal, seed=seed)).entries)

    changed = {"goal": board(goal="h"), "word": board(word="other"), "seed": board(seed=2)}
    different = await changed.pop(change)
    for unused in changed.values():
        unused.close()
    assert different != await board()
