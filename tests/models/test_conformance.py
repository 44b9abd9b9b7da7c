"""Every backend and every wrapper keeps to what a backend promises, over real sockets."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from hive.message import Reply, Request
from hive.models import (
    Cached,
    Cassette,
    Counting,
    Failover,
    FunctionModel,
    Limited,
    Model,
    Retrying,
    ScriptedModel,
    resolve,
)
from hive.models.wrappers.around import Around
from hive.testing import ModelConformance
from hive.testing.loopback import Server, loopback
from tests.models.asking import KEY

NO_PAUSE = {"pause": "OpenAI does not pause"}
NO_FILTER = {"filter": "Anthropic's word for it is refusal"}
NO_SERVER = {"server": "it answers from memory"}


class TestOpenAIResponses(ModelConformance):
    lacks = NO_PAUSE | {"overflow": "OpenAI says that as it says length"}

    def model(self, base_url: str) -> Model:
        return resolve("openai:gpt-5-mini", base_url=base_url, key=KEY)


class TestOpenAIChat(ModelConformance):
    lacks = NO_PAUSE

    def model(self, base_url: str) -> Model:
        return resolve("openai-chat:gpt-5-mini", base_url=base_url, key=KEY)


class TestCompatible(ModelConformance):
    lacks = NO_PAUSE

    def model(self, base_url: str) -> Model:
        return resolve("compatible:qwen3", base_url=base_url, key=KEY)


class TestAnthropicMessages(ModelConformance):
    lacks = NO_FILTER

    def model(self, base_url: str) -> Model:
        return resolve("anthropic:claude-opus-5", base_url=base_url, key=KEY)


class TestFailover(ModelConformance):
    lacks = NO_FILTER

    def model(self, base_url: str) -> Model:
        other = resolve("openai:gpt-5-mini", base_url=base_url, key=KEY)
        return Failover(resolve("anthropic:claude-opus-5", base_url=base_url, key=KEY), other)


class TestWrappersInWrappers(ModelConformance):
    lacks = NO_PAUSE
    folder: Path

    @pytest.fixture(autouse=True)
    def place(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    def model(self, base_url: str) -> Model:
        model = resolve("openai-chat:gpt-5-mini", base_url=base_url, key=KEY)
        recording = Cassette(model, self.folder / "tape.jsonl")
        return Counting(Cached(Retrying(Limited(recording), first=0), self.folder))


class Unstreamed(Around):
    """A model that has its text only when it has all of it."""

    async def complete(self, request: Request) -> Reply:
        reply = await self.model.complete(request._replace(delta=None))
        if request.delta is not None and reply.text:
            request.delta(reply.text)
        return reply


class TestWithoutStreaming(ModelConformance):
    lacks = NO_PAUSE | {"streaming": "it asks for whole answers"}

    def model(self, base_url: str) -> Model:
        return Unstreamed(resolve("openai-chat:gpt-5-mini", base_url=base_url, key=KEY))


class TestScriptedModel(ModelConformance):
    lacks = NO_SERVER

    @asynccontextmanager
    async def serving(self, script: Any, **fashion: Any) -> AsyncIterator[tuple[Model, Server]]:
        lines = [json.dumps(line) if isinstance(line, dict) else line for line in script]
        async with loopback() as unasked:
            yield ScriptedModel(lines), unasked


class TestFunctionModel(ModelConformance):
    lacks = NO_SERVER

    @asynccontextmanager
    async def serving(self, script: Any, **fashion: Any) -> AsyncIterator[tuple[Model, Server]]:
        (line,) = script
        said = json.dumps(line) if isinstance(line, dict) else line
        async with loopback() as unasked:
            yield FunctionModel(lambda request: said, "said"), unasked
