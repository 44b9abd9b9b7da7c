"""Calls that wait until a test lets them through (rim)."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable

from hive.message import Reply, Request
from hive.models import Model, ModelCard, check, close

__all__ = ["Gate", "GatedModel"]

SETTLED = 32
"""Rounds of the event loop without a new arrival after which a gate's sequence goes on."""


class Gate:
    """A place where calls wait until the test lets them through, one by one, in the order it likes.

    Models come here inside a `GatedModel`; tools call `enter` themselves. `patience` is how many
    seconds a test waits for an arrival before it fails with TimeoutError.
    """

    def __init__(self, patience: float = 10.0) -> None:
        self.patience = patience
        self.arrivals: list[str] = []
        """Every name that ever came, in order."""
        self._waiting: list[tuple[str, asyncio.Future[None]]] = []
        self._passes: Counter[str] = Counter()
        self._open = False
        self._news = asyncio.Event()

    @property
    def waiting(self) -> tuple[str, ...]:
        """The names that wait now, in the order in which they came."""
        return tuple(name for name, _ in self._waiting)

    async def enter(self, name: str) -> None:
        """Wait here, under a name, to be let through."""
        self.arrivals.append(name)
        self._news.set()
        if self._open or self._passes[name] > 0:
            self._passes[name] -= 1
            return
        place = (name, asyncio.get_running_loop().create_future())
        self._waiting.append(place)
        try:
            await place[1]
        finally:
            if place in self._waiting:
                self._waiting.remove(place)

    async def arrived(self, *names: str) -> None:
        """Return once a call waits for each of these names, for a name given twice two of them.

        Raises TimeoutError after `patience` seconds, saying who waits instead.
        """
        wanted = Counter(names)
        try:
            async with asyncio.timeout(self.patience):
                while wanted - Counter(self.waiting):
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            missing = ", ".join((wanted - Counter(self.waiting)).elements())
            raise TimeoutError(
                f"{missing} did not arrive; {', '.join(self.waiting) or 'nobody'} waits"
            ) from None

    def release(self, *names: str) -> None:
        """Let through the call that has waited longest under each name, or the next to come."""
        for name in names:
            found = next((place for place in self._waiting if place[0] == name), None)
            if found is None:
                self._passes[name] += 1
            else:
                self._let(found)

    def open(self) -> None:
        """Let everybody through, from now on."""
        self._open = True
        while self._waiting:
            self._let(self._waiting[0])

    async def sequence(self, order: Iterable[int] = ()) -> None:
        """Let calls through one at a time until cancelled, whenever nothing else moves: of all that
        wait the one at place `next(order)` modulo their number, the first at the end of `order`.

        Whatever `order` says is a lawful order of completion, so that a property test can draw it.
        """
        places = iter(order)
        while True:
            await self._settled()
            if self._waiting:
                self._let(self._waiting[next(places, 0) % len(self._waiting)])
            else:
                self._news.clear()
                await self._news.wait()

    async def _settled(self) -> None:
        quiet, seen = 0, len(self.arrivals)
        while quiet < SETTLED:
            await asyncio.sleep(0)
            quiet = quiet + 1 if seen == len(self.arrivals) else 0
            seen = len(self.arrivals)

    def _let(self, place: tuple[str, asyncio.Future[None]]) -> None:
        self._waiting.remove(place)
        if not place[1].done():
            place[1].set_result(None)


class GatedModel:
    """A model whose calls wait at a gate, each under a name, before they are answered.

    `at` is that name, or makes it of the request; without it, it is the model's own.
    """

    def __init__(
        self, model: Model, gate: Gate, at: str | Callable[[Request], str] | None = None
    ) -> None:
        self.model = model
        self.gate = gate
        self.at = at

    @property
    def name(self) -> str:
        """The name of the model within."""
        return self.model.name

    @property
    def card(self) -> ModelCard | None:
        """The card of the model within, where it has its own."""
        return getattr(self.model, "card", None)

    async def complete(self, request: Request) -> Reply:
        """What the model within says, once the gate has let the call through."""
        at = self.at(request) if callable(self.at) else self.at
        await self.gate.enter(self.name if at is None else at)
        return await self.model.complete(request)

    def check(self) -> None:
        """As the model within."""
        check(self.model)

    async def aclose(self) -> None:
        """As the model within."""
        await close(self.model)
