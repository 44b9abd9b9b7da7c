"""The state of a run, its turns and its cost, derived from what its journal holds."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, get_args

import anyio
import pytest

from hive import Note, Role, Workflow
from hive.audit import Record, Summary, summaries
from hive.audit.course import STATES, Course, RunState
from hive.board.entry import Sealed
from hive.board.records import Paused, Redaction, Resumed
from hive.cli.runs import STATES as SHOWN
from hive.journal.appending import append_apart
from hive.journal.journal import Batch, Journal, Stored
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
    left = MemoryJournal()
    kept = list(islice(journal.read(run), length))
    sealed = Sealed(
        [stored.row.header for stored in kept],
        [stored.row.digest for stored in kept],
        [stored.salt for stored in kept],
        [stored.body for stored in kept],
    )
    left.append([Batch(run, 0, sealed)], wait=True)
    return left


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

    journal.erase(result.run, [1])
    summary = only(journal)
    assert (summary.state, summary.goal) == ("finished", "")


def test_runs_come_newest_first_and_as_many_as_asked() -> None:
    journal = MemoryJournal()
    made = [sample_team.scored.run_sync(goal, journal=journal).run for goal in ("a", "b", "c")]
    assert {summary.id for summary in summaries(journal)} == set(made)
    assert [summary.id for summary in summaries(journal)] == sorted(made, reverse=True)
    assert len(summaries(journal, 2)) == 2


def test_an_ended_run_is_told_by_its_first_entries_and_its_last(tmp_path: Path) -> None:
    read: list[int] = []

    class Counting(SQLiteJournal):
        def read(self, run: str, start: int = 0) -> Iterator[Stored]:
            for stored in super().read(run, start):
                read.append(stored.row.seq)
                yield stored

    journal = Counting(tmp_path / "journal.db")
    result = sample_team.scribes.run_sync("draft", journal=journal, workspace=tmp_path)
    read.clear()
    summary = only(journal)
    assert len(read) < 8 < len(result.entries)
    course = Course()
    for stored in journal.read(result.run):
        course.take(stored)
    assert course.summary(result.run, held=False) == summary
    journal.close()


@pytest.mark.parametrize("followed", [1, 10, 100])
def test_what_follows_an_ending_does_not_hide_it(followed: int) -> None:
    journal = MemoryJournal()
    run = sample_team.scored.run_sync("do it", journal=journal).run
    for _ in range(followed):
        lease = journal.hold(run, "a test")
        append_apart(journal, run, lease, Redaction(why="a secret", by="user"), "user", 10, 1)
        journal.release(run)
    summary = only(journal)
    assert (summary.state, summary.goal, summary.turns) == ("finished", "do it", 1)


def test_runs_are_found_by_state_tag_and_text() -> None:
    journal = MemoryJournal()
    scored = sample_team.scored
    one = scored.run_sync("Count the SHEEP", journal=journal, tags=("farm", "night")).run
    two = scored.run_sync("Count the goats", journal=journal, tags=("farm",)).run
    three = sample_team.rocket.run_sync("Fly", journal=journal, reference="space:rocket").run

    def found(**options: Any) -> list[str]:
        return [summary.id for summary in summaries(journal, **options)]

    assert found() == [three, two, one]
    assert found(states=("finished",)) == [two, one]
    assert found(states=("waiting", "failed")) == [three]
    assert found(tags=("farm",)) == [two, one]
    assert found(tags=("farm", "night")) == [one]
    assert found(text="sheep") == [one]
    assert found(text="ROCKET") == [three]
    assert found(text=two) == [two]
    assert found(text="count", newest=1) == [two]
    assert found(text="nothing of the kind") == []


def test_a_call_in_doubt_makes_a_state_of_its_own() -> None:
    course = Course()
    journal = MemoryJournal()
    result = sample_team.rocket.run_sync("fly", journal=journal)
    for stored in journal.read(result.run):
        course.take(stored)
    assert course.summary("r", held=False).state == "waiting"
    assert course.summary("r", held=True).state == "running"
    [wait] = course.waiting.values()
    assert wait == ("1/pilot/0.2", "approval", "launch has effect irreversible")
    course.waiting["1/pilot/0.3"] = wait._replace(subject="1/pilot/0.3", waits_for="in_doubt")
    assert course.summary("r", held=False).state == "in_doubt"
    course.open.add("1/other/0.0")
    assert course.summary("r", held=False).state == "orphaned"
    course.paused = True
    assert {course.summary("r", held=held).state for held in (True, False)} == {"paused"}


def test_states_are_told_in_one_order() -> None:
    assert get_args(RunState) == STATES
    assert set(SHOWN) == set(STATES)
