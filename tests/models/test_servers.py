"""What goes to well-known servers by default is what they say they take."""

import json
from typing import Any

import pytest

from hive.message import Settings
from hive.models import close, resolve
from hive.testing.faults import Line, raw
from hive.testing.loopback import Received, loopback
from tests.models.asking import ASK, KEY, LOOK, SUM

COMMON = {"model", "messages", "stream", "stream_options", "max_tokens", "temperature", "seed"}
CALLS = {"tools", "tool_choice", "response_format"}
TAKEN = {
    # docs.ollama.com/api/openai-compatibility
    "ollama": COMMON | CALLS | {"reasoning_effort"},
    # lmstudio.ai/docs/developer/openai-compat
    "lmstudio": COMMON | CALLS | {"reasoning_effort"},
    # docs.mistral.ai/api, which forbids every other field
    "compatible": (COMMON - {"seed"}) | CALLS | {"random_seed", "reasoning_effort"},
}


@pytest.mark.parametrize("provider", TAKEN)
@pytest.mark.parametrize("wants", ["tools", "answer"])
@pytest.mark.asyncio
async def test_servers_of_chat_completions(provider: str, wants: str) -> None:
    settings = Settings(temperature=0.5, effort="low")
    request = ASK._replace(settings=settings, delta=lambda piece: None)
    request = request._replace(tools=(LOOK,)) if wants == "tools" else request._replace(output=SUM)
    async with loopback(["{}"]) as server:
        model = resolve(f"{provider}:qwen3@{server.base_url}", key=KEY)
        await model.complete(request)
        await close(model)
    (received,) = server.requests
    assert set(received) <= TAKEN[provider]
    for message in received["messages"]:
        assert set(message) == {"role", "content"}
        assert isinstance(message["content"], str)  # lists are not for all models' templates
    for tool in received.get("tools", []):
        assert set(tool["function"]) == {"name", "description", "parameters"}


AZURE = {"model", "input", "instructions", "max_output_tokens", "store", "include", "stream"}


@pytest.mark.parametrize("provider", ["openai", "azure"])
@pytest.mark.asyncio
async def test_a_deployment_at_azure(provider: str) -> None:
    async with loopback(["Fine."]) as server:
        address = server.base_url.replace("/v1", "/openai/v1")
        model = resolve(f"{provider}:our-deployment@{address}", key=KEY)
        assert (await model.complete(ASK)).text == "Fine."
        await close(model)
    (received,) = server.requests
    assert received["model"] == "our-deployment"
    assert received.headers["authorization"] == f"Bearer {KEY}"
    assert set(received) <= AZURE | {"prompt_cache_key"}


@pytest.mark.asyncio
async def test_a_deployment_whose_model_does_not_reason() -> None:
    def answer(received: Received) -> Line:
        if "include" not in received:
            return "Fine."
        says = "Encrypted content is not supported with this model."
        error: dict[str, Any] = {"message": says, "param": "include", "code": None}
        return raw(json.dumps({"error": error}).encode(), "application/json", 400)

    async with loopback(answer) as server:
        model = resolve(f"openai:our-old-one@{server.base_url}", key=KEY)
        replies = [await model.complete(ASK) for _ in range(2)]
        await close(model)
    assert [reply.text for reply in replies] == ["Fine.", "Fine."]
    assert [len(reply.attempts) for reply in replies] == [1, 0]
