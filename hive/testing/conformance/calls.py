"""How calls live: many at once, given up, and no further attempt without asking (rim)."""

import asyncio

import pytest

from hive.errors import ModelError
from hive.message import Attempt, Request
from hive.testing.conformance.suite import (
    ASK,
    Suite,
    each_way,
    hear,
    one_word,
    scenario,
)
from hive.testing.faults import Line, error, hangs
from hive.testing.loopback import Received

__all__ = ["Calls"]

MANY = 20


class Calls(Suite):
    """The calls that a backend makes, from beginning to end."""

    @each_way
    @scenario("server")
    async def test_many_calls_at_once_are_not_mixed_up(self, streamed: bool) -> None:
        together = asyncio.Barrier(MANY)

        async def echo(received: Received) -> str:
            await together.wait()  # all are under way before the first is answered
            return f"You said: {received.text}"

        asked = [hear(one_word(f"word {n}."), streamed) for n in range(MANY)]
        async with self.serving(echo) as (model, _):
            replies = await asyncio.gather(*(model.complete(request) for request, _ in asked))
        assert [reply.text for reply in replies] == [f"You said: word {n}." for n in range(MANY)]
        if streamed:
            assert ["".join(heard) for _, heard in asked] == [reply.text for reply in replies]

    @each_way
    @scenario("server")
    async def test_cancelling_a_call_that_waits_closes_its_connection(self, streamed: bool) -> None:
        await self.cancelled(hear(ASK, streamed)[0], hangs())

    @scenario("server", "streaming")
    async def test_cancelling_a_call_in_mid_stream_closes_its_connection(self) -> None:
        heard = asyncio.Event()
        request = ASK._replace(delta=lambda piece: heard.set())
        await self.cancelled(request, hangs("Hello, world, and whoever else may listen.", 5), heard)

    async def cancelled(
        self, request: Request, line: Line, until: asyncio.Event | None = None
    ) -> None:
        asked = asyncio.Event()

        def silent(received: Received) -> Line:
            asked.set()
            return line

        async with self.serving([silent, "Again."]) as (model, server):
            under_way = asyncio.create_task(model.complete(request))
            await (until or asked).wait()
            under_way.cancel()
            with pytest.raises(asyncio.CancelledError):
                await under_way
            await server.left_alone.wait()
            assert (await model.complete(request)).text == "Again."

    @each_way
    @scenario("server")
    async def test_a_deadline_ends_a_call_that_hangs(self, streamed: bool) -> None:
        deadline = asyncio.timeout(None)

        def silent(received: Received) -> Line:
            deadline.reschedule(asyncio.get_running_loop().time())  # it has just passed
            return hangs()

        async with self.serving([silent]) as (model, server):
            with pytest.raises(TimeoutError):
                async with deadline:
                    await model.complete(hear(ASK, streamed)[0])
            await server.left_alone.wait()

    @scenario("server")
    async def test_no_further_attempt_is_made_unasked(self) -> None:
        def refuse(cost: int, tried: tuple[Attempt, ...] = ()) -> bool:
            assert cost >= 0
            return False

        async with self.serving([error(503, "busy"), "Again."]) as (model, server):
            with pytest.raises(ModelError):
                await model.complete(ASK._replace(admit=refuse))
            assert len(server.requests) == 1

    @scenario("server")
    async def test_every_further_attempt_was_admitted(self) -> None:
        admitted: list[int] = []

        def admit(cost: int, tried: tuple[Attempt, ...] = ()) -> bool:
            admitted.append(cost)
            return True

        async with self.serving([error(503, "busy"), "Again."]) as (model, server):
            try:
                reply = await model.complete(ASK._replace(admit=admit))
            except ModelError:
                assert admitted == []
            else:
                assert reply.text == "Again."
            assert len(server.requests) == 1 + len(admitted)
