"""A model server on 127.0.0.1 that answers as a script says, over real sockets.

It speaks OpenAI Responses, Chat Completions and Anthropic Messages, plain and streamed, and for
backends whose server is one's own, Hive's own words as JSON (see `hive.testing.own_words`):

    async with loopback(["Hello.", ToolUse(id="1", name="look"), {"sum": 3}]) as server:
        model = resolve("openai:gpt-5-mini", base_url=server.base_url)
        ...
        server.requests[0].system, server.requests[0].tools

A script is a list of lines, served in order whoever calls; or such a list per endpoint; or one
function that answers every request. A line is a str, a ToolUse, a list of parts, a whole Reply, a
dict (a typed answer, sent as its JSON), a `Fault` (see `hive.testing.faults`), or a function of the
request, plain or async, that gives one of these. A request is the dict that was sent, which also
knows what is in it in provider-neutral words (see `Received`).
"""

import asyncio
import inspect
import json
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Literal

from hive.message import Reply, Text, ToolUse, Usage
from hive.testing.dialects import DIALECTS, Dialect, Endpoint
from hive.testing.faults import Fault, Line, Then, error
from hive.testing.received import Received

__all__ = ["Newline", "Received", "Script", "Server", "loopback"]

PATHS: dict[str, Endpoint] = {
    "/responses": "responses",
    "/chat/completions": "chat",
    "/messages": "messages",
    "/reply": "reply",
}


Answering = Callable[[Received], Line | Awaitable[Line]]
Script = Sequence[Line | Answering]
Newline = Literal["\n", "\r\n", "\r"]
COMMENT = ": keep-alive ☺\nid: 7\nretry: 10\n"
"""What an event stream may hold beside its events."""


@dataclass(frozen=True)
class Fashion:
    """How a server writes its event streams."""

    chop: int | None = None
    newline: Newline = "\n"
    comments: bool = False

    def written(self, name: str, data: dict[str, Any]) -> bytes:
        """An event as it is sent."""
        head, text = (f"event: {name}\n" if name else ""), as_json(data)
        if self.comments:  # and the data in two lines, which are one with a line end within
            head, text = COMMENT + head, f"{text[:1]}\ndata: {text[1:]}"
        return self.ended(f"{head}data: {text}\n\n")

    def ended(self, text: str) -> bytes:
        return text.replace("\n", self.newline).encode()


def as_reply(line: Line, received: Received) -> Reply:
    """The Reply that a line of the script stands for, with a use of tokens if it says none."""
    assert not isinstance(line, Fault)
    reply = line if isinstance(line, Reply) else spoken(line, received)
    if reply.usage == Usage():
        reply = reply.model_copy(update={"usage": Usage(input=20, output=5)})
    return reply.model_copy(update={"model": reply.model or received.get("model")})


def spoken(line: Any, received: Received) -> Reply:
    if isinstance(line, dict):
        if received.forced is not None:
            use = ToolUse(id="answer_1", name=received.forced, arguments=line)
            return Reply(parts=(use,), stop="tools")
        line = json.dumps(line, ensure_ascii=False)
    several = line if isinstance(line, list | tuple) else [line]
    parts = tuple(Text(text=part) if isinstance(part, str) else part for part in several)
    asks = any(isinstance(part, ToolUse) for part in parts)
    return Reply(parts=parts, stop="tools" if asks else "end")


class Talk:
    """One connection, as the server holds it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def plain(
        self, status: int, headers: Mapping[str, str], body: bytes, promised: int | None = None
    ) -> None:
        """Send an answer, with another length in its head than it has where that is `promised`."""
        lines = [f"HTTP/1.1 {status} Scripted", *(f"{n}: {v}" for n, v in headers.items())]
        lines += [f"content-length: {len(body) if promised is None else promised}", "", ""]
        self.writer.write("\r\n".join(lines).encode("latin-1") + body)
        await self.writer.drain()

    async def begin(self, kind: str) -> None:
        head = f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n"
        self.writer.write(head.encode())
        await self.writer.drain()

    async def chunk(self, piece: bytes) -> None:
        """Send a piece of a streamed answer; an empty one is its end."""
        self.writer.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        await self.writer.drain()

    def reset(self) -> None:
        """Break the connection off, as a crash or a router does."""
        held = self.writer.get_extra_info("socket")
        held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


class Server:
    """What `loopback` gives: where the server is, and what it was asked so far."""

    def __init__(
        self, script: Script | Answering | Mapping[Endpoint, Script], fashion: Fashion
    ) -> None:
        self.base_url = ""
        self.requests: list[Received] = []
        self.connections = 0
        self.failures: list[Exception] = []
        self.left_alone = asyncio.Event()
        """Set when a client has hung up on an answer that was still to come."""
        self.fashion = fashion
        self.shared: list[Line | Answering] | None = None
        self.answering: Answering | None = None
        self.own: dict[Endpoint, list[Line | Answering]] = {}
        if callable(script):
            self.answering = script
        elif isinstance(script, Mapping):
            self.own = {endpoint: list(lines) for endpoint, lines in script.items()}
        else:
            self.shared = list(script)

    @property
    def left(self) -> int:
        """How many lines of the script were not served yet."""
        return len(self.shared or ()) + sum(len(lines) for lines in self.own.values())

    async def line(self, received: Received) -> Line:
        lines = self.shared if self.shared is not None else self.own.get(received.endpoint, [])
        said: Any = self.answering
        if said is None:
            if not lines:
                return error(400, f"the script has no line left for {received.endpoint}")
            said = lines.pop(0)
        try:
            while callable(said):
                said = said(received)
                if inspect.isawaitable(said):
                    said = await said
        except Exception as failure:  # noqa: BLE001  # raised again where the server is closed
            self.failures.append(failure)
            said = error(400, f"the script failed: {failure!r}")
        found: Line = said
        return found

    async def connected(self, talk: Talk) -> None:
        self.connections += 1
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while await self.served(talk):
                pass

    async def served(self, talk: Talk) -> bool:
        """Serve one request; False when the connection is to be closed."""
        head = (await talk.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        path = head[0].split()[1].split("?")[0]
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head[1:] if line)
        }
        body = await talk.reader.readexactly(int(headers.get("content-length", 0)))
        endpoint = next((PATHS[end] for end in PATHS if path.endswith(end)), None)
        if endpoint is None:
            await talk.plain(404, {}, b'{"error": {"message": "no such path"}}')
            return True
        received = Received(json.loads(body))
        received.endpoint, received.headers = endpoint, headers
        self.requests.append(received)
        return await self.answer(talk, received, await self.line(received))

    async def answer(self, talk: Talk, received: Received, line: Line) -> bool:
        fault = line if isinstance(line, Fault) else None
        if fault is not None and fault.line is None and fault.then != "hang":
            return await self.fault(talk, received, fault)
        if fault is not None and fault.line is None:
            return await self.ended(talk, "hang")
        said = line if fault is None else fault.line
        assert said is not None
        dialect = DIALECTS[received.endpoint]
        reply = as_reply(said, received)
        name = f"{len(self.requests)}"
        if received.get("stream"):
            await self.stream(talk, self.events(dialect, reply, name, fault), fault)
        else:
            whole = as_json(dialect.whole(reply, name)).encode()
            keep = len(whole) if fault is None or fault.keep is None else fault.keep
            sent = whole if keep >= len(whole) else whole[: len(whole) * keep // 100]
            promised = len(sent) if fault is None or fault.then == "end" else len(whole) + 1
            await talk.plain(200, {"content-type": "application/json"}, sent, promised)
        return await self.ended(talk, "end" if fault is None else fault.then)

    def events(
        self, dialect: Dialect, reply: Reply, name: str, fault: Fault | None
    ) -> Iterator[bytes]:
        """The answer as the pieces of an event stream."""
        events = dialect.events(reply, name)
        fault = fault or Fault()
        if fault.odd is not None:
            events.insert(2, fault.odd)
        for event in events[: fault.keep]:
            yield self.fashion.written(*event)
        if fault.message is not None:
            yield self.fashion.written("error", dialect.error(fault.message, fault.code, 400))
        elif fault.keep is None:
            yield self.fashion.ended(dialect.last_line)

    async def stream(self, talk: Talk, events: Iterator[bytes], fault: Fault | None) -> None:
        """Send as chunks: all at once, or cut into pieces of `chop` bytes wherever they fall."""
        await talk.begin("text/event-stream")
        if fault is not None and fault.between is not None:
            for number, event in enumerate(events):
                await fault.between(number)
                await talk.chunk(event)
        else:
            body = b"".join(events)
            size = self.fashion.chop or max(1, len(body))
            for start in range(0, len(body), size):
                await talk.chunk(body[start : start + size])
        if fault is None or fault.then == "end":
            await talk.chunk(b"")

    async def ended(self, talk: Talk, then: Then) -> bool:
        """End an answer as told; False when the connection is to be closed."""
        if then == "hang":
            if await talk.reader.read():
                raise AssertionError("a client spoke before it was answered")
            self.left_alone.set()
        elif then == "reset":
            talk.reset()
        return then == "end"

    async def fault(self, talk: Talk, received: Received, fault: Fault) -> bool:
        if fault.status == 0:
            return await self.ended(talk, fault.then if fault.then == "reset" else "close")
        headers = {"content-type": "application/json", **fault.headers}
        said = DIALECTS[received.endpoint].error(fault.message or "", fault.code, fault.status)
        body = fault.body if fault.body is not None else json.dumps(said).encode()
        await talk.plain(fault.status, headers, body)
        return True


def as_json(value: dict[str, Any]) -> str:
    """JSON with its letters as they are; escaped where there are surrogates, which are none."""
    text = json.dumps(value, ensure_ascii=False)
    return text if text.encode("utf-8", "ignore").decode() == text else json.dumps(value)


@asynccontextmanager
async def loopback(
    script: Script | Answering | Mapping[Endpoint, Script] = (),
    *,
    chop: int | None = None,
    newline: Newline = "\n",
    comments: bool = False,
) -> AsyncIterator[Server]:
    """Run a server that answers as the script says; `chop` cuts streams into so many bytes, whose
    lines end in `newline`, with `comments` and fields that mean nothing between the events, whose
    data then takes two lines."""
    server = Server(script, Fashion(chop, newline, comments))
    open_: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        open_[task] = writer
        try:
            await server.connected(Talk(reader, writer))
        except asyncio.CancelledError:
            return  # only the end below cancels it, and waits for it
        finally:
            open_.pop(task, None)
            writer.close()

    listening = await asyncio.start_server(connected, "127.0.0.1", 0)
    server.base_url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1"
    try:
        yield server
    finally:
        listening.close()
        tasks, writers = list(open_), list(open_.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for writer in writers:
            with suppress(ConnectionError):
                await writer.wait_closed()
        await listening.wait_closed()
    if server.failures:
        raise server.failures[0]
