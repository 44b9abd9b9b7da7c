"""Plans carried out by real runs: side by side, through failures, reviews, crashes and replays."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hive import (
    Artifact,
    Graph,
    Limits,
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
    handoff,
    start,
    stop,
    turns,
)
from hive.audit import Record
from hive.board.entry import Entry, Sealed
from hive.board.records import Decision, Fault, Termination
from hive.control import PlanRule, TaskChange, plans, task_failed, tasks_ready, workplan, worst_case
from hive.errors import DeclarationError, GraphError
from hive.journal.memory import MemoryJournal
from hive.message import Request, Text
from hive.models import FunctionModel
from hive.testing import ScriptedPerson
from tests.control.test_plan import plan, sound_plans, task
from tests.runs_at_random import Stages

planner = Role("planner", writes=(Plan,))
worker = Role("worker", writes=(Artifact,), per=Task, corrections=0)
reporter = Role("reporter")
critic = Role("critic", writes=(Review, Plan), output=Review)
Answer = str | Payload
Work = Callable[[Task, int], Answer]
"""What the worker makes of a task, which it is given for the nth time."""


def asked_for(request: Request) -> Task:
    """The task that a strand was opened for, as the request tells it."""
    last = request.messages[0].parts[-1]
    assert isinstance(last, Text)
    return Task.model_validate(json.loads(last.text.partition(" Task ")[2]))


def does(task: Task, attempt: int) -> Answer:
    return Artifact(summary=f"{task.id} is done")


def minds(
    planned: Sequence[Answer], work: Work = does, reviews: Sequence[Answer] = ()
) -> FunctionModel:
    """One mind in all chairs; what it says hangs on nothing but what it is asked."""

    def answer(request: Request) -> str:
        role, first = request.system.split("'")[1], request.messages[0].text
        if role == "worker":
            asked = asked_for(request)
            said = work(asked, asked.detail.count("Attempt ") + 1)
        elif role == "reporter":
            said = f"{first.count('] Artifact by worker')} of {first.count('] Task by planner')}"
        else:
            lines, kind = (planned, "Plan by planner") if role == "planner" else (reviews, "Review")
            steps = sum(message.role == "assistant" for message in request.messages)
            said = lines[min(first.count(f"] {kind}") + steps, len(lines) - 1)]
        return said if isinstance(said, str) else said.model_dump_json()

    return FunctionModel(answer, "all")


def graph_of(planner: Role = planner, **options: Any) -> Graph:
    return Graph(start(planner), *workplan(planner, worker, reporter, **options), finish(reporter))


def team(mind: FunctionModel, strands: int = 4, **options: Any) -> Workflow:
    return Workflow(graph_of(**options), model=mind, limits=Limits(strands=strands))


def waves(result: Result) -> list[list[str]]:
    """The tasks that each turn of the worker took up, by id."""
    tasks = {str(e.address): e.payload.id for e in result.entries if isinstance(e.payload, Task)}
    moves = [e.payload.strands for e in result.entries if isinstance(e.payload, Decision)]
    return [[tasks[p.cause or ""] for p in move] for move in moves if move[0].role == "worker"]


def changes(result: Result) -> list[tuple[str, str]]:
    return [(e.id, e.change) for e in payloads(result, TaskChange)]


def payloads(result: Result, cls: type[Any]) -> list[Any]:
    return [entry.payload for entry in result.entries if isinstance(entry.payload, cls)]


def stands(result: Result) -> dict[str, str]:
    return {id: known.status for id, known in result.state.plan.items()}


HOUSE = plan(
    task("ground"), task("walls", "ground"), task("roof", "walls"), task("garden"), task("fence")
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


def fails(*ids: str, times: int = 9) -> Work:
    def work(task: Task, attempt: int) -> Answer:
        return "no" if task.id in ids and attempt <= times else does(task, attempt)

    return work


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


# -- changes by roles ---------------------------------------------------------------------------


def judging(change: TaskChange, *parts: Any) -> Workflow:
    """A foreman looks at all after every wave, and says one thing once."""

    async def look(view: View) -> Payload:
        said = any(isinstance(entry.payload, TaskChange) for entry in view.entries)
        return Note(text="good") if said else change

    foreman = Role("foreman", writes=(TaskChange, Note), program=look)
    graph = Graph(
        start(planner),
        handoff(planner, worker),
        handoff(worker, foreman),
        handoff(foreman, worker, when=tasks_ready),
        finish(foreman, when=~tasks_ready),
        stop(when=turns(12)),
        *parts,
    )
    return Workflow(graph, model=minds([plan(task("A"), task("B", "A"), task("C", "B"))]))


def test_a_role_may_skip_a_task_and_what_needs_it_goes_on() -> None:
    skip = TaskChange(id="B", change="skipped", reason="there is one already")
    result = judging(skip).run_sync("g")
    assert (waves(result), stands(result)) == (
        [["A"], ["C"]],
        {"A": "done", "B": "skipped", "C": "done"},
    )


def test_a_role_may_adjust_a_task_before_it_is_done() -> None:
    now = task("B", title="do B better")
    change = TaskChange(id="B", change="adjusted", reason="the goal asks for it", task=now)
    result = judging(change).run_sync("g")
    assert waves(result) == [["A"], ["B"], ["C"]]
    titles = {e.payload.id: e.payload.title for e in result.entries if isinstance(e.payload, Task)}
    assert titles["B"] == "do B better"


def test_a_role_may_have_a_task_done_once_more() -> None:
    change = TaskChange(id="A", change="adjusted", reason="once more", task=task("A"))
    assert waves(judging(change).run_sync("g")) == [["A"], ["A"], ["B"], ["C"]]


def test_what_a_role_calls_failed_is_done_again_by_the_rule() -> None:
    failed_ = TaskChange(id="A", change="failed", reason="it does not hold water")
    result = judging(failed_, PlanRule(attempts=2)).run_sync("g")
    assert waves(result) == [["A"], ["A"], ["B"], ["C"]]
    assert [e.detail for e in payloads(result, Task) if e.id == "A"] == [
        "", "Attempt 1 failed: it does not hold water",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (TaskChange(id="X", change="done", reason="r"), "there is no task 'X' to be changed"),
        (
            TaskChange(id="A", change="adjusted", reason="r", task=task("A", "C")),
            "task A could never be taken up: A needs C, which needs B, which needs A",
        ),
        (
            TaskChange(id="A", change="adjusted", reason="r", task=task("A", "Q")),
            "task A could never be taken up: A needs Q, and no task has that id",
        ),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(change: TaskChange, said: str) -> None:
    result = judging(change).run_sync("g")
    assert payloads(result, Fault)[0].message.startswith(said)
    assert payloads(result, TaskChange) == []


def test_what_keeps_the_next_task_from_being_taken_up_is_told() -> None:
    graph = Graph(
        start(planner),
        handoff(planner, worker),
        handoff(worker, worker),
        finish(worker, when=~tasks_ready & ~task_failed),
        stop(when=turns(9)),
    )
    mind = minds([plan(task("A"), task("B", "A"))], fails("A"))
    result = Workflow(graph, model=mind).run_sync("g")
    assert result.reason == "no_candidate"
    assert "worker → worker (B waits for A, which is failed)" in result.message


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
    with pytest.raises(DeclarationError, match="from 1 on"):
        PlanRule(attempts=0)
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


# -- whatever is planned, whoever fails, wherever it breaks off ---------------------------------


def failing(often: Mapping[str, int]) -> Work:
    return lambda task, attempt: "no" if attempt <= often.get(task.id, 0) else does(task, attempt)


fates = st.dictionaries(st.sampled_from([f"T{n}" for n in range(8)]), st.integers(0, 3), max_size=5)


def check_course(entries: Sequence[Entry], given_plan: Plan, limit: int) -> None:
    """That every task was taken up after what it needs was done, and so many beside each other."""
    tasks = {str(e.address): e.payload for e in entries if isinstance(e.payload, Task)}
    done: dict[str, int] = {}
    for entry in entries:
        if isinstance(entry.payload, Decision):
            plans_ = [p for p in entry.payload.strands if p.cause is not None]
            assert len(plans_) <= limit
            taken = [tasks[plan_.cause or ""] for plan_ in plans_]
            assert len({each.id for each in taken}) == len(taken)
            for each in taken:
                assert each.id not in done
                assert all(done.get(need, entry.turn) < entry.turn for need in each.needs)
        elif isinstance(entry.payload, Artifact):
            done[entry.payload.summary.partition(" ")[0]] = entry.turn


@given(sound_plans(), fates, st.integers(1, 4))
@settings(max_examples=40)
def test_every_task_runs_after_what_it_needs_so_many_at_once_and_ends_in_one_way(
    given_plan: Plan, often: Mapping[str, int], limit: int
) -> None:
    result = team(minds([given_plan], failing(often)), strands=limit).run_sync("g")
    check_course(sorted(result.entries, key=lambda e: e.address), given_plan, limit)
    status = stands(result)
    assert list(status) == [task.id for task in given_plan.tasks]
    for each in given_plan.tasks:
        lost = often.get(each.id, 0) >= 2
        behind = any(status[need] == "skipped" for need in each.needs)
        assert status[each.id] == ("skipped" if lost or behind else "done")
    anything = not status or "done" in status.values()
    assert result.outcome == ("finished" if anything else "stopped")
    made = [change.id for change in payloads(result, TaskChange) if change.change == "skipped"]
    assert sorted(made) == sorted(id for id, end in status.items() if end == "skipped")


@given(sound_plans(), fates, st.integers(1, 4), st.integers(0, 300))
@settings(max_examples=30)
def test_a_run_of_a_plan_replays_and_goes_on_from_wherever_it_broke_off(
    given_plan: Plan, often: Mapping[str, int], limit: int, cut: int
) -> None:
    async def run() -> None:
        journal, workflow = Stages(), team(minds([given_plan], failing(often)), strands=limit)
        whole = await workflow.run("g", journal=journal)
        assert (await Record(journal, whole.run).replay(workflow)).identical
        length = next(e.seq for e in whole.entries if isinstance(e.payload, Termination))
        rest = journal.until(1 + cut % length)
        if len(list(rest.read(whole.run))) > length:
            return  # its last commit held the end as well
        again = await workflow.resume(whole.run, journal=rest).result()
        assert again.state.plan == whole.state.plan
        assert (again.outcome, again.text) == (whole.outcome, whole.text)
        assert waves(again) == waves(whole)
        assert (await Record(rest, whole.run).replay(workflow)).identical

    asyncio.run(run())


def cut_at(journal: Stages, entries: int) -> Stages:
    """The journal as it would be if its first entries and no more had been committed."""
    found = Stages()
    for batch in journal.batches:
        left = entries - batch.expected
        if left > 0:
            headers, digests, salts, bodies = batch.sealed
            sealed = Sealed(headers[:left], digests[:left], salts[:left], bodies[:left])
            named = b"".join(sealed.headers)
            kept = [each for each in batch.kept if each.commitment.hex().encode() in named]
            found.batches.append(batch._replace(sealed=sealed, kept=kept))
    return found.until(entries)


def test_a_run_that_broke_off_between_two_rulings_rules_as_it_did_before() -> None:
    async def run() -> None:
        journal, workflow = Stages(), team(minds([HOUSE], fails("walls")))
        whole = await workflow.run("Build a house.", journal=journal)
        first = next(e for e in whole.entries if (e.kind, e.turn) == ("TaskChange", 4))
        rest = cut_at(journal, first.seq + 1)
        again = await workflow.resume(whole.run, journal=rest).result()
        assert changes(again) == changes(whole)
        assert again.state.plan == whole.state.plan
        assert (await Record(rest, whole.run).replay(workflow)).identical

    asyncio.run(run())


def test_a_fork_goes_on_with_the_plan_as_it_stood() -> None:
    async def run() -> None:
        journal = MemoryJournal()
        hopeless = team(minds([HOUSE], fails("walls")))
        whole = await hopeless.run("Build a house.", journal=journal)
        assert stands(whole)["roof"] == "skipped"
        (last,) = [e for e in whole.entries if isinstance(e.payload, Decision) and e.turn == 4]
        better = hopeless.with_(model=minds([HOUSE]))
        fork = (
            await Record(journal, whole.run).fork(at=last.seq, workflow=better, fresh=True).result()
        )
        assert set(stands(fork).values()) == {"done"}
        assert fork.state.plan["walls"].attempts == 1
        assert waves(fork) == [*waves(whole)[:3], ["roof"]]

    asyncio.run(run())
