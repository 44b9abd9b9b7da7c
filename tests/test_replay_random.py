"""Replay of random runs: parallel, failing, paused, crashed, resumed and stopped in every way."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hive.audit.replay import Replayed, replay
from hive.testing import Gate
from tests.runs_at_random import Case, Stages, cases, lived, team


async def replayed(case: Case, journal: Stages, run: str) -> Replayed:
    """The run once more, with a team that must not be asked anything."""
    gate = Gate()
    result = await replay(journal, run, team(case, gate))
    assert gate.arrivals == []
    return result


def holds(case: Case, cut: int) -> None:
    journal, run, _ = asyncio.run(lived(case))
    rows = list(journal.read(run))
    result = asyncio.run(replayed(case, journal, run))
    assert result.divergence is None, result.divergence
    assert (result.identical, result.entries) == (True, len(rows))
    earlier = journal.until(1 + cut % len(rows))
    kept = len(list(earlier.read(run)))
    result = asyncio.run(replayed(case, earlier, run))
    assert result.divergence is None, result.divergence
    assert (result.identical, result.entries) == (True, kept)


@given(cases, st.integers(0, 200))
@settings(max_examples=30)
def test_a_run_replays_whatever_befell_it_and_wherever_its_record_breaks_off(
    case: Case, cut: int
) -> None:
    holds(case, cut)


@pytest.mark.long
@given(cases, st.integers(0, 200))
@settings(max_examples=300)
def test_three_hundred_runs_replay(case: Case, cut: int) -> None:
    holds(case, cut)
