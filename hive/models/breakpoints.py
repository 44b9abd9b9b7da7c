"""What OpenAI is told about keeping a prompt's beginning (models floor).

Its caches work unasked; the key sends requests that begin alike to the same one. Models whose cache
costs something to write (`writes_cost`) find an earlier beginning only if it ended at a breakpoint
that this request has too. So the last of the stable parts each get one; of these OpenAI writes the
last three or four. It sets one more at the end of the conversation, unless it is told not to.
"""

from typing import Any

from hive.message import Message, Request, Text
from hive.models.adapting import Spare
from hive.models.caching import LOOK_BACK, cache_key, ends, goes_on, writes_cost
from hive.models.catalog import Prices

__all__ = ["SPARE", "hints", "with_breakpoints"]

KEY, OPTIONS, BREAKPOINT = "prompt_cache_key", "prompt_cache_options", "prompt_cache_breakpoint"
SPARE = {name: Spare(name) for name in (KEY, OPTIONS, BREAKPOINT)}
EXPLICIT = {"mode": "explicit"}


def hints(request: Request, prices: Prices | None, lacks: frozenset[str]) -> dict[str, Any]:
    """The parameters for the cache. Without tools no step is likely to follow, so the end of the
    conversation is not worth writing."""
    off = request.settings.cache == "off"
    found: dict[str, Any] = {} if off else {KEY: cache_key(request)}
    if writes_cost(prices) and (off or not goes_on(request)):
        found[OPTIONS] = EXPLICIT
    return {name: value for name, value in found.items() if name not in lacks}


def with_breakpoints(
    sent: list[dict[str, Any]],
    request: Request,
    prices: Prices | None,
    lacks: frozenset[str],
    kind: str,
) -> list[dict[str, Any]]:
    """The first message as it is `sent`, with breakpoints where they are of use; `kind` is what a
    piece of text is called."""
    if not writes_cost(prices) or BREAKPOINT in lacks:
        return sent
    if not (stable := ends(request, prices).stable):
        return sent
    pieces = in_pieces(sent, request.messages[0], kind)
    for at in range(max(0, stable - LOOK_BACK), min(stable, len(pieces))):
        pieces[at] = {**pieces[at], BREAKPOINT: EXPLICIT}
    return [{"role": "user", "content": pieces}] if pieces else sent


def in_pieces(sent: list[dict[str, Any]], first: Message, kind: str) -> list[dict[str, Any]]:
    """The contents of the first message, one piece for each part; none where it is not in such
    pieces."""
    content = sent[0].get("content") if len(sent) == 1 else None
    if isinstance(content, list):
        return list(content) if len(content) == len(first.parts) else []
    texts = [part.text for part in first.parts if isinstance(part, Text)]
    if len(texts) != len(first.parts):
        return []
    *others, last = texts
    return [{"type": kind, "text": text} for text in (*(f"{text}\n" for text in others), last)]
