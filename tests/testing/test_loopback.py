"""The model server of the tests, asked by a plain client, so that it is not only judged by those
whom it judges."""

import json
from typing import Any

import httpx2
import pytest

from hive.message import Reply, Text, ToolUse, Usage
from hive.models import events
from hive.testing import faults, loopback
from hive.testing.loopback import Newline, Received, Server

pytestmark = pytest.mark.asyncio

BODIES: dict[str, dict[str, Any]] = {
    "/responses": {
        "model": "m",
        "instructions": "Be brief.",
        "input": [{"role": "user", "content": "Hi."}],
    },
    "/chat/completions": {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hi."},
        ],
    },
    "/messages": {
        "model": "m",
        "system": "Be brief.",
        "messages": [{"role": "user", "content": "Hi."}],
    },
    "/reply": {
        "system": "Be brief.",
        "messages": [{"role": "user", "parts": [{"type": "text", "text": "Hi."}]}],
    },
}
every_path = pytest.mark.parametrize("path", BODIES)


async def post(server: Server, path: str, **more: Any) -> httpx2.Response:
    async with httpx2.AsyncClient(base_url=server.base_url, verify=False) as client:
        return await client.post(path, json={**BODIES.get(path, {}), **more})


@every_path
async def test_a_request_is_looked_at_in_the_same_words_whatever_its_format(path: str) -> None:
    async with loopback(["Hello."]) as server:
        answer = await post(server, path)
    assert answer.status_code == 200
    assert "Hello." in answer.text
    (received,) = server.requests
    assert (received.system, received.text, received.tools) == ("Be brief.", "Hi.", [])
    assert (received.results, received.forced) == ([], None)
    assert received == BODIES[path]


@every_path
@pytest.mark.parametrize("chop", [None, 1, 5])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("comments", [False, True])
async def test_an_event_stream_says_the_same_in_every_fashion(
    path: str, chop: int | None, newline: Newline, comments: bool
) -> None:
    said = Reply(parts=(Text(text="Grüße ☺"), ToolUse(id="a", name="look")), stop="tools")
    async with loopback([said]) as server:
        plain = await heard(await post(server, path, stream=True))
    async with loopback([said], chop=chop, newline=newline, comments=comments) as server:
        assert await heard(await post(server, path, stream=True)) == plain
    assert len(plain) > 2


async def heard(answer: httpx2.Response) -> list[tuple[str, Any]]:
    """The events of a stream, their data read."""
    assert answer.headers["content-type"] == "text/event-stream"
    told = [event async for event in events(as_stream(answer.content))]
    return [(event.name, sound(event.data)) for event in told]


async def as_stream(content: bytes) -> Any:
    yield content


def sound(data: str) -> Any:
    return data if data == "[DONE]" else json.loads(data)


async def test_lines_are_served_in_order_or_made_of_the_request() -> None:
    async def echo(received: Received) -> str:
        return f"You said {received.text}"

    async with loopback(["one", echo, lambda received: faults.error(418, "tea")]) as server:
        assert server.left == 3
        answers = [await post(server, "/reply") for _ in range(3)]
        assert server.left == 0
    assert [answer.status_code for answer in answers] == [200, 200, 418]
    assert Reply.model_validate(answers[1].json()).text == "You said Hi."


async def test_a_script_may_be_one_for_each_format() -> None:
    async with loopback({"chat": ["of chat"], "reply": ["of reply"]}) as server:
        assert "of reply" in (await post(server, "/reply")).text
        assert "of chat" in (await post(server, "/chat/completions")).text
        assert "no line left for messages" in (await post(server, "/messages")).text


async def test_a_reply_keeps_its_usage_and_one_without_gets_some() -> None:
    line = Reply(parts=(Text(text="x"),), usage=Usage(input=7, output=3))
    async with loopback([line, "y"]) as server:
        told = [Reply.model_validate((await post(server, "/reply")).json()) for _ in range(2)]
    assert [reply.usage for reply in told] == [line.usage, Usage(input=20, output=5)]
    assert [reply.id for reply in told] == ["reply_1", "reply_2"]


async def test_a_script_that_fails_tells_the_test_in_the_end() -> None:
    def broken(received: Received) -> str:
        raise LookupError("the test is at fault")

    with pytest.raises(LookupError, match="the test is at fault"):
        async with loopback([broken]) as server:
            assert (await post(server, "/reply")).status_code == 400


async def test_another_path_is_not_found() -> None:
    async with loopback() as server:
        assert (await post(server, "/elsewhere")).status_code == 404
        assert server.requests == []


@every_path
@pytest.mark.parametrize("fault", [faults.closes, faults.resets])
async def test_a_connection_breaks_where_it_is_told_to(path: str, fault: Any) -> None:
    async with loopback([fault("Hello, world, and others.", 4)]) as server:
        with pytest.raises((httpx2.RemoteProtocolError, httpx2.ReadError)):
            await post(server, path, stream=True)


@every_path
async def test_a_cut_stream_ends_like_a_whole_one_but_too_early(path: str) -> None:
    async with loopback([faults.cut("Hello, world, and others.", 2)]) as server:
        answer = await post(server, path, stream=True)
    assert len([event async for event in events(as_stream(answer.content))]) == 2


async def test_an_error_is_told_in_the_fashion_of_the_format() -> None:
    line = faults.error(429, "slow down", code="rate_limit_error", headers={"retry-after": "7"})
    async with loopback(lambda received: line) as server:
        told = {path: await post(server, path) for path in BODIES}
    assert {answer.status_code for answer in told.values()} == {429}
    assert {answer.headers["retry-after"] for answer in told.values()} == {"7"}
    assert {path: answer.json()["error"] for path, answer in told.items()} == {
        "/responses": OPENAI,
        "/chat/completions": OPENAI,
        "/messages": {"type": "rate_limit_error", "message": "slow down"},
        "/reply": {"status": 429, "message": "slow down"},
    }


OPENAI = {
    "message": "slow down",
    "type": "rate_limit_error",
    "param": None,
    "code": "rate_limit_error",
}
