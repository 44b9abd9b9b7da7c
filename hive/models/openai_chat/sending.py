"""What Hive says, in the words of Chat Completions (models floor)."""

import dataclasses
import json
import re
from typing import Any

from hive.message import Media, Message, OutputForm, Text, Thinking, ToolForm, ToolResult, ToolUse
from hive.models.parts import called, data_url, filename, result_text
from hive.models.schema import form_name, tighten
from hive.models.shown import Rules
from hive.models.sizes import detail

__all__ = ["IS_STRICT", "RULES", "STRICT_IDS", "function", "output_form", "turns"]

SOUNDS = {
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/wave": "wav",
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
}
RULES = Rules(
    images=frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"}),
    files=frozenset({"application/pdf", *SOUNDS}),
    largest_image=50 * 2**20,
    ids=re.compile(r"[\x21-\x7e]{1,64}"),
)
"""As of the guides "Images and vision" and "File inputs" of 2026; of files, PDF alone."""
STRICT_IDS = dataclasses.replace(RULES, ids=re.compile(r"[a-zA-Z0-9]{9}"), id_length=9)
"""Those of Mistral's models, wherever they run: their templates check the ids of calls."""
IS_STRICT = re.compile(r"[sx]tral", re.IGNORECASE)
"""Mistral, Codestral, Magistral, Mixtral, Pixtral…"""


def turns(message: Message) -> list[dict[str, Any]]:
    """A message as those of Chat Completions, where each tool result is one of its own."""
    text = "\n".join(part.text for part in message.parts if isinstance(part, Text))
    if message.role == "assistant":
        return [answer(message, text)]
    results = [part for part in message.parts if isinstance(part, ToolResult)]
    sent: list[dict[str, Any]] = [
        {"role": "tool", "tool_call_id": part.id, "content": result_text(part)} for part in results
    ]
    # A tool's message holds text alone: what else it gave is told by the user, after them all.
    given = [content(part) for result in results for part in aside(result)]
    if given or any(isinstance(part, Media) for part in message.parts):
        said = [content(part) for part in message.parts if isinstance(part, Text | Media)]
        sent.append({"role": "user", "content": [*given, *said]})
    elif text:
        sent.append({"role": "user", "content": text})
    return sent


def answer(message: Message, text: str) -> dict[str, Any]:
    """What the assistant said; reasoning goes back in the fields that it came in."""
    said: dict[str, Any] = {"role": "assistant"}
    for part in message.parts:
        if isinstance(part, Thinking):
            for name, thought in part.opaque.items():
                said[name] = together(said.get(name), thought)
    extra = said.pop("extra_content", {})
    if (chunks := said.get("content")) is None:
        said["content"] = text or None
    elif text:
        said["content"] = [*chunks, {"type": "text", "text": text}]
    calls = [call(part, extra.get(part.id)) for part in message.parts if isinstance(part, ToolUse)]
    if calls:
        said["tool_calls"] = calls
    return said


def together(before: Any, after: Any) -> Any:
    """The reasoning of two answers in a row, which are sent as one."""
    if isinstance(before, dict) and isinstance(after, dict):
        return {**before, **after}
    same = type(before) is type(after) and isinstance(before, str | list)
    return before + after if same else after


def aside(result: ToolResult) -> tuple[Text | Media, ...]:
    """The images and files of a result, after words that say whose they are."""
    if not result.media:
        return ()
    return (Text(text=f"From the tool {result.name or ''} (call {result.id}):"), *result.media)


def content(part: Text | Media) -> dict[str, Any]:
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    if part.is_image:
        close = {} if detail(part) == "auto" else {"detail": detail(part)}
        return {"type": "image_url", "image_url": {"url": data_url(part), **close}}
    if (sound := SOUNDS.get(part.media_type)) is not None:
        return {"type": "input_audio", "input_audio": {"data": part.data, "format": sound}}
    file = {"filename": filename(part), "file_data": data_url(part)}
    return {"type": "file", "file": file}


def call(use: ToolUse, extra: dict[str, Any] | None) -> dict[str, Any]:
    written = json.dumps(called(use), ensure_ascii=False)
    function = {"name": use.name, "arguments": written}
    sent: dict[str, Any] = {"id": use.id, "type": "function", "function": function}
    return {**sent, "extra_content": extra} if extra else sent


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
