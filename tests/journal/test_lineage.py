"""The logical log of a fork: its own entries, and between the first and the rest its ancestors'."""

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hive.board.contributions import Note
from hive.board.payload import Payload
from hive.board.records import RunStarted
from hive.errors import JournalError, RunNotFound
from hive.journal.journal import Batch, Journal, new_run_id
from hive.journal.lineage import content_of, read_whole
from hive.journal.memory import MemoryJournal
from hive.journal.reading import restore
from tests.board.boards import board, post, store


def begun(run: str, parent: str | None = None, cut: int | None = None) -> RunStarted:
    return RunStarted(
        run=run, hive="1", schema_version=1, workflow="w", fingerprint="", vocabulary="",
        parent=parent, cut=cut,
    )  # fmt: skip


def write(journal: Journal, *payloads: Payload, keep: bytes | None = None) -> str:
    """A run of its own, of some entries."""
    written = board()
    if keep is not None:
        written.store(keep)
    for place, payload in enumerate(payloads):
        post(written, payload, f"0//{place}")
    return store(written, journal)


def extend(journal: Journal, run: str, *texts: str) -> None:
    """Go on with a run as who takes it up again: read it back, and append."""
    again = board()
    restore(again, journal, run)
    expected = len(again.entries) - again.shared
    for text in texts:
        post(again, Note(text=text), f"0//{len(again.entries)}")
    journal.append([Batch(run, expected, again.seal(), again.kept())], wait=True)


def texts(journal: Journal, run: str, start: int = 0) -> list[bytes | None]:
    return [stored.body for stored in read_whole(journal, run, start)]


class Kin(NamedTuple):
    """A run to be made: a fork of an earlier one, cut somewhere, or none; and what it says."""

    parent: int | None
    cut: int
    own: int


families = st.lists(
    st.builds(Kin, st.none() | st.integers(0, 5), st.integers(1, 12), st.integers(0, 4)),
    min_size=1,
    max_size=6,
)


@given(families)
def test_a_fork_reads_as_its_first_entry_its_ancestors_and_its_own(kin: list[Kin]) -> None:
    journal = MemoryJournal()
    runs: list[str] = []
    logs: list[list[bytes | None]] = []
    for number, (parent, most, own) in enumerate(kin):
        run = new_run_id()
        origin = None if parent is None or parent >= number else parent
        cut = 1 if origin is None else min(most, len(logs[origin]))
        first = begun(run, *(() if origin is None else (runs[origin], cut)))
        store(one := board_of(first), journal, run)
        said = [f"{number}.{place}" for place in range(own)]
        extend(journal, run, *said)
        shared = [] if origin is None else logs[origin][1:cut]
        logs.append([one.entries[0].body, *shared, *[Note(text=text).body() for text in said]])
        runs.append(run)
    for run, log in zip(runs, logs, strict=True):
        for start in range(len(log) + 1):
            assert texts(journal, run, start) == log[start:]
        assert [stored.row.seq for stored in read_whole(journal, run)] == list(range(len(log)))
        again = board()
        restore(again, journal, run)
        *_, last = journal.read(run)
        assert again.head == last.row.digest


def board_of(payload: Payload):  # type: ignore[no-untyped-def]
    made = board()
    post(made, payload)
    return made


def test_what_an_ancestor_keeps_is_found() -> None:
    journal = MemoryJournal()
    parent = write(journal, begun("p"), Note(text="a"), keep=b"the prompt")
    [kept] = journal.kept(parent)
    fork = write(journal, begun("f", parent, 2), keep=b"its own")
    younger = write(journal, begun("g", fork, 2))
    for run in (parent, fork, younger):
        assert content_of(journal, run, kept.commitment.hex()) == kept
        assert content_of(journal, run, "ab" * 32) is None
    [own] = journal.kept(fork)
    assert content_of(journal, younger, own.commitment.hex()) == own
    assert content_of(journal, parent, own.commitment.hex()) is None


def test_a_fork_without_its_parent_cannot_be_read() -> None:
    journal = MemoryJournal()
    parent = write(journal, begun("p"), Note(text="a"))
    fork = write(journal, begun("f", parent, 2), Note(text="b"))
    journal.forget(parent)
    with pytest.raises(RunNotFound, match=f"run {fork} shares entries of run {parent}, which is"):
        texts(journal, fork)
    with pytest.raises(RunNotFound, match="no run 'x'"):
        texts(journal, "x")


def test_a_parent_that_has_lost_entries_is_named() -> None:
    journal = MemoryJournal()
    parent = write(journal, begun("p"), Note(text="a"), Note(text="b"))
    fork = write(journal, begun("f", parent, 9), Note(text="c"))
    with pytest.raises(
        JournalError, match=f"run {fork} shares 8 entries of run {parent}, which has lost 6 of them"
    ):
        texts(journal, fork)


def test_a_run_that_is_its_own_ancestor_is_refused() -> None:
    journal = MemoryJournal()
    one, other = new_run_id(), new_run_id()
    store(board_of(begun(one, other, 1)), journal, one)
    store(board_of(begun(other, one, 1)), journal, other)
    with pytest.raises(JournalError, match=f"run {one} is said to be its own ancestor"):
        texts(journal, one)


def test_a_first_entry_that_cannot_be_read_is_named() -> None:
    journal = MemoryJournal()
    erased = write(journal, begun("p"))
    journal.erase(erased, [0])
    with pytest.raises(JournalError, match=f"entry 0 of run {erased} has lost its content"):
        texts(journal, erased)
