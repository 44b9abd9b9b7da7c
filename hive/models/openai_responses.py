"""OpenAI's Responses API (models floor).

Nothing is stored at OpenAI: each request carries the whole conversation, reasoning items included,
unchanged and encrypted. Thinking of other providers is left out.
"""

import json
from contextlib import AbstractAsyncContextManager
from typing import Any

import openai

from hive.errors import BadReply, RequestRefused
from hive.message import (
    Message,
    OutputForm,
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
from hive.models.failures import told, translate
from hive.models.parts import Shape, arguments, bounded, called, kept, result_text, tidy, unique
from hive.models.schema import form_name, tighten
from hive.models.wire import Answer, Assembly, Backend, Used, timeout

__all__ = ["OpenAIResponses"]

PROVIDER = "openai"
STOPS: dict[str, StopReason] = {"max_output_tokens": "length", "content_filter": "filter"}


class OpenAIResponses(Backend[openai.AsyncOpenAI]):
    """A model behind the Responses API: `resolve("openai:gpt-5-mini")`."""

    sdk_errors = openai.OpenAIError

    def open(self, key: str) -> openai.AsyncOpenAI:
        return openai.AsyncOpenAI(
            api_key=key,
            base_url=self.base_url,
            max_retries=0,
            timeout=timeout(),
            http_client=openai.DefaultAsyncHttpxClient(timeout=timeout()),
        )

    def send(
        self, client: openai.AsyncOpenAI, params: dict[str, Any], stream: bool
    ) -> AbstractAsyncContextManager[Answer]:
        return client.responses.with_streaming_response.create(**params, stream=stream)

    def params(self, request: Request) -> dict[str, Any]:
        settings = request.settings
        if settings.seed is not None:
            raise RequestRefused(
                f"{self.name}: the Responses API has no seed; leave it out, or name the model "
                f"openai-chat:{self.model}"
            )
        params: dict[str, Any] = {
            "model": self.model,
            "input": [item for message in request.messages for item in items(message)],
            "max_output_tokens": request.max_output,
            "store": False,
        }
        if request.system:
            params["instructions"] = request.system
        if request.tools:
            params["tools"] = [function(tool) for tool in request.tools]
        if request.output is not None:
            params["text"] = {"format": {"type": "json_schema", **output_form(request.output)}}
        if settings.temperature is not None:
            params["temperature"] = settings.temperature
        if settings.effort is not None:
            params["reasoning"] = {"effort": settings.effort}
        return params

    def assembly(self, request: Request) -> Assembly:
        return Stream()

    def reply(self, body: dict[str, Any], request: Request) -> Reply:
        response = Response.model_validate(body)
        if response.status not in ("completed", "incomplete"):
            if body.get("error"):
                raise translate(told(body), self.name, self.key_variable)
            raise BadReply(f"{self.name}: the response is {response.status!r}, not completed")
        parts = [part for item in response.output for part in read_item(item)]
        uses = iter(unique([part for part in parts if isinstance(part, ToolUse)]))
        parts = [next(uses) if isinstance(part, ToolUse) else part for part in parts]
        return Reply(
            parts=tuple(parts),
            stop=stop_of(response, body),
            usage=bounded(request, parts) if response.usage is None else response.usage.told(),
            model=response.model,
            id=response.id,
        )

    def usage(self, raw: object) -> Usage:
        return ResponseUsage.model_validate(raw).told()


def items(message: Message) -> list[dict[str, Any]]:
    """A message as the items of the Responses API."""
    found: list[dict[str, Any]] = []
    for part in kept(message.parts, PROVIDER):
        match part:
            case Text():
                role = "assistant" if message.role == "assistant" else "user"
                found.append({"role": role, "content": part.text})
            case Thinking():
                found.append(dict(part.opaque))
            case ToolUse():
                found.append(
                    {
                        "type": "function_call",
                        "call_id": part.id,
                        "name": part.name,
                        "arguments": json.dumps(called(part), ensure_ascii=False),
                    }
                )
            case ToolResult():
                found.append(
                    {
                        "type": "function_call_output",
                        "call_id": part.id,
                        "output": result_text(part),
                    }
                )
    return found


def function(tool: ToolForm) -> dict[str, Any]:
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.schema,
        "strict": False,
    }


def output_form(form: OutputForm) -> dict[str, Any]:
    """The form of a final answer; the server is held to it where its dialect can say it."""
    tight = tighten(form.schema)
    return {
        "name": form_name(form.name),
        "schema": form.schema if tight is None else tight,
        "strict": tight is not None,
    }


class Content(Shape):
    type: str
    text: str = ""
    refusal: str = ""


class Item(Shape):
    type: str
    content: list[Content] | None = None
    summary: list[Content] | None = None
    call_id: str = ""
    name: str = ""
    arguments: str = ""


class InputDetails(Shape):
    cached_tokens: int = 0
    cache_write_tokens: int = 0


class OutputDetails(Shape):
    reasoning_tokens: int = 0


class ResponseUsage(Shape):
    input_tokens: int = 0
    output_tokens: int = 0
    input_tokens_details: InputDetails | None = None
    output_tokens_details: OutputDetails | None = None

    def told(self) -> Usage:
        read = self.input_tokens_details or InputDetails()
        written = self.output_tokens_details or OutputDetails()
        return Usage(
            input=self.input_tokens,
            output=self.output_tokens,
            cached_read=read.cached_tokens,
            cache_write=read.cache_write_tokens,
            reasoning=written.reasoning_tokens,
        )


class Incomplete(Shape):
    reason: str | None = None


class Response(Shape):
    id: str | None = None
    model: str | None = None
    status: str | None = "completed"
    output: list[dict[str, Any]]
    incomplete_details: Incomplete | None = None
    usage: ResponseUsage | None = None


def read_item(raw: dict[str, Any]) -> list[Part]:
    """The parts that an output item holds; items of tools that run at OpenAI hold none."""
    item = Item.model_validate(raw)
    match item.type:
        case "message":
            texts = [tidy(content.text or content.refusal) for content in item.content or ()]
            return [Text(text=text) for text in texts if text]
        case "reasoning":
            shown = item.summary or item.content or []
            text = tidy("\n".join(content.text for content in shown))
            return [Thinking(text=text, provider=PROVIDER, opaque=raw)]
        case "function_call":
            values, malformed = arguments(item.arguments)
            return [ToolUse(id=item.call_id, name=item.name, arguments=values, malformed=malformed)]
    return []


def stop_of(response: Response, body: dict[str, Any]) -> StopReason:
    if response.status == "incomplete":
        why = response.incomplete_details or Incomplete()
        return STOPS.get(why.reason or "", "pause")
    found = [Item.model_validate(item) for item in response.output]
    if any(c.type == "refusal" for item in found for c in item.content or ()):
        return "refusal"
    return "tools" if any(item.type == "function_call" for item in found) else "end"


class Stream:
    """A streamed response: its closing event brings the whole of it once more."""

    def __init__(self) -> None:
        self.closing: dict[str, Any] | None = None
        self.items: list[dict[str, Any]] = []

    def take(self, event: dict[str, Any]) -> str:
        match event.get("type"):
            case "response.output_text.delta" | "response.refusal.delta":
                return Piece.model_validate(event).delta
            case "response.output_item.done":
                self.items.append(ItemDone.model_validate(event).item)
            case "response.completed" | "response.incomplete" | "response.failed":
                self.closing = dict(Closing.model_validate(event).response)
                # Some compatible servers leave the output out of the closing event.
                self.closing["output"] = self.closing.get("output") or self.items
        return ""

    def done(self) -> None:
        """No such line here."""

    def used(self) -> Used:
        return Used((self.closing or {}).get("usage"), True)

    def whole(self) -> dict[str, Any] | None:
        return self.closing


class Piece(Shape):
    delta: str


class ItemDone(Shape):
    item: dict[str, Any]


class Closing(Shape):
    response: dict[str, Any]
