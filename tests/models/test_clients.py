"""How backends hold their connections, and what they tell whom."""

import asyncio
import json
from typing import Any

import pytest

from hive.message import (
    Message,
    Reply,
    Text,
)
from hive.models import card_of, close, resolve
from hive.testing.faults import raw
from hive.testing.loopback import loopback
from tests.models.asking import ASK, BACKENDS, KEY, ask, each, model_at


@each
@pytest.mark.asyncio
async def test_one_client_serves_many_calls_and_is_closed(name: str) -> None:
    async with loopback(lambda received: received.text) as server:
        async with model_at(server, name) as model:
            for _ in range(3):
                await model.complete(ASK)
                await model.complete(ASK._replace(delta=lambda piece: None))
            assert server.connections == 1
        async with model_at(server, name) as model:
            asks = [ASK._replace(messages=(Message("user", (Text(text=f"{n}"),)),)) for n in "abc"]
            replies = await asyncio.gather(*(model.complete(one) for one in asks))
            assert [reply.text for reply in replies] == ["a", "b", "c"]


@each
@pytest.mark.asyncio
async def test_closing_waits_for_the_calls_under_way(name: str) -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def slow(received: object) -> str:
        asked.set()
        await go_on.wait()
        return "there"

    async with loopback(slow) as server, model_at(server, name) as model:
        call = asyncio.create_task(model.complete(ASK))
        await asked.wait()
        await close(model)
        go_on.set()
        assert (await call).text == "there"
        assert (await model.complete(ASK)).text == "there"
        assert server.connections == 2


@each
def test_a_model_outlives_an_event_loop(name: str) -> None:
    async def talk() -> str:
        async with loopback(["hello"]) as server:
            model.base_url = server.base_url
            reply: Reply = await model.complete(ASK)
            await close(model)
            return reply.text

    model: Any = resolve(name, base_url="http://127.0.0.1:1", key=KEY)
    assert [asyncio.run(talk()) for _ in range(2)] == ["hello", "hello"]


@pytest.mark.asyncio
async def test_long_answers_are_streamed_where_connections_would_be_cut() -> None:
    request = ASK._replace(max_output=64_000)
    reply, server = await ask(["x"], "anthropic:claude-opus-5", request)
    assert reply.text == "x"
    assert server.requests[0]["stream"] is True


@pytest.mark.parametrize("provider", ["compatible", *BACKENDS, "vllm", "azure"])
@pytest.mark.asyncio
async def test_a_server_elsewhere_is_told_nothing_of_an_account(
    provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "OPENAI_ADMIN_KEY"):
        monkeypatch.setenv(variable, KEY)
    for variable in ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "ANTHROPIC_AUTH_TOKEN"):
        monkeypatch.setenv(variable, "planted")
    for variable in ("OPENAI_CUSTOM_HEADERS", "ANTHROPIC_CUSTOM_HEADERS"):
        monkeypatch.setenv(variable, "x-tenant: planted\nauthorization: Bearer planted")
    monkeypatch.delenv("HIVE_API_KEY", raising=False)
    async with loopback(["hi"]) as server:
        model = resolve(f"{provider.partition(':')[0]}:org/qwen3@{server.base_url}")
        assert (await model.complete(ASK)).text == "hi"
        await close(model)
    (received,) = server.requests
    sent = json.dumps(received.headers)
    assert "planted" not in sent
    assert KEY not in sent
    assert received["model"] == "org/qwen3"
    assert card_of(model).prices is None


@pytest.mark.asyncio
async def test_openai_is_told_which_organization_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    async with loopback(["hi"]) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        monkeypatch.setenv("OPENAI_ORG_ID", "org-mine")
        model = resolve("openai:x")
        await model.complete(ASK)
        await close(model)
    (received,) = server.requests
    assert received.headers["openai-organization"] == "org-mine"
    assert received.headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.asyncio
async def test_a_server_that_reports_no_use_is_charged_a_bound() -> None:
    body = {"choices": [{"message": {"content": [{"type": "text", "text": "hi"}]}}]}
    reply, _ = await ask([raw(json.dumps(body).encode(), "application/json")], "openai-chat:x")
    assert reply.text == "hi"
    assert reply.usage.input >= len("Be brief.How are you?")
    assert reply.usage.output >= 1
