"""A process that works on a run and is there to be killed: `python -m tests.crash.victim FOLDER`.

It says on stdout which boundary it has come to, and how many entries are durable, a line each. With
the argument `step` it goes on only when it is told so on stdin.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import anyio

from hive.audit import Record
from hive.journal.journal import Batch
from hive.journal.sqlite import SQLiteJournal
from tests.crash.dying import Fate, World
from tests.crash.teams import everything

JOURNAL, LEDGER, WORK = "journal.db", "ledger", "work"


class Told(Fate):
    """Says which boundary it has come to."""

    stepwise = False

    def pass_by(self, boundary: str) -> None:
        tell(f"at {boundary}")
        if self.stepwise:
            sys.stdin.readline()


class Reporting(SQLiteJournal):
    """Says how many entries of the run are durable."""

    fate: Fate

    def append(self, batches: Sequence[Batch], *, wait: bool) -> None:
        self.fate.pass_by("before an append")
        super().append(batches, wait=wait)
        tell(f"durable {batches[-1].expected + len(batches[-1].sealed.headers)}")
        self.fate.pass_by("after an append")


class Launched(list[str]):
    """What was launched, in a file that outlives the process."""

    def append(self, address: str) -> None:
        note(f"launch {address}")


class Paid(dict[str, str]):
    """What was paid for under which key, in the same file."""

    def setdefault(self, key: str, what: str = "") -> str:
        note(f"pay {key} {what}")
        return what


def tell(line: str) -> None:
    os.write(1, f"{line}\n".encode())


def note(line: str) -> None:
    ledger = os.open(LEDGER, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(ledger, f"{line}\n".encode())
    os.close(ledger)


def main() -> None:
    os.chdir(sys.argv[1])
    fate = Told()
    fate.stepwise = "step" in sys.argv
    world = World(fate=fate, launched=Launched(), paid=Paid())
    journal = Reporting(JOURNAL)
    journal.fate = fate
    team = everything(world)

    async def work() -> None:
        known = journal.runs()
        if known and Record(journal, known[0]).summary.ended:
            return
        place = Path(WORK)
        run = (
            team.resume(known[0], journal=journal)
            if known
            else team.start("g", journal=journal, workspace=place, seed=3)
        )
        tell("begun")
        await run.result()

    anyio.run(work)
    journal.close()
    tell("over")


if __name__ == "__main__":
    main()
