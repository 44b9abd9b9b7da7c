"""The coordinator is told whose calls the budget has room for: it takes a cheaper model, another
move, or the stop, and never lets a turn begin in which nobody could be asked."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hive import (
    Budget,
    Graph,
    Limits,
    Note,
    Role,
    RoundRobin,
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
from hive.audit.reasons import why
from hive.board.records import Decision, Fault, Inference, Level5, Shortage, StrandPlan
from hive.board.records import Request as Recorded
from hive.control import (
    Allocation,
    Allotment,
    ByComplexity,
    ByPreference,
    Chooser,
    Figure,
    Line,
    Pool,
    Situation,
)
from hive.control.allocating.allotment import TABLE
from hive.journal.memory import MemoryJournal
from hive.message import Reply, Request, Text
from hive.models.catalog import Prices
from hive.run import Result
from tests.control.budgets.test_budget_scopes import Greedy, look
from tests.sound import sound

LIMITS = Limits(output_tokens=600)
a, b = Role("a"), Role("b")
LARGE = ByComplexity(
    TABLE.with_(trivial=Allotment("large"), simple=Allotment("large"), critical=Allotment("small"))
)
"""Everybody is to get the large model for the work of these tests."""


def circle(length: int = 90) -> Graph:
    return Graph(
        start(a), handoff(a, b), handoff(b, a), finish(b, when=turns(length)),
        stop(when=turns(length + 10)),
    )  # fmt: skip


def two() -> dict[str, Greedy]:
    """Two models, of which one costs ten times what the other does."""
    dear = Prices.usd(10, 10)
    return {"large": Greedy(name="openai:large", prices=dear), "small": Greedy(name="openai:small")}


def run(workflow: Workflow, **options: Any) -> Result:
    """Run a workflow to its end; what it has on record is sound and replays."""
    journal = MemoryJournal()
    result = asyncio.run(workflow.run("the goal", journal=journal, seed=1, **options))
    sound(result.entries)
    replayed = asyncio.run(Record(journal, result.run).replay(workflow))
    assert replayed.identical, replayed.divergence
    return result


def of(result: Result, cls: type[Any]) -> list[Any]:
    return [entry.payload for entry in result.entries if isinstance(entry.payload, cls)]


def plans(result: Result) -> list[StrandPlan]:
    return [plan for decision in of(result, Decision) for plan in decision.strands]


@pytest.mark.parametrize(
    ("budget", "scope"),
    [
        (Budget(tokens=6_000), "the run may use 6000 tokens; "),
        (Budget(usd="0.006"), "the run may spend $0.006; "),
        (Budget(roles={"b": Budget(calls=2)}), "role 'b' has made all the calls it may: 2"),
        (Budget(roles={"b": Budget(turns=2)}), "role 'b' has had all the turns it may: 2"),
        (Budget(roles={"b": Budget(tokens=3_000)}), "role 'b' may use 3000 tokens; "),
        (Budget(strand=Budget(tokens=1_300)), "a strand may use 1300 tokens; 0 are used, "),
    ],
)
def test_a_run_in_which_nobody_can_be_asked_stops_with_what_it_has(
    budget: Budget, scope: str
) -> None:
    result = run(Workflow(circle(), model=Greedy(), budget=budget, limits=LIMITS))
    assert (result.outcome, result.reason) == ("stopped", "budget_exhausted")
    assert f"nobody can be asked any more; {result.message.split()[6]} {scope}" in result.message
    assert result.text == "said"
    assert of(result, Fault) == []  # nobody was asked in vain
    [short] = of(result, Shortage)
    assert len(short.left_out) == 1
    assert all(scope in short.roles[role]["*"] == why for role, why in short.left_out.items())


def test_where_the_large_model_no_longer_fits_the_cheaper_one_is_taken() -> None:
    budget = Budget(usd="0.05")
    workflow = Workflow(circle(), models=two(), allocator=LARGE, budget=budget, limits=LIMITS)
    result = run(workflow)
    keys = [plan.key for plan in plans(result)]
    large = keys.count("large")
    assert large >= 2
    assert keys == ["large"] * large + ["small"] * (len(keys) - large)
    assert len(keys) > large + 2
    because = [plan.because for plan in plans(result)]
    assert because[:large] == [""] * large
    assert because[large].startswith("openai:large does not fit: the run may spend $0.05; $0.0")
    assert result.reason == "budget_exhausted"
    first, *_, last = of(result, Shortage)
    assert (first.left_out, set(first.roles)) == ({}, {"b"})
    assert last.left_out == {role: keys["small"] for role, keys in last.roles.items()}


def figures(level: Level5 | None, large: float, small: float) -> tuple[Figure, ...]:
    """How good two models are at a class of work."""
    return (
        Figure("openai:large", accuracy=large, usd=1, level=level),
        Figure("openai:small", accuracy=small, usd=0, level=level),
    )


@pytest.mark.parametrize(
    ("known", "codes"),
    [
        (figures(None, 0.9, 0.6), []),
        # Of other work the small model would do, so that its room counts until it is to be chosen.
        ((*figures(None, 0.9, 0.8), *figures("trivial", 0.9, 0.6)), ["budget_exhausted"]),
    ],
)
def test_a_limit_of_the_preference_holds_where_only_a_model_that_breaks_it_has_room(
    known: tuple[Figure, ...], codes: list[str]
) -> None:
    lawful = ByPreference("quality,min_accuracy=0.7", known)
    workflow = Workflow(
        circle(), models=two(), allocator=lawful, budget=Budget(usd="0.05"), limits=LIMITS
    )
    result = run(workflow)
    assert {plan.key for plan in plans(result)} == {"large"}
    assert result.reason == "budget_exhausted"
    assert [fault.code for fault in of(result, Fault)] == codes
    free = workflow.with_(allocator=ByPreference("quality", known))
    assert {plan.key for plan in plans(run(free))} == {"large", "small"}


def test_a_tier_of_its_own_binds_a_role_beside_a_preference_too() -> None:
    pinned = a.with_(tier="large")
    graph = Graph(start(pinned), handoff(pinned, pinned), finish(pinned, when=turns(90)),
                  stop(when=turns(99)))  # fmt: skip
    quality = ByPreference("quality", figures(None, 0.9, 0.6))
    result = run(
        Workflow(graph, models=two(), allocator=quality, budget=Budget(usd="0.05"), limits=LIMITS)
    )
    assert {plan.key for plan in plans(result)} == {"large"}
    assert result.reason == "budget_exhausted"


def test_a_role_whose_own_model_does_not_fit_gets_the_model_for_everyone() -> None:
    models = {"a": two()["large"], "*": two()["small"]}
    budget = Budget(usd="0.04")
    result = run(Workflow(circle(), models=models, budget=budget, limits=LIMITS))
    keys = [plan.key for plan in plans(result) if plan.role == "a"]
    assert keys[0] == "a"
    assert keys[-1] == "*"


def test_a_role_that_is_pinned_to_a_tier_gets_no_other() -> None:
    pinned = Graph(
        start(a.with_(tier="large")), handoff(a.with_(tier="large"), b),
        handoff(b, a.with_(tier="large")), finish(b, when=turns(9)), stop(when=turns(20)),
    )  # fmt: skip
    workflow = Workflow(pinned, models=two(), budget=Budget(usd="0.02"), limits=LIMITS)
    result = run(workflow)
    assert {plan.key for plan in plans(result) if plan.role == "a"} == {"large"}
    assert of(result, Shortage)[-1].left_out.keys() == {"a"}
    assert "a: the run may spend $0.02; " in result.message


class Stubborn:
    """An allocator that knows of one model only."""

    def allocate(
        self,
        situation: Situation,
        line: Line,
        role: Role,
        complexity: object,
        models: Mapping[str, str],
    ) -> Allocation:
        return Allocation("large")


def test_an_allocator_that_knows_of_one_model_only_is_helped_to_the_dearest_that_fits() -> None:
    models = {**two(), "medium": Greedy(name="openai:medium", prices=Prices.usd(2, 2))}
    budget = Budget(usd="0.06")
    workflow = Workflow(circle(), models=models, allocator=Stubborn(), budget=budget, limits=LIMITS)
    keys = [plan.key for plan in plans(run(workflow))]
    assert list(dict.fromkeys(keys))[:2] == ["large", "medium"]


def test_a_move_of_others_is_made_where_one_role_has_nothing_left() -> None:
    c = Role("c")
    graph = Graph(
        start(a), handoff(a, b), handoff(a, c), handoff(b, a), handoff(c, a),
        finish(a, when=turns(9)), stop(when=turns(20)),
    )  # fmt: skip
    budget = Budget(roles={"b": Budget(calls=1)})
    workflow = Workflow(graph, model=Greedy(), budget=budget, policy=RoundRobin(), limits=LIMITS)
    result = run(workflow)
    assert result.finished
    assert [plan.role for plan in plans(result)].count("b") == 1
    open_to = [[c.strands for c in d.candidates] for d in of(result, Decision)]
    assert [("b",), ("c",)] in open_to
    assert [("c",)] in open_to


def test_a_move_is_made_as_long_as_somebody_in_it_can_be_asked() -> None:
    graph = Graph(
        start((a, b)), handoff((a, b), (a, b)), finish((a, b), when=turns(4)), stop(when=turns(9))
    )
    budget = Budget(roles={"b": Budget(calls=2)})
    result = run(Workflow(graph, model=Greedy(), budget=budget, limits=LIMITS))
    assert result.reason == "turns_exhausted"
    asked = [entry.author for entry in result.entries if isinstance(entry.payload, Recorded)]
    assert (asked.count("a"), asked.count("b")) == (9, 2)
    assert {fault.code for fault in of(result, Fault)} == {"budget_exhausted"}


def test_programs_need_no_budget() -> None:
    async def count(view: View) -> Note:
        return Note(text=str(len(view.entries)))

    graph = Graph(
        start(a), handoff(a, Role("counter", program=count)),
        finish(Role("counter", program=count)), stop(when=turns(5)),
    )  # fmt: skip
    budget = Budget(tokens=1_500)
    result = run(Workflow(graph, model=Greedy(), budget=budget, limits=LIMITS))
    assert result.finished
    assert 1_500 - result.tokens < 256


def test_siblings_take_the_cheaper_model_where_the_dear_one_does_not_fit_for_all() -> None:
    graph = Graph(start(a, samples=8), finish(a), stop(when=turns(3)))
    workflow = Workflow(
        graph, models=two(), allocator=LARGE, budget=Budget(usd="0.06"), limits=LIMITS
    )
    result = run(workflow)
    keys = [plan.key or "" for plan in plans(result)]
    assert set(keys) == {"large", "small"}
    assert keys == sorted(keys)  # the first keep what they were to have
    assert len(of(result, Inference)) == 8
    [short] = of(result, Shortage)
    assert set(short.strands) == {p.strand for p in plans(result) if p.key == "small"}
    small = next(plan for plan in plans(result) if plan.key == "small")
    assert small.because.startswith("openai:large does not fit: the run may spend $0.06; ")
    assert sum(plan.reserved for plan in plans(result)) <= 60_000_000


def test_why_a_turn_was_as_it_was_tells_all_that_was_short_in_it() -> None:
    graph = Graph(start(a, samples=8), finish(a), stop(when=turns(3)))
    huge = Greedy(name="openai:huge", prices=Prices.usd(1000, 1000))
    models = {"large": huge, "medium": two()["large"], "small": two()["small"]}
    workflow = Workflow(
        graph, models=models, allocator=Stubborn(), budget=Budget(usd="0.06"), limits=LIMITS
    )
    result = run(workflow)
    assert {plan.key for plan in plans(result)} == {"medium", "small"}
    found = why(result.run, result.entries, 1)
    assert found is not None
    assert found.short is not None
    assert found.short.roles["a"].keys() == {"large"}
    small = {plan.strand for plan in plans(result) if plan.key == "small"}
    assert found.short.strands.keys() == small
    assert all(keys.keys() == {"medium"} for keys in found.short.strands.values())


def test_runs_that_share_a_pool_are_told_of_what_is_left_in_it() -> None:
    async def both() -> list[Result]:
        with Pool("shared", Budget(tokens=6_000)) as pool:
            workflow = Workflow(circle(), model=Greedy(), limits=LIMITS)
            return [await workflow.run("the goal", pool=pool) for _ in range(2)]

    first, second = asyncio.run(both())
    assert (first.reason, second.reason) == ("budget_exhausted", "budget_exhausted")
    assert first.tokens + second.tokens <= 6_000
    assert "a: the pool 'shared' may use 6000 tokens; " in second.message
    assert (second.turns, of(second, Fault)) == (0, [])


def test_what_each_strand_needs_at_least_is_kept_from_its_siblings() -> None:
    """Without that the first of them would be granted all there is."""
    graph = Graph(start(a, samples=6), finish(a), stop(when=turns(3)))
    workflow = Workflow(graph, model=Greedy(), budget=Budget(tokens=9_500))
    result = run(workflow)
    assert len(of(result, Inference)) == 6
    most = [request.max_output for request in of(result, Recorded)]
    assert max(most) > min(most) >= 256
    least = {(plan.reserved, plan.reserved_tokens) for plan in plans(result)}
    assert len(least) == 1
    [(cost, tokens)] = least
    assert cost == tokens * 1_000
    granted = [request.grant_tokens for request in of(result, Recorded)]
    assert all(grant >= tokens for grant in granted)
    assert result.tokens <= 9_500


def test_tokens_are_not_saved_by_taking_a_cheaper_model() -> None:
    graph = Graph(start(a, samples=8), finish(a), stop(when=turns(3)))
    workflow = Workflow(graph, models=two(), allocator=LARGE, budget=Budget(tokens=6_000))
    result = run(workflow)
    assert {plan.key for plan in plans(result)} == {"large"}
    kept = [plan.reserved_tokens > 0 for plan in plans(result)]
    assert kept == sorted(kept, reverse=True)
    assert sum(kept) == len(of(result, Inference)) > 1


def test_as_long_as_there_is_plenty_no_request_is_made_up_to_look(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def looked(*given: object) -> None:
        raise AssertionError("a request was made up")

    monkeypatch.setattr("hive.rationing.first_request", looked)
    budget = Budget(usd=5, strand=Budget(usd=1), roles={"a": Budget(tokens=10_000_000)})
    result = run(Workflow(circle(40), model=Greedy(), budget=budget, limits=LIMITS))
    assert result.finished
    assert of(result, Shortage) == []
    assert {plan.reserved for plan in plans(result)} == {0}


def test_who_advises_is_offered_the_moves_that_can_be_made() -> None:
    c, chooser = Role("c"), Greedy()
    graph = Graph(
        start(a), handoff(a, b), handoff(a, c), handoff(a, a), handoff(b, a), handoff(c, a),
        finish(a, when=turns(5)), stop(when=turns(9)),
    )  # fmt: skip
    budget = Budget(roles={"b": Budget(calls=0)})
    workflow = Workflow(
        graph, models={"*": Greedy(), "chooser": chooser}, policy=Chooser(), budget=budget
    )
    result = run(workflow)
    agenda = chooser.asked[0].messages[0].text
    assert "1. c (" in agenda
    assert "b (" not in agenda
    assert [plan.role for plan in plans(result)].count("b") == 0


def test_a_fork_finds_short_what_its_parent_found_short() -> None:
    journal, models = MemoryJournal(), two()
    workflow = Workflow(
        circle(), models=models, allocator=LARGE, budget=Budget(usd="0.05"), limits=LIMITS
    )
    parent = asyncio.run(workflow.run("the goal", journal=journal, seed=1))
    before = len(models["small"].asked) + len(models["large"].asked)
    fork = asyncio.run(Record(journal, parent.run).fork(at="turn:2", workflow=workflow).result())
    assert len(models["small"].asked) + len(models["large"].asked) == before
    assert fork.paid_usd == 0
    assert (fork.cost_usd, fork.text) == (parent.cost_usd, parent.text)
    assert of(fork, Shortage) == of(parent, Shortage)
    assert [plan.key for plan in plans(fork)] == [plan.key for plan in plans(parent)]


planner = Role("planner", writes=(Task,), tools=(look,))
worker = Role("worker", per=Task, tools=(look,))


class Planning(Greedy):
    """Plans tasks of several lengths, and works on them."""

    async def complete(self, request: Request) -> Reply:
        reply = await super().complete(request)
        if "'planner'" not in request.system or reply.stop == "tools":
            return reply
        number = len(self.asked)
        task = Task(id=f"T{number}", title="long " * 40 * (number % 3))
        return reply.model_copy(update={"parts": (Text(text=task.model_dump_json()),)})


CAPS = st.one_of(
    st.integers(1_000, 25_000).map(lambda tokens: Budget(tokens=tokens)),
    st.integers(1_000, 60_000).map(lambda micro: Budget(usd=f"{micro / 1_000_000:f}")),
    st.integers(0, 9).map(lambda calls: Budget(calls=calls)),
)


@settings(max_examples=60, deadline=None)
@given(
    budget=st.builds(
        replace,
        CAPS,
        strand=st.none() | CAPS,
        roles=st.dictionaries(st.sampled_from(["planner", "worker"]), CAPS),
    ),
    samples=st.integers(1, 3),
    looks=st.integers(0, 2),
)
def test_no_turn_begins_in_which_nobody_could_be_asked(
    budget: Budget, samples: int, looks: int
) -> None:
    graph = Graph(
        start(planner, samples=samples), handoff(planner, worker), handoff(worker, planner),
        finish(worker, when=turns(9)), stop(when=turns(20)),
    )  # fmt: skip
    models = {
        "large": Planning(looks=looks, name="openai:large", prices=Prices.usd(10, 10)),
        "small": Planning(looks=looks, name="openai:small"),
    }
    workflow = Workflow(graph, models=models, allocator=LARGE, budget=budget, limits=LIMITS)
    result = run(workflow)
    decided = {e.address.turn for e in result.entries if isinstance(e.payload, Decision)}
    asked = {e.address.turn for e in result.entries if isinstance(e.payload, Recorded)}
    assert decided == asked
    assert budget.tokens is None or result.tokens <= budget.tokens
    assert budget.nano is None or result.state.spent <= budget.nano
    if result.reason == "budget_exhausted" and decided:
        assert result.text
