"""Which beginning of a prompt its provider is asked to keep for a while (models floor).

A provider keeps a prompt's beginning up to a mark. The tokens it writes down cost more than plain
ones (Anthropic for five minutes, OpenAI from GPT-5.6 on for thirty: 1.25 times the price), those it
reads again much less (0.1 times or below). So a mark pays as soon as what stands before it is read
once more with a probability of more than

    (write - plain) / (plain - read)

which is 28 % at those prices. Three ends are above that: of the instructions and tools, which a
role sends in every turn; of the entries that later views begin with too (`Request.stable`); and,
where tools are offered, of the conversation, as another step is likely to follow. The rest is never
marked, nor is anything if a single reading would not bring in what the writing costs.

How short a beginning may be differs by model (512 to 4,096 tokens). One that is too short is
neither kept nor charged for, so only what is too short for all of them goes unmarked.
"""

import hashlib
from typing import NamedTuple

from hive.message import Media, Part, Request
from hive.models.answers import answer_tool
from hive.models.catalog import Prices

__all__ = ["LOOK_BACK", "Ends", "cache_key", "ends", "goes_on", "pays", "writes_cost"]

LOOK_BACK = 20
"""How many blocks, counted back from a mark, are searched for what was written earlier."""

SHORTEST = 1024
"""Bytes that cannot come to 512 tokens, the least that any model keeps."""


class Ends(NamedTuple):
    """Where a prompt is worth being kept up to: the instructions; so many parts of the first
    message; the last word."""

    system: bool = False
    stable: int = 0
    last: bool = False


def pays(prices: Prices | None) -> bool:
    """Whether reading a beginning once saves more than writing it costs; unknown prices are taken
    for those that all providers have."""
    return prices is None or prices.cache_write - prices.input < prices.input - prices.cached_read


def writes_cost(prices: Prices | None) -> bool:
    """Whether a token that is written down costs more than a plain one. OpenAI's models are told
    where to write if it does, and only then."""
    return prices is not None and prices.cache_write > prices.input


def ends(request: Request, prices: Prices | None) -> Ends:
    """The ends to mark; none with `Settings.cache == "off"`."""
    if request.settings.cache == "off" or not pays(prices):
        return Ends()
    head = len(request.system) + sum(len(tool.description) for tool in request.tools)
    first = request.messages[0].parts if request.messages else ()
    stable = min(request.stable, len(first))
    kept = whole = head
    if head < SHORTEST:  # else nothing needs to be measured
        kept += sum(map(length, first[:stable]))
        whole += sum(length(part) for message in request.messages for part in message.parts)
    return Ends(
        system=bool(request.system) and head >= SHORTEST,
        stable=stable if kept >= SHORTEST else 0,
        last=goes_on(request) and whole >= SHORTEST,
    )


def goes_on(request: Request) -> bool:
    """Whether another step is likely to follow: tools are offered, beside that of the answer."""
    return bool(request.tools) and request.tools[0] is not answer_tool(request)


def length(part: Part) -> int:
    return len(part.data) if isinstance(part, Media) else len(getattr(part, "text", ""))


def cache_key(request: Request) -> str:
    """What keeps the requests of one role together at OpenAI: a digest of its instructions and the
    names of its tools, 32 characters of the 64 that may be sent."""
    names = "\n".join(tool.name for tool in request.tools)
    told = f"{request.system}\n{names}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(told).hexdigest()[:32]
