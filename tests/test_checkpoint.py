"""Before critical work touches anything a person is asked, once; nothing else pays for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import pytest

from hive import Budget, Graph, Role, Workflow, finish, handoff, start, tool
from hive.audit import Record
from hive.board.pieces import Complexity, Level5
from hive.board.records import Approval, Decision, Fault, Suspension
from hive.board.state import State
from hive.control import TABLE, ByComplexity
from hive.journal.inbox import send
from hive.journal.memory import MemoryJournal
from hive.message import Request as Asked
from hive.message import ToolUse
from hive.phases.waiting import spoken
from hive.run import Result
from hive.testing import FunctionModel, Gate, comparable
from hive.tools import allow, ask, by_tool, deny
from hive.tools.approval import Judgement, ProposedCall
from hive.tools.person import Word
from tests.sound import sound
from tests.spoken import Tracing, of, places, replayed, role_of

dug: list[str] = []


@tool(effect="write")
async def dig(where: str) -> str:
    """Dig."""
    dug.append(where)
    return "dug"


@tool(effect="irreversible")
async def fill(where: str) -> str:
    """Fill."""
    dug.append(f"filled {where}")
    return "filled"


@tool(effect="read")
async def look() -> str:
    """Look."""
    return "a meadow"


@pytest.fixture(autouse=True)
def undug() -> None:
    dug.clear()


class Always:
    """Takes all work for the same class."""

    def __init__(self, level: Level5) -> None:
        self.level: Level5 = level

    def estimate(self, goal: str, state: State) -> Complexity:
        return Complexity(level=self.level, score=1)

    def __repr__(self) -> str:
        return f"Always({self.level!r})"


def calls(request: Asked) -> str | ToolUse:
    """Every role calls its one tool and says what came of it; who has none has a look at it."""
    if request.messages[-1].role == "tool" or not request.tools:
        return f"{role_of(request)} is done"
    name = request.tools[0].name
    return ToolUse(id="1", name=name, arguments={} if name == "look" else {"where": "here"})


looker, digger, filler = Role("looker", tools=(look,)), Role("digger", tools=(dig,)), Role("filler")
CALLING = FunctionModel(calls, "calling")


def team(
    graph: Any = looker >> digger >> filler, level: Level5 = "critical", **options: Any
) -> Any:
    return Workflow(graph, model=CALLING, estimator=Always(level), **options)


async def waiting(workflow: Workflow) -> tuple[MemoryJournal, Result]:
    journal = MemoryJournal()
    return journal, await workflow.start("g", journal=journal, seed=1).result()


def rulings(result: Result) -> list[tuple[str, str]]:
    """What was ruled at checkpoints, and by whom."""
    found = [e.payload for e in result.entries if e.kind == "Approval" and not e.address.strand]
    return [(each.decision, each.by) for each in found if isinstance(each, Approval)]


@pytest.mark.asyncio
async def test_a_person_is_asked_before_the_first_turn_that_touches_anything() -> None:
    journal, result = await waiting(team())
    assert (result.outcome, dug) == ("waiting", [])
    assert result.waits_for == ("approval: critical work, which may call dig (write) by digger",)
    [suspension] = of(result.entries, Suspension)
    assert suspension.subject == "2//0", "the decision"
    assert places(result.entries, "Request") == ["1/looker/0.0", "1/looker/1.0"]
    assert Record(journal, result.run).summary.state == "waiting"


@pytest.mark.parametrize("resumed_twice", [False, True])
@pytest.mark.asyncio
async def test_a_yes_lets_the_run_go_on_and_is_asked_for_once(resumed_twice: bool) -> None:
    twice = looker >> digger >> Role("other", tools=(dig,))
    journal, result = await waiting(team(twice))
    if resumed_twice:
        again = await team(twice).resume(result.run, journal=journal).result()
        assert (again.outcome, len(of(again.entries, Suspension))) == ("waiting", 1)
    run = team(twice).resume(result.run, journal=journal)
    run.answer("2//0", "allow", "go on", by="user:ann")
    result = await run.result()
    sound(result.entries)
    assert (result.finished, dug) == (True, ["here", "here"])
    assert rulings(result) == [("ask", "checkpoint"), ("allow", "user:ann")]
    assert result.state.approvals == ()
    await replayed(run)


@pytest.mark.asyncio
async def test_a_no_ends_the_run_and_says_whose_it_was() -> None:
    journal, result = await waiting(team())
    run = team().resume(result.run, journal=journal)
    run.answer("2//0", "deny", "not in my garden", by="user:ann")
    result = await run.result()
    sound(result.entries)
    assert (result.outcome, result.reason, dug) == ("stopped", "cancelled", [])
    assert result.message == "user:ann denied the checkpoint before turn 2: not in my garden"
    assert of(result.entries, Fault) == []
    await replayed(run)


class Somebody:
    """A person at hand with one word for everything."""

    def __init__(self, word: Word | None) -> None:
        self.word = word
        self.asked: list[ProposedCall] = []

    async def decide(self, call: ProposedCall) -> Word | None:
        self.asked.append(call)
        return self.word


@pytest.mark.parametrize(
    ("word", "outcome"),
    [(Word("allow", "user:a"), "finished"), (Word("deny", "user:a"), "stopped"), (None, "waiting")],
)
@pytest.mark.asyncio
async def test_somebody_at_hand_is_asked(word: Word | None, outcome: str) -> None:
    person = Somebody(word)
    run = team().start("g")
    run.attend(person)
    result = await run.result()
    assert result.outcome == outcome
    [call] = person.asked
    assert (call.is_checkpoint, call.tool, call.effect) == (True, "checkpoint", "write")
    assert call.arguments == {"level": "critical", "calls": "dig (write) by digger"}
    await replayed(run)


class AtGate:
    """Somebody who thinks at a gate, and never comes to an end."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate

    async def decide(self, call: ProposedCall) -> Word | None:
        await self.gate.enter("person")
        return None


@pytest.mark.asyncio
async def test_a_stop_ends_a_run_that_stands_at_a_checkpoint() -> None:
    gate = Gate()
    async with team().start("g") as run:
        run.attend(AtGate(gate))
        await gate.arrived("person")
        run.stop("enough")
    result = await run.result()
    sound(result.entries)
    assert (result.reason, result.message, dug) == ("cancelled", "enough", [])
    await replayed(run)


@pytest.mark.asyncio
async def test_a_deadline_binds_at_a_checkpoint_too() -> None:
    gate = Gate()
    async with team(budget=Budget(seconds=0.3)).start("g") as run:
        run.attend(AtGate(gate))
    result = await run.result()
    sound(result.entries)
    assert (result.reason, dug) == ("time_exhausted", [])
    await replayed(run)


@pytest.mark.asyncio
async def test_who_answers_elsewhere_spares_the_person_at_hand() -> None:
    gate = Gate()
    async with team().start("g") as run:
        run.attend(AtGate(gate))
        await gate.arrived("person")
        run.answer("2//0", "allow", by="user:bob")
    result = await run.result()
    assert (result.finished, rulings(result)[-1]) == (True, ("allow", "user:bob"))
    await replayed(run)


class Refuses:
    """An approver of nothing."""

    async def judge(self, call: ProposedCall) -> Judgement:
        return Judgement("deny", "never", "the house")


@pytest.mark.parametrize(
    ("approvals", "outcome", "by"),
    [
        (allow(), "finished", "allow()"),
        (allow(effect="write"), "finished", "allow(effect='write')"),
        (by_tool(checkpoint="allow"), "finished", "by_tool(checkpoint='allow')"),
        (ask(effect="irreversible"), "waiting", "checkpoint"),
        (deny(effect="egress"), "waiting", "checkpoint"),
        (allow(role="digger"), "waiting", "checkpoint"),
        (deny(effect="write"), "stopped", "deny(effect='write')"),
        (Refuses(), "stopped", "the house"),
    ],
)
@pytest.mark.asyncio
async def test_approvers_may_answer_it_and_where_none_does_a_person_is_asked(
    approvals: Any, outcome: str, by: str
) -> None:
    run = team(approvals=approvals).start("g")
    result = await run.result()
    assert (result.outcome, rulings(result)[0][1]) == (outcome, by)
    if outcome == "stopped":
        assert result.message.startswith(f"{by} denied the checkpoint before turn 2")
    await replayed(run)


@pytest.mark.parametrize("level", get_args(Level5)[:-1])
@pytest.mark.asyncio
async def test_only_work_of_a_class_that_has_one_comes_to_a_checkpoint(level: Level5) -> None:
    result = await team(level=level).run("g")
    assert (result.finished, rulings(result)) == (True, [])


@pytest.mark.asyncio
async def test_who_only_reads_passes_without_a_word() -> None:
    result = await team(looker >> filler).run("g")
    assert (result.finished, of(result.entries, Suspension)) == (True, [])
    assert all(each.allotted.checkpoint for each in of(result.entries, Decision))


@pytest.mark.asyncio
async def test_the_table_says_which_work_has_one() -> None:
    table = TABLE.with_(simple=replace(TABLE["simple"], checkpoint=True))
    result = await team(level="simple", allocator=ByComplexity(table=table)).run("g")
    assert result.waits_for == ("approval: simple work, which may call dig (write) by digger",)


@pytest.mark.asyncio
async def test_the_most_harmful_call_is_what_is_judged() -> None:
    both = Role("both", tools=(fill, dig, look))
    graph = Graph(start((both, digger)), handoff((both, digger), looker), finish(looker))
    person = Somebody(None)
    run = team(graph).start("g")
    run.attend(person)
    await run.result()
    assert person.asked[0].effect == "irreversible"
    assert person.asked[0].arguments["calls"] == (
        "dig (write) by both, dig (write) by digger, fill (irreversible) by both"
    )


@pytest.mark.asyncio
async def test_a_checkpoint_stands_however_often_its_process_dies() -> None:
    tracing, workflow = Tracing(), team()
    result = await workflow.start("g", journal=tracing, seed=1).result()
    run = workflow.resume(result.run, journal=tracing)
    run.answer("2//0", "allow", by="user:ann")
    whole = comparable((await run.result()).entries)
    tried = 0
    for number in range(1, len(tracing.steps)):
        left = tracing.first(number)
        if not left.runs() or Record(left, run.id).summary.ended:
            continue
        tried += 1
        answered = bool(left.inbox())
        result = await workflow.resume(run.id, journal=left).result()
        if not answered:
            assert result.outcome == "waiting"
            send(left, run.id, "answer", by="user:ann", subject="2//0", text=spoken("allow"))
            result = await workflow.resume(run.id, journal=left).result()
        if "dig" in {wait.partition(" was begun")[0][-3:] for wait in result.waits_for}:
            continue  # killed while it dug: that call is in doubt, and nothing else
        assert comparable(result.entries) == whole
    assert tried > 3


@pytest.mark.asyncio
async def test_a_fork_has_the_word_that_its_parent_was_given_for_the_same() -> None:
    journal, result = await waiting(team())
    run = team().resume(result.run, journal=journal)
    run.answer("2//0", "allow", by="user:ann")
    await run.result()
    parent = Record(journal, run.id)
    for turn in (1, 2, 3):
        same = parent.fork(at=f"turn:{turn}", workflow=team())
        forked = await same.result()
        sound(forked.entries)
        assert (forked.finished, rulings(forked)[-1]) == (True, ("allow", "user:ann"))
        await replayed(same)
    both = looker >> digger.with_(tools=(dig, fill)) >> filler
    other = await parent.fork(at="turn:2", workflow=team(both)).result()
    assert (other.outcome, [ruled for ruled, _ in rulings(other)]) == ("waiting", ["ask"])
