"""How many input tokens a request can come to at most (models floor)."""

import json

from hive.message import Media, Message, Part, Request, Text, Thinking, ToolResult, ToolUse

__all__ = ["input_bound"]

# Tokenizers with byte fallback make at most one token of a byte; what a chat template adds around
# a part is a few tokens; what a provider adds once tools are there is a prompt of a few hundred.
PER_REQUEST = 64
PER_PART = 24
PER_TOOL = 64
FOR_TOOLS = 1024
PER_IMAGE = 16_384
"""The most that the providers make of one image: 1,600 to 10,000 tokens at the largest size."""


def input_bound(request: Request) -> int:
    """An upper bound of the request's input tokens, without a tokenizer and in microseconds.

    It is the number of UTF-8 bytes of everything that is sent, and a constant per part: three to
    five times the true count for English text. Budgets reserve by it and settle afterwards.
    """
    total = PER_REQUEST + size(request.system)
    for message in request.messages:
        total += message_bound(message)
    for tool in request.tools:
        total += PER_TOOL + size(tool.name) + size(tool.description) + json_size(tool.schema)
    if request.output is not None:
        total += PER_TOOL + size(request.output.name) + json_size(request.output.schema)
    if request.tools or request.output is not None:
        total += FOR_TOOLS
    return total


def message_bound(message: Message) -> int:
    return PER_PART + sum(PER_PART + part_size(part) for part in message.parts)


def part_size(part: Part) -> int:
    match part:
        case Text():
            return size(part.text)
        case Thinking():
            return size(part.text) + json_size(part.opaque)
        case ToolUse():
            called = (
                size(part.malformed) if part.malformed is not None else json_size(part.arguments)
            )
            return size(part.id) + size(part.name) + called
        case ToolResult():
            shown = sum(PER_PART + part_size(media) for media in part.media)
            return size(part.id) + size(part.name) + size(part.text) + shown
        case Media():
            return PER_IMAGE if part.is_image else size(part.name or "") + len(part.data)


def size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def json_size(value: object) -> int:
    # As ASCII, so an escaped character counts six bytes where its UTF-8 has at most four.
    return len(json.dumps(value))
