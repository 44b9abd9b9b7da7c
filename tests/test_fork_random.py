"""Forks of random runs: without a change a fork is its parent again, and costs nothing."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hive.audit import Record
from hive.audit.replay import replay
from hive.audit.verification import verify
from hive.board.entry import Entry
from hive.testing import Comparable, Gate, comparable
from tests.runs_at_random import Case, Stages, cases, lived, team
from tests.sound import sound

WAITED = "Suspension"
"""A fork does not wait for what its parent was told by a person."""


def course(entries: list[Entry]) -> Mapping[str, Comparable]:
    """What a run did, without its waiting and without who it is."""
    found = comparable(entry for entry in entries if entry.kind not in (WAITED, "RunStarted"))
    return found


async def forked(case: Case, journal: Stages, run: str, turn: int) -> tuple[Record, list[str]]:
    """A fork driven to its end, or until it waits, and who was asked."""
    gate = Gate()
    fork = Record(journal, run).fork(at=f"turn:{turn}", workflow=team(case, gate))
    conductor = asyncio.create_task(gate.sequence(case.order))
    try:
        await fork.result()
    finally:
        conductor.cancel()
    return Record(journal, fork.id), gate.arrivals


def is_its_parent_again(case: Case, place: int) -> None:
    case = replace(case, breaks=[])
    journal, run, _ = asyncio.run(lived(case))
    parent = Record(journal, run)
    if not parent.summary.ended:
        return
    turn = 1 + place % parent.entries[-1].address.turn
    fork, asked = asyncio.run(forked(case, journal, run, turn))
    assert asked == []
    assert course(fork.entries) == course(parent.entries)
    assert fork.summary.paid == 0
    assert fork.summary.spent == parent.summary.spent
    again, asked = asyncio.run(forked(case, journal, fork.id, turn + 1))
    assert asked == []
    assert course(again.entries) == course(parent.entries)
    for record in (fork, again):
        stands(case, journal, record)


def stands(case: Case, journal: Stages, fork: Record) -> None:
    """A fork stores what is its own and no more, proves itself, and replays."""
    sound(fork.entries)
    cut = fork.started.cut or 0
    assert len(list(journal.read(fork.id))) == len(fork.entries) - cut + 1
    assert verify(journal, fork.id).holds
    gate = Gate()
    result = asyncio.run(replay(journal, fork.id, team(case, gate)))
    assert (gate.arrivals, result.divergence, result.identical) == ([], None, True)


@given(cases, st.integers(0, 50))
@settings(max_examples=40)
def test_a_fork_without_a_change_is_its_parent_again_and_costs_nothing(
    case: Case, place: int
) -> None:
    is_its_parent_again(case, place)


@pytest.mark.long
@given(cases, st.integers(0, 50))
@settings(max_examples=400)
def test_four_hundred_forks_are_their_parents_again(case: Case, place: int) -> None:
    is_its_parent_again(case, place)
