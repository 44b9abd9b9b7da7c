"""How the scenarios of the conformance suite reach a model, and which of them apply (rim)."""

import asyncio
import functools
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, ClassVar, Concatenate, ParamSpec, TypeVar

import pytest

from hive.errors import DeclarationError, ModelError
from hive.message import Attempt, Message, OutputForm, Reply, Request, Text, ToolForm, ToolUse
from hive.models import Model, close
from hive.testing.loopback import Answering, Newline, Script, Server, loopback

__all__ = [
    "ABILITIES",
    "ASK",
    "LOOK",
    "SUM",
    "Suite",
    "call",
    "each_way",
    "failure",
    "hear",
    "never",
    "one_word",
    "scenario",
    "sent",
]

ABILITIES: Mapping[str, str] = {
    "server": "asks a server that speaks one of the three wire formats",
    "streaming": "hands over the text in pieces while it arrives",
    "tools": "calls tools",
    "schema": "answers under a JSON schema",
    "thinking": "keeps the model's reasoning, to be sent back",
    "images": "shows images to the model",
    "files": "shows files to the model, PDF at least",
    "cache": "reports what was read from a prompt cache, and written to it",
    "length": "tells an answer that ended at its limit",
    "overflow": "tells an answer that ended where the model's window does",
    "refusal": "tells an answer that the model refused",
    "filter": "tells an answer that a filter cut off",
    "pause": "tells an answer that the server wants to be asked to go on with",
}
"""What a backend may lack, and what it does where it does not."""

LOOK = ToolForm(
    "look",
    "Look at a place.",
    {"type": "object", "properties": {"where": {"type": "string"}}, "required": ["where"]},
)
SUM = OutputForm(
    "Sum",
    {
        "type": "object",
        "properties": {"total": {"type": "integer"}},
        "required": ["total"],
        "additionalProperties": False,
    },
)


def never(cost: int, tried: tuple[Attempt, ...] = ()) -> bool:
    """Admit no further attempt, so that a scenario sees the error of the first."""
    return False


ASK = Request(
    model="",
    system="Be brief.",
    messages=(Message("user", (Text(text="How are you?"),)),),
    admit=never,
)

S = TypeVar("S", bound="Suite")
P = ParamSpec("P")

each_way = pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])


class Suite:
    """What every part of the suite has: the model, the server it asks, and what the model lacks."""

    lacks: ClassVar[Mapping[str, str]] = {}
    """The `ABILITIES` that the backend does not have, each with the reason, which the tests that
    are skipped for it show."""

    patience: float = 60.0
    """Seconds until a scenario that has come to a standstill counts as failed."""

    def __init_subclass__(cls, **given: Any) -> None:
        super().__init_subclass__(**given)
        unknown = sorted(set(cls.lacks) - set(ABILITIES))
        if unknown:
            raise DeclarationError(
                f"{cls.__name__}.lacks names {', '.join(unknown)}; abilities are "
                f"{', '.join(ABILITIES)}"
            )

    def model(self, base_url: str) -> Model:
        """The model under test, asking the server at this address, which ends in "/v1".

        It is closed with `hive.models.close` when the scenario has ended.
        """
        raise NotImplementedError(f"{type(self).__name__} has to say how its model is made")

    @asynccontextmanager
    async def serving(
        self,
        script: Script | Answering,
        *,
        chop: int | None = None,
        newline: Newline = "\n",
        comments: bool = False,
    ) -> AsyncIterator[tuple[Model, Server]]:
        """The model, and the `loopback` server that answers it as the script says.

        A model without a server replaces this, makes its answers of the script by other means, and
        lacks "server"; what it yields as the second is not looked at then.
        """
        async with loopback(script, chop=chop, newline=newline, comments=comments) as server:
            model = self.model(server.base_url)
            try:
                yield model, server
            finally:
                await close(model)


def scenario(
    *needs: str,
) -> Callable[[Callable[Concatenate[S, P], Awaitable[None]]], Callable[Concatenate[S, P], None]]:
    """Make a test of a coroutine, to be skipped for a backend that lacks what it `needs`."""

    def made(
        told: Callable[Concatenate[S, P], Awaitable[None]],
    ) -> Callable[Concatenate[S, P], None]:
        @functools.wraps(told)
        def test(self: S, /, *args: P.args, **given: P.kwargs) -> None:
            for ability in needs:
                if ability in self.lacks:
                    pytest.skip(f"no {ability}: {self.lacks[ability]}")

            async def within() -> None:
                async with asyncio.timeout(self.patience):
                    await told(self, *args, **given)

            asyncio.run(within())

        return test

    return made


def hear(request: Request, streamed: bool = True) -> tuple[Request, list[str]]:
    """The request with somebody who listens to the pieces of the answer, and what was heard."""
    heard: list[str] = []
    return (request._replace(delta=heard.append) if streamed else request), heard


async def failure(model: Model, request: Request) -> ModelError:
    """The error that a call ends with; none, or one that is not of the tree, fails the test."""
    try:
        reply: Reply = await model.complete(request)
    except ModelError as error:
        return error
    raise AssertionError(f"no error came, but {reply!r}")


def call(identity: str, **arguments: Any) -> ToolUse:
    """A call of the tool `LOOK`."""
    return ToolUse(id=identity, name="look", arguments=arguments)


def one_word(word: str) -> Request:
    """The request whose last message says only this."""
    return ASK._replace(messages=(Message("user", (Text(text=word),)),))


def sent(server: Server, number: int = -1) -> str:
    """What arrived at the server with one request, as text."""
    return json.dumps(server.requests[number], ensure_ascii=False)
