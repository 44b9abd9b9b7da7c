"""What Hive says, in the words of the Responses API (models floor)."""

import json
import re
from typing import Any

from hive.message import (
    Media,
    Message,
    OutputForm,
    Text,
    Thinking,
    ToolForm,
    ToolResult,
    ToolUse,
)
from hive.models.parts import called, data_url, filename, result_text
from hive.models.schema import form_name, tighten
from hive.models.shown import Rules
from hive.models.sizes import detail

__all__ = ["RULES", "function", "items", "output_form"]

OFFICE = "application/vnd.openxmlformats-officedocument."
RULES = Rules(
    images=frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"}),
    files=frozenset(
        {
            "application/pdf",
            "application/msword",
            "application/rtf",
            "application/vnd.ms-excel",
            "application/vnd.ms-powerpoint",
            "application/vnd.oasis.opendocument.text",
            f"{OFFICE}wordprocessingml.document",
            f"{OFFICE}spreadsheetml.sheet",
            f"{OFFICE}presentationml.presentation",
        }
    ),
    largest_image=50 * 2**20,
    ids=re.compile(r"[\x21-\x7e]{1,64}"),
)
"""As of the guides "Images and vision" and "File inputs" of 2026."""


def items(message: Message) -> list[dict[str, Any]]:
    """A message as the items of the Responses API."""
    role = "assistant" if message.role == "assistant" else "user"
    found: list[dict[str, Any]] = []
    for part in message.parts:
        if isinstance(part, Text):
            found.append(spoken(role, part.text))
        elif isinstance(part, Media):
            return [*results(message), spoken("user", said(message))]
        else:
            found.append(item(part))
    return found


def results(message: Message) -> list[dict[str, Any]]:
    return [item(part) for part in message.parts if isinstance(part, ToolResult)]


def said(message: Message) -> list[dict[str, Any]]:
    """Words, images and files in one message, so that they keep their order."""
    return [content(part) for part in message.parts if isinstance(part, Text | Media)]


def item(part: Thinking | ToolUse | ToolResult) -> dict[str, Any]:
    match part:
        case Thinking():
            return dict(part.opaque)
        case ToolUse():
            return {
                "type": "function_call",
                "call_id": part.id,
                "name": part.name,
                "arguments": json.dumps(called(part), ensure_ascii=False),
            }
        case ToolResult():
            return {"type": "function_call_output", "call_id": part.id, "output": output(part)}


def spoken(role: str, said: str | list[dict[str, Any]]) -> dict[str, Any]:
    # OpenAI knows a message without its type; llama.cpp refuses an assistant's.
    return {"type": "message", "role": role, "content": said}


def output(result: ToolResult) -> str | list[dict[str, Any]]:
    """What a tool gave: text, or a list where there are images and files."""
    text = result_text(result)
    if not result.media:
        return text
    found = [content(Text(text=text))] if text.strip() else []
    return [*found, *[content(part) for part in result.media]]


def content(part: Text | Media) -> dict[str, Any]:
    if isinstance(part, Text):
        return {"type": "input_text", "text": part.text}
    if part.is_image:
        return {"type": "input_image", "image_url": data_url(part), "detail": detail(part)}
    return {"type": "input_file", "filename": filename(part), "file_data": data_url(part)}


def function(tool: ToolForm) -> dict[str, Any]:
    """A tool as it is offered."""
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
