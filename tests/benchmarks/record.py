"""What the record costs: `python -m tests.benchmarks.record` prints one JSON object.

`lone_us` is one entry of 300 characters, sealed (salted commitment, header, chained digest) and
appended, beside `bare_us`: a bare commit of the same bytes as one row of an SQLite file in the same
mode. `entries_per_s` is of 100 runs at once on one journal, two entries each and then a wait until
they are durable, again and again. The bytes are of a run as it comes (see `turns`). `resume_s` is
from opening the journal of a run of 10,000 entries to the first call of a model after its next
decision; `restore_s` is the part of it that reads the run back. `verify_per_s` counts entries.
"""

import asyncio
import gc
import json
import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from hive.audit.verification import verify
from hive.board.board import Board
from hive.board.contributions import Note
from hive.board.entry import Address
from hive.board.payload import Vocabulary
from hive.clock import SystemClock
from hive.journal.journal import Batch, new_run_id
from hive.journal.reading import restore
from hive.journal.sqlite import SQLiteJournal, Synchronous
from hive.journal.writer import Committer, Writer
from hive.message import Reply, Request
from tests.benchmarks.turns import ANSWER, circle

ROUNDS = 5
SAID = Note(text="x" * 300)
LENGTH = 10_000


def empty_board() -> Board:
    return Board(Vocabulary((Note,)), salts=os.urandom)


def post(board: Board, number: int) -> None:
    board.post(Address(number, "coder", (0, 1)), "coder", SAID, time.time_ns() // 1000, "model:m")


def lone(path: Path, synchronous: Synchronous, count: int) -> float:
    """Microseconds to seal an entry and append it to a run of its own."""
    board, run = empty_board(), new_run_id()
    taken = []
    with closing(SQLiteJournal(path, synchronous=synchronous)) as journal:
        for number in range(count):
            post(board, number)
            begun = time.perf_counter()
            journal.append([Batch(run, number, board.seal())], wait=True)
            taken.append(time.perf_counter() - begun)
    return statistics.median(taken) * 1e6


def bare(path: Path, synchronous: Synchronous, count: int) -> float:
    """Microseconds to commit the same bytes as one row, without any of what a journal adds."""
    board, taken = empty_board(), []
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute(f"PRAGMA synchronous = {synchronous.upper()}")
        db.execute("PRAGMA wal_autocheckpoint = 8000")
        db.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, a BLOB, b BLOB, c BLOB, d BLOB)")
        for number in range(count):
            post(board, number)
            row = (number, *(column[0] for column in board.seal()))
            begun = time.perf_counter()
            db.execute("BEGIN IMMEDIATE")
            db.execute("INSERT INTO rows VALUES (?, ?, ?, ?, ?)", row)
            db.execute("COMMIT")
            taken.append(time.perf_counter() - begun)
    return statistics.median(taken) * 1e6


async def crowd(path: Path, runs: int = 100, rounds: int = 50) -> float:
    """Entries a second of many runs that share a journal, each of which waits for its own."""
    with closing(SQLiteJournal(path)) as journal:
        committer = Committer(journal)
        writers = [
            Writer(new_run_id(), empty_board(), committer, SystemClock()) for _ in range(runs)
        ]

        async def write(writer: Writer) -> None:
            writer.opened()
            for turn in range(rounds):
                for place in range(2):
                    writer.post(Address(turn, "coder", (0, place)), "coder", SAID, "model:m")
                await writer.durable()
            writer.closed()

        begun = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for writer in writers:
                group.create_task(write(writer))
        taken = time.perf_counter() - begun
        committer.close()
    return runs * rounds * 2 / taken


class Counted:
    """A script of one line, which stops its run at a call and says when that was."""

    name = "script:instant"

    def __init__(self, last: int) -> None:
        self.left = last
        self.asked = 0.0

    async def complete(self, request: Request) -> Reply:
        self.left -= 1
        if self.left < 0:
            self.asked = time.perf_counter()
            raise KeyboardInterrupt
        return ANSWER


def interrupted(path: Path) -> str:
    """A run of 10,000 entries that was interrupted while a model was asked; its id."""
    with suppress(KeyboardInterrupt):
        circle(LENGTH, Counted(LENGTH // 4)).run_sync("Go round.", journal=path)
    with closing(SQLiteJournal(path)) as journal:
        [run] = journal.runs()
        return run


def resumed(path: Path, run: str) -> tuple[float, float]:
    """Seconds to read a run back, and to go on with it up to the first call after a decision."""
    workflow = circle(LENGTH, model := Counted(1))  # the call that was cut off, and then the next
    board = Board(
        workflow.vocabulary, salts=os.urandom, writers=workflow.writers,
        readable=workflow.readable, folding=workflow.folding,
    )  # fmt: skip
    gc.collect()
    begun = time.perf_counter()
    with closing(SQLiteJournal(path)) as journal:
        restore(board, journal, run)
    read = time.perf_counter() - begun
    gc.collect()
    begun = time.perf_counter()
    with suppress(KeyboardInterrupt):
        asyncio.run(workflow.resume(run, journal=path).result())
    return read, model.asked - begun


def verified(path: Path, run: str) -> float:
    """Entries a second that are verified."""
    with closing(SQLiteJournal(path)) as journal:
        begun = time.perf_counter()
        found = verify(journal, run)
        taken = time.perf_counter() - begun
    assert found.holds
    return found.entries / taken


def grown(path: Path, run: str) -> tuple[float, float]:
    """Bytes of the file and of what was said, for each entry."""
    with closing(SQLiteJournal(path)) as journal:
        sizes = [len(stored.body or b"") for stored in journal.read(run)]
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path.stat().st_size / len(sizes), sum(sizes) / len(sizes)


def best(measure: Callable[[Path], float], folder: Path, rounds: int = ROUNDS) -> float:
    """The least of some rounds, each on a file of its own: what the code costs."""
    paths = [folder / f"{os.urandom(8).hex()}.db" for _ in range(rounds)]
    return min(measure(path) for path in paths)


def main() -> None:
    """Measure everything and print it."""
    figures: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        own = best(lambda path: lone(path, "normal", 3000), folder)
        same = best(lambda path: bare(path, "normal", 3000), folder)
        figures["lone_us"], figures["bare_us"] = round(own, 1), round(same, 1)
        figures["lone_to_bare"] = round(own / same, 2)
        own = best(lambda path: lone(path, "full", 200), folder, 2)
        same = best(lambda path: bare(path, "full", 200), folder, 2)
        figures["full_lone_us"], figures["full_bare_us"] = round(own), round(same)
        slowest = best(lambda path: -asyncio.run(crowd(path)), folder)
        figures["entries_per_s_of_100_runs"] = round(-slowest)
        path = folder / "long.db"
        run = interrupted(path)
        file, said = grown(path, run)
        figures["bytes_per_entry"], figures["content_bytes_per_entry"] = round(file), round(said)
        figures["verify_per_s"] = round(max(verified(path, run) for _ in range(ROUNDS)))
        times = [resumed(path, run) for _ in range(3)]
        figures["restore_s"] = round(min(read for read, _ in times), 3)
        figures["resume_s"] = round(min(whole for _, whole in times), 3)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
