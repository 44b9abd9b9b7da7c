"""The control loop: who acts after whom, side by side or in turn, and how runs end."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hive import (
    Budget,
    EpsilonGreedy,
    Finding,
    Graph,
    Limits,
    Note,
    Review,
    Role,
    RoundRobin,
    State,
    Tally,
    Task,
    View,
    Workflow,
    approved,
    cost,
    elapsed,
    failed,
    finish,
    guard,
    handoff,
    posted,
    rejected,
    stalled,
    start,
    stop,
    tokens,
    turns,
)
from hive.board.records import Complexity, Decision, Fault, Synthesis, Termination
from hive.control import Choice, Chooser, Mention, OneModel, RuleEstimator, Situation
from hive.control.graphs.graph import Ending
from hive.journal.memory import MemoryJournal
from hive.message import Reply, Request, Text, ToolUse, Usage
from hive.models import Model, ModelCard
from hive.models.catalog import Prices
from hive.run import Result
from hive.testing import FunctionModel, Gate, GatedModel, ManualClock, ScriptedModel
from tests.sound import sound

a, b, c = Role("a"), Role("b"), Role("c")


def says(request: Request) -> str:
    """A mind that says how far it sees: its role, and the number of entries shown."""
    return f"{role_of(request)} sees {len(request.messages[0].parts) - 1}"


def role_of(request: Request) -> str:
    return request.system.split("'")[1]


TALK = FunctionModel(says)


def run(graph: Any, goal: str = "g", **options: Any) -> Result:
    """A run to its end, whose board is sound."""
    options.setdefault("model", TALK)
    result = Workflow(graph, **options).run_sync(goal, seed=1)
    sound(result.entries)
    return result


def acted(result: Result) -> list[tuple[str, ...]]:
    """Who acted, turn by turn."""
    return [tuple(plan.strand for plan in decision.strands) for decision in decisions(result)]


def decisions(result: Result) -> list[Decision]:
    return [entry.payload for entry in result.entries if isinstance(entry.payload, Decision)]


def notes(result: Result) -> dict[str, str]:
    """Address of each note, without its place, to its text."""
    return {
        f"{entry.address.turn}/{entry.address.strand}": entry.payload.text
        for entry in result.entries
        if isinstance(entry.payload, Note)
    }


def ending(result: Result) -> Termination:
    (found,) = [entry.payload for entry in result.entries if isinstance(entry.payload, Termination)]
    return found


def test_a_chain_runs_from_the_goal_to_its_last_role() -> None:
    result = run(a >> b >> c)
    assert acted(result) == [("a",), ("b",), ("c",)]
    assert notes(result) == {"1/a": "a sees 1", "2/b": "b sees 2", "3/c": "c sees 3"}
    assert (result.outcome, result.reason, result.turns) == ("finished", "goal_reached", 3)
    assert result.text == "c sees 3"
    assert [str(entry.address) for entry in result.entries] == [
        "0//0", "0//1", "1//0", "1/a/0.0", "1/a/0.1", "1/a/0.2", "2//0", "2/b/0.0", "2/b/0.1",
        "2/b/0.2", "3//0", "3/c/0.0", "3/c/0.1", "3/c/0.2", "4//0", "4//1",
    ]  # fmt: skip
    assert [entry.author for entry in result.entries[:3]] == ["coordinator", "user", "coordinator"]
    end = ending(result)
    assert (end.turns, end.outcome, end.guard) == (3, "finished", "")


def test_a_decision_holds_everything_that_went_into_it() -> None:
    graph = Graph(start(a), start(b), handoff(a, b), finish(b), stop(when=turns(5)))
    first, second = decisions(run(graph, "Fix the migration of the production database."))
    assert (first.policy, first.chosen, first.deterministic) == ("graph order", 0, True)
    assert [candidate.strands for candidate in first.candidates] == [("a",), ("b",)]
    assert [candidate.probability for candidate in first.candidates] == [1, 0]
    assert first.reason == "the first of 2 moves allowed: start → a"
    assert second.reason == "the only move allowed: a → b"
    assert first.features["turn"] == 0
    assert second.features["frontier"] == "a"
    assert first.complexity.level != "trivial"
    assert "domain: migration" in first.complexity.signals
    assert [plan.model for plan in first.strands] == ["program:says"]


def test_models_are_allotted_by_tier_role_or_for_all() -> None:
    small, large, own = (FunctionModel(says, name) for name in ("small", "large", "own"))
    models: dict[str, Model] = {"small": small, "large": large, "c": own}
    chain = a >> Role("b", tier="large") >> c
    easy = decisions(run(chain, "hi", model=None, models=models))
    assert [plan.model for d in easy for plan in d.strands] == [
        "program:small", "program:large", "program:own",
    ]  # fmt: skip
    assert [(p.key, p.tier, p.probability) for d in easy for p in d.strands] == [
        ("small", "small", 1), ("large", "large", 1), ("c", None, 1),
    ]  # fmt: skip
    goal = "Rewrite the concurrent payment migration for production: deadlocks, schema, security."
    hard = decisions(run(chain, goal, model=None, models=models))
    assert hard[0].strands[0].model == "program:large"
    one = decisions(run(chain, "hi", model=None, models=models, allocator=OneModel("large")))
    assert {plan.model for d in one for plan in d.strands} == {"program:large"}


@pytest.mark.asyncio
async def test_targets_act_side_by_side_and_a_join_waits_for_all_of_them() -> None:
    gate = Gate()
    graph = Graph(start((a, b)), handoff((a, b), c), finish(c), stop(when=turns(5)))
    workflow = Workflow(graph, model=GatedModel(TALK, gate, role_of))
    running = asyncio.create_task(workflow.run("g"))
    await gate.arrived("a", "b")
    gate.release("b")
    await gate.arrived("a")
    gate.release("a")
    await gate.arrived("c")
    gate.release("c")
    result = await running
    assert acted(result) == [("a", "b"), ("c",)]
    assert notes(result) == {"1/a": "a sees 1", "1/b": "b sees 1", "2/c": "c sees 3"}
    arrived = [entry.author for entry in result.entries if entry.kind == "Note"]
    assert arrived == ["b", "a", "c"]
    sound(result.entries)


def tasks_of(*ids: str) -> Role:
    async def plan(view: View) -> list[Task]:
        return [Task(id=each, title=each) for each in ids]

    return Role("planner", writes=(Task,), program=plan)


def test_a_per_role_gets_a_strand_for_each_entry_that_waits() -> None:
    worker = Role("worker", per=Task)
    planner = tasks_of("T1", "T2", "T3", "T4", "T5")
    graph = Graph(
        start(planner),
        handoff(planner, worker),
        handoff(worker, worker),
        finish(worker, when=~guard("waiting")(lambda state: bool(state.waiting("worker")))),
        stop(when=turns(9)),
    )
    result = run(graph, limits=Limits(strands=2))
    assert acted(result) == [
        ("planner",),
        ("worker@1.0", "worker@1.1"),
        ("worker@1.2", "worker@1.3"),
        ("worker@1.4",),
    ]
    causes = [plan.cause for decision in decisions(result)[1:] for plan in decision.strands]
    assert causes == [f"1/planner/0.{slot}" for slot in range(2, 7)]
    assert result.finished


def test_samples_are_independent_strands_of_one_role() -> None:
    seen: list[tuple[int, str]] = []

    def sampled(request: Request) -> str:
        seen.append((request.sample, request.digest))
        return f"sample {request.sample}"

    graph = Graph(start(a, samples=3), handoff(a, b), finish(b), stop(when=turns(3)))
    result = run(graph, model=FunctionModel(sampled))
    assert acted(result) == [("a#0", "a#1", "a#2"), ("b",)]
    assert [notes(result)[f"1/a#{number}"] for number in range(3)] == [
        "sample 0", "sample 1", "sample 2",
    ]  # fmt: skip
    assert sorted(sample for sample, _ in seen) == [0, 0, 1, 2]


FINDER = Role("finder", writes=(Finding,))


def never(state: State) -> bool:
    return False


def many(state: State) -> bool:
    return state.count(Note) >= 2


def circle(*edges: Any) -> Graph:
    """Two roles that go round, with a way out that is never taken."""
    out = guard("never")(never)
    return Graph(
        start(a), handoff(a, b), handoff(b, a), handoff(a, FINDER, when=out), finish(FINDER), *edges
    )


class Counting:
    """A model that uses tokens, money and a second of the clock; as b it refuses."""

    name = "openai:not-in-the-catalog"
    card = ModelCard(name, prices=Prices.usd(1, 1))

    def __init__(self, clock: ManualClock | None = None) -> None:
        self.clock = clock

    async def complete(self, request: Request) -> Reply:
        if self.clock is not None:
            self.clock.advance(seconds=1)
        if role_of(request) == "b":
            return Reply(parts=(Text(text="same"),), stop="refusal", usage=Usage(input=10))
        return Reply(parts=(Text(text="said"),), usage=Usage(input=30, output=20))


NOTED = Tally("noted", 0, lambda value, entry: int(str(value)) + (entry.kind == "Note"))


@pytest.mark.parametrize(
    ("when", "reason", "said"),
    [
        (turns(3), "turns_exhausted", "turns(3) held after turn 3 (turns(3): 3)"),
        (tokens(100), "tokens_exhausted", "tokens(100) held after turn 3 (tokens(100): 110)"),
        (cost(usd="0.0001"), "cost_exhausted", "held after turn 3 (cost(usd=0.0001): 0.00011)"),
        (elapsed(seconds=2), "time_exhausted", "elapsed(seconds=2) held after turn 2"),
        (stalled(turns=1), "stalled", "stalled(turns=1) held after turn 2"),
        (guard("many")(many), "guard", "many held after turn 3 (many: yes)"),
        (
            guard("tallied", tallies=[NOTED])(lambda state: state.tallies["noted"] == 2),
            "guard",
            "tallied held after turn 3",
        ),
        (failed(b), "guard", "failed(b) held after turn 2 (failed(b): yes)"),
        (failed(b) & turns(4), "turns_exhausted", "failed(b) & turns(4) held after turn 4"),
        (guard("never")(never) | turns(5), "turns_exhausted", "turns(5) held after turn 5"),
    ],
)
def test_a_stop_ends_the_run_with_its_reason_and_what_its_guard_saw(
    when: Any, reason: str, said: str
) -> None:
    clock = ManualClock()
    graph = circle(stop(when=when), *([] if when.eventually else [stop(when=turns(70))]))
    workflow = Workflow(graph, model=Counting(clock))
    result = workflow.run_sync("g", clock=clock)
    sound(result.entries)
    assert (result.outcome, result.reason) == ("stopped", reason)
    assert said in result.message
    assert result.message == ending(result).message
    assert result.text


def test_a_finish_comes_before_a_stop() -> None:
    graph = Graph(start(a), finish(a, when=turns(1)), stop(when=turns(1)))
    assert run(graph).reason == "goal_reached"


def reviews(*verdicts: bool) -> FunctionModel:
    left = iter(verdicts)

    def review(request: Request) -> str:
        if role_of(request) != "critic":
            return says(request)
        return Review(approved=next(left), reasons=("r",)).model_dump_json()

    return FunctionModel(review)


def test_a_review_sends_work_back_until_it_approves() -> None:
    critic = Role("critic", writes=(Review,))
    graph = Graph(
        start(a),
        handoff(a, critic),
        handoff(critic, a, when=rejected & ~turns(9)),
        finish(critic, when=approved),
        stop(when=turns(12)),
    )
    result = run(graph, model=reviews(False, False, True))
    assert acted(result) == [("a",), ("critic",)] * 3
    assert result.finished
    assert ending(result).guard == "approved"
    stuck = run(graph, model=reviews(*[False] * 9))
    assert (stuck.outcome, stuck.reason) == ("stopped", "no_candidate")


def test_where_no_move_is_allowed_the_run_stops_and_says_what_was_missing() -> None:
    critic = Role("critic", writes=(Review,))
    graph = Graph(
        start(a), handoff(a, critic, when=posted(Note) & turns(3)), finish(critic, when=approved),
        finish(a, when=turns(2)), stop(when=turns(9)),
    )  # fmt: skip
    result = run(graph, model=reviews())
    assert (result.outcome, result.reason) == ("stopped", "no_candidate")
    assert result.message.startswith("after a no move was allowed: a → critic when posted(Note)")
    assert "posted(Note): 1, turns(3): 1" in result.message
    assert "a → finish when turns(2)" in result.message


class Policy:
    """A user's policy that goes wrong in some way."""

    name = "mine"

    def __init__(self, decide: Callable[[Situation], Any]) -> None:
        self.decide = decide


def broken(situation: Situation) -> Choice:
    raise KeyError("no such candidate")


@pytest.mark.parametrize(
    ("decide", "says"),
    [
        (broken, "KeyError: 'no such candidate'"),
        (lambda s: None, "DeclarationError: mine: decide gave None; it must give a Choice"),
        (lambda s: Choice(9, (1.0,), (1.0,), "r"), "mine: index 9 is none of the"),
        (lambda s: Choice(0, (0.5,), (1.0,), "r"), "mine: "),
        (lambda s: s.rng.random(), "mine: decide gave 0."),
    ],
)
def test_a_policy_that_fails_ends_the_run_as_failed_with_its_record_kept(
    decide: Callable[[Situation], Any], says: str
) -> None:
    calls = iter(range(9))

    def first_right(situation: Situation) -> Any:
        if next(calls) == 0:
            return Choice(0, (1.0,), (1.0,), "the first turn")
        return decide(situation)

    journal = MemoryJournal()
    workflow = Workflow(a >> b, model=TALK, policy=Policy(first_right))
    result = workflow.run_sync("g", journal=journal)
    sound(result.entries)
    assert (result.outcome, result.reason) == ("failed", "policy_error")
    assert says in result.message
    assert notes(result) == {"1/a": "a sees 1"}
    assert len(list(journal.read(result.run))) == len(result.entries)


def test_an_estimator_that_fails_ends_the_run_as_failed_with_its_record_kept() -> None:
    class Lost:
        def estimate(self, goal: str, state: State) -> Complexity:
            if state.turn:
                raise KeyError("no such word")
            return RuleEstimator().estimate(goal, state)

    result = Workflow(a >> b, model=TALK, estimator=Lost()).run_sync("g")
    sound(result.entries)
    assert (result.outcome, result.reason) == ("failed", "policy_error")
    assert "KeyError: 'no such word'" in result.message
    assert notes(result) == {"1/a": "a sees 1"}


def with_finder() -> Graph:
    """Three roles that may all act after each other, with a way out from turn 8 on."""
    roles = (a, b, c)
    return Graph(
        *(start(role) for role in roles),
        *(handoff(one, other) for one in roles for other in roles if one is not other),
        *(handoff(role, FINDER, when=turns(8)) for role in roles),
        finish(FINDER),
        stop(when=turns(9)),
    )


def test_round_robin_gives_everyone_a_turn_before_anyone_has_two() -> None:
    result = run(with_finder(), policy=RoundRobin())
    assert acted(result)[:6] == [("a",), ("b",), ("c",), ("a",), ("b",), ("c",)]
    assert decisions(result)[3].reason == "a last acted in turn 1, longest ago of all"


def test_direction_by_mention_follows_handoffs_and_names() -> None:
    said = {"a": "I think @c should look at it", "c": "b, please", "b": "nothing to say"}
    result = run(with_finder(), model=FunctionModel(lambda r: said[role_of(r)]), policy=Mention())
    assert acted(result)[:3] == [("a",), ("c",), ("b",)]
    reasons = [decision.reason for decision in decisions(result)]
    assert reasons[1] == "a named c in its newest contribution"
    assert reasons[3].startswith("nobody who may act was named; graph order: ")


def test_an_advisor_is_asked_before_the_decision_and_told_the_moves() -> None:
    asked: list[str] = []

    def choose(request: Request) -> str:
        if role_of(request) != "chooser":
            return says(request)
        asked.append(request.messages[0].text)
        picks = ['{"move": "c", "reason": "c knows"}', '{"move": "2", "reason": "its turn"}']
        return [*picks, '{"move": "zoe", "reason": "?"}', "no JSON"][min(len(asked) - 1, 3)]

    result = run(with_finder(), model=FunctionModel(choose), policy=Chooser())
    assert acted(result)[:3] == [("c",), ("b",), ("a",)]
    reasons = [decision.reason for decision in decisions(result)]
    assert reasons[0] == "chooser chose c: c knows"
    assert reasons[2].startswith("chooser chose 'zoe', which is none of ")
    assert reasons[3].startswith("chooser gave no advice; graph order instead: ")
    assert "The moves allowed now:\n1. a (start → a)" in asked[0]
    assert "1. a (c → a)" in asked[1]
    first = decisions(result)[0]
    assert (first.policy, first.advisors) == ("chosen by chooser", ("chooser",))
    assert first.deterministic
    advice = [e.seq for e in result.entries if e.address.strand == "chooser" and e.kind == "Choose"]
    decided = [e.seq for e in result.entries if e.kind == "Decision"]
    assert advice[0] < decided[0]
    assert result.entries[advice[0]].address.turn == 1
    assert result.state.frontier != ("chooser",)


def test_an_advisor_that_fails_leaves_the_choice_to_the_fallback() -> None:
    def choose(request: Request) -> str:
        if role_of(request) == "chooser":
            raise ConnectionError("no answer")
        return says(request)

    result = run(with_finder(), model=FunctionModel(choose), policy=Chooser())
    assert acted(result)[0] == ("a",)
    faults = [e for e in result.entries if isinstance(e.payload, Fault)]
    assert {fault.address.strand for fault in faults} == {"chooser"}


@given(st.integers(0, 2**48 - 1))
@settings(max_examples=25)
def test_chance_comes_from_the_seed_and_nothing_else(seed: int) -> None:
    workflow = Workflow(with_finder(), model=TALK, policy=EpsilonGreedy(RoundRobin(), 0.5))
    one, other = (decisions(workflow.run_sync("g", seed=seed)) for _ in range(2))
    assert one == other
    for decision in one:
        probabilities = [candidate.probability for candidate in decision.candidates]
        assert sum(probabilities) == pytest.approx(1)
        if len(probabilities) > 1:
            assert not decision.deterministic
            assert min(probabilities) == pytest.approx(0.5 / len(probabilities))
            assert probabilities[decision.chosen] > 0


def test_seeds_differ_between_runs_unless_they_are_given() -> None:
    workflow = Workflow(with_finder(), model=TALK, policy=EpsilonGreedy(RoundRobin(), 1.0))
    results = [workflow.run_sync("g") for _ in range(12)]
    assert len({tuple(acted(result)) for result in results}) > 1


@pytest.mark.asyncio
@pytest.mark.parametrize("error", [ValueError("a bug"), RecursionError(), OSError("disk")])
async def test_a_strand_that_fails_cancels_none_of_its_siblings(error: Exception) -> None:
    gate = Gate()

    async def answer(request: Request) -> str:
        await gate.enter(role_of(request))
        if role_of(request) == "a":
            raise error
        return "b is fine"

    graph = Graph(
        start((a, b)), handoff((a, b), c, when=~failed(a)), finish((a, b), when=failed(a)),
        handoff(b, c, when=failed(a)), finish(c), stop(when=turns(4)),
    )  # fmt: skip
    running = asyncio.create_task(Workflow(graph, model=FunctionModel(answer)).run("g"))
    await gate.arrived("a", "b")
    gate.release("a")
    await gate.arrived("b")
    gate.release("b", "c")
    result = await running
    assert acted(result) == [("a", "b"), ("c",)]
    assert notes(result)["1/b"] == "b is fine"
    (fault,) = [e for e in result.entries if isinstance(e.payload, Fault)]
    assert (str(fault.address), fault.author) == ("1/a/0.1", "a")
    sound(result.entries)


def test_what_failed_is_not_finished() -> None:
    refusing = FunctionModel(lambda request: Reply(parts=(), stop="refusal"))
    result = run(a, model=refusing)
    assert (result.outcome, result.reason) == ("stopped", "no_candidate")
    assert "a failed: the model refused" in result.message


def test_a_refused_write_is_read_by_the_next_role_and_the_run_goes_on() -> None:
    many = Role("many", writes=(Note, Finding), corrections=0)
    graph = Graph(start(many), handoff(many, b), finish(b), stop(when=turns(3)))
    shown: list[str] = []

    def answer(request: Request) -> str | ToolUse:
        if role_of(request) == "many":
            return ToolUse(id="1", name="post_Plan", arguments={"summary": "s"})
        shown.extend(part.text for part in request.messages[0].parts if isinstance(part, Text))
        return "went on"

    result = run(graph, model=FunctionModel(answer))
    assert result.finished
    assert any("role 'many' may not write Plan; it writes Finding, Note" in text for text in shown)


class Numbered:
    """A synthesis that counts."""

    def synthesise(self, board: Any, ending: Ending) -> str:
        return f"{len(board.entries)} entries, {ending.reason}"


def test_the_answer_is_made_from_the_board() -> None:
    result = run(a >> b, synthesis=Numbered())
    assert result.text == "11 entries, goal_reached"
    (said,) = [entry.payload for entry in result.entries if isinstance(entry.payload, Synthesis)]
    assert said == Synthesis(text=result.text)


def test_time_is_read_from_entries_and_a_deadline_cancels_what_still_runs() -> None:
    clock = ManualClock()

    def late(situation: Situation) -> Choice:
        if situation.state.turn == 1:
            clock.advance(seconds=100)
        return Choice(0, (1.0,), (1.0,), "r")

    gate = Gate()
    gate.release("a")
    workflow = Workflow(
        a >> b,
        model=GatedModel(TALK, gate, role_of),
        policy=Policy(late),
        budget=Budget(seconds=50),
    )
    result = workflow.run_sync("g", clock=clock)
    assert (result.outcome, result.reason) == ("stopped", "time_exhausted")
    assert result.message == "the budget(seconds=50) is used up"
    assert gate.waiting == ()
    assert [e.payload.code for e in result.entries if isinstance(e.payload, Fault)] in (
        ["cancelled"], ["withdrawn"],
    )  # fmt: skip
    sound(result.entries)


def test_a_deadline_between_turns_is_a_budget_used_up() -> None:
    clock = ManualClock()
    result = Workflow(a >> b, model=Counting(clock), budget=Budget(seconds=1)).run_sync(
        "g", clock=clock
    )
    assert (result.outcome, result.reason) == ("stopped", "budget_exhausted")
    assert result.message == "the budget(seconds=1) is used up"


@pytest.mark.asyncio
async def test_a_deadline_binds_advisors_too() -> None:
    clock, gate = ManualClock(), Gate()

    def slow(request: Request) -> str:
        clock.advance(seconds=100)
        return says(request)

    models: dict[str, Model] = {
        "*": FunctionModel(slow),
        "chooser": GatedModel(ScriptedModel(["never"]), gate, "chooser"),
    }
    workflow = Workflow(with_finder(), models=models, policy=Chooser(), budget=Budget(seconds=0))
    async with asyncio.timeout(10):
        result = await workflow.run("g", clock=clock)
    assert result.outcome == "stopped"
    assert result.reason in ("time_exhausted", "budget_exhausted")
