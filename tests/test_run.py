"""A run: driven, followed, stopped, paused, resumed, and never half-recorded."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest

from hive import (
    Finding,
    Graph,
    Note,
    Role,
    Run,
    View,
    Workflow,
    finish,
    handoff,
    start,
    stop,
    tool,
    turns,
)
from hive.board.canonical import decode
from hive.board.entry import Entry
from hive.board.records import Fault, Paused, Request, RunStarted
from hive.control import Chooser
from hive.errors import JournalError, RunNotFound
from hive.journal.journal import Batch, Commit
from hive.journal.memory import MemoryJournal
from hive.journal.sqlite import SQLiteJournal
from hive.message import Request as Asked
from hive.message import ToolUse
from hive.testing import (
    FunctionModel,
    Gate,
    GatedModel,
    ManualClock,
    ScriptedModel,
    comparable,
)
from hive.tools import Call
from tests.sound import sound

pytestmark = pytest.mark.asyncio
a, b, c = Role("a"), Role("b"), Role("c")


def role_of(request: Asked) -> str:
    return request.system.split("'")[1]


TALK = FunctionModel(lambda request: f"{role_of(request)} said")


def gated(gate: Gate, graph: Any = a >> b, **options: Any) -> Workflow:
    return Workflow(graph, model=GatedModel(TALK, gate, role_of), **options)


async def collected(entries: AsyncIterator[Entry]) -> list[Entry]:
    return [entry async for entry in entries]


# -- results ------------------------------------------------------------------------------------


async def test_a_result_says_how_it_ended_and_what_it_took() -> None:
    clock = ManualClock()

    def answer(request: Asked) -> str:
        clock.advance(seconds=2)
        return "an answer"

    result = await Workflow(a, model=FunctionModel(answer)).run("the goal", clock=clock)
    assert (result.outcome, result.finished, result.reason) == ("finished", True, "goal_reached")
    assert result.text == "an answer"
    assert (result.turns, result.tokens, result.units) == (1, 0, 0)
    assert (result.cost_usd, result.seconds) == (Decimal(0), 2.0)
    assert result.state.latest(Note) == Note(text="an answer")
    assert len(result.run) == 26
    assert result.waits_for == ()
    sound(result.entries)


async def test_a_result_can_be_asked_for_again_and_by_many() -> None:
    run = Workflow(a, model=ScriptedModel(["once"])).start("g")
    first = await run.result()
    assert await run.result() is first
    async with Workflow(a, model=ScriptedModel(["once"])).start("g") as run:
        results = await asyncio.gather(*[run.result() for _ in range(3)])
    assert results[0] is results[1] is results[2]


async def test_the_first_entry_says_where_the_run_came_from() -> None:
    journal = MemoryJournal()
    workflow = Workflow(a, model=TALK, name="mine")
    result = await workflow.run(
        "g", journal=journal, seed=7, tags=["x", "y"], session="s", overrides={"model": "z"},
        reference="my.module:workflow",
    )  # fmt: skip
    first = result.entries[0].payload
    assert isinstance(first, RunStarted)
    assert (first.run, first.seed, first.tags, first.session) == (result.run, 7, ("x", "y"), "s")
    assert (first.workflow, first.overrides) == ("my.module:workflow", {"model": "z"})
    kept = {content.commitment.hex(): content.body for content in journal.kept(result.run)}
    assert kept[first.fingerprint] == workflow.manifest_bytes
    assert kept[first.vocabulary] == workflow.vocabulary_bytes


async def test_leaving_the_block_waits_for_the_end() -> None:
    gate = Gate()
    async with gated(gate).start("g") as run:
        gate.release("a", "b")
    assert (await run.result()).finished


async def test_an_error_in_the_block_pauses_the_run_and_comes_out_as_it_was() -> None:
    gate, journal = Gate(), MemoryJournal()
    workflow = gated(gate)
    run = workflow.start("g", journal=journal)

    async def use() -> None:
        async with run:
            await gate.arrived("a")
            raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        await use()
    assert run.board.entries[-1].payload == Paused(reason="interrupted")
    gate.open()
    assert (await workflow.resume(run.id, journal=journal).result()).finished


# -- followers ----------------------------------------------------------------------------------


async def test_every_follower_sees_every_entry_once_and_in_order() -> None:
    gate = Gate()
    run = gated(gate, a >> b >> c).start("g")
    early = [asyncio.create_task(collected(run.follow())) for _ in range(3)]
    async with run:
        await gate.arrived("a")
        late = asyncio.create_task(collected(run.follow()))
        gate.release("a")
        await gate.arrived("b")
        later = asyncio.create_task(collected(run.follow(5)))
        gate.open()
    everything = list(run.board.entries)
    for follower in (*early, late):
        assert await follower == everything
    assert await later == everything[5:]
    assert await collected(run.follow()) == everything
    assert await collected(run.follow(len(everything))) == []


async def test_a_slow_follower_holds_nobody_up_and_misses_nothing() -> None:
    gate = Gate()
    run = Workflow(a >> b >> c, model=TALK).start("g")

    async def slow() -> list[Entry]:
        seen = []
        async for entry in run.follow():
            await gate.enter("follower")
            seen.append(entry)
        return seen

    follower = asyncio.create_task(slow())
    result = await run.result()
    assert gate.arrivals == ["follower"]  # it has not even looked at its first entry
    gate.open()
    assert await follower == list(result.entries)


async def test_a_follower_may_leave_at_any_time() -> None:
    run = Workflow(a >> b, model=TALK).start("g")
    async with run:
        async for entry in run.follow():
            if entry.kind == "Inference":
                break
    assert (await run.result()).finished


async def test_following_ends_when_the_run_waits() -> None:
    @tool(effect="irreversible")
    async def fire() -> str:
        """Fire."""
        return "fired"

    model = ScriptedModel([ToolUse(id="1", name="fire")])
    run = Workflow(Role("a", tools=(fire,)), model=model).start("g")
    follower = asyncio.create_task(collected(run.follow()))
    assert (await run.result()).outcome == "waiting"
    assert (await follower)[-1].kind == "Suspension"


# -- stopping -----------------------------------------------------------------------------------


@pytest.mark.parametrize("graph", [a >> b, "beside"])
@pytest.mark.parametrize("driven", ["block", "task"])
async def test_stopping_ends_the_run_in_the_middle_of_a_turn(graph: Any, driven: str) -> None:
    gate = Gate()
    if graph == "beside":
        graph = Graph(start((a, b)), finish((a, b)), stop(when=turns(2)))
    run = gated(gate, graph).start("g")
    async with asyncio.timeout(10):
        if driven == "block":
            async with run:
                await gate.arrived("a")
                run.stop("enough of it")
            result = await run.result()
        else:
            driver = asyncio.create_task(run.result())
            await gate.arrived("a")
            run.stop("enough of it")
            result = await driver
    assert (result.outcome, result.reason) == ("stopped", "cancelled")
    assert result.message == "enough of it"
    assert gate.waiting == ()
    assert {e.payload.code for e in result.entries if isinstance(e.payload, Fault)} == {"cancelled"}
    sound(result.entries)


async def test_the_time_of_a_call_that_was_cut_off_counts_as_the_runs() -> None:
    gate, clock = Gate(), ManualClock()
    async with asyncio.timeout(10):
        async with gated(gate, a >> b).start("g", clock=clock) as run:
            await gate.arrived("a")
            clock.advance(seconds=9)
            run.stop()
    assert (await run.result()).state.elapsed >= 9_000_000


async def test_stopping_reaches_an_advisor_too() -> None:
    gate = Gate()
    graph = Graph(start(a), start(b), finish(a), finish(b), stop(when=turns(2)))
    async with asyncio.timeout(10):
        async with gated(gate, graph, policy=Chooser()).start("g") as run:
            await gate.arrived("chooser")
            run.stop()
    result = await run.result()
    assert (result.reason, result.turns) == ("cancelled", 1)
    sound(result.entries)


async def test_a_tool_that_is_stopped_is_closed_on_the_board() -> None:
    gate = Gate()

    @tool(effect="write")
    async def wait() -> str:
        """Wait."""
        await gate.enter("tool")
        return "never"

    model = ScriptedModel([[ToolUse(id="1", name="wait"), ToolUse(id="2", name="wait")]])
    async with Workflow(Role("a", tools=(wait,)), model=model).start("g") as run:
        await gate.arrived("tool", "tool")
        run.stop()
    result = await run.result()
    faults = [entry for entry in result.entries if isinstance(entry.payload, Fault)]
    assert sorted(str(entry.address) for entry in faults) == ["1/a/0.2.1", "1/a/0.3.1"]
    assert [entry.payload.message for entry in faults if isinstance(entry.payload, Fault)] == [
        "wait was cancelled while it was made",
    ] * 2
    sound(result.entries)


async def test_a_run_that_is_stopped_before_it_begins_has_done_nothing() -> None:
    run = Workflow(a, model=ScriptedModel([])).start("g")
    run.stop("never mind")
    result = await run.result()
    assert (result.reason, result.message, result.turns) == ("cancelled", "never mind", 0)
    sound(result.entries)


async def test_stopping_from_within_ends_the_run_after_what_it_was_doing() -> None:
    holder: list[Run] = []

    def answer(request: Asked) -> str:
        holder[0].stop("said enough")
        return "the last word"

    run = Workflow(a >> b, model=FunctionModel(answer)).start("g")
    holder.append(run)
    result = await run.result()
    assert (result.reason, result.turns) == ("cancelled", 1)
    sound(result.entries)


# -- pausing and resuming -----------------------------------------------------------------------


async def interrupted(run: Run, gate: Gate, *waiting: str) -> None:
    """Cancel whoever drives the run, once these wait at the gate."""
    driver = asyncio.create_task(run.result())
    await gate.arrived(*waiting)
    driver.cancel()
    with pytest.raises(asyncio.CancelledError):
        await driver


@pytest.mark.parametrize("where", ["memory", "sqlite"])
async def test_a_cancelled_run_is_paused_closed_and_goes_on_where_it_was(
    where: str, tmp_path: Path
) -> None:
    journal = MemoryJournal() if where == "memory" else SQLiteJournal(tmp_path / "journal.db")
    gate = Gate()
    workflow = gated(gate, Graph(start((a, b)), handoff((a, b), c), finish(c), stop(when=turns(9))))
    with closing(journal):
        run = workflow.start("g", journal=journal, seed=1)
        gate.release("a")
        driver = asyncio.create_task(run.result())
        await gate.arrived("b")
        driver.cancel()
        with pytest.raises(asyncio.CancelledError):
            await driver
        kinds = [entry.kind for entry in run.board.entries]
        assert kinds.count("Paused") == 1
        assert not journal.holder(run.id)
        assert [stored.body for stored in journal.read(run.id)] == [
            entry.body for entry in run.board.entries
        ]
        gate.release("b", "c")
        result = await workflow.resume(run.id[:20], journal=journal).result()
        assert sorted(gate.arrivals) == ["a", "b", "b", "c"]  # a is not asked again
        sound(result.entries)
        gate.open()
        whole = await workflow.run("g", seed=1)
        assert comparable(result.entries) == comparable(whole.entries)


async def test_a_run_may_be_paused_at_the_same_call_again_and_again() -> None:
    gate, journal = Gate(), MemoryJournal()
    workflow = gated(gate)
    run = workflow.start("g", journal=journal)
    await interrupted(run, gate, "a")
    for _ in range(3):
        await interrupted(workflow.resume(run.id, journal=journal), gate, "a")
    gate.open()
    result = await workflow.resume(run.id, journal=journal).result()
    assert result.finished
    sound(result.entries)
    requests = [entry for entry in result.entries if str(entry.address) == "1/a/0.0"]
    assert [entry.attempt for entry in requests] == [0, 1, 2, 3, 4]
    assert len([entry for entry in result.entries if entry.kind == "Paused"]) == 4


async def test_a_run_that_is_being_driven_cannot_be_resumed_beside() -> None:
    gate, journal = Gate(), MemoryJournal()
    workflow = gated(gate)
    async with workflow.start("g", journal=journal) as run:
        await gate.arrived("a")
        with pytest.raises(JournalError, match=f"run {run.id} is held by pid"):
            workflow.resume(run.id, journal=journal)
        gate.open()


@pytest.mark.parametrize("where", ["memory", "sqlite"])
async def test_a_resume_that_is_refused_leaves_the_run_free(where: str, tmp_path: Path) -> None:
    journal = MemoryJournal() if where == "memory" else SQLiteJournal(tmp_path / "journal.db")
    gate = Gate()
    workflow = gated(gate)
    with closing(journal):
        run = workflow.start("g", journal=journal)
        await interrupted(run, gate, "a")
        other = gated(gate, a.with_(instructions="Be brief.") >> b)
        with pytest.raises(JournalError, match="was made by another workflow") as caught:
            other.resume(run.id, journal=journal)
        assert "role a: instructions: new: Be brief." in str(caught.value)
        assert not journal.holder(run.id)
        gate.open()
        assert (await workflow.resume(run.id, journal=journal).result()).finished
        with pytest.raises(JournalError, match="has ended; there is nothing to resume"):
            workflow.resume(run.id, journal=journal)
        assert not journal.holder(run.id)
        with pytest.raises(RunNotFound):
            workflow.resume("zzz", journal=journal)


async def test_a_run_that_could_not_start_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    workflow = Workflow(a, model=TALK)
    with pytest.raises(Exception, match="nowhere"):
        workflow.start("g", journal=f"sqlite:{path}", workspace=tmp_path / "nowhere")
    with closing(SQLiteJournal(path)) as journal:
        assert journal.runs() == []


async def test_the_budget_of_a_resumed_run_is_what_was_left() -> None:
    from hive import Budget

    gate, journal = Gate(), MemoryJournal()
    workflow = gated(gate, a >> b >> c, budget=Budget(calls=2))
    run = workflow.start("g", journal=journal)
    gate.release("a")
    await interrupted(run, gate, "b")
    gate.open()
    result = await workflow.resume(run.id, journal=journal).result()
    assert result.reason == "budget_exhausted"
    assert result.state.count(Request) <= 3


# -- a process that dies ------------------------------------------------------------------------


class Tracing(MemoryJournal):
    """A journal that remembers what it was given, append by append."""

    commit: Commit = "inline"

    def __init__(self) -> None:
        super().__init__()
        self.appended: list[list[Batch]] = []

    def append(self, batches: Sequence[Batch], *, wait: bool) -> None:
        super().append(batches, wait=wait)
        self.appended.append(list(batches))

    def first(self, number: int) -> MemoryJournal:
        """What a process left behind that died after so many appends."""
        journal = MemoryJournal()
        for batches in self.appended[:number]:
            journal.append(batches, wait=True)
        return journal


def busy_team(asked: list[str], called: list[str]) -> Workflow:
    """An advisor, strands side by side with tools, a failing mind, a program and a join."""

    @tool(effect="read")
    async def look(word: str, call: Call) -> str:
        """Look a word up."""
        called.append(call.address)
        return f"{word}!"

    async def count(view: View) -> Finding:
        asked.append("counter")
        return Finding(claim=str(len(view.entries)))

    def answer(request: Asked) -> Any:
        role = role_of(request)
        step = sum(message.role == "assistant" for message in request.messages)
        asked.append(f"{role} {step}")
        if role == "chooser":
            return '{"move": "2", "reason": "all of them"}'
        if role == "fails":
            raise ConnectionError("cut off")
        if role == "worker" and step == 0:
            return [ToolUse(id=str(n), name="look", arguments={"word": f"w{n}"}) for n in (1, 2)]
        if role == "worker" and step == 1:
            return ToolUse(id="3", name="dig")
        return f"{role} is done after {step}"

    worker, fails = Role("worker", tools=(look,)), Role("fails")
    counter, last = Role("counter", writes=(Finding,), program=count), Role("last")
    graph = Graph(
        start(last),
        start((worker, fails)),
        handoff((worker, fails), counter),
        handoff(counter, last),
        finish(last),
        stop(when=turns(9)),
    )
    return Workflow(graph, model=FunctionModel(answer, "mind"), policy=Chooser())


async def test_a_run_whose_process_died_at_any_append_goes_on_to_the_same_board() -> None:
    asked: list[str] = []
    called: list[str] = []
    workflow = busy_team(asked, called)
    tracing = Tracing()
    whole = await workflow.run("g", journal=tracing, seed=3)
    sound(whole.entries)
    assert whole.finished
    assert sorted(asked) == [
        "chooser 0", "counter", "fails 0", "last 0", "worker 0", "worker 1", "worker 2",
    ]  # fmt: skip
    assert len(tracing.appended) > 6
    for number in range(1, len(tracing.appended)):
        left = tracing.first(number)
        if "Termination" in kinds_in(left, whole.run):
            continue
        result = await workflow.resume(whole.run, journal=left).result()
        sound(result.entries)
        assert comparable(result.entries) == comparable(whole.entries), number
        assert result.text == whole.text


async def test_what_was_recorded_is_never_asked_again() -> None:
    asked: list[str] = []
    workflow = busy_team(asked, [])
    tracing = Tracing()
    whole = await workflow.run("g", journal=tracing, seed=3)
    ended = {
        entry.address
        for entry in whole.entries
        if getattr(entry.payload, "digest", "") and entry.kind in ("Inference", "Fault")
    }
    assert len(ended) == len(asked)
    for number in range(1, len(tracing.appended)):
        left = tracing.first(number)
        recorded = list(left.read(whole.run))
        if "Termination" in kinds_in(left, whole.run):
            continue
        answered = {entry.address for entry in whole.entries[: len(recorded)]} & ended
        asked.clear()
        await workflow.resume(whole.run, journal=left).result()
        assert len(asked) == len(ended) - len(answered)


def kinds_in(journal: MemoryJournal, run: str) -> list[str]:
    return [decode(stored.row.header)["kind"] for stored in journal.read(run)]


async def test_a_call_that_must_not_be_made_twice_is_in_doubt_after_a_crash() -> None:
    made: list[str] = []

    @tool(effect="write", repeat="never")
    async def fire() -> str:
        """Fire."""
        made.append("fired")
        return "fired"

    tracing = Tracing()
    model = FunctionModel(
        lambda request: "done" if len(request.messages) > 1 else ToolUse(id="1", name="fire")
    )
    workflow = Workflow(Role("a", tools=(fire,)), model=model)
    await workflow.run("g", journal=tracing)
    assert made == ["fired"]
    doubts = 0
    for number in range(1, len(tracing.appended)):
        left = tracing.first(number)
        kinds = kinds_in(left, left.runs()[0])
        if "Termination" in kinds:
            continue
        made.clear()
        result = await workflow.resume(left.runs()[0], journal=left).result()
        if "ToolCall" in kinds and "Observation" not in kinds:
            doubts += 1
            assert result.waits_for == (
                "in_doubt: fire was begun and nobody knows whether it took effect",
            )
            assert made == []
        else:
            assert result.finished
            assert made == ([] if "Observation" in kinds else ["fired"])
    assert doubts == 1


# -- a journal that fails -----------------------------------------------------------------------


class Failing(MemoryJournal):
    """A journal that breaks at its n-th append."""

    commit: Commit = "inline"

    def __init__(self, at: int) -> None:
        super().__init__()
        self.left = at

    def append(self, batches: Sequence[Batch], *, wait: bool) -> None:
        self.left -= 1
        if self.left < 0:
            raise JournalError("the disk is full")
        super().append(batches, wait=wait)


@pytest.mark.parametrize("at", range(12))
@pytest.mark.parametrize("driven", ["result", "block"])
async def test_a_journal_that_fails_stops_the_run_and_nothing_that_was_asked_is_lost(
    at: int, driven: str
) -> None:
    journal = Failing(at)
    asked: list[str] = []
    workflow = busy_team(asked, [])
    run = workflow.start("g", journal=journal, seed=3)
    follower = asyncio.create_task(collected(run.follow()))
    error: BaseException | None = None
    try:
        async with asyncio.timeout(10):
            if driven == "block":
                async with run:
                    pass
            else:
                await run.result()
    except* JournalError as group:
        error = group.exceptions[0]
    if error is None:
        assert journal.left >= 0
        return
    assert "can no longer be recorded" in str(error)
    assert "the disk is full" in str(error)
    await follower
    assert not journal.holder(run.id)
    kept = [stored.body for stored in journal.read(run.id)] if journal.runs() else []
    assert kept == [entry.body for entry in run.board.entries[: len(kept)]]
    requests = sum(entry.kind == "Request" for entry in run.board.entries[: len(kept)])
    assert requests >= len(asked), "whoever was asked is on record"
    if not kept:
        return
    journal.left = 1000
    result = await workflow.resume(run.id, journal=journal).result()
    assert result.finished
    whole = await busy_team([], []).run("g", seed=3)
    assert comparable(result.entries) == comparable(whole.entries)


async def test_a_run_in_a_scope_that_is_cancelled_is_paused() -> None:
    gate, journal = Gate(), MemoryJournal()
    workflow = gated(gate)
    with anyio.CancelScope() as scope:
        async with workflow.start("g", journal=journal) as run:
            await gate.arrived("a")
            scope.cancel()
    assert run.board.entries[-1].kind == "Paused"
    gate.open()
    assert (await workflow.resume(run.id, journal=journal).result()).finished
