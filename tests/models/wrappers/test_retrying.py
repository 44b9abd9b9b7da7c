"""Asking again: what may pass, after how long, and only as far as time and money reach."""

import asyncio
from dataclasses import dataclass, field, replace
from typing import Any

import anyio
import pytest

from hive.errors import (
    BadReply,
    DeclarationError,
    MissingKey,
    RateLimited,
    RequestRefused,
    ServerFailed,
)
from hive.message import Attempt, Reply, Request, Usage
from hive.models import FunctionModel, Model, Retrying, ScriptedModel, card_of
from hive.models.wrappers.around import worst_case
from hive.testing.faults import Line, cut, drop, error, fails, raw, resets
from hive.testing.loopback import loopback
from tests.models.asking import ASK, BACKENDS, KEY, each, model_at

pytestmark = pytest.mark.asyncio
BUSY = {"retry-after": "7"}


@dataclass
class Naps:
    """Sleep that takes no time, and is remembered."""

    taken: list[float] = field(default_factory=list)

    async def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)
        await asyncio.sleep(0)


def patient(model: Model | str, naps: Naps, draw: float = 0.0, **options: Any) -> Retrying:
    return Retrying(model, sleep=naps, draw=lambda: draw, **options)


@each
async def test_what_may_pass_is_asked_again_and_every_attempt_is_told(name: str) -> None:
    naps, admitted = Naps(), []

    def admit(cost: int, tried: tuple[Attempt, ...] = ()) -> bool:
        admitted.append(cost)
        return True

    script: list[Line] = [
        error(503, "busy", headers=BUSY),
        cut("Hello."),
        fails("Hello.", "oops", code="overloaded_error"),
        resets("Hello."),
        error(429, "slow down", headers={"retry-after-ms": "1500"}),
        raw(b"<html>", "text/html"),
        drop(),
        "Hello.",
    ]
    request = ASK._replace(admit=admit, delta=lambda piece: None)
    async with loopback(script) as server, model_at(server, name) as model:
        reply = await patient(model, naps, attempts=9).complete(request)
        assert server.left == 0
        assert admitted == [worst_case(model, request)] * 7
    assert reply.text == "Hello."
    reasons = "server_failed bad_reply server_failed server_failed rate_limited bad_reply"
    assert [a.reason for a in reply.attempts] == [*reasons.split(), "server_failed"]
    assert [a.status for a in reply.attempts] == [503, 200, 200, 200, 429, 200, None]
    assert [a.cost > 0 for a in reply.attempts] == [False, True, True, True, False, True, True]
    assert [a.tokens > 0 for a in reply.attempts] == [a.cost > 0 for a in reply.attempts]
    assert naps.taken == [7.0, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0]
    assert [a.wait for a in reply.attempts] == [round(n * 1e6) for n in naps.taken]


@each
@pytest.mark.parametrize(
    "line", [error(400, "no"), error(401, "key"), error(404, "model"), error(413, "long")]
)
async def test_what_will_not_pass_is_not_asked_again(name: str, line: Line) -> None:
    naps = Naps()
    async with loopback([line, "Hello."]) as server, model_at(server, name) as model:
        with pytest.raises(RequestRefused) as caught:
            await patient(model, naps).complete(ASK)
        assert server.left == 1
    assert naps.taken == []
    assert len(caught.value.attempts) == 1
    assert "not tried again" not in str(caught.value)


@each
async def test_the_last_error_is_raised_with_all_attempts(name: str) -> None:
    naps = Naps()
    script: list[Line] = [error(500, "one"), cut("Hello.", 50), error(500, f"three {KEY}")]
    async with loopback(script) as server, model_at(server, name) as model:
        with pytest.raises(ServerFailed, match=r"three.*; given up after 3 attempts") as caught:
            await patient(model, naps, attempts=3).complete(ASK)
    assert KEY not in str(caught.value)
    assert [a.reason for a in caught.value.attempts] == [
        "server_failed",
        "bad_reply",
        "server_failed",
    ]
    assert [a.wait for a in caught.value.attempts] == [500_000, 1_000_000, 0]


@pytest.mark.parametrize(
    ("draw", "waits"), [(0.0, [0.5, 1, 2, 2.5, 2.5]), (1.0, [1.0, 2, 4, 5, 5])]
)
async def test_waits_grow_within_bounds(draw: float, waits: list[float]) -> None:
    naps = Naps()
    model = ScriptedModel([*[ServerFailed("down")] * 5, "up"])
    await patient(model, naps, draw, attempts=6, longest=5).complete(ASK)
    assert naps.taken == waits


@pytest.mark.parametrize(
    ("asked", "draw", "waited"), [(7.0, 0.0, 7.0), (7.0, 1.0, 7.5), (0.0, 0.0, 0.5)]
)
async def test_a_server_is_given_the_time_it_asks_for(
    asked: float, draw: float, waited: float
) -> None:
    naps = Naps()
    model = ScriptedModel([RateLimited("slow", retry_after=asked), "up"])
    reply = await patient(model, naps, draw).complete(ASK)
    assert naps.taken == [waited]
    assert reply.attempts[0].wait == waited * 1_000_000


@each
@pytest.mark.parametrize("after", ["100000", "Wed, 21 Oct 2026 08:28:00 GMT"])
async def test_a_server_that_asks_for_too_much_time_is_not_waited_for(
    name: str, after: str
) -> None:
    naps = Naps()
    headers = {"retry-after": after, "date": "Wed, 21 Oct 2026 07:28:00 GMT"}
    refused = ASK._replace(
        admit=lambda cost, tried=(): pytest.fail("nothing more is to be reserved")
    )
    line = error(429, "slow", headers=headers)
    async with loopback([line]) as server, model_at(server, name) as model:
        with pytest.raises(RateLimited, match=r"not tried again: that is .* s away, more than"):
            await patient(model, naps).complete(refused)
    assert naps.taken == []


async def test_times_are_told_as_people_read_them() -> None:
    model = ScriptedModel([RateLimited("slow", retry_after=86_400)])
    with pytest.raises(RateLimited) as caught:
        await patient(model, Naps()).complete(ASK)
    assert str(caught.value) == "slow; not tried again: that is 86,400 s away, more than 120 s"


async def test_no_wait_outlasts_the_call() -> None:
    naps, left = Naps(), 10.0
    model = ScriptedModel([RateLimited("slow", retry_after=9), RateLimited("slow", retry_after=9)])

    def clock() -> float:
        return left - sum(naps.taken)

    with pytest.raises(RateLimited) as caught:
        await patient(model, naps).complete(ASK._replace(left=clock))
    assert naps.taken == [9]
    assert str(caught.value) == "slow; not tried again: that is 9 s away, and 1 s are left"
    assert [a.wait for a in caught.value.attempts] == [9_000_000, 0]


async def test_no_wait_outlasts_the_run() -> None:
    naps = Naps()
    model = ScriptedModel([RateLimited("slow", retry_after=90), "up"])
    with anyio.fail_after(60), pytest.raises(RateLimited, match=r"90 s away, and .* s are left"):
        await patient(model, naps).complete(ASK)
    assert naps.taken == []


async def test_a_budget_that_admits_no_more_ends_with_the_last_error() -> None:
    naps, answers = Naps(), [True, True, False]
    model = ScriptedModel([ServerFailed("one"), ServerFailed("two"), BadReply("three"), "up"])
    request = ASK._replace(admit=lambda cost, tried=(): answers.pop(0))
    with pytest.raises(BadReply, match=r"three; .* the budget does not admit") as caught:
        await patient(model, naps).complete(request)
    assert len(model.requests) == len(caught.value.attempts) == 3
    assert len(naps.taken) == 2


async def test_what_a_model_of_ones_own_does_not_say_counts_at_its_worst() -> None:
    naps = Naps()

    def fails_once(request: Request) -> Reply:
        if not naps.taken:
            raise ServerFailed("down")
        return Reply(parts=(), attempts=(Attempt(reason="bad_reply"),))

    model: Any = FunctionModel(fails_once)
    model.card = replace(card_of(model), prices=card_of(named("openai:gpt-5-mini")).prices)
    reply = await patient(model, naps).complete(ASK)
    first, second = reply.attempts
    assert second.reason == "bad_reply"
    assert first.cost == worst_case(model, ASK) > 0
    assert first.tokens > ASK.max_output


def named(name: str) -> Model:
    class Named(ScriptedModel):
        pass

    model = Named([])
    model.name = name
    return model


async def test_what_is_no_failure_of_a_model_passes_through() -> None:
    naps = Naps()
    for raised in (ValueError("a bug"), MissingKey("no key")):
        with pytest.raises(type(raised)):
            await patient(ScriptedModel([raised, "up"]), naps).complete(ASK)
    assert naps.taken == []


@pytest.mark.parametrize("asleep", [True, False])
async def test_cancelling_ends_it_at_once(asleep: bool) -> None:
    reached, never = asyncio.Event(), asyncio.Event()

    async def forever(seconds: float) -> None:
        reached.set()
        await never.wait()

    async def answer(request: Request) -> str:
        if asleep:
            raise ServerFailed("down")
        await forever(0)
        return ""

    model = FunctionModel(answer)
    call = asyncio.create_task(Retrying(model, sleep=forever).complete(ASK))
    await reached.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call


async def test_calls_side_by_side_do_not_mix_their_attempts() -> None:
    seen: set[str] = set()

    async def answer(request: Request) -> Reply:
        await asyncio.sleep(0)
        if request.system not in seen:
            seen.add(request.system)
            attempt = Attempt(reason="server_failed", model=request.system)
            raise ServerFailed("down", [attempt])
        return Reply(parts=(), id=request.system, usage=Usage(input=1))

    model = patient(FunctionModel(answer), Naps())
    asked = [ASK._replace(system=f"{n}") for n in range(20)]
    replies = await asyncio.gather(*(model.complete(one) for one in asked))
    for one, reply in zip(asked, replies, strict=True):
        assert reply.id == one.system
        assert [attempt.model for attempt in reply.attempts] == [one.system]


async def test_it_passes_for_the_model_inside() -> None:
    model = Retrying(BACKENDS[0])
    assert model.name == BACKENDS[0]
    assert card_of(model) == card_of(model.model)
    assert repr(model) == f"Retrying(OpenAIResponses('{BACKENDS[0]}'))"
    await model.aclose()


@pytest.mark.parametrize("options", [{"attempts": 0}, {"first": -1}, {"patience": -0.1}])
async def test_numbers_that_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(DeclarationError, match="at least one attempt"):
        Retrying(BACKENDS[0], **options)
