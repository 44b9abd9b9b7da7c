"""The body of an answer, however long and whatever it is called (models floor)."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress

import anyio
import httpx2

from hive.errors import BadReply
from hive.models.events import Event

__all__ = ["bounded", "drain", "looks_streamed", "once"]

LARGEST = 64 * 2**20
"""Bytes of an answer, unpacked, beyond which it is read no further."""
DRAIN = 0.2
"""Seconds to wait for the end of a stream whose closing event has come, to reuse its connection."""
EVENTS = (b"data:", b"event:", b":")


async def bounded(body: AsyncIterator[bytes], who: str) -> AsyncGenerator[bytes]:
    """The pieces of a body. Raises `BadReply` if there is no end of them."""
    size = 0
    async for piece in body:
        size += len(piece)
        if size > LARGEST:
            raise BadReply(f"{who}: the answer does not end: {size} bytes, and there is more")
        yield piece


async def once(body: bytes) -> AsyncIterator[bytes]:
    """A body that is there already, in one piece."""
    yield body


def looks_streamed(body: bytes) -> bool:
    """Whether a body is a stream of events, whatever content type its server gives it."""
    return body.lstrip().startswith(EVENTS)


async def drain(pieces: AsyncGenerator[Event]) -> None:
    """Read on to the end, which follows at once from a server that means it."""
    with anyio.move_on_after(DRAIN), suppress(httpx2.HTTPError, UnicodeDecodeError, BadReply):
        async for _ in pieces:
            pass
