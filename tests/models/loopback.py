"""A model server on 127.0.0.1 that answers as a script says, over real sockets.

It speaks OpenAI Responses, Chat Completions and Anthropic Messages, plain and streamed:

    async with loopback(["Hello.", ToolUse(id="1", name="look"), {"sum": 3}]) as server:
        model = resolve("openai:gpt-5-mini", base_url=server.base_url)
        ...
        server.requests[0].system, server.requests[0].tools

A script is a list of lines, served in order whoever calls; or such a list per endpoint; or one
function that answers every request. A line is a str, a ToolUse, a list of parts, a whole Reply, a
dict (a typed answer, sent as its JSON), a `Fault`, or a function of the request, plain or async,
that gives one of these. A request is the dict that was sent, which also knows what is in it in
provider-neutral words (see `Received`).
"""

import asyncio
import inspect
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Union

from hive.message import Reply, Text, Thinking, ToolUse, Usage
from tests.models.dialects import DIALECTS, Endpoint

Part = str | Text | Thinking | ToolUse
PATHS: dict[str, Endpoint] = {
    "/responses": "responses",
    "/chat/completions": "chat",
    "/messages": "messages",
}


class Received(dict[str, Any]):
    """The JSON that was sent, with a look at it in provider-neutral words."""

    endpoint: Endpoint
    headers: dict[str, str]

    @property
    def system(self) -> str:
        """The instructions: the system prompt."""
        if self.endpoint == "chat":
            said = [m["content"] for m in self["messages"] if m["role"] == "system"]
            return "\n".join(said)
        text = self.get("instructions" if self.endpoint == "responses" else "system", "")
        return str(text)

    @property
    def tools(self) -> list[str]:
        """The names of the tools offered."""
        return [tool.get("function", tool)["name"] for tool in self.get("tools", [])]

    @property
    def turns(self) -> list[dict[str, Any]]:
        """The conversation as it was sent, without the instructions."""
        sent = self["input"] if self.endpoint == "responses" else self["messages"]
        return [turn for turn in sent if turn.get("role") != "system"]

    @property
    def text(self) -> str:
        """All that was said in the conversation, tool results included, as one text."""
        return "\n".join(texts(self.turns))

    @property
    def results(self) -> list[str]:
        """The results of tools that were sent along, in order."""
        found: list[str] = []
        for turn in self.turns:
            if turn.get("type") == "function_call_output":
                found.append(turn["output"])
            elif turn.get("role") == "tool":
                found.append(turn["content"])
            elif isinstance(turn.get("content"), list):
                blocks = turn["content"]
                found += [b["content"] for b in blocks if b.get("type") == "tool_result"]
        return found

    @property
    def schema(self) -> dict[str, Any] | None:
        """The JSON Schema that the final answer must follow; None when it is free text."""
        found: dict[str, Any] | None
        match self.endpoint:
            case "responses":
                found = self.get("text", {}).get("format", {}).get("schema")
            case "chat":
                found = self.get("response_format", {}).get("json_schema", {}).get("schema")
            case "messages":
                found = self.get("output_config", {}).get("format", {}).get("schema")
                if found is None and "tool_choice" in self:
                    found = self["tools"][-1]["input_schema"]
        return found

    @property
    def forced(self) -> str | None:
        """The name of the tool through which a typed answer is asked for, where it is."""
        return self["tools"][-1]["name"] if "tool_choice" in self else None


def texts(value: object) -> list[str]:
    """Every text anywhere in a conversation, whatever its dialect."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [text for inner in value for text in texts(inner)]
    if isinstance(value, dict):
        wanted = ("content", "text", "output", "arguments", "input", "function", "tool_calls")
        return [text for name in wanted if name in value for text in texts(value[name])]
    return []


@dataclass(frozen=True)
class Fault:
    """An answer that goes wrong. Made by `error`, `raw`, `cut`, `fails`, `linger`, `drop`."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    message: str | None = None
    code: str = ""
    body: bytes | None = None
    line: "Line | None" = None
    keep: int = 0
    """How many events of the streamed `line` are sent, or a plain one's bytes in a hundred.
    -1: all of them, but the end of the answer never comes."""


Line = Union[Part, Sequence[Part], Reply, dict[str, Any], Fault]  # noqa: UP007  # refers to itself
Answering = Callable[[Received], Line | Awaitable[Line]]
Script = Sequence[Line | Answering]


def error(
    status: int, message: str = "", *, code: str = "", headers: Mapping[str, str] | None = None
) -> Fault:
    """An error answer in the endpoint's own fashion."""
    return Fault(status, headers or {}, message=message, code=code)


def raw(body: bytes, content_type: str = "text/html", status: int = 200) -> Fault:
    """Any bytes, whatever was asked."""
    return Fault(status, {"content-type": content_type}, body=body)


def cut(line: Line, keep: int = 3) -> Fault:
    """An answer that ends too early: after `keep` events, or `keep` percent of its bytes."""
    return Fault(line=line, keep=keep)


def fails(line: Line, message: str, *, code: str = "", keep: int = 3) -> Fault:
    """A stream that after `keep` events says that something went wrong."""
    return Fault(line=line, keep=keep, message=message, code=code)


def linger(line: Line) -> Fault:
    """A whole stream after which the server does not end its answer."""
    return Fault(line=line, keep=-1)


def drop() -> Fault:
    """No answer: the connection is closed."""
    return Fault(status=0)


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


class Server:
    """What `loopback` gives: where the server is, and what it was asked so far."""

    def __init__(
        self, script: Script | Answering | Mapping[Endpoint, Script], chop: int | None
    ) -> None:
        self.base_url = ""
        self.requests: list[Received] = []
        self.connections = 0
        self.failures: list[Exception] = []
        self.chop = chop
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

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while await self.served(reader, writer):
                pass

    async def served(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Serve one request; False when the connection is to be closed."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        path = head[0].split()[1].split("?")[0]
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head[1:] if line)
        }
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        endpoint = next((PATHS[end] for end in PATHS if path.endswith(end)), None)
        if endpoint is None:
            await self.plain(writer, 404, {}, b'{"error": {"message": "no such path"}}')
            return True
        received = Received(json.loads(body))
        received.endpoint, received.headers = endpoint, headers
        self.requests.append(received)
        return await self.answer(writer, received, await self.line(received))

    async def answer(self, writer: asyncio.StreamWriter, received: Received, line: Line) -> bool:
        if isinstance(line, Fault) and line.line is None:
            return await self.fault(writer, received, line)
        dialect = DIALECTS[received.endpoint]
        reply = as_reply(line.line if isinstance(line, Fault) else line, received)  # type: ignore[arg-type]  # a Fault's line is no Fault
        name = f"{len(self.requests)}"
        keep = line.keep if isinstance(line, Fault) else None
        if not received.get("stream"):
            whole = as_json(dialect.whole(reply, name)).encode()
            sent = whole if keep is None else whole[: len(whole) * keep // 100]
            await self.plain(writer, 200, {"content-type": "application/json"}, sent)
            return True
        lingers = keep == -1
        events = dialect.events(reply, name)
        lines = [sse(*event) for event in (events if lingers else events[:keep])]
        if keep is None or lingers:
            lines.append(dialect.last_line)
        elif isinstance(line, Fault) and line.message is not None:
            lines.append(sse("error", dialect.error(line.message, line.code)))
        await self.stream(writer, "".join(lines).encode())
        if lingers:
            await asyncio.Event().wait()
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True

    async def fault(self, writer: asyncio.StreamWriter, received: Received, fault: Fault) -> bool:
        if fault.status == 0:
            return False
        headers = {"content-type": "application/json", **fault.headers}
        said = DIALECTS[received.endpoint].error(fault.message or "", fault.code)
        body = fault.body if fault.body is not None else json.dumps(said).encode()
        await self.plain(writer, fault.status, headers, body)
        return True

    async def plain(
        self, writer: asyncio.StreamWriter, status: int, headers: Mapping[str, str], body: bytes
    ) -> None:
        lines = [f"HTTP/1.1 {status} Scripted", *(f"{n}: {v}" for n, v in headers.items())]
        lines += [f"content-length: {len(body)}", "", ""]
        writer.write("\r\n".join(lines).encode("latin-1") + body)
        await writer.drain()

    async def stream(self, writer: asyncio.StreamWriter, body: bytes) -> None:
        """Send as chunks: all at once, or cut into pieces of `chop` bytes wherever they fall."""
        head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked"
        writer.write(f"{head}\r\n\r\n".encode())
        size = self.chop or max(1, len(body))
        for start in range(0, len(body), size):
            chunk = body[start : start + size]
            writer.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
            await writer.drain()


def sse(name: str, data: dict[str, Any]) -> str:
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {as_json(data)}\n\n"


def as_json(value: dict[str, Any]) -> str:
    """JSON with its letters as they are; escaped where there are surrogates, which are none."""
    text = json.dumps(value, ensure_ascii=False)
    return text if text.encode("utf-8", "ignore").decode() == text else json.dumps(value)


@asynccontextmanager
async def loopback(
    script: Script | Answering | Mapping[Endpoint, Script] = (), *, chop: int | None = None
) -> AsyncIterator[Server]:
    """Run a server that answers as the script says; `chop` cuts streams into so many bytes."""
    server = Server(script, chop)
    open_: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        open_[task] = writer
        try:
            await server.connected(reader, writer)
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
