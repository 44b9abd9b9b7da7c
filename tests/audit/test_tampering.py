"""An untouched journal file verifies, and whatever is changed in it is found and named."""

from __future__ import annotations

import shutil
import sqlite3
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hive.audit.heads import Head
from hive.audit.verification import Verification, verify
from hive.journal.sqlite import SQLiteJournal
from tests.audit.journals import SEQ, Cells, head_of, rows, write

COLUMNS = {
    "entries": ("id", "header", "digest"),
    "contents": ("id", "salt", "body"),
    "kept": ("run", "commitment", "salt", "body"),
}
TABLES = st.sampled_from(sorted(COLUMNS))
KEYS = st.integers(SEQ - 2, SEQ * 6) | st.sampled_from(
    [number * SEQ + row for number in range(6) for row in (0, 1, 5, 9, 12, 13)]
)
OTHER = {"id": KEYS, "run": st.integers(-1, 6)}
VALUES = st.none() | st.binary(max_size=40) | st.text(max_size=5) | st.integers(-9, 9)
tampered = settings(max_examples=60, deadline=None)


class File:
    """A journal file to tamper with, each time a fresh copy of what was written."""

    def __init__(self, folder: Path) -> None:
        self.original = folder / "journal.db"
        self.runs = write(self.original)
        self.numbers = {row[2]: row[0] for row in rows(self.original, "runs")}
        self.path = folder / "changed.db"
        self.fresh()
        self.heads = {result.run: head_of(result) for result in self.results()}

    def fresh(self) -> None:
        """Begin again with the file as it was written."""
        for leftover in self.path.parent.glob("changed.db*"):
            leftover.unlink()
        shutil.copy(self.original, self.path)

    def change(self, *commands: tuple[str, Cells]) -> bool:
        """Change a fresh copy through SQLite itself, and say whether that changed anything: some
        of it SQLite refuses."""
        self.fresh()
        db = sqlite3.connect(self.path)
        try:
            with db:
                for command, values in commands:
                    db.execute(command, values)
        except (sqlite3.Error, OverflowError):
            pass
        finally:
            db.close()
        return any(rows(self.path, each) != rows(self.original, each) for each in COLUMNS)

    def results(self, heads: dict[str, Head] | None = None) -> list[Verification]:
        """Every run of the file, verified."""
        journal = SQLiteJournal(self.path, create=False)
        try:
            return [verify(journal, run, head=(heads or {}).get(run)) for run in journal.runs()]
        finally:
            journal.close()

    def broken(self, heads: dict[str, Head] | None = None) -> dict[str, Verification]:
        """The runs that do not hold."""
        return {result.run: result for result in self.results(heads) if not result.holds}

    def entry(self, key: int) -> tuple[str, int]:
        """The run and the number, as a board counts, of the entry that has a key."""
        [run] = [run for run, number in self.numbers.items() if number == key // SEQ]
        row, shared = key % SEQ, (0, 6, 8)[self.runs.index(run)]
        return run, row + shared if row else 0


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> File:
    return File(tmp_path_factory.mktemp("journal"))


def test_an_untouched_journal_holds(file: File) -> None:
    file.fresh()
    found = {result.run: result for result in file.results(file.heads)}
    one, fork, further = (found[run] for run in file.runs)
    assert (one.entries, one.shared, one.erased, one.finding) == (12, 0, 2, None)
    assert (fork.entries, fork.shared, fork.erased, fork.finding) == (11, 7, 1, None)
    assert (further.entries, further.shared, further.erased, further.finding) == (10, 9, 1, None)
    assert one.unfinished == fork.unfinished == further.unfinished == ()


@tampered
@given(st.data(), st.sampled_from(["entries", "contents"]))
def test_a_changed_byte_is_found_in_the_very_entry(
    file: File, data: st.DataObject, table: str
) -> None:
    key, *cells = data.draw(st.sampled_from(rows(file.original, table)))
    column = data.draw(st.sampled_from(COLUMNS[table][1:]))
    value = cells[COLUMNS[table].index(column)]
    assume(value is not None)
    assume(
        file.change((f"UPDATE {table} SET {column} = ? WHERE id = ?", (flipped(value, data), key)))
    )
    run, number = file.entry(key)
    broken = file.broken()[run]
    assert broken.finding is not None
    assert (broken.finding.run, broken.finding.number, broken.entries) == (run, number, number)


def flipped(value: bytes, data: st.DataObject) -> bytes:
    """Some bytes with one changed."""
    where = data.draw(st.integers(0, len(value) - 1))
    changed = bytearray(value)
    changed[where] ^= data.draw(st.integers(1, 255))
    return bytes(changed)


@tampered
@given(st.data(), st.sampled_from(["salt", "body"]))
def test_a_changed_byte_of_a_shared_content_is_found_where_it_was_stored(
    file: File, data: st.DataObject, column: str
) -> None:
    key, _, commitment, *content = data.draw(st.sampled_from(rows(file.original, "kept")))
    value = content[("salt", "body").index(column)]
    assume(value is not None)
    assume(
        file.change((f"UPDATE kept SET {column} = ? WHERE rowid = ?", (flipped(value, data), key)))
    )
    [stored] = [
        entry[0]
        for entry in rows(file.original, "entries")
        if b'"kept":[' in entry[2] and commitment.hex().encode() in entry[2].split(b'"kept":')[1]
    ]
    run, place = file.entry(stored)
    broken = file.broken()[run]
    assert broken.finding is not None
    assert (broken.finding.run, broken.finding.number) == (run, place)


@tampered
@given(st.data(), TABLES)
def test_any_other_value_in_any_column_is_found(
    file: File, data: st.DataObject, table: str
) -> None:
    key = data.draw(st.sampled_from(rows(file.original, table)))[0]
    column = data.draw(st.sampled_from(COLUMNS[table]))
    value = data.draw(OTHER.get(column, VALUES))
    assume(file.change((f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (value, key))))
    assert file.broken()


@tampered
@given(st.data(), TABLES)
def test_a_deleted_row_is_found(file: File, data: st.DataObject, table: str) -> None:
    row = data.draw(st.sampled_from(rows(file.original, table)))
    assume(table != "contents" or row[-1] is not None)  # what was erased is as good as not there
    assume(file.change((f"DELETE FROM {table} WHERE rowid = ?", (row[0],))))
    assert file.broken()


@tampered
@given(st.data(), TABLES)
def test_an_inserted_row_is_found(file: File, data: st.DataObject, table: str) -> None:
    values = tuple(data.draw(OTHER.get(column, VALUES)) for column in COLUMNS[table])
    assume(file.change((f"INSERT INTO {table} VALUES ({', '.join('?' * len(values))})", values)))
    assert file.broken()


@tampered
@given(st.data(), TABLES)
def test_a_doubled_row_is_found(file: File, data: st.DataObject, table: str) -> None:
    _, _, *cells = data.draw(st.sampled_from(rows(file.original, table)))
    values = (data.draw(OTHER[COLUMNS[table][0]]), *cells)
    assume(file.change((f"INSERT INTO {table} VALUES ({', '.join('?' * len(values))})", values)))
    assert file.broken()


@tampered
@given(st.data(), TABLES)
def test_rows_that_changed_places_are_found(file: File, data: st.DataObject, table: str) -> None:
    there = rows(file.original, table)
    one, other = (data.draw(st.sampled_from(there)) for _ in range(2))
    names = COLUMNS[table][-2:]
    sets = f"UPDATE {table} SET {names[0]} = ?, {names[1]} = ? WHERE rowid = ?"
    assume(file.change((sets, (*one[-2:], other[0])), (sets, (*other[-2:], one[0]))))
    assert file.broken()


@tampered
@given(st.data())
def test_a_tail_that_was_cut_off_shows_against_the_exported_head(
    file: File, data: st.DataObject
) -> None:
    run = data.draw(st.sampled_from(file.runs))
    number = file.numbers[run]
    keys = [row[0] for row in rows(file.original, "entries") if row[0] // SEQ == number]
    key = data.draw(st.sampled_from(keys[1:]))
    gone = [
        row[2]
        for row in rows(file.original, "entries")
        if row[0] >= key and row[0] // SEQ == number
    ]
    assert file.change(
        ("DELETE FROM entries WHERE id >= ? AND id < ?", (key, (number + 1) * SEQ)),
        ("DELETE FROM contents WHERE id >= ? AND id < ?", (key, (number + 1) * SEQ)),
        *[
            ("DELETE FROM kept WHERE commitment = ?", (row[2],))
            for row in rows(file.original, "kept")
            if any(row[2].hex().encode() in header.partition(b'"kept"')[2] for header in gone)
        ],
    )
    finding = file.broken(file.heads)[run].finding
    assert finding is not None
    assert (finding.run, finding.number) == file.entry(key)


@pytest.mark.parametrize("row", [1, 3, 11])
def test_a_chain_that_was_written_anew_shows_against_the_exported_head(
    file: File, row: int
) -> None:
    stored = rows(file.original, "entries")
    digest, changed = stored[row - 1][3], []
    for key, _, header, _ in stored[row:12]:
        forged = header.replace(b'"author":"writer"', b'"author":"nobody"')
        digest = sha256(digest + forged).digest()
        changed.append(
            ("UPDATE entries SET header = ?, digest = ? WHERE id = ?", (forged, digest, key))
        )
    assert file.change(*changed)
    assert file.runs[0] not in file.broken(), "nothing in the journal itself can show that"
    finding = file.broken(file.heads)[file.runs[0]].finding
    assert finding is not None
    assert finding.number == 11
    assert "not the one that was exported" in finding.what


def test_bytes_cannot_move_between_salt_and_content(file: File) -> None:
    key, _, salt, body = rows(file.original, "contents")[1]
    change = "UPDATE contents SET salt = ?, body = ? WHERE id = ?"
    assert file.change((change, (salt + body[:1], body[1:], key)))
    assert file.broken()[file.runs[0]].entries == 1
