"""Further attempts: each is reserved before it is made, and all of them are settled."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hive import Budget, Graph, Limits, Role, Run, Workflow, finish, handoff, start, stop, turns
from hive.audit import Record
from hive.board.records import Admission, Fault, Inference
from hive.board.records import Request as Recorded
from hive.control.budgets.scope import Scope
from hive.errors import BadReply, RequestRefused, ServerFailed
from hive.journal.memory import MemoryJournal
from hive.message import Attempt, Reply, Request, Text, Usage
from hive.models import Failover, FunctionModel, Model, ModelCard, Retrying, input_bound
from hive.models.catalog import Prices
from tests.sound import sound

CAP, TOKENS = 30_000_000, 40_000


async def at_once(seconds: float) -> None:
    await asyncio.sleep(0)


@dataclass
class Flaky:
    """A priced model that fails as a script says, at what an attempt may cost at most or less."""

    script: Sequence[str]
    name: str = "openai:flaky"
    asked: int = 0
    run: Run | None = None

    @property
    def card(self) -> ModelCard:
        return ModelCard(self.name, prices=Prices.usd(1, 2))

    def scope(self) -> Scope:
        assert self.run is not None
        return self.run._desk.books.run

    async def complete(self, request: Request) -> Reply:
        within(self.scope())
        said = self.script[self.asked % len(self.script)]
        self.asked += 1
        await asyncio.sleep(0)
        bound, most = input_bound(request), request.max_output
        if said == "answer":
            return Reply(parts=(Text(text="said"),), usage=Usage(input=bound, output=most))
        if said == "refuse":
            raise RequestRefused("no")
        if said == "silent":
            raise BadReply("broken")
        if said == "break":
            raise OSError("a bug")
        free = said == "free"
        cost, tokens = (0, 0) if free else (self.card.worst(bound, most), bound + most)
        raise ServerFailed("down", [Attempt(reason="server_failed", cost=cost, tokens=tokens)])


def within(scope: Scope) -> None:
    """No cap is passed at this instant, and nothing was given back that was not taken."""
    assert scope.spent.cost + scope.reserved.cost <= CAP
    assert scope.spent.tokens + scope.reserved.tokens <= TOKENS
    assert min(scope.reserved) >= 0


def team(model: Model) -> Workflow:
    a, b = Role("a"), Role("b")
    graph = Graph(start(a, samples=4), handoff(a, b, samples=2), finish(b), stop(when=turns(9)))
    budget = Budget(usd="0.03", tokens=TOKENS)
    return Workflow(graph, model=model, budget=budget, limits=Limits(output_tokens=900))


def wrapped(flaky: Flaky, way: str) -> Model:
    if way == "retrying":
        return Retrying(flaky, sleep=at_once, attempts=5)
    second = replace(flaky, name="openai:second")
    flaky.asked = second.asked = 0
    chain = Failover(flaky, second)
    return chain if way == "failover" else Retrying(chain, sleep=at_once, attempts=3)


def driven(workflow: Workflow, flaky: Sequence[Flaky], journal: MemoryJournal) -> Any:
    async def drive() -> Any:
        run = workflow.start("g", journal=journal)
        for one in flaky:
            one.run = run
        result = await run.result()
        scope = run._desk.books.run
        within(scope)
        assert scope.reserved == (0, 0)
        closings = [e.payload for e in result.entries if isinstance(e.payload, Inference | Fault)]
        assert scope.spent.cost == result.state.spent == sum(c.cost for c in closings)
        assert scope.spent.tokens == result.tokens == sum(c.tokens for c in closings)
        assert not [e for e in result.entries if e.kind == "Overrun"]
        sound(result.entries)
        return result

    return asyncio.run(drive())


words = st.sampled_from(["answer", "paid", "free", "refuse", "silent", "break"])


@settings(max_examples=40, deadline=None)
@given(
    script=st.lists(words, min_size=1, max_size=8),
    way=st.sampled_from(["retrying", "failover", "both"]),
)
def test_no_cap_is_passed_whatever_fails_however_often(script: list[str], way: str) -> None:
    flaky, journal = Flaky(script), MemoryJournal()
    model = wrapped(flaky, way)
    chain = model.model if isinstance(model, Retrying) else model
    members = [m for m in getattr(chain, "models", (flaky,)) if isinstance(m, Flaky)]
    workflow = team(model)
    result = driven(workflow, members, journal)
    replayed = asyncio.run(Record(journal, result.run).replay(workflow))
    assert replayed.identical


@pytest.mark.asyncio
async def test_what_was_admitted_is_on_record_and_given_back() -> None:
    flaky = Flaky(["paid", "free", "answer"])
    workflow = Workflow(
        Role("a"), model=Retrying(flaky, sleep=at_once), budget=Budget(usd="0.03", tokens=TOKENS)
    )
    run = workflow.start("g")
    flaky.run = run
    result = await run.result()
    (asked,) = [e.payload for e in result.entries if isinstance(e.payload, Recorded)]
    (inference,) = [e.payload for e in result.entries if isinstance(e.payload, Inference)]
    assert inference.admitted == 2 * asked.grant > 0
    assert inference.admitted_tokens == 2 * asked.grant_tokens > 0
    assert [a.reason for a in inference.attempts] == ["server_failed", "server_failed"]
    assert inference.cost == 2 * asked.grant
    assert inference.tokens == 2 * asked.grant_tokens
    assert result.state.calls == 1


@pytest.mark.asyncio
async def test_a_call_that_is_cut_off_settles_what_was_admitted_too() -> None:
    asked, never = asyncio.Event(), asyncio.Event()

    async def sleep(seconds: float) -> None:
        asked.set()
        await never.wait()

    flaky = Flaky(["paid"])
    budget = Budget(usd="0.03", tokens=TOKENS)
    run = Workflow(Role("a"), model=Retrying(flaky, sleep=sleep), budget=budget).start("g")
    flaky.run = run
    driving = asyncio.create_task(run.result())
    await asked.wait()
    driving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await driving
    (request,) = [e.payload for e in run.board.entries if isinstance(e.payload, Recorded)]
    (fault,) = [e.payload for e in run.board.entries if isinstance(e.payload, Fault)]
    assert fault.code == "cancelled"
    assert (fault.cost, fault.admitted) == (2 * request.grant, request.grant)


@pytest.mark.asyncio
async def test_an_attempt_that_is_not_admitted_is_not_made() -> None:
    flaky = Flaky(["paid"])
    model = Retrying(flaky, sleep=at_once, attempts=9)
    flaky.run = team(model).with_(budget=Budget(usd="0.008", tokens=TOKENS)).start("g")
    result = await flaky.run.result()
    faults = [e.payload for e in result.entries if isinstance(e.payload, Fault)]
    refused = [fault for fault in faults if "does not admit a further attempt" in fault.message]
    assert refused
    assert all(fault.cost == sum(a.cost for a in fault.attempts) for fault in refused)
    assert flaky.asked < 9


@pytest.mark.asyncio
async def test_an_allowance_that_outlives_its_call_admits_nothing() -> None:
    kept: list[Request] = []

    class Keeping(Flaky):
        async def complete(self, request: Request) -> Reply:
            kept.append(request)
            assert request.admit(1)
            assert 0 < request.left() <= 300
            return await super().complete(request)

    flaky = Keeping(["answer"])
    flaky.run = Workflow(Role("a"), model=flaky, budget=Budget(usd="0.03")).start("g")
    await flaky.run.result()
    assert not kept[0].admit(1)
    assert flaky.scope().reserved == (0, 0)


@pytest.mark.asyncio
async def test_what_was_paid_before_a_bug_is_not_lost() -> None:
    flaky = Flaky(["paid", "break"])
    model, budget = Retrying(flaky, sleep=at_once), Budget(usd="0.03", tokens=TOKENS)
    flaky.run = Workflow(Role("a"), model=model, budget=budget).start("g")
    result = await flaky.run.result()
    (request,) = [e.payload for e in result.entries if isinstance(e.payload, Recorded)]
    (fault,) = [e.payload for e in result.entries if isinstance(e.payload, Fault)]
    assert fault.message == "OSError: a bug"
    assert (fault.cost, fault.tokens) == (2 * request.grant, 2 * request.grant_tokens)


class Hanging:
    """A model that is down at first, and at the last attempt never answers."""

    name = "openai:hanging"
    card = ModelCard(name, prices=Prices.usd(1, 2))

    def __init__(self, down: int) -> None:
        self.down = down
        self.hangs = asyncio.Event()

    async def complete(self, request: Request) -> Reply:
        self.down -= 1
        if self.down < 0:
            self.hangs.set()
            await asyncio.Event().wait()
        raise ServerFailed("down", [Attempt(reason="server_failed", status=503 + self.down)])


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.asyncio
async def test_attempts_before_a_call_is_cut_off_stay_on_record(nested: bool) -> None:
    hanging = Hanging(2)
    model: Model = Retrying(hanging, first=0)
    if nested:
        dead = FunctionModel(gone, name="gone")
        model = Retrying(Failover(Retrying(dead, attempts=2, first=0), model), first=0)
    async with Workflow(Role("a"), model=model).start("g") as run:
        await hanging.hangs.wait()
        run.stop("enough")
    result = await run.result()
    (closing,) = [e.payload for e in result.entries if isinstance(e.payload, Fault)]
    assert closing.code == "cancelled"
    expected = [*([502, 502] if nested else []), 504, 503]
    assert [attempt.status for attempt in closing.attempts] == expected
    asked = ["program:gone"] * 2 + ["openai:hanging"] * 2 if nested else [None] * 2
    assert [attempt.model for attempt in closing.attempts] == asked
    told = [e.payload.attempts for e in result.entries if isinstance(e.payload, Admission)]
    assert [attempt for attempts in told for attempt in attempts] == list(closing.attempts)


def gone(request: Request) -> Reply:
    raise ServerFailed("gone", [Attempt(reason="server_failed", status=502)])


@pytest.mark.asyncio
async def test_what_attempts_used_counts_where_nothing_was_granted() -> None:
    broke = ServerFailed("broke", [Attempt(reason="server_failed", tokens=40)])
    asked = 0

    async def hang(request: Request) -> Reply:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise broke
        await asyncio.Event().wait()
        raise AssertionError("it never answers")

    model = Retrying(FunctionModel(hang), first=0)
    result = await Workflow(Role("a"), model=model, limits=Limits(call_seconds=0.05)).run("g")
    (request,) = [e.payload for e in result.entries if isinstance(e.payload, Recorded)]
    (closing,) = [e.payload for e in result.entries if isinstance(e.payload, Fault)]
    assert (closing.code, request.grant_tokens, closing.tokens) == ("timeout", 0, 40)
    assert result.tokens == 40
