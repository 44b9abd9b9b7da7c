"""What the Responses API answers, in Hive's words (models floor)."""

from typing import Any

from hive.message import Part, StopReason, Text, Thinking, ToolUse, Usage
from hive.models.parts import Shape, arguments, is_full, made, tidy
from hive.models.wire import Used

__all__ = ["Response", "ResponseUsage", "Stream", "read_item", "stop_of"]

STOPS: dict[str, StopReason] = {
    "max_output_tokens": "length",
    "max_tokens": "length",
    "content_filter": "filter",
    "model_context_window_exceeded": "overflow",
    "model_length": "overflow",
}
PICTURES = {"jpg": "image/jpeg", "svg": "image/svg+xml"}


class Content(Shape):
    type: str
    text: str = ""
    refusal: str = ""


class Failure(Shape):
    message: str = ""


class Item(Shape):
    type: str
    content: list[Content] | None = None
    summary: list[Content] | None = None
    call_id: str = ""
    name: str = ""
    arguments: Any = None
    result: str | None = None
    output_format: str | None = None
    error: Failure | None = None


class InputDetails(Shape):
    cached_tokens: int | None = 0
    cache_write_tokens: int | None = 0


class OutputDetails(Shape):
    reasoning_tokens: int | None = 0


class ResponseUsage(Shape):
    """A report of the use."""

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
            cached_read=read.cached_tokens or 0,
            cache_write=read.cache_write_tokens or 0,
            reasoning=written.reasoning_tokens or 0,
        )


class Incomplete(Shape):
    reason: str | None = None


class Response(Shape):
    """A whole response."""

    id: str | None = None
    model: str | None = None
    status: str | None = "completed"
    output: list[dict[str, Any]]
    incomplete_details: Incomplete | None = None
    usage: ResponseUsage | None = None


def read_item(raw: dict[str, Any], maker: str) -> list[Part]:
    """The parts that an output item holds; items of tools that run at OpenAI hold none."""
    item = Item.model_validate(raw)
    match item.type:
        case "message":
            texts = [tidy(content.text or content.refusal) for content in item.content or ()]
            return [Text(text=text) for text in texts if text]
        case "reasoning":
            shown = item.summary or item.content or []
            text = tidy("\n".join(content.text for content in shown))
            return [Thinking(text=text, provider=maker, opaque=raw)]
        case "function_call":
            values, malformed = arguments(item.arguments)
            return [ToolUse(id=item.call_id, name=item.name, arguments=values, malformed=malformed)]
        case "image_generation_call" if item.result:
            kind = item.output_format or "png"
            return [made(item.result, PICTURES.get(kind, f"image/{kind}"))]
        case "image_generation_call":
            why = f": {item.error.message}" if item.error and item.error.message else ""
            return [Text(text=tidy(f"[No image was made{why}]"))]
    return []


def stop_of(response: Response, body: dict[str, Any], limit: int, window: int | None) -> StopReason:
    """Why the answer ended; `limit` are the most tokens that it was to have.

    A server that never speaks of incomplete answers, as llama.cpp, calls one completed too that was
    cut off: at its limit, or at the end of the window.
    """
    if "incomplete_details" not in body and response.usage is not None:
        used = response.usage.told()
        if used.output >= limit or is_full(used, window):
            return "length"
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
