"""Plans carried out by real runs: side by side, through failures, reviews and other plans."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest

from hive import (
    Artifact,
    Budget,
    Graph,
    Note,
    Payload,
    Plan,
    Result,
    Review,
    Role,
    Task,
    View,
    Workflow,
    finish,
    start,
)
from hive.board.records import Decision, Fault
from hive.control import PlanRule, TaskChange, plans, workplan, worst_case
from hive.errors import DeclarationError, GraphError
from hive.testing import ScriptedPerson
from tests.control.patterns.test_plan import plan, task
from tests.control.planned import (
    HOUSE,
    changes,
    critic,
    fails,
    graph_of,
    minds,
    payloads,
    planner,
    reporter,
    stands,
    team,
    waves,
    worker,
)


def test_tasks_run_side_by_side_as_what_they_need_is_done() -> None:
    result = team(minds([HOUSE])).run_sync("Build a house.")
    assert (result.outcome, result.reason) == ("finished", "goal_reached")
    assert waves(result) == [["ground", "garden", "fence"], ["walls"], ["roof"]]
    assert set(stands(result).values()) == {"done"}
    assert (result.text, changes(result)) == ("5 of 5", [])


def test_where_more_are_ready_than_fit_the_longest_chain_goes_first() -> None:
    late = plan(task("garden"), task("fence"), *HOUSE.tasks[:3])
    result = team(minds([late]), strands=2).run_sync("Build a house.")
    assert waves(result) == [["ground", "garden"], ["fence", "walls"], ["roof"]]
    assert team(minds([late]), strands=1).run_sync("Build.").state.turn == 7


def test_a_failed_task_is_adjusted_and_done_again_with_what_went_wrong() -> None:
    result = team(minds([HOUSE], fails("ground", times=1))).run_sync("Build a house.")
    assert waves(result) == [["ground", "garden", "fence"], ["ground"], ["walls"], ["roof"]]
    (change,) = payloads(result, TaskChange)
    assert (change.id, change.change) == ("ground", "adjusted")
    assert change.reason.startswith("attempt 1 of 2 failed: this is no Artifact")
    assert change.task.detail.startswith("Attempt 1 failed: this is no Artifact")
    assert result.finished
    assert set(stands(result).values()) == {"done"}


def test_a_change_by_rule_names_its_cause_and_is_trusted_no_more_than_that() -> None:
    result = team(minds([HOUSE], fails("ground", times=1))).run_sync("Build a house.")
    (change,) = [e for e in result.entries if isinstance(e.payload, TaskChange)]
    at = {str(entry.address): entry for entry in result.entries}
    assert change.author == "coordinator"
    assert isinstance(at[change.causes[0]].payload, Fault)
    (again,) = [
        e for e in result.entries if isinstance(e.payload, Task) and e.author == "coordinator"
    ]
    assert again.causes == (str(change.address),)
    assert change.label == again.label == at["1/planner/0.2.2"].label


def test_a_task_that_fails_too_often_is_skipped_with_those_that_need_it() -> None:
    result = team(minds([HOUSE], fails("walls"))).run_sync("Build a house.")
    assert changes(result) == [("walls", "adjusted"), ("walls", "skipped"), ("roof", "skipped")]
    reasons = [change.reason for change in payloads(result, TaskChange)]
    assert reasons[1].startswith("it failed 2 times; at last: this is no Artifact")
    assert reasons[2] == "it needs walls, which is skipped"
    assert stands(result)["walls"] == stands(result)["roof"] == "skipped"
    assert (result.outcome, result.text) == ("finished", "3 of 5")


@pytest.mark.parametrize("on_failure", ["skip", "stop", "replan"])
def test_a_task_that_the_budget_could_not_begin_has_not_failed(on_failure: str) -> None:
    two = plan(task("garden"), task("fence"))
    site = team(minds([two]), attempts=1, on_failure=on_failure)
    poor = site.with_(budget=Budget(roles={"worker": Budget(calls=1)}))
    result = poor.run_sync("Build a house.")
    assert (result.outcome, result.reason) == ("stopped", "budget_exhausted")
    assert stands(result) == {"garden": "done", "fence": "open"}
    (change,) = payloads(result, TaskChange)
    assert change.reason.startswith("it was not begun: role 'worker' has made all the calls")
    assert change.task.detail == ""
    assert result.state.plan["fence"].attempts == 0


def test_where_everything_was_skipped_nothing_is_finished() -> None:
    result = team(minds([HOUSE], fails("ground", "garden", "fence"))).run_sync("Build a house.")
    assert (result.outcome, result.reason) == ("stopped", "no_candidate")
    assert "tasks_settled: 5 skipped" in result.message


def test_a_failed_task_can_stop_the_run() -> None:
    result = team(minds([HOUSE], fails("walls")), on_failure="stop", attempts=1).run_sync("Build.")
    assert (result.outcome, result.reason) == ("stopped", "gave_up")
    assert result.message.startswith(
        "task_failed held after turn 3 (task_failed: walls failed at [3/"
    )
    assert (stands(result)["walls"], stands(result)["roof"]) == ("failed", "open")


def test_a_failed_task_can_lead_to_another_plan_that_keeps_what_is_done() -> None:
    tents = plan(task("ground"), task("tent", "ground"), task("garden"), task("fence"))
    mind = minds([HOUSE, tents], fails("walls"))
    result = team(mind, on_failure="replan").run_sync("Build a house.")
    assert waves(result) == [["ground", "garden", "fence"], ["walls"], ["walls"], ["tent"]]
    assert stands(result) == dict.fromkeys(("ground", "tent", "garden", "fence"), "done")
    assert result.finished


def test_another_plan_is_asked_for_only_so_often() -> None:
    mind = minds([HOUSE], fails("walls"))
    result = team(mind, on_failure="replan", most_plans=2, attempts=1).run_sync("Build a house.")
    assert (result.outcome, result.reason) == ("stopped", "gave_up")
    assert (result.state.count(Plan), result.state.count("planner/Plan")) == (2, 2)


BAD = plan(task("A", "B"), task("B", "A"), task("C", "X"))


def test_what_is_wrong_with_a_plan_is_told_its_planner_and_nothing_of_it_is_posted() -> None:
    result = team(minds([BAD, HOUSE])).run_sync("Build a house.")
    (fault,) = payloads(result, Fault)
    assert (fault.code, fault.final) == ("invalid_output", False)
    assert fault.message == (
        "this plan cannot be carried out: C needs X, and no task has that id; there is A, B; A"
        " needs B, which needs A: none of them can be first. Give the whole plan again"
    )
    assert payloads(result, Plan) == [HOUSE]
    assert len(payloads(result, Task)) == 5
    assert result.finished


@pytest.mark.parametrize(
    ("wrong", "ends"),
    [
        ([task(f"T{n}", f"X{n}") for n in range(900)], "; and there is more."),
        ([task(f"T{n}", f"T{(n + 1) % 900}") for n in range(900)], "which needs …, which needs T0"),
    ],
)
def test_a_planner_is_told_no_more_than_it_can_mend_at_once(wrong: list[Task], ends: str) -> None:
    result = team(minds([plan(*wrong), plan(task("all of it"))])).run_sync("Build a house.")
    (fault,) = payloads(result, Fault)
    assert ends in fault.message
    assert len(fault.message) < 4_000
    assert result.finished


def test_a_planner_that_never_mends_its_plan_ends_the_run_honestly() -> None:
    result = team(minds([BAD])).run_sync("Build a house.")
    assert (result.outcome, result.reason) == ("stopped", "no_candidate")
    assert "planner failed: this plan cannot be carried out" in result.message
    assert payloads(result, Task) == []


def test_the_plan_of_a_program_is_checked_too() -> None:
    async def program(view: View) -> Plan:
        return BAD

    result = Workflow(graph_of(planner.with_(program=program)), model=minds([BAD])).run_sync(
        "Build a house."
    )
    (fault,) = payloads(result, Fault)
    assert fault.final
    assert payloads(result, Plan) == []


def test_a_plan_that_says_that_nothing_is_to_be_done_is_reported_at_once() -> None:
    result = team(minds([plan()])).run_sync("Build a house.")
    assert (result.outcome, result.state.turn, result.text) == ("finished", 2, "0 of 0")


NO, YES = Review(approved=False, reasons=("no roof",)), Review(approved=True, reasons=())


def test_a_critic_sees_the_plan_before_anything_is_done() -> None:
    mind = minds([plan(task("garden")), HOUSE], reviews=[NO, YES])
    result = team(mind, critic=critic).run_sync("Build a house.")
    roles = [e.payload.strands[0].role for e in result.entries if isinstance(e.payload, Decision)]
    assert roles[:5] == ["planner", "critic", "planner", "critic", "worker"]
    assert stands(result) == {t.id: "done" for t in HOUSE.tasks}
    assert result.finished


def test_a_plan_that_is_never_approved_is_never_carried_out() -> None:
    result = team(minds([HOUSE], reviews=[NO]), critic=critic).run_sync("Build a house.")
    assert (result.outcome, result.reason) == ("stopped", "no_candidate")
    assert (result.state.count(Plan), waves(result)) == (3, [])


def test_an_approval_of_the_plan_before_is_none_of_this_one() -> None:
    doubtful = critic.with_(corrections=0)
    graph = Graph(
        start(planner),
        *workplan(
            planner, worker, reporter, critic=doubtful, attempts=1, on_failure="replan"
        ),
        finish(reporter),
    )  # fmt: skip
    plans = [plan(task("garden"), task("fence")), plan(task("hedge"))]
    mind = minds(plans, fails("fence"), [Review(approved=True, reasons=()), "I cannot say."])
    result = Workflow(graph, model=mind).run_sync("Fence the garden.")
    assert waves(result) == [["garden", "fence"]]
    assert (result.outcome, result.reason) == ("stopped", "no_candidate")


def test_a_critic_may_post_a_plan_of_its_own() -> None:
    async def edits(view: View) -> list[Payload]:
        given_plan = next(e.payload for e in view.entries if isinstance(e.payload, Plan))
        kept = tuple(task for task in given_plan.tasks if task.id != "fence")
        return [given_plan.model_copy(update={"tasks": kept}), YES]

    result = team(minds([HOUSE]), critic=critic.with_(program=edits)).run_sync("Build a house.")
    assert set(stands(result)) == {"ground", "walls", "roof", "garden"}
    assert "fence" not in {id for wave in waves(result) for id in wave}
    assert result.finished


def test_a_person_may_send_a_plan_back_and_then_give_one_of_their_own() -> None:
    owner = Role("owner", person=True, reads=(Plan,), writes=(Review, Plan))
    circle = json.dumps([BAD.model_dump(), "yes"])
    own = json.dumps([plan(task("garden"), task("fence", "garden")).model_dump(), "yes"])
    person = ScriptedPerson(["no, I am afraid of heights", circle, own])

    async def run() -> Result:
        started = team(minds([HOUSE]), critic=owner).start("Build a house.")
        started.attend(person)
        return await started.result()

    result = asyncio.run(run())
    assert "this plan cannot be carried out" in person.asked[2].text
    assert waves(result) == [["garden"], ["fence"]]
    assert stands(result) == {"garden": "done", "fence": "done"}
    assert result.finished


inspector = Role("inspector", writes=(TaskChange, Note), output=Note)


def test_an_inspector_has_what_falls_short_done_again_before_anything_builds_on_it() -> None:
    async def looks(view: View) -> Payload:
        made = [e.payload.summary for e in view.entries if isinstance(e.payload, Artifact)]
        if made.count("ground is done") == 1 and "walls is done" not in made:
            return TaskChange(id="ground", change="failed", reason="it is not level")
        return Note(text="good")

    result = team(minds([HOUSE]), inspector=inspector.with_(program=looks)).run_sync("Build.")
    assert waves(result) == [["ground", "garden", "fence"], ["ground"], ["walls"], ["roof"]]
    (again,) = [t for t in payloads(result, Task) if t.detail]
    assert again.detail == "Attempt 1 failed: it is not level"
    assert result.finished
    assert set(stands(result).values()) == {"done"}


def test_what_nobody_inspected_is_not_built_upon() -> None:
    async def breaks(view: View) -> None:
        raise LookupError("no glasses")

    broken = inspector.with_(program=breaks)
    result = team(minds([HOUSE]), inspector=broken, on_failure="replan").run_sync("Build.")
    assert (result.outcome, result.reason) == ("stopped", "no_candidate")
    assert "inspector failed: LookupError: no glasses" in result.message
    assert waves(result) == [["ground", "garden", "fence"]]


# -- what is refused where it is written --------------------------------------------------------


@pytest.mark.parametrize(
    ("roles", "options", "said"),
    [
        ((reporter, worker, reporter), {}, "writes no Plan"),
        ((planner, reporter, reporter), {}, "does not take one strand per task"),
        ((planner, worker, reporter), {"critic": planner}, "writes no Review"),
        (
            (planner, worker, reporter),
            {"on_failure": "weep"},
            "say one of 'skip', 'replan', 'stop'",
        ),
    ],
)
def test_a_team_that_could_not_do_it_is_refused(
    roles: tuple[Role, Role, Role], options: Mapping[str, Any], said: str
) -> None:
    with pytest.raises(GraphError, match=said):
        workplan(*roles, **options)


def test_a_team_that_carries_out_a_plan_is_bounded() -> None:
    assert worst_case(graph_of(most_turns=30)).turns == 30
    assert worst_case(graph_of(critic=critic, on_failure="replan")).turns == 40


def test_a_rule_is_checked_and_there_is_one() -> None:
    wrong: list[Any] = [0, True, 1.5, "2"]
    for attempts in wrong:
        with pytest.raises(DeclarationError, match="a whole number from 1 on"):
            PlanRule(attempts=attempts)
    with pytest.raises(DeclarationError, match='say "skip" or "leave"'):
        PlanRule(then="weep")  # type: ignore[arg-type]
    with pytest.raises(DeclarationError, match="plans"):
        plans(0)
    with pytest.raises(GraphError, match="one rule for failed tasks"):
        Graph(*graph_of().parts, PlanRule())


def test_the_rule_is_part_of_the_graph_and_of_the_fingerprint() -> None:
    graph = graph_of(attempts=3)
    assert graph.plan_rule == PlanRule(attempts=3)
    assert graph.with_instructions({"worker": "Work."}).plan_rule == graph.plan_rule
    assert 'PlanRule(attempts=3, then="skip")' in repr(graph)
    assert graph != graph_of()
