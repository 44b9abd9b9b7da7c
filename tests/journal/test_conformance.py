"""What every journal promises, whichever keeps the bytes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hive.board.board import Board
from hive.board.contributions import Note
from hive.errors import RunHeld, RunNotFound, StaleWriter
from hive.journal.journal import Batch, Journal, new_run_id
from hive.journal.memory import MemoryJournal
from hive.journal.sqlite import SQLiteJournal
from tests.board.boards import board, post, reread

ABSENT = new_run_id()


@dataclass
class Store:
    """A place that journals can be opened on, again and again."""

    make: Callable[[], Journal]
    opened: list[Journal] = field(default_factory=list)

    def open(self) -> Journal:
        self.opened.append(self.make())
        return self.opened[-1]

    def close(self) -> None:
        for journal in self.opened:
            journal.close()


@pytest.fixture(params=["memory", "sqlite", "sqlite full"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    memory = MemoryJournal()
    stores = {
        "memory": Store(lambda: memory),
        "sqlite": Store(lambda: SQLiteJournal(tmp_path / "journal.db")),
        "sqlite full": Store(lambda: SQLiteJournal(tmp_path / "journal.db", synchronous="full")),
    }
    yield stores[request.param]
    stores[request.param].close()


def batch(written: Board, run: str, *texts: str, keep: tuple[bytes, ...] = ()) -> Batch:
    """The next entries of a run, ready to be appended."""
    expected = len(written.entries)
    for body in keep:
        written.store(body)
    for text in texts:
        post(written, Note(text=text), f"0//{len(written.entries)}")
    return Batch(run, expected, written.seal(), written.kept())


def texts(journal: Journal, run: str, start: int = 0) -> list[bytes | None]:
    return [stored.body for stored in journal.read(run, start)]


def test_what_was_appended_is_read_as_it_was(store: Store) -> None:
    journal, written, run = store.open(), board(), new_run_id()
    sealed: list[bytes] = []
    for words in (("a",), ("b", "c", "d"), ("e",)):
        journal.append([batch(written, run, *words)], wait=True)
        sealed += [entry.digest for entry in written.entries[len(sealed) :]]
    rows = [stored.row for stored in journal.read(run)]
    assert [row.seq for row in rows] == [0, 1, 2, 3, 4]
    assert [row.digest for row in rows] == sealed
    assert [row.header for row in rows] == [entry.header() for entry in written.entries]
    assert texts(journal, run) == [entry.body for entry in written.entries]
    assert reread(journal, run).entries == written.entries


@pytest.mark.parametrize("start", [0, 1, 2, 3, 4])
def test_reading_begins_at_any_position(store: Store, start: int) -> None:
    journal, written, run = store.open(), board(), new_run_id()
    journal.append([batch(written, run, "a", "b", "c")], wait=True)
    assert texts(journal, run, start) == [entry.body for entry in written.entries[start:]]


def test_a_run_that_is_not_there_is_not_found(store: Store) -> None:
    journal = store.open()
    with pytest.raises(RunNotFound, match=ABSENT):
        list(journal.read(ABSENT))
    assert journal.content(ABSENT, "00" * 32) is None
    assert journal.holder(ABSENT) is None
    journal.release(ABSENT)
    assert journal.runs() == []


def test_a_writer_that_is_behind_or_ahead_is_refused_and_nothing_is_stored(store: Store) -> None:
    journal, written, run = store.open(), board(), new_run_id()
    first = batch(written, run, "a", "b")
    journal.append([first], wait=True)
    following = batch(written, run, "c")
    for wrong in (0, 1, 3, 7):
        with pytest.raises(StaleWriter, match=run):
            journal.append([following._replace(expected=wrong)], wait=True)
    assert len(texts(journal, run)) == 2
    journal.append([following], wait=True)
    assert len(texts(journal, run)) == 3


def test_a_second_writer_of_a_run_is_refused(store: Store) -> None:
    one, other, run = store.open(), store.open(), new_run_id()
    mine, theirs = board(), board()
    one.append([batch(mine, run, "a")], wait=True)
    with pytest.raises(StaleWriter):
        other.append([batch(theirs, run, "b")], wait=True)
    other.append([batch(mine, run, "c")], wait=True)
    with pytest.raises(StaleWriter):
        one.append([Batch(run, 1, board_with("d").seal())], wait=True)
    assert texts(one, run) == texts(other, run) == [b'{"text":"a"}', b'{"text":"c"}']


def test_a_run_that_others_have_extended_can_be_taken_up_again(store: Store) -> None:
    one, other, run = store.open(), store.open(), new_run_id()
    written = board()
    one.append([batch(written, run, "a")], wait=True)
    other.append([batch(written, run, "b")], wait=True)
    one.append([batch(written, run, "c")], wait=True)
    assert len(texts(one, run)) == 3


def board_with(text: str) -> Board:
    written = board()
    post(written, Note(text=text))
    return written


def test_batches_of_several_runs_are_stored_together_or_not_at_all(store: Store) -> None:
    journal = store.open()
    runs = sorted(new_run_id() for _ in range(4))
    boards = [board() for _ in runs]
    journal.append([batch(boards[0], runs[0], "a", keep=(b"kept",))], wait=True)
    fresh, stale = batch(boards[1], runs[1], "b", keep=(b"lost",)), batch(board(), runs[0], "x")
    with pytest.raises(StaleWriter, match=runs[0]):
        journal.append([fresh, batch(boards[2], runs[2], "c"), stale], wait=True)
    assert journal.runs() == [runs[0]]
    for run in runs[1:3]:
        with pytest.raises(RunNotFound):
            list(journal.read(run))
    # What was refused left nothing behind that a later run could be mixed up with.
    journal.append([batch(boards[3], runs[3], "d")], wait=True)
    journal.append([fresh], wait=True)
    assert journal.runs() == [runs[3], runs[1], runs[0]]
    assert [texts(journal, run) for run in journal.runs()] == [
        [b'{"text":"d"}'],
        [b'{"text":"b"}'],
        [b'{"text":"a"}'],
    ]
    assert [texts(store.open(), run) for run in runs[:2]] == [[b'{"text":"a"}'], [b'{"text":"b"}']]


def test_shared_contents_are_found_by_their_commitment_in_their_own_run(store: Store) -> None:
    journal, written, run, other = store.open(), board(), new_run_id(), new_run_id()
    kept = batch(written, run, "a", keep=(b"the prompt", b"the tools"))
    journal.append([kept, batch(board(), other, "b")], wait=True)
    commitments = [content.commitment.hex() for content in kept.kept]
    assert [journal.content(run, each) for each in commitments] == list(kept.kept)
    assert [content.body for content in kept.kept] == [b"the prompt", b"the tools"]
    assert journal.content(other, commitments[0]) is None
    assert journal.content(run, "ab" * 32) is None
    journal.append([batch(written, run, "c", keep=(b"the prompt", b"more"))], wait=True)
    more = journal.content(run, written.store(b"more"))
    assert more is not None
    assert list(journal.kept(run)) == [*kept.kept, more]
    assert more.body == b"more"
    assert list(journal.kept(ABSENT)) == []


def test_runs_are_listed_newest_first(store: Store) -> None:
    journal = store.open()
    runs = [new_run_id() for _ in range(3)]
    runs.sort()
    for run in (runs[1], runs[0], runs[2]):
        journal.append([batch(board(), run, "a")], wait=True)
    assert journal.runs() == store.open().runs() == runs[::-1]


def test_only_one_may_hold_a_run(store: Store) -> None:
    one, other, run = store.open(), store.open(), new_run_id()
    assert one.holder(run) is None
    assert one.hold(run, "the first") == 1
    held = one.holder(run)
    assert held is not None
    assert held == other.holder(run)
    assert held.name == "the first"
    for journal in (one, other):
        with pytest.raises(RunHeld, match=f"run {run} is held by the first since 2") as caught:
            journal.hold(run, "another")
        assert caught.value.holder == held
    assert other.hold(ABSENT, "another") == 1
    assert one.runs() == []  # who holds a run has written nothing yet
    one.release(run)
    assert other.holder(run) is None
    assert other.hold(run, "the second") == 2
    with pytest.raises(RunHeld, match="the second"):
        one.hold(run, "the first")


def test_a_run_can_be_read_while_it_is_written(store: Store) -> None:
    journal, written, run = store.open(), board(), new_run_id()
    journal.append([batch(written, run, "a", "b")], wait=True)
    reading = journal.read(run)
    assert next(reading).body == b'{"text":"a"}'
    store.open().append([batch(written, run, "c")], wait=True)
    assert next(reading).body == b'{"text":"b"}'
    assert texts(journal, run)[-1] == b'{"text":"c"}'


def test_ids_of_runs_sort_by_the_time_they_were_made() -> None:
    ids = [new_run_id() for _ in range(50)]
    assert len(set(ids)) == 50
    assert [run[:10] for run in ids] == sorted(run[:10] for run in ids)
    assert all(len(run) == 26 and run == run.lower() and run.isalnum() for run in ids)
