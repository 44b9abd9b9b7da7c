"""What Chat Completions answer, in Hive's words (models floor)."""

from collections import defaultdict
from typing import Any

from hive.message import Part, StopReason, Text, Thinking, ToolUse, Usage
from hive.models.parts import Shape, arguments, tidy, unique
from hive.models.wire import Used

__all__ = ["ChatUsage", "Completion", "Stream", "read_message", "stop_of"]

STOPS: dict[str, StopReason] = {"length": "length", "content_filter": "filter"}

REASONING = ("reasoning_content", "reasoning", "reasoning_details")
"""Where servers put reasoning: DeepSeek, vLLM and llama.cpp; newer vLLM; OpenRouter."""


class Function(Shape):
    name: str = ""
    arguments: Any = ""


class Call(Shape):
    id: str | None = ""
    function: Function = Function()


class TextPart(Shape):
    type: str = "text"
    text: str = ""


class Spoken(Shape):
    content: str | list[TextPart] | None = None
    refusal: str | None = None
    tool_calls: list[Call] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    reasoning_details: list[dict[str, Any]] | None = None

    @property
    def text(self) -> str:
        if isinstance(self.content, list):
            return "".join(part.text for part in self.content if part.type == "text")
        return self.content or ""


class Choice(Shape):
    message: Spoken
    finish_reason: str | None = None


class PromptDetails(Shape):
    cached_tokens: int | None = 0
    cache_write_tokens: int | None = 0


class CompletionDetails(Shape):
    reasoning_tokens: int | None = 0


class ChatUsage(Shape):
    """A report of the use."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    prompt_tokens_details: PromptDetails | None = None
    completion_tokens_details: CompletionDetails | None = None

    def told(self) -> Usage:
        read = self.prompt_tokens_details or PromptDetails()
        written = self.completion_tokens_details or CompletionDetails()
        return Usage(
            input=self.prompt_tokens,
            output=self.completion_tokens,
            cached_read=read.cached_tokens or 0,
            cache_write=read.cache_write_tokens or 0,
            reasoning=written.reasoning_tokens or 0,
        )


class Completion(Shape):
    """A whole completion."""

    id: str | None = None
    model: str | None = None
    choices: list[Choice]
    usage: ChatUsage | None = None


def read_message(message: Spoken, maker: str) -> list[Part]:
    """The parts that a message holds."""
    parts: list[Part] = []
    thought = message.model_dump(include=set(REASONING), exclude_none=True)
    if thought := {name: value for name, value in thought.items() if value}:
        shown = message.reasoning_content or message.reasoning or ""
        parts.append(Thinking(text=tidy(shown), provider=maker, opaque=thought))
    if text := message.text or message.refusal:
        parts.append(Text(text=tidy(text)))
    uses = []
    for asked in message.tool_calls or ():
        values, malformed = arguments(asked.function.arguments)
        name = asked.function.name
        uses.append(ToolUse(id=asked.id or "", name=name, arguments=values, malformed=malformed))
    return [*parts, *unique(uses)]


def stop_of(choice: Choice) -> StopReason:
    """Why the answer ended."""
    if choice.finish_reason in STOPS:
        return STOPS[choice.finish_reason]
    if choice.message.refusal:
        return "refusal"
    return "tools" if choice.message.tool_calls else "end"


class FunctionDelta(Shape):
    name: str | None = None
    arguments: str | None = None


class CallDelta(Shape):
    index: int | None = None
    id: str | None = None
    function: FunctionDelta | None = None


class Delta(Shape):
    content: str | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    reasoning_details: list[dict[str, Any]] | None = None
    tool_calls: list[CallDelta] | None = None


class ChoiceDelta(Shape):
    index: int = 0
    delta: Delta | None = None
    finish_reason: str | None = None


class Chunk(Shape):
    id: str | None = None
    model: str | None = None
    choices: list[ChoiceDelta] | None = None
    usage: dict[str, Any] | None = None


class CallPieces:
    """A tool call that grows."""

    def __init__(self) -> None:
        self.id = ""
        self.name = ""
        self.arguments: list[str] = []

    def grow(self, piece: CallDelta) -> None:
        function = piece.function or FunctionDelta()
        self.id = piece.id or self.id
        self.name = function.name or self.name
        self.arguments.append(function.arguments or "")

    def whole(self) -> dict[str, Any]:
        function = {"name": self.name, "arguments": "".join(self.arguments)}
        return {"id": self.id, "function": function}


class Stream:
    """A streamed completion: texts and calls grow piece by piece, calls interleaved by index."""

    def __init__(self) -> None:
        self.head: dict[str, Any] = {}
        self.texts: defaultdict[str, list[str]] = defaultdict(list)
        self.details: list[dict[str, Any]] = []
        self.calls: dict[int, CallPieces] = {}
        self.finish: str | None = None
        self.usage: dict[str, Any] | None = None
        self.ended = False

    def take(self, event: dict[str, Any]) -> str:
        chunk = Chunk.model_validate(event)
        self.head = self.head or {"id": chunk.id, "model": chunk.model}
        self.usage = chunk.usage or self.usage
        pieces = [self.grow(choice) for choice in chunk.choices or () if choice.index == 0]
        return "".join(pieces)

    def grow(self, choice: ChoiceDelta) -> str:
        self.finish = choice.finish_reason or self.finish
        delta = choice.delta or Delta()
        for name in ("content", "refusal", "reasoning_content", "reasoning"):
            if piece := getattr(delta, name):
                self.texts[name].append(piece)
        self.details += delta.reasoning_details or ()
        for position, call in enumerate(delta.tool_calls or ()):
            index = position if call.index is None else call.index
            self.calls.setdefault(index, CallPieces()).grow(call)
        return (delta.content or "") + (delta.refusal or "")

    def done(self) -> None:
        self.ended = True

    def used(self) -> Used:
        return Used(self.usage, self.finish is not None)

    def whole(self) -> dict[str, Any] | None:
        """Whole once a reason to stop has come, and after it the use or the end."""
        if self.finish is None or not (self.ended or self.usage is not None):
            return None
        message: dict[str, Any] = {name: "".join(grown) for name, grown in self.texts.items()}
        message["reasoning_details"] = self.details
        message["tool_calls"] = [self.calls[index].whole() for index in sorted(self.calls)]
        choice = {"message": message, "finish_reason": self.finish}
        return {**self.head, "choices": [choice], "usage": self.usage}
