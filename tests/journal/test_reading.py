"""Reading a run back onto a board: what was written, or an error that says where it is not."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from hive.board.contributions import Goal, Note
from hive.board.payload import Erased
from hive.errors import JournalError
from hive.journal.memory import MemoryJournal
from hive.journal.sqlite import SQLiteJournal
from hive.message import Text
from tests.board.boards import board, close, post, reread, store

LARGE = "x" * 5000


def test_an_erased_entry_loads_by_its_header() -> None:
    journal, written = MemoryJournal(), board()
    post(written, Goal(text="g"))
    close(written, Note(text="secret"), Note(text="said"), Note(text=LARGE))
    run = store(written, journal)
    journal.erase(run, [1, 3])
    again = reread(journal, run)
    assert [entry.erased for entry in again.entries] == [False, True, False, True]
    for entry in (again.entries[1], again.entries[3]):
        before = written.entries[entry.seq]
        assert entry.payload == Erased()
        assert (entry.kind, entry.version, entry.level) == ("Note", 1, "domain")
        assert entry.header() == before.header()
        assert entry.digest == before.digest
        assert entry.as_json()["payload"] is None
    assert again.state.count(Note) == 3
    assert again.state.latest(Note) is None  # the newest of them says nothing any more
    shown = again.view(frozenset({"Note"}), 1000)
    assert [part.text.rpartition("\n")[2] for part in shown.parts if isinstance(part, Text)] == [
        "(erased)", '{"text":"said"}', "(erased)",
    ]  # fmt: skip
    assert again.head == written.head
    assert LARGE not in str(again.entries)


def test_a_large_body_that_was_read_back_is_not_stored_again() -> None:
    journal, written = MemoryJournal(), board()
    post(written, Note(text=LARGE))
    run = store(written, journal)
    again = reread(journal, run)
    entry = post(again, Note(text=LARGE), "0//1")
    again.seal()
    assert entry.commitment == written.entries[0].commitment
    assert again.kept() == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("UPDATE entries SET header = CAST(replace(CAST(header AS TEXT), 'user', 'eve') AS BLOB)"
         " WHERE id & 255 = 1",
         "entry 1 of run {} does not follow from the one before it; `hive verify {}` says more"),
        ("UPDATE entries SET digest = zeroblob(32) WHERE id & 255 = 2",
         "entry 2 of run {} does not follow from the one before it"),
        ("DELETE FROM entries WHERE id & 255 = 1",
         "entry 2 of run {} does not follow from the one before it"),
        ("UPDATE contents SET body = CAST('{\"text\":\"z\"}' AS BLOB) WHERE id & 255 = 1",
         "entry 1 of run {} does not say what its header names"),
        ("UPDATE kept SET body = zeroblob(9)",
         "entry 3 of run {} does not say what its header names"),
        ("UPDATE contents SET salt = NULL WHERE id & 255 = 1",
         "entry 1 of run {} is not stored as entries are"),
        ("UPDATE contents SET body = '{\"text\":\"z\"}' WHERE id & 255 = 1",
         "entry 1 of run {} is not stored as entries are"),
        ("UPDATE entries SET header = 7 WHERE id & 255 = 2",
         "entry 2 of run {} is not stored as entries are"),
    ],
)  # fmt: skip
def test_what_was_changed_is_not_resumed(change: str, says: str, tmp_path: Path) -> None:
    path, written = tmp_path / "journal.db", board()
    for text in ("a", "b", "c", LARGE):
        post(written, Note(text=text), f"0//{len(written.entries)}")
    with closing(SQLiteJournal(path)) as journal:
        run = store(written, journal)
        assert reread(journal, run).entries == written.entries
        with closing(sqlite3.connect(path)) as db:
            db.execute(change)
            db.commit()
        with pytest.raises(JournalError) as caught:
            reread(journal, run)
        assert str(caught.value).startswith(says.format(run, run))
