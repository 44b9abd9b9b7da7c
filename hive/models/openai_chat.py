"""Chat Completions (models floor): OpenAI's, and that of the many servers that speak it too.

Reasoning that such servers put beside the text is kept as Thinking and sent back in the same
fields. Thinking of other providers is left out.
"""

import json
from collections import defaultdict
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal

import openai

from hive.errors import BadReply
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
from hive.models.parts import Shape, arguments, bounded, called, kept, result_text, tidy, unique
from hive.models.schema import form_name, tighten
from hive.models.wire import Answer, Assembly, Backend, Used, timeout

__all__ = ["Compatible", "OpenAIChat"]

PROVIDER = "openai-chat"
STOPS: dict[str, StopReason] = {"length": "length", "content_filter": "filter"}
REASONING = ("reasoning_content", "reasoning", "reasoning_details")
"""Where servers put reasoning: DeepSeek, vLLM and llama.cpp; newer vLLM; OpenRouter."""


class OpenAIChat(Backend[openai.AsyncOpenAI]):
    """A model behind OpenAI's Chat Completions: `resolve("openai-chat:gpt-5-mini")`."""

    sdk_errors = openai.OpenAIError
    limit: Literal["max_completion_tokens", "max_tokens"] = "max_completion_tokens"

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
        if stream:
            params = {**params, "stream": True, "stream_options": {"include_usage": True}}
        return client.chat.completions.with_streaming_response.create(**params)

    def params(self, request: Request) -> dict[str, Any]:
        settings = request.settings
        messages = [said for message in request.messages for said in turns(message)]
        if request.system:
            messages.insert(0, {"role": "system", "content": request.system})
        params: dict[str, Any] = {
            "model": self.model,
            "messages": messages,
            self.limit: request.max_output,
        }
        if request.tools:
            params["tools"] = [function(tool) for tool in request.tools]
        if request.output is not None:
            params["response_format"] = output_form(request.output)
        if settings.temperature is not None:
            params["temperature"] = settings.temperature
        if settings.seed is not None:
            params["seed"] = settings.seed
        if settings.effort is not None:
            params["reasoning_effort"] = settings.effort
        return params

    def assembly(self, request: Request) -> Assembly:
        return Stream()

    def reply(self, body: dict[str, Any], request: Request) -> Reply:
        completion = Completion.model_validate(body)
        if not completion.choices:
            raise BadReply(f"{self.name}: the answer holds no choice")
        choice = completion.choices[0]
        parts = read_message(choice.message)
        return Reply(
            parts=tuple(parts),
            stop=stop_of(choice),
            usage=bounded(request, parts) if completion.usage is None else completion.usage.told(),
            model=completion.model,
            id=completion.id,
        )

    def usage(self, raw: object) -> Usage:
        return ChatUsage.model_validate(raw).told()


class Compatible(OpenAIChat):
    """A model behind another company's or one's own server.

    `resolve("compatible:qwen3@http://127.0.0.1:8000/v1")`. What the environment says of an OpenAI
    account is not sent there.
    """

    limit = "max_tokens"

    def open(self, key: str) -> openai.AsyncOpenAI:
        client = super().open(key)
        client.organization = client.project = client.admin_api_key = None
        return client


def turns(message: Message) -> list[dict[str, Any]]:
    """A message as those of Chat Completions, where each tool result is one of its own."""
    parts = kept(message.parts, PROVIDER)
    text = "\n".join(part.text for part in parts if isinstance(part, Text))
    results: list[dict[str, Any]] = [
        {"role": "tool", "tool_call_id": part.id, "content": result_text(part)}
        for part in parts
        if isinstance(part, ToolResult)
    ]
    if message.role != "assistant":
        return [*results, {"role": "user", "content": text}] if text else results
    if not parts:
        return []
    said: dict[str, Any] = {"role": "assistant", "content": text or None}
    for part in parts:
        if isinstance(part, Thinking):
            said.update(part.opaque)
    calls = [call(part) for part in parts if isinstance(part, ToolUse)]
    if calls:
        said["tool_calls"] = calls
    return [said]


def call(use: ToolUse) -> dict[str, Any]:
    written = json.dumps(called(use), ensure_ascii=False)
    return {
        "id": use.id,
        "type": "function",
        "function": {"name": use.name, "arguments": written},
    }


def function(tool: ToolForm) -> dict[str, Any]:
    form = {"name": tool.name, "description": tool.description, "parameters": tool.schema}
    return {"type": "function", "function": form}


def output_form(form: OutputForm) -> dict[str, Any]:
    """The form of a final answer; the server is held to it where its dialect can say it."""
    tight = tighten(form.schema)
    return {
        "type": "json_schema",
        "json_schema": {
            "name": form_name(form.name),
            "schema": form.schema if tight is None else tight,
            "strict": tight is not None,
        },
    }


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
    id: str | None = None
    model: str | None = None
    choices: list[Choice]
    usage: ChatUsage | None = None


def read_message(message: Spoken) -> list[Part]:
    parts: list[Part] = []
    thought = message.model_dump(include=set(REASONING), exclude_none=True)
    if thought := {name: value for name, value in thought.items() if value}:
        shown = message.reasoning_content or message.reasoning or ""
        parts.append(Thinking(text=tidy(shown), provider=PROVIDER, opaque=thought))
    if text := message.text or message.refusal:
        parts.append(Text(text=tidy(text)))
    uses = []
    for asked in message.tool_calls or ():
        values, malformed = arguments(asked.function.arguments)
        name = asked.function.name
        uses.append(ToolUse(id=asked.id or "", name=name, arguments=values, malformed=malformed))
    return [*parts, *unique(uses)]


def stop_of(choice: Choice) -> StopReason:
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
