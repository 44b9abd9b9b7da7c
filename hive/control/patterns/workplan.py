"""A plan carried out side by side (control floor): the pattern, and the guards that look at tasks.

Graph(start(planner), *workplan(planner, worker, reporter), finish(reporter))
"""

from collections import Counter
from typing import Literal, get_args

from hive.board.contributions import Plan, Review, Task, TaskChange
from hive.board.state import State
from hive.board.tasks import is_met
from hive.control.graphs.algebra import Guard, Need
from hive.control.graphs.edge import Edge, handoff, stop
from hive.control.guards.guard import at_least_one, failed, turns
from hive.control.patterns.planrule import PlanRule
from hive.errors import GraphError
from hive.role import Role

__all__ = ["plans", "task_failed", "tasks_ready", "tasks_settled", "workplan"]

Failed = Literal["skip", "replan", "stop"]


def standing(state: State) -> str:
    """How many tasks stand how, in words: `2 done, 1 open`."""
    counts = Counter(known.status for known in state.plan.values())
    return ", ".join(f"{count} {status}" for status, count in counts.items()) or "no tasks"


def are_ready(state: State) -> bool:
    return any(
        known.status == "open" and all(is_met(need, state.plan) for need in known.needs)
        for known in state.plan.values()
    )


def are_settled(state: State) -> bool:
    if state.tasks or not (state.plan or state.count(Plan)):
        return False
    return not state.plan or any(known.status == "done" for known in state.plan.values())


def failures(state: State) -> str:
    named = [
        f"{id} failed at [{known.because}]"
        for id, known in state.plan.items()
        if known.status == "failed"
    ]
    return ", ".join(named) or "no task"


tasks_ready = Guard("tasks_ready", are_ready, loose="tasks may be added for ever", measure=standing)
"""Some task is open, and what it needs is settled."""

tasks_settled = Guard(
    "tasks_settled", are_settled, loose="a task may never be settled", measure=standing
)
"""Every task is done or skipped, and not all of them were skipped; or a Plan says that there is
nothing to do."""

task_failed = Guard(
    "task_failed",
    lambda state: any(known.status == "failed" for known in state.plan.values()),
    reason="gave_up",
    loose="no task may ever fail",
    measure=failures,
)
"""Some task has failed, and nothing was made of it."""


def plans(most: int) -> Guard:
    """Whether so many Plans have been posted. Bounds nothing: a planner may post none."""
    at_least_one("plans", most)
    return Guard(
        f"plans({most})",
        lambda state: state.count(Plan) >= most,
        needs=(Need(Plan),),
        loose="a planner may post no plan at all",
        measure=lambda state: state.count(Plan),
    )


def workplan(
    planner: Role,
    worker: Role,
    reporter: Role,
    *,
    critic: Role | None = None,
    inspector: Role | None = None,
    attempts: int = 2,
    on_failure: Failed = "skip",
    most_plans: int = 3,
    most_turns: int = 40,
) -> tuple[Edge | PlanRule, ...]:
    """The edges and the rule by which a plan is carried out: the planner posts a Plan, the worker
    takes up its tasks side by side as what they need is settled, and when all are settled the
    reporter says what came of it. How the planner comes to act, and what is done with the report,
    stands beside them in the graph.

    A critic sees the plan before anything is done. It approves by a Review, and may post a Plan of
    its own beside it; what it rejects goes back to the planner. An inspector looks after every turn
    at what was made, and says by TaskChanges which tasks have failed after all, for what they were
    to come to, before anything begins that needs them. A task that failed `attempts` times
    is skipped; or the planner is asked for another plan ("replan"); or the run stops ("stop"). The
    planner is asked again only while there are fewer than `most_plans`, and `most_turns` bounds
    the run. Raises GraphError for roles that could not do it.
    """
    check_roles(planner, worker, critic, inspector)
    if on_failure not in get_args(Failed):
        said = ", ".join(map(repr, get_args(Failed)))
        raise GraphError(f"workplan(on_failure={on_failure!r}): say one of {said}")
    last = planner if critic is None else critic
    enough = plans(most_plans)
    edges: list[Edge] = []
    if critic is not None:
        edges += [
            handoff(planner, critic, when=~failed(planner)),
            handoff(critic, planner, when=judged(critic, approved=False) & ~enough),
        ]
    passed = ~failed(planner) if critic is None else judged(critic, approved=True)
    edges += [
        handoff(last, reporter, when=passed & tasks_settled),
        handoff(last, worker, when=passed),
    ]
    hand, fit = worker, None
    if inspector is not None:
        edges.append(handoff(worker, inspector))
        hand, fit = inspector, ~failed(inspector)
    if on_failure == "replan":
        edges.append(handoff(hand, planner, when=task_failed & ~enough))
    if on_failure != "skip":
        edges.append(stop(when=task_failed & enough if on_failure == "replan" else task_failed))
    return (
        *edges,
        handoff(hand, worker, when=tasks_ready if fit is None else fit & tasks_ready),
        handoff(hand, reporter, when=tasks_settled if fit is None else fit & tasks_settled),
        stop(when=turns(most_turns)),
        PlanRule(attempts, "skip" if on_failure == "skip" else "leave"),
    )


def judged(critic: Role, *, approved: bool) -> Guard:
    """Whether a role has approved, or not approved, in the turn just closed."""
    key = f"{critic.name}/{Review.kind}"

    def test(state: State) -> bool:
        entry = state.newest.get(key)
        if entry is None or entry.turn != state.turn or not isinstance(entry.payload, Review):
            return False
        return entry.payload.approved is approved

    word = "approved" if approved else "rejected"
    needs = (Need(Review, critic.name),)
    return Guard(
        f"{word}({critic.name})", test, needs=needs, strict=True, loose="it may never judge so"
    )


def check_roles(planner: Role, worker: Role, critic: Role | None, inspector: Role | None) -> None:
    """Raise GraphError for roles that could not carry a plan out together."""
    if Plan not in planner.writes:
        raise GraphError(
            f"workplan: role {planner.name!r} writes no Plan; give it writes=(Plan,)",
            [planner.name],
        )
    if worker.per is not Task:
        raise GraphError(
            f"workplan: role {worker.name!r} does not take one strand per task; give it per=Task",
            [worker.name],
        )
    if critic is not None and Review not in critic.writes:
        raise GraphError(
            f"workplan: role {critic.name!r} writes no Review; give it writes=(Review,)",
            [critic.name],
        )
    if inspector is not None and TaskChange not in inspector.writes:
        raise GraphError(
            f"workplan: role {inspector.name!r} writes no TaskChange; give it writes=(TaskChange,)",
            [inspector.name],
        )
