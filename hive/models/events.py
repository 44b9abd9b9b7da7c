"""Server-sent events: from bytes to events, however the network cut them (models floor).

Follows the WHATWG rules for interpreting an event stream, with one leniency: an event that the end
of the stream cut off before its empty line is still given, for there are servers that end so.
Whether the answer is whole is for the backend to say, by its closing event.
"""

import re
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass

__all__ = ["Decoder", "Event", "events"]

LINE_END = re.compile(rb"\r\n|\n|\r")
BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Event:
    """One event: its name ("" where it has none) and its data."""

    name: str
    data: str


class Decoder:
    """Cuts a stream of bytes into events; `feed` it as bytes come, `end` it when they end."""

    def __init__(self) -> None:
        self.rest: list[bytes] = []
        """The pieces of a line that has not ended; a line of many is put together once."""
        self.halved = False
        """Whether the last byte was a carriage return, which may be half of a line end."""
        self.begun = False
        self.name = ""
        self.data: list[str] = []

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that these bytes complete. Raises `ValueError` for bytes that are no UTF-8."""
        if self.halved:
            chunk = b"\r" + chunk
        self.halved = chunk.endswith(b"\r")
        *lines, rest = LINE_END.split(chunk.removesuffix(b"\r"))
        if lines and self.rest:
            lines[0] = b"".join((*self.rest, lines[0]))
            self.rest.clear()
        if rest:
            self.rest.append(rest)
        return [event for line in lines if (event := self.line(line)) is not None]

    def end(self) -> list[Event]:
        """What the end of the stream completes."""
        lines = [b"".join(self.rest), b""]
        self.rest, self.halved = [], False
        return [event for line in lines if (event := self.line(line)) is not None]

    def line(self, raw: bytes) -> Event | None:
        if not self.begun:
            self.begun, raw = True, raw.removeprefix(BOM)
        if not raw:
            return self.dispatch()
        field, _, value = raw.decode("utf-8").partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            self.data.append(value)
        elif field == "event":
            self.name = value
        return None

    def dispatch(self) -> Event | None:
        event = Event(self.name, "\n".join(self.data)) if self.data else None
        self.name, self.data = "", []
        return event


async def events(chunks: AsyncIterator[bytes]) -> AsyncGenerator[Event]:
    """The events of a stream of bytes, as they are completed."""
    decoder = Decoder()
    async for chunk in chunks:
        for event in decoder.feed(chunk):
            yield event
    for event in decoder.end():
        yield event
