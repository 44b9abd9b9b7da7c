"""Taking a run up again: under a changed workflow, after a rest, in a touched workspace."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from hive import (
    Budget,
    Graph,
    Note,
    Payload,
    Role,
    Workflow,
    elapsed,
    finish,
    handoff,
    start,
    stop,
    tool,
)
from hive.beginning import board_for
from hive.board.contributions import UserMessage
from hive.board.entry import Address
from hive.board.records import Fault, Resumed, Termination
from hive.control import WrittenBy
from hive.errors import DeclarationError, JournalError, RunHeld, WorkflowChanged
from hive.journal.memory import MemoryJournal
from hive.message import Request as Asked
from hive.message import ToolUse
from hive.testing import FunctionModel, Gate, GatedModel, ManualClock
from hive.tools import Call
from tests.control.budgets.test_budget_scopes import Greedy
from tests.interrupted import MANY, TALK, a, b, c, gated, last, only, paused, role_of
from tests.sound import sound

pytestmark = pytest.mark.asyncio


async def test_a_run_that_never_waits_is_broken_off_by_an_exception_and_goes_on() -> None:
    journal, team = MemoryJournal(), Workflow(a >> b, model=TALK)
    with pytest.raises(ZeroDivisionError):
        async with team.start("g", journal=journal):
            raise ZeroDivisionError
    record = only(journal)
    assert (record.summary.state, record.summary.turns) == ("paused", 0)
    assert (await team.resume(record.id, journal=journal).result()).finished


async def test_an_exception_is_heard_before_the_next_turn_when_an_answer_came_first() -> None:
    journal, gate = MemoryJournal(), Gate()

    async def left() -> None:
        async with gated(gate).start("g", journal=journal):
            await gate.arrived("a")
            gate.open()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await left()
    record = only(journal)
    assert (record.summary.state, record.summary.turns) == ("paused", 1)


# -- under a changed workflow -------------------------------------------------------------------


async def test_what_changed_is_told_in_words() -> None:
    gate = Gate()
    wordy = a.with_(instructions="Be brief.\nBe kind.\nBe right.")
    journal = await paused(gated(gate, wordy >> b), gate, "a")
    other = gated(gate, a.with_(instructions="Be brief.\nBe cruel.\nBe right.", corrections=5) >> b)
    run = journal.runs()[0]
    with pytest.raises(WorkflowChanged) as caught:
        other.with_(budget=Budget(usd=1)).resume(run, journal=journal)
    assert caught.value.changes == (
        f"budget: {Budget()!r} -> {Budget(usd=1)!r}",
        "role a: corrections: 2 -> 5",
        "role a: instructions: 1 lines gone, 1 new\n"
        "  @@ -1,3 +1,3 @@\n   Be brief.\n  -Be kind.\n  +Be cruel.\n   Be right.",
    )
    assert f"run {run} was made by another workflow; it differs in:\n" in str(caught.value)
    assert str(caught.value).endswith("\naccept={'workflow'} goes on under this one")
    assert only(journal).summary.state == "paused"


async def test_an_accepted_workflow_begins_the_open_turn_anew() -> None:
    gate = Gate()
    graph = Graph(start((a, b)), finish((a, b)), stop(when=elapsed(minutes=9)))
    gate.release("a")
    journal = await paused(gated(gate, graph), gate, "b")
    run = journal.runs()[0]
    told = a.with_(instructions="Be brief.")
    other = Graph(start((told, b)), finish((told, b)), stop(when=elapsed(minutes=9)))
    gate.open()
    team = gated(gate, other)
    result = await team.resume(run, journal=journal, accept={"workflow"}).result()
    assert result.finished
    sound(result.entries)
    assert sorted(gate.arrivals) == ["a", "a", "b", "b"], "what it had said does not count any more"
    said = [entry for entry in result.entries if entry.kind == "Note"]
    assert sorted((str(entry.address), entry.attempt) for entry in said) == [
        ("1/a/0.2", 0), ("1/a/0.2", 1), ("1/b/0.2", 0),
    ]  # fmt: skip
    assert result.state.count(Note) == 2
    assert result.state.calls == 4, "what was asked is paid for"
    resumed = last(result, Resumed)
    assert resumed.anew
    assert resumed.accepted == ("workflow: role a: instructions: new: Be brief.",)
    kept = journal.content(run, resumed.fingerprint)
    assert kept is not None
    assert kept.body == team.manifest_bytes


async def test_a_turn_begun_anew_survives_further_pauses_and_is_not_refused_again() -> None:
    gate = Gate()
    gate.release("a")
    journal = await paused(gated(gate), gate, "b")
    run = journal.runs()[0]
    team = gated(gate, a >> b.with_(instructions="Be brief."))
    with anyio.CancelScope() as scope:
        async with team.resume(run, journal=journal, accept={"workflow"}):
            await gate.arrived("b")
            scope.cancel()
    with anyio.CancelScope() as scope:
        async with team.resume(run, journal=journal):
            await gate.arrived("b")
            scope.cancel()
    gate.open()
    result = await team.resume(run, journal=journal).result()
    assert result.finished
    sound(result.entries)
    asked = [entry.attempt for entry in result.entries if str(entry.address) == "2/b/0.0"]
    assert asked == [0, 1, 2, 3]
    assert [entry.payload.anew for entry in only(journal).board.of_kind(Resumed)] == [  # type: ignore[attr-defined]
        True, False, False,
    ]  # fmt: skip
    with pytest.raises(JournalError, match="has ended; there is nothing to resume"):
        team.resume(run, journal=journal)


@pytest.mark.parametrize("told", [False, True])
async def test_what_a_turn_had_spent_counts_where_the_run_ends_once_it_is_begun_anew(
    told: bool,
) -> None:
    gate = Gate()

    def team(who: Role, tokens: int) -> Workflow:
        workflow = Workflow(
            Graph(start((who, b)), finish((who, b)), stop(when=MANY)),
            model=GatedModel(Greedy(), gate, role_of),
            budget=Budget(tokens=tokens),
        )
        return workflow.with_(synthesis=WrittenBy(Role("teller"))) if told else workflow

    journal = await paused(team(a, 90_000), gate, "a", "b")
    other = team(a.with_(instructions="Be brief."), 2_000)
    result = await other.resume(journal.runs()[0], journal=journal, accept={"workflow"}).result()
    assert result.reason == "budget_exhausted"
    sound(result.entries)
    cut_off = [entry.payload for entry in result.entries if isinstance(entry.payload, Fault)]
    spent, tokens = sum(each.cost for each in cut_off), sum(each.tokens for each in cut_off)
    assert spent > 0
    termination = last(result, Termination)
    assert (termination.spent, termination.tokens) == (spent, tokens)
    assert (result.state.spent, result.state.tokens) == (spent, tokens)
    record = only(journal)
    assert (record.summary.spent, record.summary.turns) == (spent, result.turns)
    assert (await record.replay(other)).identical


async def test_what_is_gone_is_not_shown_and_what_the_user_said_stays() -> None:
    gate, heard = Gate(), list[str]()

    def answer(request: Asked) -> str:
        heard.append(request.messages[0].text)
        return f"{role_of(request)} said"

    def team(told: Role) -> Workflow:
        graph = Graph(start((told, b)), handoff((told, b), c), finish(c), stop(when=MANY))
        return Workflow(graph, model=GatedModel(FunctionModel(answer, "mind"), gate, role_of))

    gate.release("a")
    journal = await paused(team(a), gate, "b")
    heard.clear()
    gate.open()
    other = team(a.with_(instructions="Be brief."))
    run = other.resume(journal.runs()[0], journal=journal, accept={"workflow"})
    result = await run.result()
    assert result.finished
    assert heard[-1].count("Note by a") == heard[-1].count("Note by b") == 1
    notes = [str(entry.address) for entry in result.entries if entry.kind == "Note"]
    assert notes.count("1/a/0.2") == 2
    assert [entry.attempt for entry in run.board.contributions(1)] == [1, 0]


async def test_words_from_outside_outlive_a_turn_that_is_begun_anew() -> None:
    board = board_for(Workflow(a, model=TALK))

    def post(address: Address, author: str, payload: Payload) -> None:
        board.post(address, author, payload, at=1, origin=author, attempt=len(board.entries))

    post(Address(1, "a", (0, 2)), "a", Note(text="gone"))
    post(Address(1, "", (8, 0)), "user", UserMessage(text="mind the step"))
    post(Address(1, "", (9,)), "coordinator", Resumed(anew=True))
    post(Address(1, "a", (0, 2)), "a", Note(text="said"))
    state = board.close_turn(("a",))
    assert (state.count(Note), state.count(UserMessage)) == (1, 1)
    said = [entry.payload for entry in board.contributions(1)]
    assert said == [UserMessage(text="mind the step"), Note(text="said")]
    shown = board.view(frozenset({"Note", "UserMessage"}), 1000)
    assert len(shown.causes) == 2


async def test_a_larger_budget_leaves_the_open_turn_as_it_was() -> None:
    gate = Gate()
    graph = Graph(start((a, b)), finish((a, b)), stop(when=elapsed(minutes=9)))
    gate.release("a")
    journal = await paused(gated(gate, graph, budget=Budget(calls=2)), gate, "b")
    team = gated(gate, graph, budget=Budget(calls=9))
    gate.open()
    result = await team.resume(journal.runs()[0], journal=journal, accept={"workflow"}).result()
    assert result.finished
    assert sorted(gate.arrivals) == ["a", "b", "b"], "a is not asked again"
    assert not last(result, Resumed).anew


async def test_calls_that_may_not_be_repeated_are_named_before_a_turn_is_begun_anew() -> None:
    gate, fired = Gate(), list[str]()

    @tool(effect="write", repeat="never")
    async def fire(call: Call) -> str:
        """Fire."""
        fired.append(call.key)
        return "fired"

    def answer(request: Asked) -> Any:
        return "done" if len(request.messages) > 1 else ToolUse(id="1", name="fire")

    def team(role: Role) -> Workflow:
        asks = GatedModel(FunctionModel(answer, "mind"), gate, lambda r: f"{len(r.messages)}")
        return Workflow(role, model=asks)

    role = Role("a", tools=(fire,))
    gate.release("1")
    journal = await paused(team(role), gate, "3")
    run = journal.runs()[0]
    other = team(role.with_(instructions="Be brief."))
    gate.open()
    with pytest.raises(WorkflowChanged, match="has made calls that may not simply be made") as held:
        other.resume(run, journal=journal, accept={"workflow"})
    assert held.value.calls == ("fire (1/a/0.2)",)
    result = await other.resume(run, journal=journal, accept={"workflow", "calls"}).result()
    assert result.finished
    assert fired == [f"{run}/1/a/0.2", f"{run}/1/a/0.2~1"], "a key of its own"
    sound(result.entries)


async def test_only_what_there_is_can_be_accepted() -> None:
    with pytest.raises(
        DeclarationError, match="accept='everything': there are 'workflow', 'calls'"
    ):
        Workflow(a, model=TALK).resume("x", journal=MemoryJournal(), accept={"everything"})
    with pytest.raises(DeclarationError, match="accept='everything': there are"):
        Workflow(a, model=TALK).resume("x", journal=MemoryJournal(), accept="everything")


async def test_a_run_that_somebody_extends_is_not_taken_up_beside() -> None:
    gate, journal = Gate(), MemoryJournal()
    team = gated(gate)
    async with team.start("g", journal=journal) as run:
        await gate.arrived("a")
        with pytest.raises(RunHeld, match=f"run {run.id} is held by pid") as caught:
            team.resume(run.id, journal=journal)
        assert caught.value.holder == journal.holder(run.id)
        gate.open()


# -- after a rest -------------------------------------------------------------------------------


async def test_time_in_which_nothing_was_done_counts_for_nothing() -> None:
    gate, clock = Gate(), ManualClock()
    graph = Graph(
        start(a), handoff(a, b), finish(b), stop(when=elapsed(minutes=1)),
    )  # fmt: skip
    team = gated(gate, graph, budget=Budget(seconds=30))
    clock.advance(seconds=5)
    gate.release("a")
    journal = await paused(team, gate, "b", clock=clock)
    clock.advance(seconds=10_000)
    with anyio.CancelScope() as scope:
        async with team.resume(journal.runs()[0], journal=journal, clock=clock):
            await gate.arrived("b")
            clock.advance(seconds=2)
            scope.cancel()
    clock.advance(seconds=20_000)
    gate.open()
    result = await team.resume(journal.runs()[0], journal=journal, clock=clock).result()
    assert result.finished
    assert result.seconds == 2
    assert [e.payload.idle for e in result.entries if isinstance(e.payload, Resumed)] == [
        10_000_000_000, 20_000_000_000,
    ]  # fmt: skip
    assert result.state.idle == 30_000_000_000


async def test_a_clock_that_was_set_back_gives_no_time_away() -> None:
    gate, clock = Gate(), ManualClock()
    team = gated(gate, budget=Budget(seconds=30))
    gate.release("a")
    journal = await paused(team, gate, "b", clock=clock)
    gate.open()
    early = ManualClock(start=clock.start - 3_600_000_000)
    result = await team.resume(journal.runs()[0], journal=journal, clock=early).result()
    assert result.finished
    assert last(result, Resumed).idle == 0
    assert result.seconds >= 0


# -- calls that were begun ----------------------------------------------------------------------
