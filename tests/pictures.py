"""Images and files that tests hand around: small ones, and one whose bytes are looked for."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from hive.board.contributions import Attachment
from hive.board.entry import Entry
from hive.message import Media, Request

__all__ = ["BEES", "CHART", "PHOTO", "attachments", "seen"]


def noise(size: int, seed: str) -> bytes:
    """Bytes that cannot be made smaller, the same every time."""
    blocks = (sha256(f"{seed}{n}".encode()).digest() for n in range(size // 32 + 1))
    return b"".join(blocks)[:size]


PNG = b"\x89PNG\r\n\x1a\n"
PHOTO = Media.of(PNG + noise(9_000, "photo"), "photo.png")
CHART = Media.of(PNG + noise(40, "chart"), "chart.png")
BEES = Media.of(b"bee,honey\n1,2\n", "bees.csv")


def seen(request: Request) -> list[str | None]:
    """The names of the images and files that a request shows, results of tools included."""
    parts = [part for message in request.messages for part in message.parts]
    shown = [
        media
        for part in parts
        for media in (
            (part,) if part.type == "media" else part.media if part.type == "tool_result" else ()
        )
    ]
    return [media.name for media in shown]


def attachments(entries: Sequence[Entry]) -> list[Entry]:
    """The attachments among some entries."""
    return [entry for entry in entries if entry.kind == Attachment.kind]
