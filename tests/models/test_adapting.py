"""What a server refuses of what is sent unasked is done without, from the first refusal on."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from hive import Role, Workflow
from hive.board.records import Inference
from hive.errors import RequestRefused, ServerFailed
from hive.message import Attempt, Settings
from hive.models import Model, ModelCard, Prices, card_of, close, resolve
from hive.models.adapting import Adapting
from hive.models.bound import input_bound
from hive.testing.faults import Fault, Line, error, raw
from hive.testing.loopback import Received, loopback
from tests.models.asking import ASK, KEY, LOOK, ask, each, model_at

COMPATIBLE = "compatible:qwen3"
LONG = ASK._replace(system="You are thorough. " * 100, tools=(LOOK,))
HEARD = LONG._replace(delta=lambda piece: None)


def no(message: str, param: str | None = None, status: int = 400) -> Fault:
    return raw(
        json.dumps({"error": {"message": message, "param": param}}).encode(),
        "application/json",
        status,
    )


def unprocessable(name: str) -> Fault:
    """A refusal as FastAPI writes it: which field, and then the request once more."""
    problem = {"type": "extra_forbidden", "loc": ["body", name], "msg": "Extra inputs are not"}
    quoted = {"input": {"max_tokens": 1, "tool_choice": "auto", "stream_options": {}}}
    return raw(json.dumps({"detail": [{**problem, **quoted}]}).encode(), "application/json", 422)


Sent = Callable[[Received], bool]


def marked(received: Received) -> bool:
    return "cache_control" in json.dumps(received)


REFUSALS: list[tuple[str, Any, Sent]] = [
    (COMPATIBLE, no("Unknown field: stream_options"), lambda r: "stream_options" in r),
    (COMPATIBLE, unprocessable("stream_options"), lambda r: "stream_options" in r),
    ("openai-chat:x", no("unknown", "prompt_cache_key"), lambda r: "prompt_cache_key" in r),
    ("openai:x", no("unrecognized: prompt_cache_key"), lambda r: "prompt_cache_key" in r),
    (
        "openai:x",
        no("Encrypted content is not supported with this model."),
        lambda r: "include" in r,
    ),
    ("anthropic:x", no("cache_control: Extra inputs are not permitted"), marked),
]


@pytest.mark.parametrize(("name", "refusal", "sends"), REFUSALS)
@pytest.mark.asyncio
async def test_what_is_refused_is_left_out_once_and_for_all(
    name: str, refusal: Line, sends: Sent
) -> None:
    async with loopback([refusal, "One.", "Two."]) as server, model_at(server, name) as model:
        first = await model.complete(HEARD)
        second = await model.complete(HEARD)
    assert (first.text, second.text) == ("One.", "Two.")
    (attempt,) = first.attempts
    assert (attempt.reason, attempt.cost, attempt.tokens) == ("refused", 0, 0)
    assert second.attempts == ()
    assert [sends(received) for received in server.requests] == [True, False, False]
    before, after = (dict(received) for received in server.requests[:2])
    assert before["model"] == after["model"]


@pytest.mark.asyncio
async def test_an_account_that_may_have_no_summaries_gets_the_answer_without() -> None:
    says = "Your organization must be verified to generate reasoning summaries."
    request = ASK._replace(settings=Settings(effort="high"))
    reply, server = await ask([no(says, "reasoning.summary"), "x"], "openai:gpt-5-mini", request)
    assert reply.text == "x"
    assert server.requests[1]["reasoning"] == {"effort": "high"}


@pytest.mark.parametrize(
    ("name", "wanted", "known"),
    [
        (COMPATIBLE, "max_tokens", "max_completion_tokens"),
        ("openai-chat:gpt-5-mini", "max_completion_tokens", "max_tokens"),
    ],
)
@pytest.mark.asyncio
async def test_the_limit_on_output_goes_under_the_name_that_the_server_knows(
    name: str, wanted: str, known: str
) -> None:
    says = f"Unsupported parameter: '{wanted}' is not supported. Use '{known}' instead."
    reply, server = await ask([no(says, wanted), "x"], name, ASK._replace(max_output=77))
    assert reply.text == "x"
    first, second = server.requests
    assert (first[wanted], second[known]) == (77, 77)
    assert known not in first
    assert wanted not in second


@pytest.mark.asyncio
async def test_the_limit_on_output_never_goes_unsent() -> None:
    script: list[Line] = [
        no("Unsupported parameter: max_tokens"),
        no("Unsupported parameter: max_completion_tokens"),
        no("Unsupported parameter: max_tokens"),
        "not reached",
    ]
    async with loopback(script) as server, model_at(server, COMPATIBLE) as model:
        with pytest.raises(RequestRefused) as caught:
            await model.complete(ASK)
    assert len(caught.value.attempts) == 3
    for received in server.requests:
        assert len({"max_tokens", "max_completion_tokens"} & set(received)) == 1


@pytest.mark.asyncio
async def test_a_limit_that_is_too_large_is_no_unknown_one() -> None:
    says = "max_tokens is too large: 4096. This model supports at most 512 completion tokens"
    with pytest.raises(RequestRefused, match="too large") as caught:
        await ask([no(says, "max_tokens"), "not reached"], COMPATIBLE)
    assert len(caught.value.attempts) == 1


@each
@pytest.mark.asyncio
async def test_a_further_attempt_is_made_only_where_the_budget_admits_it(name: str) -> None:
    asked: list[int] = []

    def admit(cost: int, tried: tuple[Attempt, ...] = ()) -> bool:
        asked.append(cost)
        return False

    request = LONG._replace(admit=admit, output=None)
    refusal = {"anthropic": "cache_control"}.get(name.partition(":")[0], "prompt_cache_key")
    async with (
        loopback([no(f"unknown: {refusal}"), "x"]) as server,
        model_at(server, name) as model,
    ):
        with pytest.raises(RequestRefused, match=refusal):
            await model.complete(request)
        assert asked == [card_of(model).worst(input_bound(request), request.max_output)]
        assert (await model.complete(request)).text == "x"
    assert len(server.requests) == 2


@pytest.mark.asyncio
async def test_calls_that_are_refused_at_the_same_time_are_all_made_again() -> None:
    def answer(received: Received) -> Line:
        return no("unknown: stream_options") if "stream_options" in received else "x"

    async with loopback(answer) as server, model_at(server, COMPATIBLE) as model:
        replies = await asyncio.gather(*(model.complete(HEARD) for _ in range(5)))
        assert [reply.text for reply in replies] == ["x"] * 5
        assert (await model.complete(HEARD)).attempts == ()


@pytest.mark.asyncio
async def test_what_one_model_has_learned_another_has_not() -> None:
    async with loopback([no("unknown: stream_options"), "x", "y"]) as server:
        for _ in range(2):
            async with model_at(server, COMPATIBLE) as model:
                await model.complete(HEARD)
    assert ["stream_options" in received for received in server.requests] == [True, False, True]


@each
@pytest.mark.parametrize("status", [400, 401, 404])
@pytest.mark.asyncio
async def test_a_refusal_of_nothing_in_particular_is_final(name: str, status: int) -> None:
    with pytest.raises(RequestRefused) as caught:
        await ask([error(status, "No."), "not reached"], name, HEARD)
    assert len(caught.value.attempts) == 1


@pytest.mark.parametrize("status", [401, 403, 500])
@pytest.mark.asyncio
async def test_only_a_refusal_of_the_request_teaches(status: int) -> None:
    async with (
        loopback([error(status, "unknown: stream_options"), "x"]) as server,
        model_at(server, COMPATIBLE) as model,
    ):
        with pytest.raises((RequestRefused, ServerFailed)):
            await model.complete(HEARD)
        await model.complete(HEARD)
    assert "stream_options" in server.requests[1]


@pytest.mark.asyncio
async def test_what_was_not_sent_is_not_what_is_refused() -> None:
    with pytest.raises(RequestRefused) as caught:
        await ask([no("unknown: stream_options"), "not reached"], COMPATIBLE, ASK)
    assert len(caught.value.attempts) == 1


@pytest.mark.asyncio
async def test_the_refused_attempts_stand_before_the_one_that_failed_otherwise() -> None:
    with pytest.raises(ServerFailed) as caught:
        await ask([no("unknown: stream_options"), error(500, "Oh.")], COMPATIBLE, HEARD)
    assert [attempt.reason for attempt in caught.value.attempts] == ["refused", "server_failed"]


@pytest.mark.asyncio
async def test_a_run_has_the_refused_attempt_on_record() -> None:
    async with loopback([no("unsupported: max_tokens"), "Nine metres."]) as server:
        card = ModelCard("compatible:qwen3", window=32_000, prices=Prices.usd("1", "2"))
        model = resolve(COMPATIBLE, base_url=server.base_url, key=KEY, card=card)
        result = await Workflow(Role("oracle"), model=model).run("How deep is it?")
        await close(model)
    assert result.text == "Nine metres."
    (inference,) = (e.payload for e in result.entries if isinstance(e.payload, Inference))
    assert [attempt.reason for attempt in inference.attempts] == ["refused"]
    assert inference.cost == card.cost(inference.usage)


def test_every_backend_says_what_it_can_do_without() -> None:
    names = ("openai:x", "openai-chat:x", "anthropic:x", "compatible:x@http://127.0.0.1:1/v1")
    models: list[Model] = [resolve(name) for name in names]
    for model in models:
        assert isinstance(model, Adapting)
        assert set(Adapting.spare) < set(model.spare)
