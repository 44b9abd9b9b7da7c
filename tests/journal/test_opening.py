"""Finding a journal and a run by what a person writes."""

from contextlib import closing
from pathlib import Path

import pytest

from hive.board.contributions import Note
from hive.errors import JournalError, RunNotFound
from hive.journal.journal import Journal
from hive.journal.memory import MemoryJournal
from hive.journal.opening import find_run, open_journal
from hive.journal.sqlite import SQLiteJournal
from tests.board.boards import board, post, store


@pytest.mark.parametrize(
    "where", ["sqlite:{}/a.db", "sqlite://{}/a.db", "{}/a.db", "{}/a:b/c d.db", "{}/é"]
)
def test_a_path_is_an_sqlite_file(where: str, tmp_path: Path) -> None:
    named = where.format(tmp_path)
    with closing(open_journal(named)) as journal:
        assert isinstance(journal, SQLiteJournal)
        assert journal.path == Path(named.removeprefix("sqlite:").removeprefix("//"))
        assert journal.path.exists()
    with closing(open_journal(Path(tmp_path / "b.db"))) as journal:
        assert isinstance(journal, SQLiteJournal)


@pytest.mark.parametrize(
    ("setting", "commit"),
    [("", "inline"), ("?synchronous=normal", "inline"), ("?synchronous=full", "threaded")],
)
def test_how_a_file_is_written_stands_behind_its_path(
    setting: str, commit: str, tmp_path: Path
) -> None:
    with closing(open_journal(f"sqlite:{tmp_path}/a.db{setting}")) as journal:
        assert journal.commit == commit
    assert (tmp_path / "a.db").exists()
    with pytest.raises(JournalError, match="says nothing that is known after its question mark"):
        open_journal(f"sqlite:{tmp_path}/a.db?synchronous=off")
    with closing(open_journal(f"{tmp_path}/what?.db")):
        assert (tmp_path / "what?.db").exists()


def test_memory_is_the_journal_of_whoever_names_none() -> None:
    assert isinstance(open_journal(None), MemoryJournal)
    assert isinstance(open_journal("memory:"), MemoryJournal)
    mine: Journal = MemoryJournal()
    assert open_journal(mine) is mine


@pytest.mark.parametrize("where", ["mysql:x", "http://a/b", "memory:x"])
def test_a_journal_of_no_known_kind_is_refused(where: str) -> None:
    with pytest.raises(JournalError, match=f"no journal answers to '{where}'; write sqlite:PATH"):
        open_journal(where)


def test_a_journal_that_should_be_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="no journal at"):
        open_journal(str(tmp_path / "a.db"), create=False)


def test_a_folder_is_no_journal(tmp_path: Path) -> None:
    for folder in ("", ".", "/", str(tmp_path), f"sqlite:{tmp_path}"):
        with pytest.raises(JournalError, match="is a folder; name a file in it"):
            open_journal(folder)


def test_a_run_is_found_by_the_beginning_of_its_id() -> None:
    journal = MemoryJournal()
    for run in ("01aaa", "01aab", "02aaa"):
        written = board()
        post(written, Note(text="a"))
        store(written, journal, run)
    assert find_run(journal, "02") == "02aaa"
    assert find_run(journal, "01AAB") == "01aab"
    with pytest.raises(RunNotFound, match="2 runs have ids that begin with '01a': 01aab, 01aaa"):
        find_run(journal, "01a")
    with pytest.raises(RunNotFound, match="no run's id begins with '03'; the journal holds 3 runs"):
        find_run(journal, "03")
