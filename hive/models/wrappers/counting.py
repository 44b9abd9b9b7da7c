"""Counting (models floor): what was asked of a model, and what that came to."""

from collections import Counter
from typing import NamedTuple

from hive.errors import ModelError
from hive.message import Attempt, Reply, Request, Usage
from hive.models.catalog import card_of
from hive.models.model import Model
from hive.models.wrappers.around import Around, attempts_of

__all__ = ["Count", "Counting"]


class Count(NamedTuple):
    """What was counted: calls answered, failed and cancelled; what the answers used, in tokens;
    what calls and failed attempts cost, in nano-dollars; failed attempts by reason."""

    answered: int = 0
    failed: int = 0
    cancelled: int = 0
    under_way: int = 0
    usage: Usage = Usage()
    cost: int = 0
    attempts: tuple[tuple[str, int], ...] = ()


class Counting(Around):
    """A model whose calls are counted: `count` says how they went so far, over all runs.

    >>> from hive.models import FunctionModel
    >>> Counting(FunctionModel(lambda request: "yes")).count.answered
    0
    """

    def __init__(self, model: Model | str) -> None:
        super().__init__(model)
        self._begun = 0
        self._ended: Counter[str] = Counter()
        self._attempts: Counter[str] = Counter()
        self._usage = Usage()
        self._cost = 0

    @property
    def count(self) -> Count:
        """What was counted so far."""
        ended = self._ended
        return Count(
            answered=ended["answered"],
            failed=ended["failed"],
            cancelled=ended["cancelled"],
            under_way=self._begun - ended.total(),
            usage=self._usage,
            cost=self._cost,
            attempts=tuple(sorted(self._attempts.items())),
        )

    async def complete(self, request: Request) -> Reply:
        """What the model inside answers. Raises what it raises."""
        self._begun += 1
        end = "cancelled"
        try:
            reply = await self.model.complete(request)
            end = "answered"
        except Exception as error:
            end = "failed"
            if isinstance(error, ModelError):
                self._add(attempts_of(error, self.model, request))
            raise
        finally:
            self._ended[end] += 1
        self._add(reply.attempts)
        self._usage += reply.usage
        own = card_of(self.model).cost(reply.usage)
        self._cost += own if reply.cost is None else reply.cost
        return reply

    def _add(self, attempts: tuple[Attempt, ...]) -> None:
        self._attempts.update(attempt.reason for attempt in attempts)
        self._cost += sum(attempt.cost for attempt in attempts)
