"""Event streams: read however they are written and cut, and wanted whole (rim)."""

import asyncio
from typing import Any

import pytest

from hive.errors import BadReply, ModelError, RateLimited, RequestRefused, ServerFailed
from hive.message import Reply, Text, Usage
from hive.testing.conformance.suite import ASK, LOOK, Suite, call, failure, hear, scenario
from hive.testing.faults import Line, closes, cut, fails, odd, paced, raw, resets
from hive.testing.loopback import Newline

__all__ = ["Streams"]

HELLO = "Hello, world, and whoever else may listen."
WORDS = "Grüße ☺ 👩‍🔬"
ANSWER = Reply(
    parts=(Text(text=WORDS), call("a", where="då"), call("b", where="☺")),
    stop="tools",
    usage=Usage(input=9, output=4),
)


class Streams(Suite):
    """The streamed answers that a backend reads, and those that it does not take for answers."""

    async def reads(
        self,
        line: Line = ANSWER,
        *,
        chop: int | None = None,
        newline: Newline = "\n",
        comments: bool = False,
    ) -> None:
        request, heard = hear(ASK._replace(tools=(LOOK,)))
        async with self.serving([line], chop=chop, newline=newline, comments=comments) as (
            model,
            _,
        ):
            reply = await model.complete(request)
        assert (reply.parts, reply.stop, reply.usage) == (ANSWER.parts, "tools", ANSWER.usage)
        assert "".join(heard) == WORDS

    @pytest.mark.parametrize("size", [1, 2, 3, 7])
    @scenario("server", "streaming", "tools")
    async def test_characters_and_events_cut_anywhere(self, size: int) -> None:
        await self.reads(chop=size)

    @scenario("server", "streaming", "tools")
    async def test_lines_that_end_in_crlf(self) -> None:
        await self.reads(newline="\r\n")

    @scenario("server", "streaming", "tools")
    async def test_lines_that_end_in_cr(self) -> None:
        await self.reads(newline="\r")

    @scenario("server", "streaming", "tools")
    async def test_crlf_cut_in_half(self) -> None:
        await self.reads(newline="\r\n", chop=1, comments=True)

    @scenario("server", "streaming", "tools")
    async def test_comments_between_events_and_data_in_two_lines(self) -> None:
        await self.reads(comments=True)

    @pytest.mark.parametrize("data", [{"type": "hologram", "delta": 1}, {"x": None}])
    @scenario("server", "streaming", "tools")
    async def test_an_event_that_nobody_has_heard_of(self, data: dict[str, Any]) -> None:
        await self.reads(odd(ANSWER, "hologram", data))

    @scenario("server", "streaming")
    async def test_a_slow_drip_is_heard_as_it_falls(self) -> None:
        news, request = asyncio.Event(), ASK._replace(delta=lambda piece: news.set())
        waited = False

        async def between(number: int) -> None:
            nonlocal waited
            if number == 5:  # by then every format has sent the first words
                await news.wait()
                waited = True

        async with self.serving([paced(HELLO, between)]) as (model, _):
            reply = await model.complete(request)
        assert reply.text == HELLO
        assert waited

    async def breaks(self, kind: type[ModelError], line: Line) -> ModelError:
        async with self.serving([line]) as (model, _):
            found = await failure(model, hear(ASK)[0])
        assert type(found) is kind, f"{kind.__name__} is right, and not {found!r}"
        return found

    @pytest.mark.parametrize("events", [0, 1, 3, 5])
    @scenario("server", "streaming")
    async def test_a_stream_without_its_end(self, events: int) -> None:
        await self.breaks(BadReply, cut(HELLO, events))

    @pytest.mark.parametrize("events", [0, 3, 5])
    @scenario("server", "streaming")
    async def test_a_connection_closed_in_mid_stream(self, events: int) -> None:
        assert (await self.breaks(ServerFailed, closes(HELLO, events))).__cause__ is not None

    @pytest.mark.parametrize("events", [0, 3, 5])
    @scenario("server", "streaming")
    async def test_a_connection_reset_in_mid_stream(self, events: int) -> None:
        assert (await self.breaks(ServerFailed, resets(HELLO, events))).__cause__ is not None

    @pytest.mark.parametrize("data", [b"{", b"1", b"\xff", b"<html>"])
    @scenario("server", "streaming")
    async def test_an_event_that_is_no_json(self, data: bytes) -> None:
        await self.breaks(BadReply, raw(b"data: " + data + b"\n\n", "text/event-stream"))

    @pytest.mark.parametrize("body", [b"", b": hi\n\n", b"data: {}"])
    @scenario("server", "streaming")
    async def test_a_stream_of_nothing(self, body: bytes) -> None:
        await self.breaks(BadReply, raw(body, "text/event-stream"))

    @scenario("server", "streaming")
    async def test_something_else_than_a_stream(self) -> None:
        await self.breaks(BadReply, raw(b"I am a teapot, and have no events.", "text/plain"))

    @pytest.mark.parametrize(
        ("code", "kind"),
        [
            ("server_error", ServerFailed),
            ("overloaded_error", ServerFailed),
            ("rate_limit_error", RateLimited),
            ("invalid_prompt", RequestRefused),
        ],
    )
    @scenario("server", "streaming")
    async def test_an_error_within_a_stream_of_status_200(
        self, code: str, kind: type[ModelError]
    ) -> None:
        found = await self.breaks(kind, fails(HELLO, "it went wrong", code=code))
        assert "it went wrong" in str(found)
