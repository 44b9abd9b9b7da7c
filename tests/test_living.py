"""A run under way hears what is said to it: messages, a pause, a stop; each thing once."""

from __future__ import annotations

import asyncio

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hive import (
    Budget,
    Graph,
    Run,
    finish,
    start,
)
from hive.audit import Record
from hive.board.contributions import UserMessage
from hive.board.entry import Entry
from hive.board.records import (
    Decision,
    Fault,
    Paused,
    Redaction,
    Resumed,
    Termination,
)
from hive.concluding import cancelled, conclude
from hive.errors import HiveError, RunHeld
from hive.journal.inbox import send
from hive.journal.memory import MemoryJournal
from hive.testing import Gate, ManualClock, comparable
from tests.sound import sound
from tests.spoken import Tracing, a, gated, is_a, of, places, replayed, texts, until

# -- messages -----------------------------------------------------------------------------------


@pytest.mark.asyncio
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


@pytest.mark.asyncio
async def test_what_is_said_before_the_first_decision_stands_beside_the_goal() -> None:
    gate = Gate()
    gate.open()
    run = gated(gate).start("g")
    run.say("hurry")
    result = await run.result()
    assert texts(result)[0] == "a heard 1"
    assert places(result.entries, "UserMessage") == ["0//8.0"]


@pytest.mark.asyncio
async def test_nothing_can_be_said_to_a_run_that_is_over() -> None:
    gate = Gate()
    gate.open()
    run = gated(gate).start("g")
    await run.result()
    with pytest.raises(HiveError, match="is not under way here any more"):
        run.say("too late")


@pytest.mark.asyncio
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


@pytest.mark.asyncio
async def test_what_was_erased_meanwhile_is_noted_once() -> None:
    gate, journal = Gate(), MemoryJournal()
    says = Redaction(why="a secret", by="user:ann", contents=("ab",))
    with anyio.CancelScope() as scope:
        async with gated(gate).start("g", journal=journal) as run:
            await gate.arrived("a")
            send(journal, run.id, "redacted", by="user:ann", text=says.body().decode())
            send(journal, run.id, "redacted", by="user:ann", text="nonsense")
            gate.release("a")
            await gate.arrived("b")
            scope.cancel()
    gate.open()
    result = await gated(gate).resume(run.id, journal=journal).result()
    sound(result.entries)
    assert places(result.entries, "Redaction") == ["1//10.0"]
    assert of(result.entries, Redaction) == [says.model_copy(update={"item": 1})]
    assert (await Record(journal, run.id).replay(gated(gate))).identical


# -- a pause ------------------------------------------------------------------------------------


async def paused(gate: Gate, run: Run) -> Entry:
    """Pause a run while its first role is asked."""
    await gate.arrived("a")
    run.pause("lunch", by="user:ann")
    gate.release("a")
    return await until(run, is_a(Paused))


@pytest.mark.asyncio
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


@pytest.mark.asyncio
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


@pytest.mark.asyncio
async def test_what_came_before_a_pause_counts_when_the_run_ends_right_after_it() -> None:
    gate, clock = Gate(), ManualClock()
    workflow = gated(gate, Graph(start(a), finish(a)))
    async with workflow.start("g", clock=clock) as run:
        await gate.arrived("a")
        clock.advance(seconds=10)
        run.pause()
        gate.release("a")
        await until(run, is_a(Paused))
        clock.advance(seconds=3600)
        run.go()
    result = await run.result()
    assert result.seconds == 10
    assert Record(run.journal, run.id).summary.elapsed == 10_000_000


@pytest.mark.asyncio
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


@pytest.mark.asyncio
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


@pytest.mark.asyncio
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


@pytest.mark.asyncio
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


@pytest.mark.asyncio
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


@pytest.mark.asyncio
async def test_a_stop_that_nobody_was_there_to_hear_is_the_first_thing_heard() -> None:
    journal, gate = MemoryJournal(), Gate()
    run = await left_open(journal)
    send(journal, run, "stop", by="user:ann")
    result = await gated(gate).resume(run, journal=journal).result()
    sound(result.entries)
    assert (result.reason, result.message) == ("cancelled", "stopped by user:ann")
    assert gate.arrivals == []
    assert [fault.code for fault in of(result.entries, Fault)] == ["interrupted"]


@pytest.mark.asyncio
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


@pytest.mark.asyncio
async def test_a_run_that_is_held_is_not_ended_by_others() -> None:
    gate, journal = Gate(), MemoryJournal()
    async with gated(gate).start("g", journal=journal) as run:
        await gate.arrived("a")
        with pytest.raises(RunHeld):
            conclude(journal, run.id, cancelled("now"))
        gate.open()


# -- all of it at once --------------------------------------------------------------------------

Said = list[str]


@settings(max_examples=25, deadline=None)
@given(
    said=st.lists(
        st.lists(st.sampled_from(["say", "pause", "go"]), max_size=4), min_size=3, max_size=3
    ),
    dies=st.integers(0, 40),
)
def test_whatever_is_said_and_wherever_the_process_dies(said: list[Said], dies: int) -> None:
    """Every message is heard once, nothing is decided in a pause, and what comes of it replays."""
    asyncio.run(spoken_to(said, dies))


async def spoken_to(said: list[Said], dies: int) -> None:
    gate, tracing = Gate(), Tracing()
    workflow = gated(gate)
    async with workflow.start("g", journal=tracing, seed=1) as run:
        for role, words in zip("abc", said, strict=True):
            await gate.arrived(role)
            for word in words:
                {"say": lambda: run.say("hello"), "pause": run.pause, "go": run.go}[word]()
            pauses = len(run.board.of_kind(Paused))
            gate.release(role)
            asked = [word for word in words if word != "say"]
            if asked and asked[-1] == "pause":
                await until(run, lambda entry: len(run.board.of_kind(Paused)) > pauses)  # noqa: B023  awaited here
                run.say("hello")
                run.go()
    whole = await run.result()
    sound(whole.entries)
    await replayed(run)
    left = tracing.first(1 + dies % len(tracing.steps))
    if Record(left, run.id).summary.ended:
        return
    sent = [item.id for item in left.inbox() if item.kind == "say"]
    gate.open()
    again = workflow.resume(run.id, journal=left)
    result = await again.result()
    sound(result.entries)
    assert [message.item for message in of(result.entries, UserMessage)] == sent
    assert len(of(result.entries, Decision)) == 3
    await replayed(again)
