"""Following a run that another process writes."""

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from hive.board.contributions import Note
from hive.errors import RunNotFound
from hive.journal.following import follow
from hive.journal.journal import new_run_id
from hive.journal.memory import MemoryJournal
from hive.journal.sqlite import SQLiteJournal
from tests.board.boards import board, post, store
from tests.house.tree import ROOT

PATIENCE = 60

WRITER = """
import sys
from hive.board.contributions import Note
from hive.board.records import Termination
from hive.journal.journal import Batch
from hive.journal.sqlite import SQLiteJournal
from tests.board.boards import board, post

journal, run, written = SQLiteJournal(sys.argv[1]), sys.argv[2], board()
lease = journal.hold(run, "the writer")
print("held", flush=True)
for line in sys.stdin:
    expected = len(written.entries)
    for text in line.split():
        payload = Note(text=text)
        if text == "end":
            payload = Termination(outcome="finished", reason="guard", guard="", message="")
        post(written, payload, f"0//{len(written.entries)}")
    journal.append([Batch(run, expected, written.seal(), written.kept(), lease)], wait=True)
"""


class Writer:
    """A process that holds a run and writes what it is told, line by line."""

    def __init__(self, path: Path, run: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), run],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "held\n"

    def say(self, words: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(words + "\n")
        self.process.stdin.flush()

    def end(self) -> None:
        """Have the process leave the run as it is."""
        self.process.communicate()


@pytest.mark.asyncio
async def test_entries_come_as_another_process_writes_them(tmp_path: Path) -> None:
    path, run = tmp_path / "journal.db", new_run_id()
    with closing(SQLiteJournal(path)) as journal:
        writer = Writer(path, run)
        seen = []
        with anyio.fail_after(PATIENCE):
            writer.say("a b")
            async for stored in follow(journal, run):
                seen.append(stored.row.seq)
                if stored.row.seq == 1:
                    writer.say("c")  # only now, when the first two have arrived
                elif stored.row.seq == 2:
                    writer.say("d end")
        assert seen == [0, 1, 2, 3, 4]
        assert journal.holder(run) is not None  # it has ended, and so has the following
        assert [stored.row.seq async for stored in follow(journal, run, 3)] == [3, 4]
        writer.end()
        assert [stored.row.seq async for stored in follow(journal, run, 9)] == []


@pytest.mark.asyncio
async def test_a_run_that_nobody_holds_any_more_is_followed_to_its_last_entry(
    tmp_path: Path,
) -> None:
    path, run = tmp_path / "journal.db", new_run_id()
    with closing(SQLiteJournal(path)) as journal:
        writer = Writer(path, run)
        seen = []
        with anyio.fail_after(PATIENCE):
            writer.say("a")
            async for stored in follow(journal, run):
                seen.append(stored.row.seq)
                if stored.row.seq == 0:
                    writer.say("b")
                    writer.end()
        assert seen == [0, 1]


@pytest.mark.asyncio
async def test_who_follows_a_run_before_its_first_entry_waits_for_it(tmp_path: Path) -> None:
    path, run = tmp_path / "journal.db", new_run_id()
    with closing(SQLiteJournal(path)) as journal:
        with pytest.raises(RunNotFound):
            await anext(follow(journal, run))
        writer = Writer(path, run)
        with anyio.fail_after(PATIENCE):
            async with anyio.create_task_group() as group:
                group.start_soon(first_of, journal, run)
                await anyio.lowlevel.checkpoint()
                writer.say("a")
        writer.end()


async def first_of(journal: SQLiteJournal, run: str) -> None:
    assert (await anext(follow(journal, run))).body == b'{"text":"a"}'


@pytest.mark.asyncio
async def test_a_run_in_memory_can_be_followed_too() -> None:
    journal, written = MemoryJournal(), board()
    post(written, Note(text="a"))
    run = store(written, journal)
    assert [stored.body async for stored in follow(journal, run)] == [b'{"text":"a"}']
