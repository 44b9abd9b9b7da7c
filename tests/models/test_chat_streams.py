"""Streams of Chat Completions as servers beside OpenAI's write them."""

import json
from typing import Any

import pytest

from hive.errors import BadReply
from hive.message import Reply, Usage
from hive.models import input_bound
from hive.testing.faults import Line, raw
from tests.models.asking import STREAMED, ask, failed

NAME = "compatible:any"
USAGE = {"prompt_tokens": 7, "completion_tokens": 3}
TOLD = Usage(input=7, output=3)


def piece(
    delta: dict[str, Any], finish: str | None = None, usage: dict[str, int] | None = None
) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"choices": [choice], **({} if usage is None else {"usage": usage})}


def called(
    written: str, identity: str, name: str | None = "look", index: int | None = 0
) -> dict[str, Any]:
    function = {"arguments": written, **({} if name is None else {"name": name})}
    numbered = {} if index is None else {"index": index}
    return piece({"tool_calls": [{**numbered, "id": identity, "function": function}]})


def stream(*chunks: dict[str, Any], end: str = "data: [DONE]\n\n") -> Line:
    lines = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks)
    return raw((lines + end).encode(), "text/event-stream")


async def answered(line: Line) -> Reply:
    return (await ask([line], NAME, STREAMED))[0]


@pytest.mark.parametrize("index", [0, None], ids=["all numbered 0", "none numbered"])
@pytest.mark.asyncio
async def test_parallel_calls_are_told_apart_by_their_ids_where_numbers_do_not(
    index: int | None,
) -> None:
    left, right = '{"where": "left"}', '{"where": "right"}'
    chunks = [called(left, "a", index=index), called(right, "b", index=index)]
    reply = await answered(stream(*chunks, piece({}, "tool_calls", USAGE)))
    found = [(use.id, use.arguments, use.malformed) for use in reply.tool_uses]
    assert found == [("a", {"where": "left"}, None), ("b", {"where": "right"}, None)]


@pytest.mark.asyncio
async def test_a_call_whose_every_piece_has_another_id_is_one_call() -> None:
    chunks = [called("", "a"), called('{"where":', "b", None)]
    chunks += [called('"left"}', "c", None), piece({}, "tool_calls", USAGE)]
    reply = await answered(stream(*chunks))
    assert [use.arguments for use in reply.tool_uses] == [{"where": "left"}]


@pytest.mark.asyncio
async def test_a_call_that_is_named_in_each_of_its_pieces_is_one_call() -> None:
    chunks = [called('{"where":', "a"), called('"left"}', "a")]
    reply = await answered(stream(*chunks, piece({}, "tool_calls", USAGE)))
    assert [use.arguments for use in reply.tool_uses] == [{"where": "left"}]


@pytest.mark.asyncio
async def test_an_answer_is_whole_where_nothing_follows_its_reason_to_stop() -> None:
    reply = await answered(stream(piece({"content": "Hello."}), piece({}, "stop"), end=""))
    assert (reply.text, reply.stop) == ("Hello.", "end")
    assert reply.usage.input == input_bound(STREAMED)  # nobody told, so it counts at the most
    assert reply.usage.output > 0


@pytest.mark.asyncio
async def test_an_answer_without_a_reason_to_stop_is_none_even_if_it_says_that_it_is_done() -> None:
    error, _ = await failed(stream(piece({"content": "Hello."})), NAME)
    assert type(error) is BadReply


@pytest.mark.asyncio
async def test_of_a_use_that_is_counted_along_the_last_report_is_what_counts() -> None:
    so_far = {"prompt_tokens": 7, "completion_tokens": 1}
    chunks = [piece({"content": "Hel"}, usage=so_far), piece({"content": "lo."}), piece({}, "stop")]
    reply = await answered(stream(*chunks, {"choices": [], "usage": USAGE}))
    assert (reply.text, reply.usage) == ("Hello.", TOLD)


@pytest.mark.asyncio
async def test_arguments_that_come_as_an_object_are_read_as_in_a_plain_answer() -> None:
    whole: Any = {"where": "left"}
    reply = await answered(stream(called(whole, "a"), piece({}, "tool_calls", USAGE)))
    assert [use.arguments for use in reply.tool_uses] == [{"where": "left"}]
