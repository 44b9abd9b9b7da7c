"""How a model should answer: sent where there is a word for it, refused with the setting's name."""

import json
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hive.errors import ContextOverflow, RequestRefused
from hive.message import Message, Request, Settings, Text, Thinking, ToolResult
from hive.models import resolve
from hive.models.anthropic_messages.thinking import thinking
from hive.testing.faults import raw
from hive.testing.loopback import Received
from tests.models.asking import ASK, LOOK, ask, each, use

EFFORTS = [
    value for value in get_args(get_args(Settings.model_fields["effort"].annotation)[0]) if value
]
CLAUDE, OLD_CLAUDE = "anthropic:claude-opus-5", "anthropic:claude-haiku-4-5"


def with_settings(request: Request = ASK, **settings: Any) -> Request:
    return request._replace(settings=Settings(**settings))


async def sent_for(name: str, request: Request) -> Received:
    _, server = await ask(["x"], name, request)
    (sent,) = server.requests
    return sent


def no(message: str, param: str | None = None, status: int = 400) -> Any:
    """A server's refusal."""
    error = {"message": message, "type": "invalid_request_error", "param": param}
    return raw(json.dumps({"error": error}).encode(), "application/json", status)


@each
@pytest.mark.asyncio
async def test_a_temperature_is_sent(name: str) -> None:
    assert (await sent_for(name, with_settings(temperature=0.5)))["temperature"] == 0.5


@pytest.mark.asyncio
async def test_a_seed_is_for_chat_completions() -> None:
    assert (await sent_for("openai-chat:gpt-5-mini", with_settings(seed=7)))["seed"] == 7


@pytest.mark.parametrize("name", ["openai:gpt-5-mini", CLAUDE])
@pytest.mark.asyncio
async def test_a_seed_is_refused_by_those_who_have_none_before_anything_is_sent(name: str) -> None:
    with pytest.raises(RequestRefused, match="no seed"):
        await resolve(name, key="x").complete(with_settings(seed=7))


@pytest.mark.parametrize("effort", EFFORTS)
@pytest.mark.asyncio
async def test_openai_is_told_every_effort_as_it_is(effort: str) -> None:
    sent = await sent_for("openai-chat:gpt-5-mini", with_settings(effort=effort))
    assert sent["reasoning_effort"] == effort
    sent = await sent_for("openai:gpt-5-mini", with_settings(effort=effort))
    summary = {} if effort == "none" else {"summary": "auto"}
    assert sent["reasoning"] == {"effort": effort, **summary}


@pytest.mark.asyncio
async def test_reasoning_that_nobody_stores_comes_back_sealed() -> None:
    sent = await sent_for("openai:gpt-5-mini", ASK)
    assert (sent["store"], sent["include"]) == (False, ["reasoning.encrypted_content"])
    assert "include" not in await sent_for("openai:gpt-4o-mini", ASK)  # it would refuse


@pytest.mark.parametrize(
    ("effort", "level"), [("minimal", "low"), ("low", "low"), ("xhigh", "xhigh"), ("max", "max")]
)
@pytest.mark.asyncio
async def test_an_effort_asks_claude_for_thinking_that_can_be_read(effort: str, level: str) -> None:
    sent = await sent_for(CLAUDE, with_settings(effort=effort))
    assert sent["thinking"] == {"type": "adaptive", "display": "summarized"}
    assert sent["output_config"] == {"effort": level}


@pytest.mark.asyncio
async def test_claude_is_told_nothing_of_thinking_without_an_effort() -> None:
    sent = await sent_for(CLAUDE, ASK)
    assert not {"thinking", "output_config"} & set(sent)


@pytest.mark.parametrize("name", [CLAUDE, OLD_CLAUDE])
@pytest.mark.asyncio
async def test_no_effort_switches_thinking_off(name: str) -> None:
    sent = await sent_for(name, with_settings(effort="none"))
    assert sent["thinking"] == {"type": "disabled"}
    assert "output_config" not in sent


@given(st.sampled_from(EFFORTS), st.integers(1, 200_000))
def test_an_older_claude_may_think_for_a_part_of_the_output(effort: str, most: int) -> None:
    request = with_settings(ASK._replace(max_output=most), effort=effort)
    found = thinking("claude-sonnet-4-5", request, adapts=True).get("thinking")
    if effort == "none":
        assert found == {"type": "disabled"}
    elif most <= 1024:
        assert found is None
    else:
        assert found is not None
        assert found["type"] == "enabled"
        assert 1024 <= found["budget_tokens"] < most


def test_more_effort_is_never_less_thinking() -> None:
    request = ASK._replace(max_output=32_000)
    found = [
        thinking("claude-haiku-4-5", with_settings(request, effort=effort), adapts=True)
        for effort in EFFORTS
        if effort != "none"
    ]
    budgets = [one["thinking"]["budget_tokens"] for one in found]
    assert budgets == sorted(budgets)
    assert budgets[0] < budgets[-1]


@pytest.mark.asyncio
async def test_thinking_comes_and_goes_back_unchanged_while_tools_answer() -> None:
    thought = Thinking(
        text="Hm.",
        provider="anthropic",
        opaque={"type": "thinking", "thinking": "Hm.", "signature": "c2lnbmVk"},
    )
    request = with_settings(ASK._replace(tools=(LOOK,)), effort="high")
    for name in (CLAUDE, OLD_CLAUDE):
        reply, _ = await ask([[thought, use("a")]], name, request)
        (kept,) = (part for part in reply.parts if isinstance(part, Thinking))
        assert kept.opaque == thought.opaque
        result = ToolResult(id="a", name="look", text="a wall")
        said = (*ASK.messages, Message("assistant", reply.parts), Message("tool", (result,)))
        _, server = await ask(["ok"], name, request._replace(messages=said))
        sent = server.requests[0]
        assert sent["messages"][1]["content"][0] == thought.opaque
        assert sent["thinking"]["type"] in ("adaptive", "enabled")


@pytest.mark.asyncio
async def test_an_older_claude_does_not_think_on_after_the_call_of_another_model() -> None:
    said = (
        *ASK.messages,
        Message("assistant", (Text(text="Let me look."), use("a"))),
        Message("tool", (ToolResult(id="a", name="look", text="a wall"),)),
    )
    request = with_settings(ASK._replace(messages=said, tools=(LOOK,)), effort="high")
    assert "thinking" not in await sent_for(OLD_CLAUDE, request)
    assert (await sent_for(CLAUDE, request))["thinking"]["type"] == "adaptive"


@pytest.mark.parametrize(
    ("name", "settings", "says"),
    [
        ("anthropic:claude-3-5-haiku-latest", {"effort": "low"}, "cannot think"),
        (CLAUDE, {"effort": "low", "temperature": 0.5}, "no temperature while it thinks"),
        (CLAUDE, {"temperature": 1.5}, "temperatures from 0 to 1"),
    ],
)
@pytest.mark.asyncio
async def test_what_is_known_to_be_refused_is_not_sent(
    name: str, settings: dict[str, Any], says: str
) -> None:
    with pytest.raises(RequestRefused, match=says):
        await resolve(name, key="x").complete(with_settings(**settings))


@pytest.mark.parametrize("settings", [{"temperature": -1}, {"temperature": 3}, {"effort": "huge"}])
def test_what_no_model_takes_is_refused_where_it_is_written(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Settings(**settings)


REFUSED = [
    ("openai:gpt-5-mini", {"temperature": 0.5}, "Unsupported parameter: 'temperature'", None),
    ("openai-chat:o3", {"temperature": 0.0}, "Unsupported value for this model", "temperature"),
    ("openai-chat:x", {"seed": 7}, "`seed` is not available", None),
    ("openai:gpt-5-mini", {"effort": "max"}, "Unsupported value: 'max'", "reasoning.effort"),
    ("openai-chat:gpt-5", {"effort": "xhigh"}, "reasoning_effort does not take 'xhigh'", None),
    (CLAUDE, {"temperature": 0.5}, "`temperature` is deprecated for this model.", None),
    (CLAUDE, {"effort": "max"}, "This model does not support the effort level max", None),
    (CLAUDE, {"effort": "none"}, "thinking.type: disabled is not supported", None),
]


@pytest.mark.parametrize(("name", "settings", "message", "param"), REFUSED)
@pytest.mark.asyncio
async def test_a_refusal_names_the_setting_to_change(
    name: str, settings: dict[str, Any], message: str, param: str | None
) -> None:
    ((setting, value),) = settings.items()
    with pytest.raises(RequestRefused) as caught:
        await ask([no(message, param), "not reached"], name, with_settings(**settings))
    assert message in str(caught.value)
    assert f"The role sets {setting}={value!r}" in str(caught.value)
    (attempt,) = caught.value.attempts
    assert (attempt.reason, attempt.status, attempt.cost) == ("refused", 400, 0)


@each
@pytest.mark.asyncio
async def test_a_refusal_of_something_else_names_no_setting(name: str) -> None:
    with pytest.raises(RequestRefused) as caught:
        await ask([no("You may not ask that.")], name, with_settings(temperature=0.5))
    assert "The role sets" not in str(caught.value)


@each
@pytest.mark.asyncio
async def test_a_request_that_is_too_long_is_none_of_the_settings(name: str) -> None:
    says = "This model's maximum context length is 8192 tokens, the reasoning included."
    with pytest.raises(ContextOverflow) as caught:
        await ask([no(says)], name, with_settings(effort="low"))
    assert "The role sets" not in str(caught.value)


@pytest.mark.asyncio
async def test_a_claude_that_knows_no_efforts_is_given_tokens_to_think_from_then_on() -> None:
    request = with_settings(ASK._replace(max_output=8000), effort="medium")
    says = "adaptive thinking is not supported on this model"
    reply, server = await ask([no(says), "yes"], "anthropic:claude-unheard-of", request)
    assert reply.text == "yes"
    assert [attempt.reason for attempt in reply.attempts] == ["refused"]
    first, second = server.requests
    assert first["thinking"]["type"] == "adaptive"
    assert second["thinking"] == {"type": "enabled", "budget_tokens": 4000}
    assert "output_config" not in second
