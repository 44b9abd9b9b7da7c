"""Images and files that tests hand around: small ones, and one whose bytes are looked for."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from hashlib import sha256

from hive.board.contributions import Attachment
from hive.board.entry import Entry
from hive.message import Media, Request

__all__ = ["BEES", "CHART", "PHOTO", "altered", "attachments", "seen"]


def noise(size: int, seed: str) -> bytes:
    """Bytes that cannot be made smaller, the same every time."""
    blocks = (sha256(f"{seed}{n}".encode()).digest() for n in range(size // 32 + 1))
    return b"".join(blocks)[:size]


def drawn(size: int, seed: str) -> bytes:
    """A black picture of 2 by 2 pixels, as a PNG of so many bytes."""
    body = chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 2, 8, 0, 0, 0, 0))
    body += chunk(b"IDAT", zlib.compress(bytes(6)))
    end = chunk(b"IEND", b"")
    padding = size - len(SIGNATURE + body + end) - len(chunk(b"nOIS", b""))
    return SIGNATURE + body + chunk(b"nOIS", noise(padding, seed)) + end


def chunk(kind: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )


SIGNATURE = b"\x89PNG\r\n\x1a\n"
PHOTO = Media.of(drawn(9_008, "photo"), "photo.png")
CHART = Media.of(drawn(98, "chart"), "chart.png")
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


def altered(media: Media) -> Media:
    """The same but for a few of its bytes."""
    data = media.data
    return media.model_copy(update={"data": f"{data[:40]}AAAA{data[44:]}"})


def attachments(entries: Sequence[Entry]) -> list[Entry]:
    """The attachments among some entries."""
    return [entry for entry in entries if entry.kind == Attachment.kind]
