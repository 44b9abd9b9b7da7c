"""A process whose runs draw on one pool, there to be killed: `python -m tests.crash.pooled FOLDER`.

It notes what its model was paid, as a provider would, and says each boundary on stdout; it goes on
when it is told so on stdin.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hive import Budget, Limits, Workflow
from hive.audit import Record
from hive.control import Pool
from hive.journal.journal import Batch, Journal
from hive.journal.sqlite import SQLiteJournal
from hive.message import Reply, Request, Text, ToolUse, Usage
from hive.models import ModelCard
from hive.models.catalog import Prices
from hive.run import Result
from tests.control.budgets.test_budget_scopes import beside

JOURNAL, PAID = "journal.db", "paid"
RUNS = 4
BUDGET = Budget(usd="0.020", tokens=12_000)
CARD = ModelCard("script:priced", prices=Prices.usd(1, 4))


def pause(stepwise: bool) -> None:
    """Come by a boundary, and wait there to be let through, or killed."""
    if stepwise:
        os.write(1, b"at\n")
        sys.stdin.readline()


@dataclass
class Paid:
    """A model whose provider keeps its own books, in a file that outlives the process."""

    ledger: Path
    stepwise: bool
    name: str = "script:priced"
    card: ModelCard = field(default=CARD)

    async def complete(self, request: Request) -> Reply:
        pause(self.stepwise)
        await asyncio.sleep(0)
        usage = Usage(input=40, output=min(50, request.max_output))
        with self.ledger.open("a") as ledger:
            ledger.write(f"{CARD.cost(usage)} {usage.input + usage.output}\n")
        pause(self.stepwise)
        if len(request.messages) <= 2:
            return Reply(parts=(ToolUse(id="1", name="look"),), usage=usage, stop="tools")
        return Reply(parts=(Text(text="words"),), usage=usage)


class Stopping(SQLiteJournal):
    """A journal that stops before and after what it stores."""

    stepwise = False

    def append(self, batches: Sequence[Batch], *, wait: bool) -> None:
        pause(self.stepwise)
        super().append(batches, wait=wait)
        pause(self.stepwise)


def team(folder: Path, stepwise: bool) -> Workflow:
    model = Paid(folder / PAID, stepwise)
    return Workflow(beside(2), model=model, limits=Limits(output_tokens=400))


async def work(workflow: Workflow, journal: Journal, pool: Pool) -> list[Result]:
    """Begin the runs that are missing, take up the others, and drive all of them to their end."""
    pool.read(journal)
    known = journal.runs()
    open_ones = [run for run in known if not Record(journal, run).summary.ended]
    runs = [workflow.resume(run, journal=journal, pool=pool) for run in open_ones]
    missing = range(RUNS - len(known))
    runs += [workflow.start("g", journal=journal, seed=n, pool=pool) for n in missing]
    return await asyncio.gather(*(run.result() for run in runs))


def main() -> None:
    folder = Path(sys.argv[1])
    journal = Stopping(folder / JOURNAL)
    journal.stepwise = True
    asyncio.run(work(team(folder, True), journal, Pool("team", BUDGET)))
    journal.close()


if __name__ == "__main__":
    main()
