"""Forks on real journal files: where they are cut, what they share, what they are served."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from hive import Budget, Graph, Role, Workflow, finish, handoff, start, stop, turns
from hive.audit import Record
from hive.board.records import Fault, Inference
from hive.errors import DeclarationError, RunNotFound
from hive.journal.sqlite import SQLiteJournal
from hive.message import Reply, Request, Text, ToolUse, Usage
from hive.models import ModelCard
from hive.models.catalog import Prices
from hive.run import Result
from hive.testing import comparable

GOAL = "A text about bees."
CARD = ModelCard("script:counted", prices=Prices.usd(10_000, 10_000))
USAGE = Usage(input=50, output=50)
"""At these prices one dollar."""

Line = Callable[[Request], str | ToolUse]


class Mind:
    """A mind in all chairs that counts who was asked; each answer costs a dollar."""

    def __init__(self, line: Line | None = None, name: str = "script:counted") -> None:
        self.name = name
        self.card = CARD
        self.line = line
        self.asked: list[str] = []

    async def complete(self, request: Request) -> Reply:
        role = request.system.split("'")[1]
        self.asked.append(role)
        said = (
            self.line(request) if self.line else f"{role} speaks for the {len(self.asked)}th time"
        )
        for _ in range(8):  # the inbox is looked into meanwhile
            await anyio.lowlevel.checkpoint()
        if isinstance(said, ToolUse):
            return Reply(parts=(said,), stop="tools", usage=USAGE)
        return Reply(parts=(Text(text=said),), usage=USAGE)


def pair(mind: Mind, most: int = 6, **more: object) -> Workflow:
    """A writer and a critic in turn, for so many turns."""
    writer, critic = Role("writer"), Role("critic")
    graph = Graph(
        start(writer),
        handoff(writer, critic),
        handoff(critic, writer),
        finish(critic, when=turns(most)),
        stop(when=turns(most + 3)),
    )
    return Workflow(graph, model=mind, **more)  # type: ignore[arg-type]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SQLiteJournal]:
    opened = SQLiteJournal(tmp_path / ".hive" / "journal.db")
    yield opened
    opened.close()


def run(workflow: Workflow, journal: SQLiteJournal, **options: object) -> Record:
    result: Result = anyio.run(lambda: workflow.run(GOAL, journal=journal, seed=7, **options))
    return Record(journal, result.run)


def forked(parent: Record, workflow: Workflow, at: int | str, **options: object) -> Record:
    async def drive() -> Result:
        return await parent.fork(at=at, workflow=workflow, **options).result()  # type: ignore[arg-type]

    return Record(parent.journal, anyio.run(drive).run)


def test_one_role_told_otherwise_is_asked_live_and_whoever_reads_it_after_that(
    journal: SQLiteJournal,
) -> None:
    parent = run(pair(Mind()), journal)
    mind = Mind()
    fork = forked(parent, pair(mind).with_instructions(critic="Be kind."), "turn:3")
    assert mind.asked == ["critic", "writer", "critic"]
    served = [e.payload.served for e in fork.board.of_kind(Inference)]  # type: ignore[attr-defined]
    assert served == [False, False, True, False, False, False]
    assert (parent.summary.spent, fork.summary.spent) == (6 * 10**9, 6 * 10**9)
    assert (parent.summary.paid, fork.summary.paid) == (6 * 10**9, 3 * 10**9)
    assert (fork.summary.parent, fork.summary.cut) == (parent.id, fork.started.cut)


def test_another_model_for_one_role(journal: SQLiteJournal) -> None:
    parent = run(pair(Mind()), journal)
    other = Mind(name="script:other")
    mind = Mind()
    forked(parent, pair(mind).with_models(critic=other, writer=mind), "turn:5")
    assert (mind.asked, other.asked) == ([], ["critic"])


def test_what_precedes_the_cut_is_read_where_it_stands(journal: SQLiteJournal) -> None:
    long = "a long story " * 1000
    parent = run(pair(Mind(lambda request: long)), journal)
    assert list(journal.kept(parent.id))
    fork = forked(parent, pair(Mind()), "turn:5")
    cut = fork.started.cut or 0
    assert [entry.digest for entry in fork.entries[1:cut]] == [
        entry.digest for entry in parent.entries[1:cut]
    ]
    assert [entry.seq for entry in fork.entries] == list(range(len(parent.entries)))
    assert len(list(journal.read(fork.id))) == len(parent.entries) - cut + 1
    bodies = sum(len(content.body or b"") for content in journal.kept(fork.id))
    assert bodies < 5 * len(long), "only what was posted after the cut"
    assert fork.started.cut_digest == parent.entries[cut - 1].digest.hex()
    again = forked(fork, pair(Mind()), fork.entries[cut - 1].seq)
    assert comparable(again.entries) == comparable(parent.entries)
    assert again.summary.paid == 0


@pytest.mark.parametrize(
    ("at", "cut"), [("turn:2", 2), (17, 4), ("17", 4), ("3//0", 3), ("3/writer/0.1", 3)]
)
def test_the_cut_falls_at_the_beginning_of_the_turn_that_is_meant(
    journal: SQLiteJournal, at: int | str, cut: int
) -> None:
    parent = run(pair(Mind()), journal)
    fork = forked(parent, pair(Mind()), at)
    first = parent.entries[fork.started.cut or 0]
    assert (first.address.turn, first.kind) == (cut, "Decision")


@pytest.mark.parametrize(
    ("at", "complaint"),
    [
        ("turn:0", "turn 0 holds the goal"),
        (1, "turn 0 holds the goal"),
        (99, "has no entry 99; its entries are 0 to 27"),
        ("9/writer/0.1", "has no entry at 9/writer/0.1"),
        ("soon", "'soon' is no place to cut at; give the number of an entry, its address"),
        ("turn:x", "is no place to cut at"),
    ],
)
def test_a_place_that_is_none_is_refused(
    journal: SQLiteJournal, at: int | str, complaint: str
) -> None:
    parent = run(pair(Mind()), journal)
    with pytest.raises(DeclarationError, match=complaint):
        parent.fork(at=at, workflow=pair(Mind()))
    assert journal.runs() == [parent.id]


@pytest.mark.parametrize("at", ["turn:7", "turn:70"])
def test_a_cut_at_the_ending_or_later_goes_on_instead_of_ending(
    journal: SQLiteJournal, at: str
) -> None:
    parent = run(pair(Mind()), journal)
    mind = Mind()
    fork = forked(parent, pair(mind, most=8), at)
    assert (fork.summary.outcome, fork.summary.turns) == ("finished", 8)
    assert mind.asked == ["writer", "critic"]


def test_an_unfinished_run_is_forked_up_to_the_turn_it_has_come_to(
    journal: SQLiteJournal,
) -> None:
    async def scene() -> tuple[str, Result]:
        stuck = anyio.Event()

        class Stuck(Mind):
            async def complete(self, request: Request) -> Reply:
                if len(self.asked) == 3:
                    stuck.set()
                    await anyio.sleep_forever()
                return await super().complete(request)

        async with anyio.create_task_group() as group:
            parent = pair(Stuck()).start(GOAL, journal=journal)
            group.start_soon(parent.result)
            await stuck.wait()
            record = Record(journal, parent.id)
            with pytest.raises(DeclarationError, match="has come to turn 4, which may still be"):
                record.fork(at="turn:5", workflow=pair(Mind()))
            forked = await record.fork(at="turn:4", workflow=pair(Mind())).result()
            group.cancel_scope.cancel()
        return parent.id, forked

    parent, fork = anyio.run(scene)
    assert fork.outcome == "finished"
    assert (int(fork.cost_usd), int(fork.paid_usd)) == (6, 3)
    requests = [e for e in Record(journal, fork.run).entries if e.kind == "Request"]
    assert {entry.attempt for entry in requests} == {0}
    again = forked(Record(journal, parent), pair(Mind()), "turn:2")
    assert (again.summary.spent, again.summary.paid) == (6 * 10**9, 3 * 10**9)


def test_the_first_of_several_forks_draws_as_its_parent_did_and_the_others_anew(
    journal: SQLiteJournal,
) -> None:
    parent = run(pair(Mind()), journal)
    seeds = [
        forked(parent, pair(Mind()), "turn:5", sample=sample).started.seed for sample in range(4)
    ]
    assert seeds[0] == parent.started.seed == 7
    assert len(set(seeds)) == 4
    again = forked(parent, pair(Mind()), "turn:3", sample=2, tags=("x", "y"))
    assert again.started.seed == seeds[2]
    assert again.summary.tags == ("x", "y")


def test_the_cap_holds_over_what_is_shared_served_and_asked(journal: SQLiteJournal) -> None:
    parent = run(pair(Mind()), journal)
    mind = Mind()
    capped = pair(mind, budget=Budget(usd=20)).with_instructions(critic="Be brief.")
    fork = forked(parent, capped.with_(limits=capped.limits), "turn:2")
    assert (fork.summary.outcome, fork.summary.reason) == ("stopped", "budget_exhausted")
    assert fork.summary.spent <= 20 * 10**9
    served = forked(parent, pair(Mind(), budget=Budget(usd=3)), "turn:3")
    assert served.summary.reason == "budget_exhausted"
    assert (served.summary.spent, served.summary.paid) == (2 * 10**9, 0)


def test_a_failed_call_is_served_as_it_failed(journal: SQLiteJournal) -> None:
    def breaks(request: Request) -> str:
        raise LookupError("no words")

    parent = run(pair(Mind(breaks)), journal)
    mind = Mind()
    fork = forked(parent, pair(mind), "turn:1")
    assert mind.asked == []
    assert comparable(fork.entries) == comparable(parent.entries)
    faults = [entry.payload for entry in fork.board.of_kind(Fault)]
    assert all(isinstance(fault, Fault) and fault.served for fault in faults)


def test_what_the_user_said_is_said_again_until_the_courses_part(journal: SQLiteJournal) -> None:
    async def scene() -> str:
        mind = Mind()
        parent = pair(mind).start(GOAL, journal=journal)

        def says(request: Request) -> str:
            if len(mind.asked) in (2, 5):
                parent.say(f"be brief after {len(mind.asked)}")
            return "a line"

        mind.line = says
        return (await parent.result()).run

    parent = Record(journal, anyio.run(scene))
    said = [entry.address.turn for entry in parent.board.of_kind("UserMessage")]
    assert said == [2, 5]
    same = forked(parent, pair(Mind()), "turn:2")
    assert comparable(same.entries) == comparable(parent.entries)
    other = forked(parent, pair(Mind()).with_instructions(critic="Be long."), "turn:3")
    assert [entry.address.turn for entry in other.board.of_kind("UserMessage")] == [2]


def test_a_fork_of_a_run_that_is_not_there(journal: SQLiteJournal, tmp_path: Path) -> None:
    parent = run(pair(Mind()), journal)
    journal.forget(parent.id)
    with pytest.raises(RunNotFound):
        parent.fork(at="turn:2", workflow=pair(Mind()))


def test_time_counts_as_if_it_had_been_spent_again(journal: SQLiteJournal) -> None:
    class Slow(Mind):
        async def complete(self, request: Request) -> Reply:
            await anyio.sleep(0.02)
            return await super().complete(request)

    parent = run(pair(Slow()), journal)
    for at in ("turn:2", "turn:6"):
        fork = forked(parent, pair(Mind()), at)
        assert fork.summary.elapsed >= 120_000
        assert fork.summary.elapsed < parent.summary.elapsed + 1_000_000
    assert forked(fork, pair(Mind()), "turn:4").summary.elapsed >= 120_000


def test_a_fresh_fork_asks_everything_anew(journal: SQLiteJournal) -> None:
    parent = run(pair(Mind()), journal)
    mind = Mind()
    fork = forked(parent, pair(mind), "turn:3", fresh=True)
    assert mind.asked == ["writer", "critic"] * 2
    assert (fork.summary.paid, fork.started.overrides) == (4 * 10**9, {"fresh": True})


def test_what_was_redacted_after_the_cut_is_asked_anew(journal: SQLiteJournal) -> None:
    parent = run(pair(Mind()), journal)
    gone = {str(e.address): e.seq for e in parent.board.of_kind(Inference)}
    journal.erase(parent.id, [gone["5/writer/0.1"]])
    mind = Mind()
    fork = forked(parent, pair(mind), "turn:3")
    assert mind.asked[0] == "writer"
    assert fork.summary.outcome == "finished"
    assert fork.summary.paid == len(mind.asked) * 10**9 < 4 * 10**9
    journal.erase(parent.id, [gone["1/writer/0.1"]])
    again = forked(parent, pair(Mind()), "turn:3")
    assert again.summary.outcome == "finished"
    assert again.entries[gone["1/writer/0.1"]].erased
