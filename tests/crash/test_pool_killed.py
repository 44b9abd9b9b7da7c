"""Processes that are killed (SIGKILL) while their runs draw on a pool, and what is left of it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from random import Random
from threading import Timer

import pytest

from hive.audit import Record
from hive.audit.verification import verify
from hive.board.records import Admission, Fault, Inference, Request
from hive.control import Pool
from hive.control.budgets.scope import Grant
from hive.journal.sqlite import SQLiteJournal
from tests.control.budgets.test_pool_course import keeps
from tests.crash.pooled import BUDGET, JOURNAL, PAID, RUNS, team, work
from tests.sound import sound

ROOT = Path(__file__).parents[2]
DEADLINE_S = 120
BOUNDARIES = 26
"""About as many as a process comes by that is left to live."""


def lived(folder: Path, boundaries: int) -> bool:
    """Let a process work until it has come by so many boundaries; whether it was killed there."""
    victim = subprocess.Popen(
        [sys.executable, "-m", "tests.crash.pooled", str(folder)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
    )  # fmt: skip
    assert victim.stdin is not None
    assert victim.stdout is not None
    killer = Timer(DEADLINE_S, victim.kill)
    killer.start()
    with victim.stdin, victim.stdout:
        for passed, _ in enumerate(victim.stdout, 1):
            if passed == boundaries:
                victim.kill()
                break
            victim.stdin.write(b"on\n")
    code = victim.wait()
    killer.cancel()
    assert code in (0, -9)
    return code == -9


def on_record(journal: SQLiteJournal) -> Grant:
    """What the runs of a journal may have used at most, counted by hand: what was answered at what
    it used, and what was not at what it was granted."""
    cost = tokens = 0
    for run in journal.runs():
        granted: defaultdict[str, list[Request | Admission]] = defaultdict(list)
        for entry in Record(journal, run).entries:
            step = f"{entry.turn}/{entry.strand}/{entry.place[0]}"
            payload = entry.payload
            if isinstance(payload, Request | Admission):
                granted[step].append(payload)
            elif isinstance(payload, Inference | Fault) and step in granted:
                del granted[step]
                cost, tokens = cost + payload.cost, tokens + payload.tokens
        for payload in (each for open_call in granted.values() for each in open_call):
            if isinstance(payload, Request):
                cost, tokens = cost + payload.grant, tokens + payload.grant_tokens
            else:
                cost, tokens = cost + payload.cost, tokens + payload.tokens
    return Grant(cost, tokens)


def paid(folder: Path) -> Grant:
    """What the provider has been paid."""
    ledger = folder / PAID
    lines = ledger.read_text().splitlines() if ledger.exists() else ()
    pairs = [tuple(map(int, line.split())) for line in lines]
    return Grant(sum(cost for cost, _ in pairs), sum(tokens for _, tokens in pairs))


def killed(folder: Path, number: int) -> int:
    """Kill some processes at boundaries that a number stands for, and have their runs end here; how
    many were killed."""
    chance, kills = Random(number), 0
    for _ in range(1 + number % 3):
        kills += lived(folder, chance.randint(1, BOUNDARIES))
        journal = SQLiteJournal(folder / JOURNAL)
        with Pool("team", BUDGET) as pool:
            pool.read(journal)
            keeps(pool)
            held = Grant(*map(sum, zip(pool.spent, pool.reserved, strict=True)))
            assert held == on_record(journal)
            spent = paid(folder)
            assert spent.cost <= held.cost, "what was paid is counted, answered or not"
            assert spent.tokens <= held.tokens
        journal.close()
    journal = SQLiteJournal(folder / JOURNAL)
    with Pool("team", BUDGET) as pool:
        asyncio.run(work(team(folder, False), journal, pool))
        keeps(pool)
        assert pool.reserved == (0, 0)
        assert len(pool.shares) == RUNS
        assert pool.spent == on_record(journal)
        assert paid(folder).cost <= pool.spent.cost
    for run in journal.runs():
        sound(Record(journal, run).entries)
        assert verify(journal, run).holds
    journal.close()
    return kills


@pytest.mark.parametrize("number", range(6))
def test_a_pool_is_not_passed_though_its_processes_are_killed(number: int, tmp_path: Path) -> None:
    assert killed(tmp_path, number)


@pytest.mark.long
def test_a_hundred_killed_processes_pass_no_pool(tmp_path: Path) -> None:
    kills = 0
    for number in range(6, 81):
        folder = tmp_path / str(number)
        folder.mkdir()
        kills += killed(folder, number)
    print(f"{kills} processes were killed")
    assert kills >= 90
