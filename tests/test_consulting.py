"""A model that assesses the goal before anybody acts: asked once, on record, never in the way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from hive import Graph, Limits, Review, Role, State, Workflow, finish, handoff, start, stop, turns
from hive.audit import Record
from hive.audit.replay import replay
from hive.board.records import Decision, Fault, Paused, Request
from hive.control import Assessment, Chooser, ModelEstimator, RuleEstimator, level
from hive.errors import DeclarationError
from hive.forecast import forecast
from hive.journal.sqlite import SQLiteJournal
from hive.message import Request as Asked
from hive.models import FunctionModel, ModelCard, Prices
from hive.run import Result
from hive.testing import Gate, GatedModel
from tests.sound import sound

solo, planner, critic = Role("solo"), Role("planner"), Role("critic", writes=(Review,))

EITHER = Graph(
    start(solo, when=level("trivial")),
    finish(solo),
    start(planner, when=~level("trivial")),
    handoff(planner, solo),
    stop(when=turns(9)),
)
GOAL = "Rewrite billing and migrate the production database"
"""Critical, if one goes by its words."""

Line = Callable[[Asked], str]


def role_of(request: Asked) -> str:
    return request.system.split("'")[1]


def judged(complexity: str, confidence: float = 0.9) -> Line:
    """A mind that judges every goal alike, and does what else it is asked."""
    said = f'{{"complexity": "{complexity}", "confidence": {confidence}, "reasons": ["so"]}}'
    return lambda request: said if role_of(request) == "assessor" else "done"


def team(line: Line, graph: Graph = EITHER, **more: Any) -> Workflow:
    return Workflow(graph, model=FunctionModel(line), estimator=ModelEstimator(), **more)


def run(workflow: Workflow, goal: str = GOAL) -> Result:
    result = workflow.run_sync(goal, seed=3)
    sound(result.entries)
    return result


def decisions(result: Result) -> list[Decision]:
    return [entry.payload for entry in result.entries if isinstance(entry.payload, Decision)]


def asked(result: Result) -> list[str]:
    return [entry.author for entry in result.entries if isinstance(entry.payload, Request)]


def test_the_goal_is_assessed_in_a_first_turn_in_which_nobody_else_acts() -> None:
    result = run(team(judged("trivial")))
    first, second = decisions(result)
    assert (first.strands, first.candidates, first.advisors) == ((), (), ("assessor",))
    assert first.complexity.level == "critical"  # the rules, who know no better yet
    assert second.complexity.level == "trivial"
    assert second.complexity.signals == {"assessment": 0}
    assert asked(result) == ["assessor", "solo"]
    assert result.text == "done"


def test_what_is_assessed_opens_the_way_that_it_is_for() -> None:
    result = run(team(judged("complex")), "Fix a typo")
    assert asked(result)[:2] == ["assessor", "planner"]
    assert decisions(result)[1].complexity.probabilities[3] == pytest.approx(0.9, abs=0.01)


def test_what_goes_wrong_later_lifts_the_class_that_was_assessed() -> None:
    def line(request: Asked) -> str:
        if role_of(request) == "critic":
            return '{"approved": false, "reasons": ["no"]}'
        return judged("moderate")(request)

    graph = Graph(
        start(solo),
        handoff(solo, critic),
        handoff(critic, solo, when=~level(at_least="complex")),
        finish(critic, when=level(at_least="complex")),
        stop(when=turns(20)),
    )
    result = run(team(line, graph))
    assert result.finished
    levels = [decision.complexity.level for decision in decisions(result)[1:]]
    assert levels == ["moderate", "moderate", "moderate", "moderate"]
    assert decisions(result)[-1].complexity.signals == {"assessment": 2.5, "rejections": 0.75}
    assert result.turns == 5  # the second refusal made it complex


@pytest.mark.parametrize(
    "line",
    ["no JSON", '{"complexity": "huge", "confidence": 1}', '{"complexity": "simple"}', OSError()],
)
def test_where_it_fails_or_says_nonsense_the_rules_judge_and_are_less_sure(line: Any) -> None:
    def says(request: Asked) -> str:
        if role_of(request) != "assessor":
            return "done"
        if isinstance(line, OSError):
            raise line
        return str(line)

    result = run(team(says), "Fix a typo")
    first, second = [decision.complexity for decision in decisions(result)]
    assert [e.author for e in result.entries if isinstance(e.payload, Fault)][-1] == "assessor"
    assert (second.level, second.signals) == (first.level, first.signals)  # its faults do not count
    assert second.uncertainty == first.uncertainty | {"no assessment": 1}
    assert second.probabilities[0] < first.probabilities[0]
    assert result.finished


def test_it_may_have_a_model_of_its_own_and_instructions_of_its_own() -> None:
    assessor = Role("judge", "How hard?", writes=(Assessment,), tier="small")
    said = '{"complexity": "trivial", "confidence": 1, "reasons": []}'
    small = FunctionModel(lambda r: said if role_of(r) == "judge" else "done", "small")
    models = {"small": small, "large": FunctionModel(judged("trivial"), "large")}
    workflow = Workflow(EITHER, models=models, estimator=ModelEstimator(assessor))
    requests = [e.payload for e in run(workflow).entries if isinstance(e.payload, Request)]
    assert [request.model for request in requests] == ["program:small", "program:small"]


def test_it_is_asked_beside_the_advisor_of_a_policy() -> None:
    def line(request: Asked) -> str:
        if role_of(request) == "chooser":
            return '{"move": "2", "reason": "r"}'
        return judged("complex")(request)

    graph = Graph(start(solo), start(planner), finish(solo), finish(planner))
    result = run(team(line, graph, policy=Chooser()))
    assert asked(result) == ["assessor", "chooser", "planner"]
    assert [decision.advisors for decision in decisions(result)] == [("assessor",), ("chooser",)]


def test_what_could_not_assess_is_refused() -> None:
    with pytest.raises(
        DeclarationError, match="cannot assess a goal: it does not write Assessment"
    ):
        ModelEstimator(Role("assessor"))
    with pytest.raises(DeclarationError, match=r"ModelEstimator\(doubt=-1\)"):
        ModelEstimator(doubt=-1)
    with pytest.raises(
        DeclarationError, match="estimator's advisor and a role of the graph are both"
    ):
        team(judged("simple"), Graph(start(Role("assessor")), finish(Role("assessor"))))
    other = Role("assessor", writes=Chooser().advisor.writes)
    with pytest.raises(
        DeclarationError, match="estimator's advisor and another advisor are both named"
    ):
        team(judged("simple"), policy=Chooser(other))


def test_an_estimator_of_ones_own_needs_no_more_than_to_estimate() -> None:
    class Learned:
        """Counts vowels; the real ones are no better explained."""

        def estimate(self, goal: str, state: State) -> Any:
            score = sum(goal.lower().count(vowel) for vowel in "aeiou")
            found = RuleEstimator().estimate(goal, state)
            return found.model_copy(update={"level": "critical" if score > 9 else "trivial"})

    workflow = Workflow(EITHER, model=FunctionModel(lambda r: "done"), estimator=Learned())
    assert asked(run(workflow, "go")) == ["solo"]
    assert asked(run(workflow, GOAL))[0] == "planner"


def test_it_is_in_the_worst_case_with_a_turn_and_a_strand_of_its_own() -> None:
    class Priced(FunctionModel):
        card = ModelCard("openai:x", window=1000, max_output=100, prices=Prices.usd(1, 1))

    chain = Graph(start(solo), handoff(solo, planner), finish(planner))
    one = Workflow(chain, model=Priced(judged("simple")), limits=Limits(steps=2))
    more = one.with_(estimator=ModelEstimator())
    assert (forecast(one).turns, forecast(more).turns) == (2, 3)
    assert forecast(one).cost == 2 * 2 * 1_100_000
    assert forecast(more).cost == 3 * 2 * 1_100_000


@pytest.mark.asyncio
async def test_a_replay_asks_nobody_and_finds_the_same(tmp_path: Path) -> None:
    journal = SQLiteJournal(tmp_path / "journal.db")
    result = await team(judged("complex")).run(GOAL, journal=journal, seed=3)

    def nobody(request: Asked) -> str:
        raise AssertionError("a replay asks nobody")

    silent = team(judged("complex")).with_(model=FunctionModel(nobody, "lambda"))
    replayed = await replay(journal, result.run, silent)
    assert replayed.divergence is None
    assert replayed.identical
    journal.close()


@pytest.mark.asyncio
@pytest.mark.parametrize("at", ["assessor", "planner", "solo"])
async def test_a_run_that_was_broken_off_goes_on_and_asks_for_one_assessment(
    tmp_path: Path, at: str
) -> None:
    gate = Gate()
    journal = SQLiteJournal(tmp_path / "journal.db")
    model = GatedModel(FunctionModel(judged("complex")), gate, role_of)
    workflow = Workflow(EITHER, model=model, estimator=ModelEstimator())
    for name in ("assessor", "planner", "solo"):
        if name != at:
            gate.release(name)
    with anyio.CancelScope() as scope:
        async with workflow.start(GOAL, journal=journal, seed=3):
            await gate.arrived(at)
            scope.cancel()
    (name,) = journal.runs()
    assert Record(journal, name).board.of_kind(Paused)
    gate.open()
    result = await workflow.resume(name, journal=journal).result()
    sound(result.entries)
    assert [d.complexity.level for d in decisions(result)][1:] == ["complex", "complex"]
    assert len([e for e in result.entries if isinstance(e.payload, Assessment)]) == 1
    journal.close()


@pytest.mark.asyncio
async def test_a_fork_before_the_assessment_is_judged_anew_and_one_after_it_is_not(
    tmp_path: Path,
) -> None:
    journal = SQLiteJournal(tmp_path / "journal.db")
    result = await team(judged("complex")).run(GOAL, journal=journal, seed=3)
    record = Record(journal, result.run)
    anew = await record.fork(at="turn:1", workflow=team(judged("trivial"))).result()
    kept = await record.fork(at="turn:2", workflow=team(judged("trivial"))).result()
    assert decisions(anew)[1].complexity.level == "complex"  # the same question is not asked again
    assert decisions(kept)[1].complexity.level == "complex"
    other = ModelEstimator(ModelEstimator().advisor.with_(instructions="Judge anew."))
    asked_anew = team(judged("trivial")).with_(estimator=other)
    found = await record.fork(at="turn:1", workflow=asked_anew).result()
    assert decisions(found)[1].complexity.level == "trivial"
    assert [plan.role for plan in decisions(found)[1].strands] == ["solo"]
    journal.close()
