"""What Hive says, in the words of Chat Completions (models floor)."""

import json
from typing import Any

from hive.message import Message, OutputForm, Text, Thinking, ToolForm, ToolResult, ToolUse
from hive.models.openai_chat.reading import PROVIDER
from hive.models.parts import called, kept, result_text
from hive.models.schema import form_name, tighten

__all__ = ["function", "output_form", "turns"]


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
    """A tool as it is offered."""
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
