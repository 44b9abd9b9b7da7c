"""What servers and networks do wrong: each becomes the right error, with its cause and no key."""

import asyncio
import re
import traceback
from collections.abc import Callable
from typing import Any

import pytest

from hive.errors import (
    BadReply,
    ContextOverflow,
    MissingKey,
    ModelError,
    RateLimited,
    RequestRefused,
    ServerFailed,
)
from hive.models import card_of, check, close, resolve
from hive.testing.faults import Line, drop, error, fails, linger, raw
from hive.testing.loopback import loopback
from tests.models.asking import ASK, BACKENDS, KEY, each, model_at, use

STREAMED = ASK._replace(delta=lambda piece: None)
plain_and_streamed = pytest.mark.parametrize("request_", [ASK, STREAMED], ids=["plain", "streamed"])


async def failure(line: Line, name: str, request: Any = ASK) -> ModelError:
    async with loopback([line]) as server, model_at(server, name) as model:
        with pytest.raises(ModelError) as caught:
            await model.complete(request)
        # The SDKs' own retries are off.
        assert len(server.requests) == 1
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + repr(model)
    assert KEY not in shown
    return caught.value


STATUSES: list[tuple[Line, type[ModelError], str]] = [
    (error(500, "oops"), ServerFailed, r"\(status 500\).*oops"),
    (error(529, "busy", code="overloaded_error"), ServerFailed, "busy"),
    (error(503, f"no key {KEY} here"), ServerFailed, r"no key \[key\] here"),
    (raw(b"<html>502 Bad Gateway</html>", status=502), ServerFailed, "Bad Gateway"),
    (error(408, "slow"), ServerFailed, "slow"),
    (error(409, "conflict"), ServerFailed, "conflict"),
    (error(401, f"Incorrect API key provided: {KEY}."), RequestRefused, r"API_KEY.*\[key\]"),
    (error(403, "not for you"), RequestRefused, "does not accept the key; check"),
    (error(404, "no model x"), RequestRefused, "no such model.*no model x"),
    (error(400, "bad temperature"), RequestRefused, "bad temperature"),
    (error(402, "pay"), RequestRefused, "credit is used up"),
    (error(429, "no credit", code="insufficient_quota"), RequestRefused, "credit is used up"),
    (error(413, "too large"), ContextOverflow, "too long"),
    (error(400, "prompt is too long: 9 tokens > 8 maximum"), ContextOverflow, "9 tokens > 8"),
    (error(400, "no", code="context_length_exceeded"), ContextOverflow, "no"),
    (error(400, "input length and `max_tokens` exceed context limit"), ContextOverflow, "exceed"),
    (
        raw(
            b'{"error":{"code":400,"message":"the request exceeds the available context size",'
            b'"type":"exceed_context_size_error"}}',
            "application/json",
            400,
        ),
        ContextOverflow,
        "available context size",
    ),
    (raw(b'{"error":"model not found"}', "application/json", 404), RequestRefused, "not found"),
    (raw(b'{"detail":"Not Found"}', "application/json", 404), RequestRefused, "Not Found"),
    (raw(b"[1]", "application/json", 400), RequestRefused, "gave no reason"),
    (raw(b"", "text/plain", 500), ServerFailed, "gave no reason"),
]


@each
@plain_and_streamed
@pytest.mark.parametrize(("line", "kind", "words"), STATUSES)
@pytest.mark.asyncio
async def test_an_error_answer(
    name: str, request_: Any, line: Line, kind: type[ModelError], words: str
) -> None:
    found = await failure(line, name, request_)
    assert type(found) is kind
    assert found.__cause__ is not None
    assert name in str(found)
    assert re.search(words, str(found))
    (attempt,) = found.attempts
    assert attempt.status is not None
    assert attempt.cost == 0


@each
@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        (
            {
                "retry-after": "Wed, 21 Oct 2026 07:28:30 GMT",
                "date": "Wed, 21 Oct 2026 07:28:00 GMT",
            },
            30.0,
        ),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "inf"}, None),
        ({}, None),
    ],
)
@pytest.mark.asyncio
async def test_asked_to_slow_down(name: str, headers: dict[str, str], wait: float | None) -> None:
    found = await failure(error(429, "slow down", code="rate_limit_error", headers=headers), name)
    assert isinstance(found, RateLimited)
    assert found.retry_after == wait
    assert found.retryable
    assert found.attempts[0].reason == "rate_limited"


GARBAGE: list[Line] = [
    raw(b'{"choices": [], "status": "queued", "output": []}', "application/json"),
    raw(b"[" * 100_000, "application/json"),
    raw(b"\xff\xfe", "application/json"),
]


@each
@pytest.mark.parametrize(("status", "says"), [(500, "false"), (429, "false"), (400, "true")])
@pytest.mark.asyncio
async def test_a_server_may_say_itself_whether_to_try_again(
    name: str, status: int, says: str
) -> None:
    line = error(status, "no", headers={"x-should-retry": says})
    async with loopback([line]) as server, model_at(server, name) as model:
        with pytest.raises(ModelError) as caught:
            await model.complete(ASK)
    assert caught.value.retryable is (says == "true")


@each
@plain_and_streamed
@pytest.mark.parametrize("line", GARBAGE)
@pytest.mark.asyncio
async def test_a_garbage_body(name: str, request_: Any, line: Line) -> None:
    found = await failure(line, name, request_)
    assert type(found) is BadReply
    # What it may have cost is not known, so the worst is assumed.
    assert found.attempts[0].cost > 0


@each
@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        ("overloaded_error", "busy", ServerFailed),
        ("server_error", "oops", ServerFailed),
        ("", "something", ServerFailed),
        ("rate_limit_exceeded", "slow down", RateLimited),
        ("rate_limit_error", "slow down", RateLimited),
        ("invalid_prompt", "no", RequestRefused),
        ("context_length_exceeded", "no", ContextOverflow),
    ],
)
@pytest.mark.asyncio
async def test_an_error_within_a_stream(
    name: str, code: str, message: str, kind: type[ModelError]
) -> None:
    if not code and name.startswith("anthropic"):
        code = "api_error"
    if not code:
        code = "unheard_of"
    found = await failure(fails("Hello.", f"{message} {KEY}", code=code), name, STREAMED)
    assert type(found) is kind
    assert message in str(found)


@each
@pytest.mark.asyncio
async def test_an_error_in_a_plain_answer_of_status_200(name: str) -> None:
    body = b'{"error": {"message": "upstream is busy", "code": "server_error"}}'
    found = await failure(raw(body, "application/json"), name)
    assert type(found) is ServerFailed
    assert "upstream is busy" in str(found)


@pytest.mark.asyncio
async def test_a_response_that_failed() -> None:
    body = b'{"status": "failed", "output": [], "error": {"code": "server_error", "message": "x"}}'
    event = b'data: {"type": "response.failed", "response": ' + body + b"}\n\n"
    found = await failure(raw(event, "text/event-stream"), BACKENDS[0], STREAMED)
    assert type(found) is ServerFailed


@each
@pytest.mark.asyncio
async def test_a_connection_that_is_refused_costs_nothing(name: str) -> None:
    async with loopback() as server:
        pass
    async with model_at(server, name) as model:
        with pytest.raises(ServerFailed, match=server.base_url) as caught:
            await model.complete(ASK)
    assert caught.value.attempts[0].cost == 0
    assert caught.value.__cause__ is not None


@each
@pytest.mark.asyncio
async def test_a_server_that_does_not_stream_is_read_all_the_same(name: str) -> None:
    heard: list[str] = []

    def unstreamed(received: Any) -> Line:
        received["stream"] = False
        return "Hello."

    async with loopback([unstreamed]) as server, model_at(server, name) as model:
        reply = await model.complete(ASK._replace(delta=heard.append))
    assert reply.text == "Hello."
    assert heard == ["Hello."]


@each
@pytest.mark.asyncio
async def test_a_stream_that_is_whole_is_not_waited_for(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hive.models.body.DRAIN", 0)
    async with loopback([linger("Hello."), "Again."]) as server, model_at(server, name) as model:
        assert (await model.complete(STREAMED)).text == "Hello."
        assert (await model.complete(STREAMED)).text == "Again."
        assert server.connections == 2


@each
@pytest.mark.asyncio
async def test_lone_surrogates_are_replaced_and_halves_joined(name: str) -> None:
    lone = use("a", where="\ud83d")
    script: list[Line] = ["a \ud83d b", ["\ud83d\ude00", lone]]
    async with loopback(script) as server, model_at(server, name) as model:
        assert (await model.complete(ASK)).text == "a \ufffd b"
        reply = await model.complete(STREAMED)
    assert reply.text == "\U0001f600"
    assert reply.tool_uses == (use("a", where="\ufffd"),)


@each
def test_a_missing_key_says_what_to_do(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    variable = "ANTHROPIC_API_KEY" if name.startswith("anthropic") else "OPENAI_API_KEY"
    monkeypatch.delenv(variable, raising=False)
    model = resolve(name)
    says = rf"set {variable}.*compatible:NAME@http.*hive demo"
    with pytest.raises(MissingKey, match=says):
        check(model)
    with pytest.raises(MissingKey, match=says):
        asyncio.run(model.complete(ASK))
    monkeypatch.setenv(variable, KEY)
    check(model)
    check(resolve(name, base_url="http://127.0.0.1:1/v1"))


@each
@pytest.mark.parametrize("key", [f"{KEY}\n{KEY}", f"{KEY} {KEY}", f"{KEY}ü"])
def test_a_key_that_cannot_be_sent_is_not_shown(name: str, key: str) -> None:
    with pytest.raises(MissingKey) as caught:
        asyncio.run(resolve(name, key=key).complete(ASK))
    assert KEY not in "".join(traceback.format_exception(caught.value))


@each
@pytest.mark.asyncio
async def test_a_key_is_taken_without_the_blanks_around_it(name: str) -> None:
    async with loopback(["x"]) as server:
        model = resolve(name, base_url=server.base_url, key=f" {KEY}\n")
        await model.complete(ASK)
        await close(model)
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"


@each
@pytest.mark.asyncio
async def test_without_a_key_a_server_of_ones_own_gets_a_placeholder(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.delenv(variable, raising=False)
    async with loopback(["x"]) as server:
        model = resolve(f"{name}@{server.base_url}")
        await model.complete(ASK)
        await close(model)
    assert server.requests[0].headers["authorization"] == "Bearer no-key-needed"


@each
@pytest.mark.asyncio
async def test_the_worst_case_is_what_a_lost_answer_may_have_cost(name: str) -> None:
    worth: list[Callable[..., int]] = [card_of(resolve(name, key=KEY)).worst]
    found = await failure(drop(), name)
    assert found.attempts[0].cost >= worth[0](20, ASK.max_output)
