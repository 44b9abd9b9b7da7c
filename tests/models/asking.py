"""What the tests of the backends share: whom they ask, what, and how."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from hive.errors import ModelError
from hive.message import (
    Attempt,
    Message,
    OutputForm,
    Reply,
    Request,
    Text,
    ToolForm,
    ToolUse,
    Usage,
)
from hive.models import Model, card_of, close, input_bound, resolve
from hive.testing.faults import Line
from hive.testing.loopback import Script, Server, loopback

BACKENDS = ("openai:gpt-5-mini", "openai-chat:gpt-5-mini", "anthropic:claude-opus-5")
PROVIDERS = {"openai": "openai", "openai-chat": "openai-chat", "anthropic": "anthropic"}
each = pytest.mark.parametrize("name", BACKENDS)
KEY = "sk-planted-0123456789"

ASK = Request(
    model="", system="Be brief.", messages=(Message("user", (Text(text="How are you?"),)),)
)
LOOK = ToolForm(
    "look", "Look at a place.", {"type": "object", "properties": {"where": {"type": "string"}}}
)
SUM = OutputForm(
    "Sum",
    {
        "type": "object",
        "properties": {
            "total": {"type": "integer", "minimum": 0},
            "note": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
        },
        "required": ["total"],
        "additionalProperties": False,
    },
)
COUNTS = OutputForm(
    "Counts",
    {
        "type": "object",
        "properties": {"counts": {"type": "object", "additionalProperties": {"type": "integer"}}},
        "required": ["counts"],
    },
)


@asynccontextmanager
async def model_at(server: Server, name: str) -> AsyncIterator[Model]:
    model = resolve(name, base_url=server.base_url, key=KEY)
    try:
        yield model
    finally:
        await close(model)


async def ask(
    script: Script, name: str, request: Request = ASK, chop: int | None = None
) -> tuple[Reply, Server]:
    async with loopback(script, chop=chop) as server, model_at(server, name) as model:
        return await model.complete(request), server


def use(identity: str, **arguments: Any) -> ToolUse:
    return ToolUse(id=identity, name="look", arguments=arguments)


STREAMED = ASK._replace(delta=lambda piece: None)
HELLO = Reply(
    parts=(Text(text="Hello, world."),),
    usage=Usage(input=1000, output=50, cached_read=600, cache_write=100, reasoning=20),
)
plain_and_streamed = pytest.mark.parametrize("request_", [ASK, STREAMED], ids=["plain", "streamed"])


async def failed(line: Line, name: str, request: Request = STREAMED) -> tuple[ModelError, Attempt]:
    """The error that the line becomes, and the attempt that it carries."""
    async with loopback([line]) as server, model_at(server, name) as model:
        with pytest.raises(ModelError) as caught:
            await model.complete(request)
    (attempt,) = caught.value.attempts
    return caught.value, attempt


def worst(name: str, request: Request = ASK) -> tuple[int, int]:
    """What a call is settled at of which nobody knows what it used."""
    bound = input_bound(request)
    card = card_of(resolve(name, key=KEY))
    return card.worst(bound, request.max_output), bound + request.max_output
