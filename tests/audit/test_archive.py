"""Runs copied into another journal: the same bytes, the same head."""

from __future__ import annotations

from pathlib import Path

import pytest

from hive.audit.archive import ancestry, copy_run
from hive.audit.verification import verify
from hive.errors import JournalError, RunNotFound
from hive.journal.journal import Journal
from hive.journal.memory import MemoryJournal
from hive.journal.sqlite import SQLiteJournal
from tests.audit.journals import Written, write


@pytest.mark.parametrize("kind", ["sqlite", "memory"])
def test_copies_have_the_same_rows_contents_and_heads(tmp_path: Path, kind: str) -> None:
    runs = write(tmp_path / "journal.db")
    source = SQLiteJournal(tmp_path / "journal.db")
    target: Journal = MemoryJournal() if kind == "memory" else SQLiteJournal(tmp_path / "copy.db")
    assert ancestry(source, runs[2]) == runs
    for run in ancestry(source, runs[2]):
        copy_run(source, target, run)
    for run in runs:
        assert list(target.read(run)) == list(source.read(run))
        assert sorted(target.kept(run)) == sorted(source.kept(run))
        assert verify(target, run) == verify(source, run)
        assert target.holder(run) is None
    source.close()
    target.close()


def test_a_long_run_is_copied_in_pieces_and_its_progress_is_told() -> None:
    source, target = MemoryJournal(), MemoryJournal()
    written = Written(source)
    for number in range(2500):
        written.note(f"{number}")
    told: list[int] = []
    assert copy_run(source, target, written.run, told.append) == 2501
    assert told == [1000, 2000, 2501]
    assert verify(target, written.run).holds


def test_a_copy_that_breaks_off_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = MemoryJournal(), MemoryJournal()
    written = Written(source)
    for _ in range(1500):
        written.note("x")
    written.board.store(b"shared")
    written.note("y")
    monkeypatch.setattr(source, "content", missing_after(source, 3))
    with pytest.raises(JournalError, match="has lost the shared content"):
        copy_run(source, target, written.run)
    assert target.runs() == []
    with pytest.raises(RunNotFound):
        copy_run(source, target, "01k8")


def test_an_ancestor_that_is_gone_is_still_named() -> None:
    journal = MemoryJournal()
    parent = Written(journal)
    fork = parent.fork(1, parent.board.entries[0].digest.hex())
    parent.end()
    journal.forget(parent.run)
    assert ancestry(journal, fork.run) == [parent.run, fork.run]
    with pytest.raises(RunNotFound):
        ancestry(journal, parent.run)


def missing_after(source: MemoryJournal, calls: int) -> object:
    """`content` of a journal, for the first calls; nothing is found after them."""
    left, content = iter(range(calls - 1)), source.content
    return lambda *asked: None if next(left, None) is None else content(*asked)
