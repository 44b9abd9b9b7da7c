"""A run that is paused at any of its entries goes on to the same end; nothing is done twice."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from hive import Role, Workflow, tool
from hive.audit import Record
from hive.clock import SystemClock
from hive.journal.memory import MemoryJournal
from hive.message import Request, ToolUse
from hive.models import FunctionModel
from hive.run import Result
from hive.testing import comparable
from tests.cli import sample_team

COUNTED: list[str] = []


@tool(effect="write", repeat="never")
async def count(word: str) -> str:
    """Note a word down, and wait a moment."""
    await anyio.lowlevel.checkpoint()
    COUNTED.append(word)
    return f"{word} was noted"


@tool(effect="write", repeat="never", thread=True)
def count_aside(word: str) -> str:
    """Note a word down, in a thread."""
    COUNTED.append(word)
    return f"{word} was noted"


def counting(request: Request) -> list[ToolUse] | str:
    """Three rounds of two calls beside each other."""
    made = sum(message.role == "tool" for message in request.messages)
    if made == 3:
        return "all noted"
    return [
        ToolUse(id=f"{made}.{name}", name=name, arguments={"word": f"{made} {name}"})
        for name in ("count", "count_aside")
    ]


COUNTERS = Workflow(
    Role("counter", tools=(count, count_aside)), model=FunctionModel(counting, "counting")
)


class Alarm(SystemClock):
    """A clock that rings when it is looked at for the n-th time, which every entry does once."""

    def __init__(self, after: int, ring: Callable[[], None]) -> None:
        self.left = after
        self.ring = ring

    def now(self) -> int:
        self.left -= 1
        if self.left == 0:
            self.ring()
        return super().now()


async def paused(team: Workflow, journal: MemoryJournal, after: int, folder: Path) -> bool:
    """Start a run and cancel it at its n-th entry; False when it was over before."""
    with anyio.CancelScope() as scope:
        clock = Alarm(after, scope.cancel)
        await team.start("go", journal=journal, workspace=folder, seed=1, clock=clock).result()
    return scope.cancelled_caught


async def resumed(team: Workflow, journal: MemoryJournal) -> Result:
    return await team.resume(journal.runs()[0], journal=journal).result()


def over(journal: MemoryJournal) -> bool:
    """Whether the run had ended when it was cancelled."""
    record = Record(journal, journal.runs()[0])
    assert record.entries[-1].kind != "Paused" or not record.summary.ended
    return record.summary.ended


@pytest.mark.parametrize("after", range(1, 40))
def test_files_are_written_as_if_nothing_had_been(tmp_path: Path, after: int) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    whole.mkdir()
    parts.mkdir()
    plain, journal = MemoryJournal(), MemoryJournal()
    team = sample_team.scribes
    expected = team.run_sync("go", journal=plain, workspace=whole, seed=1)
    if not anyio.run(paused, team, journal, after, parts) or over(journal):
        return
    assert Record(journal, journal.runs()[0]).summary.state == "paused"
    result = anyio.run(resumed, team, journal)
    assert comparable(result.entries) == comparable(expected.entries)
    assert [path.read_bytes() for path in parts.iterdir()] == [
        path.read_bytes() for path in whole.iterdir()
    ]
    shutil.rmtree(parts)


@pytest.mark.parametrize("after", range(1, 36))
def test_what_must_not_be_done_twice_is_done_once_or_in_doubt(tmp_path: Path, after: int) -> None:
    COUNTED.clear()
    journal = MemoryJournal()
    interrupted = anyio.run(paused, COUNTERS, journal, after, tmp_path)
    if interrupted and not over(journal):
        result = anyio.run(resumed, COUNTERS, journal)
        if result.outcome == "waiting":
            assert all(reason.startswith("in_doubt: count") for reason in result.waits_for)
        else:
            assert result.finished
            assert len(COUNTED) == 6
    assert len(COUNTED) == len(set(COUNTED)), "nothing is done twice"


def test_a_pause_seldom_leaves_a_doubt(tmp_path: Path) -> None:
    """Only a call that was being made is in doubt; one that was about to be is made on resuming."""
    doubts = 0
    for after in range(1, 36):
        journal = MemoryJournal()
        if anyio.run(paused, COUNTERS, journal, after, tmp_path) and not over(journal):
            result = anyio.run(resumed, COUNTERS, journal)
            doubts += len(result.waits_for)
            assert all("count_aside" not in reason for reason in result.waits_for)
    assert doubts <= 3


def test_a_run_is_paused_and_resumed_over_and_over(tmp_path: Path) -> None:
    journal = MemoryJournal()
    team = sample_team.scribes
    anyio.run(paused, team, journal, 5, tmp_path)

    async def a_little_further() -> bool:
        with anyio.CancelScope() as scope:
            clock = Alarm(4, scope.cancel)
            await team.resume(journal.runs()[0], journal=journal, clock=clock).result()
        # Cancellation may arrive when the ending is on the board already.
        return Record(journal, journal.runs()[0]).summary.state != "finished"

    times = 0
    while anyio.run(a_little_further):
        times += 1
    assert times > 1
    record = Record(journal, journal.runs()[0])
    assert record.summary.state == "finished"
    whole = team.run_sync("go", workspace=tmp_path, seed=1)
    same = [entry.kind for entry in whole.entries if entry.kind in ("Decision", "Note", "Review")]
    assert [entry.kind for entry in record.entries if entry.kind in set(same)] == same
