"""A process that dies at every single boundary, one after the other: nothing is lost, and nothing
is done twice that must not be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from hive import Workflow
from hive.audit import Record
from hive.board.entry import Entry
from hive.journal import writer
from hive.run import Result
from hive.testing import Comparable, comparable
from hive.tools.workspace import Workspace
from tests.crash.dying import DyingJournal, Fate, World, driven, settle, taken_up
from tests.crash.teams import asking, everything, little
from tests.sound import sound

pytestmark = pytest.mark.asyncio
Team = Callable[[World], Workflow]
MOST_RESUMES = 4


@pytest.fixture(autouse=True)
def steady(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the loop take turns in the same order every time, whatever the time of day."""
    monkeypatch.setattr(writer, "FAIR_SECONDS", float("inf"))


class Life(NamedTuple):
    """A run that came to its end, however often its process died."""

    record: Record
    world: World
    fates: list[Fate]
    doubts: list[str]
    files: str


def furnished(folder: Path) -> Path:
    """A workspace in which something stands."""
    folder.mkdir(parents=True)
    (folder / "found.txt").write_text("as it was found\n")
    return folder


async def lived(team: Team, place: Path, *deaths: int) -> Life:
    """Run a team whose first process dies at one boundary, the second at another and so on; who
    looks settles what is in doubt, and then it is taken up until it ends."""
    folder = furnished(place)
    journal, world, doubts = DyingJournal(), World(), list[str]()
    workflow = team(world)
    fates = [Fate(at, folder) for at in (*deaths, *[0] * MOST_RESUMES)]
    result: Result | None = None
    for number, fate in enumerate(fates):
        world.fate = journal.fate = fate
        if number == 0 or not journal.runs():  # nothing had been recorded: it begins again
            result = await driven(
                workflow.start("g", journal=journal, workspace=folder, seed=3), fate
            )
        else:
            kept = kept_of(journal)
            result = await taken_up(workflow, journal, world, fate, None)
            assert kept_of(journal)[: len(kept)] == kept, "an entry was lost, or changed"
        record = Record(journal, journal.runs()[0]) if journal.runs() else None
        if record is not None and record.summary.ended:  # it may have died when all was said
            return Life(record, world, fates[: number + 1], doubts, Workspace(folder).digest())
        if result is not None:
            waits = {reason.partition(":")[0] for reason in result.waits_for}
            assert waits <= {"approval", "in_doubt"}
            doubts += settle(journal, result.run, world, result)
    raise AssertionError(f"not over after {len(fates)} processes: {result}")


def kept_of(journal: DyingJournal) -> list[bytes]:
    run = journal.runs()[0]
    kept = [stored.row.header for stored in journal.read(run)]
    assert len(kept) >= journal.acknowledged.get(run, 0), "an acknowledged entry was lost"
    return kept


def check(life: Life, whole: Life) -> None:
    """Assert that a run whose processes died came to the same as one whose process lived."""
    sound(life.record.entries)
    assert board_of(life) == board_of(whole, without=life.doubts)
    assert life.files == whole.files
    assert life.record.answer == whole.record.answer
    assert Counter(life.world.launched) == Counter(whole.world.launched)
    assert sorted(life.world.paid.values()) == sorted(whole.world.paid.values())
    assert {key.partition("/")[2] for key in life.world.paid} == {
        key.partition("/")[2] for key in whole.world.paid
    }


def board_of(life: Life, without: list[str] | None = None) -> dict[str, Comparable]:
    """The board, without the words by which a call in doubt was settled, and without the digest of
    the workspace after each call, which depends on the order in which parallel strands come."""
    settled = tuple(f"{address}." for address in (life.doubts if without is None else without))
    board = comparable(life.record.entries)
    for entry in board.values():
        if entry.kind == "Observation":
            entry.payload.pop("workspace", None)
    return {
        address: entry
        for address, entry in board.items()
        if not (settled and address.startswith(settled))
    }


async def test_a_process_may_die_at_every_boundary(tmp_path: Path) -> None:
    whole = await lived(everything, tmp_path / "whole")
    assert whole.record.summary.outcome == "finished"
    assert whole.doubts == []
    boundaries = whole.fates[0].passed
    assert kinds_of(whole.record.entries) >= {
        "Approval", "Artifact", "Decision", "Fault", "Inference", "Observation", "Plan", "Request",
        "Task", "Termination", "ToolCall",
    }  # fmt: skip
    deaths = doubts = 0
    for at in range(1, 1000):
        life = await lived(everything, tmp_path / str(at), at)
        check(life, whole)
        if not life.fates[0].dead:
            break
        assert life.fates[0].passed[-1] == boundaries[at - 1], "the enumeration skips nothing"
        deaths += 1
        doubts += bool(life.doubts)
    assert deaths == len(boundaries), "every boundary had its turn"
    named = Counter(boundary.rpartition(" of ")[0] or boundary for boundary in boundaries)
    assert named["before an append"] == named["after an append"] >= 15
    for effect in ("put", "pay", "stumble", "launch"):
        assert named[f"before {effect}"] == named[f"after {effect}"] >= 1
    for role in ("planner", "worker", "flaky", "pilot"):
        assert named[f"after {role} answers"] >= 1
    assert doubts >= 2, "before the launch and after it, nobody can know"


async def test_a_process_may_die_while_a_persons_yes_is_taken(tmp_path: Path) -> None:
    """The first process ends in order, the run waits; the second one has the yes, and dies."""
    whole = await lived(asking, tmp_path / "whole")
    assert [fate.dead for fate in whole.fates] == [False, False]
    boundaries = whole.fates[1].passed
    assert {"before launch", "after launch"} <= set(boundaries)
    doubts = 0
    for at in range(1, len(boundaries) + 1):
        life = await lived(asking, tmp_path / str(at), 0, at)
        assert life.fates[1].dead
        check(life, whole)
        doubts += bool(life.doubts)
    assert doubts >= 2


async def test_a_process_may_die_again_at_every_boundary_of_being_resumed(tmp_path: Path) -> None:
    whole = await lived(little, tmp_path / "whole")
    boundaries = whole.fates[0].passed
    seconds = Counter[int]()
    for first in range(1, len(boundaries) + 1):
        for second in range(1, 1000):
            life = await lived(little, tmp_path / f"{first}-{second}", first, second)
            check(life, whole)
            assert life.fates[0].dead
            if len(life.fates) == 1 or not life.fates[1].dead:
                break
            seconds[first] += 1
    assert set(seconds) == set(range(1, len(boundaries))), "after the last one all was said"
    assert all(seconds.values())


def kinds_of(entries: list[Entry]) -> set[str]:
    return {entry.kind for entry in entries}
