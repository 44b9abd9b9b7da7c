"""A run that is paused at any of its entries goes on to the same end; nothing is done twice."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hive import Role, Workflow, tool
from hive.audit import Record
from hive.clock import SystemClock
from hive.journal.memory import MemoryJournal
from hive.message import Request, ToolUse
from hive.models import FunctionModel
from hive.run import Result
from hive.testing import Comparable, comparable
from hive.tools.workspace import Workspace
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


async def paused_again(team: Workflow, journal: MemoryJournal, after: int) -> bool:
    """Resume a run and cancel it at its n-th entry from there; False when it is over."""
    with anyio.CancelScope() as scope:
        clock = Alarm(after, scope.cancel)
        await team.resume(journal.runs()[0], journal=journal, clock=clock).result()
    # Cancellation may arrive when the ending is on the board already.
    return not over(journal)


@pytest.fixture(scope="module")
def expected() -> Iterator[tuple[dict[str, Comparable], str]]:
    """What the scribes come to when nobody interrupts them."""
    with TemporaryDirectory() as folder:
        result = sample_team.scribes.run_sync("go", workspace=folder, seed=1)
        yield comparable(result.entries), Workspace(Path(folder)).digest()


@settings(max_examples=40)
@given(moments=st.lists(st.integers(2, 12), min_size=1, max_size=9))
def test_any_number_of_pauses_at_any_entries_gives_the_same_board(
    moments: list[int], expected: tuple[dict[str, Comparable], str]
) -> None:
    team, journal = sample_team.scribes, MemoryJournal()
    with TemporaryDirectory() as name:
        folder, (first, *others) = Path(name), moments
        going = anyio.run(paused, team, journal, first, folder) and not over(journal)
        for after in others:
            going = going and anyio.run(paused_again, team, journal, after)
        if going:
            anyio.run(resumed, team, journal)
        record = Record(journal, journal.runs()[0])
        assert record.summary.state == "finished"
        assert (comparable(record.entries), Workspace(folder).digest()) == expected


def test_a_run_is_paused_over_and_over_and_still_comes_to_its_end(tmp_path: Path) -> None:
    journal, times = MemoryJournal(), 0
    assert anyio.run(paused, sample_team.scribes, journal, 5, tmp_path)
    while anyio.run(paused_again, sample_team.scribes, journal, 4):
        times += 1
    assert times > 3
    assert Record(journal, journal.runs()[0]).summary.state == "finished"
