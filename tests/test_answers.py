"""A call that waits for a person goes on at their word, once, and in whichever process it is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from hive import (
    Budget,
    Graph,
    Role,
    Workflow,
    finish,
    handoff,
    start,
    stop,
    tool,
)
from hive.audit import Record
from hive.board.entry import Entry
from hive.board.records import (
    Approval,
    Decision,
    Fault,
)
from hive.control import turns
from hive.journal.inbox import send
from hive.journal.memory import MemoryJournal
from hive.message import Request as Asked
from hive.message import ToolUse
from hive.phases.waiting import spoken
from hive.testing import FunctionModel, Gate, GatedModel, comparable
from hive.tools import allow, ask
from hive.tools.approval import Judgement, ProposedCall
from hive.tools.person import Word
from tests.sound import sound
from tests.spoken import Tracing, c, of, places, replayed, role_of, texts, until

fired_at: list[str] = []


@tool(effect="irreversible")
async def fire(at: str) -> str:
    """Fire."""
    fired_at.append(at)
    return f"fired at {at}"


@tool(effect="read")
async def look() -> str:
    """Look."""
    return "seen"


@pytest.fixture(autouse=True)
def unfired() -> None:
    fired_at.clear()


def shoots(request: Asked) -> Any:
    """`a` wants to fire, `d` does so while it looks; whatever they are told, they repeat."""
    role, last = role_of(request), request.messages[-1]
    if last.role == "tool":
        return "; ".join(part.text for part in last.parts if part.type == "tool_result")
    if role == "a":
        return ToolUse(id="1", name="fire", arguments={"at": "a"})
    if role == "d":
        return [
            ToolUse(id="1", name="fire", arguments={"at": "d"}),
            ToolUse(id="2", name="look"),
            ToolUse(id="3", name="fire", arguments={"at": "e"}),
        ]
    return f"{role} is done"


shooter, looker, d = Role("a", tools=(fire,)), Role("b"), Role("d", tools=(fire, look))
BESIDE = Graph(
    start((shooter, looker)), handoff((shooter, looker), c), finish(c), stop(when=turns(5))
)


def shooting(gate: Gate, graph: Any = BESIDE, **options: Any) -> Workflow:
    model = GatedModel(FunctionModel(shoots), gate, role_of)
    return Workflow(graph, model=model, approvals=ask(effect="irreversible"), **options)


SUSPENDED: Callable[[Entry], bool] = lambda entry: entry.kind == "Suspension"  # noqa: E731


@pytest.mark.parametrize("yes", [True, False])
@pytest.mark.asyncio
async def test_an_answer_lets_a_strand_go_on_while_others_work(yes: bool) -> None:
    gate, journal = Gate(), MemoryJournal()
    gate.release("a", "a", "c")
    async with shooting(gate).start("g", journal=journal) as run:
        entry = await until(run, SUSPENDED)
        await gate.arrived("b")
        subject = getattr(entry.payload, "subject", "")
        assert subject == "1/a/0.2"
        assert Record(journal, run.id).summary.waits_for == (
            "approval: fire has effect irreversible",
        )
        run.answer(subject, "done", "of the wrong kind")
        run.answer("1/a/0.9", "allow", "of nothing")
        run.answer(subject, "allow" if yes else "deny", "I looked", by="user:ann")
        observed = await until(run, lambda entry: entry.kind == "Observation")
        assert "b" in gate.waiting, "the other strand still works"
        gate.open()
    result = await run.result()
    sound(result.entries)
    assert result.finished
    assert fired_at == (["a"] if yes else [])
    assert observed.causes == (subject,)
    asked, ruled = of(result.entries, Approval)
    assert (asked.decision, asked.item) == ("ask", 0)
    assert ruled == Approval(
        decision="allow" if yes else "deny", by="user:ann", reason="I looked", item=3
    )
    assert result.state.approvals == ()
    told = "fired at a" if yes else "fire was denied by user:ann: I looked"
    assert told in texts(result)
    await replayed(run)


@pytest.mark.asyncio
async def test_when_all_wait_the_run_is_suspended_and_the_answer_waits_for_it() -> None:
    gate, journal = Gate(), MemoryJournal()
    gate.open()
    workflow = shooting(gate)
    run = workflow.start("g", journal=journal)
    result = await run.result()
    assert (result.outcome, fired_at) == ("waiting", [])
    send(journal, run.id, "say", by="user:ann", text="hello")
    send(journal, run.id, "answer", by="user:ann", subject="1/a/0.2", text=spoken("allow", "yes"))

    class Nobody:
        async def judge(self, call: ProposedCall) -> Judgement:
            raise AssertionError("nobody is asked again")

    result = await workflow.resume(run.id, journal=journal, approvals=Nobody()).result()
    sound(result.entries)
    assert (result.finished, fired_at) == (True, ["a"])
    assert [approval.item for approval in of(result.entries, Approval)] == [0, 2]
    assert places(result.entries, "UserMessage") == ["1//8.0"]


@pytest.mark.asyncio
async def test_the_inbox_is_looked_into_once_more_before_a_run_is_suspended() -> None:
    gate, journal = Gate(), MemoryJournal()
    gate.release("a", "a", "c")
    async with shooting(gate).start("g", journal=journal) as run:
        await until(run, SUSPENDED)
        await gate.arrived("b")
        at = (run.id, 0, "user:ann", "answer", "1/a/0.2", spoken("allow"))
        journal.send(*at)  # type: ignore[arg-type]  # past the nudge, as another process would
        gate.open()
    assert (await run.result()).finished
    assert fired_at == ["a"]
    await replayed(run)


@pytest.mark.asyncio
async def test_a_stop_found_at_the_last_look_ends_the_run() -> None:
    gate, journal = Gate(), MemoryJournal()
    alone = shooting(gate, Graph(start(shooter), finish(shooter)))
    async with alone.start("g", journal=journal) as run:
        await gate.arrived("a")
        journal.send(run.id, 0, "user:ann", "stop", "", "")
        gate.open()
    result = await run.result()
    sound(result.entries)
    assert (result.outcome, result.reason, fired_at) == ("stopped", "cancelled", [])
    assert [fault.code for fault in of(result.entries, Fault)] == ["withdrawn"]
    await replayed(run)


@pytest.mark.asyncio
async def test_a_waiting_call_is_withdrawn_when_the_run_is_stopped() -> None:
    gate = Gate()
    gate.release("a")
    async with shooting(gate).start("g") as run:
        await until(run, SUSPENDED)
        await gate.arrived("b")
        run.stop("enough")
    result = await run.result()
    sound(result.entries)
    assert (result.message, fired_at) == ("enough", [])
    assert sorted(fault.code for fault in of(result.entries, Fault)) == ["cancelled", "withdrawn"]
    await replayed(run)


class Somebody:
    """A person who thinks at a gate before they say a word."""

    def __init__(self, gate: Gate, word: Word | None) -> None:
        self.gate = gate
        self.word = word
        self.asked: list[str] = []
        self.interrupted = False

    async def decide(self, call: ProposedCall) -> Word | None:
        self.asked.append(f"{call.role} {call.tool}")
        try:
            await self.gate.enter("person")
        except asyncio.CancelledError:
            self.interrupted = True
            raise
        return self.word


@pytest.mark.parametrize("word", [Word("allow", "user:ann"), Word("deny", "user:ann"), None])
@pytest.mark.asyncio
async def test_who_is_at_hand_is_asked_and_nobody_is_suspended_meanwhile(word: Any) -> None:
    gate, alone = Gate(), Graph(start(shooter), finish(shooter))
    gate.release("a", "a")
    person = Somebody(gate, word)
    async with shooting(gate, alone).start("g") as run:
        run.attend(person)
        await gate.arrived("person")
        assert Record(run.journal, run.id).summary.waits_for
        gate.open()
    result = await run.result()
    assert person.asked == ["a fire"]
    assert result.outcome == ("waiting" if word is None else "finished")
    allowed = word is not None and word.decided == "allow"
    assert len(fired_at) == allowed
    rulings = [(ruled.decision, ruled.by) for ruled in of(result.entries, Approval)]
    assert rulings[1:] == ([] if word is None else [(word.decided, "user:ann")])
    await replayed(run)


@pytest.mark.asyncio
async def test_who_answers_elsewhere_spares_the_person_at_hand() -> None:
    gate = Gate()
    gate.release("a", "a", "b", "c")
    person = Somebody(gate, None)
    async with shooting(gate).start("g") as run:
        run.attend(person)
        await gate.arrived("person")
        run.answer("1/a/0.2", "allow", by="user:bob")
    result = await run.result()
    sound(result.entries)
    assert (result.finished, fired_at, person.interrupted) == (True, ["a"], True)


@pytest.mark.asyncio
async def test_a_deadline_binds_who_waits_too() -> None:
    gate = Gate()
    gate.release("a")
    async with shooting(gate, budget=Budget(seconds=0.3)).start("g") as run:
        await until(run, SUSPENDED)
        await gate.arrived("b")
    result = await run.result()
    sound(result.entries)
    assert (result.reason, fired_at) == ("time_exhausted", [])
    assert sorted(fault.code for fault in of(result.entries, Fault)) == ["cancelled", "withdrawn"]
    await replayed(run)


@pytest.mark.asyncio
async def test_a_call_waits_while_others_of_its_reply_are_made() -> None:
    gate, journal = Gate(), MemoryJournal()
    gate.open()
    workflow = shooting(gate, Graph(start((d, looker)), finish((d, looker))))
    run = workflow.start("g", journal=journal)
    result = await run.result()
    assert result.outcome == "waiting"
    assert places(result.entries, "Observation") == ["1/d/0.3.1"], "who may go on did"
    for subject, word in (("1/d/0.2", "allow"), ("1/d/0.4", "deny")):
        send(journal, run.id, "answer", by="user:ann", subject=subject, text=spoken(word))  # type: ignore[arg-type]
    result = await workflow.resume(run.id, journal=journal).result()
    sound(result.entries)
    assert (result.finished, fired_at) == (True, ["d"])
    assert "fired at d; seen; fire was denied by user:ann: not allowed" in texts(result)


@pytest.mark.asyncio
async def test_each_answer_lets_its_own_call_go_on() -> None:
    gate, journal = Gate(), MemoryJournal()
    gate.release("d", "d")
    workflow = shooting(gate, Graph(start((d, looker)), finish((d, looker))))
    async with workflow.start("g", journal=journal) as run:
        await gate.arrived("b")
        await until(run, lambda entry: str(entry.address) == "1/d/0.4.0.0")
        run.answer("1/d/0.4", "allow")
        await until(run, lambda entry: str(entry.address) == "1/d/0.4.1")
        assert fired_at == ["e"]
        run.answer("1/d/0.2", "allow")
        await until(run, lambda entry: str(entry.address) == "1/d/0.2.1")
        assert fired_at == ["e", "d"]
        gate.open()
    result = await run.result()
    sound(result.entries)
    assert result.finished
    assert len(of(result.entries, Decision)) == 1
    await replayed(run)


@pytest.mark.asyncio
async def test_an_answer_is_taken_once_wherever_the_process_dies() -> None:
    gate, tracing = Gate(), Tracing()
    workflow = shooting(gate)
    gate.release("a", "a", "c")
    async with workflow.start("g", journal=tracing, seed=1) as run:
        await until(run, SUSPENDED)
        await gate.arrived("b")
        run.answer("1/a/0.2", "allow")
        await until(run, lambda entry: entry.kind == "Observation")
        gate.open()
    whole = await run.result()
    doubts = 0
    for number in range(1, len(tracing.steps)):
        left = tracing.first(number)
        if not left.runs() or Record(left, run.id).summary.ended:
            continue
        fired_at.clear()
        before = Record(left, run.id).board
        result = await workflow.resume(run.id, journal=left).result()
        items = [approval.item for approval in of(result.entries, Approval) if approval.item]
        answered = len(left.inbox())
        assert items == [1] * answered, number
        if result.outcome == "waiting" and answered:
            doubts += 1
            assert before.at("1/a/0.2.1") is None
            assert fired_at == []
        elif answered:
            assert fired_at == ([] if before.at("1/a/0.2.1") else ["a"])
            assert comparable(result.entries) == comparable(whole.entries)
        else:
            assert (result.outcome, fired_at) == ("waiting", [])
    assert doubts == 1, "between the yes and what came of it"


@pytest.mark.parametrize(
    ("word", "fired", "told"),
    [
        ("done", [], "it went off"),
        ("again", ["a"], "fired at a"),
        ("lost", [], "nobody knows whether it took effect"),
    ],
)
@pytest.mark.asyncio
async def test_a_call_in_doubt_is_settled_from_outside(
    word: Any, fired: list[str], told: str
) -> None:
    gate, tracing = Gate(), Tracing()
    gate.open()
    workflow = shooting(gate, Graph(start(shooter), finish(shooter))).with_(approvals=allow())
    result = await workflow.run("g", journal=tracing)
    dead = next(
        number
        for number in range(1, len(tracing.steps))
        if list(Record(tracing.first(number), result.run).board.of_kind("ToolCall"))
    )
    left = tracing.first(dead)
    fired_at.clear()
    waits = await workflow.resume(result.run, journal=left).result()
    assert waits.waits_for[0].startswith("in_doubt: fire was begun")
    for said in ("allow", word):  # the first answers another question
        text = spoken(said, "it went off")
        send(left, result.run, "answer", by="user:ann", subject="1/a/0.2", text=text)
    settled = await workflow.resume(result.run, journal=left).result()
    sound(settled.entries)
    assert (settled.finished, fired_at) == (True, fired)
    assert told in settled.text
    assert [approval.item for approval in of(settled.entries, Approval)] == [0, 2]
