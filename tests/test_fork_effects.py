"""What a fork's tools do: results served, changes made again, the world outside left alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from hive import Graph, Role, Workflow, finish, handoff, start, tool
from hive.audit import Record
from hive.audit.replay import replay
from hive.audit.verification import verify
from hive.board.records import Approval, Observation
from hive.errors import DeclarationError
from hive.journal.sqlite import SQLiteJournal
from hive.message import Request, ToolUse
from hive.models import FunctionModel
from hive.run import Result
from hive.testing import comparable
from hive.tools import Approver, Call, Tool, allow, ask, write_file


class World:
    """Tools of every effect, which count how often they were really called."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()

    def tools(self) -> tuple[Tool, ...]:
        calls = self.calls

        @tool(effect="read")
        def look(call: Call) -> str:
            """Read the draft."""
            calls["look"] += 1
            return call.require_workspace().read("draft.txt").decode()

        @tool(effect="egress")
        def fetch(what: str) -> str:
            """Ask somebody outside."""
            calls["fetch"] += 1
            return f"{what} was fetched"

        @tool(effect="irreversible")
        def launch(where: str) -> str:
            """Launch a rocket."""
            calls["launch"] += 1
            return f"launched to {where}"

        return look, fetch, launch, write_file


def use(name: str, **arguments: str) -> ToolUse:
    return ToolUse(id=name, name=name, arguments=dict(arguments))


Lines = dict[str, list[ToolUse]]
LINES: Lines = {
    "writer": [use("write_file", path="draft.txt", text="bees\n"), use("fetch", what="honey")],
    "pilot": [use("look"), use("launch", where="the moon")],
}


def team(world: World, lines: Lines = LINES, approvals: Approver | None = None) -> Workflow:
    """A writer who changes a file, then a pilot who looks at it and launches something."""

    def speaks(request: Request) -> str | ToolUse:
        said = lines[request.system.split("'")[1]]
        step = sum(message.role == "assistant" for message in request.messages)
        return said[step] if step < len(said) else "done"

    writer, pilot = Role("writer", tools=world.tools()), Role("pilot", tools=world.tools())
    graph = Graph(start(writer), handoff(writer, pilot), finish(pilot))
    model = FunctionModel(speaks, "speaker")
    return Workflow(graph, model=model, approvals=approvals or allow())


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SQLiteJournal]:
    opened = SQLiteJournal(tmp_path / ".hive" / "journal.db")
    yield opened
    opened.close()


@pytest.fixture
def parent(journal: SQLiteJournal, tmp_path: Path) -> Record:
    place = tmp_path / "work"
    place.mkdir()
    (place / "notes.txt").write_text("as it was")
    (place / "draft.txt").write_text("nothing yet\n")

    async def scene() -> Result:
        return await team(World()).run("Go.", journal=journal, workspace=place)

    return Record(journal, anyio.run(scene).run)


def forked(parent: Record, workflow: Workflow, at: str, **options: object) -> Record:
    async def drive() -> Result:
        return await parent.fork(at=at, workflow=workflow, **options).result()  # type: ignore[arg-type]

    return Record(parent.journal, anyio.run(drive).run)


def place_of(record: Record) -> Path:
    assert record.started.workspace is not None
    return Path(record.started.workspace)


@pytest.mark.parametrize(("at", "text"), [("turn:1", "nothing yet\n"), ("turn:2", "bees\n")])
def test_the_workspace_is_rebuilt_for_the_cut_beside_the_journal(
    parent: Record, tmp_path: Path, at: str, text: str
) -> None:
    run = parent.fork(at=at, workflow=team(World()))
    assert run.workspace == (tmp_path / ".hive" / "forks" / run.id).resolve()
    assert (run.workspace / "draft.txt").read_text() == text
    assert (run.workspace / "notes.txt").read_text() == "as it was"


def test_served_calls_change_the_forks_workspace_and_nothing_else(parent: Record) -> None:
    (place_of(parent) / "draft.txt").write_text("changed later by hand\n")
    world = World()
    fork = forked(parent, team(world), "turn:1")
    assert world.calls == Counter()
    assert comparable(fork.entries) == comparable(parent.entries)
    assert (place_of(fork) / "draft.txt").read_text() == "bees\n"
    assert (place_of(parent) / "draft.txt").read_text() == "changed later by hand\n"
    observed = [entry.payload for entry in fork.board.of_kind(Observation)]
    assert all(isinstance(each, Observation) and each.served for each in observed)
    assert verify(parent.journal, fork.id).holds
    again = anyio.run(replay, parent.journal, fork.id, team(world))
    assert (again.divergence, world.calls) == (None, Counter())


def test_calls_that_stay_the_same_are_served_though_who_makes_them_was_told_otherwise(
    parent: Record,
) -> None:
    world = World()
    fork = forked(parent, team(world).with_instructions(writer="Be brief."), "turn:1")
    assert world.calls == Counter()
    assert (place_of(fork) / "draft.txt").read_text() == "bees\n"


def test_what_leaves_the_machine_or_cannot_be_undone_is_not_done_in_a_fork(
    parent: Record,
) -> None:
    lines: Lines = {
        "writer": [use("fetch", what="wax")],
        "pilot": [use("launch", where="Mars")],
    }
    world = World()
    fork = forked(parent, team(world, lines).with_instructions(writer="Be brief."), "turn:1")
    assert world.calls == Counter()
    rulings = [entry.payload for entry in fork.board.of_kind(Approval)]
    assert all(isinstance(each, Approval) for each in rulings)
    assert [(r.decision, r.by) for r in rulings if isinstance(r, Approval)] == [
        ("deny", "fork")
    ] * 2
    told = [entry.payload for entry in fork.board.of_kind(Observation)]
    assert all(isinstance(each, Observation) and each.error for each in told)
    assert "effect egress" in str(told[0])
    assert "are served from there, or not made" in str(told[1])


def test_with_live_effects_it_is_done(parent: Record) -> None:
    lines: Lines = {"writer": [], "pilot": [use("launch", where="Mars")]}
    world = World()
    changed = team(world, lines).with_instructions(pilot="Go on.")
    fork = forked(parent, changed, "turn:2", live_effects=True)
    assert world.calls == {"launch": 1}
    assert fork.started.overrides == {"live_effects": True}


def test_once_a_fork_has_changed_something_it_looks_again(parent: Record) -> None:
    lines: Lines = {
        "writer": [use("write_file", path="draft.txt", text="wasps\n")],
        "pilot": LINES["pilot"],
    }
    world = World()
    fork = forked(parent, team(world, lines).with_instructions(writer="Wasps."), "turn:1")
    assert world.calls == {"look": 1}, "the launch is the same call and is served"
    looked = [e.payload for e in fork.entries if e.kind == "Observation" and e.author == "pilot"]
    assert isinstance(looked[0], Observation)
    assert (looked[0].text, looked[0].served) == ("wasps\n", False)
    assert (place_of(fork) / "draft.txt").read_text() == "wasps\n"


def test_a_change_that_does_not_fit_the_files_is_made_by_calling_the_tool(
    parent: Record,
) -> None:
    async def scene() -> Result:
        run = parent.fork(at="turn:1", workflow=team(World()))
        assert run.workspace is not None
        (run.workspace / "draft.txt").write_text("somebody was here\n")
        return await run.result()

    fork = Record(parent.journal, anyio.run(scene).run)
    first = fork.board.of_kind(Observation)[0].payload
    assert isinstance(first, Observation)
    assert not first.served
    assert first.changes[0].before != first.changes[0].after
    assert (place_of(fork) / "draft.txt").read_text() == "bees\n"


def test_what_a_person_ruled_is_not_asked_again(journal: SQLiteJournal, tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "draft.txt").write_text("nothing yet\n")
    asking = ask(effect="irreversible")

    async def scene() -> Result:
        workflow = team(World(), approvals=asking)
        run = workflow.start("Go.", journal=journal, workspace=tmp_path / "work")
        assert (await run.result()).outcome == "waiting"
        again = workflow.resume(run.id, journal=journal)
        again.answer("2/pilot/1.2", "allow")
        return await again.result()

    parent = Record(journal, anyio.run(scene).run)
    assert parent.summary.outcome == "finished"
    world = World()
    fork = forked(parent, team(world, approvals=asking), "turn:2")
    assert (fork.summary.outcome, world.calls) == ("finished", Counter())
    assert not fork.board.of_kind("Suspension")


def test_a_folder_may_be_named_that_is_new_or_empty(parent: Record, tmp_path: Path) -> None:
    fork = forked(parent, team(World()), "turn:2", workspace=tmp_path / "mine")
    assert place_of(fork) == (tmp_path / "mine").resolve()
    with pytest.raises(DeclarationError, match="is no empty folder"):
        parent.fork(at="turn:2", workflow=team(World()), workspace=tmp_path / "mine")


def test_a_run_without_a_workspace_has_none_to_rebuild(
    journal: SQLiteJournal, tmp_path: Path
) -> None:
    async def scene() -> Result:
        return await team(World(), {"writer": [], "pilot": []}).run("Go.", journal=journal)

    parent = Record(journal, anyio.run(scene).run)
    assert parent.fork(at="turn:2", workflow=team(World())).workspace is None
    with pytest.raises(DeclarationError, match="had no workspace, so that none can be rebuilt"):
        parent.fork(at="turn:2", workflow=team(World()), workspace=tmp_path / "mine")


def test_a_fork_of_a_fork_has_the_workspace_of_its_own_cut(parent: Record) -> None:
    lines: Lines = {
        "writer": [use("write_file", path="draft.txt", text="wasps\n")],
        "pilot": LINES["pilot"],
    }
    changed = team(World(), lines).with_instructions(writer="Wasps.")
    fork = forked(parent, changed, "turn:1")
    world = World()
    again = forked(fork, team(world, lines).with_instructions(writer="Wasps."), "turn:2")
    assert world.calls == Counter()
    assert comparable(again.entries) == comparable(fork.entries)
    assert (place_of(again) / "draft.txt").read_text() == "wasps\n"


def test_any_state_of_a_forks_files_is_rebuilt_what_it_shares_included(
    parent: Record, tmp_path: Path
) -> None:
    fork = forked(parent, team(World()), "turn:2")
    wrote = next(
        e.seq for e in fork.entries if isinstance(e.payload, Observation) and e.payload.changes
    )
    for number, text in ((1, "nothing yet\n"), (wrote, "bees\n"), (-1, "bees\n")):
        built = fork.workspace_at(fork.entries[number].seq, tmp_path / f"after {number}")
        assert built.read("draft.txt").decode() == text
        assert built.read("notes.txt") == b"as it was"


def test_a_fork_that_was_cut_off_goes_on_in_the_files_it_shares(parent: Record) -> None:
    async def waits(request: Request) -> str:
        await anyio.sleep_forever()
        return ""

    async def scene() -> Result:
        mute, speaks = FunctionModel(waits, "pilot"), FunctionModel(lambda _: "done", "pilot")
        run = parent.fork(at="turn:2", workflow=team(World()).with_models(pilot=mute))
        with anyio.move_on_after(0):
            await run.result()
        changed = team(World()).with_models(pilot=speaks)
        return await changed.resume(run.id, journal=parent.journal).result()

    result = anyio.run(scene)
    assert result.outcome == "finished"
    assert (place_of(Record(parent.journal, result.run)) / "draft.txt").read_text() == "bees\n"


def test_a_fresh_fork_calls_its_tools_but_for_those_that_reach_the_world(parent: Record) -> None:
    world = World()
    fork = forked(parent, team(world), "turn:1", fresh=True)
    assert world.calls == {"look": 1}
    served = {
        e.payload.tool: e.payload.served for e in fork.entries if isinstance(e.payload, Observation)
    }
    assert served == {"write_file": False, "fetch": True, "look": False, "launch": True}
