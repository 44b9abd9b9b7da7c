"""What runs of a workflow came to before, read from a journal."""

from __future__ import annotations

from pathlib import Path

import pytest

from hive import Role, Workflow
from hive.audit import Record
from hive.audit.experience import experience, past_runs
from hive.journal.sqlite import SQLiteJournal
from hive.message import Reply, Request, Text, Usage
from hive.models import ModelCard, Prices

HARD = "Rewrite billing and migrate the production database"
MIND = "script:priced"


class Priced:
    """A model whose answers cost a thousand nano-dollars for each letter of the goal."""

    name = MIND
    card = ModelCard(MIND, prices=Prices.usd(1, 1))

    async def complete(self, request: Request) -> Reply:
        long = request.messages[0].text.count("x")
        return Reply(parts=(Text(text="done"),), usage=Usage(input=long, output=0))


def team(model: Priced) -> Workflow:
    return Workflow(Role("writer"), model=model, name="writers")


@pytest.mark.asyncio
async def test_the_mean_and_the_spread_of_runs_on_work_of_the_class(tmp_path: Path) -> None:
    journal = SQLiteJournal(tmp_path / "journal.db")
    for goal in ("x", "xxx", HARD + " xxxxxxxx"):
        assert (await team(Priced()).run(goal, journal=journal)).finished
    past = past_runs(journal, {"writers"})
    assert [run.level for run in past] == ["critical", "trivial", "trivial"]
    easy = experience(past, "trivial", {MIND})
    assert easy is not None
    assert (easy.runs, easy.level, easy.turns) == (2, "trivial", 1)
    assert (easy.least, easy.cost, easy.most) == (2000, 3000, 4000)  # an x is in what is asked too
    assert easy.spread == pytest.approx(1414, abs=1)
    hard = experience(past, "critical", {MIND})
    assert hard is not None
    assert (hard.runs, hard.spread, hard.cost) == (1, None, 9000)
    others = experience(past, "moderate", {MIND})
    assert others is not None
    assert (others.runs, others.level) == (3, None)
    assert experience(past, "trivial", {"script:another"}) is None
    assert experience([], "trivial", {MIND}) is None
    journal.close()


@pytest.mark.asyncio
async def test_forks_and_runs_of_others_and_those_that_did_not_finish_are_left_out(
    tmp_path: Path,
) -> None:
    class Broken(Priced):
        async def complete(self, request: Request) -> Reply:
            raise ConnectionError("no answer")

    journal = SQLiteJournal(tmp_path / "journal.db")
    first = await team(Priced()).run("x", journal=journal)
    assert (
        await Record(journal, first.run).fork(at="turn:1", workflow=team(Priced())).result()
    ).run
    assert not (await team(Broken()).run("x", journal=journal)).finished
    await team(Priced()).with_(name="poets").run("x", journal=journal)
    assert [run.summary.id for run in past_runs(journal, {"writers"})] == [first.run]
    assert len(past_runs(journal, {"writers", "poets"}, newest=1)) == 1
    journal.close()
