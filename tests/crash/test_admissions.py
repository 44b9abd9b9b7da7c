"""What was admitted for further attempts is reserved again by who resumes the run."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hive import Budget, Graph, Limits, Role, Workflow, finish, handoff, start, stop, turns
from hive.audit import Record
from hive.board.records import Admission, Fault, Inference, Request
from hive.errors import ServerFailed
from hive.message import Attempt, Reply
from hive.message import Request as Asked
from hive.models import Retrying, input_bound
from tests.crash.dying import DyingJournal, Fate, World, driven
from tests.crash.test_caps import BUDGETS, CARD, Priced, survived
from tests.sound import sound


class Flaky(Priced):
    """A model that fails now and then, at what an attempt may cost at most."""

    def __init__(self, world: World, output: int, failures: list[bool]) -> None:
        super().__init__(world, output)
        self.failures = failures
        self.asked = 0

    async def complete(self, request: Asked) -> Reply:
        self.world.fate.pass_by("before it is asked")
        self.asked += 1
        if not self.failures or not self.failures[self.asked % len(self.failures)]:
            return await super().complete(request)
        await asyncio.sleep(0)
        bound = input_bound(request)
        cost, tokens = CARD.worst(bound, request.max_output), bound + request.max_output
        self.cost += cost
        self.tokens += tokens
        self.world.fate.pass_by("after a failure")
        raise ServerFailed("down", [Attempt(reason="server_failed", cost=cost, tokens=tokens)])


async def at_once(seconds: float) -> None:
    await asyncio.sleep(0)


@settings(max_examples=150)
@given(
    budget=BUDGETS,
    output=st.integers(1, 600),
    failures=st.lists(st.booleans(), max_size=6),
    deaths=st.lists(st.integers(1, 14), max_size=6),
)
def test_the_cap_holds_for_all_attempts_of_all_processes(
    budget: object, output: int, failures: list[bool], deaths: list[int]
) -> None:
    world = World()
    model = Flaky(world, output, failures)
    a, b = Role("a"), Role("b")
    graph = Graph(start(a, samples=2), handoff(a, b, samples=2), finish(b), stop(when=turns(5)))
    team = Workflow(
        graph,
        model=Retrying(model, sleep=at_once, draw=lambda: 0.0),
        budget=budget,  # type: ignore[arg-type]  # what the strategy makes
        limits=Limits(output_tokens=600),
    )
    journal = asyncio.run(survived(team, world, deaths))
    record = Record(journal, journal.runs()[0])
    sound(record.entries)
    cost, tokens = 0, 0
    for entry in record.entries:
        if isinstance(entry.payload, Inference | Fault):
            cost += entry.payload.cost
            tokens += entry.payload.tokens
    asked = [e.payload for e in record.entries if isinstance(e.payload, Request)]
    admitted = [e.payload for e in record.entries if isinstance(e.payload, Admission)]
    assert len(asked) + len(admitted) >= model.asked
    assert model.cost <= cost <= sum(r.grant for r in asked) + sum(a.cost for a in admitted)
    assert model.tokens <= tokens
    if team.budget.nano is not None:
        assert cost <= team.budget.nano
    if team.budget.tokens is not None:
        assert tokens <= team.budget.tokens
    assert asyncio.run(record.replay(team)).identical


class Twice(Priced):
    """A model that fails once, is in the midst of its second attempt when its process dies, and
    answers after that."""

    asked = 0

    async def complete(self, request: Asked) -> Reply:
        self.asked += 1
        if self.asked == 1:
            bound = input_bound(request)
            cost, tokens = CARD.worst(bound, request.max_output), bound + request.max_output
            raise ServerFailed("down", [Attempt(reason="server_failed", cost=cost, tokens=tokens)])
        if self.asked == 2:
            self.world.fate.dead = True
        return await super().complete(request)


def dead(team: Workflow, world: World) -> DyingJournal:
    """The journal of a run that died in its second attempt at its only request."""
    journal = DyingJournal()
    world.fate = journal.fate = Fate()
    run = team.start("g", journal=journal)
    assert asyncio.run(driven(run, journal.fate)) is None
    world.fate = journal.fate = Fate()
    return journal


def steady(model: Twice, instructions: str = "") -> Workflow:
    role = Role("a", instructions)
    return Workflow(role, model=Retrying(model, sleep=at_once), budget=Budget(usd=1))


@pytest.mark.parametrize("anew", [False, True])
def test_a_call_that_died_in_a_further_attempt_is_on_the_bill_with_all_of_it(anew: bool) -> None:
    model = Twice(World(), 5)
    team = steady(model)
    journal = dead(team, model.world)
    (run,) = journal.runs()
    if anew:
        team = steady(model, "Be brief.")
    accept = {"workflow"} if anew else set[str]()
    result = asyncio.run(team.resume(run, journal=journal, accept=accept).result())
    assert result.finished
    sound(result.entries)
    lost, answered = [e for e in result.entries if isinstance(e.payload, Fault | Inference)]
    (more,) = [e for e in result.entries if isinstance(e.payload, Admission)]
    first, _ = [e.payload for e in result.entries if isinstance(e.payload, Request)]
    assert isinstance(lost.payload, Fault)
    assert isinstance(more.payload, Admission)
    assert isinstance(answered.payload, Inference)
    assert str(more.address) == "1/a/0.0.1.1"
    assert lost.payload.code == "interrupted"
    assert lost.payload.cost == first.grant + more.payload.cost == 2 * first.grant
    assert lost.payload.tokens == first.grant_tokens + more.payload.tokens
    assert result.state.spent == lost.payload.cost + answered.payload.cost
    assert asyncio.run(Record(journal, run).replay(team)).identical


def test_a_fork_is_served_an_answer_with_what_was_admitted_for_it() -> None:
    model = Flaky(World(), 5, [False, True, True])
    journal = DyingJournal()
    team = Workflow(
        Role("a"), model=Retrying(model, sleep=at_once), budget=Budget(usd="0.02"),
        limits=Limits(output_tokens=600),
    )  # fmt: skip
    parent = asyncio.run(team.start("g", journal=journal).result())
    assert model.asked == 3
    fork = asyncio.run(Record(journal, parent.run).fork(at="turn:1", workflow=team).result())
    assert model.asked == 3
    assert (fork.state.spent, fork.state.paid) == (parent.state.spent, 0)
    (served,) = [e.payload for e in fork.entries if isinstance(e.payload, Inference)]
    assert served.served
    assert served.admitted > 0
    assert not [e for e in fork.entries if e.kind == "Overrun"]
    assert asyncio.run(Record(journal, fork.run).replay(team)).identical
