"""What the Messages API answers, in Hive's words (models floor)."""

from collections import defaultdict
from typing import Any

from hive.message import Part, StopReason, Text, Thinking, ToolUse, Usage
from hive.models.parts import Shape, arguments, tidy
from hive.models.wire import Used

__all__ = ["STOPS", "Answered", "MessageUsage", "Stream", "read_block"]

STOPS: dict[str, StopReason] = {
    "max_tokens": "length",
    "model_context_window_exceeded": "overflow",
    "pause_turn": "pause",
    "refusal": "refusal",
}


class Block(Shape):
    type: str
    text: str = ""
    thinking: str = ""
    id: str = ""
    name: str = ""
    input: Any = None


class OutputDetails(Shape):
    thinking_tokens: int | None = 0


class MessageUsage(Shape):
    """A report of the use."""

    input_tokens: int | None = 0
    output_tokens: int | None = 0
    cache_creation_input_tokens: int | None = 0
    cache_read_input_tokens: int | None = 0
    output_tokens_details: OutputDetails | None = None

    def told(self) -> Usage:
        read, write = self.cache_read_input_tokens or 0, self.cache_creation_input_tokens or 0
        details = self.output_tokens_details or OutputDetails()
        return Usage(
            input=(self.input_tokens or 0) + read + write,
            output=self.output_tokens or 0,
            cached_read=read,
            cache_write=write,
            reasoning=details.thinking_tokens or 0,
        )


class StopDetails(Shape):
    explanation: str | None = None


class Answered(Shape):
    """A whole message."""

    id: str | None = None
    model: str | None = None
    content: list[dict[str, Any]]
    stop_reason: str
    stop_details: StopDetails | None = None
    usage: MessageUsage


def read_block(raw: dict[str, Any], maker: str) -> list[Part]:
    """The part that a content block holds; blocks of tools that run at Anthropic hold none."""
    read = Block.model_validate(raw)
    match read.type:
        case "text":
            return [Text(text=tidy(read.text))] if read.text else []
        case "thinking" | "redacted_thinking":
            return [Thinking(text=tidy(read.thinking), provider=maker, opaque=raw)]
        case "tool_use":
            values, malformed = arguments(read.input)
            return [ToolUse(id=read.id, name=read.name, arguments=values, malformed=malformed)]
    return []


class Delta(Shape):
    type: str = ""
    text: str = ""
    thinking: str = ""
    signature: str = ""
    partial_json: str = ""
    stop_reason: str | None = None
    stop_details: dict[str, Any] | None = None


HEARD = (
    *("message_start", "message_delta", "message_stop"),
    *("content_block_start", "content_block_delta"),
)


class StreamEvent(Shape):
    type: str
    index: int = 0
    message: dict[str, Any] | None = None
    content_block: dict[str, Any] | None = None
    delta: Delta | None = None
    usage: dict[str, Any] | None = None


class Stream:
    """A streamed message: blocks are begun, grow and end, and the message's end says why."""

    def __init__(self) -> None:
        self.message: dict[str, Any] = {}
        self.blocks: dict[int, dict[str, Any]] = {}
        self.grown: defaultdict[tuple[int, str], list[str]] = defaultdict(list)
        self.stopped = False

    def take(self, event: dict[str, Any]) -> str:
        if event.get("type") not in HEARD:
            return ""  # new kinds of event may come at any time, in any shape
        read = StreamEvent.model_validate(event)
        match read.type:
            case "message_start":
                self.message = dict(read.message or {})
            case "content_block_start":
                self.blocks[read.index] = dict(read.content_block or {})
                return Block.model_validate(self.blocks[read.index]).text
            case "content_block_delta":
                return self.grow(read.index, read.delta or Delta())
            case "message_delta":
                self.close(read.delta or Delta(), read.usage or {})
            case "message_stop":
                self.stopped = True
        return ""

    def close(self, delta: Delta, usage: dict[str, Any]) -> None:
        # There may be several such events, of which only one says why.
        self.message["stop_reason"] = delta.stop_reason or self.message.get("stop_reason")
        self.message["stop_details"] = delta.stop_details or self.message.get("stop_details")
        told = {name: value for name, value in usage.items() if value is not None}
        self.message["usage"] = {**(self.message.get("usage") or {}), **told}

    def grow(self, index: int, delta: Delta) -> str:
        self.blocks.setdefault(index, {"type": "text"})
        for name in ("text", "thinking", "signature"):
            if piece := getattr(delta, name):
                self.grown[index, name].append(piece)
        if delta.partial_json:
            self.grown[index, "input"].append(delta.partial_json)
        return delta.text

    def done(self) -> None:
        """No such line here."""

    def used(self) -> Used:
        return Used(self.message.get("usage"), bool(self.message.get("stop_reason")))

    def whole(self) -> dict[str, Any] | None:
        if not self.stopped:
            return None
        for (index, name), pieces in self.grown.items():
            begun = self.blocks[index].get(name)
            self.blocks[index][name] = (begun if isinstance(begun, str) else "") + "".join(pieces)
        content = [self.blocks[index] for index in sorted(self.blocks)]
        return {**self.message, "content": content}
