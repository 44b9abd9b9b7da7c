"""What a model is (models floor): an object with a name and one async method."""

import inspect
from typing import Protocol, runtime_checkable

from hive.message import Reply, Request

__all__ = ["Model", "check", "close"]


@runtime_checkable
class Model(Protocol):
    """A mind: a hosted language model, a local server, a script or a program.

    `name` says whose mind it is, as `provider:name` ("openai:gpt-5-mini", "script:coder",
    "program:planner"). A model may also have

    - `card`, a `ModelCard` that replaces the catalog's;
    - `check()`, which raises what would keep it from being used, without a call (see `check`);
    - `aclose()`, which releases what it holds open (see `close`).

    A model is shared by all strands that use it, so `complete` may run many times at once.
    """

    @property
    def name(self) -> str:
        """The name, `provider:name`."""
        ...

    async def complete(self, request: Request) -> Reply:
        """Answer one request; nothing is remembered between two calls.

        With `request.delta` set, pieces of the answer's text are handed to it as they arrive; the
        Reply is the whole answer all the same.

        Raises: `ModelError`, the kind that says what went wrong, its `__cause__` the provider's own
        exception.
        """
        ...


def check(model: Model) -> None:
    """Raise what would keep `model` from being used, a missing key above all; no call is made."""
    own = getattr(model, "check", None)
    if own is not None:
        own()


async def close(model: Model) -> None:
    """Release what `model` holds open, its connections above all; it may be used again later."""
    own = getattr(model, "aclose", None)
    if own is not None:
        closing = own()
        if inspect.isawaitable(closing):
            await closing
