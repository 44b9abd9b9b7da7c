"""The server of the `wire` benchmark: `python -m tests.benchmarks.canned` prints its port.

It answers with bytes that were made beforehand, so that it takes little of anybody's time, and ends
when its standard input does. An answer holds 2,000 characters; a streamed one brings them in 100
events, each a chunk of its own, with the events around them that the providers send. Below `/held`
a stream stops halfway until somebody asks for `/go`, so that any number of them can be open at
once.
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

__all__ = ["EVENTS", "TEXT", "Canned", "serving"]

EVENTS = 100
PIECE = "twenty letters here "
TEXT = PIECE * EVENTS
USED = {"input": 1000, "output": 500}

Event = dict[str, Any]


class Answers(NamedTuple):
    """What one endpoint says, as it goes over the wire."""

    plain: bytes
    first: bytes
    rest: bytes


def plain(body: Event) -> bytes:
    sent = json.dumps(body).encode()
    head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(sent)}\r\n\r\n".encode() + sent


def chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def streamed(events: list[bytes]) -> tuple[bytes, bytes]:
    """A stream's first half and its rest."""
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    head += b"transfer-encoding: chunked\r\n\r\n"
    half = len(events) // 2
    first, rest = (b"".join(map(chunk, part)) for part in (events[:half], events[half:]))
    return head + first, rest + chunk(b"")


def named(events: Iterator[Event]) -> list[bytes]:
    return [f"event: {e['type']}\ndata: {json.dumps(e)}\n\n".encode() for e in events]


def response(status: str, output: list[Event], usage: Event | None) -> Event:
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": "Be brief.",
        "max_output_tokens": 4096,
        "model": "gpt-5-mini",
        "output": output,
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "store": False,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": usage,
        "user": None,
        "metadata": {},
    }


def responses() -> tuple[Event, list[bytes]]:
    content = {"type": "output_text", "annotations": [], "logprobs": [], "text": TEXT}
    item = {"id": "msg_1", "type": "message", "status": "completed", "role": "assistant"}
    whole = {**item, "content": [content]}
    used = {
        "input_tokens": USED["input"],
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": USED["output"],
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": sum(USED.values()),
    }
    done = response("completed", [whole], used)

    def events() -> Iterator[Event]:
        begun = response("in_progress", [], None)
        yield {"type": "response.created", "response": begun}
        yield {"type": "response.in_progress", "response": begun}
        empty = {**item, "status": "in_progress", "content": []}
        yield {"type": "response.output_item.added", "output_index": 0, "item": empty}
        place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
        part = {**content, "text": ""}
        yield {"type": "response.content_part.added", **place, "part": part}
        for _ in range(EVENTS):
            delta = {"delta": PIECE, "logprobs": [], "obfuscation": "x8Fj3kQ0"}
            yield {"type": "response.output_text.delta", **place, **delta}
        yield {"type": "response.output_text.done", **place, "text": TEXT, "logprobs": []}
        yield {"type": "response.content_part.done", **place, "part": content}
        yield {"type": "response.output_item.done", "output_index": 0, "item": whole}
        yield {"type": "response.completed", "response": done}

    numbered = ({**event, "sequence_number": n} for n, event in enumerate(events()))
    return done, named(numbered)


def chat() -> tuple[Event, list[bytes]]:
    head = {"id": "chatcmpl-1", "created": 1, "model": "gpt-5-mini", "service_tier": "default"}
    used = {
        "prompt_tokens": USED["input"],
        "completion_tokens": USED["output"],
        "total_tokens": sum(USED.values()),
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    }
    message: Event = {"role": "assistant", "content": TEXT, "refusal": None, "annotations": []}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    whole = {**head, "object": "chat.completion", "choices": [choice], "usage": used}

    def chunks() -> Iterator[Event]:
        def of(delta: Event, finish: str | None = None) -> Event:
            choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
            return {**head, "object": "chat.completion.chunk", "choices": [choice], "usage": None}

        yield of({"role": "assistant", "content": "", "refusal": None})
        for _ in range(EVENTS):
            yield of({"content": PIECE})
        yield of({}, "stop")
        yield {**head, "object": "chat.completion.chunk", "choices": [], "usage": used}

    sent = [f"data: {json.dumps(each)}\n\n".encode() for each in chunks()]
    return whole, [*sent, b"data: [DONE]\n\n"]


def messages() -> tuple[Event, list[bytes]]:
    used = {
        "input_tokens": USED["input"],
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": USED["output"],
        "service_tier": "standard",
    }
    whole = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-opus-5",
        "content": [{"type": "text", "text": TEXT}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": used,
    }

    def events() -> Iterator[Event]:
        begun = {**whole, "content": [], "stop_reason": None, "usage": {**used, "output_tokens": 1}}
        yield {"type": "message_start", "message": begun}
        block = {"type": "text", "text": ""}
        yield {"type": "content_block_start", "index": 0, "content_block": block}
        yield {"type": "ping"}
        for _ in range(EVENTS):
            delta = {"type": "text_delta", "text": PIECE}
            yield {"type": "content_block_delta", "index": 0, "delta": delta}
        yield {"type": "content_block_stop", "index": 0}
        closing = {"stop_reason": "end_turn", "stop_sequence": None}
        yield {"type": "message_delta", "delta": closing, "usage": {"output_tokens": 500}}
        yield {"type": "message_stop"}

    return whole, named(events())


def answers() -> dict[bytes, Answers]:
    """What is said, by the end of the path at which it is."""
    made = {b"/responses": responses(), b"/completions": chat(), b"/messages": messages()}
    return {path: Answers(plain(body), *streamed(events)) for path, (body, events) in made.items()}


class Canned(asyncio.Protocol):
    """One connection to the server."""

    said = answers()
    held: list[tuple[asyncio.WriteTransport, bytes]] = []  # noqa: RUF012  # of all connections

    def __init__(self) -> None:
        self.unread = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.unread += data
        head, end, rest = self.unread.partition(b"\r\n\r\n")
        if not end:
            return
        _, _, length = head.lower().partition(b"content-length:")
        needed = int(length.split(b"\r\n")[0] or 0)
        if len(rest) >= needed:
            self.unread = rest[needed:]
            self.answer(head.split(b" ", 2)[1].split(b"?")[0], rest[:needed])

    def answer(self, path: bytes, body: bytes) -> None:
        if path == b"/go":
            for waiting, rest in self.held:
                waiting.write(rest)
            count = f"{len(self.held)}".encode()
            self.held.clear()
            size = f"{len(count)}".encode()
            self.transport.write(
                b"HTTP/1.1 200 OK\r\ncontent-length: " + size + b"\r\n\r\n" + count
            )
            return
        said = self.said[b"/" + path.rpartition(b"/")[2]]
        if b'"stream":true' not in body:
            self.transport.write(said.plain)
        elif path.startswith(b"/held"):
            self.transport.write(said.first)
            self.held.append((self.transport, said.rest))
        else:
            self.transport.write(said.first + said.rest)


@contextmanager
def serving() -> Iterator[str]:
    """The address of a server in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.canned"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        try:
            yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        finally:
            server.stdin.close()


async def serve() -> None:
    """Serve until standard input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Canned, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve())
