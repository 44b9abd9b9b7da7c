"""How the wire formats write one answer down: whole, or as the events of a stream.

Written from the providers' public descriptions, and apart from the code that reads them.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from hive.message import Media, Reply, Text, Thinking, ToolUse
from hive.testing.own_words import own_error, own_events, own_whole

__all__ = ["DIALECTS", "PIECE", "Dialect", "Endpoint", "Event"]

Endpoint = Literal["responses", "chat", "messages", "reply"]
Event = tuple[str, dict[str, Any]]
"""The name of a server-sent event ("" for none) and its data."""

PIECE = 5


def pieces(text: str) -> Iterator[str]:
    for start in range(0, len(text), PIECE):
        yield text[start : start + PIECE]


def written(use: ToolUse) -> str:
    return use.malformed if use.malformed is not None else json.dumps(use.arguments)


@dataclass(frozen=True)
class Dialect:
    """One wire format."""

    whole: Callable[[Reply, str], dict[str, Any]]
    events: Callable[[Reply, str], list[Event]]
    error: Callable[[str, str, int], dict[str, Any]]
    last_line: str = ""


# OpenAI Responses


def responses_items(reply: Reply, name: str) -> list[dict[str, Any]]:
    return [item for part in reply.parts for item in responses_item(part, reply, name)]


def responses_item(part: object, reply: Reply, name: str) -> Iterator[dict[str, Any]]:
    if isinstance(part, Text):
        content = {"type": "output_text", "text": part.text, "annotations": [], "logprobs": []}
        if reply.stop == "refusal":
            content = {"type": "refusal", "refusal": part.text}
        yield {
            "type": "message",
            "id": f"msg_{name}",
            "status": "completed",
            "role": "assistant",
            "content": [content],
        }
    elif isinstance(part, Thinking):
        yield dict(part.opaque) or {
            "type": "reasoning",
            "id": f"rs_{name}",
            "summary": [{"type": "summary_text", "text": part.text}],
            "encrypted_content": f"sealed-{name}",
        }
    elif isinstance(part, Media):
        yield {
            "type": "image_generation_call",
            "id": f"ig_{name}",
            "status": "completed",
            "output_format": part.media_type.removeprefix("image/"),
            "result": part.data,
        }
    elif isinstance(part, ToolUse):
        yield {
            "type": "function_call",
            "id": f"fc_{part.id}",
            "call_id": part.id,
            "name": part.name,
            "arguments": written(part),
            "status": "completed",
        }


def responses_whole(reply: Reply, name: str) -> dict[str, Any]:
    use = reply.usage
    why = {"length": "max_output_tokens", "filter": "content_filter"}.get(reply.stop)
    return {
        "id": f"resp_{name}",
        "object": "response",
        "created_at": 1,
        "model": reply.model,
        "status": "incomplete" if why else "completed",
        "error": None,
        "incomplete_details": {"reason": why} if why else None,
        "output": responses_items(reply, name),
        "parallel_tool_calls": True,
        "usage": {
            "input_tokens": use.input,
            "input_tokens_details": {
                "cached_tokens": use.cached_read,
                "cache_write_tokens": use.cache_write,
            },
            "output_tokens": use.output,
            "output_tokens_details": {"reasoning_tokens": use.reasoning},
            "total_tokens": use.input + use.output,
        },
    }


def responses_events(reply: Reply, name: str) -> list[Event]:
    whole = responses_whole(reply, name)
    begun = {**whole, "status": "in_progress", "output": [], "usage": None}
    found: list[dict[str, Any]] = [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
    ]
    for index, item in enumerate(whole["output"]):
        found.append({"type": "response.output_item.added", "output_index": index, "item": item})
        for kind, text in growing(item):
            found += [
                {"type": kind, "item_id": item["id"], "output_index": index, "delta": piece}
                for piece in pieces(text)
            ]
        found.append({"type": "response.output_item.done", "output_index": index, "item": item})
    found.append({"type": f"response.{whole['status']}", "response": whole})
    return [
        (event["type"], {**event, "sequence_number": number}) for number, event in enumerate(found)
    ]


def growing(item: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if item["type"] == "message":
        for content in item["content"]:
            if content["type"] == "refusal":
                yield "response.refusal.delta", content["refusal"]
            else:
                yield "response.output_text.delta", content["text"]
    elif item["type"] == "function_call":
        yield "response.function_call_arguments.delta", item["arguments"]


# OpenAI Chat Completions


def chat_message(reply: Reply) -> dict[str, Any]:
    text = "".join(part.text for part in reply.parts if isinstance(part, Text)) or None
    refused = reply.stop == "refusal"
    message: dict[str, Any] = {
        "role": "assistant",
        "content": None if refused else text,
        "refusal": text if refused else None,
    }
    for part in reply.parts:
        if isinstance(part, Thinking):
            message.update(part.opaque or {"reasoning_content": part.text})
    images = [  # as OpenRouter has them
        {
            "type": "image_url",
            "image_url": {"url": f"data:{part.media_type};base64,{part.data}"},
        }
        for part in reply.parts
        if isinstance(part, Media)
    ]
    if images:
        message["images"] = images
    calls = [
        {
            "id": use.id,
            "type": "function",
            "function": {"name": use.name, "arguments": written(use)},
        }
        for use in reply.tool_uses
    ]
    return {**message, "tool_calls": calls} if calls else message


def chat_finish(reply: Reply) -> str:
    named = {"length": "length", "filter": "content_filter", "tools": "tool_calls"}
    named |= {"overflow": "model_length"}  # Mistral's word; OpenAI has none
    return named.get(reply.stop, "stop")


def chat_usage(reply: Reply) -> dict[str, Any]:
    use = reply.usage
    return {
        "prompt_tokens": use.input,
        "completion_tokens": use.output,
        "total_tokens": use.input + use.output,
        "prompt_tokens_details": {
            "cached_tokens": use.cached_read,
            "cache_write_tokens": use.cache_write,
        },
        "completion_tokens_details": {"reasoning_tokens": use.reasoning},
    }


def chat_whole(reply: Reply, name: str) -> dict[str, Any]:
    choice = {
        "index": 0,
        "message": chat_message(reply),
        "finish_reason": chat_finish(reply),
        "logprobs": None,
    }
    return {
        "id": f"chatcmpl-{name}",
        "object": "chat.completion",
        "created": 1,
        "model": reply.model,
        "choices": [choice],
        "usage": chat_usage(reply),
    }


def chat_events(reply: Reply, name: str) -> list[Event]:
    head = {
        "id": f"chatcmpl-{name}",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": reply.model,
    }
    chunks: list[dict[str, Any]] = [
        {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
        for delta in chat_deltas(chat_message(reply))
    ]
    chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": chat_finish(reply)}]})
    chunks.append({"choices": [], "usage": chat_usage(reply)})
    return [("", {**head, **chunk}) for chunk in chunks]


def chat_deltas(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield {"role": "assistant", "content": ""}
    for name in ("reasoning_content", "reasoning", "content", "refusal"):
        for piece in pieces(message.get(name) or ""):
            yield {name: piece}
    if "reasoning_details" in message:
        yield {"reasoning_details": message["reasoning_details"]}
    for image in message.get("images", ()):
        yield {"images": [image]}
    calls = message.get("tool_calls", [])
    for index, call in enumerate(calls):
        begun = {**call, "function": {"name": call["function"]["name"], "arguments": ""}}
        yield {"tool_calls": [{"index": index, **begun}]}
    # The arguments of parallel calls grow side by side.
    rest = {index: pieces(call["function"]["arguments"]) for index, call in enumerate(calls)}
    while rest:
        for index in list(rest):
            grown = next(rest[index], None)
            if grown is None:
                del rest[index]
            else:
                yield {"tool_calls": [{"index": index, "function": {"arguments": grown}}]}


def openai_error(message: str, code: str, status: int) -> dict[str, Any]:
    kind = "invalid_request_error" if "context" in code or not code else code
    return {"error": {"message": message, "type": kind, "param": None, "code": code or None}}


# Anthropic Messages


def messages_block(part: object, name: str) -> dict[str, Any]:
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    if isinstance(part, Thinking):
        sealed = {"type": "thinking", "thinking": part.text, "signature": f"signed-{name}"}
        return dict(part.opaque) or sealed
    assert isinstance(part, ToolUse)
    value = part.arguments if part.malformed is None else part.malformed
    return {"type": "tool_use", "id": part.id, "name": part.name, "input": value}


def messages_whole(reply: Reply, name: str) -> dict[str, Any]:
    use = reply.usage
    named = {"length": "max_tokens", "tools": "tool_use", "refusal": "refusal"}
    named |= {"pause": "pause_turn", "filter": "refusal"}
    named |= {"overflow": "model_context_window_exceeded"}
    return {
        "id": f"msg_{name}",
        "type": "message",
        "role": "assistant",
        "model": reply.model,
        "content": [messages_block(part, name) for part in reply.parts],
        "stop_reason": named.get(reply.stop, "end_turn"),
        "stop_sequence": None,
        "usage": {
            "input_tokens": use.input - use.cached_read - use.cache_write,
            "cache_read_input_tokens": use.cached_read,
            "cache_creation_input_tokens": use.cache_write,
            "output_tokens": use.output,
            "output_tokens_details": {"thinking_tokens": use.reasoning},
        },
    }


def messages_events(reply: Reply, name: str) -> list[Event]:
    whole = messages_whole(reply, name)
    begun = {**whole, "content": [], "stop_reason": None}
    begun["usage"] = {**whole["usage"], "output_tokens": 1, "output_tokens_details": None}
    found: list[dict[str, Any]] = [{"type": "message_start", "message": begun}, {"type": "ping"}]
    for index, (part, block) in enumerate(zip(reply.parts, whole["content"], strict=True)):
        empty, deltas = messages_deltas(part, block)
        found.append({"type": "content_block_start", "index": index, "content_block": empty})
        found += [{"type": "content_block_delta", "index": index, "delta": d} for d in deltas]
        found.append({"type": "content_block_stop", "index": index})
    closing = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    usage = {name: whole["usage"][name] for name in ("output_tokens", "output_tokens_details")}
    found.append({"type": "message_delta", "delta": closing, "usage": usage})
    found.append({"type": "message_stop"})
    return [(event["type"], event) for event in found]


def messages_deltas(
    part: object, block: dict[str, Any]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    match block["type"]:
        case "text":
            grown = [{"type": "text_delta", "text": piece} for piece in pieces(block["text"])]
            return {"type": "text", "text": ""}, grown
        case "thinking":
            grown = [
                {"type": "thinking_delta", "thinking": piece} for piece in pieces(block["thinking"])
            ]
            grown.append({"type": "signature_delta", "signature": block["signature"]})
            return {"type": "thinking", "thinking": "", "signature": ""}, grown
        case "tool_use":
            assert isinstance(part, ToolUse)
            grown = [
                {"type": "input_json_delta", "partial_json": piece}
                for piece in pieces(written(part))
            ]
            return {**block, "input": {}}, grown
    return block, []


def messages_error(message: str, code: str, status: int) -> dict[str, Any]:
    return {
        "type": "error",
        "error": {"type": code or "invalid_request_error", "message": message},
        "request_id": "req_1",
    }


# Hive's own words


def own_words(reply: Reply, name: str) -> list[Event]:
    said = "".join(part.text for part in reply.parts if isinstance(part, Text))
    return own_events(reply, name, pieces(said))


DIALECTS: dict[Endpoint, Dialect] = {
    "responses": Dialect(responses_whole, responses_events, openai_error),
    "chat": Dialect(chat_whole, chat_events, openai_error, last_line="data: [DONE]\n\n"),
    "messages": Dialect(messages_whole, messages_events, messages_error),
    "reply": Dialect(own_whole, own_words, own_error),
}
