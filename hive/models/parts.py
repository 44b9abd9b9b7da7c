"""Pieces of requests and answers that all backends treat alike (models floor)."""

import json
import math
import mimetypes
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from hive.message import Media, Part, Request, StopReason, Text, ToolResult, ToolUse, Usage
from hive.models.bound import input_bound

__all__ = [
    "Shape",
    "arguments",
    "called",
    "data_url",
    "ended",
    "filename",
    "is_full",
    "made",
    "most_used",
    "problem",
    "result_text",
    "tidy",
    "told_apart",
    "unique",
]

LARGEST = 2**53 - 1
NEAR = 8
"""Tokens short of its window at which a server may already stop."""


class Shape(BaseModel):
    """A part of a provider's answer; what Hive does not read is let through unseen."""

    model_config = ConfigDict(extra="ignore", frozen=True)


def called(use: ToolUse) -> dict[str, JsonValue]:
    """The arguments to show again; what is no object is put into one, as servers demand."""
    return {"malformed": use.malformed} if use.malformed is not None else use.arguments


def result_text(result: ToolResult) -> str:
    """A tool's result for servers that have no mark for failure."""
    if result.error and not result.text.lower().startswith("error"):
        return f"Error: {result.text}"
    return result.text


def data_url(media: Media) -> str:
    """An image or a file as the address that holds it."""
    return f"data:{media.media_type};base64,{media.data}"


def filename(media: Media) -> str:
    """A name for a file, which some servers tell its type by."""
    return media.name or f"file{mimetypes.guess_extension(media.media_type) or ''}"


def made(written: str, media_type: str, name: str | None = None) -> Text | Media:
    """An image or a file that a model made: base64, or a data URL, whose type counts. Of one that
    stands elsewhere the address is given, as nothing is fetched.

    Raises `ValidationError` for what is neither.
    """
    if written.startswith(("http://", "https://")):
        return Text(text=f"[The model made a file of the type {media_type}: {tidy(written)}]")
    if written.startswith("data:"):
        head, _, written = written.removeprefix("data:").partition(",")
        media_type = head.partition(";")[0] or media_type
    return Media(media_type=media_type, data="".join(written.split()), name=name)


def most_used(request: Request, parts: Sequence[Part]) -> Usage:
    """A bound on the use, for servers that do not report it."""
    written = sum(len(part.model_dump_json()) for part in parts)
    return Usage(input=input_bound(request), output=min(written, request.max_output))


def ended(stop: StopReason, usage: Usage, request: Request, window: int | None) -> StopReason:
    """Why an answer ended, for servers that have one word for both limits: one that was cut off
    before its own was cut off at the end of the window, if it was near that."""
    if stop != "length" or usage.output >= request.max_output:
        return stop
    return "overflow" if is_full(usage, window) else stop


def is_full(usage: Usage, window: int | None) -> bool:
    """Whether a window, where it is known, had no room for more."""
    return window is not None and usage.input + usage.output >= window - NEAR


def problem(error: ValidationError | UnicodeDecodeError) -> str:
    """What is wrong with an answer, without quoting it."""
    if isinstance(error, UnicodeDecodeError):
        return "bytes that are no UTF-8"
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(step) for step in first["loc"]) or "its top"
    return f"an unexpected shape at {where}: {first['msg']}"


def tidy(text: str) -> str:
    """The text with lone surrogates, which are no characters, replaced visibly."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def arguments(raw: object) -> tuple[dict[str, JsonValue], str | None]:
    """A tool call's arguments and, when they are no sound JSON object, the raw text instead.

    Nothing at all means no arguments, as some servers write it.
    """
    if raw is None:
        return {}, None
    if isinstance(raw, str):
        if not raw.strip():
            return {}, None
        try:
            value = json.loads(raw)
        except (ValueError, RecursionError):
            return {}, tidy(raw)
    else:
        value, raw = raw, json.dumps(raw)
    if isinstance(value, dict) and sound(value):
        return tidied(value), None
    return {}, tidy(raw)


def sound(value: object) -> bool:
    """Whether every number can be written down exactly."""
    if isinstance(value, dict):
        return all(sound(inner) for inner in value.values())
    if isinstance(value, list):
        return all(sound(inner) for inner in value)
    if isinstance(value, float):
        return math.isfinite(value)
    return not isinstance(value, int) or abs(value) <= LARGEST


def tidied(value: Any) -> Any:
    if isinstance(value, str):
        return tidy(value)
    if isinstance(value, dict):
        return {tidy(name): tidied(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [tidied(inner) for inner in value]
    return value


def unique(uses: list[ToolUse]) -> list[ToolUse]:
    """The tool calls, each under an id of its own; some servers give none, or one twice."""
    taken: set[str] = set()
    kept = []
    for number, use in enumerate(uses):
        identity = use.id if use.id and use.id not in taken else f"call_{number}_{use.name}"
        taken.add(identity)
        kept.append(use if identity == use.id else use.model_copy(update={"id": identity}))
    return kept


def told_apart(parts: Sequence[Part]) -> list[Part]:
    """The parts in their order, with every tool call under an id of its own."""
    uses = iter(unique([part for part in parts if isinstance(part, ToolUse)]))
    return [next(uses) if isinstance(part, ToolUse) else part for part in parts]
