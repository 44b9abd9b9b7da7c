"""The three backends against aimock, where it goes wrong, and where it strays from what the
providers specify: what is made of that."""

import json
from typing import Any

import pytest

from hive.errors import BadReply, ModelError, RateLimited, RequestRefused, ServerFailed
from hive.message import Reply, Request, Thinking
from tests.peers.asking import ASK, LOOK, PROTOCOLS, VERDICT, each_way, hear, named, opened
from tests.peers.mock import Mock

MODELS = {"compatible": "gpt-5-mini", "openai": "gpt-5-mini", "anthropic": "claude-opus-5"}
protocols = pytest.mark.parametrize("protocol", PROTOCOLS)


@pytest.fixture
def mock(aimock: str) -> Mock:
    return Mock(aimock)


async def told(mock: Mock, protocol: str, request: Request = ASK) -> Reply:
    async with opened(named(protocol, mock.address, MODELS[protocol])) as model:
        return await model.complete(request)


async def failure(mock: Mock, protocol: str, request: Request = ASK) -> ModelError:
    with pytest.raises(ModelError) as caught:
        await told(mock, protocol, request._replace(admit=lambda cost, tried=(): False))
    return caught.value


def always(response: dict[str, Any], **options: Any) -> list[dict[str, Any]]:
    return [{"match": {}, "response": response, **options}]


@each_way
@protocols
@pytest.mark.parametrize(
    ("chaos", "kind", "words"),
    [
        ("dropRate", ServerFailed, "status 500.*dropped"),
        ("malformedRate", BadReply, "no JSON"),
        ("rateLimitRate", RateLimited, "status 429.*slow down"),
        ("disconnectRate", ServerFailed, "no connection"),
    ],
)
@pytest.mark.asyncio
async def test_chaos(
    mock: Mock, protocol: str, streamed: bool, chaos: str, kind: type[ModelError], words: str
) -> None:
    mock.load(always({"content": "Hello."}, chaos={chaos: 1}))
    found = await failure(mock, protocol, hear(ASK, streamed)[0])
    assert type(found) is kind
    assert found.retryable
    with pytest.raises(kind, match=words):
        raise found


@protocols
@pytest.mark.asyncio
async def test_a_limit_says_how_long_to_wait(mock: Mock, protocol: str) -> None:
    slow = {"message": "slow down", "type": "rate_limit_error"}
    mock.load(always({"error": slow, "status": 429, "retryAfter": 7}))
    found = await failure(mock, protocol)
    assert isinstance(found, RateLimited)
    assert found.retry_after == 7


@protocols
@pytest.mark.asyncio
async def test_a_stream_that_is_broken_off_is_no_answer(mock: Mock, protocol: str) -> None:
    words = "Hello to all of you, and to whoever else may listen today."
    mock.load(always({"content": words}, chunkSize=2, latency=10, truncateAfterChunks=12))
    request, heard = hear(ASK)
    found = await failure(mock, protocol, request)
    assert type(found) is ServerFailed
    assert "".join(heard)
    assert words.startswith("".join(heard))


@protocols
@pytest.mark.asyncio
async def test_a_key_that_is_not_known_is_refused(mock: Mock, protocol: str) -> None:
    wrong = {"message": "Invalid API key.", "type": "authentication_error"}
    mock.load(always({"error": wrong, "status": 401}))
    assert type(await failure(mock, protocol)) is RequestRefused


@each_way
@protocols
@pytest.mark.asyncio
async def test_a_call_before_the_words_keeps_its_place(
    mock: Mock, protocol: str, streamed: bool
) -> None:
    use = {"type": "toolCall", "id": "call_1", "name": "look", "arguments": {"where": "left"}}
    mock.load(always({"blocks": [use, {"type": "text", "text": "And so on."}]}))
    reply = await told(mock, protocol, hear(ASK._replace(tools=(LOOK,)), streamed)[0])
    (found,) = reply.tool_uses
    assert (found.name, found.arguments) == ("look", {"where": "left"})
    kinds = [part.type for part in reply.parts if not isinstance(part, Thinking)]
    # Chat Completions has no order between the two.
    in_order = ["text", "tool_use"] if protocol == "compatible" else ["tool_use", "text"]
    assert kinds == in_order


@protocols
@pytest.mark.asyncio
async def test_calls_without_ids_of_ours_can_be_told_apart(mock: Mock, protocol: str) -> None:
    calls = [{"name": "look", "arguments": {"where": side}} for side in ("left", "right")]
    mock.load(always({"toolCalls": calls}))
    reply = await told(mock, protocol, ASK._replace(tools=(LOOK,)))
    assert [use.arguments["where"] for use in reply.tool_uses] == ["left", "right"]
    assert len({use.id for use in reply.tool_uses}) == 2


@each_way
@protocols
@pytest.mark.asyncio
async def test_reasoning_is_kept_apart(mock: Mock, protocol: str, streamed: bool) -> None:
    mock.load(always({"content": "Yes.", "reasoning": "Let me think."}))
    request, heard = hear(ASK, streamed)
    reply = await told(mock, protocol, request)
    thoughts = [part.text for part in reply.parts if isinstance(part, Thinking)]
    assert (reply.text, thoughts) == ("Yes.", ["Let me think."])
    assert "".join(heard) == ("Yes." if streamed else "")


@protocols
@pytest.mark.asyncio
async def test_a_typed_answer(mock: Mock, protocol: str) -> None:
    answer = {"passed": True, "mood": "calm", "why": "It held.", "parts": []}
    mock.load(always({"content": json.dumps(answer)}))
    reply = await told(mock, protocol, ASK._replace(output=VERDICT))
    assert json.loads(reply.text) == answer


@each_way
@pytest.mark.asyncio
async def test_an_incomplete_response_that_does_not_say_why_may_be_gone_on_with(
    mock: Mock, streamed: bool
) -> None:
    # OpenAI says why in incomplete_details; aimock leaves them out.
    mock.load(always({"content": "Hello", "finishReason": "length"}))
    assert (await told(mock, "openai", hear(ASK, streamed)[0])).stop == "pause"


@each_way
@pytest.mark.asyncio
async def test_a_failed_response_without_an_error_is_none(mock: Mock, streamed: bool) -> None:
    # OpenAI calls a filtered answer incomplete; aimock says failed, and sends no error along.
    mock.load(always({"content": "Hello", "finishReason": "content_filter"}))
    found = await failure(mock, "openai", hear(ASK, streamed)[0])
    assert isinstance(found, BadReply)
    assert "'failed'" in str(found)


@each_way
@pytest.mark.asyncio
async def test_a_stop_reason_of_another_api_is_no_error(mock: Mock, streamed: bool) -> None:
    # Anthropic has no content_filter; the answer is whole, as far as its API can say.
    mock.load(always({"content": "Hello", "finishReason": "content_filter"}))
    assert (await told(mock, "anthropic", hear(ASK, streamed)[0])).text == "Hello"
