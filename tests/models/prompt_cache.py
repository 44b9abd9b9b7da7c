"""The prompt caches of the providers, as their guides describe them, for the loopback server."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from hive.message import Usage
from hive.testing.received import Received

__all__ = ["PromptCache", "Sent", "sent"]

LOOK_BACK = 20
LEAST = {"messages": 512, "responses": 1024, "chat": 1024}
MARKS = ("cache_control", "prompt_cache_breakpoint")


class Sent(NamedTuple):
    """A prompt as its provider puts it together: canonical JSON of its pieces in order, where marks
    stand behind, and where messages of the user and of tools end."""

    pieces: tuple[str, ...]
    marks: tuple[int, ...]
    ends: tuple[int, ...]

    def begins(self, count: int) -> str:
        """What identifies the first pieces."""
        return hashlib.sha256("\0".join(self.pieces[:count]).encode()).hexdigest()

    def tokens(self, count: int) -> int:
        """How long the first pieces are, about."""
        return sum(len(piece) for piece in self.pieces[:count]) // 4


def sent(received: Received) -> Sent:
    """Take a request apart: tools, instructions, then the conversation piece by piece."""
    pieces: list[str] = []
    marks: list[int] = []
    ends: list[int] = []
    for piece, is_last in told(received):
        marked = [piece[name] for name in MARKS if name in piece]
        pieces.append(
            json.dumps({k: v for k, v in piece.items() if k not in MARKS}, sort_keys=True)
        )
        if marked:
            marks.append(len(pieces))
        if is_last:
            ends.append(len(pieces))
    return Sent(tuple(pieces), tuple(marks), tuple(ends))


def told(received: Received) -> Iterator[tuple[dict[str, Any], bool]]:
    for tool in received.get("tools", []):
        yield tool, False
    system = received.get("system", received.get("instructions", []))
    for piece in [{"text": system}] if isinstance(system, str) else system:
        yield {"text": piece["text"], **{k: v for k, v in piece.items() if k in MARKS}}, False
    conversation = received.get("messages", received.get("input", []))
    for message in conversation:
        content = message.get("content")
        parts = content if isinstance(content, list) else [{"whole": message}]
        for place, part in enumerate(parts, 1):
            asks = message.get("role") in ("user", "tool") or "output" in message
            yield {"role": message.get("role"), **part}, asks and place == len(parts)


class PromptCache:
    """What a provider has kept. Each request reads the longest beginning that an earlier one has
    written and it has a mark for; then what is marked is written."""

    def __init__(self) -> None:
        self.kept: set[str] = set()

    def use(self, received: Received) -> Usage:
        """What the request uses: its input, what is read again, and what is written."""
        prompt = sent(received)
        read = self.longest(received, prompt)
        written = self.to_write(received, prompt)
        self.kept |= {prompt.begins(end) for end in written}
        total = prompt.tokens(len(prompt.pieces))
        reads = prompt.tokens(read)
        writes = max(0, max((prompt.tokens(end) for end in written), default=0) - reads)
        return Usage(input=total, output=10, cached_read=reads, cache_write=writes)

    def longest(self, received: Received, prompt: Sent) -> int:
        if received.endpoint == "messages":
            ends = [
                e for mark in prompt.marks for e in range(max(1, mark - LOOK_BACK + 1), mark + 1)
            ]
        else:
            ends = [*prompt.marks, *prompt.ends][-80:]
        return max((end for end in ends if prompt.begins(end) in self.kept), default=0)

    def to_write(self, received: Received, prompt: Sent) -> list[int]:
        ends = list(prompt.marks)
        if received.endpoint == "messages":
            assert len(ends) <= 4, "Anthropic refuses more"
        elif received.get("prompt_cache_options", {}).get("mode") == "explicit":
            ends = ends[-4:]
        else:
            ends = [*ends[-3:], *prompt.ends[-1:]]
        return [end for end in ends if prompt.tokens(end) >= LEAST[received.endpoint]]
