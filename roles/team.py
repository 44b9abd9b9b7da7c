"""The team that repairs a Python project: five roles, the graph of their handoffs, when it ends.

hive run roles.team:repair "make the tests pass" --workspace DIR
"""

from dataclasses import replace

from hive import (
    ByComplexity,
    Graph,
    Guard,
    Limits,
    Plan,
    Review,
    Role,
    State,
    Workflow,
    elapsed,
    finish,
    guard,
    handoff,
    latest,
    stalled,
    start,
    stop,
    tests_pass,
    turns,
)
from hive.control import TABLE, RuleEstimator, Weights, Words, disagreed, level, ruled
from roles.account import Account
from roles.arbiter import arbiter
from roles.coder import coder
from roles.offline.minds import MINDS
from roles.planner import planner
from roles.researcher import researcher
from roles.reviewer import reviewer

__all__ = ["repair"]


@guard("sent back", kinds=(Review,))
def sent_back(state: State) -> bool:
    """The last turn's review refused the work."""
    entry = state.newest.get(Review.kind)
    review = None if entry is None or entry.address.turn < state.turn else entry.payload
    return isinstance(review, Review) and not review.approved


def asks_for(source: Role, target: Role) -> Guard:
    """Whether a role has asked, in the last turn, that a certain other one go on."""
    asked = (source.name, target.name)
    return guard(f"{source.name} asks for {target.name}")(lambda state: asked in state.handoffs)


nothing_to_do = latest(Plan, lambda plan: not plan.tasks, name="nothing to do", author=planner)


@guard("the coder is alone")
def alone(state: State) -> bool:
    """Nobody else has acted so far."""
    return state.acted.keys() <= {coder.name}


graph = Graph(
    # A trivial repair takes one role; the others are called when it has not done.
    start(coder, when=level("trivial")),
    finish(coder, when=alone & tests_pass),
    handoff(coder, planner, when=alone & ~tests_pass),
    start(planner, when=~level("trivial")),
    handoff(planner, arbiter, when=nothing_to_do & tests_pass),
    handoff(planner, researcher),
    handoff(researcher, coder),
    handoff(coder, researcher, when=~alone & asks_for(coder, researcher)),
    handoff(coder, reviewer, when=~alone),
    handoff(
        reviewer,
        coder,
        when=sent_back & ~disagreed(coder, reviewer) | asks_for(reviewer, coder),
    ),
    handoff(reviewer, arbiter),
    handoff(arbiter, coder, when=ruled("revise") | asks_for(arbiter, coder)),
    # Accepted too early: somebody has to show first that the tests pass.
    handoff(arbiter, reviewer, when=ruled("accept") & ~tests_pass | asks_for(arbiter, reviewer)),
    finish(arbiter, when=tests_pass & ruled("accept")),
    stop(when=ruled("give_up") | stalled(turns=8) | turns(30) | elapsed(minutes=30)),
)

EFFORT = Weights(
    tasks=0.1,
    files=0.1,
    failing=0.03,
    rejections=2.5,
    faults=1.25,
    most=5.0,
    kinds=(*Weights().kinds, Words("scope: whole suite", 0.5, ("test", "suite", "everything"))),
    limits=(0.5, 2.5, 5.0, 7.5),
)
"""How hard a repair is judged to be: a small change that is named is trivial, some failing tests
are simple work for the small tier, one refusal or many tasks lift it into the large one."""

UNATTENDED = TABLE.with_(critical=replace(TABLE["critical"], checkpoint=False))
"""Here a class says how much effort a repair takes and not what is at stake: all that is touched
are files of the workspace, and each change is on record. So nobody is asked before hard work."""

repair = Workflow(
    graph,
    models=MINDS,
    allocator=ByComplexity(UNATTENDED),
    estimator=RuleEstimator(EFFORT),
    synthesis=Account(),
    limits=Limits(view_tokens=48_000),
    name="roles.team:repair",
)
"""The team. `models` seats programs that need no key; give any chair to a language model with
`repair.with_models(coder="openai:gpt-5-mini")`, or `--model coder=…` at the command."""
