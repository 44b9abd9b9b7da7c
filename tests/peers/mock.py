"""aimock, worked by its control interface: a script of ours becomes fixtures of its own.

What it was asked it tells in the words of Chat Completions, however it was asked: another's reading
of what our backends send.
"""

import json
from collections.abc import Callable
from typing import Any

from hive.message import Reply, Text, Thinking, ToolUse, Usage
from hive.testing.faults import Fault, Line
from hive.testing.loopback import Received, Script
from tests.peers import places

FINISH = {"end": "stop", "tools": "tool_calls", "length": "length", "filter": "content_filter"}


class Unscriptable(Exception):
    """aimock has no fixture for this line of a script; says why."""


class Mock:
    """An aimock that serves one script, and what it was asked since then."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.base_url = f"{address}/v1"

    def serve(self, script: Script | Callable[..., Any]) -> None:
        """Serve these lines in order and forget what was. Raises `Unscriptable`."""
        if callable(script) or any(callable(line) for line in script):
            raise Unscriptable("aimock runs no code of a test")
        lines = [line for line in script if not callable(line)]
        self.load(
            [{**fixture(line), "match": {"sequenceIndex": n}} for n, line in enumerate(lines)]
        )

    def load(self, fixtures: list[dict[str, Any]]) -> None:
        """Serve these fixtures and forget what was."""
        places.got(f"{self.address}/__aimock/reset", "POST")
        added = places.got(f"{self.address}/__aimock/fixtures", "POST", {"fixtures": fixtures})
        assert added == {"added": len(fixtures)}

    @property
    def requests(self) -> list[Received]:
        """What it was asked, as it understood it."""
        found = []
        for entry in places.got(f"{self.address}/__aimock/journal"):
            received = Received(entry["body"])
            received.endpoint, received.headers = "chat", entry["headers"]
            found.append(received)
        return found


def fixture(line: Line) -> dict[str, Any]:
    """The fixture that says this line. Raises `Unscriptable`."""
    if isinstance(line, Reply):
        return {"response": response(line)}
    if not isinstance(line, Fault):
        several = list(line) if isinstance(line, list | tuple) else [line]
        parts = tuple(as_part(part) for part in several)
        return {"response": response(Reply(parts=parts))}
    if line.line is None and line.message is not None:
        return {"response": refusal(line)}
    if line.line is not None and line.then in ("close", "reset") and line.keep:
        return {
            **fixture(line.line),
            "chunkSize": 4,
            "latency": 5,
            "truncateAfterChunks": line.keep,
        }
    raise Unscriptable("aimock cannot go wrong in this way")


def as_part(part: object) -> Text | Thinking | ToolUse:
    if isinstance(part, Text | Thinking | ToolUse):
        return part
    return Text(text=part if isinstance(part, str) else json.dumps(part))


def refusal(line: Fault) -> dict[str, Any]:
    """An answer of an error's status."""
    error = {"message": line.message, "type": line.code or "invalid_request_error"}
    told: dict[str, Any] = {"error": {**error, "code": line.code or None}, "status": line.status}
    if set(line.headers) - {"retry-after"} or (line.headers and line.status != 429):
        raise Unscriptable("aimock sends no other headers than Retry-After with status 429")
    if line.headers:
        told["retryAfter"] = int(line.headers["retry-after"])
    return told


def response(reply: Reply) -> dict[str, Any]:
    """A sound answer."""
    if reply.stop not in FINISH:
        raise Unscriptable(f"aimock has no {reply.stop}")
    thoughts = [part.text for part in reply.parts if isinstance(part, Thinking)]
    said: dict[str, Any] = {"blocks": [block(part) for part in reply.parts if is_said(part)]}
    if reply.stop != "end":
        said["finishReason"] = FINISH[reply.stop]
    if len(said["blocks"]) == 1 and not reply.tool_uses:
        said["content"] = said.pop("blocks")[0]["text"]
    if thoughts:
        said["reasoning"] = "\n".join(thoughts)
    if reply.usage != Usage():
        said["usage"] = usage(reply.usage)
    return said


def is_said(part: object) -> bool:
    return isinstance(part, Text | ToolUse)


def block(part: object) -> dict[str, Any]:
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    assert isinstance(part, ToolUse)
    if part.malformed is not None:
        raise Unscriptable("aimock takes no arguments that are no JSON")
    return {"type": "toolCall", "id": part.id, "name": part.name, "arguments": part.arguments}


def usage(use: Usage) -> dict[str, Any]:
    """The use of tokens in the words of Chat Completions, which it turns into the others'."""
    if use != Usage(input=use.input, output=use.output):
        raise Unscriptable("aimock tells of no tokens cached or of reasoning")
    return {"prompt_tokens": use.input, "completion_tokens": use.output}
