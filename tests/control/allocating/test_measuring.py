"""Figures from recorded runs: what strands cost and took, and which were found good."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from hive import (
    Graph,
    Note,
    Record,
    Review,
    Role,
    Workflow,
    approved,
    finish,
    handoff,
    rejected,
    start,
    stop,
    turns,
)
from hive.board.ballots import Proposal, Vote
from hive.board.contributions import Verdict
from hive.board.entry import Entry
from hive.board.records import (
    Change,
    Complexity,
    Decision,
    Fault,
    FaultCode,
    Inference,
    Level5,
    Observation,
    RunStarted,
    StrandPlan,
)
from hive.control import ByPreference, Figure, judgement, measured
from hive.message import Reply, Request, Text, Usage
from hive.models import FunctionModel, ModelCard, ScriptedModel
from hive.models.catalog import Prices
from tests.control.states import entry, report

COSTS = Prices.usd(1, 2)  # dollars per million tokens


def decided(
    turn: int, *plans: tuple[str, str | None], level: Level5 = "simple", seq: int = 0
) -> Entry:
    payload = Decision(
        policy="test", chosen=0, candidates=(), deterministic=True, reason="test",
        strands=tuple(
            StrandPlan(strand=role, role=role, model=model or "program:p", key=model and "*")
            for role, model in plans
        ),
        complexity=Complexity(level=level, score=1.0),
    )  # fmt: skip
    found = entry(payload, "coordinator", turn=turn, place=0)
    found.seq = seq
    return found


def answered(turn: int, role: str, *, cost: int = 0, latency: int = 0, waited: int = 0,
             served: bool = False) -> Entry:  # fmt: skip
    payload = Inference(
        model="m", parts=(), stop="end", usage=Usage(), cost=cost, latency=latency, waited=waited,
        digest="d", served=served,
    )  # fmt: skip
    return entry(payload, role, turn=turn)


def note(turn: int, role: str) -> Entry:
    return entry(Note(text="n"), role, turn=turn, place=2)


def review(turn: int, role: str, approved: bool) -> Entry:
    return entry(Review(approved=approved, reasons=()), role, turn=turn, place=2)


def one(figures: tuple[Figure, ...], model: str, level: Level5 | None = None) -> Figure:
    (found,) = [f for f in figures if (f.model, f.level) == (model, level)]
    return found


def test_cost_and_time_are_means_over_strands_without_waiting() -> None:
    run = [
        decided(1, ("a", "acme:x"), ("b", "acme:x")),
        answered(1, "a", cost=4_000_000, latency=3_000_000, waited=1_000_000),
        answered(1, "a", cost=1_000_000, latency=1_000_000),
        entry(Fault(code="timeout", message="m", cost=1_000_000), "a", turn=1),
        answered(1, "b", latency=1_000_000),
    ]
    found = one(measured([run]), "acme:x")
    assert found == Figure("acme:x", usd=Decimal("0.003"), seconds=2.0)
    assert measured([run, run])[0] == found


def test_a_price_that_nobody_knows_leaves_the_cost_unknown() -> None:
    run = [decided(1, ("a", "acme:x"), ("b", "nameless")), answered(1, "a"), answered(1, "b")]
    assert one(measured([run]), "acme:x").usd is None
    assert one(measured([run]), "nameless").usd is None
    assert one(measured([run], cards=[ModelCard("acme:x", prices=COSTS)]), "acme:x").usd == 0


def test_a_review_speaks_of_the_newest_work_before_it() -> None:
    run = [
        decided(1, ("a", "acme:x"), ("b", "acme:y")),
        answered(1, "a"), note(1, "a"), answered(1, "b"), note(1, "b"),
        decided(2, ("critic", "acme:z")), answered(2, "critic"), review(2, "critic", False),
        decided(3, ("a", "acme:x"), level="complex"), answered(3, "a"), note(3, "a"),
        decided(4, ("p", None)), note(4, "p"),
        decided(5, ("critic", "acme:z")), answered(5, "critic"), review(5, "critic", True),
    ]  # fmt: skip
    figures = measured([run])
    assert (one(figures, "acme:x").accuracy, one(figures, "acme:x").judged) == (0.5, 2)
    assert (one(figures, "acme:y").accuracy, one(figures, "acme:y").judged) == (0.0, 1)
    assert (one(figures, "acme:z").accuracy, one(figures, "acme:z").judged) == (None, None)
    assert one(figures, "acme:x", "complex").accuracy == 1.0
    assert one(figures, "acme:x", "simple").accuracy == 0.0


@pytest.mark.parametrize(("failed", "accuracy"), [((), 1.0), (("t1",), 0.0)])
def test_tests_speak_of_the_strand_that_changed_what_they_test(
    failed: tuple[str, ...], accuracy: float
) -> None:
    change = Observation(id="1", tool="write", text="", changes=(Change(path="x"),))
    run = [
        decided(1, ("a", "acme:x")), answered(1, "a"), note(1, "a"),
        decided(2, ("b", "acme:y")), answered(2, "b"), entry(change, "b", turn=2),
        entry(report("t1", "t2", failed=["t2"]), "b", turn=2),
        entry(report("t1", "t2", failed=failed), "b", turn=2),
    ]  # fmt: skip
    figures = measured([run])
    assert one(figures, "acme:x").judged is None
    assert one(figures, "acme:y").accuracy == accuracy


def test_the_last_word_on_work_counts() -> None:
    run = [
        decided(1, ("a", "acme:x")), answered(1, "a"), note(1, "a"),
        decided(2, ("t", None)), entry(report("t1"), "t", turn=2),
        decided(3, ("judge", "acme:z")), answered(3, "judge"),
        entry(Verdict(ruling="revise", reasons=()), "judge", turn=3),
    ]  # fmt: skip
    assert one(measured([run]), "acme:x").accuracy == 0.0
    assert one(measured([run[:5]]), "acme:x").accuracy == 1.0


def voted_on(ruling: str, chosen: str | None) -> tuple[Figure, ...]:
    """Two who proposed, a voter, and what was ruled."""
    verdict = Verdict.model_validate({"ruling": ruling, "reasons": (), "chosen": chosen})
    return measured([[
        decided(1, ("a", "acme:x"), ("b", "acme:y")),
        answered(1, "a"), entry(Proposal(text="p"), "a", turn=1, place=2),
        answered(1, "b"), entry(Proposal(text="p"), "b", turn=1, place=2),
        decided(2, ("v", "acme:z")), answered(2, "v"),
        entry(Vote(reason="r", choice="1/a/2"), "v", turn=2, place=2),
        decided(3, ("teller", None)), entry(verdict, "teller", turn=3),
    ]])  # fmt: skip


def test_a_verdict_that_has_chosen_speaks_of_the_strand_of_what_it_chose() -> None:
    figures = voted_on("accept", "1/b/2")
    assert one(figures, "acme:y").accuracy == 1.0
    assert one(figures, "acme:x").judged is None
    assert one(figures, "acme:z").judged is None


@pytest.mark.parametrize("chosen", ["the second", "9/nobody/2"])
def test_a_verdict_that_has_chosen_what_is_not_there_speaks_of_nobody(chosen: str) -> None:
    assert all(figure.judged is None for figure in voted_on("accept", chosen))


def test_an_undecided_verdict_speaks_of_nobody_and_a_vote_is_no_work() -> None:
    assert all(figure.judged is None for figure in voted_on("undecided", None))
    assert one(voted_on("revise", None), "acme:z").judged is None
    assert one(voted_on("revise", None), "acme:x").accuracy == 0.0


@pytest.mark.parametrize(
    ("code", "judged"), [("invalid_output", 1), ("steps_exhausted", 1), ("model_error", None)]
)
def test_a_strand_that_broke_down_by_its_own_doing_is_not_good(
    code: FaultCode, judged: int | None
) -> None:
    fault = entry(Fault(code=code, message="m", final=True), "a", turn=1)
    run = [decided(1, ("a", "acme:x")), answered(1, "a"), fault]
    assert one(measured([run]), "acme:x").judged == judged


def test_what_another_run_paid_for_is_counted_there() -> None:
    started = RunStarted(
        run="r", hive="0", schema_version=1, workflow="w", fingerprint="", vocabulary="", cut=5
    )
    run = [
        entry(started),
        decided(1, ("a", "acme:x"), seq=2), answered(1, "a", cost=1),
        decided(2, ("a", "acme:x"), seq=9), answered(2, "a", cost=1, served=True),
    ]  # fmt: skip
    assert measured([run]) == ()
    paid = [*run, decided(3, ("a", "acme:x"), seq=12), answered(3, "a", cost=5)]
    assert one(measured([paid]), "acme:x").usd == Decimal("5e-9")


def test_a_judge_of_ones_own() -> None:
    run = [
        decided(1, ("a", "acme:x")), answered(1, "a"), note(1, "a"),
        decided(2, ("b", "acme:y")), answered(2, "b"), note(2, "b"),
    ]  # fmt: skip
    found = measured([run], judge=lambda e: True if e.author == "b" and e.kind == "Note" else None)
    assert one(found, "acme:x").accuracy == 1.0
    assert one(found, "acme:y").accuracy is None
    assert [judgement(e) for e in run] == [None] * len(run)


def test_figures_of_a_recorded_run_feed_a_preference(tmp_path: Path) -> None:
    def writes(request: Request) -> Reply:
        return Reply(parts=(Text(text="a haiku"),), cost=2_000_000)

    author, critic = Role("author"), Role("critic", writes=(Review,))
    graph = Graph(
        start(author),
        handoff(author, critic),
        handoff(critic, author, when=rejected & ~turns(6)),
        finish(critic, when=approved),
        stop(when=turns(8)),
    )
    reviews = ['{"approved": false, "reasons": []}', '{"approved": true, "reasons": []}']
    writer, judge = FunctionModel(writes, "writer"), ScriptedModel(reviews, "judge")
    journal = f"sqlite:{tmp_path}/journal.db"
    result = Workflow(graph, models={"author": writer, "critic": judge}).run_sync(
        "A haiku.", journal=journal
    )
    assert (result.finished, result.turns) == (True, 4)
    with Record.open(journal, result.run) as record:
        figures = measured([record.entries])
    assert figures == measured([result.entries])
    wrote = one(figures, "program:writer")
    assert (wrote.accuracy, wrote.judged, wrote.usd) == (0.5, 2, Decimal("0.002"))
    again = Workflow(author, model=writer, allocator=ByPreference("quality", figures))
    assert again.run_sync("A haiku.").text == "a haiku"
