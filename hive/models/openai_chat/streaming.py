"""A streamed answer of Chat Completions, put together again (models floor)."""

import base64
import json
from collections import defaultdict
from typing import Any

from hive.models.openai_chat.reading import Audio, Piece
from hive.models.parts import Shape
from hive.models.wire import Used

__all__ = ["Stream"]


class FunctionDelta(Shape):
    name: str | None = None
    arguments: Any = None


class CallDelta(Shape):
    index: int | None = None
    id: str | None = None
    function: FunctionDelta | None = None
    extra_content: dict[str, Any] | None = None


class Delta(Shape):
    content: str | list[Piece] | None = None
    refusal: str | None = None
    images: list[dict[str, Any]] | None = None
    audio: Audio | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    reasoning_details: list[dict[str, Any]] | None = None
    tool_calls: list[CallDelta] | None = None


class ChoiceDelta(Shape):
    index: int = 0
    delta: Delta | None = None
    finish_reason: str | None = None
    error: dict[str, Any] | None = None


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
        self.extra: dict[str, Any] | None = None

    def ends_before(self, piece: CallDelta) -> bool:
        """Whether a piece is of another call. Google's servers, and others, number each call of an
        answer 0, or none of them; vLLM's have given each piece of one call an id of its own."""
        named = self.name and piece.function is not None and piece.function.name
        return bool(named and self.id and piece.id and piece.id != self.id)

    def grow(self, piece: CallDelta) -> None:
        function = piece.function or FunctionDelta()
        self.id = piece.id or self.id
        self.name = function.name or self.name
        given = function.arguments or ""
        self.arguments.append(given if isinstance(given, str) else json.dumps(given))
        self.extra = piece.extra_content or self.extra

    def whole(self) -> dict[str, Any]:
        function = {"name": self.name, "arguments": "".join(self.arguments)}
        return {"id": self.id, "function": function, "extra_content": self.extra}


class Stream:
    """A streamed completion: texts and calls grow piece by piece, calls interleaved by index."""

    def __init__(self) -> None:
        self.head: dict[str, Any] = {}
        self.texts: defaultdict[str, list[str]] = defaultdict(list)
        self.lists: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        self.sound = bytearray()
        self.calls: dict[int, list[CallPieces]] = {}
        self.finish: str | None = None
        self.error: dict[str, Any] | None = None
        self.usage: dict[str, Any] | None = None
        self.ended = False

    def take(self, event: dict[str, Any]) -> str:
        chunk = Chunk.model_validate(event)
        self.head = self.head or {"id": chunk.id, "model": chunk.model}
        pieces = [self.grow(choice) for choice in chunk.choices or () if choice.index == 0]
        if chunk.usage:  # some servers count along, so that only what comes last is all of it
            self.usage, self.ended = chunk.usage, self.finish is not None
        return "".join(pieces)

    def grow(self, choice: ChoiceDelta) -> str:
        self.finish = choice.finish_reason or self.finish
        self.error = choice.error or self.error
        delta = choice.delta or Delta()
        for name in ("refusal", "reasoning_content", "reasoning"):
            if piece := getattr(delta, name):
                self.texts[name].append(piece)
        self.lists["reasoning_details"] += delta.reasoning_details or ()
        self.lists["images"] += delta.images or ()
        for position, call in enumerate(delta.tool_calls or ()):
            index = position if call.index is None else call.index
            calls = self.calls.setdefault(index, [CallPieces()])
            if calls[-1].ends_before(call):
                calls.append(CallPieces())
            calls[-1].grow(call)
        said = self.say(delta.content) if delta.content else ""
        return said + (self.speak(delta.audio) if delta.audio else "") + (delta.refusal or "")

    def say(self, content: str | list[Piece]) -> str:
        """Take in what the answer says, be it text or parts; give its text."""
        if isinstance(content, str):
            self.texts["content"].append(content)
            return content
        for piece in content:
            self.texts["content"].append(piece.text)
            self.lists["thinking"] += piece.thinking or ()
            if piece.address:
                self.lists["images"].append({"image_url": {"url": piece.address}})
        return "".join(piece.text for piece in content)

    def speak(self, audio: Audio) -> str:
        """Take in a piece of sound, each encoded on its own; give its words."""
        self.sound += base64.b64decode(audio.data or "")
        self.texts["transcript"].append(audio.transcript or "")
        return audio.transcript or ""

    def done(self) -> None:
        self.ended = True

    def used(self) -> Used:
        return Used(self.usage, self.ended)

    def whole(self) -> dict[str, Any] | None:
        """Whole once a reason to stop has come, and with or after it the use, or the end."""
        if self.finish is None or not self.ended:
            return None
        message: dict[str, Any] = {name: "".join(grown) for name, grown in self.texts.items()}
        if thinking := self.lists.pop("thinking", None):
            text = {"type": "text", "text": message.get("content", "")}
            message["content"] = [{"type": "thinking", "thinking": joined(thinking)}, text]
        if self.sound:
            data = base64.b64encode(self.sound).decode("ascii")
            message["audio"] = {"data": data, "transcript": message["transcript"]}
        message |= self.lists
        calls = [call for index in sorted(self.calls) for call in self.calls[index]]
        message["tool_calls"] = [call.whole() for call in calls]
        choice = {"message": message, "finish_reason": self.finish, "error": self.error}
        return {**self.head, "choices": [choice], "usage": self.usage}


def joined(thinking: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Pieces of thinking as one, where they are text and nothing else."""
    if all(set(piece) == {"type", "text"} for piece in thinking):
        return [{"type": "text", "text": "".join(str(piece["text"]) for piece in thinking)}]
    return thinking
