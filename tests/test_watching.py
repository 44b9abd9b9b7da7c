"""Runs that get no further are told so, then led another way, then stopped; by scripted minds that
wake up at each of these, or never. Everything is read from the board."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hive import (
    Budget,
    Graph,
    Guard,
    Note,
    Role,
    Task,
    Verdict,
    Workflow,
    finish,
    handoff,
    posted,
    start,
    stop,
    tool,
    turns,
)
from hive.audit import Record, factors
from hive.board.records import Decision, Termination
from hive.control import Watch, bloated, looped, open_tasks, repeated, stalled, stuck_at
from hive.errors import DeclarationError, GraphError
from hive.journal.memory import MemoryJournal
from hive.message import Reply, Request, ToolUse
from hive.models import FunctionModel, ModelCard
from hive.models.catalog import Prices
from hive.run import Result
from tests import test_stopping
from tests.sound import sound

DONE = ToolUse(
    id="1", name="post_Verdict", arguments={"ruling": "accept", "reasons": ["done"], "dissent": []}
)
NUDGE = "Think again."
worker = Role("worker", writes=(Note, Verdict))
other = Role("other", writes=(Note, Verdict))
planner = Role("planner", writes=(Note,))


def alone(*more: Any) -> Graph:
    """A worker that goes on until it is done."""
    return Graph(
        start(worker),
        handoff(worker, worker),
        *more,
        finish(worker, when=posted(Verdict)),
        stop(when=turns(20)),
    )


def with_another() -> Graph:
    """A worker that goes on, or somebody else in its place."""
    return Graph(
        start(worker),
        handoff(worker, worker),
        handoff(worker, other),
        handoff(other, worker),
        finish(worker, when=posted(Verdict)),
        finish(other, when=posted(Verdict)),
        stop(when=turns(20)),
    )


def told(request: Request) -> bool:
    return NUDGE in request.messages[0].text


def stubborn(request: Request) -> str | ToolUse:
    return "the same"


def wakes(request: Request) -> str | ToolUse:
    return DONE if told(request) else "the same"


def named(name: str) -> Callable[[Request], str | ToolUse]:
    """Only a role of a name gets anywhere."""
    return lambda request: DONE if f"'{name}'" in request.system else "the same"


class Dear:
    """A model that a budget of a dollar has no room for."""

    name = "openai:dear"
    card = ModelCard(name, prices=Prices.usd(10_000, 10_000))

    async def complete(self, request: Request) -> Reply:
        raise AssertionError("it is asked")


WATCH = Watch(looped(times=2), NUDGE, patience=2)
"""Holds first after turn 2."""


def run(graph: Graph, mind: Any, **options: Any) -> Result:
    given: dict[str, Any] = {"watches": (WATCH,), "model": FunctionModel(mind)} | options
    result = Workflow(graph, **given).run_sync("g", seed=1)
    sound(result.entries)
    return result


def decisions(result: Result) -> list[Decision]:
    return [entry.payload for entry in result.entries if isinstance(entry.payload, Decision)]


def acted(result: Result) -> list[str]:
    return ["+".join(plan.role for plan in each.strands) for each in decisions(result)]


def nudged(result: Result) -> list[int]:
    """The turns in which roles were told something."""
    return [turn for turn, each in enumerate(decisions(result), 1) if each.nudge]


def test_who_wakes_up_at_the_nudge_goes_on_as_if_nothing_had_been() -> None:
    result = run(alone(), wakes)
    assert (result.outcome, result.turns) == ("finished", 3)
    assert nudged(result) == [3]
    assert decisions(result)[2].nudge == (
        f"{NUDGE} (Seen: looped(times=2): 2; last came [2/worker/0.2].)"
    )
    assert "change" not in decisions(result)[2].features


def test_who_hears_nothing_is_led_another_way_and_then_stopped() -> None:
    result = run(alone(), stubborn)
    end = next(e.payload for e in result.entries if isinstance(e.payload, Termination))
    assert (end.outcome, end.reason, end.guard) == ("stopped", "looped", "looped(times=2)")
    assert result.turns == 6
    assert nudged(result) == [3, 5]
    assert [each.features.get("change") for each in decisions(result)] == [None] * 4 + ["tier"] * 2
    assert end.message == (
        "looped(times=2) held after turn 6 (looped(times=2): 6); it first held after turn 2, and"
        " neither a nudge nor another way has helped"
    )
    assert result.text == "the same", "what there is, is the answer"


def test_another_role_is_tried_where_the_graph_allows_one() -> None:
    result = run(with_another(), named("other"))
    assert acted(result) == ["worker"] * 4 + ["other"]
    assert result.outcome == "finished"
    last = decisions(result)[-1]
    assert [candidate.strands for candidate in last.candidates] == [("other",)]
    assert last.reason.endswith(
        "; another role than the last time, since looped(times=2) held and a nudge has not helped"
    )


def test_nobody_is_tried_for_whom_the_budget_has_no_room() -> None:
    models = {"worker": FunctionModel(stubborn), "other": Dear()}
    result = run(with_another(), None, model=None, models=models, budget=Budget(usd=1))
    assert acted(result) == ["worker"] * 6
    assert [each.features.get("change") for each in decisions(result)][4:] == ["tier"] * 2
    assert (result.outcome, result.reason) == ("stopped", "looped")


def test_where_nobody_else_is_there_another_tier_is_tried() -> None:
    models = {
        "small": FunctionModel(stubborn, "small"),
        "large": FunctionModel(lambda request: DONE, "large"),
    }
    result = run(alone(), None, model=None, models=models)
    got = [plan.model for each in decisions(result) for plan in each.strands]
    assert got == ["program:small"] * 4 + ["program:large"]
    (plan,) = decisions(result)[-1].strands
    assert plan.because == "as for moderate work, since the run gets no further"
    assert result.outcome == "finished"


def test_an_edge_may_lead_to_another_plan() -> None:
    graph = Graph(
        start(planner),
        handoff(planner, worker),
        handoff(worker, worker, when=~stuck_at("change")),
        handoff(worker, planner, when=stuck_at("change")),
        finish(worker, when=posted(Verdict)),
        stop(when=turns(20)),
    )

    def plans_anew(request: Request) -> str | ToolUse:
        if "'planner'" in request.system:
            return "another plan" if told(request) else "a plan"
        return DONE if "another plan" in request.messages[0].text else "the same"

    result = run(graph, plans_anew)
    assert acted(result) == ["planner", *["worker"] * 4, "planner", "worker"]
    assert result.outcome == "finished"


def test_progress_in_between_begins_anew() -> None:
    heard: list[bool] = []

    def now_and_then(request: Request) -> str:
        heard.append(told(request))
        news = sum(heard)
        return f"news {len(heard)}" if heard[-1] or heard[-2:-1] == [True] else f"stuck {news}"

    result = run(alone(), now_and_then)
    assert result.reason == "turns_exhausted", "each nudge has helped, so the ladder goes no higher"
    assert nudged(result) == [3, 7, 11, 15, 19]
    assert not any("change" in each.features for each in decisions(result))


@tool(effect="read")
def look(where: str) -> str:
    """Look somewhere."""
    return "nothing there"


def test_a_guard_that_holds_every_other_turn_climbs_too_and_each_role_is_told_once() -> None:
    looker = Role("looker", tools=(look,))
    boss = Role("boss", writes=(Note, Verdict))
    graph = Graph(
        start(boss), handoff(boss, looker), handoff(looker, boss),
        finish(boss, when=posted(Verdict)), stop(when=turns(20)),
    )  # fmt: skip

    def looks(request: Request) -> str | ToolUse:
        if "'boss'" in request.system or request.messages[-1].role == "tool":
            return "go on"
        return ToolUse(id="1", name="look", arguments={"where": "here"})

    result = run(graph, looks, watches=(Watch(repeated(calls=2), NUDGE),))
    assert result.reason == "repeated"
    assert nudged(result) == [5, 6, 7, 8]
    assert result.turns == 8


def test_nothing_is_said_where_nothing_is_watched() -> None:
    result = run(alone(), stubborn, watches=())
    assert nudged(result) == []
    assert result.reason == "turns_exhausted"


def test_a_nudge_is_a_factor_of_the_run() -> None:
    (found,) = [each for each in factors(run(alone(), wakes).entries) if each.factor == "nudged"]
    assert (found.times, found.at) == (1, "3//0")


@pytest.mark.parametrize(
    ("detector", "doing"),
    [
        (stalled(turns=3, of=(open_tasks,)), {}),
        (looped(times=3), {"say": lambda turn: "the same"}),
        (repeated(calls=3), {"calls": True}),
        (bloated(tokens=300, of=(open_tasks,)), {"grows": True}),
    ],
    ids=["stalled", "looped", "repeated", "bloated"],
)
def test_whatever_finds_a_run_stuck_can_be_watched(detector: Guard, doing: dict[str, Any]) -> None:
    result = test_stopping.run(watches=(Watch(detector, NUDGE, patience=2),), **doing)
    first = nudged(result)[0]
    changed = [n for n, each in enumerate(decisions(result), 1) if "change" in each.features]
    assert (changed, result.turns) == ([first + 2, first + 3], first + 3)
    assert (result.outcome, result.reason) == ("stopped", detector.reason)
    assert result.text


def test_a_fork_climbs_as_its_parent_did() -> None:
    journal = MemoryJournal()
    team = Workflow(with_another(), model=FunctionModel(stubborn), watches=(WATCH,))
    result = team.run_sync("g", seed=1, journal=journal)
    fork = Record(journal, result.run).fork(at="turn:4", workflow=team)
    forked = asyncio.run(fork.result())
    assert nudged(forked) == nudged(result)
    assert (forked.reason, forked.message) == (result.reason, result.message)
    heard = team.with_models(**{"*": FunctionModel(wakes)})
    other = asyncio.run(Record(journal, result.run).fork(at="turn:3", workflow=heard).result())
    assert other.outcome == "finished", "it is told in its third turn, and hears it"


@pytest.mark.parametrize("mind", [stubborn, wakes, named("other")])
def test_a_replay_climbs_as_the_run_did(mind: Any) -> None:
    journal = MemoryJournal()
    team = Workflow(with_another(), model=FunctionModel(mind), watches=(WATCH,))
    result = team.run_sync("g", seed=1, journal=journal)
    replayed = asyncio.run(Record(journal, result.run).replay(team))
    assert (replayed.identical, replayed.divergence) == (True, None)


@pytest.mark.parametrize("turn", range(1, 7))
def test_a_resumed_run_climbs_as_one_that_was_never_broken_off(turn: int) -> None:
    whole = run(with_another(), stubborn)
    calls = 0

    def breaks_off(request: Request) -> str | ToolUse:
        nonlocal calls
        calls += 1
        if calls == turn:
            raise KeyboardInterrupt
        return "the same"

    journal = MemoryJournal()
    team = Workflow(with_another(), model=FunctionModel(breaks_off), watches=(WATCH,))
    broken = team.start("g", seed=1, journal=journal)
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(broken.result())
    resumed = asyncio.run(team.resume(broken.id, journal=journal).result())
    assert acted(resumed) == acted(whole)
    assert nudged(resumed) == nudged(whole)
    assert (resumed.reason, resumed.message) == (whole.reason, whole.message)


WORDS = st.lists(st.sampled_from(["x", "y", "z"]), min_size=1, max_size=6)


@given(WORDS, st.integers(1, 3), st.integers(2, 3))
def test_no_run_is_stopped_before_it_was_told_and_led_another_way(
    words: list[str], patience: int, times: int
) -> None:
    said = iter(words * 20)
    watch = Watch(looped(times=times), NUDGE, patience)
    result = run(alone(), lambda request: next(said), watches=(watch,))
    changed = [n for n, each in enumerate(decisions(result), 1) if "change" in each.features]
    if result.reason == "looped":
        assert nudged(result)[0] + patience <= changed[0]
        assert changed[0] + patience <= result.turns + 1
    else:
        assert result.reason == "turns_exhausted"
    assert result.outcome == "stopped"


def test_what_makes_no_sense_is_refused_where_it_is_written() -> None:
    wrong: Any = Watch
    with pytest.raises(DeclarationError, match="not a guard"):
        wrong("stalled")
    with pytest.raises(DeclarationError, match="give a whole number from 1 on"):
        Watch(looped(times=2), patience=0)
    with pytest.raises(DeclarationError, match="says nothing"):
        Watch(looped(times=2), " ")
    rung: Any = "stop"
    with pytest.raises(DeclarationError, match="say 'nudge' or 'change'"):
        stuck_at(rung)
    with pytest.raises(DeclarationError, match="two watches of looped"):
        Workflow(alone(), watches=(WATCH, Watch(looped(times=2))))
    with pytest.raises(DeclarationError, match="looks for Task, which no role writes"):
        Workflow(alone(), watches=(Watch(posted(Task)),))
    with pytest.raises(GraphError, match="is stuck and has reached nothing"):
        finish(worker, when=stuck_at("change"))
    stuck = alone(handoff(worker, other, when=stuck_at("nudge")), finish(other))
    with pytest.raises(DeclarationError, match="nothing watches the run"):
        Workflow(stuck)
    assert Workflow(stuck, watches=(Watch(stalled(turns=2)),)).watches
