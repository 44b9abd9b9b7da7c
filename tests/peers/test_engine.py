"""The three backends against a real inference engine, llama.cpp, whose model babbles.

What it says is noise; its protocols, grammars, limits and counts are real.
"""

import asyncio
import json

import jsonschema
import pytest

from hive.errors import ContextOverflow, RequestRefused
from hive.message import Message, Reply, Request, Text, ToolResult
from hive.models import ModelCard
from tests.peers import places
from tests.peers.asking import (
    ASK,
    LOOK,
    VERDICT,
    each_way,
    hear,
    idle,
    named,
    opened,
    predicted,
    protocols,
)

WINDOW = 4096
BOUND = {
    "compatible": None,
    # The engine overlooks schemas in Responses and Messages, as of 2026; a card can say so.
    "openai": ModelCard("openai:noise", abilities=frozenset({"tools", "stream"})),
    "anthropic": ModelCard("anthropic:noise", abilities=frozenset({"tools", "stream"})),
}
"""What is known of the model, by protocol, so that it is held to the schema of an answer."""


async def told(engine: str, protocol: str, request: Request) -> Reply:
    async with opened(named(protocol, engine)) as model:
        return await model.complete(request)


@each_way
@protocols
@pytest.mark.asyncio
async def test_an_answer_ends_at_its_limit_to_the_token(
    engine: str, protocol: str, streamed: bool
) -> None:
    for limit in (1, 17, 100):
        request, heard = hear(ASK._replace(max_output=limit), streamed)
        reply = await told(engine, protocol, request)
        assert (reply.stop, reply.usage.output) == ("length", limit)
        assert reply.text
        assert "".join(heard) == (reply.text if streamed else "")
        assert reply.model == "noise"


@protocols
@pytest.mark.asyncio
async def test_plain_and_streamed_count_the_same_input(engine: str, protocol: str) -> None:
    request = ASK._replace(max_output=5)
    plain = await told(engine, protocol, request)
    streamed = await told(engine, protocol, hear(request)[0])
    # A token for each letter and space of the two, and for what the template puts around them.
    assert plain.usage.input == streamed.usage.input >= len("Be brief.How are you?")


@protocols
@pytest.mark.asyncio
async def test_a_beginning_seen_before_is_counted_as_cached(engine: str, protocol: str) -> None:
    question = Message("user", (Text(text=f"Of {protocol}: " + "what is it? " * 40),))
    request = ASK._replace(messages=(question,), max_output=5)
    first = await told(engine, protocol, request)
    second = await told(engine, protocol, request)
    assert first.usage.input == second.usage.input > 400
    assert first.usage.cached_read < 100
    # All but the last token, which is computed anew to go on from.
    assert second.usage.cached_read == second.usage.input - 1


@each_way
@protocols
@pytest.mark.asyncio
async def test_a_prompt_longer_than_the_window_overflows(
    engine: str, protocol: str, streamed: bool
) -> None:
    flood = Message("user", (Text(text="x" * (WINDOW + 1)),))
    with pytest.raises(ContextOverflow, match=str(WINDOW)):
        await told(engine, protocol, hear(ASK._replace(messages=(flood,)), streamed)[0])


@protocols
@pytest.mark.asyncio
async def test_an_answer_that_fills_the_window_overflows(engine: str, protocol: str) -> None:
    card = ModelCard("noise", window=WINDOW)
    async with opened(named(protocol, engine), card=card) as model:
        # A long question, so that the window is soon full.
        asked = Message("user", (Text(text="x" * (WINDOW - 300)),))
        reply = await model.complete(ASK._replace(messages=(asked,), max_output=WINDOW))
    assert reply.stop == "overflow"
    assert reply.usage.input + reply.usage.output == WINDOW


@each_way
@protocols
@pytest.mark.asyncio
async def test_offered_tools_are_called_with_what_their_schema_allows(
    engine: str, protocol: str, streamed: bool
) -> None:
    request, heard = hear(ASK._replace(tools=(LOOK,), max_output=2000), streamed)
    reply = await told(engine, protocol, request)
    assert reply.stop == "tools"
    assert reply.tool_uses
    for use in reply.tool_uses:
        assert (use.name, use.malformed) == ("look", None)
        jsonschema.validate(use.arguments, LOOK.schema)
    assert len({use.id for use in reply.tool_uses}) == len(reply.tool_uses)
    if streamed:
        assert "".join(heard) == reply.text


@protocols
@pytest.mark.asyncio
async def test_a_conversation_with_tools_goes_on(engine: str, protocol: str) -> None:
    request = ASK._replace(tools=(LOOK,), max_output=2000)
    async with opened(named(protocol, engine)) as model:
        first = await model.complete(request)
        results = tuple(
            ToolResult(id=use.id, name=use.name, text=f"a wall, {number}")
            for number, use in enumerate(first.tool_uses)
        )
        said = (*request.messages, Message("assistant", first.parts), Message("tool", results))
        second = await model.complete(request._replace(messages=said))
    assert second.usage.input > first.usage.input
    # The conversation so far is the beginning of this one, so the server saw it before.
    assert second.usage.cached_read > first.usage.input // 2


@protocols
@pytest.mark.asyncio
async def test_a_conversation_of_words_goes_on(engine: str, protocol: str) -> None:
    said = (*ASK.messages, Message("assistant", (Text(text="Fine."),)), *ASK.messages)
    reply = await told(engine, protocol, ASK._replace(messages=said, max_output=5))
    alone = await told(engine, protocol, ASK._replace(max_output=5))
    assert reply.usage.input > alone.usage.input


@each_way
@protocols
@pytest.mark.asyncio
async def test_a_typed_answer_fits_its_schema(engine: str, protocol: str, streamed: bool) -> None:
    request, heard = hear(ASK._replace(output=VERDICT, max_output=1000), streamed)
    async with opened(named(protocol, engine), card=BOUND[protocol]) as model:
        reply = await model.complete(request)
    assert (reply.stop, reply.tool_uses) == ("end", ())
    jsonschema.validate(json.loads(reply.text), VERDICT.schema)
    # What is said before a tool that has to be called is heard too.
    assert "".join(heard).endswith(reply.text if streamed else "")


@pytest.mark.parametrize("protocol", ["openai", "anthropic"])
@pytest.mark.asyncio
async def test_that_the_engine_overlooks_a_schema_is_found_out(engine: str, protocol: str) -> None:
    request = ASK._replace(output=VERDICT, max_output=1000)
    async with opened(named(protocol, engine)) as model:
        first = await model.complete(request._replace(max_output=20))
        second = await model.complete(request)
    assert first.stop == "length"
    assert not first.text.lstrip().startswith("{")
    jsonschema.validate(json.loads(second.text), VERDICT.schema)


@protocols
@pytest.mark.asyncio
async def test_a_call_that_is_cut_off_is_not_taken_for_a_whole_one(
    engine: str, protocol: str
) -> None:
    request = ASK._replace(tools=(LOOK,))
    stops = set()
    async with opened(named(protocol, engine)) as model:
        for limit in range(10, 100, 10):
            reply = await model.complete(request._replace(max_output=limit))
            stops.add(reply.stop)
            if reply.stop == "tools":
                for use in reply.tool_uses:
                    jsonschema.validate(use.arguments, LOOK.schema)
            else:
                assert (reply.stop, reply.usage.output) == ("length", limit)
    assert "length" in stops  # ten tokens are too few for any call


@pytest.mark.asyncio
async def test_the_same_seed_babbles_the_same(engine: str) -> None:
    settings = ASK.settings.model_copy(update={"seed": 7})
    request = ASK._replace(max_output=40, settings=settings)
    async with opened(named("compatible", engine)) as model:
        # The first fills the cache, so that the two that are compared compute alike.
        _, first, second = [await model.complete(request) for _ in range(3)]
    assert first.text == second.text


@pytest.mark.parametrize("protocol", ["openai", "anthropic"])
@pytest.mark.asyncio
async def test_a_seed_where_the_protocol_has_none_is_refused(engine: str, protocol: str) -> None:
    settings = ASK.settings.model_copy(update={"seed": 7})
    with pytest.raises(RequestRefused, match="seed"):
        await told(engine, protocol, ASK._replace(settings=settings))


@protocols
@pytest.mark.asyncio
async def test_more_calls_at_once_than_the_engine_has_places(engine: str, protocol: str) -> None:
    slots = len(places.got(f"{engine}/slots"))
    requests = [hear(ASK._replace(max_output=20 + n)) for n in range(3 * slots)]
    async with opened(named(protocol, engine)) as model:
        replies = await asyncio.gather(*(model.complete(request) for request, _ in requests))
    assert [reply.usage.output for reply in replies] == [20 + n for n in range(3 * slots)]
    assert [reply.text for reply in replies] == ["".join(heard) for _, heard in requests]


@protocols
@pytest.mark.asyncio
async def test_cancelling_in_mid_stream_frees_the_place(engine: str, protocol: str) -> None:
    begun = asyncio.Event()
    limit = WINDOW - 200  # seconds of work for one who is not stopped
    request = ASK._replace(max_output=limit, delta=lambda piece: begun.set())
    before = await predicted(engine)
    async with opened(named(protocol, engine)) as model:
        call = asyncio.create_task(model.complete(request))
        await begun.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await idle(engine)
    assert await predicted(engine) - before < limit
