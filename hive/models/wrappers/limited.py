"""Keeping within limits (models floor): calls wait their turn, and an ill server is left alone."""

import asyncio
import math
import time
from typing import Literal

import anyio

from hive.diagnostics import log
from hive.errors import DeclarationError, ModelError, RateLimited, ServerFailed
from hive.message import Attempt, Reply, Request
from hive.models.bound import input_bound
from hive.models.limits.endpoint import Amounts, Endpoint, Lane, Outcome, Ticket, endpoint_at
from hive.models.model import Model
from hive.models.wrappers.around import Around, in_words, time_left

__all__ = ["Limited"]

BYTES_PER_TOKEN = 3
"""Of English text it is about four; less than that leaves room for other languages."""

SOON = 0.001
"""Seconds that are waited at least, so that rounding makes nobody wait busily."""
HELD_BACK: Literal["held_back"] = "held_back"
LEFT_ALONE: Literal["left_alone"] = "left_alone"
"""Why a call was not made, as its attempt says."""

now = time.monotonic


class Limited(Around):
    """A model that is asked no more than its server lets through.

    `requests` and `tokens` are limits per minute for the model, `concurrent` caps the calls under
    way at its server; all runs of the process with the same server and key share them. Without any,
    the limits that the server tells in its response headers hold, and the pauses that it asks for
    (`Retry-After`). Who comes first is served first. Before it is sent, a call counts with one
    token for three bytes of its input, and with all of its `max_output`; once the usage is known,
    with that.

    A call that would have to wait longer than `patience` seconds, or than it has time left, is
    refused at once: `RateLimited`, which costs nothing. After five failures in a row that say that
    the server is ill it is left alone for some seconds, in which calls are refused with
    `ServerFailed`; then one call tries it. Both say in `retry_after` how long that will be.

    `Reply.waited` and `ModelError.waited` hold the time waited, in microseconds. A model that is no
    backend of Hive's is known by its name.

    Raises `DeclarationError` for numbers that make no sense.
    """

    def __init__(
        self,
        model: Model | str,
        *,
        requests: int | None = None,
        tokens: int | None = None,
        concurrent: int | None = None,
        patience: float = math.inf,
    ) -> None:
        super().__init__(model)
        given = [limit for limit in (requests, tokens, concurrent) if limit is not None]
        if min(given, default=1) < 1 or not patience >= 0:
            raise DeclarationError(
                f"Limited({self.name!r}) lets through one or more, and waits no less than 0 s: "
                f"requests={requests}, tokens={tokens}, concurrent={concurrent}, "
                f"patience={patience}"
            )
        self.requests = requests
        self.tokens = tokens
        self.concurrent = concurrent
        self.patience = patience

    async def complete(self, request: Request) -> Reply:
        """Answer one request in its turn. Raises what the model does, and `RateLimited` and
        `ServerFailed` where it was not asked."""
        turn = Turn(self, self.lane(), request)
        await turn.begin()
        outcome: Outcome = "untold"
        used: Amounts | None = None
        try:
            reply = await self.model.complete(request)
            outcome, used = "well", used_by(reply)
        except ModelError as error:
            error.waited += turn.waited
            if not was_asked(error):
                raise
            outcome, used = "ill" if error.ill else "well", used_by_failure(error)
            if error.ill:
                turn.endpoint.trouble = str(error)
            if error.retryable and error.retry_after is not None:
                turn.lane.pause(error.retry_after, now())
            raise
        finally:
            turn.endpoint.end(turn.ticket, now(), outcome, used)
        if not turn.waited:
            return reply
        return reply.model_copy(update={"waited": reply.waited + turn.waited})

    def lane(self) -> Lane:
        """What is known of the model inside, with what was declared here."""
        inner = self.model
        while isinstance(inner, Around):
            inner = inner.model
        own: Lane | None = getattr(inner, "lane", None)
        lane = endpoint_at(self.name).lane(self.name) if own is None else own
        if self.requests is not None:
            lane.declare("requests", self.requests)
        if self.tokens is not None:
            lane.declare("tokens", self.tokens)
        if self.concurrent is not None:
            lane.endpoint.declare(self.concurrent)
        return lane


class Turn:
    """One call's place in the queue of its endpoint."""

    def __init__(self, limited: Limited, lane: Lane, request: Request) -> None:
        self.limited = limited
        self.lane = lane
        self.endpoint: Endpoint = lane.endpoint
        self.request = request
        self.loop = asyncio.get_running_loop()
        self.event: asyncio.Event | None = None
        self.waited = 0
        """Microseconds until it was admitted."""
        self.why = ""
        amounts = Amounts(-(-input_bound(request) // BYTES_PER_TOKEN), request.max_output)
        self.ticket = Ticket(lane, amounts, self.wake)

    def wake(self) -> None:
        if self.event is not None:
            self.loop.call_soon_threadsafe(self.event.set)

    async def begin(self) -> None:
        """Wait until the call may be made. Raises `RateLimited` and `ServerFailed` if that would
        take too long."""
        begun = now()
        self.refuse_ill(begun)
        self.endpoint.join(self.ticket, begun)
        if self.ticket.admitted:
            return
        self.event = asyncio.Event()
        try:
            while not await self.rest(begun):
                continue
        except BaseException:
            self.endpoint.leave(self.ticket, now())
            raise
        self.waited = round((now() - begun) * 1_000_000)

    async def rest(self, begun: float) -> bool:
        """Look whether it is time; if not, wait for a while or until something has changed."""
        assert self.event is not None
        here = now()
        self.refuse_ill(here)
        self.event.clear()
        self.endpoint.admit(here)
        if self.ticket.admitted:
            return True
        wait, least = self.endpoint.wait(self.ticket, here)
        why = self.lane.why(self.ticket, here)
        patience = begun + self.limited.patience - here
        left = time_left(self.request)
        if patience <= 0 or min(patience, left) < least < math.inf:
            raise self.refused(why, wait, min(patience, left))
        if why != self.why:
            self.why = why
            log("waiting", model=self.limited.name, seconds=round(wait, 3), why=why)
        with anyio.move_on_after(min(max(wait, SOON), patience)):
            await self.event.wait()
        return False

    def refuse_ill(self, here: float) -> None:
        """Raise `ServerFailed` while the server is left alone."""
        wait = self.endpoint.breaker.wait(here)
        if wait:
            raise ServerFailed(
                f"{self.limited.name}: not asked: its server failed several times in a row and is "
                f"left alone for another {in_words(wait)}; at last: {self.endpoint.trouble}",
                [Attempt(reason=LEFT_ALONE)],
                retry_after=wait,
            )

    def refused(self, why: str, wait: float, left: float) -> RateLimited:
        away = "" if wait == math.inf else f"; its turn is {in_words(wait)} away"
        return RateLimited(
            f"{self.limited.name}: not asked: {why}{away}, and {in_words(left)} are left",
            [Attempt(reason=HELD_BACK)],
            retry_after=None if wait == math.inf else wait,
        )


def was_asked(error: ModelError) -> bool:
    """Whether a failure tells of the server, and not of a call that another wrapper held back."""
    return not (error.attempts and error.attempts[-1].reason in (HELD_BACK, LEFT_ALONE))


def used_by(reply: Reply) -> Amounts | None:
    """What an answer used; None where that was not told."""
    usage = reply.usage
    if not usage.input and not usage.output:
        return None
    return Amounts(usage.input, usage.output, usage.cached_read)


def used_by_failure(error: ModelError) -> Amounts | None:
    """What a failed call used; None where nobody knows."""
    attempts = error.attempts
    if not attempts or any(attempt.tokens and attempt.usage is None for attempt in attempts):
        return None
    usages = [attempt.usage for attempt in attempts if attempt.usage is not None]
    return Amounts(sum(u.input for u in usages), sum(u.output for u in usages))
