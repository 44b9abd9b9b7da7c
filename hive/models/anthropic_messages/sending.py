"""What Hive says, in the words of the Messages API (models floor)."""

import re
from collections.abc import Iterable
from typing import Any

from hive.message import Media, Message, Part, Text, Thinking, ToolForm, ToolResult, ToolUse
from hive.models.parts import called
from hive.models.shown import Rules

__all__ = ["RULES", "block", "conversation", "tool_param"]

RULES = Rules(
    images=frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"}),
    files=frozenset({"application/pdf"}),
    largest_image=10 * 2**20,
    ids=re.compile(r"[a-zA-Z0-9_-]{1,64}"),
    sides=((0, 8000), (20, 2000)),
)
"""As of the guides "Vision" and "PDF support" of 2026; the 10 MiB are counted in base64."""


def conversation(messages: Iterable[Message]) -> list[dict[str, Any]]:
    """The messages, as turns of the user and the assistant, results of calls first in theirs."""
    return [
        {
            "role": "assistant" if message.role == "assistant" else "user",
            "content": [block(part) for part in message.parts],
        }
        for message in messages
    ]


def block(part: Part) -> dict[str, Any]:
    """A part of a message as a content block."""
    match part:
        case Text():
            return {"type": "text", "text": part.text}
        case Thinking():
            return dict(part.opaque)
        case Media():
            return media(part)
        case ToolUse():
            return {"type": "tool_use", "id": part.id, "name": part.name, "input": called(part)}
        case ToolResult():
            return {
                "type": "tool_result",
                "tool_use_id": part.id,
                "content": content(part),
                "is_error": part.error,
            }


def content(result: ToolResult) -> str | list[dict[str, Any]]:
    """What a tool gave: text, or a list where there are images and files."""
    if not result.media:
        return result.text
    found = [{"type": "text", "text": result.text}] if result.text.strip() else []
    return [*found, *[media(part) for part in result.media]]


def media(part: Media) -> dict[str, Any]:
    source = {"type": "base64", "media_type": part.media_type, "data": part.data}
    if part.is_image:
        return {"type": "image", "source": source}
    document: dict[str, Any] = {"type": "document", "source": source}
    return {**document, "title": part.name} if part.name else document


def tool_param(tool: ToolForm) -> dict[str, Any]:
    """A tool as it is offered."""
    return {"name": tool.name, "description": tool.description, "input_schema": tool.schema}
