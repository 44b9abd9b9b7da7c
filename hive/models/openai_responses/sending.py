"""What Hive says, in the words of the Responses API (models floor)."""

import json
from typing import Any

from hive.message import Message, OutputForm, Text, Thinking, ToolForm, ToolResult, ToolUse
from hive.models.openai_responses.reading import PROVIDER
from hive.models.parts import called, kept, result_text
from hive.models.schema import form_name, tighten

__all__ = ["function", "items", "output_form"]


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
