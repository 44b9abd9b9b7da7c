"""What a server refuses, and what never arrives: the right error of the tree (rim)."""

import traceback

import pytest

from hive.errors import (
    BadReply,
    ContextOverflow,
    ModelError,
    RateLimited,
    RequestRefused,
    ServerFailed,
)
from hive.models import close
from hive.testing.conformance.suite import ASK, Suite, each_way, failure, hear, scenario
from hive.testing.faults import Line, cut, drop, error, raw, resets
from hive.testing.loopback import Received, loopback

__all__ = ["Errors"]

HELLO = "Hello, world, and whoever else may listen."
PAGE = b"<!DOCTYPE html><html><body><h1>Sign in</h1></body></html>"


class Errors(Suite):
    """The errors that a backend raises when there is no answer, or one that is none."""

    async def becomes(self, kind: type[ModelError], line: Line, streamed: bool) -> ModelError:
        """The error of a call that is answered so, which is of this very kind."""
        async with self.serving([line]) as (model, _):
            found = await failure(model, hear(ASK, streamed)[0])
        assert type(found) is kind, f"{kind.__name__} is right, and not {found!r}"
        return found

    @each_way
    @scenario("server")
    async def test_asked_to_slow_down(self, streamed: bool) -> None:
        line = error(429, "slow down", code="rate_limit_exceeded", headers={"retry-after": "7"})
        found = await self.becomes(RateLimited, line, streamed)
        assert found.retry_after == 7

    @each_way
    @pytest.mark.parametrize("status", [500, 502, 503])
    @scenario("server")
    async def test_the_server_failed(self, status: int, streamed: bool) -> None:
        await self.becomes(ServerFailed, error(status, "oops", code="server_error"), streamed)

    @each_way
    @scenario("server")
    async def test_a_server_that_failed_may_say_how_long_to_wait(self, streamed: bool) -> None:
        line = error(503, "busy", code="server_error", headers={"retry-after": "7"})
        assert (await self.becomes(ServerFailed, line, streamed)).retry_after == 7

    @each_way
    @scenario("server")
    async def test_a_request_that_is_too_long(self, streamed: bool) -> None:
        line = error(
            400,
            "This model's maximum context length is 8 tokens; your prompt is too long.",
            code="context_length_exceeded",
        )
        await self.becomes(ContextOverflow, line, streamed)

    @each_way
    @pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
    @scenario("server")
    async def test_a_request_that_is_refused(self, status: int, streamed: bool) -> None:
        found = await self.becomes(RequestRefused, error(status, "not like this"), streamed)
        assert "not like this" in str(found), "what the server says is the user's only clue"

    @each_way
    @scenario("server")
    async def test_no_server_answers_at_the_address(self, streamed: bool) -> None:
        async with loopback() as server:
            pass
        model = self.model(server.base_url)
        found = await failure(model, hear(ASK, streamed)[0])
        await close(model)
        assert type(found) is ServerFailed
        assert found.__cause__ is not None

    @each_way
    @scenario("server")
    async def test_the_connection_is_closed_unanswered(self, streamed: bool) -> None:
        found = await self.becomes(ServerFailed, drop(), streamed)
        assert found.__cause__ is not None

    @scenario("server")
    async def test_the_connection_is_reset_in_mid_answer(self) -> None:
        await self.becomes(ServerFailed, resets(HELLO), streamed=False)

    @scenario("server")
    async def test_an_answer_that_breaks_off(self) -> None:
        await self.becomes(BadReply, cut(HELLO), streamed=False)

    @each_way
    @scenario("server")
    async def test_an_empty_body(self, streamed: bool) -> None:
        await self.becomes(BadReply, raw(b"", "application/json"), streamed)

    @each_way
    @pytest.mark.parametrize("body", [b"[]", b"{}", b"1", b'{"output": 1, "choices": 1}'])
    @scenario("server")
    async def test_an_answer_of_another_shape(self, body: bytes, streamed: bool) -> None:
        await self.becomes(BadReply, raw(body, "application/json"), streamed)

    @each_way
    @scenario("server")
    async def test_a_page_for_people(self, streamed: bool) -> None:
        await self.becomes(BadReply, raw(PAGE, "text/html"), streamed)

    @each_way
    @scenario("server")
    async def test_no_key_is_in_an_error(self, streamed: bool) -> None:
        keys: list[str] = []

        def tell(received: Received) -> Line:
            given = received.headers.get("authorization", "").removeprefix("Bearer ")
            keys.extend(key for key in (given, received.headers.get("x-api-key", "")) if key)
            return error(401, f"Incorrect API key provided: {', '.join(keys)}.")

        async with self.serving([tell]) as (model, _):
            found = await failure(model, hear(ASK, streamed)[0])
        if not keys:
            pytest.skip("no key: the backend sends none")
        shown = "".join(traceback.format_exception(found)) + repr(found) + repr(model)
        assert not any(key in shown for key in keys), "the key is in the error"
