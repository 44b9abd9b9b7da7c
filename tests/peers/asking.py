"""What the tests with peers share: three protocols at one address, and what is asked there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from hive.message import Message, OutputForm, Request, Text, ToolForm
from hive.models import Model, close, resolve
from tests.peers import places

PROTOCOLS = ("compatible", "openai", "anthropic")
"""Chat Completions, Responses and Messages."""
protocols = pytest.mark.parametrize("protocol", PROTOCOLS)
KEY = "sk-planted-0123456789"

ASK = Request(
    model="", system="Be brief.", messages=(Message("user", (Text(text="How are you?"),)),)
)
LOOK = ToolForm(
    "look",
    "Look at a place.",
    {
        "type": "object",
        "properties": {"where": {"enum": ["left", "right"]}, "deep": {"type": "boolean"}},
        "required": ["where", "deep"],
        "additionalProperties": False,
    },
)
VERDICT = OutputForm(
    "Verdict",
    {
        "type": "object",
        "properties": {
            "passed": {"type": "boolean"},
            "mood": {"enum": ["calm", "cross"]},
            "why": {"type": "string"},
            "parts": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"sound": {"type": "boolean"}},
                    "required": ["sound"],
                    "additionalProperties": False,
                },
            },
        },
        "required": ["passed", "mood", "why", "parts"],
        "additionalProperties": False,
    },
)


def named(protocol: str, address: str, model: str = "noise") -> str:
    """The name of the model that is asked by this protocol at this address."""
    return f"{protocol}:{model}@{address}/v1"


@asynccontextmanager
async def opened(name: str, **options: Any) -> AsyncIterator[Model]:
    model = resolve(name, key=KEY, **options)
    try:
        yield model
    finally:
        await close(model)


def hear(request: Request, streamed: bool = True) -> tuple[Request, list[str]]:
    """The request, with somebody listening where it is to be streamed; what will be heard."""
    heard: list[str] = []
    return request._replace(delta=heard.append if streamed else None), heard


each_way = pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])


async def idle(engine: str) -> None:
    """Wait until the engine is at work on nothing. Raises `TimeoutError`."""
    async with asyncio.timeout(places.PATIENCE):
        while True:
            slots = await asyncio.to_thread(places.got, f"{engine}/slots")
            if not any(slot["is_processing"] for slot in slots):
                return


async def predicted(engine: str) -> int:
    """How many tokens the engine has made since it came up."""
    metrics = await asyncio.to_thread(places.text, f"{engine}/metrics")
    (line,) = [line for line in metrics.splitlines() if line.startswith("llamacpp:tokens_pred")][:1]
    return int(line.split()[-1])
