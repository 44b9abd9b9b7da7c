"""Typed answers: by the server's schema, through a tool that must be called, or by words."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from hive import Payload, Role, Workflow
from hive.errors import BadReply
from hive.message import OutputForm, Reply, Settings, Text, ToolUse
from hive.models import ModelCard, close, resolve
from hive.models.catalog import Ability
from hive.models.schema import tighten
from hive.testing.faults import Fault, Line, raw
from hive.testing.loopback import Received, loopback
from tests.models.asking import ASK, BACKENDS, COUNTS, KEY, LOOK, SUM, ask, each, model_at, use

COMPATIBLE = "compatible:qwen3"
TYPED = ASK._replace(output=SUM)
THREE = {"total": 3, "note": None}
ALL = pytest.mark.parametrize("name", [*BACKENDS, COMPATIBLE])


def way(received: Received) -> str:
    """How a typed answer was asked for."""
    if received.forced is not None:
        return "tool"
    if received.schema is not None:
        return "schema"
    return "words" if '"total"' in received.system else "nothing"


def no(body: Any, status: int = 400) -> Fault:
    return raw(json.dumps(body).encode(), "application/json", status)


def answering(*lacking: str) -> Callable[[Received], Line]:
    """A server that refuses what it lacks and answers what it understands."""

    def answer(received: Received) -> Line:
        if "schema" in lacking and way(received) == "schema":
            return no({"error": {"message": "json_schema is not supported", "param": None}})
        if "tool" in lacking and received.forced is not None:
            return no({"error": {"message": "this model does not support tools"}})
        return THREE

    return answer


NO_SCHEMA = [
    (400, {"error": "'response_format.type' must be 'text'"}),
    (400, {"error": {"message": "This response_format type is unavailable now", "param": None}}),
    (400, {"error": {"message": "Invalid value", "param": "response_format.type"}}),
    (400, {"error": {"message": "This model does not support response format `json_schema`."}}),
    (404, {"error": {"message": "No endpoints found that support structured outputs"}}),
    (
        422,
        {"detail": [{"loc": ["body", "response_format", "type"], "msg": "Input should be 'text'"}]},
    ),
    (400, {"error": {"message": "failed to parse grammar", "type": "invalid_request_error"}}),
]


@pytest.mark.parametrize(("status", "body"), NO_SCHEMA)
@pytest.mark.asyncio
async def test_a_server_without_schemas_is_asked_through_a_tool(status: int, body: Any) -> None:
    script: list[Line] = [no(body, status), THREE, THREE]
    async with loopback(script) as server, model_at(server, COMPATIBLE) as model:
        first, second = await model.complete(TYPED), await model.complete(TYPED)
    assert [json.loads(reply.text) for reply in (first, second)] == [THREE, THREE]
    assert [(reply.stop, reply.tool_uses) for reply in (first, second)] == [("end", ())] * 2
    assert [len(reply.attempts) for reply in (first, second)] == [1, 0]
    assert [way(received) for received in server.requests] == ["schema", "tool", "tool"]
    asked = server.requests[1]
    assert asked.schema == SUM.schema
    assert asked["tool_choice"] == "required"


@pytest.mark.parametrize(
    "says",
    ["failed to parse grammar", "Invalid schema for response_format 'Sum': 'pattern' is unknown"],
)
@pytest.mark.asyncio
async def test_a_schema_that_a_server_cannot_take_is_not_all_schemas(says: str) -> None:
    other = OutputForm("Other", SUM.schema)
    script: list[Line] = [no({"error": {"message": says}}), THREE, THREE, THREE]
    async with loopback(script) as server, model_at(server, COMPATIBLE) as model:
        for form in (SUM, other, SUM):
            await model.complete(ASK._replace(output=form))
    assert [way(received) for received in server.requests] == ["schema", "tool", "schema", "tool"]


NO_TOOLS = [
    {"error": {"message": "registry.ollama.ai/library/gemma:2b does not support tools"}},
    {"error": {"message": '"required" tool choice requires --tool-call-parser to be set'}},
    {"error": "Invalid tool_choice type: 'object'."},
    {"error": {"message": "No endpoints found that support tool use", "code": 404}},
    {"error": {"message": "function calling is not available", "param": "tools"}},
]


@pytest.mark.parametrize("body", NO_TOOLS)
@pytest.mark.asyncio
async def test_a_server_with_neither_is_told_the_schema(body: Any) -> None:
    script: list[Line] = [no({"error": "response_format?"}), no(body), THREE, THREE]
    async with loopback(script) as server, model_at(server, COMPATIBLE) as model:
        first, second = await model.complete(TYPED), await model.complete(TYPED)
    assert (first.text, second.text) == (json.dumps(THREE), json.dumps(THREE))
    assert [len(reply.attempts) for reply in (first, second)] == [2, 0]
    assert [way(received) for received in server.requests] == ["schema", "tool", "words", "words"]
    told = server.requests[2]
    assert told.tools == []
    assert json.dumps(SUM.schema) in told.system
    assert told.system.startswith(ASK.system)


@ALL
@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    ("lacking", "ways"),
    [
        ((), ["schema"]),
        (("schema",), ["schema", "tool"]),
        (("schema", "tool"), ["schema", "tool", "words"]),
    ],
)
@pytest.mark.asyncio
async def test_every_way_gives_the_same_answer(
    name: str, streamed: bool, lacking: tuple[str, ...], ways: list[str]
) -> None:
    heard: list[str] = []
    request = TYPED._replace(delta=heard.append if streamed else None)
    async with loopback(answering(*lacking)) as server, model_at(server, name) as model:
        reply = await model.complete(request)
    assert json.loads(reply.text) == THREE
    assert (reply.stop, reply.tool_uses) == ("end", ())
    assert [way(received) for received in server.requests] == ways
    assert "".join(heard) == (reply.text if streamed else "")


@pytest.mark.parametrize(
    ("abilities", "expected"),
    [
        (None, "schema"),
        ({"tools", "output"}, "schema"),
        ({"tools"}, "tool"),
        (set[Ability](), "words"),
    ],
)
@pytest.mark.asyncio
async def test_what_a_card_knows_is_not_tried_out(
    abilities: set[Ability] | None, expected: str
) -> None:
    known = None if abilities is None else frozenset(abilities)
    async with loopback([THREE]) as server:
        card = ModelCard(COMPATIBLE, abilities=known)
        model = resolve(COMPATIBLE, base_url=server.base_url, key=KEY, card=card)
        reply = await model.complete(TYPED)
        await close(model)
    assert (json.loads(reply.text), reply.attempts) == (THREE, ())
    assert [way(received) for received in server.requests] == [expected]


@ALL
@pytest.mark.asyncio
async def test_other_tools_can_be_called_before_the_answer(name: str) -> None:
    request = TYPED._replace(tools=(LOOK,))
    refusal = no({"error": {"message": "json_schema is not supported"}})
    script: list[Line] = [refusal, [use("a"), use("b")]]
    async with loopback(script) as server, model_at(server, name) as model:
        reply = await model.complete(request)
    assert (reply.stop, reply.tool_uses) == ("tools", (use("a"), use("b")))
    assert server.requests[1].tools == ["look", "Sum"]
    assert server.requests[1]["tool_choice"] in ("required", {"type": "any"})


@ALL
@pytest.mark.asyncio
async def test_a_tool_that_had_to_be_called_and_was_not(name: str) -> None:
    refusal = no({"error": {"message": "json_schema is not supported"}})
    script: list[Line] = [refusal, "Three, I think.", THREE]
    async with loopback(script) as server, model_at(server, name) as model:
        with pytest.raises(BadReply, match="did not call a tool") as caught:
            await model.complete(TYPED)
        reasons = [attempt.reason for attempt in caught.value.attempts]
        assert reasons == ["refused", "bad_reply"]
        assert caught.value.retryable
        reply = await model.complete(TYPED)
    assert json.loads(reply.text) == THREE
    assert [way(received) for received in server.requests] == ["schema", "tool", "words"]


@ALL
@pytest.mark.asyncio
async def test_a_server_that_passes_over_the_schema_is_asked_in_another_way(name: str) -> None:
    async with loopback(["Three.", THREE]) as server, model_at(server, name) as model:
        assert (await model.complete(TYPED)).text == "Three."  # for the reader to send back
        assert json.loads((await model.complete(TYPED)).text) == THREE
    assert [way(received) for received in server.requests] == ["schema", "tool"]


@ALL
@pytest.mark.asyncio
async def test_a_refusal_teaches_nothing(name: str) -> None:
    line = Reply(parts=(Text(text="I will not"),), stop="refusal")
    async with loopback([line, THREE]) as server, model_at(server, name) as model:
        assert (await model.complete(TYPED)).stop == "refusal"
        await model.complete(TYPED)
    assert [way(received) for received in server.requests] == ["schema", "schema"]


@pytest.mark.asyncio
async def test_a_call_that_is_cut_off_is_shown_as_far_as_it_came() -> None:
    cut = Reply(parts=(ToolUse(id="a", name="Sum", malformed='{"total": '),), stop="length")
    refusal = no({"error": "response_format?"})
    reply, _ = await ask([refusal, cut], COMPATIBLE, TYPED)
    assert (reply.text, reply.stop, reply.tool_uses) == ('{"total": ', "length", ())


CLAUDES = [
    ("anthropic:claude-opus-5", None, "tool"),
    ("anthropic:claude-opus-5", "none", "tool"),
    ("anthropic:claude-opus-5", "high", "words"),
    ("anthropic:claude-opus-5-5", None, "words"),
    ("anthropic:claude-fable-5", None, "words"),
]


@pytest.mark.parametrize(("name", "effort", "expected"), CLAUDES)
@pytest.mark.asyncio
async def test_a_claude_that_has_to_think_is_not_made_to_call_a_tool(
    name: str, effort: Any, expected: str
) -> None:
    open_ = ASK._replace(output=COUNTS, settings=Settings(effort=effort))
    _, server = await ask([{"counts": {}}], name, open_)
    (sent,) = server.requests
    if expected == "tool":
        assert sent["tool_choice"] == {"type": "any"}
        assert sent["thinking"] == {"type": "disabled"}
    else:
        assert "tool_choice" not in sent
        assert json.dumps(COUNTS.schema) in sent.system
        assert sent.get("thinking", {}).get("type") == ("adaptive" if effort else None)


@pytest.mark.asyncio
async def test_a_claude_that_will_not_be_made_to_is_told_the_schema() -> None:
    says = {"type": "error", "error": {"message": "Thinking cannot be disabled on this model."}}
    open_ = ASK._replace(output=COUNTS)
    reply, server = await ask([no(says), {"counts": {}}], "anthropic:claude-unheard-of", open_)
    assert json.loads(reply.text) == {"counts": {}}
    assert not {"tool_choice", "thinking"} & set(server.requests[1])


@each
@pytest.mark.asyncio
async def test_the_dialect_of_a_schema_is_as_narrow_as_the_provider_asks(name: str) -> None:
    _, server = await ask([THREE], name, TYPED)
    assert server.requests[0].schema == tighten(SUM.schema)


class Depth(Payload):
    """How deep something is."""

    meters: float


SAID = [
    '{"meters": 9.0}',
    'Of course! Here it is:\n```json\n{"meters": 9.0}\n```\nAnything else?',
    'I looked {twice}. The answer is {"meters": 9.0}, as you see.',
    '```\n{"meters": 9.0}\n```',
]


@pytest.mark.parametrize("said", SAID)
@pytest.mark.asyncio
async def test_the_json_within_what_a_model_was_only_told_to_write_is_found(said: str) -> None:
    oracle = Role("oracle", writes=(Depth,))
    async with loopback([said]) as server:
        card = ModelCard(COMPATIBLE, abilities=frozenset())
        model = resolve(COMPATIBLE, base_url=server.base_url, key=KEY, card=card)
        result = await Workflow(oracle, model=model).run("How deep is it?")
        await close(model)
    (depth,) = (e.payload for e in result.entries if isinstance(e.payload, Depth))
    assert depth.meters == 9.0


@pytest.mark.asyncio
async def test_what_does_not_fit_goes_back_and_the_next_request_asks_in_another_way() -> None:
    oracle = Role("oracle", writes=(Depth,))
    script: list[Line] = ["Nine metres.", {"meters": 9.0}]
    async with loopback(script) as server:
        model = resolve(COMPATIBLE, base_url=server.base_url, key=KEY)
        result = await Workflow(oracle, model=model).run("How deep is it?")
        await close(model)
    (depth,) = (e.payload for e in result.entries if isinstance(e.payload, Depth))
    assert depth.meters == 9.0
    assert [way(received) for received in server.requests] == ["schema", "tool"]
    assert "Nine metres." in server.requests[1].text
