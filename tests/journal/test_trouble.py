"""Trouble with the files of an SQLite journal: a clear error in one sentence, or what was stored.

Whatever happens, what was acknowledged before it is still there.
"""

import os
import random
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hive.board.contributions import Note
from hive.board.entry import Address
from hive.errors import JournalError, RunNotFound
from hive.journal.journal import Batch, new_run_id
from hive.journal.reading import restore
from hive.journal.sqlite import Busy, SQLiteJournal
from tests.board.boards import board, reread
from tests.house.tree import ROOT
from tests.journal.stores import LARGE, batch, bodies, proven


def one_sentence(error: object) -> bool:
    return "\n" not in str(error) and 20 < len(str(error)) < 400


FULL = """
import json, resource, sys
from hive.errors import JournalError
from hive.journal.journal import new_run_id
from hive.journal.sqlite import SQLiteJournal
from tests.board.boards import board
from tests.journal.stores import batch, bodies

path, limit = sys.argv[1], int(sys.argv[2])
journal, run, written, said = SQLiteJournal(path), new_run_id(), board(), 0
lease = journal.hold(run, "me")
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
try:
    while True:
        late = batch(written, run, "x" * 3000, "y" * 9000, lease=lease)
        journal.append([late], wait=True)
        said = len(written.entries)
except JournalError as error:
    text = str(error)
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(json.dumps([run, said, text, len(bodies(journal, run))]), flush=True)
sys.stdin.readline()  # until there is room again
journal.append([late], wait=True)
print(len(bodies(journal, run)))
"""


@contextmanager
def scarce(kind: str, folder: Path) -> Iterator[Callable[[], object]]:
    """A folder on a disk that is soon full, where one can be had; gives what makes room."""
    if kind == "limit":
        yield lambda: None
        return
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=300k", "none", str(folder)],
        check=False,
        capture_output=True,
    )
    if mounted.returncode:
        pytest.skip("only the superuser can make a disk")
    try:
        yield lambda: subprocess.run(["mount", "-o", "remount,size=9m", str(folder)], check=True)
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("kind", ["limit", "disk"])
def test_a_full_disk_is_said_to_be_full_and_the_run_goes_on_once_there_is_room(
    kind: str, tmp_path: Path
) -> None:
    path = tmp_path / "journal.db"
    with scarce(kind, tmp_path) as make_room:
        writer = subprocess.Popen(
            [sys.executable, "-c", FULL, str(path), "200000" if kind == "limit" else "0"],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert writer.stdout is not None
        run, said, error, there = eval(writer.stdout.readline())
        assert error.startswith(f"the journal {path} cannot be written: ")
        assert error.endswith(("database or disk is full", "disk I/O error"))
        assert there == said > 0
        make_room()
        assert writer.communicate("\n")[0] == f"{said + 2}\n"
        with closing(SQLiteJournal(path)) as journal:
            assert proven(list(journal.read(run)))
            assert len(bodies(journal, run)) == said + 2


@contextmanager
def folder_of_nobody() -> Iterator[Path]:
    """A folder in which somebody without privileges may do as in one of their own."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o777)
        yield Path(name)


@contextmanager
def locked(folder: Path, *, whole: bool) -> Iterator[None]:
    """The files, and with `whole` the folder too, may not be written to; the superuser steps down
    meanwhile."""
    changed = [*folder.iterdir(), *([folder] if whole else [])]
    for path in changed:
        path.chmod(0o555)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)
        for path in changed:
            path.chmod(0o777)


@pytest.mark.parametrize("whole", [True, False])
def test_what_may_not_be_written_to_can_be_read(whole: bool) -> None:
    written, run = board(), new_run_id()
    with folder_of_nobody() as folder:
        path = folder / "a b%20.db"
        with closing(SQLiteJournal(path)) as journal:
            journal.append([batch(written, run, "a", "x" * LARGE)], wait=True)
            journal.send(run, 1, "me", "say", "", "word")
        with locked(folder, whole=whole), closing(SQLiteJournal(path)) as journal:
            assert bodies(journal, run) == [entry.body for entry in written.entries]
            assert journal.runs() == [run]
            assert [item.text for item in journal.inbox()] == ["word"]
            assert journal.holder(run) is None
            for write in writes(journal, run):
                with pytest.raises(JournalError, match="cannot be") as caught:
                    write()
                assert one_sentence(caught.value)
            if whole:
                with pytest.raises(JournalError, match="cannot be opened: unable to") as caught:
                    SQLiteJournal(folder / "new.db")
                assert one_sentence(caught.value)
        with closing(SQLiteJournal(path)) as journal:
            journal.append([batch(written, run, "c")], wait=True)
            assert len(bodies(journal, run)) == 3


def writes(journal: SQLiteJournal, run: str) -> list[Callable[[], object]]:
    """All that writes to a journal."""
    return [
        lambda: journal.append([batch(board(), new_run_id(), "b")], wait=True),
        lambda: journal.hold(run, "me"),
        lambda: journal.send(run, 2, "me", "stop"),
        lambda: journal.erase(run, [0]),
        lambda: journal.forget(run),
        journal.compact,
    ]


@contextmanager
def busy(path: Path, how: str = "IMMEDIATE") -> Iterator[None]:
    """Another program in the middle of a write to the file."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute(f"BEGIN {how}")
        yield


@pytest.mark.parametrize("how", ["IMMEDIATE", "EXCLUSIVE"])
def test_who_has_waited_long_enough_says_so(how: str, tmp_path: Path) -> None:
    path, written, run = tmp_path / "journal.db", board(), new_run_id()
    with closing(SQLiteJournal(path, patience=0.01)) as journal:
        journal.append([batch(written, run, "a")], wait=True)
        late = batch(written, run, "b")
        with busy(path, how):
            with pytest.raises(Busy, match=f"{path} is busy"):
                journal.append([late], wait=False)
            for write in writes(journal, run):
                with pytest.raises(JournalError, match=r"for more than 0\.01 seconds") as caught:
                    write()
                assert one_sentence(caught.value)
            assert bodies(journal, run) == [b'{"text":"a"}']  # reading never waits
            assert journal.holder(run) is None
        journal.append([late], wait=False)
        assert journal.hold(run, "me") == 2
        journal.erase(run, [0])
        assert bodies(journal, run) == [None, b'{"text":"b"}']


def test_bytes_that_a_reader_still_needs_are_said_to_be_left(tmp_path: Path) -> None:
    path, run = tmp_path / "journal.db", new_run_id()
    with closing(SQLiteJournal(path, patience=0.01)) as journal:
        journal.append([batch(board(), run, "SECRET")], wait=True)
        with closing(sqlite3.connect(path, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM contents").fetchone()
            with pytest.raises(JournalError, match="are erased, but bytes of theirs may") as caught:
                journal.erase(run, [0])
            assert one_sentence(caught.value)
            assert bodies(journal, run) == [None]
        journal.erase(run, [0])
    assert b"SECRET" not in path.read_bytes()


class Torn:
    """The files of a journal as a process left them that was killed, to be damaged and read."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.count = folder, 0
        live = folder / "live.db"
        self.written = board()
        with closing(SQLiteJournal(live)) as journal:
            self.run, other, beside = new_run_id(), new_run_id(), board()
            self.lengths = [0]
            for turn in range(30):
                texts = [f"{turn} " + "x" * 300] * 3 + ["y" * LARGE + str(turn)] * (turn % 7 == 0)
                more = batch(self.written, self.run, *texts)
                journal.append([more], wait=True)
                self.lengths.append(len(self.written.entries))
                journal.append([batch(beside, other, "of another run")], wait=True)
                if turn == 14:  # half of it stands in the file, half of it in the log
                    with closing(sqlite3.connect(live)) as db:
                        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self.file = live.read_bytes()
            self.log = live.with_name("live.db-wal").read_bytes()

    def damaged(self, file: bytes, log: bytes) -> Path:
        self.count += 1
        path = self.folder / f"{self.count}.db"
        path.write_bytes(file)
        path.with_name(f"{self.count}.db-wal").write_bytes(log)
        return path

    def survivors(self, path: Path) -> int | str:
        """How many entries of the run are read, all of them as they were, or why none are."""
        again = board()
        try:
            with closing(SQLiteJournal(path)) as journal:
                restore(again, journal, self.run)
        except RunNotFound:
            return 0
        except JournalError as error:
            return str(error)
        finally:
            for left in self.folder.glob(f"{path.name}*"):
                left.unlink()
        assert again.entries == self.written.entries[: len(again.entries)]
        return len(again.entries)


@pytest.fixture(scope="module")
def torn(tmp_path_factory: pytest.TempPathFactory) -> Torn:
    return Torn(tmp_path_factory.mktemp("torn"))


@st.composite
def tears(draw: st.DrawFn) -> tuple[float, Callable[[int], bytes]]:
    """Where an end is torn off, as a share of the whole, and what stands there instead."""
    chance = random.Random(draw(st.integers(0, 1000)))
    tails: list[Callable[[int], bytes]] = [lambda n: b"", bytes, chance.randbytes]
    return draw(st.floats(0, 1)), draw(st.sampled_from(tails))


def torn_off(whole: bytes, share: float, tail: Callable[[int], bytes]) -> bytes:
    place = round(len(whole) * share)
    return whole[:place] + tail(len(whole) - place)


@given(tears())
def test_a_log_whose_end_is_torn_gives_what_was_committed_before(
    torn: Torn, tear: tuple[float, Callable[[int], bytes]]
) -> None:
    found = torn.survivors(torn.damaged(torn.file, torn_off(torn.log, *tear)))
    assert found in torn.lengths[15:]  # whole batches, and all that the file held already


@given(tears())
def test_a_file_whose_end_is_torn_is_refused_or_read_as_it_was(
    torn: Torn, tear: tuple[float, Callable[[int], bytes]]
) -> None:
    found = torn.survivors(torn.damaged(torn_off(torn.file, *tear), torn.log))
    assert one_sentence(found) if isinstance(found, str) else found in torn.lengths


def test_a_killed_process_leaves_what_was_acknowledged(torn: Torn) -> None:
    assert torn.survivors(torn.damaged(torn.file, torn.log)) == torn.lengths[-1]


def test_a_clock_that_jumps_back_changes_nothing_but_the_times(tmp_path: Path) -> None:
    with closing(SQLiteJournal(tmp_path / "journal.db")) as journal:
        written, run, hour = board(), new_run_id(), 3_600_000_000
        for number, at in enumerate((50 * hour, 51 * hour, 2 * hour, 52 * hour, 3 * hour)):
            address = Address(0 if number < 2 else number - 1, "", (number,))
            written.post(address, "user", Note(text=str(number)), at, "user")
            journal.append([Batch(run, number, written.seal())], wait=True)
        again = reread(journal, run)
        assert [entry.seq for entry in again.entries] == [0, 1, 2, 3, 4]
        assert again.entries == written.entries
        assert again.state.elapsed == 2 * hour
        assert proven(list(journal.read(run)))
        journal.hold(run, "me")
        with closing(sqlite3.connect(journal.path)) as db:  # taken by whoever was ahead of time
            db.execute("UPDATE runs SET since = since + ?", (1000 * hour,))
            db.commit()
        holder = journal.holder(run)
        assert holder is not None
        journal.release(run)
        assert journal.hold(run, "later, and before") == 3


def test_a_lost_log_loses_no_more_than_it_held(torn: Torn) -> None:
    assert torn.survivors(torn.damaged(torn.file, b"")) == torn.lengths[15]
