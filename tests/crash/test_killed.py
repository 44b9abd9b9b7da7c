"""Processes that are killed (SIGKILL) at drawn moments, and others that take up their runs."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path
from random import Random
from threading import Timer

import anyio
import pytest

from hive.audit import Record
from hive.audit.verification import verify
from hive.journal.sqlite import SQLiteJournal
from hive.tools.workspace import Workspace
from tests.crash.dying import Fate, World, settle
from tests.crash.teams import everything
from tests.crash.test_enumerated import Life, board_of, furnished, lived
from tests.crash.victim import JOURNAL, LEDGER, WORK
from tests.sound import sound

ROOT = Path(__file__).parents[2]
DEADLINE_S = 120


class Killed:
    """A run whose processes are killed, and what is known of it from outside."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.durable = 0
        self.kept: list[bytes] = []
        self.doubts: list[str] = []
        self.kills = 0
        furnished(folder / WORK)

    def live(self, lines: int, seconds: float | None = None) -> None:
        """Let a process work until it has said so many lines, each of which it waits after; or for
        so long, without waiting."""
        step = [] if seconds is not None else ["step"]
        victim = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.victim", str(self.folder), *step],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
        )  # fmt: skip
        assert victim.stdin is not None
        assert victim.stdout is not None
        killer = Timer(DEADLINE_S, victim.kill)
        killer.start()
        said = 0
        with victim.stdin, victim.stdout:
            for line in victim.stdout:
                words = line.decode().split()
                if words[0] == "durable":
                    self.durable = int(words[1])
                elif words[0] == "begun" and seconds is not None:
                    killer.cancel()
                    killer = Timer(seconds, victim.kill)
                    killer.start()
                elif words[0] == "at" and step:
                    said += 1
                    if said == lines:
                        victim.kill()
                        break
                    victim.stdin.write(b"on\n")
        code = victim.wait()
        killer.cancel()
        assert code in (0, -9)
        self.kills += code == -9
        self.look()

    def look(self) -> None:
        """Assert that nothing is lost of what was durable, and that all of it proves itself."""
        with closing(SQLiteJournal(self.folder / JOURNAL)) as journal:
            for run in journal.runs():
                kept = [stored.row.header for stored in journal.read(run)]
                assert kept[: len(self.kept)] == self.kept, "an entry was lost, or changed"
                assert len(kept) >= self.durable, "an acknowledged entry was lost"
                self.kept = kept
                assert verify(journal, run).holds

    def world(self) -> World:
        """What was done outside, by the ledger."""
        world = World()
        ledger = self.folder / LEDGER
        for line in ledger.read_text().splitlines() if ledger.exists() else ():
            what, *about = line.split()
            if what == "launch":
                world.launched.append(about[0])
            else:
                world.paid.setdefault(about[0], about[1])
        return world

    def end(self) -> Life:
        """Take the run up in this process until it has ended, and settle what is in doubt."""
        world = self.world()
        team = everything(world)
        for _ in range(4):
            with closing(SQLiteJournal(self.folder / JOURNAL)) as journal:
                runs = journal.runs()
                if not runs:
                    options = {"journal": journal, "workspace": self.folder / WORK, "seed": 3}
                    team.run_sync("g", **options)
                    continue
                record = Record(journal, runs[0])
                if record.summary.ended:
                    self.look()
                    files = Workspace(self.folder / WORK).digest()
                    return Life(record, world, [Fate()], self.doubts, files)
                result = anyio.run(team.resume(runs[0], journal=journal).result)
                if result.outcome == "waiting":
                    self.doubts += settle(journal, runs[0], world, result)
        raise AssertionError("it does not end")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Life:
    """A run whose process lived."""
    return anyio.run(lived, everything, tmp_path_factory.mktemp("whole") / WORK)


def check(killed: Killed, whole: Life) -> None:
    life = killed.end()
    sound(life.record.entries)
    assert board_of(life) == board_of(whole, without=life.doubts)
    assert life.files == whole.files
    assert Counter(life.world.launched) == Counter(whole.world.launched), "done once, never twice"
    assert sorted(life.world.paid.values()) == sorted(whole.world.paid.values())


def endured(folder: Path, number: int, boundaries: int) -> Killed:
    """A run whose processes were killed at moments that a number stands for: every fourth at any
    time, the others at a boundary; every third once more while it was taken up."""
    chance, killed = Random(number), Killed(folder)
    for _ in range(2 if number % 3 == 0 else 1):
        if number % 4 == 3:
            killed.live(0, seconds=chance.uniform(0, 0.15))
        else:
            killed.live(chance.randint(1, boundaries))
    return killed


@pytest.mark.parametrize("number", range(10))
def test_a_killed_process_loses_nothing_and_doubles_nothing(
    number: int, tmp_path: Path, whole: Life
) -> None:
    killed = endured(tmp_path, number, len(whole.fates[0].passed))
    check(killed, whole)
    assert killed.kills or number % 4 == 3


@pytest.mark.long
def test_two_hundred_killed_processes_lose_nothing_and_double_nothing(
    tmp_path: Path, whole: Life
) -> None:
    kills = 0
    for number in range(10, 210):
        killed = endured(tmp_path / str(number), number, len(whole.fates[0].passed))
        check(killed, whole)
        kills += killed.kills
    print(f"{kills} processes were killed in 200 runs")
    assert kills >= 200
