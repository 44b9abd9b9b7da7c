"""What wrappers share (models floor): each is a Model around a Model, and passes for it."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict

import anyio

from hive.errors import ModelError
from hive.message import Attempt, Request
from hive.models.bound import input_bound
from hive.models.catalog import ModelCard, card_of
from hive.models.failures import reason_of
from hive.models.model import Model, check, close
from hive.models.naming.names import resolve

__all__ = [
    "Around",
    "after",
    "attempts_of",
    "identity",
    "in_words",
    "say",
    "time_left",
    "worst_case",
]


class Around:
    """A model, or the name of one, with something done about its calls."""

    def __init__(self, model: Model | str) -> None:
        self.model = resolve(model) if isinstance(model, str) else model

    @property
    def name(self) -> str:
        """The name of the model inside."""
        return self.model.name

    @property
    def card(self) -> ModelCard:
        """The card of the model inside."""
        return card_of(self.model)

    def check(self) -> None:
        """Raise what would keep the model inside from being used; no call is made."""
        check(self.model)

    async def aclose(self) -> None:
        """Release what the model inside holds open."""
        await close(self.model)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.model!r})"


def worst_case(model: Model, request: Request) -> int:
    """What one attempt at a request may cost at most, in nano-dollars."""
    return card_of(model).worst(input_bound(request), request.max_output)


def time_left(request: Request) -> float:
    """The seconds until a call is cancelled, by its request or by whoever makes it."""
    return min(request.left(), anyio.current_effective_deadline() - anyio.current_time())


def attempts_of(error: ModelError, model: Model, request: Request) -> tuple[Attempt, ...]:
    """The attempts that an error carries. Where a model gave none, it is one: free if the request
    was refused, and at its worst case where nobody knows what it cost."""
    if error.attempts:
        return tuple(error.attempts)
    if not error.retryable:
        return (Attempt(reason=reason_of(error)),)
    tokens = input_bound(request) + request.max_output
    cost = worst_case(model, request)
    return (Attempt(reason=reason_of(error), cost=cost, tokens=tokens),)


def say(error: ModelError, words: str, tried: Sequence[Attempt]) -> None:
    """Add to an error what became of it, and all that was tried."""
    error.args = (f"{error}; {words}", *error.args[1:])
    error.attempts = tuple(tried)


def after(request: Request, before: tuple[Attempt, ...]) -> Request:
    """The request for a further attempt, which tells of those before it when it asks for more."""
    if not before:
        return request

    def admit(cost: int, tried: tuple[Attempt, ...] = ()) -> bool:
        return request.admit(cost, (*before, *tried))

    return request._replace(admit=admit)


def in_words(seconds: float) -> str:
    """A time as people are told it; one that is over is none.

    >>> in_words(0.12345), in_words(3600), in_words(-1)
    ('0.123 s', '3,600 s', '0 s')
    """
    return f"{seconds:,.0f} s" if seconds >= 100 else f"{max(0.0, seconds):.3g} s"


def identity(request: Request, name: str) -> str:
    """What tells a request from every other, in hex: its model, its digest and its sample number.

    A request that was made outside a run has no digest; it is then told by all that it says.
    """
    digest = request.digest or hashlib.sha256(contents(request).encode()).hexdigest()
    told = f"{name}\n{digest}\n{request.sample}"
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()


def contents(request: Request) -> str:
    parts = [[m.role, [part.model_dump(mode="json") for part in m.parts]] for m in request.messages]
    said = {
        "system": request.system,
        "messages": parts,
        "tools": [asdict(tool) for tool in request.tools],
        "output": None if request.output is None else asdict(request.output),
        "settings": request.settings.model_dump(mode="json"),
        "max_output": request.max_output,
    }
    return json.dumps(said, sort_keys=True)
