"""Answers that break off, stall or come in an odd fashion: what was paid for is not lost."""

import json
from dataclasses import replace
from typing import Any

import pytest

from hive.errors import (
    BadReply,
    ContextOverflow,
    ModelError,
    RateLimited,
    ServerFailed,
)
from hive.message import Attempt, Request, Usage
from hive.models import card_of, resolve
from hive.testing.faults import (
    Line,
    closes,
    cut,
    drop,
    error,
    fails,
    hangs,
    raw,
    resets,
)
from hive.testing.loopback import loopback
from tests.models.asking import (
    ASK,
    COUNTS,
    HELLO,
    KEY,
    LOOK,
    STREAMED,
    each,
    failed,
    model_at,
    plain_and_streamed,
    use,
    worst,
)


@each
@plain_and_streamed
@pytest.mark.parametrize("breaks", [closes, resets])
@pytest.mark.parametrize("keep", [0, 3, 4])
@pytest.mark.asyncio
async def test_a_connection_that_breaks_in_mid_answer(
    name: str, request_: Request, breaks: Any, keep: int
) -> None:
    found, attempt = await failed(breaks(HELLO, keep), name, request_)
    assert type(found) is ServerFailed
    assert found.retryable
    assert "no connection" in str(found)
    assert found.__cause__ is not None
    assert attempt.reason == "server_failed"
    assert attempt.cost > 0
    if attempt.usage is None:
        assert (attempt.cost, attempt.tokens) == worst(name)


@each
@pytest.mark.parametrize("breaks", [closes, cut, resets])
@pytest.mark.asyncio
async def test_what_was_reported_before_the_break_stands_on_the_attempt(
    name: str, breaks: Any
) -> None:
    # Messages reports the input first, Chat Completions and Responses everything at last.
    found, attempt = await failed(breaks(HELLO, 3), name)
    assert found.retryable
    if not name.startswith("anthropic"):
        assert (attempt.usage, (attempt.cost, attempt.tokens)) == (None, worst(name))
        return
    seen = attempt.usage
    assert seen is not None
    assert (seen.input, seen.cached_read, seen.cache_write) == (1000, 600, 100)
    # The rest of the output may have been made, and is charged.
    most = seen.model_copy(update={"output": ASK.max_output})
    assert attempt.cost == card_of(resolve(name, key=KEY)).cost(most) > 0
    assert attempt.tokens == 1000 + ASK.max_output


@each
@pytest.mark.asyncio
async def test_a_use_that_was_reported_in_full_is_charged_as_reported(name: str) -> None:
    body: dict[str, Any]
    use_ = {"input_tokens": 7, "output_tokens": 3}
    if name.startswith("openai:"):
        failure = {"code": "server_error", "message": "x"}
        body = {"status": "failed", "output": [], "error": failure, "usage": use_}
        line = raw(json.dumps({"type": "response.failed", "response": body}).encode())
        line = replace(line, body=b"data: " + (line.body or b"") + b"\n\n")
        line = replace(line, headers={"content-type": "text/event-stream"})
    elif name.startswith("openai-chat:"):
        body = {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 3}}
        line = raw(json.dumps(body).encode(), "application/json")
    else:
        # It was to answer through a tool, and did not.
        line = raw(
            json.dumps(
                {
                    "content": [{"type": "text", "text": "No."}],
                    "stop_reason": "end_turn",
                    "usage": use_,
                }
            ).encode(),
            "application/json",
        )
    found, attempt = await failed(line, name, STREAMED._replace(output=COUNTS))
    assert found.retryable
    assert attempt.usage == Usage(input=7, output=3)
    assert attempt.tokens == 10
    assert attempt.cost == card_of(resolve(name, key=KEY)).cost(Usage(input=7, output=3))
    assert attempt.status == 200


@pytest.mark.parametrize("request_", [ASK, STREAMED], ids=["plain", "streamed"])
@pytest.mark.asyncio
async def test_a_demanded_tool_that_is_not_called(request_: Request) -> None:
    name = "anthropic:claude-opus-5"
    asked = request_._replace(output=COUNTS)
    found, attempt = await failed(HELLO, name, asked)
    assert type(found) is BadReply
    assert "did not call a tool, as it had to" in str(found)
    assert attempt.usage == HELLO.usage
    # Another of its tools will do, and so will a refusal.
    async with (
        loopback([use("a"), HELLO.model_copy(update={"stop": "refusal"})]) as server,
        model_at(server, name) as model,
    ):
        reply = await model.complete(asked._replace(tools=(LOOK,)))
        assert reply.tool_uses == (use("a"),)
        assert (await model.complete(asked)).stop == "refusal"


@each
@pytest.mark.parametrize("status", [429, 503, 529])
@pytest.mark.asyncio
async def test_every_status_may_say_how_long_to_wait(name: str, status: int) -> None:
    dated = {
        "retry-after": "Wed, 21 Oct 2026 07:28:30 GMT",
        "date": "Wed, 21 Oct 2026 07:28:00 GMT",
    }
    for headers, wait in (({"retry-after": "7"}, 7.0), (dated, 30.0), ({}, None)):
        found, attempt = await failed(error(status, "busy", headers=headers), name)
        assert type(found) is (RateLimited if status == 429 else ServerFailed)
        assert found.retry_after == wait
        assert (attempt.status, attempt.cost, attempt.tokens) == (status, 0, 0)


@each
@pytest.mark.parametrize("status", [504, 524])
@pytest.mark.asyncio
async def test_a_proxy_that_waits_no_longer_may_have_left_a_server_at_work(
    name: str, status: int
) -> None:
    found, attempt = await failed(error(status, "gateway timeout"), name)
    assert type(found) is ServerFailed
    assert (attempt.cost, attempt.tokens) == worst(name)


PAGE = b"""<!DOCTYPE html>
<html><head><title>Sign in</title><style>b { color: red }</style>
<script>if (a < b) { go() }</script></head><body><h1>Your session <b>has ended</b></h1></body>"""


@each
@plain_and_streamed
@pytest.mark.parametrize("status", [200, 403, 502])
@pytest.mark.asyncio
async def test_a_page_for_people(name: str, request_: Request, status: int) -> None:
    found, attempt = await failed(raw(PAGE, "text/html", status), name, request_)
    if status == 200:
        assert type(found) is BadReply
        assert "text/html) is no JSON; is there a proxy in between" in str(found)
    else:
        assert str(found).endswith("Sign in Your session has ended")
    assert attempt.status == status


@each
@pytest.mark.asyncio
async def test_an_event_stream_where_none_was_asked_for_is_read(name: str) -> None:
    def streamed(received: Any) -> Line:
        received["stream"] = True
        return HELLO

    async with loopback([streamed]) as server, model_at(server, name) as model:
        reply = await model.complete(ASK)
    assert (reply.parts, reply.usage) == (HELLO.parts, HELLO.usage)


@each
@pytest.mark.asyncio
async def test_an_error_event_keeps_what_was_reported(name: str) -> None:
    found, attempt = await failed(fails(HELLO, "busy", code="overloaded_error"), name)
    assert type(found) is ServerFailed
    assert (attempt.status, attempt.cost > 0) == (200, True)
    assert (attempt.usage is not None) == name.startswith("anthropic")


@each
@pytest.mark.parametrize("line", [hangs(), hangs(HELLO), hangs(HELLO, 0)])
@plain_and_streamed
@pytest.mark.asyncio
async def test_a_server_that_falls_silent_is_given_up(
    name: str, line: Line, request_: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hive.models.wire.TIMEOUT", 0.02)
    async with loopback([line, "Again."]) as server, model_at(server, name) as model:
        with pytest.raises(ServerFailed, match="did not answer in time") as caught:
            await model.complete(request_)
        assert caught.value.retryable
        assert caught.value.attempts[0].cost > 0
        await server.left_alone.wait()


@each
@pytest.mark.asyncio
async def test_after_a_break_the_next_call_has_a_connection_of_its_own(name: str) -> None:
    script: list[Line] = [resets(HELLO), closes(HELLO), cut(HELLO), drop(), "Again."]
    async with loopback(script) as server, model_at(server, name) as model:
        for _ in script[:-1]:
            with pytest.raises(ModelError):
                await model.complete(STREAMED)
        assert (await model.complete(STREAMED)).text == "Again."


@each
@pytest.mark.asyncio
async def test_what_is_too_long_is_no_use_trying_again(name: str) -> None:
    found, attempt = await failed(error(400, "prompt is too long: 9 tokens > 8"), name)
    assert type(found) is ContextOverflow
    assert not found.retryable
    assert attempt == Attempt(reason="context_overflow", status=400)
