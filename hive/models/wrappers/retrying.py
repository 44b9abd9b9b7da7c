"""Trying again (models floor): what may succeed later is asked once more, after a wait.

The waiting follows Brooker's "Exponential Backoff and Jitter" (AWS Architecture Blog, 2015), in its
variant with equal jitter; `tenacity` drives it.
"""

import random
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import anyio

from hive.diagnostics import log
from hive.errors import DeclarationError, ModelError
from hive.message import Attempt, Reply, Request
from hive.models.model import Model
from hive.models.wrappers.around import (
    Around,
    after,
    attempts_of,
    in_words,
    say,
    time_left,
    worst_case,
)

if TYPE_CHECKING:
    from tenacity import RetryCallState

__all__ = ["Retrying"]


class Retrying(Around):
    """A model that is asked again when it fails in a way that may pass.

    Which failures those are, their `retryable` says. Up to `attempts` are made. Before each further
    one it waits: between `first` / 2 and `first` seconds, the next time twice as long and so on up
    to `longest`; and for as long as the server asks (`Retry-After`), unless that is more than
    `patience` seconds or the call has not that much time left, in which case it gives up at once.
    Each further attempt is made only if the budget admits it (`request.admit`).

    `complete` raises the last error, which says why no further attempt was made; it and a Reply
    carry all the attempts that failed. A listener may hear the beginning of an answer again.

    `sleep` and `draw` (a number from 0 to 1) are for tests.

    Raises `DeclarationError` for numbers that make no sense.
    """

    def __init__(
        self,
        model: Model | str,
        *,
        attempts: int = 4,
        first: float = 1.0,
        longest: float = 30.0,
        patience: float = 120.0,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
        draw: Callable[[], float] = random.random,
    ) -> None:
        super().__init__(model)
        if attempts < 1 or min(first, longest, patience) < 0:
            raise DeclarationError(
                f"Retrying({self.name!r}) makes at least one attempt and waits no less than 0 s: "
                f"attempts={attempts}, first={first}, longest={longest}, patience={patience}"
            )
        self.attempts = attempts
        self.first = first
        self.longest = longest
        self.patience = patience
        self.sleep = sleep
        self.draw = draw

    async def complete(self, request: Request) -> Reply:
        """Answer one request, in as many attempts as it takes and may. Raises the last error."""
        return await Trying(self, request).reply()


class Trying:
    """One call in several attempts."""

    def __init__(self, retrying: Retrying, request: Request) -> None:
        self.retrying = retrying
        self.request = request
        self.tried: tuple[Attempt, ...] = ()
        self.failed: ModelError | None = None
        """How the first attempt ended, until that is judged."""
        self.waited = 0
        """Microseconds, between the attempts and within them."""

    async def reply(self) -> Reply:
        try:
            return await self.attempt()
        except ModelError as error:
            if not error.retryable:
                raise
            self.failed = error
        return await self.further()

    async def further(self) -> Reply:
        """The same once more, judged from the first attempt on. What succeeds at once, as most
        calls do, does without its cost."""
        from tenacity import AsyncRetrying, retry_if_exception

        attempts = AsyncRetrying(
            sleep=self.rest,
            retry=retry_if_exception(may_pass),
            wait=self.wait,
            stop=self.stop,
            reraise=True,
        )
        return await attempts(self.attempt)

    async def attempt(self) -> Reply:
        model, failed = self.retrying.model, self.failed
        if failed is not None:
            self.failed = None
            raise failed
        try:
            reply = await model.complete(after(self.request, self.tried))
        except ModelError as error:
            self.tried += attempts_of(error, model, self.request)
            self.waited += error.waited
            error.attempts, error.waited = self.tried, self.waited
            raise
        if not self.tried:
            return reply
        attempts, waited = (*self.tried, *reply.attempts), self.waited + reply.waited
        return reply.model_copy(update={"attempts": attempts, "waited": waited})

    def wait(self, state: "RetryCallState") -> float:
        """Seconds until the next attempt: backed off, and no less than the server asks for."""
        from tenacity import wait_exponential

        retrying = self.retrying
        window = wait_exponential(multiplier=retrying.first, max=retrying.longest)(state)
        jitter = retrying.draw() / 2
        asked = failure(state).retry_after
        if asked is None:
            return window * (0.5 + jitter)
        return max(asked, window / 2) + retrying.first * jitter

    def stop(self, state: "RetryCallState") -> bool:
        """Whether this was the last attempt; the error is told why. The budget is asked last, as
        what it admits is reserved."""
        error, retrying, wait = failure(state), self.retrying, state.upcoming_sleep
        left = time_left(self.request)
        why = ""
        if state.attempt_number >= retrying.attempts:
            why = f"given up after {state.attempt_number} attempts" if self.tried[1:] else ""
        elif wait > retrying.patience:
            most = in_words(retrying.patience)
            why = f"not tried again: that is {in_words(wait)} away, more than {most}"
        elif wait >= left:
            why = f"not tried again: that is {in_words(wait)} away, and {in_words(left)} are left"
        elif self.request.admit(worst_case(retrying.model, self.request), self.before(wait)):
            return False
        else:
            why = "not tried again: the budget does not admit a further attempt"
        if why:
            say(error, why, self.tried)
        return True

    async def rest(self, seconds: float) -> None:
        """Wait, and say so on the attempt before."""
        self.tried = self.before(seconds)
        last = self.tried[-1]
        self.waited += last.wait
        model = self.retrying.name
        log("waiting", model=model, seconds=round(seconds, 3), why=f"to try again: {last.reason}")
        await self.retrying.sleep(seconds)

    def before(self, seconds: float) -> tuple[Attempt, ...]:
        """The attempts so far, the last of them with the wait that follows it."""
        *others, last = self.tried
        return (*others, last.model_copy(update={"wait": round(seconds * 1_000_000)}))


def may_pass(error: BaseException) -> bool:
    return isinstance(error, ModelError) and error.retryable


def failure(state: "RetryCallState") -> ModelError:
    """What the attempt that has just ended failed with."""
    error = None if state.outcome is None else state.outcome.exception()
    assert isinstance(error, ModelError)
    return error
