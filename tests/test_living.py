"""A run under way hears what is said to it: messages, a pause, answers, a stop; each thing once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import anyio
import pytest

from hive import (
    Budget,
    Finding,
    Graph,
    Note,
    Role,
    Run,
    Workflow,
    finish,
    handoff,
    start,
    stop,
    tool,
)
from hive.audit import Record
from hive.board.contributions import UserMessage
from hive.board.entry import Entry
from hive.board.records import Approval, Decision, Fault, Paused, Resumed, Termination
from hive.concluding import cancelled, conclude
from hive.control import turns
from hive.errors import HiveError, RunHeld
from hive.journal.inbox import send
from hive.journal.journal import Batch
from hive.journal.memory import MemoryJournal
from hive.message import Request as Asked
from hive.message import ToolUse
from hive.phases.waiting import Word, spoken
from hive.run import Result
from hive.testing import FunctionModel, Gate, GatedModel, ManualClock, comparable
from hive.tools import allow, ask
from hive.tools.approval import Judgement, ProposedCall
from tests.sound import sound

pytestmark = pytest.mark.asyncio
a, b, c = Role("a"), Role("b", reads=(Finding,)), Role("c")


def role_of(request: Asked) -> str:
    return request.system.split("'")[1]


def heard(request: Asked) -> str:
    """A mind that repeats what the user has told it."""
    said = str(request.messages[0].text).count("UserMessage by user")
    return f"{role_of(request)} heard {said}"


def gated(gate: Gate, graph: Any = a >> b >> c, **options: Any) -> Workflow:
    return Workflow(graph, model=GatedModel(FunctionModel(heard), gate, role_of), **options)


def of(entries: Sequence[Entry], kind: type) -> list[Any]:
    return [entry.payload for entry in entries if isinstance(entry.payload, kind)]


def places(entries: Sequence[Entry], kind: str) -> list[str]:
    return [str(entry.address) for entry in entries if entry.kind == kind]


def texts(result: Result) -> list[str]:
    return [note.text for note in of(result.entries, Note)]


async def until(run: Run, fits: Callable[[Entry], bool]) -> Entry:
    """The first entry that fits, as soon as it is there."""
    with anyio.fail_after(10):
        async for entry in run.follow():
            if fits(entry):
                return entry
    raise AssertionError("it never came")


def is_a(kind: type) -> Callable[[Entry], bool]:
    return lambda entry: isinstance(entry.payload, kind)


async def replayed(run: Run) -> None:
    """A run that was spoken to replays like any other."""
    assert (await Record(run.journal, run.id).replay(run.workflow)).identical


# -- messages -----------------------------------------------------------------------------------


async def test_a_message_is_seen_by_every_role_from_the_next_decision_on() -> None:
    gate = Gate()
    async with gated(gate).start("g") as run:
        await gate.arrived("a")
        run.say("first", by="user:ann")
        run.say("second")
        gate.open()
    result = await run.result()
    sound(result.entries)
    assert texts(result) == ["a heard 0", "b heard 2", "c heard 2"], "b reads nothing but findings"
    assert places(result.entries, "UserMessage") == ["1//8.0", "1//8.1"]
    first, second = [entry for entry in result.entries if entry.kind == "UserMessage"]
    assert (first.author, first.origin, first.label) == ("user", "user:ann", "trusted")
    assert (second.payload, second.origin) == (UserMessage(text="second", item=2), "user")
    decisions = [entry.seq for entry in result.entries if entry.kind == "Decision"]
    assert first.seq < second.seq < decisions[1]
    await replayed(run)


async def test_what_is_said_before_the_first_decision_stands_beside_the_goal() -> None:
    gate = Gate()
    gate.open()
    run = gated(gate).start("g")
    run.say("hurry")
    result = await run.result()
    assert texts(result)[0] == "a heard 1"
    assert places(result.entries, "UserMessage") == ["0//8.0"]


async def test_nothing_can_be_said_to_a_run_that_is_over() -> None:
    gate = Gate()
    gate.open()
    run = gated(gate).start("g")
    await run.result()
    with pytest.raises(HiveError, match="is not under way here any more"):
        run.say("too late")


class Tracing(MemoryJournal):
    """A journal that remembers what was done to it, step by step."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[Callable[[MemoryJournal], object]] = []

    def append(self, batches: Sequence[Batch], *, wait: bool) -> None:
        super().append(batches, wait=wait)
        kept = [batch._replace(lease=1) for batch in batches]
        self.steps.append(lambda journal: journal.append(kept, wait=True))

    def send(self, *arguments: Any, **named: Any) -> int:
        item = super().send(*arguments, **named)
        self.steps.append(lambda journal: journal.send(*arguments, **named))
        return item

    def first(self, number: int) -> MemoryJournal:
        """What a process left behind that died after so many steps."""
        journal = MemoryJournal()
        for step in self.steps[:number]:
            step(journal)
        return journal


async def test_a_message_is_taken_once_wherever_the_process_dies() -> None:
    gate, tracing = Gate(), Tracing()
    workflow = gated(gate)
    async with workflow.start("g", journal=tracing, seed=1) as run:
        for role, word in (("a", "one"), ("b", "two"), ("c", "three")):
            await gate.arrived(role)
            run.say(word)
            gate.release(role)
    whole = await run.result()
    sent = 0
    tried = 0
    for number in range(1, len(tracing.steps)):
        left = tracing.first(number)
        if not left.runs() or Record(left, run.id).summary.ended:
            continue
        tried += 1
        sent = len(left.inbox())
        gate.open()
        result = await workflow.resume(run.id, journal=left).result()
        sound(result.entries)
        messages = of(result.entries, UserMessage)
        assert [message.item for message in messages] == list(range(1, sent + 1)), number
        assert [message.text for message in messages] == ["one", "two", "three"][:sent]
    assert tried > 5
    assert sent == 3
    assert of(whole.entries, UserMessage) == messages


# -- a pause ------------------------------------------------------------------------------------


async def paused(gate: Gate, run: Run) -> Entry:
    """Pause a run while its first role is asked."""
    await gate.arrived("a")
    run.pause("lunch", by="user:ann")
    gate.release("a")
    return await until(run, is_a(Paused))


async def test_a_paused_run_decides_nothing_until_it_is_told_to_go_on() -> None:
    gate, journal = Gate(), MemoryJournal()
    async with gated(gate).start("g", journal=journal) as run:
        entry = await paused(gate, run)
        assert entry.payload == Paused(reason="lunch", by="user:ann", item=1)
        assert str(entry.address) == "1//9"
        assert gate.arrivals == ["a"]
        assert journal.holder(run.id) is not None
        assert Record(journal, run.id).summary.state == "paused"
        gate.open()
        run.say("go on then")
        run.go(by="user:bob")
    result = await run.result()
    sound(result.entries)
    [resumed] = of(result.entries, Resumed)
    assert (resumed.by, resumed.item) == ("user:bob", 3)
    assert texts(result) == ["a heard 0", "b heard 1", "c heard 1"], "the next decision sees it"
    plain = await gated(gate).run("g", seed=run._first.seed)
    kept = {where: what for where, what in comparable(result.entries).items() if "//8" not in where}
    assert kept.keys() == comparable(plain.entries).keys()
    await replayed(run)


async def test_time_in_a_pause_does_not_count() -> None:
    gate, clock = Gate(), ManualClock()
    workflow = gated(gate, budget=Budget(seconds=60))
    async with workflow.start("g", clock=clock) as run:
        await gate.arrived("a")
        clock.advance(seconds=10)
        run.pause()
        gate.release("a")
        await until(run, is_a(Paused))
        clock.advance(seconds=3600)
        run.go()
        await gate.arrived("b")
        clock.advance(seconds=5)
        gate.open()
    result = await run.result()
    [resumed] = of(result.entries, Resumed)
    assert resumed.idle == 3600 * 1_000_000
    assert result.finished
    assert result.seconds == 15
    assert of(result.entries, Termination)[0].elapsed == 15_000_000


async def test_a_paused_run_can_be_stopped() -> None:
    gate, journal = Gate(), MemoryJournal()
    async with gated(gate).start("g", journal=journal) as run:
        await paused(gate, run)
        send(journal, run.id, "stop", by="user:ann", text="enough")
    result = await run.result()
    sound(result.entries)
    assert (result.outcome, result.reason) == ("stopped", "cancelled")
    assert result.message == "stopped by user:ann: enough"
    assert gate.arrivals == ["a"]
    await replayed(run)


async def test_a_paused_run_that_is_interrupted_is_paused_once_and_can_be_resumed() -> None:
    gate, journal = Gate(), MemoryJournal()
    with anyio.CancelScope() as scope:
        async with gated(gate).start("g", journal=journal) as run:
            await paused(gate, run)
            scope.cancel()
    record = Record(journal, run.id)
    assert (record.summary.state, len(record.board.of_kind(Paused))) == ("paused", 1)
    gate.open()
    result = await gated(gate).resume(run.id, journal=journal).result()
    sound(result.entries)
    assert result.finished
    assert len(of(result.entries, Resumed)) == 1


async def test_a_pause_may_be_taken_back_before_it_begins() -> None:
    gate = Gate()
    async with gated(gate).start("g") as run:
        await gate.arrived("a")
        run.pause()
        run.go()
        gate.open()
    result = await run.result()
    assert result.finished
    assert of(result.entries, Paused) == []


async def test_who_resumes_a_run_wants_it_to_go_on() -> None:
    """A pause that nobody took before the process ended does not pause the resumed run."""
    gate, journal = Gate(), MemoryJournal()
    with anyio.CancelScope() as scope:
        async with gated(gate).start("g", journal=journal) as run:
            await gate.arrived("a")
            run.pause()
            scope.cancel()
    gate.open()
    result = await gated(gate).resume(run.id, journal=journal).result()
    assert result.finished
    assert [record.reason for record in of(result.entries, Paused)] == ["interrupted"]


# -- a stop -------------------------------------------------------------------------------------


async def test_a_stop_from_outside_cancels_at_once_and_says_who_and_why() -> None:
    gate, journal = Gate(), MemoryJournal()
    async with gated(gate).start("g", journal=journal) as run:
        await gate.arrived("a")
        send(journal, run.id, "stop", by="user:ann", text="wrong goal")
    result = await run.result()
    sound(result.entries)
    assert result.message == "stopped by user:ann: wrong goal"
    assert of(result.entries, Termination)[0].message == result.message
    assert [fault.code for fault in of(result.entries, Fault)] == ["cancelled"]
    await replayed(run)


async def left_open(journal: MemoryJournal) -> str:
    """A run whose process died while a model was asked."""
    gate, tracing = Gate(), Tracing()
    with anyio.CancelScope() as scope:
        async with gated(gate).start("g", journal=tracing) as run:
            await gate.arrived("a")
            run.say("hello")
            gate.release("a")
            await gate.arrived("b")
            dead = len(tracing.steps)
            scope.cancel()
    for step in tracing.steps[:dead]:
        step(journal)
    return run.id


async def test_a_stop_that_nobody_was_there_to_hear_is_the_first_thing_heard() -> None:
    journal, gate = MemoryJournal(), Gate()
    run = await left_open(journal)
    send(journal, run, "stop", by="user:ann")
    result = await gated(gate).resume(run, journal=journal).result()
    sound(result.entries)
    assert (result.reason, result.message) == ("cancelled", "stopped by user:ann")
    assert gate.arrivals == []
    assert [fault.code for fault in of(result.entries, Fault)] == ["interrupted"]


async def test_a_run_that_nobody_holds_is_ended_without_its_workflow() -> None:
    journal = MemoryJournal()
    run = await left_open(journal)
    assert Record(journal, run).summary.state == "orphaned"
    conclude(journal, run, cancelled("stopped by user:ann"))
    record = Record(journal, run)
    sound(record.entries)
    assert (record.summary.state, record.summary.reason) == ("stopped", "cancelled")
    assert record.summary.message == "stopped by user:ann"
    assert (record.summary.turns, record.entries[-1].kind) == (2, "Synthesis")
    assert len({entry.digest for entry in record.entries}) == len(record.entries)
    length = len(record.entries)
    conclude(journal, run, cancelled("again"))
    assert len(Record(journal, run).entries) == length, "what has ended stays as it is"
    with pytest.raises(HiveError, match="has ended"):
        gated(Gate()).resume(run, journal=journal)
    assert (await record.replay(gated(Gate()))).identical


async def test_a_run_that_is_held_is_not_ended_by_others() -> None:
    gate, journal = Gate(), MemoryJournal()
    async with gated(gate).start("g", journal=journal) as run:
        await gate.arrived("a")
        with pytest.raises(RunHeld):
            conclude(journal, run.id, cancelled("now"))
        gate.open()


# -- answers ------------------------------------------------------------------------------------

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
