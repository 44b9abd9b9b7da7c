"""Keeping within limits: calls wait their turn, or are refused at once if that takes too long."""

import asyncio
import itertools
import json
import threading
from typing import Any

import anyio
import pytest

from hive import diagnostics
from hive.errors import DeclarationError, ModelError, RateLimited, RequestRefused, ServerFailed
from hive.message import Attempt, Reply, Request, Usage
from hive.models import (
    Failover,
    FunctionModel,
    Limited,
    Model,
    Retrying,
    ScriptedModel,
    close,
    resolve,
)
from hive.models.limits.breaker import Breaker
from hive.models.limits.endpoint import endpoint_at
from hive.testing.dialects import DIALECTS
from hive.testing.faults import Fault, Line, cut, error, raw
from hive.testing.loopback import Received, loopback
from tests.models.asking import ASK, BACKENDS, HELLO, KEY, each, model_at

number = itertools.count()
HELD = [Attempt(reason="held_back")]
LEFT = [Attempt(reason="left_alone")]


def own(answer: Any = "Hello.") -> FunctionModel:
    """A model that nobody else in this process has limits with."""
    said = answer if callable(answer) else lambda request: answer
    return FunctionModel(said, f"own-{next(number)}")


class Gates:
    """A model that says how many calls are under way, and answers when it is told to."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.most = self.now = 0
        self.changed = asyncio.Event()
        self.open = asyncio.Event()

    async def __call__(self, request: Request) -> str:
        self.begun.append(request.system)
        self.now += 1
        self.most = max(self.most, self.now)
        self.changed.set()
        try:
            await self.open.wait()
        finally:
            self.now -= 1
        return request.system


async def calls(model: Model, *systems: str) -> list[asyncio.Task[Reply]]:
    """Calls that were begun in this order."""
    made = []
    for system in systems:
        made.append(asyncio.create_task(model.complete(ASK._replace(system=system))))
        await asyncio.sleep(0)
    return made


def telling(**headers: str) -> Any:
    """A good answer with headers of the server's."""

    def answer(received: Received) -> Line:
        body = json.dumps(DIALECTS[received.endpoint].whole(HELLO, "1")).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return Fault(200, {"content-type": "application/json", **named}, body=body)

    return answer


# -- waiting ------------------------------------------------------------------------------------


@pytest.mark.asyncio
async def test_no_more_calls_than_the_cap_are_under_way_first_come_first_served() -> None:
    gates = Gates()
    model = Limited(own(gates), concurrent=2)
    names = [f"{n}" for n in range(7)]
    made = await calls(model, *names)
    await gates.changed.wait()
    assert gates.begun == ["0", "1"]
    gates.open.set()
    replies = await asyncio.gather(*made)
    assert gates.begun == names
    assert gates.most == 2
    assert [reply.waited > 0 for reply in replies] == [False] * 2 + [True] * 5


@pytest.mark.asyncio
async def test_who_is_cancelled_in_line_or_under_way_leaves_its_place_to_the_next() -> None:
    gates = Gates()
    model = Limited(own(gates), concurrent=1)
    first, second, third = await calls(model, "first", "second", "third")
    await gates.changed.wait()
    second.cancel()
    first.cancel()
    await asyncio.wait([first, second])
    assert first.cancelled()
    assert second.cancelled()
    gates.open.set()
    assert (await third).text == "third"
    assert gates.begun == ["first", "third"]


@pytest.mark.asyncio
async def test_what_was_estimated_is_corrected_once_the_use_is_known() -> None:
    told = Reply(parts=(), usage=Usage(input=10, output=2))
    model = Limited(own(told), tokens=ASK.max_output + 100, patience=0)
    for _ in range(5):
        assert (await model.complete(ASK)).waited == 0
    silent = Limited(own(Reply(parts=())), tokens=ASK.max_output + 100, patience=0)
    await silent.complete(ASK)
    with pytest.raises(RateLimited, match=r"4196 tokens in 60 s are the limit"):
        await silent.complete(ASK)


@pytest.mark.asyncio
async def test_a_refused_call_gives_its_tokens_back_and_counts_as_a_request() -> None:
    def refuse(request: Request) -> Reply:
        raise RequestRefused("no", [Attempt(reason="refused")])

    model = Limited(own(refuse), tokens=ASK.max_output + 100, requests=2, patience=0)
    for _ in range(2):
        with pytest.raises(RequestRefused):
            await model.complete(ASK)
    with pytest.raises(RateLimited, match=r"not asked: 2 requests in 60 s are the limit"):
        await model.complete(ASK)


def test_runs_in_several_threads_stand_in_one_line() -> None:
    under_way, seen, lock = 0, [], threading.Lock()

    async def answer(request: Request) -> str:
        nonlocal under_way
        with lock:
            under_way += 1
            seen.append(under_way)
        await asyncio.sleep(0)
        with lock:
            under_way -= 1
        return "done"

    inner = own(answer)

    def run() -> None:
        async def several() -> None:
            model = Limited(inner, concurrent=1)
            await asyncio.gather(*(model.complete(ASK) for _ in range(20)))

        asyncio.run(several())

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert seen == [1] * 80


@pytest.mark.asyncio
async def test_who_waits_goes_on_when_the_time_has_come_and_says_why_it_waited(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ticks = itertools.count()
    monkeypatch.setattr("hive.models.wrappers.limited.now", lambda: next(ticks) / 1000)
    model = Limited(own())
    model.lane().pause(0.02, 0)
    diagnostics.set_up("info")
    try:
        reply = await model.complete(ASK)
    finally:
        diagnostics.set_up(None)
    assert reply.waited >= 19_000
    (line,) = capsys.readouterr().err.splitlines()
    assert f"event='waiting' model='{model.name}' seconds=0.0" in line
    assert line.endswith("why='the server asked to slow down'")


# -- refused at once ----------------------------------------------------------------------------


@pytest.mark.asyncio
async def test_who_cannot_wait_long_enough_is_refused_at_once_and_for_nothing() -> None:
    model = Limited(own(), requests=1)
    await model.complete(ASK)
    with pytest.raises(RateLimited) as caught:
        await model.complete(ASK._replace(left=lambda: 5.0))
    assert ": not asked: 1 requests in 60 s are the limit; its turn is " in str(caught.value)
    assert str(caught.value).endswith(" s away, and 5 s are left")
    assert list(caught.value.attempts) == HELD
    assert 0 < (caught.value.retry_after or 0) <= 60
    with anyio.fail_after(9), pytest.raises(RateLimited, match=r"and .* s are left"):
        await model.complete(ASK)


@pytest.mark.asyncio
async def test_an_estimate_refuses_nobody_for_it_may_turn_out_to_be_less() -> None:
    gates = Gates()

    async def briefly(request: Request) -> Reply:
        await gates(request)
        return Reply(parts=(), usage=Usage(input=10, output=2))

    model = Limited(own(briefly), tokens=ASK.max_output + 200)
    first, second = await calls(model, "first", "second")
    await gates.changed.wait()
    assert gates.begun == ["first"]
    soon = model.complete(ASK._replace(system="soon", left=lambda: 20.0))
    third = asyncio.create_task(soon)
    await asyncio.sleep(0)
    gates.open.set()
    await asyncio.gather(first, second, third)
    assert gates.begun == ["first", "second", "soon"]


@pytest.mark.asyncio
async def test_those_ahead_in_line_count_for_how_long_it_will_take(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = [0.0]
    monkeypatch.setattr("hive.models.wrappers.limited.now", lambda: clock[0])
    model = Limited(own(), requests=2)
    await model.complete(ASK)
    clock[0] = 30.0
    await model.complete(ASK)
    (waiting,) = await calls(model, "first in line")
    with pytest.raises(RateLimited, match="its turn is 60 s away, and 45 s are left"):
        await model.complete(ASK._replace(left=lambda: 45.0))
    assert not waiting.done()
    waiting.cancel()
    await asyncio.wait([waiting])


@pytest.mark.asyncio
async def test_who_has_no_patience_goes_elsewhere() -> None:
    gates = Gates()
    busy = Limited(own(gates), concurrent=1)
    (first,) = await calls(busy, "first")
    await gates.changed.wait()
    chain = Failover(Limited(busy.model, patience=0), own("elsewhere"))
    reply = await chain.complete(ASK)
    assert reply.text == "elsewhere"
    assert [attempt.reason for attempt in reply.attempts] == ["held_back"]
    gates.open.set()
    await first


# -- what servers say ---------------------------------------------------------------------------


@each
@pytest.mark.asyncio
async def test_limits_in_response_headers_are_learned_for_all_with_the_same_key(name: str) -> None:
    if name.startswith("anthropic"):
        told = telling(
            anthropic_ratelimit_requests_limit="5", anthropic_ratelimit_requests_remaining="0"
        )
    else:
        told = telling(x_ratelimit_limit_requests="5", x_ratelimit_remaining_requests="0")
    async with loopback([told, "Hello."]) as server:
        async with model_at(server, name) as one, model_at(server, name) as two:
            await Limited(one).complete(ASK)
            with pytest.raises(RateLimited, match="5 requests in 60 s are the limit"):
                await Limited(two, patience=0).complete(ASK)
        other = resolve(name, base_url=server.base_url, key="sk-of-somebody-else")
        assert (await Limited(other, patience=0).complete(ASK)).text == "Hello."
        await close(other)


@each
@pytest.mark.parametrize("status", [429, 529])
@pytest.mark.asyncio
async def test_a_pause_that_one_is_asked_for_is_heeded_by_all(name: str, status: int) -> None:
    asked = error(status, "slow down", headers={"retry-after": "250"})
    async with loopback([asked, "Hello."]) as server:
        async with model_at(server, name) as one, model_at(server, name) as two:
            with pytest.raises((RateLimited, ServerFailed)):
                await Limited(one).complete(ASK)
            with pytest.raises(RateLimited, match="the server asked to slow down") as caught:
                await Limited(two, patience=60).complete(ASK)
        assert server.left == 1
    assert list(caught.value.attempts) == HELD


@each
@pytest.mark.parametrize("line", [error(500, "down"), raw(b"<html>"), cut("Hello.", 50)])
@pytest.mark.asyncio
async def test_an_ill_server_is_left_alone_and_then_tried(
    name: str, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Breaker, "FIRST", 1000.0)
    script = [*[line] * 5, "Hello.", "Hello."]
    async with loopback(script) as server, model_at(server, name) as inner:
        model = Limited(inner)
        for _ in range(5):
            with pytest.raises(ModelError, match=name) as failed:
                await model.complete(ASK)
        with pytest.raises(ServerFailed, match="left alone for another") as caught:
            await model.complete(ASK)
        assert str(caught.value).endswith(f"; at last: {failed.value}")
        assert list(caught.value.attempts) == LEFT
        assert 0 < (caught.value.retry_after or 0) <= 1000
        assert server.left == 2
        inner.lane.endpoint.breaker.until = 0.0  # type: ignore[attr-defined]
        assert (await model.complete(ASK)).text == "Hello."
        assert (await model.complete(ASK)).text == "Hello."


@pytest.mark.asyncio
async def test_refusals_and_limits_say_nothing_of_the_servers_health() -> None:
    failures = [RateLimited("slow"), RequestRefused("no")] * 5
    model = Limited(ScriptedModel([*failures, "Hello."], name=f"own-{next(number)}"))
    for failure in failures:
        with pytest.raises(type(failure)):
            await model.complete(ASK)
    assert (await model.complete(ASK)).text == "Hello."


@pytest.mark.parametrize("attempt", [*HELD, *LEFT])
@pytest.mark.asyncio
async def test_a_call_that_was_held_back_within_says_nothing_of_the_server(
    attempt: Attempt,
) -> None:
    def hold(request: Request) -> Reply:
        raise ServerFailed("not asked", [attempt], retry_after=50.0)

    model = Limited(own(hold))
    for _ in range(9):
        with pytest.raises(ServerFailed, match=r"^not asked$"):
            await model.complete(ASK)


# -- what stands on the record ------------------------------------------------------------------


@pytest.mark.asyncio
async def test_all_that_was_waited_adds_up_over_the_wrappers() -> None:
    async def nap(seconds: float) -> None:
        await asyncio.sleep(0)

    class Held:
        name = "held:model"

        def __init__(self) -> None:
            self.failures: list[Exception] = [ServerFailed("one"), ServerFailed("two")]

        async def complete(self, request: Request) -> Reply:
            if self.failures:
                failure: Any = self.failures.pop(0)
                failure.waited = 3
                raise failure
            return Reply(parts=(), waited=4)

    trying = Retrying(Held(), first=1.0, sleep=nap, draw=lambda: 0.0)
    reply = await trying.complete(ASK)
    assert reply.waited == 3 + 500_000 + 3 + 1_000_000 + 4
    hopeless = Retrying(Held(), attempts=2, first=1.0, sleep=nap, draw=lambda: 0.0)
    chain = await Failover(hopeless, ScriptedModel(["Hello."])).complete(ASK)
    assert chain.waited == 3 + 500_000 + 3


@pytest.mark.asyncio
async def test_it_passes_for_the_model_inside() -> None:
    model = Limited(BACKENDS[0], requests=60)
    assert model.name == BACKENDS[0]
    assert repr(model) == f"Limited(OpenAIResponses('{BACKENDS[0]}'))"
    await model.aclose()


@pytest.mark.asyncio
async def test_a_model_of_ones_own_is_known_by_its_name() -> None:
    inner = own()
    assert Limited(inner).lane() is endpoint_at(inner.name).lane(inner.name)
    assert Limited(Retrying(inner)).lane() is Limited(inner).lane()


@pytest.mark.asyncio
async def test_one_model_has_one_lane_whichever_api_it_is_asked_by() -> None:
    lanes = {
        resolve(name, key=KEY).lane  # type: ignore[attr-defined]
        for name in ("openai:gpt-5-mini", "openai-chat:gpt-5-mini")
    }
    assert len(lanes) == 1


@pytest.mark.parametrize(
    "options", [{"requests": 0}, {"tokens": -1}, {"concurrent": 0}, {"patience": -1.0}]
)
@pytest.mark.asyncio
async def test_numbers_that_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(DeclarationError, match="lets through one or more"):
        Limited(own(), **options)
