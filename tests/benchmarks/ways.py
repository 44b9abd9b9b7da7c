"""How the `wire` benchmark asks: by an official SDK as its users do, and through Hive.

Every way hands the text of the answer, or its pieces as they arrive, to who takes it, and has the
use of tokens in the end.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import anthropic
import openai

from hive.message import Message, Request, Text
from hive.models import Model, close, resolve, steady
from hive.models.wire import timeout

__all__ = ["NAMES", "Call", "Take", "Ways", "ways"]

NAMES = ("openai:gpt-5-mini", "openai-chat:gpt-5-mini", "anthropic:claude-opus-5")
KEY = "sk-benchmark"
SYSTEM, ASKED, MOST = "Be brief.", "How are you?", 4096
ASK = Request(
    model="", system=SYSTEM, messages=(Message("user", (Text(text=ASKED),)),), max_output=MOST
)
SAME: dict[str, Any] = {"max_retries": 0, "timeout": timeout()}
"""The options that Hive gives to the SDKs."""
SAID = [{"role": "user", "content": ASKED}]

Take = Callable[[str], None]
Call = Callable[[Take], Awaitable[None]]


class Ways(NamedTuple):
    """How one provider is asked for a text."""

    read: Call
    bare: Call
    hive: Call
    steady: Call


@asynccontextmanager
async def ways(name: str, server: str, stream: bool) -> AsyncIterator[Ways]:
    """The ways to ask, over clients that are closed in the end."""
    model = resolve(name, base_url=f"{server}/v1", key=KEY)
    kept = steady(name, base_url=f"{server}/v1", key=KEY)
    client: openai.AsyncOpenAI | anthropic.AsyncAnthropic
    if name.startswith("anthropic"):
        client = anthropic.AsyncAnthropic(api_key=KEY, base_url=server, **SAME)
        read, bare = anthropic_messages(client, stream)
    else:
        client = openai.AsyncOpenAI(api_key=KEY, base_url=f"{server}/v1", **SAME)
        read, bare = (openai_chat if "chat" in name else openai_responses)(client, stream)
    try:
        yield Ways(read, bare, asking(model, stream), asking(kept, stream))
    finally:
        await client.close()
        await close(model)
        await close(kept)


def asking(model: Model, stream: bool) -> Call:
    async def ask(take: Take) -> None:
        reply = await model.complete(ASK._replace(delta=take) if stream else ASK)
        assert reply.usage.output
        if not stream:
            take(reply.text)

    return ask


def openai_responses(client: openai.AsyncOpenAI, stream: bool) -> tuple[Call, Call]:
    asked: dict[str, Any] = {"model": "gpt-5-mini", "instructions": SYSTEM, "input": SAID}
    asked |= {"max_output_tokens": MOST, "store": False, "stream": stream}

    async def read(take: Take) -> None:
        async with client.responses.with_streaming_response.create(**asked) as answer:
            await answer.read()

    async def bare(take: Take) -> None:
        answer: Any = await client.responses.create(**asked)
        if not stream:
            assert answer.usage
            take(answer.output_text)
            return
        usage = None
        async for event in answer:
            if event.type == "response.output_text.delta":
                take(event.delta)
            elif event.type == "response.completed":
                usage = event.response.usage
        assert usage

    return read, bare


def openai_chat(client: openai.AsyncOpenAI, stream: bool) -> tuple[Call, Call]:
    said = [{"role": "system", "content": SYSTEM}, *SAID]
    asked: dict[str, Any] = {"model": "gpt-5-mini", "messages": said}
    asked |= {"max_completion_tokens": MOST}
    if stream:
        asked |= {"stream": True, "stream_options": {"include_usage": True}}

    async def read(take: Take) -> None:
        async with client.chat.completions.with_streaming_response.create(**asked) as answer:
            await answer.read()

    async def bare(take: Take) -> None:
        answer: Any = await client.chat.completions.create(**asked)
        if not stream:
            assert answer.usage
            take(answer.choices[0].message.content)
            return
        usage = None
        async for chunk in answer:
            usage = chunk.usage or usage
            for choice in chunk.choices:
                if choice.delta.content:
                    take(choice.delta.content)
        assert usage

    return read, bare


def anthropic_messages(client: anthropic.AsyncAnthropic, stream: bool) -> tuple[Call, Call]:
    asked: dict[str, Any] = {"model": "claude-opus-5", "system": SYSTEM, "messages": SAID}
    asked |= {"max_tokens": MOST, "stream": stream}

    async def read(take: Take) -> None:
        async with client.messages.with_streaming_response.create(**asked) as answer:
            await answer.read()

    async def bare(take: Take) -> None:
        answer: Any = await client.messages.create(**asked)
        if not stream:
            assert answer.usage
            take("".join(block.text for block in answer.content if block.type == "text"))
            return
        usage = None
        async for event in answer:
            if event.type == "content_block_delta" and event.delta.type == "text_delta":
                take(event.delta.text)
            elif event.type == "message_delta":
                usage = event.usage
        assert usage

    return read, bare
