"""The state of a run, its turns and its cost, derived from what its journal holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from hive import Note, Role, Workflow
from hive.audit import Record, Summary, summaries
from hive.board.records import Paused, Resumed
from hive.journal.journal import Journal, Stored
from hive.journal.memory import MemoryJournal
from hive.journal.sqlite import SQLiteJournal
from hive.message import Reply, Request, Text, Usage
from hive.models import FunctionModel, ModelCard, Prices
from hive.run import Result
from tests.cli import sample_team


@pytest.fixture(params=["memory", "sqlite"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    opened: Journal = MemoryJournal()
    if request.param == "sqlite":
        opened = SQLiteJournal(tmp_path / "journal.db")
    yield opened
    opened.close()


def only(journal: Journal) -> Summary:
    [summary] = summaries(journal)
    return summary


@pytest.mark.parametrize(
    ("team", "state", "reason"),
    [
        (sample_team.scored, "finished", "goal_reached"),
        (sample_team.stubborn, "stopped", "turns_exhausted"),
        (sample_team.undecided, "failed", "policy_error"),
    ],
)
def test_endings(journal: Journal, team: Workflow, state: str, reason: str, tmp_path: Path) -> None:
    result = team.run_sync("do it", journal=journal, workspace=tmp_path, tags=("a", "b"))
    summary = only(journal)
    assert (summary.state, summary.outcome, summary.reason) == (state, state, reason)
    assert summary.ended
    assert summary.id == result.run
    assert (summary.turns, summary.tokens) == (result.turns, result.tokens)
    assert summary.cost_usd == result.cost_usd
    assert summary.message == result.message
    assert (summary.goal, summary.tags) == ("do it", ("a", "b"))
    assert summary.workspace == str(tmp_path)


def test_a_run_that_waits(journal: Journal) -> None:
    result = sample_team.rocket.run_sync("fly", journal=journal)
    summary = only(journal)
    assert (summary.state, summary.outcome, summary.reason) == ("waiting", None, None)
    assert summary.waits_for == result.waits_for == ("approval: launch has effect irreversible",)
    assert not summary.ended


async def started(journal: Journal) -> Result | None:
    """A run that is given up once somebody sleeps in it."""
    with anyio.CancelScope() as scope:
        async with sample_team.napping.start("rest", journal=journal) as run:
            async for entry in run.follow():
                if entry.kind == "Request" and entry.author == "sleeper":
                    assert only(journal).state in ("orphaned", "running")
                    scope.cancel()
    return None


def test_a_run_that_was_paused(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    anyio.run(started, journal)
    assert only(journal).state == "paused"
    assert only(journal).turns == 2


def test_a_running_run_is_held(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    states: list[str] = []

    async def look(request: Request) -> str:
        other = SQLiteJournal(path, create=False)
        states.append(only(other).state)
        other.close()
        return "seen"

    team = Workflow(Role("watcher", "Look."), model=FunctionModel(look))
    team.run_sync("look", journal=path)
    assert states == ["running"]


def cut(journal: Journal, run: str, length: int) -> MemoryJournal:
    """A journal whose run ends where a process died: after so many entries."""

    class Cut(MemoryJournal):
        def read(self, run: str, start: int = 0) -> Iterator[Stored]:
            for stored in journal.read(run, start):
                if stored.row.seq < length:
                    yield stored

        def runs(self) -> list[str]:
            return journal.runs()

    return Cut()


def test_a_run_cut_off_anywhere_is_orphaned_or_waits_or_has_ended(tmp_path: Path) -> None:
    journal = MemoryJournal()
    result = sample_team.scribes.run_sync("draft", journal=journal, workspace=tmp_path)
    length = len(result.entries)
    states = [only(cut(journal, result.run, end)).state for end in range(1, length + 1)]
    assert states == ["orphaned"] * (length - 2) + ["finished"] * 2


def test_a_waiting_run_cut_off_before_its_end_is_orphaned() -> None:
    journal = MemoryJournal()
    result = sample_team.rocket.run_sync("fly", journal=journal)
    length = len(result.entries)
    states = [only(cut(journal, result.run, end)).state for end in range(1, length + 1)]
    assert states == ["orphaned"] * (length - 1) + ["waiting"]


def test_pausing_and_going_on_again() -> None:
    journal = MemoryJournal()
    anyio.run(started, journal)
    [run] = journal.runs()
    record = Record(journal, run)
    kinds = [entry.kind for entry in record.entries]
    assert kinds[-1] == Paused.kind
    with pytest.raises(AssertionError), anyio.from_thread.start_blocking_portal() as portal:
        portal.call(resumed_and_dropped, journal, run)
    assert [entry.kind for entry in Record(journal, run).entries].count(Resumed.kind) == 1


async def resumed_and_dropped(journal: Journal, run: str) -> None:
    async with sample_team.napping.resume(run, journal=journal) as again:
        async for entry in again.follow():
            assert entry.kind != Resumed.kind, "stop here"


def test_what_a_run_cost() -> None:
    class Paid:
        name = "paid:model"
        card = ModelCard("paid:model", prices=Prices.usd(1, 2))

        async def complete(self, request: Request) -> Reply:
            return Reply(parts=(Text(text="dear"),), usage=Usage(input=1000, output=500))

    journal = MemoryJournal()
    result = Workflow(Role("writer", writes=(Note,)), model=Paid()).run_sync("x", journal=journal)
    summary = only(journal)
    assert summary.spent == 2_000_000
    assert summary.cost_usd == result.cost_usd
    assert summary.as_json()["cost_usd"] == 0.002


def test_an_erased_content_counts_by_its_header() -> None:
    journal = MemoryJournal()
    result = sample_team.scored.run_sync("secret", journal=journal)

    class Erased(MemoryJournal):
        def read(self, run: str, start: int = 0) -> Iterator[Stored]:
            for stored in journal.read(run, start):
                yield stored._replace(body=None) if stored.row.seq == 1 else stored

        def runs(self) -> list[str]:
            return [result.run]

    summary = only(Erased())
    assert (summary.state, summary.goal) == ("finished", "")


def test_runs_come_newest_first_and_as_many_as_asked() -> None:
    journal = MemoryJournal()
    made = [sample_team.scored.run_sync(goal, journal=journal).run for goal in ("a", "b", "c")]
    assert {summary.id for summary in summaries(journal)} == set(made)
    assert [summary.id for summary in summaries(journal)] == sorted(made, reverse=True)
    assert len(summaries(journal, 2)) == 2
