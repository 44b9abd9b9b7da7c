"""Why an answer ended, in each server's own words."""

import json
from typing import Any

import pytest

from hive.errors import ModelError, RateLimited, RequestRefused, ServerFailed
from hive.message import Reply, Text, Usage
from hive.models import ModelCard, close, resolve
from hive.testing.faults import Line, raw
from hive.testing.loopback import loopback
from tests.models.asking import ASK, KEY, ask

streaming = pytest.mark.parametrize("streamed", [False, True])
USAGE = {"prompt_tokens": 7, "completion_tokens": 3}


def chat(finish: str, streamed: bool, error: dict[str, Any] | None = None) -> Line:
    """An answer of Chat Completions that is cut off after "Once upon"."""
    end: dict[str, Any] = {"index": 0, "finish_reason": finish}
    end |= {} if error is None else {"error": error}
    if not streamed:
        body = {"choices": [{**end, "message": {"content": "Once upon"}}], "usage": USAGE}
        return raw(json.dumps(body).encode(), "application/json")
    chunks: list[dict[str, Any]] = [
        {"choices": [{"index": 0, "delta": {"content": "Once upon"}}]},
        {"choices": [{**end, "delta": {"content": ""}}]},
        {"choices": [], "usage": USAGE},
    ]
    lines = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks)
    return raw(lines.encode() + b"data: [DONE]\n\n", "text/event-stream")


async def asked(line: Line, name: str, streamed: bool) -> Reply:
    request = ASK._replace(delta=(lambda piece: None) if streamed else None)
    return (await ask([line], name, request))[0]


@streaming
@pytest.mark.parametrize("name", ["openai-chat:x", "anthropic:claude-opus-5"])
@pytest.mark.asyncio
async def test_a_full_window_is_told_from_a_limit(name: str, streamed: bool) -> None:
    line = Reply(parts=(Text(text="Once upon"),), stop="overflow", usage=Usage(input=9, output=3))
    reply = await asked(line, name, streamed)
    assert (reply.stop, reply.text) == ("overflow", "Once upon")


@streaming
@pytest.mark.parametrize(
    ("word", "stop"),
    [
        ("stop", "end"),
        ("length", "length"),
        ("model_length", "overflow"),
        ("model_context_window_exceeded", "overflow"),
        ("content_filter", "filter"),
        ("sensitive", "filter"),
        ("refusal", "refusal"),
        ("pause_turn", "pause"),
        ("a word of tomorrow", "end"),
    ],
)
@pytest.mark.asyncio
async def test_the_words_of_chat_completions(word: str, stop: str, streamed: bool) -> None:
    reply = await asked(chat(word, streamed), "openai-chat:x", streamed)
    assert (reply.stop, reply.text) == (stop, "Once upon")


@streaming
@pytest.mark.parametrize(
    ("reason", "stop"),
    [
        ("max_output_tokens", "length"),
        ("max_tokens", "length"),
        ("content_filter", "filter"),
        ("model_length", "overflow"),
        ("steered", "pause"),
    ],
)
@pytest.mark.asyncio
async def test_the_words_of_responses(reason: str, stop: str, streamed: bool) -> None:
    said = {"type": "output_text", "text": "Once upon"}
    body = {
        "id": "1",
        "status": "incomplete",
        "incomplete_details": {"reason": reason},
        "output": [{"type": "message", "id": "m", "role": "assistant", "content": [said]}],
        "usage": {"input_tokens": 7, "output_tokens": 3},
    }
    event = {"type": "response.incomplete", "response": body}
    written = f"data: {json.dumps(event)}\n\n" if streamed else json.dumps(body)
    kind = "text/event-stream" if streamed else "application/json"
    reply = await asked(raw(written.encode(), kind), "openai:gpt-5-mini", streamed)
    assert (reply.stop, reply.text) == (stop, "Once upon")


@streaming
@pytest.mark.parametrize(
    ("word", "error", "expected"),
    [
        ("error", {"code": 502, "message": "The provider went away."}, ServerFailed),
        ("error", {"code": 429, "message": "Too fast."}, RateLimited),
        ("error", {"code": 403, "message": "Flagged."}, RequestRefused),
        ("stop", {"code": "server_error", "message": "Out of memory."}, ServerFailed),
        ("error", None, ServerFailed),
        ("insufficient_system_resource", None, ServerFailed),
        ("abort", None, ServerFailed),
    ],
)
@pytest.mark.asyncio
async def test_an_answer_that_ends_with_an_error_is_that_error(
    word: str, error: dict[str, Any] | None, expected: type[ModelError], streamed: bool
) -> None:
    with pytest.raises(expected) as caught:
        await asked(chat(word, streamed, error), "openai-chat:x", streamed)
    assert (error["message"] if error else word) in str(caught.value)
    (attempt,) = caught.value.attempts
    assert attempt.usage == Usage(input=7, output=3)


@pytest.mark.parametrize(
    ("used", "limit", "window", "stop"),
    [
        ((90, 10), 50, 100, "overflow"),
        ((90, 9), 50, 100, "overflow"),
        ((50, 50), 50, 100, "length"),
        ((20, 10), 50, 100, "length"),
        ((90, 10), 50, None, "length"),
    ],
)
@streaming
@pytest.mark.asyncio
async def test_a_server_that_has_one_word_for_both_limits_is_seen_through(
    used: tuple[int, int], limit: int, window: int | None, stop: str, streamed: bool
) -> None:
    usage = Usage(input=used[0], output=used[1])
    line = Reply(parts=(Text(text="Once upon"),), stop="length", usage=usage)
    for name in ("openai:gpt-5-mini", "compatible:x", "anthropic:x"):
        async with loopback([line]) as server:
            card = ModelCard(name, window=window)
            model = resolve(name, base_url=server.base_url, key=KEY, card=card)
            delta = (lambda piece: None) if streamed else None
            reply = await model.complete(ASK._replace(max_output=limit, delta=delta))
            await close(model)
        assert reply.stop == stop


@streaming
@pytest.mark.parametrize(
    ("code", "expected"), [(502, ServerFailed), (429, RateLimited), (402, RequestRefused)]
)
@pytest.mark.asyncio
async def test_a_status_within_an_answer_counts_as_one(
    code: int, expected: type[ModelError], streamed: bool
) -> None:
    body = json.dumps({"error": {"code": code, "message": "Behind me."}})
    line = raw(
        f"data: {body}\n\n".encode() if streamed else body.encode(),
        "text/event-stream" if streamed else "application/json",
    )
    with pytest.raises(expected, match=rf"status {code}.*Behind me"):
        await asked(line, "openai-chat:x", streamed)


@pytest.mark.parametrize(
    ("used", "limit", "window", "stop"),
    [
        ((20, 50), 50, 100, "length"),
        ((60, 40), 50, 100, "overflow"),
        ((60, 40), 50, None, "end"),
        ((20, 49), 50, 100, "end"),
    ],
)
@streaming
@pytest.mark.asyncio
async def test_a_server_that_calls_every_response_completed_is_seen_through(
    used: tuple[int, int], limit: int, window: int | None, stop: str, streamed: bool
) -> None:
    said = {"type": "output_text", "text": "Once upon"}
    body = {
        "status": "completed",  # and not a word of incomplete_details
        "output": [{"type": "message", "id": "m", "role": "assistant", "content": [said]}],
        "usage": {"input_tokens": used[0], "output_tokens": used[1]},
    }
    event = {"type": "response.completed", "response": body}
    written = f"data: {json.dumps(event)}\n\n" if streamed else json.dumps(body)
    kind = "text/event-stream" if streamed else "application/json"
    async with loopback([raw(written.encode(), kind)]) as server:
        card = ModelCard("x", window=window)
        model = resolve("openai:x", base_url=server.base_url, key=KEY, card=card)
        delta = (lambda piece: None) if streamed else None
        reply = await model.complete(ASK._replace(max_output=limit, delta=delta))
        await close(model)
    assert (reply.stop, reply.text) == (stop, "Once upon")


@pytest.mark.parametrize("later", [{}, {"stop_reason": None, "stop_sequence": None}])
@pytest.mark.asyncio
async def test_of_several_events_about_the_end_of_a_message_one_says_why(
    later: dict[str, None],
) -> None:
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": {"id": "m", "usage": {"input_tokens": 7}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text"}},
        {"type": "content_block_delta", "index": 0, "delta": {"text": "Once upon"}},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "max_tokens"},
            "usage": {"output_tokens": 2},
        },
        {"type": "message_delta", "delta": later, "usage": {"output_tokens": 3}},
        {"type": "message_stop"},
    ]
    written = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)
    line = raw(written.encode(), "text/event-stream")
    reply = await asked(line, "anthropic:claude-opus-5", streamed=True)
    assert (reply.stop, reply.text) == ("length", "Once upon")
    assert reply.usage == Usage(input=7, output=3)
