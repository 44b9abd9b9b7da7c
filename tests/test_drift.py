"""A workspace that was touched while its run rested: named, accepted, or put back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hive import (
    Role,
    Workflow,
    tool,
)
from hive.audit import Record
from hive.board.records import Inference, Resumed, ToolCall
from hive.errors import DeclarationError, JournalError, WorkspaceDrift
from hive.journal.memory import MemoryJournal
from hive.message import Request as Asked
from hive.message import ToolUse
from hive.testing import FunctionModel, Gate, GatedModel, ScriptedModel
from hive.tools import Call, Tool
from tests.interrupted import a, gated, last, only, paused

pytestmark = pytest.mark.asyncio


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


async def test_what_is_accepted_may_be_said_in_one_word(folder: Path) -> None:
    journal, team, _ = await touched(folder)
    result = await team.resume(journal.runs()[0], journal=journal, accept="workspace").result()
    assert last(result, Resumed).accepted[0] == "workspace: link was removed"
