"""What Hive says, in the words of the Messages API (models floor)."""

from collections.abc import Iterable
from typing import Any

from hive.message import Media, Message, Part, Text, Thinking, ToolForm, ToolResult, ToolUse
from hive.models.anthropic_messages.reading import PROVIDER
from hive.models.parts import called, kept

__all__ = ["block", "conversation", "tool_param"]


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
    """A part of a message as a content block."""
    match part:
        case Text():
            return {"type": "text", "text": part.text}
        case Thinking():
            return dict(part.opaque)
        case Media():
            kind = "image" if part.is_image else "document"
            source = {"type": "base64", "media_type": part.media_type, "data": part.data}
            return {"type": kind, "source": source}
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
    """A tool as it is offered."""
    return {"name": tool.name, "description": tool.description, "input_schema": tool.schema}
