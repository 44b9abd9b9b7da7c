"""Replay of random runs: parallel, failing, paused, crashed, resumed and stopped in every way."""

import asyncio
from collections.abc import Iterator

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hive.audit import Record
from hive.audit.replay import Replayed, replay
from hive.board.entry import Content, Entry
from hive.board.records import Termination
from hive.board.tape import is_from_outside
from hive.journal.journal import Stored
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


SAYS = {"Decision": "reason", "Request": "digest", "Termination": "message", "Synthesis": "text"}


class Altered(Stages):
    """A journal in which one entry reads otherwise than it was written."""

    def __init__(self, journal: Stages, number: int) -> None:
        super().__init__()
        self.journal = journal
        self.number = number

    def read(self, run: str, start: int = 0) -> Iterator[Stored]:
        for stored in self.journal.read(run, start):
            yield altered(stored) if stored.row.seq == self.number else stored

    def content(self, run: str, commitment: str) -> Content | None:
        return self.journal.content(run, commitment)

    def kept(self, run: str) -> Iterator[Content]:
        return self.journal.kept(run)


def altered(stored: Stored) -> Stored:
    """An entry with another word in a field of its kind, or by another author."""
    header, body = orjson.loads(stored.row.header), orjson.loads(stored.body or b"{}")
    if header["kind"] in SAYS:
        body[SAYS[header["kind"]]] += "!"
    else:
        header["author"] += "!"
    row = stored.row._replace(header=orjson.dumps(header))
    return stored._replace(row=row, body=orjson.dumps(body))


def is_served(entry: Entry) -> bool:
    """Whether a replay takes an entry from the record instead of computing it."""
    if isinstance(entry.payload, Termination) and entry.payload.reason == "cancelled":
        return True
    if is_from_outside(entry) or (entry.origin.startswith("tool:") and entry.level == "domain"):
        return True
    outcome = entry.address.place[1:2] == (1,) or len(entry.address.place) > 2
    outcome |= entry.kind == "Approval"  # of a call it hangs below it; of a checkpoint it does not
    return outcome and entry.kind not in ("Overrun", "Task")


@given(cases, st.integers(0, 200))
@settings(max_examples=60)
def test_whatever_is_computed_and_was_altered_is_named(case: Case, drawn: int) -> None:
    journal, run, _ = asyncio.run(lived(case))
    board = Record(journal, run).board
    computed = [e for e in board.entries if not is_served(e) and e.kind != "RunStarted"]
    chosen = computed[drawn % len(computed)]
    result = asyncio.run(replayed(case, Altered(journal, chosen.seq), run))
    assert result.divergence is not None
    assert result.divergence.address == str(chosen.address)
