"""Guards on the class of the work and on how thoroughly it is reviewed, alone and in real runs."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import JsonValue

from hive import (
    Goal,
    Graph,
    Note,
    Review,
    Role,
    State,
    Workflow,
    finish,
    handoff,
    start,
    stop,
    turns,
)
from hive import control as door
from hive.board.contributions import Plan
from hive.board.records import Complexity, Decision, Level5, Request, Termination
from hive.control import (
    TABLE,
    Allotment,
    ByComplexity,
    Guard,
    RuleEstimator,
    Weights,
    level,
    review_depth,
)
from hive.control.allocating.complexity import LEVELS
from hive.control.guards.levels import JUDGED, judging
from hive.errors import DeclarationError
from hive.run import Result
from hive.testing import FunctionModel
from tests.control.states import entry, folded
from tests.sound import sound

anything: Any = door
"""The door without its types, for what only untyped callers can get wrong."""

solo = Role("solo", "Do it at once.")
planner = Role("planner", "Plan.")
worker = Role("worker", "Work.")

EITHER = Graph(
    start(solo, when=level("trivial")),
    finish(solo),
    start(planner, when=~level("trivial")),
    handoff(planner, worker),
    finish(worker),
)


class Fixed:
    """An estimator that says one class, whatever the work."""

    def __init__(self, found: Level5) -> None:
        self.found = found

    def estimate(self, goal: str, state: State) -> Complexity:
        return Complexity(level=self.found, score=0)


def at(found: Level5) -> State:
    """The state of a run whose work is of a class, after the goal."""
    return folded(entry(Goal(text="go")), tallies=(judging(Fixed(found), TABLE),))


def acted(result: Result) -> list[str]:
    decisions = [e.payload for e in result.entries if isinstance(e.payload, Decision)]
    return [plan.role for decision in decisions for plan in decision.strands]


def run(graph: Graph, goal: str, **more: Any) -> Result:
    result = Workflow(graph, model=FunctionModel(lambda _: "done"), **more).run_sync(goal)
    sound(result.entries)
    return result


@pytest.mark.parametrize("found", LEVELS)
def test_a_class_is_that_class_and_at_least_every_easier_one(found: Level5) -> None:
    state = at(found)
    for other in LEVELS:
        assert level(other).test(state) == (other == found)
        harder = LEVELS.index(found) >= LEVELS.index(other)
        assert level(at_least=other).test(state) == harder
    assert level(*LEVELS).test(state)
    assert level(found).values(state) == {f"level({found})": found}


def test_a_depth_of_review_is_what_the_table_allots() -> None:
    depths = ["none", "single", "single", "panel", "adversarial"]
    for found, depth in zip(LEVELS, depths, strict=True):
        state = at(found)
        assert review_depth(depth).test(state)  # type: ignore[arg-type]
        assert review_depth(at_least="panel").test(state) == (depth in ("panel", "adversarial"))
    assert review_depth("none", "panel").test(at("complex"))
    assert not review_depth("exhaustive").test(at("critical"))


def test_before_the_goal_is_there_none_of_them_holds() -> None:
    assert not level(*LEVELS).test(State())
    assert not review_depth(at_least="none").test(State())


@pytest.mark.parametrize("name", ["level", "review_depth"])
def test_what_means_nothing_is_refused(name: str) -> None:
    made = getattr(anything, name)
    with pytest.raises(DeclarationError, match="name what it holds for"):
        made()
    with pytest.raises(DeclarationError, match="name what it holds for"):
        made("single" if name == "review_depth" else "simple", at_least="nothing")
    with pytest.raises(DeclarationError, match=r"'huge'\): say '"):
        made("huge")
    with pytest.raises(DeclarationError, match=r"'huge'\): say '"):
        made(at_least="huge")


@pytest.mark.parametrize(
    ("goal", "roles"),
    [("Fix a typo", ["solo"]), ("Fix the bug in gcd", ["planner", "worker"])],
)
def test_the_class_of_the_goal_opens_a_start(goal: str, roles: list[str]) -> None:
    result = run(EITHER, goal)
    assert (result.outcome, acted(result)) == ("finished", roles)


def test_a_goal_that_skips_the_team_is_one_call() -> None:
    result = run(EITHER, "Fix a typo")
    assert [e.author for e in result.entries if isinstance(e.payload, Request)] == ["solo"]


def test_the_guards_go_by_the_workflows_own_estimator_and_table() -> None:
    weights = Weights(kinds=(), domains=(), words=100, most_words=100)
    assert acted(run(EITHER, "Fix a typo", estimator=RuleEstimator(weights))) != ["solo"]
    assert acted(run(EITHER, "Rewrite it all", estimator=Fixed("trivial"))) == ["solo"]

    critic = Role("critic", "Review.", writes=(Review,))
    deep = Graph(
        start(worker),
        finish(worker, when=~review_depth("exhaustive")),
        handoff(worker, planner, when=review_depth("exhaustive")),
        finish(planner),
    )
    assert critic.name not in acted(run(deep, "Fix a typo"))
    assert acted(run(deep, "Fix a typo")) == ["worker"]
    strict = TABLE.with_(trivial=Allotment("small", review="exhaustive"))
    assert acted(run(deep, "Fix a typo", allocator=ByComplexity(strict))) == ["worker", "planner"]


def test_the_work_is_judged_anew_as_it_goes_on() -> None:
    weights = Weights(words=0, files=1.0, kinds=(), domains=())
    drafter = Role("drafter", writes=(Plan,))
    graph = Graph(
        start(drafter),
        finish(drafter, when=level("trivial")),
        handoff(drafter, worker, when=level(at_least="moderate")),
        finish(worker),
        stop(when=turns(4)),
    )
    tasks = ({"id": "T1", "title": "t", "files": ["a.py", "b.py"]},)
    plan = Plan.model_validate({"summary": "s", "tasks": tasks, "done_when": "d"})
    model = FunctionModel(lambda r: plan.model_dump_json() if "drafter" in r.system else "done")
    team = Workflow(graph, model=model, estimator=RuleEstimator(weights))
    assert acted(team.run_sync("go")) == ["drafter", "worker"]


def test_an_edge_that_no_class_opens_is_told_with_the_class_it_had() -> None:
    graph = Graph(start(solo, when=level("critical")), finish(solo))
    (end,) = [e.payload for e in run(graph, "Fix a typo").entries if e.kind == Termination.kind]
    assert isinstance(end, Termination)
    assert end.reason == "no_candidate"
    assert "level(critical): trivial" in end.message


def test_nobody_judges_where_no_guard_asks() -> None:
    plain = Workflow(solo, model="openai:gpt-5")
    assert JUDGED.name not in {tally.name for tally in plain.folding.tallies}
    asking = Workflow(EITHER, model="openai:gpt-5")
    assert asking.folding.tallies[-1].name == JUDGED.name


def test_a_goal_that_was_erased_is_judged_as_it_was() -> None:
    tally = judging(Fixed("critical"), TABLE)
    before: JsonValue = {"level": "simple", "review": "single", "checkpoint": False}
    assert tally.close is not None
    assert tally.close(before, State()) == before
    assert tally.close(before, at("trivial")) != before


def test_a_guard_on_the_class_bounds_nothing() -> None:
    guard: Guard = level("trivial")
    assert not guard.eventually
    assert not guard.never_again
    assert "never be judged so" in guard.loose
    assert Note.kind not in guard.kinds
