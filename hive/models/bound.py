"""How many input tokens a request can come to at most (models floor)."""

import json
import math
from collections.abc import Iterable

from hive.message import Media, Part, Request, Text, Thinking, ToolResult, ToolUse
from hive.models.sizes import pages, picture

__all__ = ["input_bound", "parts_bound"]

# Tokenizers with byte fallback make at most one token of a byte; what a chat template adds around
# a part is a few tokens; what a provider adds once tools are there is a prompt of a few hundred.
PER_REQUEST = 64
PER_PART = 24
PER_TOOL = 64
FOR_TOOLS = 1024

# Pictures. Anthropic makes a token of each 28 pixels square, 4,784 at most ("Vision"); OpenAI up to
# 2.46 tokens of each 32 pixels square in smaller models, and since GPT-5.6, which by default leaves
# pictures as large as they are, 1.2 of each and of 30,000 squares at most ("Images and vision",
# "Calculating costs"); Google 1,120 to 2,240 whatever the size ("Media resolution"); Mistral's and
# Qwen's open models one of each 16 or 28 pixels square. The dearest by far are the 512-pixel tiles
# of gpt-4o-mini: 2,833 tokens and 5,667 for each of up to eight.
SQUARE = 28
PER_SQUARE = 3.25
LEAST_IMAGE = 4_096
PER_IMAGE = 36_000
PER_TILED_IMAGE = 48_169
TILED = "gpt-4o-mini"
PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")

# A page of a PDF is shown as its text, which Anthropic puts at 1,500 to 3,000 tokens ("PDF
# support"), and as a picture of at most 4,784; OpenAI does the same at up to 3,000 ("File inputs").
# Nobody bounds a page's text, so a dense one can cost more; what a call then costs beyond its
# reservation is recorded as an Overrun, after which nothing more is granted.
PDF = "application/pdf"
PER_PAGE = 8_192
PAGE_BYTES = 2**10
"""What a page takes at least, short of tricks, in a file that does not let its pages be counted."""
MOST_PAGES = 600
"""What Anthropic takes at most, and for models with a small window 100."""


def input_bound(request: Request) -> int:
    """An upper bound of the request's input tokens, without a tokenizer, in microseconds (a PDF
    takes milliseconds, once).

    It is the number of UTF-8 bytes of everything that is sent, and a constant per part: three to
    five times the true count for English text. Pictures count by their pixels at the dearest rate
    of any provider, and pages of a PDF at 8,192 each, which a very dense one may exceed. Budgets
    reserve by it and settle afterwards; a call that came to more is an Overrun.
    """
    total = PER_REQUEST + size(request.system)
    for message in request.messages:
        total += PER_PART + parts_bound(message.parts, request.model)
    for tool in request.tools:
        total += PER_TOOL + size(tool.name) + size(tool.description) + json_size(tool.schema)
    if request.output is not None:
        total += PER_TOOL + size(request.output.name) + json_size(request.output.schema)
    if request.tools or request.output is not None:
        total += FOR_TOOLS
    return total


def parts_bound(parts: Iterable[Part], model: str) -> int:
    """An upper bound of the tokens of some parts of a request to a model."""
    tiled = TILED in model
    return sum(PER_PART + part_size(part, tiled) for part in parts)


def part_size(part: Part, tiled: bool) -> int:
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
            shown = sum(PER_PART + media_size(media, tiled) for media in part.media)
            return size(part.id) + size(part.name) + size(part.text) + shown
        case Media():
            return media_size(part, tiled)


def media_size(media: Media, tiled: bool) -> int:
    name = size(media.name or "")
    if media.media_type in PICTURES:
        return name + (PER_TILED_IMAGE if tiled else picture_bound(picture(media)))
    if media.media_type == PDF:
        shown = min(pages(media.data) or 1 + media.size // PAGE_BYTES, MOST_PAGES)
        return name + shown * (PER_PAGE + (PER_TILED_IMAGE if tiled else 0))
    return name + len(media.data)


def picture_bound(sides: tuple[int, int] | None) -> int:
    if sides is None:
        return PER_IMAGE
    width, height = (math.ceil(side / SQUARE) for side in sides)
    return min(max(math.ceil(width * height * PER_SQUARE), LEAST_IMAGE), PER_IMAGE)


def size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def json_size(value: object) -> int:
    # As ASCII, so an escaped character counts six bytes where its UTF-8 has at most four.
    return len(json.dumps(value))
