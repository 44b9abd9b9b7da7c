"""Bodies by another name, packed, without end, or elsewhere."""

import gzip
import json

import pytest

from hive.errors import BadReply, RequestRefused
from hive.message import Request
from hive.testing.dialects import DIALECTS
from hive.testing.faults import Fault, Line, cut, drop, error, raw, resets
from hive.testing.loopback import Fashion, Received, loopback
from tests.models.asking import (
    ASK,
    HELLO,
    KEY,
    each,
    failed,
    model_at,
    plain_and_streamed,
    worst,
)


@each
@pytest.mark.parametrize("kind", ["text/plain", "application/octet-stream", ""])
@pytest.mark.asyncio
async def test_an_event_stream_that_is_called_something_else(name: str, kind: str) -> None:
    def misnamed(received: Received) -> Line:
        dialect, fashion = DIALECTS[received.endpoint], Fashion()
        written = [fashion.written(*event) for event in dialect.events(HELLO, "1")]
        return raw(b"".join((*written, fashion.ended(dialect.last_line))), kind)

    pieces: list[str] = []
    async with loopback([misnamed]) as server, model_at(server, name) as model:
        reply = await model.complete(ASK._replace(delta=pieces.append))
    assert (reply.parts, reply.usage) == (HELLO.parts, HELLO.usage)
    assert "".join(pieces) == reply.text


@each
@pytest.mark.asyncio
async def test_of_an_event_stream_by_another_name_the_end_is_demanded_too(name: str) -> None:
    line = raw(b'data: {"type": "ping"}\n\n', "text/plain")
    found, attempt = await failed(line, name)
    assert type(found) is BadReply
    assert (attempt.cost, attempt.tokens) == worst(name)


@each
@plain_and_streamed
@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.asyncio
async def test_who_is_sent_elsewhere_does_not_go_there(
    name: str, request_: Request, status: int
) -> None:
    async with loopback() as elsewhere:
        where = elsewhere.base_url.replace("127.0.0.1", "localhost")
        line = Fault(status, {"location": f"{where}/responses?key={KEY}"}, body=b"")
        found, attempt = await failed(line, name, request_)
        assert elsewhere.requests == []
    assert type(found) is RequestRefused
    assert "sends calls elsewhere to http://localhost/v1/responses, which is not" in str(found)
    assert KEY not in str(found)
    assert (attempt.status, attempt.cost) == (status, 0)


@each
@plain_and_streamed
@pytest.mark.asyncio
async def test_a_body_without_end_is_left(
    name: str, request_: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hive.models.body.LARGEST", 100_000)
    kind = "application/json" if request_ is ASK else "text/event-stream"
    found, attempt = await failed(raw(b": and so on\n" * 100_000, kind), name, request_)
    assert type(found) is BadReply
    assert found.ill
    assert "the answer does not end" in str(found)
    assert (attempt.cost, attempt.tokens) == worst(name)


@each
@plain_and_streamed
@pytest.mark.asyncio
async def test_a_packed_body_is_unpacked(name: str, request_: Request) -> None:
    def packed(received: Received) -> Line:
        dialect, fashion = DIALECTS[received.endpoint], Fashion()
        if request_ is ASK:
            kind, body = "application/json", json.dumps(dialect.whole(HELLO, "1")).encode()
        else:
            kind = "text/event-stream"
            written = [fashion.written(*event) for event in dialect.events(HELLO, "1")]
            body = b"".join((*written, fashion.ended(dialect.last_line)))
        headers = {"content-type": kind, "content-encoding": "gzip"}
        return Fault(200, headers, body=gzip.compress(body))

    async with loopback([packed]) as server, model_at(server, name) as model:
        reply = await model.complete(request_)
    assert (reply.parts, reply.usage) == (HELLO.parts, HELLO.usage)


@each
@pytest.mark.parametrize(
    ("line", "ill"),
    [
        (error(500, "down"), True),
        (error(529, "much to do"), True),
        (drop(), True),
        (cut("Hello."), True),
        (resets("Hello."), True),
        (raw(b"<html>"), True),
        (raw(b"{}", "application/json"), False),
        (error(429, "slow down"), False),
        (error(400, "no"), False),
    ],
)
@pytest.mark.asyncio
async def test_it_is_told_whether_the_server_is_ill_or_the_request(
    name: str, line: Line, ill: bool
) -> None:
    assert (await failed(line, name))[0].ill is ill
