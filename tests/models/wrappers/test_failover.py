"""Failover: who fails is followed by the next; the record says who was asked, at what price."""

import math
from dataclasses import replace
from typing import Any

import anyio
import pytest

from hive import Role, Workflow
from hive.board.records import Inference
from hive.errors import (
    BadReply,
    ContextOverflow,
    DeclarationError,
    MissingKey,
    ModelError,
    RateLimited,
    RequestRefused,
    ServerFailed,
)
from hive.message import Attempt, Reply, Request, Text, Usage
from hive.models import Failover, FunctionModel, ModelCard, ScriptedModel, card_of, check, resolve
from hive.models.catalog import Prices, dearest
from hive.models.wrappers.around import worst_case
from hive.testing.faults import Line, cut, error
from hive.testing.loopback import loopback
from tests.models.asking import ASK, BACKENDS, KEY

CHEAP, DEAR = Prices.usd(1, 2), Prices.usd(3, 1)
USE = Usage(input=1_000_000, output=1_000_000)


def scripted(
    name: str, *lines: Reply | str | Exception, prices: Prices | None = CHEAP
) -> ScriptedModel:
    model = ScriptedModel(lines, name=name)
    model.card = ModelCard(model.name, window=100, prices=prices)  # type: ignore[attr-defined]
    return model


def answer(text: str) -> Reply:
    return Reply(parts=(Text(text=text),), usage=USE)


@pytest.mark.parametrize(
    "line", [error(500, "down"), error(404, "gone"), cut("Hello."), error(429)]
)
@pytest.mark.asyncio
async def test_the_next_provider_answers_over_the_wire(line: Line) -> None:
    admitted: list[int] = []
    request = ASK._replace(
        delta=lambda piece: None,
        admit=lambda cost, tried=(): not admitted.append(cost),  # type: ignore[func-returns-value]
    )
    script: dict[str, list[Line]] = {"responses": [line], "chat": [line], "messages": ["Here."]}
    async with loopback(script) as server:  # type: ignore[arg-type]
        chain = Failover(*(resolve(name, base_url=server.base_url, key=KEY) for name in BACKENDS))
        reply = await chain.complete(request)
        await chain.aclose()
    assert reply.text == "Here."
    assert reply.model == "claude-opus-5"
    assert [attempt.model for attempt in reply.attempts] == list(BACKENDS[:2])
    last = chain.models[2]
    assert reply.cost == card_of(last).cost(reply.usage) > 0
    assert admitted == [worst_case(model, request) for model in chain.models[1:]]


@pytest.mark.parametrize(
    "failure",
    [RateLimited("a"), ServerFailed("a"), RequestRefused("a"), ContextOverflow("a"), BadReply("a")],
)
@pytest.mark.asyncio
async def test_whatever_the_first_fails_with(failure: ModelError) -> None:
    chain = Failover(scripted("a", failure), scripted("b", answer("b"), prices=DEAR))
    reply = await chain.complete(ASK)
    assert (reply.text, reply.model, reply.cost) == ("b", "script:b", 4 * 10**9)
    (attempt,) = reply.attempts
    assert attempt.model == "script:a"
    assert (attempt.cost > 0) == failure.retryable


@pytest.mark.asyncio
async def test_when_all_fail_the_last_error_tells_of_all() -> None:
    first = ServerFailed(
        "one", [Attempt(reason="timeout", cost=1), Attempt(reason="bad_reply", model="z")]
    )
    chain = Failover(scripted("a", first), scripted("b", RequestRefused("two")))
    with pytest.raises(RequestRefused, match="two; so did all before it: 2 models") as caught:
        await chain.complete(ASK)
    assert [(a.reason, a.model) for a in caught.value.attempts] == [
        ("timeout", "script:a"),
        ("bad_reply", "z"),
        ("refused", "script:b"),
    ]
    assert caught.value.__context__ is first


@pytest.mark.asyncio
async def test_who_is_not_admitted_is_not_asked() -> None:
    second = scripted("b", answer("b"))
    chain = Failover(scripted("a", ServerFailed("down")), second)
    refusing = ASK._replace(admit=lambda cost, tried=(): False)
    with pytest.raises(ServerFailed, match="down; the budget does not admit asking script:b"):
        await chain.complete(refusing)
    assert second.requests == []


@pytest.mark.asyncio
async def test_a_bug_is_not_followed_by_the_next() -> None:
    second = scripted("b", answer("b"))
    with pytest.raises(ValueError, match="a bug"):
        await Failover(scripted("a", ValueError("a bug")), second).complete(ASK)
    assert second.requests == []


@pytest.mark.asyncio
async def test_the_board_shows_who_answered_at_whose_price() -> None:
    chain = Failover(
        scripted("a", ServerFailed("down", [Attempt(reason="timeout", cost=7)])),
        scripted("b", answer("b"), prices=DEAR),
    )
    result = await Workflow(Role("r"), model=chain).run("g")
    (inference,) = [e.payload for e in result.entries if isinstance(e.payload, Inference)]
    assert inference.model == "script:b"
    assert inference.cost == 4 * 10**9 + 7
    assert inference.attempts == (Attempt(reason="timeout", cost=7, model="script:a"),)


def test_its_card_is_cautious() -> None:
    small = ModelCard("a", window=10, max_output=5, prices=CHEAP, abilities=frozenset({"tools"}))
    large = ModelCard("b", window=20, prices=DEAR, abilities=frozenset({"tools", "stream"}))
    a, b = scripted("a"), scripted("b")
    a.card, b.card = small, large  # type: ignore[attr-defined]
    card = Failover(a, b).card
    assert (card.window, card.max_output) == (10, 5)
    assert card.abilities == frozenset({"tools"})
    assert card.prices == Prices.usd(3, 2)
    b.card = replace(large, prices=None)  # type: ignore[attr-defined]
    assert Failover(a, b).card.prices is None


@pytest.mark.parametrize("tokens", [0, 5, 6, 9, 10, 11, 99])
def test_no_member_is_dearer_than_the_chain(tokens: int) -> None:
    stepped = replace(CHEAP, beyond=((5, Prices.usd(9, 9)), (10, Prices.usd(2, 30))))
    other = replace(DEAR, beyond=((9, Prices.usd(4, 4)),))
    chain = dearest([stepped, other])
    for prices in (stepped, other):
        card, whole = ModelCard("m", prices=prices), ModelCard("c", prices=chain)
        for usage in (Usage(input=tokens, output=7), Usage(input=tokens, cached_read=tokens)):
            assert card.cost(usage) <= whole.cost(usage)
        assert card.worst(tokens, 7) <= whole.worst(tokens, 7)


@pytest.mark.parametrize("names", [[], ["openai:a"], ["openai:a", "openai:a"]])
def test_a_chain_that_is_none_is_refused(names: list[str]) -> None:
    with pytest.raises(DeclarationError, match="two models or more, each once"):
        Failover(*names)


def test_a_member_without_a_key_is_told_before_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    chain = Failover("openai:gpt-5-mini", "anthropic:claude-opus-5")
    assert chain.name == "openai:gpt-5-mini > anthropic:claude-opus-5"
    with pytest.raises(MissingKey, match="ANTHROPIC_API_KEY"):
        check(chain)


@pytest.mark.asyncio
async def test_who_hangs_leaves_time_to_the_next_and_counts_at_its_worst() -> None:
    seen: list[float] = []

    async def hang(request: Request) -> str:
        assert request.admit(7)
        seen.append(request.left())
        await anyio.sleep_forever()
        return ""

    first: Any = FunctionModel(hang, "hanging")
    first.card = ModelCard(first.name, prices=DEAR)
    chain = Failover(first, scripted("b", "Here."))
    reply = await chain.complete(ASK._replace(left=lambda: 0.02))
    assert reply.text == "Here."
    assert seen[0] <= 0.01
    assert [(a.reason, a.model, a.cost) for a in reply.attempts] == [
        ("timeout", first.name, worst_case(first, ASK)),
        ("timeout", first.name, 7),
    ]
    assert all(attempt.tokens > ASK.max_output for attempt in reply.attempts)


@pytest.mark.asyncio
async def test_who_has_all_the_time_in_the_world_is_waited_for() -> None:
    async def answer(request: Request) -> str:
        assert request.left() == math.inf
        return "Here."

    chain = Failover(FunctionModel(answer, "a"), scripted("b"))
    assert (await chain.complete(ASK)).attempts == ()
