"""A run read back: its entries, contents, changes, and what its models were asked."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest
from pydantic import JsonValue

from hive import Goal, Role, Task, Workflow, tool
from hive.audit import Record, net_changes, prompt
from hive.board.payload import Opaque
from hive.board.records import Decision, Observation, RunStarted
from hive.board.records import Request as RequestRecord
from hive.errors import JournalError, RunNotFound
from hive.journal.memory import MemoryJournal
from hive.message import Reply, Request, ToolUse
from hive.models import FunctionModel, Model
from hive.tools import Call, ToolOutput
from tests.cli import sample_team


@pytest.fixture
def journal() -> MemoryJournal:
    return MemoryJournal()


def test_records_are_typed_and_contributions_are_plain(journal: MemoryJournal) -> None:
    run = sample_team.scored.run_sync("score it", journal=journal, seed=5).run
    record = Record(journal, run)
    assert isinstance(record.entries[0].payload, RunStarted)
    assert record.started.seed == 5
    assert isinstance(record.board.of_kind("Goal")[0].payload, Goal)
    [score] = record.board.of_kind("Score")
    assert isinstance(score.payload, Opaque)
    assert score.payload.data == {"points": 7, "of": 10}
    assert record.turn(1)[0].kind == Decision.kind
    assert record.summary.state == "finished"
    assert record.answer == '{"of":10,"points":7}'


def test_a_users_kind_may_share_a_shipped_ones_name(journal: MemoryJournal) -> None:
    class Task(sample_team.Score):
        """Not the shipped one."""

    role = Role("judge", writes=(Task,))
    team = Workflow(role, model=FunctionModel(sample_team.scores))
    record = Record(journal, team.run_sync("x", journal=journal).run)
    assert [entry.kind for entry in record.board.of_author("judge") if entry.level == "domain"] == [
        "Task"
    ]


def test_a_record_is_opened_by_the_beginning_of_its_id(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    run = sample_team.scored.run_sync("score it", journal=path).run
    with Record.open(f"sqlite:{path}", run[:20]) as record:
        assert record.id == run
        assert record.content(record.started.vocabulary)
        assert record.content(None) is None
    with pytest.raises(RunNotFound):
        Record.open(path, "zzz")
    with pytest.raises(JournalError, match="no journal"):
        Record.open(tmp_path / "nowhere.db", run)


@tool(effect="write")
def scribble(text: str, path: str, call: Call) -> ToolOutput:
    """Write a text to a file, or remove it when the text is empty."""
    workspace = call.require_workspace()
    change = workspace.write(path, text.encode()) if text else workspace.remove(path)
    return ToolOutput("done", changes=(change,))


def scribbler(*calls: tuple[str, str]) -> Workflow:
    """A team that makes some changes, one after the other."""

    def scribbles(request: Request) -> ToolUse | str:
        made = sum(message.role == "tool" for message in request.messages)
        if made == len(calls):
            return "done"
        path, text = calls[made]
        return ToolUse(id=str(made), name="scribble", arguments={"path": path, "text": text})

    return Workflow(Role("scribe", tools=(scribble,)), model=FunctionModel(scribbles))


def test_changes_are_those_from_the_first_state_to_the_last(
    journal: MemoryJournal, tmp_path: Path
) -> None:
    (tmp_path / "old.txt").write_text("old")
    (tmp_path / "same.txt").write_text("same")
    team = scribbler(
        ("new.txt", "one"), ("new.txt", "two"),
        ("same.txt", "other"), ("same.txt", "same"),
        ("gone.txt", "here"), ("gone.txt", ""),
        ("old.txt", ""),
    )  # fmt: skip
    record = Record(journal, team.run_sync("x", journal=journal, workspace=tmp_path).run)
    changes = {change.path: (change.before, change.after) for change in record.changes()}
    assert changes == {"new.txt": (None, b"two"), "old.txt": (b"old", None)}
    assert list(changes) == sorted(changes)
    assert len(record.board.of_kind(Observation)) == 7
    assert net_changes([]) == ()


class Listening:
    """A model that remembers what it was asked."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.name = model.name
        self.asked: list[Request] = []

    async def complete(self, request: Request) -> Reply:
        self.asked.append(request)
        return await self.model.complete(request)


def talks(request: Request) -> list[ToolUse] | str:
    """A conversation with a bad call, good calls beside each other, a post and an answer."""
    said = len([message for message in request.messages if message.role == "assistant"])
    call: dict[str, JsonValue] = {"path": "a.txt", "text": "a"}
    lines: list[list[ToolUse] | str] = [
        [ToolUse(id="0", name="nothing_of_the_kind")],
        "{}",
        [ToolUse(id="1", name="scribble", arguments=call), ToolUse(id="2", name="scribble")],
        [ToolUse(id="3", name="post_Task", arguments={"id": "T1", "title": "go on"})],
        [ToolUse(id="4", name="pass", arguments={"reason": "that is all"})],
    ]
    return lines[said]


@pytest.mark.parametrize("turns", ["several", "conversation"])
def test_prompts_are_put_together_as_they_were(
    journal: MemoryJournal, tmp_path: Path, turns: str
) -> None:
    team = sample_team.scribes
    if turns == "conversation":
        talker = Role("talker", "Talk.", tools=(scribble,), writes=(Task, sample_team.Score))
        team = Workflow(talker, model=FunctionModel(talks))
    models = {key: model for key, model in team.assigned.items() if not isinstance(model, str)}
    ears = {key: Listening(model) for key, model in models.items()}
    team = team.with_(model=ears.pop("*", None), models=dict(ears))
    run = team.run_sync("put it together", journal=journal, workspace=tmp_path).run

    record = Record(journal, run)
    asked = [
        request
        for model in team.assigned.values()
        if isinstance(model, Listening)
        for request in model.asked
    ]
    made = [prompt(record, entry) for entry in record.board.of_kind(RequestRecord)]
    assert len(made) == len(asked) > 3
    by_digest = {(request.digest, len(request.messages)): request for request in asked}
    for request in made:
        original = by_digest[request.digest, len(request.messages)]
        assert request.system == original.system
        assert request.messages == original.messages
        assert request.tools == original.tools
        assert request.output == original.output
        assert request.max_output == original.max_output


def test_only_requests_are_prompts(journal: MemoryJournal) -> None:
    record = Record(journal, sample_team.scored.run_sync("x", journal=journal).run)
    with pytest.raises(JournalError, match="not a Request"):
        prompt(record, record.entries[0])


def test_a_record_can_be_read_while_the_run_goes_on(journal: MemoryJournal) -> None:
    async def main() -> list[int]:
        lengths: list[int] = []
        async with sample_team.several.start("x", journal=journal) as run:
            async for entry in run.follow():
                if entry.kind == "Inference":
                    lengths.append(len(Record(journal, run.id).entries))
        return lengths

    lengths = anyio.run(main)
    assert lengths == sorted(lengths)
    assert len(lengths) == 3
