"""Every backend over a real socket, beyond the conformance suite: what is Hive's own choice."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from hive.message import (
    Message,
    Part,
    Reply,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
    Usage,
)
from hive.models import card_of, resolve
from hive.testing.dialects import PIECE
from hive.testing.faults import raw
from tests.models.asking import ASK, COUNTS, KEY, LOOK, PROVIDERS, SUM, ask, each, use


@each
@pytest.mark.asyncio
async def test_what_stands_around_an_answer(name: str) -> None:
    reply, server = await ask(["Fine."], name)
    assert reply.model == name.partition(":")[2]
    assert reply.id
    (received,) = server.requests
    assert received.system == "Be brief."
    assert received.text == "How are you?"
    assert received.tools == []
    assert "stream" not in received or received["stream"] is False
    assert received.headers["authorization"] == f"Bearer {KEY}"


@each
@pytest.mark.asyncio
async def test_arguments_that_a_record_cannot_hold_are_kept_as_they_came(name: str) -> None:
    huge = ToolUse(id="c", name="look", malformed='{"n": 9007199254740993}')
    streamed = ASK._replace(tools=(LOOK,), delta=lambda piece: None)
    reply, _ = await ask([[huge]], name, streamed)
    assert reply.tool_uses == (huge,)
    # They can be shown to the model again, as an object, which is what servers demand.
    again = (*ASK.messages, Message("assistant", reply.parts))
    _, server = await ask(["sorry"], name, ASK._replace(messages=again))
    assert "malformed" in json.dumps(server.requests[0].turns)


CALLED: dict[str, dict[str, Any]] = {
    "openai": {
        "output": [{"type": "function_call", "call_id": "c", "name": "now", "arguments": None}],
        "usage": {"input_tokens": 7, "output_tokens": 3},
    },
    "openai-chat": {
        "choices": [
            {
                "message": {
                    "tool_calls": [{"id": "c", "function": {"name": "now", "arguments": None}}]
                },
                "finish_reason": "tool_calls",
            }
        ],
        "usage": {"prompt_tokens": 7, "completion_tokens": 3},
    },
    "anthropic": {
        "content": [{"type": "tool_use", "id": "c", "name": "now", "input": None}],
        "stop_reason": "tool_use",
        "usage": {"input_tokens": 7, "output_tokens": 3},
    },
}


@each
@pytest.mark.asyncio
async def test_a_call_without_arguments_may_have_null_in_their_place(name: str) -> None:
    body = json.dumps(CALLED[name.partition(":")[0]]).encode()
    reply, _ = await ask([raw(body, "application/json")], name)
    assert reply.tool_uses == (ToolUse(id="c", name="now"),)


@each
@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.asyncio
async def test_a_typed_answer(name: str, streamed: bool) -> None:
    heard: list[str] = []
    request = ASK._replace(output=SUM, delta=heard.append if streamed else None)
    reply, server = await ask([{"total": 3, "note": None}], name, request)
    assert json.loads(reply.text) == {"total": 3, "note": None}
    assert reply.stop == "end"
    (received,) = server.requests
    assert received.forced is None
    schema = received.schema
    assert schema is not None
    assert schema["required"] == ["total", "note"]
    assert schema["properties"]["total"] == {"type": "integer", "description": "(minimum: 0)"}
    if streamed:
        assert json.loads("".join(heard)) == json.loads(reply.text)


@each
@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.asyncio
async def test_a_typed_answer_whose_schema_is_open(name: str, streamed: bool) -> None:
    heard: list[str] = []
    request = ASK._replace(output=COUNTS, delta=heard.append if streamed else None)
    reply, server = await ask([{"counts": {"☺": 1}}], name, request)
    assert json.loads(reply.text) == {"counts": {"☺": 1}}
    assert reply.stop == "end"
    assert reply.tool_uses == ()
    assert server.requests[0].schema == COUNTS.schema
    assert (server.requests[0].forced is not None) == name.startswith("anthropic")
    if streamed:
        assert json.loads("".join(heard)) == json.loads(reply.text)


@pytest.mark.asyncio
async def test_an_old_model_answers_through_a_tool_beside_the_others() -> None:
    taken = replace(LOOK, name="Sum")
    request = ASK._replace(output=SUM, tools=(LOOK, taken))
    reply, server = await ask([use("a"), {"total": 1}], "anthropic:claude-3-haiku", request)
    assert reply.tool_uses == (use("a"),)
    (received,) = server.requests
    assert received["tool_choice"] == {"type": "any"}
    assert received.tools == ["look", "Sum", "Sum_out"]
    assert "thinking" not in received


PARTS: list[Callable[[str], tuple[Part, ...]]] = [
    lambda p: (Text(text="One, two, three: ☺ and some more words."),),
    lambda p: (Text(text="Look."), use("a", where="here ☺"), use("b", n=1.5), use("c")),
    lambda p: (thought(p, "Let me think about it."), Text(text="Done.")),
    lambda p: (thought(p, "Hm."), use("a", where="there")),
]


def thought(provider: str, text: str) -> Thinking:
    opaque: dict[str, dict[str, Any]] = {
        "openai": {
            "type": "reasoning",
            "id": "rs_7",
            "summary": [{"type": "summary_text", "text": text}],
            "encrypted_content": "c2VhbGVk",
        },
        "openai-chat": {"reasoning_content": text},
        "anthropic": {"type": "thinking", "thinking": text, "signature": "c2lnbmVk"},
    }
    return Thinking(text=text, provider=provider, opaque=opaque[provider])


@each
@pytest.mark.parametrize("parts", PARTS)
@pytest.mark.asyncio
async def test_a_streamed_reply_is_the_plain_one(
    name: str, parts: Callable[[str], tuple[Part, ...]]
) -> None:
    line = Reply(parts=parts(PROVIDERS[name.partition(":")[0]]), usage=Usage(input=9, output=4))
    if line.tool_uses:
        line = line.model_copy(update={"stop": "tools"})
    heard: list[str] = []
    request = ASK._replace(tools=(LOOK,))
    streamed, server = await ask([line], name, request._replace(delta=heard.append))
    assert server.requests[0]["stream"] is True
    assert streamed == (await ask([line], name, request))[0]
    assert streamed.parts == line.parts
    assert "".join(heard) == line.text
    assert len(heard) > 1 or len(line.text) <= PIECE


@each
@pytest.mark.asyncio
async def test_thinking_goes_back_unchanged_and_only_to_its_maker(name: str) -> None:
    mine = PROVIDERS[name.partition(":")[0]]
    foreign = [thought(other, f"secret of {other}") for other in PROVIDERS if other != mine]
    own = thought(mine, "my own thought")
    said = Message("assistant", (own, *foreign, use("a")))
    dangling = Message("assistant", (Text(text="So."), thought(mine, "cut off")))
    result = Message("tool", (ToolResult(id="a", name="look", text="a wall"),))
    request = ASK._replace(messages=(*ASK.messages, said, result, *ASK.messages, dangling))
    _, server = await ask(["ok"], name, request)
    sent = server.requests[0].turns
    text = json.dumps(sent)
    assert "secret of" not in text
    assert "cut off" not in text
    holders = [turn for turn in sent if "my own thought" in json.dumps(turn)]
    assert len(holders) == 1
    shown = holders[0]
    if mine == "anthropic":
        shown = shown["content"][0]
    if mine == "openai-chat":
        shown = {"reasoning_content": shown["reasoning_content"]}
    assert shown == own.opaque


@pytest.mark.asyncio
async def test_a_refusal_without_words_gets_some() -> None:
    reply, _ = await ask([Reply(parts=(), stop="refusal")], "anthropic:claude-opus-5")
    assert (reply.stop, reply.text) == ("refusal", "The model refused to answer.")


@each
@pytest.mark.asyncio
async def test_the_cost_of_what_was_used(name: str) -> None:
    usage = Usage(input=1000, output=50, cached_read=600, cache_write=100, reasoning=20)
    card = card_of(resolve(name, key=KEY))
    prices = card.prices
    assert prices is not None
    millionths = (
        300 * prices.input
        + 600 * prices.cached_read
        + 100 * prices.cache_write
        + 50 * prices.output
    )
    assert card.cost(usage) == -(-millionths // 10**6)
    assert card.cost(usage) <= card.worst(1000, 50)
