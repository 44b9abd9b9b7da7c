"""Forks of random runs: without a change a fork is its parent again, and costs nothing."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hive import Budget, Workflow
from hive.audit import Record
from hive.audit.replay import replay
from hive.audit.verification import verify
from hive.board.entry import Entry
from hive.board.records import Fault, Inference
from hive.control.budgets.budget import nano_dollars
from hive.testing import Comparable, Gate, comparable
from tests.runs_at_random import Case, Stages, cases, lived, team
from tests.sound import sound

WAITED = "Suspension"
"""A fork does not wait for what its parent was told by a person."""


def course(entries: list[Entry]) -> Mapping[str, Comparable]:
    """What a run did, without its waiting and without who it is."""
    found = comparable(entry for entry in entries if entry.kind not in (WAITED, "RunStarted"))
    return found


Team = Callable[[Case, Gate], Workflow]


async def forked(
    case: Case, journal: Stages, run: str, turn: int, made: Team = team
) -> tuple[Record, list[str]]:
    """A fork driven to its end, or until it waits, and who was asked."""
    gate = Gate()
    fork = Record(journal, run).fork(at=f"turn:{turn}", workflow=made(case, gate))
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


def stands(case: Case, journal: Stages, fork: Record, made: Team = team) -> None:
    """A fork stores what is its own and no more, proves itself, and replays."""
    sound(fork.entries)
    cut = fork.started.cut or 0
    assert len(list(journal.read(fork.id))) == len(fork.entries) - cut + 1
    assert verify(journal, fork.id).holds
    gate = Gate()
    result = asyncio.run(replay(journal, fork.id, made(case, gate)))
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


def changed(case: Case, gate: Gate) -> Workflow:
    """The team with a role that is told something else, whose requests are therefore others."""
    return team(case, gate).with_instructions(last="Close it well.")


def survives(case: Case, place: int, crash: int) -> None:
    """A fork with a change, whose process dies at some commit, and is resumed."""
    case = replace(case, breaks=[], budget=Budget())
    journal, run, _ = asyncio.run(lived(case))
    parent = Record(journal, run)
    turn = 1 + place % parent.entries[-1].address.turn
    whole, _ = asyncio.run(forked(case, journal, run, turn, changed))
    if not whole.summary.ended:
        return
    died = until(journal, whole.id, 1 + crash % len(list(journal.read(whole.id))))
    if not Record(died, whole.id).summary.ended:
        asyncio.run(resumed(case, died, whole.id))
    again = Record(died, whole.id)
    assert but_for_cost(again.entries) == but_for_cost(whole.entries)
    stands(case, died, again, changed)


def but_for_cost(entries: list[Entry]) -> Mapping[str, Comparable]:
    """What a run did, whatever it paid for calls that a crash cut off."""
    found = dict(course(entries))
    for address, entry in found.items():
        if entry.kind in ("Termination", "Decision"):
            said = {**entry.payload, **entry.payload.get("features", {})}
            dropped = {key: said[key] for key in said if key not in ("spent", "tokens", "features")}
            found[address] = entry._replace(payload=dropped)
    return found


def until(journal: Stages, fork: str, rows: int) -> Stages:
    """The journal as it would be found if the process of a fork had died at a commit."""
    found = Stages()
    for batch in journal.batches:
        if batch.run == fork and batch.expected >= rows:
            break
        if batch.expected == 0:
            found.hold(batch.run, "the process that died")
            found.release(batch.run)
        found.append([batch], wait=False)
    return found


async def resumed(case: Case, journal: Stages, run: str) -> None:
    gate = Gate()
    conductor = asyncio.create_task(gate.sequence(case.order))
    try:
        await changed(case, gate).resume(run, journal=journal).result()
    finally:
        conductor.cancel()


@given(cases, st.integers(0, 50), st.integers(0, 200))
@settings(max_examples=30)
def test_a_fork_goes_on_after_a_crash_as_if_there_had_been_none(
    case: Case, place: int, crash: int
) -> None:
    survives(case, place, crash)


@pytest.mark.long
@given(cases, st.integers(0, 50), st.integers(0, 200))
@settings(max_examples=300)
def test_three_hundred_forks_go_on_after_a_crash(case: Case, place: int, crash: int) -> None:
    survives(case, place, crash)


@given(cases, st.integers(0, 50), st.sampled_from(["0.004", "0.008", "0.02"]))
@settings(max_examples=30)
def test_a_cap_on_a_fork_holds_over_what_it_shares_is_served_and_asks(
    case: Case, place: int, usd: str
) -> None:
    honest = {
        who: [line for line in lines if line != "too much"] for who, lines in case.lines.items()
    }
    case = replace(case, breaks=[], budget=Budget(), lines=honest)
    journal, run, _ = asyncio.run(lived(case))
    turn = 1 + place % Record(journal, run).entries[-1].address.turn

    def capped(case: Case, gate: Gate) -> Workflow:
        return changed(case, gate).with_(budget=Budget(usd=usd))

    fork, _ = asyncio.run(forked(case, journal, run, turn, capped))
    shared = sum(
        entry.payload.cost
        for entry in fork.entries[: fork.started.cut]
        if isinstance(entry.payload, Inference | Fault)
    )
    assert fork.summary.spent <= max(nano_dollars(usd), shared)
    assert fork.summary.paid <= fork.summary.spent - shared
