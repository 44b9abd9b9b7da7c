"""What Chat Completions answer, in Hive's words (models floor)."""

from typing import Any

from pydantic import field_validator

from hive.message import Media, Part, StopReason, Text, Thinking, ToolUse, Usage
from hive.models.failures import Trouble, told
from hive.models.parts import Shape, arguments, made, tidy, unique

__all__ = [
    "Audio",
    "ChatUsage",
    "Completion",
    "Piece",
    "read_message",
    "stop_of",
    "trouble_of",
]

STOPS: dict[str, StopReason] = {
    "length": "length",
    "model_length": "overflow",
    "model_context_window_exceeded": "overflow",
    "content_filter": "filter",
    "sensitive": "filter",
    "refusal": "refusal",
    "pause_turn": "pause",
}
"""Beside OpenAI's words those of Mistral, Z.ai, and servers that pass on Anthropic's."""
FAILURES = ("error", "abort", "insufficient_system_resource", "network_error")
"""How OpenRouter and Mistral, vLLM, DeepSeek and Z.ai end an answer when they have failed."""

RAW_SOUND = "audio/pcm"
SOUNDS = ("audio/wav", "audio/mpeg", "audio/flac", "audio/ogg")
REASONING = ("reasoning_content", "reasoning", "reasoning_details")
"""Where servers put reasoning: DeepSeek, vLLM and llama.cpp; newer vLLM; OpenRouter."""


class Function(Shape):
    name: str = ""
    arguments: Any = ""


class Call(Shape):
    id: str | None = ""
    function: Function = Function()
    extra_content: dict[str, Any] | None = None


class Address(Shape):
    url: str = ""


class Piece(Shape):
    """A part of a message's content; Mistral's models think in them."""

    type: str = "text"
    text: str = ""
    image_url: Address | str | None = None
    thinking: list[dict[str, Any]] | None = None

    @property
    def address(self) -> str:
        return self.image_url.url if isinstance(self.image_url, Address) else self.image_url or ""


class Audio(Shape):
    """What was spoken, and its words."""

    data: str | None = None
    transcript: str | None = None


class Spoken(Shape):
    content: str | list[Piece] | None = None
    refusal: str | None = None
    tool_calls: list[Call] | None = None
    images: list[Piece] | None = None
    audio: Audio | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    reasoning_details: list[dict[str, Any]] | None = None


class Choice(Shape):
    message: Spoken
    finish_reason: str | None = None
    error: dict[str, Any] | None = None


class PromptDetails(Shape):
    cached_tokens: int | None = 0
    cache_write_tokens: int | None = 0


class CompletionDetails(Shape):
    reasoning_tokens: int | None = 0


class ChatUsage(Shape):
    """A report of the use."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int | None = 0
    cached_tokens: int | None = 0
    prompt_cache_hit_tokens: int | None = 0
    prompt_tokens_details: PromptDetails | None = None
    completion_tokens_details: CompletionDetails | None = None

    def told(self) -> Usage:
        read = self.prompt_tokens_details or PromptDetails()
        written = self.completion_tokens_details or CompletionDetails()
        # xAI and Google count reasoning in the total alone; DeepSeek and Moonshot name what was
        # cached outside the details.
        apart = max(0, (self.total_tokens or 0) - self.prompt_tokens - self.completion_tokens)
        cached = read.cached_tokens or self.prompt_cache_hit_tokens or self.cached_tokens
        return Usage(
            input=self.prompt_tokens,
            output=self.completion_tokens + apart,
            cached_read=cached or 0,
            cache_write=read.cache_write_tokens or 0,
            reasoning=written.reasoning_tokens or apart,
        )


class Completion(Shape):
    """A whole completion."""

    id: str | None = None
    model: str | None = None
    choices: list[Choice]
    usage: ChatUsage | None = None

    @field_validator("usage", mode="before")
    @classmethod
    def counted(cls, usage: object) -> object:
        """The report, unless it leaves a count open, as null: then nobody knows what was used."""
        named = ("prompt_tokens", "completion_tokens")
        is_open = isinstance(usage, dict) and any(usage.get(name, 0) is None for name in named)
        return None if is_open else usage


def read_message(message: Spoken, maker: str) -> list[Part]:
    """The parts that a message holds."""
    uses = [read_call(call) for call in message.tool_calls or ()]
    uses = unique(uses)
    said: list[Part] = [*content_of(message), *images_of(message), *sound_of(message)]
    return [*thinking_of(message, uses, maker), *said, *uses]


def read_call(call: Call) -> ToolUse:
    values, malformed = arguments(call.function.arguments)
    name = call.function.name
    return ToolUse(id=call.id or "", name=name, arguments=values, malformed=malformed)


def thinking_of(message: Spoken, uses: list[ToolUse], maker: str) -> list[Part]:
    """The reasoning, under the names that it came by; what belongs to a call under the call's id,
    as Gemini's signatures, which have to come back with it."""
    opaque = message.model_dump(include=set(REASONING), exclude_none=True)
    opaque = {name: value for name, value in opaque.items() if value}
    shown = message.reasoning_content or message.reasoning or ""
    if isinstance(message.content, list):
        chunks = [piece.thinking for piece in message.content if piece.thinking]
        if chunks:
            opaque["content"] = [{"type": "thinking", "thinking": chunk} for chunk in chunks]
            shown = "".join(str(piece.get("text", "")) for chunk in chunks for piece in chunk)
    calls = zip(uses, message.tool_calls or (), strict=True)
    if extra := {use.id: call.extra_content for use, call in calls if call.extra_content}:
        opaque["extra_content"] = extra
    return [Thinking(text=tidy(shown), provider=maker, opaque=opaque)] if opaque else []


def content_of(message: Spoken) -> list[Part]:
    """Text, and images between it. A refusal counts where nothing else was said."""
    if not isinstance(message.content, list):
        text = message.content or message.refusal
        return [Text(text=tidy(text))] if text else []
    found: list[Part] = []
    for piece in message.content:
        if piece.address:
            found.append(made(piece.address, "image/png"))
        elif piece.type == "text" and piece.text:
            last = found.pop() if found and isinstance(found[-1], Text) else None
            before = last.text if isinstance(last, Text) else ""
            found.append(Text(text=before + tidy(piece.text)))
    if not found and message.refusal:
        found.append(Text(text=tidy(message.refusal)))
    return found


def images_of(message: Spoken) -> list[Part]:
    """Images as OpenRouter gives them, beside the text."""
    return [made(piece.address, "image/png") for piece in message.images or () if piece.address]


def sound_of(message: Spoken) -> list[Part]:
    """What was spoken, as text and as sound; of a stream it has no head to tell its kind by."""
    if message.audio is None or not message.audio.data:
        return []
    sound = made(message.audio.data, RAW_SOUND)
    if isinstance(sound, Media) and (kind := Media.of(sound.content).media_type) in SOUNDS:
        sound = sound.model_copy(update={"media_type": kind})
    text = "" if message.content else tidy(message.audio.transcript or "")
    return [Text(text=text), sound] if text else [sound]


def trouble_of(choice: Choice) -> Trouble | None:
    """What went wrong where an answer ends with that."""
    if choice.error is None and choice.finish_reason not in FAILURES:
        return None
    error = choice.error or {"message": f"it ended with {choice.finish_reason!r}", "type": "error"}
    return told({"error": error})


def stop_of(choice: Choice) -> StopReason:
    """Why the answer ended."""
    if choice.finish_reason in STOPS:
        return STOPS[choice.finish_reason]
    if choice.message.refusal:
        return "refusal"
    return "tools" if choice.message.tool_calls else "end"
