"""An open client of an SDK, and the calls that run over it (models floor)."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any, Generic, Protocol, TypeVar

import anyio

from hive.models.secret import Secrets

__all__ = ["Client", "Link", "release"]

PLAIN = ("accept", "content-type", "user-agent", "anthropic-version")
"""Headers that everybody may see; so are all that begin with `x-stainless-`."""


class Client(Protocol):
    """What is used of an SDK's client, whichever it is."""

    @property
    def default_headers(self) -> Mapping[str, object]: ...

    async def close(self) -> None: ...


C = TypeVar("C", bound=Client)


class Link(Generic[C]):
    """An open client, what it must not be heard to say, its event loop, and its calls."""

    def __init__(self, client: C, key: str) -> None:
        self.client = client
        self.secrets = Secrets(key, hidden(client.default_headers))
        self.loop = asyncio.get_running_loop()
        self.calls = 0
        self.closing = False


def hidden(headers: Mapping[str, object]) -> Iterator[str]:
    """The values of headers that are an account's or a user's own."""
    for name, value in headers.items():
        if isinstance(value, str) and not name.lower().startswith(("x-stainless-", *PLAIN)):
            yield value.removeprefix("Bearer ")


async def release(link: Link[Any]) -> None:
    """Close a client that is done with: asked to close, and no call left."""
    if link.closing and not link.calls:
        with anyio.CancelScope(shield=True):
            await link.client.close()
