"""What is wrong with a plan, with a true witness, and which of its tasks are urgent."""

from __future__ import annotations

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hive.board.contributions import Plan, Task
from hive.board.tasks import Standing
from hive.control import PlanFlaw, plan_flaws, task_graph
from hive.control.patterns.plan import chains, urgent_first


def task(id: str, *needs: str, title: str = "", detail: str = "") -> Task:
    return Task(id=id, title=title or f"do {id}", detail=detail, needs=needs)


def plan(*tasks: Task) -> Plan:
    return Plan(summary="s", done_when="d", tasks=tasks)


def test_a_sound_plan_has_no_flaws() -> None:
    assert plan_flaws(plan()) == ()
    assert plan_flaws(plan(task("A"), task("B", "A"), task("C", "A", "B"))) == ()


@pytest.mark.parametrize(
    ("tasks", "flaw"),
    [
        (
            (task("A", "C"), task("B", "A"), task("C", "B")),
            PlanFlaw(
                "cycle",
                "A needs C, which needs B, which needs A: none of them can be first",
                ("A", "C", "B", "A"),
            ),
        ),
        ((task("A"), task("B", "B")), PlanFlaw("own_need", "B needs itself", ("B", "B"))),
        (
            (task("parse"), task("print", "parser")),
            PlanFlaw(
                "unknown_need",
                "print needs parser, and no task has that id; there is parse",
                ("print", "parser"),
            ),
        ),
        (
            (task("A"), task("B", "zzz")),
            PlanFlaw(
                "unknown_need", "B needs zzz, and no task has that id; there is A", ("B", "zzz")
            ),
        ),
        (
            (task("A"), task("A", title="another")),
            PlanFlaw("doubled_id", "2 tasks have the id A", ("A",)),
        ),
        (
            (task("A", title="Mend the pump"), task("B", title="mend  the Pump")),
            PlanFlaw(
                "doubled_task", "A and B are the same task; leave out all but one", ("A", "B")
            ),
        ),
        ((task("A"), task("")), PlanFlaw("nameless", "task 2 has no id; call it T1", ("",))),
    ],
)
def test_a_plan_that_cannot_be_carried_out_says_why(
    tasks: tuple[Task, ...], flaw: PlanFlaw
) -> None:
    assert plan_flaws(plan(*tasks)) == (flaw,)


def test_equal_titles_with_different_details_are_different_tasks() -> None:
    tasks = (
        task("A", title="measure", detail="cellar"),
        task("B", title="measure", detail="attic"),
    )
    assert plan_flaws(plan(*tasks)) == ()


def test_what_is_settled_may_be_needed_and_keeps_its_id_for_itself() -> None:
    settled = {"A": "do A"}
    assert plan_flaws(plan(task("B", "A")), settled) == ()
    assert plan_flaws(plan(task("A"), task("B", "A")), settled) == ()
    (flaw,) = plan_flaws(plan(task("A", title="paint the door")), settled)
    assert (flaw.code, flaw.ids) == ("changed_done", ("A",))
    assert flaw.message == "A is settled already, as 'do A'; give new work a new id"


def test_all_flaws_are_told_at_once() -> None:
    tasks = (task("A", "B"), task("B", "A"), task("C", "C"), task("D", "X"), task("D"))
    assert {flaw.code for flaw in plan_flaws(plan(*tasks))} == {
        "cycle", "own_need", "doubled_id",
    }  # fmt: skip
    assert {flaw.code for flaw in plan_flaws(plan(*tasks[:4]))} == {
        "cycle", "own_need", "unknown_need",
    }  # fmt: skip


def test_the_graph_leads_from_what_is_needed_to_what_needs_it() -> None:
    graph = task_graph((task("A"), task("B", "A"), task("C", "B", "A")))
    assert list(nx.topological_sort(graph)) == ["A", "B", "C"]
    assert graph.nodes["B"]["task"].needs == ("A",)


names = [f"T{n}" for n in range(8)]


@st.composite
def sound_plans(draw: st.DrawFn) -> Plan:
    """A plan without a circle: each task needs some that are drawn before it, in any order."""
    ids = draw(st.permutations(names))[: draw(st.integers(0, 8))]
    tasks = [
        task(
            id,
            *draw(
                st.lists(st.sampled_from(ids[:n]), unique=True, max_size=4) if n else st.just([])
            ),
        )
        for n, id in enumerate(ids)
    ]
    return plan(*draw(st.permutations(tasks)))


@st.composite
def any_plans(draw: st.DrawFn) -> Plan:
    """Any plan at all: with circles, doubled ids, and needs of what is not there."""
    ids = draw(st.lists(st.sampled_from(names), min_size=1, max_size=6))
    needs = st.lists(st.sampled_from([*names, "T99"]), max_size=3).map(tuple)
    return plan(*[task(id, *draw(needs)) for id in ids])


@given(sound_plans())
def test_a_plan_without_a_circle_is_never_refused(given_plan: Plan) -> None:
    assert plan_flaws(given_plan) == ()


def is_sound(tasks: tuple[Task, ...]) -> bool:
    """Whether tasks can be carried out one after the other, by trying."""
    ids = [task.id for task in tasks]
    done: set[str] = set()
    while ready := [t for t in tasks if t.id not in done and {*t.needs} <= done]:
        done |= {task.id for task in ready}
    return len(set(ids)) == len(ids) == len(done)


def proves(flaw: PlanFlaw, tasks: tuple[Task, ...]) -> bool:
    """Whether what a flaw says is so, looked at by hand."""
    ids = [task.id for task in tasks]
    needs = {task.id: {*task.needs} for task in tasks}
    match flaw.code:
        case "cycle":
            steps = zip(flaw.ids, flaw.ids[1:], strict=False)
            closed = flaw.ids[0] == flaw.ids[-1] and len(set(flaw.ids)) == len(flaw.ids) - 1 > 1
            return closed and all(two in needs[one] for one, two in steps)
        case "own_need":
            return flaw.ids[0] in needs[flaw.ids[0]]
        case "unknown_need":
            return flaw.ids[1] in needs[flaw.ids[0]] and flaw.ids[1] not in ids
        case "doubled_id":
            return ids.count(flaw.ids[0]) > 1
        case _:
            return False


@given(any_plans())
def test_a_plan_is_refused_just_when_it_cannot_be_carried_out_and_each_flaw_is_true(
    given_plan: Plan,
) -> None:
    flaws = plan_flaws(given_plan)
    assert (not flaws) == is_sound(given_plan.tasks)
    for flaw in flaws:
        assert proves(flaw, given_plan.tasks), flaw


def standings(*tasks: Task) -> dict[str, Standing]:
    return {t.id: Standing("open", f"1.{n}", t.needs) for n, t in enumerate(tasks, 1)}


def test_those_are_urgent_on_which_the_longest_chain_waits() -> None:
    known = standings(
        task("lone"), task("root"), task("mid", "root"), task("leaf", "mid"), task("other")
    )
    assert chains(known) == {"lone": 1, "root": 3, "mid": 2, "leaf": 1, "other": 1}
    assert urgent_first(("1.1", "1.2", "1.5"), known) == ["1.2", "1.1", "1.5"]
    known["mid"] = known["mid"]._replace(status="done")
    assert urgent_first(("1.1", "1.2", "1.5"), known) == ["1.1", "1.2", "1.5"]


def test_what_is_no_task_and_what_waits_in_a_circle_is_not_urgent() -> None:
    known = standings(task("A", "B"), task("B", "A"), task("C"), task("D", "C"))
    assert urgent_first(("7.0", "1.1", "1.3"), known) == ["1.3", "1.1", "7.0"]


@given(sound_plans())
def test_the_longest_chain_is_that_of_the_graph(given_plan: Plan) -> None:
    graph = task_graph(given_plan.tasks)
    lengths = chains(standings(*given_plan.tasks))
    assert max(lengths.values(), default=0) == (
        nx.dag_longest_path_length(graph) + 1 if graph.nodes else 0
    )
    for one, two in graph.edges:
        assert lengths[one] > lengths[two]
