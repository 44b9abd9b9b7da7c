"""Looking for what is to be erased: by entry, by text, and in which other runs it stands too."""

from __future__ import annotations

import pytest

from hive.audit.whereabouts import also_in, select_entries, select_text
from hive.board.contributions import Note
from hive.errors import RedactionRefused
from hive.journal.memory import MemoryJournal
from tests.audit.journals import Written

SECRET = 'k3y-"päss\nzebra"'


def test_what_stands_in_a_header_is_told_and_cannot_go() -> None:
    journal = MemoryJournal()
    written = Written(journal)
    written.post(Note(text="x"), "1/swordfish/0", "swordfish")
    written.end()
    selection = select_text(journal, written.run, "swordfish")
    assert not selection
    assert [spot.number for spot in selection.headers] == [1]


def test_other_runs_that_contain_a_text_are_named() -> None:
    journal = MemoryJournal()
    parent = Written(journal)
    shared = parent.note(SECRET)
    parent.fork(2, shared.digest.hex())
    copies, harmless, long = Written(journal), Written(journal), Written(journal)
    copies.note(f"the same: {SECRET}")
    harmless.note("nothing")
    long.note(SECRET * 1000)
    found = also_in(journal, SECRET, select_text(journal, parent.run, SECRET))
    assert set(found) == {copies.run, long.run}


def test_an_entry_that_is_not_there_is_named() -> None:
    journal = MemoryJournal()
    written = Written(journal)
    with pytest.raises(RedactionRefused, match="no entry '7/nobody/0'"):
        select_entries(journal, written.run, ["0", "7/nobody/0"])
