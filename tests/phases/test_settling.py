"""What a call changes is on record, or is undone: the workspace is never ahead of the journal."""

import asyncio
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from pydantic import JsonValue

from hive import Role, Workflow, tool
from hive.audit import Record
from hive.board.entry import Entry
from hive.board.records import Change, Fault, Observation
from hive.errors import JournalError, ToolError
from hive.journal.journal import Batch, Commit
from hive.journal.memory import MemoryJournal
from hive.message import ToolUse
from hive.testing import Gate, ScriptedModel, play
from hive.tools import Call, FileChange, ToolOutput, Workspace, edit_file, write_file
from hive.tools.manifest import Manifest, recorded_state
from hive.tools.snapshot import drift, snapshot
from hive.tools.undo import logged_calls, undo_unfinished
from tests.tools.projects import folder

pytestmark = pytest.mark.asyncio


class Mortal(MemoryJournal):
    """A journal whose process dies at its n-th append, before anything of it is stored."""

    commit: Commit = "inline"

    def __init__(self, lives: int) -> None:
        super().__init__()
        self.lives = lives

    def append(self, batches: Sequence[Batch], *, wait: bool) -> None:
        if not self.lives:
            raise JournalError("the process died")
        self.lives -= 1
        super().append(batches, wait=wait)


def write(identity: str, path: str, text: str) -> ToolUse:
    return ToolUse(id=identity, name="write_file", arguments={"path": path, "text": text})


def edit(identity: str, path: str, before: str, after: str) -> ToolUse:
    edits: list[JsonValue] = [{"path": path, "before": before, "after": after}]
    return ToolUse(id=identity, name="edit_file", arguments={"edits": edits})


def script() -> ScriptedModel:
    """Calls side by side, on the same files too, and one after the other."""
    return ScriptedModel(
        [
            [write("1", "new.txt", "1\n"), edit("2", "a.txt", "one", "two")],
            [edit("3", "a.txt", "first", "1st"), edit("4", "a.txt", "last", "nth")],
            [write("5", "a.txt", "three\n"), write("6", "deep/new.txt", "6\n")],
            "done",
        ]
    )


def start(root: Path) -> Workspace:
    return folder(root, {"a.txt": "first\none\nlast\n", "b.txt": "same"})


def changes(entries: Sequence[Entry]) -> list[Change]:
    return [c for e in entries if isinstance(e.payload, Observation) for c in e.payload.changes]


def recorded(work: Workspace) -> Manifest:
    return snapshot(work, lambda body: "00" * 32)


async def test_a_process_that_dies_leaves_a_workspace_that_can_be_put_back(tmp_path: Path) -> None:
    writer = Role("writer", tools=(write_file, edit_file))
    logs = lives = 0
    ended = False
    while not ended:
        work = start(tmp_path / str(lives))
        first, journal = recorded(work), Mortal(lives)
        run = Workflow(writer, model=script()).start("go", journal=journal, workspace=work.root)
        with suppress(JournalError):
            ended = (await run.result()).finished
        logs += len(logged_calls(work.root, run.id))
        entries = Record(journal, run.id).entries if lives else ()
        observed = [e.causes[0] for e in entries if isinstance(e.payload, Observation)]
        assert undo_unfinished(work.root, run.id, observed).left == ()
        assert drift(first.after(changes(entries)), work) == []
        assert not (work.root / ".hive").exists()
        lives += 1
    assert lives > 6
    assert logs >= 6
    assert work.read("a.txt") == b"three\n"


async def test_every_digest_on_record_follows_from_what_stands_before_it(tmp_path: Path) -> None:
    work, journal = start(tmp_path / "work"), MemoryJournal()
    (work.root / "a.txt").chmod(0o755)
    steps: list[list[ToolUse] | str] = [
        [write("1", "new.txt", "1\n")],
        [edit("2", "a.txt", "one", "two")],
        [write("3", "deep/new.txt", "3\n")],
    ]
    writer = Role("writer", tools=(write_file, edit_file))
    workflow = Workflow(writer, model=ScriptedModel([*steps, "done"]))
    result = await workflow.run("go", journal=journal, workspace=work.root)

    def content(commitment: str) -> bytes | None:
        found = journal.content(result.run, commitment)
        return found and found.body

    digests = 0
    for number, entry in enumerate(result.entries, 1):
        if isinstance(entry.payload, Observation):
            state = recorded_state((e.payload for e in result.entries[:number]), content)
            assert state is not None
            assert state.digest == entry.payload.workspace
            digests += 1
    assert digests == 3


async def test_a_log_lasts_until_the_result_of_its_call_is_durable(tmp_path: Path) -> None:
    work = start(tmp_path / "work")
    seen: list[tuple[str, ...]] = []

    @tool(effect="write")
    async def put(path: str, call: Call) -> str:
        """Put a file somewhere."""
        seen.append(logged_calls(work.root, call.run))
        call.require_workspace().write(path, b"")
        seen.append(logged_calls(work.root, call.run))
        return "done"

    uses = [[ToolUse(id=name, name="put", arguments={"path": name})] for name in ("x", "y")]
    workflow = Workflow(Role("writer", tools=(put,)), model=ScriptedModel([*uses, "done"]))
    run = workflow.start("go", journal=tmp_path / "journal.db", workspace=work.root)
    assert (await run.result()).finished
    assert [len(calls) for calls in seen] == [0, 1, 0, 1]
    assert seen[1] != seen[3]
    assert not (work.root / ".hive").exists()


async def test_what_a_tool_changes_and_does_not_report_is_on_record_all_the_same(
    tmp_path: Path,
) -> None:
    work = start(tmp_path / "work")
    first = recorded(work)

    @tool(effect="write")
    async def silent(call: Call) -> ToolOutput:
        """Change this and that, and speak of some of it."""
        place = call.require_workspace()
        told = place.write("a.txt", b"told")
        place.write("b.txt", b"other")
        place.write("b.txt", b"untold")
        place.write("gone", b"")
        place.remove("gone")
        return ToolOutput("done", changes=(told,))

    @tool(effect="write", timeout=0.001)
    async def endless(call: Call) -> str:
        """Change a file and never come back."""
        call.require_workspace().write("c.txt", b"late")
        await asyncio.Event().wait()
        return "never"

    @tool(effect="write")
    async def broken(call: Call) -> str:
        """Change a file and fail."""
        call.require_workspace().remove("a.txt")
        raise ToolError("no more")

    tools = (silent, endless, broken)
    uses = [[ToolUse(id=each.name, name=each.name)] for each in tools]
    workflow = Workflow(Role("writer", tools=tools), model=ScriptedModel([*uses, "done"]))
    result = await workflow.run("go", workspace=work.root)
    observed = [e.payload for e in result.entries if isinstance(e.payload, Observation)]
    assert [[change.path for change in each.changes] for each in observed] == [
        ["a.txt", "b.txt"],
        ["c.txt"],
        ["a.txt"],
    ]
    assert [each.error for each in observed] == [False, True, True]
    assert drift(first.after(changes(result.entries)), work) == []
    assert observed[-1].workspace == work.digest()


async def test_calls_that_are_cancelled_are_undone_before_the_run_has_ended(
    tmp_path: Path,
) -> None:
    work = start(tmp_path / "work")
    before, gate = work.digest(), Gate()

    @tool(effect="write")
    async def half(name: str, call: Call) -> str:
        """Change one file, and wait before the next."""
        call.require_workspace().write_all({"a.txt": name.encode(), f"new/{name}": b""})
        await gate.enter(name)
        call.require_workspace().remove("b.txt")
        return "done"

    uses = [ToolUse(id=name, name="half", arguments={"name": name}) for name in "xyz"]
    model = ScriptedModel([list(uses), "done"])
    run = Workflow(Role("writer", tools=(half,)), model=model).start("go", workspace=work.root)
    async with run:
        await gate.arrived(*"xyz")
        assert work.digest() != before
        run.stop("enough")
    assert work.digest() == before
    assert sorted(os.listdir(work.root)) == ["a.txt", "b.txt"]
    faults = [entry.payload for entry in run.board.of_kind(Fault)]
    assert [fault.code for fault in faults if isinstance(fault, Fault)] == ["cancelled"] * 3
    assert not run.board.of_kind(Observation)


async def test_two_edits_of_one_file_side_by_side_are_both_made(tmp_path: Path) -> None:
    lines = "".join(f"line {number}\n" for number in range(12))
    work = folder(tmp_path / "work", {"a.txt": lines})
    edits = [edit(str(n), "a.txt", f"line {n}\n", f"row {n}\n") for n in range(12)]
    first = recorded(work)
    workflow = Workflow(Role("writer", tools=(edit_file,)), model=ScriptedModel([edits, "done"]))
    result = await workflow.run("go", workspace=work.root)
    assert work.read("a.txt").decode() == lines.replace("line", "row")
    assert first.after(changes(result.entries)).digest == work.digest()


async def test_a_run_without_a_workspace_has_nothing_to_undo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @tool(effect="write")
    async def nothing(call: Call) -> ToolOutput:
        """Report a change of a file that no workspace holds."""
        assert call.workspace is None
        return ToolOutput("done", changes=(FileChange("a", None, b""),))

    monkeypatch.chdir(tmp_path)
    model = ScriptedModel([[ToolUse(id="1", name="nothing")], "done"])
    run = Workflow(Role("writer", tools=(nothing,)), model=model).start("go")
    assert [change.path for change in changes((await run.result()).entries)] == ["a"]
    assert os.listdir(tmp_path) == []


async def test_playing_a_role_leaves_nothing_but_what_it_wrote(tmp_path: Path) -> None:
    work = start(tmp_path / "work")
    model = ScriptedModel([[write("1", "new.txt", "1")], "done"])
    await play(Role("writer", tools=(write_file,)), model, workspace=work.root)
    assert sorted(os.listdir(work.root)) == ["a.txt", "b.txt", "new.txt"]
