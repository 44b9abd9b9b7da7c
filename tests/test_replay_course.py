"""Replay of runs with a particular course: stopped, out of time, spoken to, erased, forked, or with
files under way; each over a real journal file, without asking anybody or touching anything."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import anyio
import pytest

from hive import Budget, Graph, Note, Role, Run, Workflow, finish, handoff, start, stop, turns
from hive.audit import Record, Replayed
from hive.audit.redaction import redact
from hive.audit.replay import replay
from hive.audit.whereabouts import select_entries, select_file, select_text
from hive.board.board import Board
from hive.board.entry import Entry
from hive.concluding import cancelled, conclude
from hive.control.graphs.graph import Ending
from hive.errors import HiveError
from hive.journal.sqlite import SQLiteJournal
from hive.message import Reply, Request, ToolUse
from hive.models import FunctionModel, ModelCard
from hive.testing import Gate, GatedModel
from hive.tools import allow, ask, edit_file, read_file, write_file

pytestmark = pytest.mark.asyncio

Line = Callable[[Request], str | ToolUse | Sequence[ToolUse]]
GOAL = "A text about bees."
a, b, c = Role("a"), Role("b"), Role("c")


def role_of(request: Request) -> str:
    return request.system.split("'")[1]


def heard(request: Request) -> str:
    return f"{role_of(request)} sees {request.messages[0].text.count('] ')}"


def silent(workflow: Workflow) -> Workflow:
    """The same workflow with a mind of the same name that must not be asked."""

    def never(request: Request) -> str:
        raise AssertionError("a replay asks nobody")

    mind = workflow.model
    assert mind is not None
    assert not isinstance(mind, str)
    return workflow.with_(model=FunctionModel(never, mind.name.removeprefix("program:")))


def mind(line: Line = heard) -> FunctionModel:
    return FunctionModel(line, "mind")


def rounds(most: int = 4, line: Line = heard, **more: object) -> Workflow:
    """Two in turn for so many turns."""
    graph = Graph(
        start(a),
        handoff(a, b),
        handoff(b, a),
        finish(b, when=turns(most)),
        stop(when=turns(most + 3)),
    )
    return Workflow(graph, model=mind(line), **more)  # type: ignore[arg-type]


def beside(gate: Gate, **more: object) -> Workflow:
    """Two beside each other, who wait at a gate, and one after them."""
    graph = Graph(start((a, b)), handoff((a, b), c), finish(c), stop(when=turns(9)))
    return Workflow(graph, model=GatedModel(mind(), gate, role_of), **more)  # type: ignore[arg-type]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SQLiteJournal]:
    opened = SQLiteJournal(tmp_path / "journal.db")
    yield opened
    opened.close()


async def again(journal: SQLiteJournal, run: str, workflow: Workflow) -> Replayed:
    """The replay, which is identical."""
    result = await replay(journal, run, silent(workflow))
    assert result.divergence is None, result.divergence
    if result.redacted is None:
        assert result.entries == len(Record(journal, run).entries) - result.shared
    return result


def ended(journal: SQLiteJournal, run: str) -> str | None:
    return Record(journal, run).summary.reason


async def test_a_run_that_was_stopped_in_the_middle_of_a_turn(journal: SQLiteJournal) -> None:
    gate = Gate()
    workflow = beside(gate)
    async with workflow.start(GOAL, journal=journal) as run:
        await gate.arrived("a", "b")
        gate.release("a")
        await posted(run, "Note")
        run.stop("that is enough")
    assert ended(journal, run.id) == "cancelled"
    assert (await again(journal, run.id, workflow)).identical


async def posted(run: Run, kind: str) -> None:
    """Wait for an entry of a kind."""
    async for entry in run.follow():
        if entry.kind == kind:
            return


async def test_a_run_that_was_out_of_time_ends_so_however_long_a_replay_takes(
    journal: SQLiteJournal,
) -> None:
    gate = Gate()
    workflow = beside(gate, budget=Budget(seconds=0.05))
    result = await workflow.run(GOAL, journal=journal)
    assert result.reason == "time_exhausted"
    longer = silent(beside(gate, budget=Budget(seconds=900)))
    assert (await again(journal, result.run, workflow)).identical
    assert (await replay(journal, result.run, longer)).identical


async def test_a_run_that_another_process_ended(journal: SQLiteJournal) -> None:
    """Whoever ends a run without its team makes the answer in the way that needs no team."""

    class Own:
        def synthesise(self, board: Board, ending: Ending) -> str:
            return "my own way"

    gate = Gate()
    workflow = beside(gate, synthesis=Own())
    with pytest.raises(HiveError, match="interrupted"):
        await broken_off(workflow.start(GOAL, journal=journal), gate.arrived("a", "b"))
    run = journal.runs()[0]
    assert (await again(journal, run, workflow)).identical
    conclude(journal, run, cancelled("somebody said so"))
    assert (await again(journal, run, workflow)).identical


async def broken_off(run: Run, until: Awaitable[None]) -> None:
    """Drive a run until something happens, and interrupt it."""
    with anyio.CancelScope() as scope:
        async with run:
            await until
            scope.cancel()
    await run.result()


async def test_a_run_that_was_paused_told_something_and_taken_up_again(
    journal: SQLiteJournal,
) -> None:
    gate = Gate()
    workflow = beside(gate)
    async with workflow.start(GOAL, journal=journal) as run:
        await gate.arrived("a", "b")
        run.say("Mind the queen.", by="ann")
        run.pause("lunch", by="ann")
        gate.release("a", "b")
        await posted(run, "Paused")
        run.go(by="ann")
        await gate.arrived("c")
        run.say("And the drones.")
        gate.release("c")
    result = await run.result()
    kinds = [entry.kind for entry in result.entries]
    assert [kinds.count(kind) for kind in ("UserMessage", "Paused", "Resumed")] == [2, 1, 1]
    assert (await again(journal, run.id, workflow)).identical


def flies(request: Request) -> str | ToolUse:
    if request.messages[-1].role == "tool":
        return "flown: " + str(request.messages[-1].parts[0].text)  # type: ignore[union-attr]
    return ToolUse(id="1", name="write_file", arguments={"path": "x.txt", "text": "x" * 9000})


@pytest.mark.parametrize("yes", [True, False])
async def test_an_approval_that_was_asked_for_and_given_after_a_resume(
    journal: SQLiteJournal, tmp_path: Path, yes: bool
) -> None:
    (tmp_path / "work").mkdir()
    pilot = Role("pilot", tools=(write_file,))
    workflow = Workflow(pilot, model=mind(flies), approvals=ask(effect="write"))
    first = await workflow.run(GOAL, journal=journal, workspace=tmp_path / "work")
    assert first.outcome == "waiting"
    assert (await again(journal, first.run, workflow)).identical
    resumed = workflow.resume(first.run, journal=journal)
    async with resumed:
        pass
    assert (await again(journal, first.run, workflow)).identical
    last = workflow.resume(first.run, journal=journal, approvals=allow() if yes else None)
    if not yes:
        call = next(entry.address for entry in last.board.entries if entry.kind == "ToolCall")
        async with last:
            last.answer(str(call), "deny", "not today")
    result = await last.result()
    assert result.finished
    assert (await again(journal, first.run, workflow)).identical


def edits(request: Request) -> str | list[ToolUse]:
    """Writes two files beside each other, reads one, edits it."""
    steps: list[list[ToolUse]] = [
        [
            tool("write_file", path="a.txt", text="one\n"),
            tool("write_file", path="b.txt", text="2"),
        ],
        [tool("read_file", path="a.txt"), tool("read_file", path="gone.txt")],
        [tool("edit_file", edits=[{"path": "a.txt", "before": "one", "after": "two"}])],
    ]
    step = sum(message.role == "tool" for message in request.messages)
    return steps[step] if step < len(steps) else "edited"


def tool(name: str, /, **arguments: Any) -> ToolUse:
    return ToolUse(id=str(arguments), name=name, arguments={**arguments})


async def test_file_tools_are_served_and_the_workspace_may_be_gone(
    journal: SQLiteJournal, tmp_path: Path
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    role = Role("editor", tools=(read_file, write_file, edit_file))
    workflow = Workflow(role, model=mind(edits))
    result = await workflow.run(GOAL, journal=journal, workspace=work)
    assert (work / "a.txt").read_text() == "two\n"
    (work / "a.txt").unlink()
    work.rename(tmp_path / "elsewhere")
    assert (await again(journal, result.run, workflow)).identical
    assert not work.exists()


async def test_no_key_is_needed(journal: SQLiteJournal, monkeypatch: pytest.MonkeyPatch) -> None:
    """A team whose models are named replays where nobody could ask them."""

    class Named:
        name = "openai:gpt-5-mini"

        async def complete(self, request: Request) -> Reply:
            return await mind().complete(request)

    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    result = await Workflow(a >> b, model=Named()).run(GOAL, journal=journal)
    assert (await replay(journal, result.run, Workflow(a >> b, model=Named.name))).identical
    assert ModelCard(Named.name) != Workflow(a, model=Named.name).silent_team().minds["*"].card


async def test_a_journal_that_somebody_is_extending_replays_as_far_as_it_goes(
    journal: SQLiteJournal, tmp_path: Path
) -> None:
    gate = Gate()
    workflow = beside(gate)
    async with workflow.start(GOAL, journal=journal) as run:
        for arrived in (("a", "b"), ("b",), ("c",)):
            await gate.arrived(*arrived)
            reader = SQLiteJournal(tmp_path / "journal.db")
            found = await replay(reader, run.id, silent(workflow))
            assert found.identical
            assert 5 <= found.entries <= len(run.board.entries)
            reader.close()
            gate.release(arrived[0])
    assert (await again(journal, run.id, workflow)).identical


def erase(journal: SQLiteJournal, run: str, *entries: str) -> None:
    redact(journal, select_entries(journal, run, entries), "a name", "ann", 7)


async def test_what_is_computed_again_needs_no_content(journal: SQLiteJournal) -> None:
    """The note was erased, and the reply that it was made of was not."""
    workflow = rounds()
    result = await workflow.run(GOAL, journal=journal)
    erase(journal, result.run, "1/a/0.2")
    assert Record(journal, result.run).board.at("1/a/0.2").erased  # type: ignore[union-attr]
    assert (await again(journal, result.run, workflow)).identical
    note = next(entry for entry in result.entries if str(entry.address) == "1/a/0.2")
    assert isinstance(note.payload, Note)


@pytest.mark.parametrize("address", ["0//1", "2/b/0.1"])
async def test_a_replay_ends_where_an_erased_content_is_needed(
    journal: SQLiteJournal, address: str
) -> None:
    workflow = rounds()
    result = await workflow.run(GOAL, journal=journal)
    erase(journal, result.run, address)
    found = await again(journal, result.run, workflow)
    assert not found.identical
    assert isinstance(found.redacted, Entry)
    assert str(found.redacted.address) == address
    assert found.entries < len(result.entries)


async def test_an_erased_message_of_the_user_is_needed_by_whoever_would_see_it(
    journal: SQLiteJournal,
) -> None:
    gate = Gate()
    workflow = beside(gate)
    async with workflow.start(GOAL, journal=journal) as run:
        await gate.arrived("a", "b")
        run.say("My name is Ann.")
        gate.open()
    erase(journal, run.id, "1//8.0")
    found = await again(journal, run.id, workflow)
    assert found.redacted is not None
    assert str(found.redacted.address) == "1//8.0"


async def test_an_erased_prompt_is_no_difference(journal: SQLiteJournal) -> None:
    """What was asked is still known by its digest."""
    secret = Role("a", "The password is sesame.")
    workflow = Workflow(secret >> b, model=mind())
    result = await workflow.run(GOAL, journal=journal)
    selection = select_text(journal, result.run, "The password is sesame.")
    first = Record(journal, result.run).started
    selection.contents.pop(first.fingerprint, None)
    redact(journal, selection, "a password", "ann", 7)
    assert Record(journal, result.run).content(prompt_of(journal, result.run)) is None
    assert (await again(journal, result.run, workflow)).identical
    other = Workflow(Role("a", "No password.") >> b, model=mind())
    assert (await replay(journal, result.run, other)).divergence is not None


def prompt_of(journal: SQLiteJournal, run: str) -> str:
    request = Record(journal, run).board.of_kind("Request")[0].payload
    return str(request.system)  # type: ignore[attr-defined]


async def test_an_erased_file_is_not_needed(journal: SQLiteJournal, tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    workflow = Workflow(Role("pilot", tools=(write_file,)), model=mind(flies))
    result = await workflow.run(GOAL, journal=journal, workspace=tmp_path / "work")
    found = select_file(journal, result.run, "x.txt")
    redact(journal, found, "too long", "ann", 7)
    assert (await again(journal, result.run, workflow)).identical


async def test_a_fork_replays_from_its_cut_by_its_own_workflow(journal: SQLiteJournal) -> None:
    parent = Record(journal, (await rounds().run(GOAL, journal=journal, seed=1)).run)
    kind = rounds().with_instructions(b="Be kind.")
    forked = await parent.fork(at="turn:3", workflow=kind).result()
    found = await again(journal, forked.run, kind)
    assert found.identical
    assert found.shared == parent.board.of_kind("Decision")[2].seq
    diverged = await replay(journal, forked.run, silent(rounds()))
    assert diverged.divergence is not None
    assert diverged.divergence.address == "4/b/0.0"


async def test_of_two_strands_that_differ_the_first_of_their_decision_is_named(
    journal: SQLiteJournal,
) -> None:
    """Whichever came first at the time."""
    gate = Gate()
    result_of = beside(gate).start(GOAL, journal=journal)
    async with result_of as run:
        await gate.arrived("a", "b")
        gate.release("b")
        await posted(run, "Note")
        gate.open()
    roles = (Role("a", "Other."), Role("b", "Other."))
    graph = Graph(start(roles), handoff(roles, c), finish(c), stop(when=turns(9)))
    found = await replay(journal, run.id, silent(Workflow(graph, model=mind())))
    assert found.divergence is not None
    assert found.divergence.address == "1/a/0.0"


async def test_a_run_that_went_on_under_another_workflow_fits_only_that_one_from_there_on(
    journal: SQLiteJournal,
) -> None:
    """The turn that was open was begun anew, and what it had done first is taken as it is."""
    gate = Gate()
    before, after = (
        Workflow((a >> Role("b", text) >> c), model=GatedModel(mind(), gate, role_of), name="trio")
        for text in ("", "Be kind.")
    )
    gate.release("a")
    with pytest.raises(HiveError, match="interrupted"):
        await broken_off(before.start(GOAL, journal=journal), gate.arrived("b"))
    run = journal.runs()[0]
    gate.open()
    result = await after.resume(run, journal=journal, accept={"workflow"}).result()
    assert result.finished
    assert (await again(journal, run, after)).identical
    found = await replay(journal, run, silent(before))
    assert found.divergence is not None
    assert found.divergence.address == "2/b/0.0"
    assert "the workflow differs in role b" in found.divergence.cause
    earlier = await replay(journal, run, silent(after.with_instructions(a="Be brief.")))
    assert earlier.divergence is not None
    assert earlier.divergence.address == "1/a/0.0"
    assert "in turn 2 the run went on under a changed workflow" in earlier.divergence.cause
