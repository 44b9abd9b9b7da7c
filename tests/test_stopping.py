"""Every way in which a run ends, reached by minds that do as they are told and read from the board;
and runs that get no further, which never report success."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hive import (
    Budget,
    Graph,
    Guard,
    Note,
    Payload,
    Role,
    Task,
    Verdict,
    Workflow,
    cost,
    elapsed,
    finish,
    handoff,
    latest,
    posted,
    stalled,
    start,
    stop,
    tokens,
    tool,
    turns,
)
from hive.board.records import STUCK, Reason, Termination
from hive.control import Watch, bloated, looped, open_tasks, repeated
from hive.message import Reply, Request, Text, ToolUse, Usage
from hive.models import ModelCard
from hive.models.catalog import Prices
from hive.phases.brief import post_name
from hive.run import Result
from hive.testing import FunctionModel, ManualClock
from tests.sound import sound


@tool(effect="read")
def look(where: str) -> str:
    """Look somewhere."""
    return "nothing there"


worker = Role("worker", writes=(Note, Task, Verdict), tools=(look,))


class Mind:
    """A model that does in each turn what its script says, and uses some tokens and a second."""

    name = "openai:not-in-the-catalog"
    card = ModelCard(name, prices=Prices.usd(1, 1))

    def __init__(self, say: Callable[[int], str | Payload], calls: bool, grows: bool) -> None:
        self.say, self.calls, self.grows = say, calls, grows
        self.turn, self.looked = 0, False
        self.clock = ManualClock()

    async def complete(self, request: Request) -> Reply:
        if self.calls and not self.looked:
            self.looked = True
            return Reply(parts=(ToolUse(id="1", name="look", arguments={"where": "here"}),))
        self.clock.advance(seconds=1)
        self.turn, self.looked = self.turn + 1, False
        used = Usage(input=100 * self.turn if self.grows else 100, output=10)
        said = self.say(self.turn)
        if isinstance(said, str):
            return Reply(parts=(Text(text=said),), usage=used)
        posts = ToolUse(id="2", name=post_name(type(said)), arguments=said.model_dump(mode="json"))
        return Reply(parts=(posts,), usage=used)


def says(turn: int) -> str:
    return f"thought {turn}"


def run(
    *ends: Any,
    say: Callable[[int], str | Payload] = says,
    calls: bool = False,
    grows: bool = False,
    **options: Any,
) -> Result:
    """A role that goes on for as long as it may, and is done once there is a Verdict to accept."""
    done = latest(Verdict, lambda verdict: verdict.ruling == "accept", name="accepted")
    graph = Graph(
        start(worker),
        handoff(worker, worker, when=~posted(Verdict)),
        finish(worker, when=done),
        *ends,
        stop(when=turns(20)),
    )
    mind = Mind(say, calls, grows)
    result = Workflow(graph, model=mind, **options).run_sync("g", seed=1, clock=mind.clock)
    sound(result.entries)
    return result


def accept(turn: int) -> Verdict:
    return Verdict(ruling="accept", reasons=("so it is",))


def give_up(turn: int) -> Verdict:
    return Verdict(ruling="give_up", reasons=("no way",))


GAVE_UP = latest(Verdict, lambda v: v.ruling == "give_up", name="gave up", reason="gave_up")


class Broken:
    """A policy that fails."""

    name = "broken"

    def decide(self, situation: Any) -> Any:
        raise RuntimeError("no idea")


def cancelled_run() -> Result:
    """A run that somebody stops while its model is asked."""

    async def drive() -> Result:
        begun = asyncio.Event()

        async def wait(request: Request) -> str:
            begun.set()
            await asyncio.Event().wait()
            return ""

        graph = Graph(start(worker), finish(worker), stop(when=turns(3)))
        async with Workflow(graph, model=FunctionModel(wait)).start("g") as under_way:
            await begun.wait()
            under_way.stop()
            return await under_way.result()

    return asyncio.run(drive())


SCENARIOS: dict[Reason, Callable[[], Result]] = {
    "goal_reached": lambda: run(say=accept),
    "no_candidate": lambda: run(say=give_up),
    "stalled": lambda: run(stop(when=stalled(turns=3, of=(open_tasks,)))),
    "looped": lambda: run(stop(when=looped(times=3)), say=lambda turn: "the same"),
    "repeated": lambda: run(stop(when=repeated(calls=3)), calls=True),
    "bloated": lambda: run(stop(when=bloated(tokens=300, of=(open_tasks,))), grows=True),
    "turns_exhausted": run,
    "tokens_exhausted": lambda: run(stop(when=tokens(300))),
    "cost_exhausted": lambda: run(stop(when=cost(usd="0.0003"))),
    "time_exhausted": lambda: run(stop(when=elapsed(seconds=3))),
    "budget_exhausted": lambda: run(budget=Budget(turns=2)),
    "gave_up": lambda: run(stop(when=GAVE_UP), say=give_up),
    "guard": lambda: run(stop(when=posted(Note))),
    "policy_error": lambda: run(policy=Broken()),
    "cancelled": cancelled_run,
}
"""For every reason a run that ends for it."""


def ending(result: Result) -> Termination:
    (found,) = [entry.payload for entry in result.entries if isinstance(entry.payload, Termination)]
    return found


@pytest.mark.parametrize("reason", get_args(Reason))
def test_every_reason_is_reached_and_says_what_came_of_it(reason: Reason) -> None:
    result = SCENARIOS[reason]()
    end = ending(result)
    outcome = {"goal_reached": "finished", "policy_error": "failed"}.get(reason, "stopped")
    assert (end.outcome, end.reason) == (outcome, reason)
    assert end.message


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("stalled", "open tasks unknown"),
        ("looped", "looped(times=3) held after turn 3 (looped(times=3): 3)"),
        ("repeated", "repeated(calls=3) held after turn 3 (repeated(calls=3): 3)"),
        ("bloated", "held after turn 4 (bloated(tokens=300, of=open tasks): 300)"),
    ],
)
def test_a_run_that_is_stuck_says_what_was_seen_and_keeps_what_was_done(
    reason: Reason, said: str
) -> None:
    result = SCENARIOS[reason]()
    assert said in result.message
    assert result.text


WORDS = st.lists(st.sampled_from(["x", "y", "accept"]), min_size=1, max_size=8)
DETECTORS: list[Guard] = [
    stalled(turns=2),
    looped(times=2),
    repeated(calls=2),
    bloated(tokens=150, of=(open_tasks,)),
]


@given(WORDS, st.sampled_from(DETECTORS), st.booleans(), st.booleans(), st.booleans())
def test_a_run_that_is_stuck_never_reports_success(
    words: list[str], detector: Guard, calls: bool, grows: bool, watched: bool
) -> None:
    def say(turn: int) -> str | Payload:
        word = words[(turn - 1) % len(words)]
        return accept(turn) if word == "accept" else word

    ends = () if watched else (stop(when=detector),)
    watches = (Watch(detector, patience=1),) if watched else ()
    result = run(*ends, say=say, calls=calls, grows=grows, watches=watches)
    end = ending(result)
    accepted = any(
        isinstance(entry.payload, Verdict) and entry.payload.ruling == "accept"
        for entry in result.entries
    )
    assert (end.outcome == "finished") == (end.reason == "goal_reached") == accepted
    assert (end.reason in STUCK) == (end.guard == detector.name)
