"""Taking a run up again: under a changed workflow, after a rest, in a touched workspace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest

from hive import (
    Budget,
    Graph,
    Limits,
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
from hive.audit import Record
from hive.beginning import board_for
from hive.board.contributions import UserMessage
from hive.board.entry import Address
from hive.board.records import Fault, Inference, Observation, Request, Resumed, ToolCall
from hive.errors import DeclarationError, JournalError, RunHeld, WorkflowChanged, WorkspaceDrift
from hive.journal.memory import MemoryJournal
from hive.message import Request as Asked
from hive.message import ToolUse
from hive.run import Result
from hive.testing import FunctionModel, Gate, GatedModel, ManualClock, ScriptedModel
from hive.tools import Call, Tool
from hive.tools.approval import Judgement, ProposedCall
from tests.crash.dying import DyingJournal, Fate, World, driven, settle
from tests.crash.teams import Yes
from tests.sound import sound

pytestmark = pytest.mark.asyncio
a, b, c = Role("a"), Role("b"), Role("c")
MANY = elapsed(minutes=9)
TALK = FunctionModel(lambda request: f"{role_of(request)} said", "talk")


def role_of(request: Asked) -> str:
    return request.system.split("'")[1]


def gated(gate: Gate, graph: Any = a >> b, **options: Any) -> Workflow:
    return Workflow(graph, model=GatedModel(TALK, gate, role_of), **options)


async def paused(team: Workflow, gate: Gate, *waiting: str, **options: Any) -> MemoryJournal:
    """A run that was cancelled once these waited at the gate."""
    journal = MemoryJournal()
    with anyio.CancelScope() as scope:
        async with team.start("g", journal=journal, seed=1, **options):
            await gate.arrived(*waiting)
            scope.cancel()
    return journal


def only(journal: MemoryJournal) -> Record:
    return Record(journal, journal.runs()[0])


def last(result: Result, kind: type[Any]) -> Any:
    return [entry.payload for entry in result.entries if entry.kind == kind.kind][-1]


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


async def test_what_is_accepted_may_be_said_in_one_word(folder: Path) -> None:
    journal, team, _ = await touched(folder)
    result = await team.resume(journal.runs()[0], journal=journal, accept="workspace").result()
    assert last(result, Resumed).accepted[0] == "workspace: link was removed"


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


def launcher(world: World, **options: Any) -> Workflow:
    @tool(effect="irreversible", repeat="never")
    async def launch(call: Call) -> str:
        """Launch."""
        world.launched.append(call.address)
        return "launched"

    def answer(request: Asked) -> Any:
        if len(request.messages) == 1:
            return ToolUse(id="1", name="launch")
        result = request.messages[-1].parts[0]
        return f"told: {result.text} {result.error}"  # type: ignore[union-attr]

    role = Role("a", tools=(world.tool(launch),))
    return Workflow(role, model=FunctionModel(answer, "mind"), approvals=Yes(), **options)


async def died_in_the_launch(team: Workflow, world: World, which: str) -> DyingJournal:
    """A journal whose process died before the launch, or after it."""
    whole = Fate()
    world.fate = whole
    journal = DyingJournal()
    journal.fate = whole
    await driven(team.start("g", journal=journal), whole)
    world.launched.clear()
    journal = DyingJournal()
    journal.fate = world.fate = Fate(whole.passed.index(f"{which} launch") + 1)
    assert await driven(team.start("g", journal=journal), journal.fate) is None
    journal.fate = world.fate = Fate()
    return journal


@pytest.mark.parametrize("which", ["before", "after"])
async def test_a_call_in_doubt_is_lost_by_rule(which: str) -> None:
    world = World()
    team = launcher(world, in_doubt="lost")
    journal = await died_in_the_launch(team, world, which)
    result = await team.resume(journal.runs()[0], journal=journal).result()
    sound(result.entries)
    assert result.text == (
        "told: launch was begun when the process ended; nobody knows whether it took effect, and"
        " it was not called again True"
    )
    assert len(world.launched) == (which == "after")
    assert last(result, Observation).error


@pytest.mark.parametrize("which", ["before", "after"])
async def test_a_call_in_doubt_is_repeated_by_rule(which: str) -> None:
    world = World()
    team = launcher(world, in_doubt="repeat")
    journal = await died_in_the_launch(team, world, which)
    result = await team.resume(journal.runs()[0], journal=journal).result()
    sound(result.entries)
    assert result.text == "told: launched False"
    assert len(world.launched) == 1 + (which == "after")


@pytest.mark.parametrize("which", ["before", "after"])
async def test_a_call_in_doubt_waits_for_a_person_however_often_it_is_asked_about(
    which: str,
) -> None:
    world = World()
    team = launcher(world)
    journal = await died_in_the_launch(team, world, which)
    run = journal.runs()[0]
    for _ in range(3):
        result = await team.resume(run, journal=journal).result()
        assert result.outcome == "waiting"
        assert result.waits_for == (
            "in_doubt: launch was begun and nobody knows whether it took effect",
        )
    assert len(world.launched) == (which == "after")
    settle(journal, run, world, result)
    result = await team.resume(run, journal=journal).result()
    sound(result.entries)
    assert result.text == "told: launched False"
    assert len(world.launched) == 1


async def test_no_call_is_in_doubt_before_the_last_of_its_reply_is_ruled_on() -> None:
    gate, fired = Gate(), list[str]()

    @tool(effect="irreversible", repeat="never")
    async def fire(which: str) -> str:
        """Fire."""
        fired.append(which)
        return "fired"

    class Slow:
        """Somebody who says yes at once to the first call and thinks about the second one."""

        async def judge(self, call: ProposedCall) -> Judgement:
            await gate.enter(str(call.arguments["which"]))
            return Judgement("allow", "go ahead", "user")

    def answer(request: Asked) -> Any:
        both = [ToolUse(id=w, name="fire", arguments={"which": w}) for w in ("one", "two")]
        return "done" if len(request.messages) > 1 else both

    model = FunctionModel(answer, "mind")
    team = Workflow(Role("a", tools=(fire,)), model=model, approvals=Slow())
    gate.release("one")
    journal = await paused(team, gate, "two")
    assert only(journal).board.of_kind("Approval")[0].payload.decision == "allow"  # type: ignore[attr-defined]
    assert fired == []
    gate.open()
    result = await team.resume(journal.runs()[0], journal=journal).result()
    assert result.finished
    sound(result.entries)
    assert sorted(fired) == ["one", "two"]


async def test_a_rule_for_doubt_is_one_of_three_and_part_of_the_workflow() -> None:
    with pytest.raises(DeclarationError, match="in_doubt='maybe': say 'ask', 'repeat', 'lost'"):
        Workflow(a, model=TALK, in_doubt="maybe")  # type: ignore[arg-type]
    one, other = Workflow(a, model=TALK), Workflow(a, model=TALK, in_doubt="lost")
    assert one.manifest_bytes != other.manifest_bytes


async def test_a_second_attempt_that_does_not_fit_is_refused_as_an_attempt_of_its_own() -> None:
    from tests.crash.test_caps import Priced

    world = World()
    cap, most = Budget(usd="0.0025"), Limits(output_tokens=256)
    team = Workflow(a, model=Priced(world, 10), budget=cap, limits=most)
    journal = DyingJournal()
    journal.fate = world.fate = Fate(3)  # after the request is on record, before it is answered
    assert await driven(team.start("g", journal=journal), journal.fate) is None
    journal.fate = world.fate = Fate()
    result = await team.resume(journal.runs()[0], journal=journal).result()
    assert result.reason == "budget_exhausted"
    faults = [entry for entry in result.entries if isinstance(entry.payload, Fault)]
    told = [(entry.attempt, entry.payload.code) for entry in faults]  # type: ignore[attr-defined]
    assert told == [(0, "interrupted"), (1, "budget_exhausted")]
    granted = next(e.payload for e in result.entries if isinstance(e.payload, Request))
    settled = faults[0].payload
    assert isinstance(settled, Fault)
    assert (settled.cost, settled.tokens) == (granted.grant, granted.grant_tokens)
    assert result.state.spent == granted.grant


# -- in a workspace that was touched ------------------------------------------------------------


@tool(effect="write", repeat="safe")
async def put(path: str, text: str, call: Call) -> str:
    """Put a text into a file."""
    call.require_workspace().write(path, text.encode())
    return "done"


def scribe(gate: Gate, used: Tool = put) -> Workflow:
    """Writes two.txt, and waits before it says so."""

    def answer(request: Asked) -> Any:
        if len(request.messages) == 1:
            return ToolUse(id="1", name="put", arguments={"path": "two.txt", "text": "new\n"})
        return "written"

    asks = GatedModel(FunctionModel(answer, "mind"), gate, lambda r: f"{len(r.messages)}")
    return Workflow(Role("a", tools=(used,)), model=asks)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workspace with three files."""
    place = tmp_path / "work"
    place.mkdir()
    for name in ("one", "two", "three"):
        (place / f"{name}.txt").write_text(f"{name}\n")
    (place / "one.txt").chmod(0o755)
    (place / "link").symlink_to("three.txt")
    return place


async def touched(folder: Path) -> tuple[MemoryJournal, Workflow, Gate]:
    """A paused run whose workspace somebody has changed since."""
    gate = Gate()
    team = scribe(gate)
    gate.release("1")
    journal = await paused(team, gate, "3", workspace=folder)
    edit(folder)
    gate.open()
    return journal, team, gate


def edit(folder: Path) -> None:
    (folder / "one.txt").write_text("somebody's\n")
    (folder / "three.txt").unlink()
    (folder / "link").unlink()
    (folder / "more").mkdir()
    (folder / "more" / "four.txt").write_text("four\n")


async def test_drift_is_named_and_nothing_goes_on(folder: Path) -> None:
    journal, team, _ = await touched(folder)
    with pytest.raises(WorkspaceDrift) as caught:
        team.resume(journal.runs()[0], journal=journal)
    assert [(each.path, each.how) for each in caught.value.drift] == [
        ("link", "removed"), ("more/four.txt", "added"), ("one.txt", "changed"),
        ("three.txt", "removed"),
    ]  # fmt: skip
    assert "one.txt: is not as the run left it" in str(caught.value)
    assert str(caught.value).endswith("restore=True puts back what is on record")
    assert journal.holder(journal.runs()[0]) is None


async def test_accepted_drift_is_on_record_and_part_of_every_later_state(
    folder: Path, tmp_path: Path
) -> None:
    journal, team, _ = await touched(folder)
    run = journal.runs()[0]
    result = await team.resume(run, journal=journal, accept={"workspace"}).result()
    assert result.finished
    resumed = last(result, Resumed)
    assert resumed.accepted == (
        "workspace: link was removed", "workspace: more/four.txt was added",
        "workspace: one.txt was changed", "workspace: three.txt was removed",
    )  # fmt: skip
    assert {change.path for change in resumed.changes} >= {"more/four.txt", "one.txt", "three.txt"}
    record = only(journal)
    record.workspace_at(1, tmp_path / "begun")
    record.workspace_at("1/a/0.2.1", tmp_path / "after put")
    record.workspace_at(len(record.entries) - 1, tmp_path / "in the end")
    begun, after, end = (files(tmp_path / name) for name in ("begun", "after put", "in the end"))
    assert begun["two.txt"] == "two\n"
    assert after == {**begun, "two.txt": "new\n"}
    assert end == files(folder)
    assert end["one.txt"] == "somebody's\n"
    assert (tmp_path / "begun" / "one.txt").stat().st_mode & 0o100
    assert (tmp_path / "begun" / "link").readlink() == Path("three.txt")


async def test_the_recorded_files_are_put_back(folder: Path) -> None:
    journal, team, _ = await touched(folder)
    result = await team.resume(journal.runs()[0], journal=journal, restore=True).result()
    assert result.finished
    assert files(folder) == {
        "one.txt": "one\n", "two.txt": "new\n", "three.txt": "three\n", "link": "three\n",
    }  # fmt: skip
    assert (folder / "one.txt").stat().st_mode & 0o100
    assert last(result, Resumed).accepted[0] == "workspace: link was put back"


async def test_a_workspace_that_is_gone_is_built_again(folder: Path) -> None:
    import shutil

    journal, team, _ = await touched(folder)
    shutil.rmtree(folder)
    with pytest.raises(DeclarationError, match="is not a folder"):
        team.resume(journal.runs()[0], journal=journal)
    result = await team.resume(journal.runs()[0], journal=journal, restore=True).result()
    assert result.finished
    assert files(folder)["two.txt"] == "new\n"
    assert last(result, Resumed).accepted == tuple(
        f"workspace: {path} was put back" for path in ("link", "one.txt", "three.txt", "two.txt")
    )


async def test_a_state_is_rebuilt_into_an_empty_folder_only(folder: Path, tmp_path: Path) -> None:
    journal, _, _ = await touched(folder)
    record = only(journal)
    with pytest.raises(DeclarationError, match="is no empty folder"):
        record.workspace_at(1, folder)
    with pytest.raises(JournalError, match="has no entry 99; its last one is entry"):
        record.workspace_at(99, tmp_path / "x")
    with pytest.raises(JournalError, match=r"has no entry 7/a/0\.0"):
        record.workspace_at("7/a/0.0", tmp_path / "x")
    bare = await Workflow(a, model=ScriptedModel(["x"])).run("g", journal=journal)
    with pytest.raises(JournalError, match="has no workspace on record"):
        Record(journal, bare.run).workspace_at(1, tmp_path / "x")


def files(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in folder.rglob("*")
        if path.is_file() and ".hive" not in path.parts
    }


async def test_what_was_kept_of_a_run_is_enough_to_tell_its_calls() -> None:
    """Requests, replies and calls of a run that was paused stand in its record once each."""
    gate = Gate()
    gate.release("a")
    journal = await paused(gated(gate), gate, "b")
    gate.open()
    await gated(gate).resume(journal.runs()[0], journal=journal).result()
    board = only(journal).board
    assert [str(entry.address) for entry in board.of_kind(Inference)] == ["1/a/0.1", "2/b/0.1"]
    assert board.of_kind(ToolCall) == []
