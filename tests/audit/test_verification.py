"""Verify: what holds, what does not, and what is said of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import anyio
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hive.audit.record import Record
from hive.audit.verification import verify
from hive.board.entry import Content, Entry, Sealed
from hive.errors import RunNotFound
from hive.journal.journal import Batch, Journal, new_run_id
from hive.journal.memory import MemoryJournal
from hive.journal.sqlite import SQLiteJournal
from tests.audit.journals import LONG, SEQ, Written, head_of
from tests.cli import sample_team


def test_entries_that_came_after_the_head_was_exported_are_welcome() -> None:
    journal = MemoryJournal()
    written = Written(journal)
    written.note("a")
    head = head_of(verify(journal, written.run))
    written.note("b")
    assert verify(journal, written.run, head=head).holds
    other = Written(journal)
    finding = verify(journal, other.run, head=head).finding
    assert finding is not None
    assert f"that of run {written.run}" in str(finding)


def forked(journal: Journal) -> tuple[Written, Written]:
    parent = Written(journal)
    second = [parent.note(text) for text in "abc"][1]
    return parent, parent.fork(3, second.digest.hex())


def test_a_fork_holds_as_long_as_what_it_shares_does(tmp_path: Path) -> None:
    journal = SQLiteJournal(tmp_path / "journal.db")
    parent, fork = forked(journal)
    fork.note("d")
    with sqlite3.connect(journal.path) as db:
        db.execute("UPDATE contents SET body = x'00' WHERE id = ?", (SEQ + 3,))
    db.close()
    assert verify(journal, fork.run).holds, "it shares entries 0 to 2"
    assert not verify(journal, parent.run).holds
    with sqlite3.connect(journal.path) as db:
        db.execute("UPDATE contents SET body = x'00' WHERE id = ?", (SEQ + 2,))
    db.close()
    found = verify(journal, fork.run)
    assert found.finding is not None
    assert (found.finding.run, found.finding.number, found.entries) == (parent.run, 2, 2)
    journal.close()


@pytest.mark.parametrize(
    ("cut", "digest", "what"),
    [
        (3, "00" * 32, "entry 2 has another digest"),
        (9, "00" * 32, "there are 4"),
    ],
)
def test_a_fork_that_shares_what_is_not_there_does_not_hold(
    cut: int, digest: str, what: str
) -> None:
    journal = MemoryJournal()
    parent, _ = forked(journal)
    fork = parent.fork(cut, digest)
    finding = verify(journal, fork.run).finding
    assert finding is not None
    assert (finding.run, finding.number) == (fork.run, 0)
    assert what in finding.what


def test_a_fork_without_its_parent_does_not_hold() -> None:
    journal = MemoryJournal()
    parent, fork = forked(journal)
    journal.release(parent.run)
    journal.forget(parent.run)
    finding = verify(journal, fork.run).finding
    assert finding is not None
    assert f"run {parent.run}, whose entries it shares, is not in this journal" in finding.what
    with pytest.raises(RunNotFound):
        verify(journal, parent.run)


def test_an_erased_content_wants_a_redaction_and_a_redaction_an_erased_content() -> None:
    journal = MemoryJournal()
    written = Written(journal)
    entry = written.note("secret")
    written.note("b")
    journal.erase(written.run, [1])
    finding = verify(journal, written.run).finding
    assert finding is not None
    assert str(finding) == (
        "entry 1 (1/writer/1, Note by writer): its content is gone, and no Redaction says why"
    )
    written.erase(entry)
    assert verify(journal, written.run).holds

    begun = Written(journal)
    kept: Any = begun.note("secret")
    erase, journal.erase = journal.erase, lambda *_: None  # type: ignore[method-assign]
    begun.erase(kept)  # its process dies before anything is erased
    journal.erase = erase  # type: ignore[method-assign]
    assert verify(journal, begun.run).unfinished == (kept.commitment.hex(),)


STEPS = st.sampled_from(["short", "long", "same", "shared", "again", "erase", "fork"])


@settings(max_examples=50, deadline=None)
@given(st.lists(STEPS, max_size=25))
def test_whatever_was_written_in_order_holds(steps: list[str]) -> None:
    journal = MemoryJournal()
    runs = [Written(journal)]
    notes: list[Entry] = []
    for number, step in enumerate(steps):
        run = runs[-1]
        if step == "again":
            run.again()
        elif step == "fork" and notes:
            runs.append(run.fork(notes[-1].seq + 1, notes[-1].digest.hex()))
            notes = []
        elif step == "erase" and notes:
            run.erase(notes.pop(number % len(notes)))
        else:
            run.board.store(b"once" if step == "same" else b"%d" % number)
            text = {"long": f"{LONG}{number}", "same": LONG}.get(step, f"{number}")
            notes.append(run.note(text))
    for run in runs:
        result = verify(journal, run.run)
        assert (result.finding, result.unfinished) == (None, ())
        assert result.entries >= run.rows


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)
NAMES = ("content", "kept", "kind", "turn", "strand", "place", "author", "v")


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_whatever_somebody_has_chained_is_judged_and_nothing_breaks(data: st.DataObject) -> None:
    journal = MemoryJournal()
    run, body = new_run_id(), orjson.dumps(data.draw(JSON))
    header = {name: data.draw(JSON) for name in data.draw(st.sets(st.sampled_from(NAMES)))}
    kinds = st.sampled_from(["RunStarted", "Redaction"])
    if data.draw(st.booleans()):
        header |= {"content": sha256(bytes(16) + body).hexdigest(), "kind": data.draw(kinds)}
    if data.draw(st.booleans()):
        first = {"run": run, "parent": data.draw(JSON), "cut": data.draw(JSON)}
        body = orjson.dumps(first)
        header |= {"content": sha256(bytes(16) + body).hexdigest(), "kind": "RunStarted"}
    written = orjson.dumps(data.draw(st.just(header) | JSON))
    digest = sha256(bytes(32) + written).digest()
    sealed = Sealed([written], [digest], [bytes(16)], [body])
    journal.append([Batch(run, 0, sealed)], wait=True)
    result = verify(journal, run)
    assert result.holds or result.finding is not None
    assert result.entries <= 1


def test_a_run_can_be_verified_while_it_is_written() -> None:
    class Growing(MemoryJournal):
        """A journal in which an entry arrives in the middle of being read."""

        def kept(self, run: str) -> Iterator[Content]:
            before = list(super().kept(run))
            written.board.store(b"shared meanwhile")
            written.note(LONG)
            return iter(before)

    journal = Growing()
    written = Written(journal)
    result = verify(journal, written.run)
    assert (result.finding, result.entries) == (None, 2)


def test_going_through_a_run_is_told() -> None:
    journal = MemoryJournal()
    written = Written(journal)
    for _ in range(9000):
        written.note("x")
    told: list[int] = []
    assert verify(journal, written.run, beat=told.append).holds
    assert told == [4096, 8192]


@pytest.mark.parametrize("at", [1, 2, 4])
def test_runs_of_the_coordinator_and_their_forks_hold(tmp_path: Path, at: int) -> None:
    async def main() -> list[str]:
        (tmp_path / "work").mkdir()
        team = sample_team.scribes
        began = await team.start("x", journal=journal, workspace=tmp_path / "work").result()
        cut = f"turn:{at}"
        fork = Record(journal, began.run).fork(at=cut, workflow=team)
        further = Record(journal, (await fork.result()).run).fork(at=cut, workflow=team)
        return [began.run, fork.id, (await further.result()).run]

    journal = SQLiteJournal(tmp_path / "journal.db")
    results = [verify(journal, run) for run in anyio.run(main)]
    assert [result.finding for result in results] == [None] * 3
    assert results[0].shared == 0
    assert results[1].shared == results[2].shared > 0
    for result in results:
        assert result.entries == len(Record(journal, result.run).entries)
        assert verify(journal, result.run, head=head_of(result)).holds
    journal.close()
