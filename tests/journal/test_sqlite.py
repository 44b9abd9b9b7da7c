"""The embedded journal and the files it meets: its own, others', broken and busy ones."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from hive.board.board import Board
from hive.board.contributions import Note
from hive.errors import JournalError, JournalVersion
from hive.journal.journal import Batch, new_run_id
from hive.journal.sqlite import Busy, SQLiteJournal
from tests.board.boards import board, post, store
from tests.journal.stores import batch


def one_entry(run: str | None = None, text: str = "a") -> Batch:
    written = board()
    post(written, Note(text=text))
    return Batch(run or new_run_id(), 0, written.seal())


def test_runs_outlive_the_journal_that_wrote_them(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "journal.db"
    with closing(SQLiteJournal(path)) as journal:
        run = store(board_of("a", "b"), journal)
        written = board()
        kept = written.store(b"shared")
        post(written, Note(text="c"))
        journal.append([Batch(run, 2, written.seal(), written.kept())], wait=True)
    with closing(SQLiteJournal(path, create=False)) as journal:
        assert journal.runs() == [run]
        assert len(list(journal.read(run))) == 3
        content = journal.content(run, kept)
        assert content is not None
        assert content.body == b"shared"


def board_of(*texts: str) -> Board:
    written = board()
    for place, text in enumerate(texts):
        post(written, Note(text=text), f"0//{place}")
    return written


def test_an_empty_file_becomes_a_journal(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    path.touch()
    with closing(SQLiteJournal(path)) as journal:
        journal.append([one_entry()], wait=True)
        assert len(journal.runs()) == 1


def test_a_journal_that_is_not_there_is_not_made_where_one_is_read(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "journal.db"
    with pytest.raises(JournalError, match=rf"no journal at {path}"):
        SQLiteJournal(path, create=False)
    assert list(tmp_path.iterdir()) == []


def other_program(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE recipes (name TEXT)")


def other_version(path: Path) -> None:
    SQLiteJournal(path).close()
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = DELETE")
        db.execute("PRAGMA user_version = 99")


def no_database(path: Path) -> None:
    path.write_text("A diary, and no database.\n" * 100)


def half_a_database(path: Path) -> None:
    SQLiteJournal(path).close()
    path.write_bytes(path.read_bytes()[:50])


def folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize(
    ("plant", "error", "says"),
    [
        (other_program, JournalError, "is an SQLite file of another program; name another file"),
        (other_version, JournalVersion, "is a journal of schema version 99; this Hive reads ver"),
        (no_database, JournalError, "cannot be opened: file is not a database"),
        (half_a_database, JournalError, "cannot be opened"),
        (folder, JournalError, "is a folder; name a file in it"),
    ],
)
def test_a_file_that_is_no_journal_is_refused_and_left_as_it_was(
    plant: object, error: type[JournalError], says: str, tmp_path: Path
) -> None:
    path = tmp_path / "journal.db"
    plant(path)  # type: ignore[operator]  # one of the functions above
    before, beside = path.read_bytes() if path.is_file() else b"", sorted(tmp_path.iterdir())
    with pytest.raises(error, match=says) as caught:
        SQLiteJournal(path)
    assert str(path) in str(caught.value)
    assert (path.read_bytes() if path.is_file() else b"") == before
    assert sorted(tmp_path.iterdir()) == beside


def test_a_path_through_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(JournalError, match="cannot be opened"):
        SQLiteJournal(tmp_path / "file" / "journal.db")


def append_to(path: Path) -> None:
    with closing(SQLiteJournal(path)) as journal:
        journal.append([one_entry()], wait=True)


def test_a_damaged_page_is_an_error_of_the_journal(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with closing(SQLiteJournal(path)) as journal:
        run = store(board_of(*["x" * 500] * 100), journal)
    raw = bytearray(path.read_bytes())
    raw[4096:] = os.urandom(len(raw) - 4096)
    path.write_bytes(raw)
    with closing(SQLiteJournal(path)) as journal:
        for look in (
            journal.runs,
            lambda: list(journal.read(run)),
            lambda: journal.content(run, ""),
        ):
            with pytest.raises(JournalError, match=rf"{path} cannot be read"):
                look()
        with pytest.raises(JournalError, match=rf"{path} cannot be written"):
            journal.append([one_entry()], wait=True)


@contextmanager
def busy(path: Path) -> Iterator[sqlite3.Connection]:
    """Another program in the middle of a write to the file."""
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as db:
        db.execute("BEGIN IMMEDIATE")
        yield db
        if db.in_transaction:
            db.execute("ROLLBACK")


def test_a_busy_file_is_said_to_be_busy_to_whoever_cannot_wait(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with closing(SQLiteJournal(path)) as journal:
        first = one_entry()
        with busy(path):
            with pytest.raises(Busy, match=f"{path} is busy"):
                journal.append([first], wait=False)
            assert journal.runs() == []  # reading never waits for a writer
        journal.append([first], wait=False)
        assert journal.runs() == [first.run]


def test_who_can_wait_waits_for_a_busy_file(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with closing(SQLiteJournal(path)) as journal, busy(path) as other:
        begun = threading.Event()
        first = one_entry()

        def append() -> None:
            begun.set()
            journal.append([first], wait=True)

        thread = threading.Thread(target=append)
        thread.start()
        begun.wait()
        other.execute("COMMIT")
        thread.join()
        assert journal.runs() == [first.run]


def test_a_new_file_may_be_opened_by_several_at_once(tmp_path: Path) -> None:
    for attempt in range(5):
        path = tmp_path / f"{attempt}.db"
        failures: list[Exception] = []
        together = threading.Barrier(4)

        def open_it(path: Path, failures: list[Exception], together: threading.Barrier) -> None:
            together.wait()
            try:
                append_to(path)
            except JournalError as error:
                failures.append(error)

        threads = [
            threading.Thread(target=open_it, args=(path, failures, together)) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        with closing(SQLiteJournal(path)) as journal:
            assert len(journal.runs()) == 4


def test_full_synchronisation_belongs_on_the_writer_thread(tmp_path: Path) -> None:
    with closing(SQLiteJournal(tmp_path / "a.db", synchronous="full")) as full:
        assert full.commit == "threaded"
    with closing(SQLiteJournal(tmp_path / "a.db")) as normal:
        assert normal.commit == "inline"


def test_a_long_log_is_folded_in_by_whoever_can_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hive.journal.sqlite.FOLD_PAGES", 100)
    path, written, run = tmp_path / "journal.db", board(), new_run_id()
    log = tmp_path / "journal.db-wal"
    with closing(SQLiteJournal(path)) as journal:
        longest = 0
        waited = 0
        for _ in range(500):
            late = batch(written, run, "x" * 300, "y" * 5000)
            try:
                journal.append([late], wait=False)
            except Busy:
                journal.append([late], wait=True)
                waited += 1
            longest = max(longest, log.stat().st_size)
        assert 10 < waited < 100
        assert longest < 200 * 4200
        assert len(list(journal.read(run))) == len(written.entries)
