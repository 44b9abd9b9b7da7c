"""How a run is named at the shell."""

import pytest

from hive.board.contributions import Note
from hive.cli.journals import run_of
from hive.errors import RunNotFound
from hive.journal.journal import Batch, new_run_id
from hive.journal.memory import MemoryJournal
from tests.board.boards import board, post


def journal_of(count: int) -> MemoryJournal:
    journal = MemoryJournal()
    for _ in range(count):
        written = board()
        post(written, Note(text="a"))
        journal.append([Batch(new_run_id(), 0, written.seal())], wait=True)
    return journal


def test_runs_are_counted_back_from_the_last() -> None:
    journal = journal_of(3)
    newest = journal.runs()
    assert [run_of(journal, name) for name in ("last", "last~0", "last~1", "last~2")] == [
        newest[0],
        *newest,
    ]
    assert run_of(journal, newest[1]) == newest[1]


@pytest.mark.parametrize("name", ["last~3", "last~x", "last~", "zz"])
def test_what_names_no_run_is_refused(name: str) -> None:
    with pytest.raises(RunNotFound):
        run_of(journal_of(3), name)


def test_a_journal_without_runs_says_so() -> None:
    with pytest.raises(RunNotFound, match="no run yet"):
        run_of(journal_of(0), "last")
