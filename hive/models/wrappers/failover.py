"""Failover (models floor): a chain of models, of which the next is asked when one fails."""

import math

import anyio

from hive.errors import DeclarationError, ModelError, ServerFailed
from hive.message import Attempt, Reply, Request
from hive.models.bound import input_bound
from hive.models.catalog import ModelCard, card_of, common_card
from hive.models.model import Model, check, close
from hive.models.naming.chain import chained
from hive.models.naming.names import resolve
from hive.models.wrappers.around import attempts_of, in_words, say, time_left, worst_case

__all__ = ["Failover"]


class Failover:
    """The first of its models that answers: `Failover("openai:gpt-5-mini", "anthropic:…")`.

    Whatever one fails with, the next is asked, if the budget admits it (`request.admit`): another
    provider may have the model, the window or the credit that this one lacks. To try each several
    times, wrap the members: `Failover(Retrying(a), Retrying(b))`. Where the call has a deadline,
    each has an equal share of what is left of the time, and the last one all of it.

    A Reply says in `model` who gave it, and in `cost` what it cost at that one's prices; the
    attempts before it say whom they asked. Its card is the cautious one of the chain: the dearest
    prices, the smallest window, the abilities that all have.

    Raises `DeclarationError` for a chain of fewer than two models, or with one of them twice.
    """

    def __init__(self, *models: Model | str) -> None:
        self.models = tuple(resolve(m) if isinstance(m, str) else m for m in models)
        names = [model.name for model in self.models]
        if len(names) < 2 or len(set(names)) < len(names):
            raise DeclarationError(
                f"Failover({', '.join(map(repr, names))}) needs two models or more, each once"
            )
        self.name = chained(names)

    @property
    def card(self) -> ModelCard:
        """What holds for every member of the chain."""
        return common_card(self.name, [card_of(model) for model in self.models])

    def check(self) -> None:
        """Raise what would keep one of the models from being used; no call is made."""
        for model in self.models:
            check(model)

    async def aclose(self) -> None:
        """Release what the models hold open."""
        for model in self.models:
            await close(model)

    async def complete(self, request: Request) -> Reply:
        """The answer of the first that has one. Raises the error of the last that was asked."""
        tried: tuple[Attempt, ...] = ()
        waited = 0
        failure: ModelError | None = None
        for model in self.models:
            if failure is not None and not request.admit(worst_case(model, request), tried):
                say(failure, f"the budget does not admit asking {model.name}", tried)
                raise failure
            try:
                return answered(
                    await self.ask(model, asking(request, model, tried)), model, tried, waited
                )
            except ModelError as error:
                tried += by(model, attempts_of(error, model, request))
                waited += error.waited
                error.attempts, error.waited, error.__context__ = tried, waited, failure
                failure = error
        assert failure is not None
        say(failure, f"so did all before it: {len(self.models)} models were asked", tried)
        raise failure

    async def ask(self, model: Model, request: Request) -> Reply:
        """The answer of one, within its share of the time: a model that hangs must leave some to
        those after it. What it did until then, nobody knows."""
        share = time_left(request) / (len(self.models) - self.models.index(model))
        if model is self.models[-1] or share == math.inf:
            return await model.complete(request)
        ends, costs = anyio.current_time() + share, [worst_case(model, request)]

        def admit(cost: int, tried: tuple[Attempt, ...] = ()) -> bool:
            admitted = request.admit(cost, tried)
            costs.extend([cost] if admitted else [])
            return admitted

        mine = request._replace(admit=admit, left=lambda: ends - anyio.current_time())
        with anyio.move_on_after(share):
            return await model.complete(mine)
        tokens = input_bound(request) + request.max_output
        raise ServerFailed(
            f"{model.name}: no answer within {in_words(share)}, its share of the time",
            [Attempt(reason="timeout", cost=cost, tokens=tokens) for cost in costs],
        )

    def __repr__(self) -> str:
        return f"Failover({', '.join(map(repr, self.models))})"


def asking(request: Request, model: Model, before: tuple[Attempt, ...]) -> Request:
    """The request as a member is asked: what it says of its attempts says whom they asked, and
    comes after those of the members before."""

    def admit(cost: int, tried: tuple[Attempt, ...] = ()) -> bool:
        return request.admit(cost, (*before, *by(model, tried)))

    return request._replace(admit=admit)


def answered(reply: Reply, model: Model, tried: tuple[Attempt, ...], waited: int) -> Reply:
    cost = card_of(model).cost(reply.usage) if reply.cost is None else reply.cost
    return reply.model_copy(
        update={
            "model": reply.model or model.name,
            "cost": cost,
            "attempts": (*tried, *by(model, reply.attempts)),
            "waited": waited + reply.waited,
        }
    )


def by(model: Model, attempts: tuple[Attempt, ...]) -> tuple[Attempt, ...]:
    """The attempts, with whom they asked."""
    return tuple(
        attempt if attempt.model else attempt.model_copy(update={"model": model.name})
        for attempt in attempts
    )
