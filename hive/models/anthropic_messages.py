"""Anthropic's Messages API (models floor).

Thinking blocks are sent back unchanged, signatures included; thinking of other providers is left
out. A typed answer is asked for natively where the model and the schema allow it, otherwise
through a tool that it must call, whose arguments become the answer's text.
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from typing import Any

import anthropic

from hive.errors import BadReply, RequestRefused
from hive.message import (
    Message,
    Part,
    Reply,
    Request,
    StopReason,
    Text,
    Thinking,
    ToolForm,
    ToolResult,
    ToolUse,
    Usage,
)
from hive.models.parts import Shape, arguments, called, kept, tidy, unique
from hive.models.schema import form_name, tighten
from hive.models.wire import Answer, Assembly, Backend, Used, timeout

__all__ = ["AnthropicMessages"]

PROVIDER = "anthropic"
STOPS: dict[str, StopReason] = {
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "pause_turn": "pause",
    "refusal": "refusal",
}
LONG = 16_000
"""Output tokens above which an answer is streamed, for idle connections are cut on the way."""
WITHOUT_FORMAT = (
    *("claude-2", "claude-3", "claude-v1", "claude-instant"),
    *("claude-opus-4-0", "claude-opus-4-20250514", "claude-4-opus"),
    *("claude-sonnet-4-0", "claude-sonnet-4-20250514", "claude-4-sonnet"),
)
"""The models, all of them old, that cannot be held to a schema natively."""


class AnthropicMessages(Backend[anthropic.AsyncAnthropic]):
    """A model behind the Messages API: `resolve("anthropic:claude-opus-5")`."""

    sdk_errors = anthropic.AnthropicError

    def open(self, key: str) -> anthropic.AsyncAnthropic:
        address = self.base_url
        return anthropic.AsyncAnthropic(
            api_key=key,
            # The SDK adds the /v1 itself; the other providers' addresses have it.
            base_url=None if address is None else address.rstrip("/").removesuffix("/v1"),
            max_retries=0,
            timeout=timeout(),
            http_client=anthropic.DefaultAsyncHttpxClient(timeout=timeout()),
            open_telemetry=False,
        )

    def send(
        self, client: anthropic.AsyncAnthropic, params: dict[str, Any], stream: bool
    ) -> AbstractAsyncContextManager[Answer]:
        return client.messages.with_streaming_response.create(**params, stream=stream)

    def streams(self, request: Request) -> bool:
        return request.delta is not None or request.max_output > LONG

    def params(self, request: Request) -> dict[str, Any]:
        settings = request.settings
        if settings.seed is not None:
            raise RequestRefused(f"{self.name}: the Messages API has no seed; leave it out")
        params: dict[str, Any] = {
            "model": self.model,
            "messages": conversation(request.messages),
            "max_tokens": request.max_output,
        }
        if request.system:
            params["system"] = request.system
        if request.tools:
            params["tools"] = [tool_param(tool) for tool in request.tools]
        if settings.temperature is not None:
            params["extra_body"] = {"temperature": settings.temperature}
        configured: dict[str, Any] = {}
        if settings.effort is not None:
            configured["effort"] = "low" if settings.effort == "minimal" else settings.effort
        if (schema := self.native_schema(request)) is not None:
            configured["format"] = {"type": "json_schema", "schema": schema}
        elif (answer := self.answer_tool(request)) is not None:
            params.update(self.forced(request.tools, answer))
        if configured:
            params["output_config"] = configured
        return params

    def native_schema(self, request: Request) -> dict[str, Any] | None:
        if request.output is None or self.model.startswith(WITHOUT_FORMAT):
            return None
        return tighten(request.output.schema, recursive=False)

    def answer_tool(self, request: Request) -> ToolForm | None:
        """The tool that takes the typed answer; None where that is asked for natively."""
        if request.output is None or self.native_schema(request) is not None:
            return None
        name = form_name(request.output.name)
        while name in {tool.name for tool in request.tools}:
            name = f"{name[:60]}_out"
        says = "Give the final answer. Call it once, when nothing else is to be done."
        return ToolForm(name, says, request.output.schema)

    def forced(self, tools: tuple[ToolForm, ...], answer: ToolForm) -> dict[str, Any]:
        """The parameters that make the model answer through a tool, and not think before it."""
        choice = {"type": "any"} if tools else {"type": "tool", "name": answer.name}
        forced: dict[str, Any] = {
            "tools": [tool_param(tool) for tool in (*tools, answer)],
            "tool_choice": choice,
        }
        if not self.model.startswith(WITHOUT_FORMAT):
            forced["thinking"] = {"type": "disabled"}
        return forced

    def assembly(self, request: Request) -> Assembly:
        answer = self.answer_tool(request)
        return Stream(None if answer is None else answer.name)

    def reply(self, body: dict[str, Any], request: Request) -> Reply:
        message = Answered.model_validate(body)
        parts = [part for block in message.content for part in read_block(block)]
        answer = self.answer_tool(request)
        obeyed = any(isinstance(part, ToolUse) for part in parts)
        parts = answered(parts, None if answer is None else answer.name)
        asks = any(isinstance(part, ToolUse) for part in parts)
        stop = STOPS.get(message.stop_reason or "", "tools" if asks else "end")
        if answer is not None and not obeyed and stop == "end":
            raise BadReply(f"{self.name}: the model did not call a tool, as it had to")
        if stop == "refusal" and not any(isinstance(part, Text) for part in parts):
            why = message.stop_details.explanation if message.stop_details else None
            parts.append(Text(text=tidy(why or "The model refused to answer.")))
        return Reply(
            parts=tuple(parts),
            stop=stop,
            usage=message.usage.told(),
            model=message.model,
            id=message.id,
        )

    def usage(self, raw: object) -> Usage:
        return MessageUsage.model_validate(raw).told()


def conversation(messages: Iterable[Message]) -> list[dict[str, Any]]:
    """The messages, neighbours of one side joined: all results of one turn must come together."""
    joined: list[dict[str, Any]] = []
    for message in messages:
        role = "assistant" if message.role == "assistant" else "user"
        blocks = [block(part) for part in kept(message.parts, PROVIDER)]
        if not blocks:
            continue
        if joined and joined[-1]["role"] == role:
            joined[-1]["content"] += blocks
        else:
            joined.append({"role": role, "content": blocks})
    return joined


def block(part: Part) -> dict[str, Any]:
    match part:
        case Text():
            return {"type": "text", "text": part.text}
        case Thinking():
            return dict(part.opaque)
        case ToolUse():
            return {"type": "tool_use", "id": part.id, "name": part.name, "input": called(part)}
        case ToolResult():
            return {
                "type": "tool_result",
                "tool_use_id": part.id,
                "content": part.text,
                "is_error": part.error,
            }


def tool_param(tool: ToolForm) -> dict[str, Any]:
    return {"name": tool.name, "description": tool.description, "input_schema": tool.schema}


class Block(Shape):
    type: str
    text: str = ""
    thinking: str = ""
    id: str = ""
    name: str = ""
    input: Any = None


class OutputDetails(Shape):
    thinking_tokens: int = 0


class MessageUsage(Shape):
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
            reasoning=details.thinking_tokens,
        )


class StopDetails(Shape):
    explanation: str | None = None


class Answered(Shape):
    id: str | None = None
    model: str | None = None
    content: list[dict[str, Any]]
    stop_reason: str
    stop_details: StopDetails | None = None
    usage: MessageUsage


def read_block(raw: dict[str, Any]) -> list[Part]:
    """The part that a content block holds; blocks of tools that run at Anthropic hold none."""
    read = Block.model_validate(raw)
    match read.type:
        case "text":
            return [Text(text=tidy(read.text))] if read.text else []
        case "thinking" | "redacted_thinking":
            return [Thinking(text=tidy(read.thinking), provider=PROVIDER, opaque=raw)]
        case "tool_use":
            values, malformed = arguments({} if read.input is None else read.input)
            return [ToolUse(id=read.id, name=read.name, arguments=values, malformed=malformed)]
    return []


def answered(parts: list[Part], tool: str | None) -> list[Part]:
    """The parts, with what was given to the answer tool as text, and every call's id its own."""
    uses = iter(unique([part for part in parts if isinstance(part, ToolUse)]))
    found: list[Part] = []
    for part in parts:
        use = next(uses) if isinstance(part, ToolUse) else None
        if use is None:
            found.append(part)
        elif use.name == tool:
            written = use.malformed
            found.append(
                Text(
                    text=json.dumps(use.arguments, ensure_ascii=False)
                    if written is None
                    else written
                )
            )
        else:
            found.append(use)
    return found


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

    def __init__(self, answer_tool: str | None) -> None:
        self.answer_tool = answer_tool
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
        self.message["stop_reason"] = delta.stop_reason
        self.message["stop_details"] = delta.stop_details
        told = {name: value for name, value in usage.items() if value is not None}
        self.message["usage"] = {**(self.message.get("usage") or {}), **told}

    def grow(self, index: int, delta: Delta) -> str:
        block = self.blocks.setdefault(index, {"type": "text"})
        for name in ("text", "thinking", "signature"):
            if piece := getattr(delta, name):
                self.grown[index, name].append(piece)
        if delta.partial_json:
            self.grown[index, "input"].append(delta.partial_json)
        is_answer = self.answer_tool is not None and block.get("name") == self.answer_tool
        return delta.partial_json if is_answer else delta.text

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
