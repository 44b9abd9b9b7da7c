"""The deadline of model calls (floor 5): one timer for all the calls of a run, not one for each.

All calls have the same limit, so they expire in the order in which they began, and a timer that
looks at the oldest when it may be due is enough. The rest is as in `asyncio.timeout`.
"""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

__all__ = ["Deadline"]

Answer = TypeVar("Answer")


class Due:
    """One call that is under way."""

    __slots__ = ("at", "cancelling", "expired", "task")

    def __init__(self, at: float, task: "asyncio.Task[object]") -> None:
        self.at = at
        self.task = task
        self.cancelling = task.cancelling()
        self.expired = False


class Deadline:
    """A limit, in seconds, that many calls stand under."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._open: dict[Due, None] = {}
        self._timer: asyncio.TimerHandle | None = None

    def end(self) -> float:
        """When a call that begins now is cancelled, on the event loop's clock."""
        return asyncio.get_running_loop().time() + self.seconds

    async def limit(self, call: Awaitable[Answer]) -> Answer:
        """Await a call. Raises TimeoutError when it is not done in time; it is then cancelled."""
        task = asyncio.current_task()
        assert task is not None
        loop = asyncio.get_running_loop()
        due = Due(loop.time() + self.seconds, task)
        self._open[due] = None
        if self._timer is None:
            self._timer = loop.call_at(due.at, self._look)
        try:
            return await call
        except asyncio.CancelledError as error:
            if due.expired and task.uncancel() <= due.cancelling:
                raise TimeoutError from error
            raise
        finally:
            del self._open[due]

    def close(self) -> None:
        """Let go of the timer, once no call is under way any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        """Cancel what is overdue and look again when the next call may be."""
        loop = asyncio.get_running_loop()
        self._timer = None
        now = loop.time()
        for due in self._open:
            if due.at > now:
                self._timer = loop.call_at(due.at, self._look)
                return
            if not due.expired:
                due.expired = True
                due.task.cancel()
