"""How large a picture is and how many pages a PDF has, as far as their bytes say (models floor)."""

import base64
import functools
import re
import zlib

from hive.message import Media

__all__ = ["detail", "pages", "picture"]

HEAD = 2**18
"""Characters of base64 that are looked at for a picture's size; in a JPEG a preview may come first.
"""
MOST_SQUARES = 30_000
NO_FRAME = (0xC4, 0xC8, 0xCC)
PAGE = re.compile(rb"/Type\s*/Page(?![a-zA-Z])")
PACKED = re.compile(rb"/ObjStm\b[^\0]{0,512}?stream\r?\n")
MOST_UNPACKED = 2**24
"""Bytes of packed objects that are looked through for pages."""


def picture(media: Media) -> tuple[int, int] | None:
    """Width and height in pixels of a PNG, JPEG, GIF or WebP; None where it does not say."""
    head = base64.b64decode(media.data[:HEAD])
    match media.media_type:
        case "image/png":
            size = head[16:20], head[20:24]
        case "image/gif":
            size = head[6:8][::-1], head[8:10][::-1]
        case "image/jpeg":
            size = frame(head)
        case "image/webp":
            return canvas(head)
        case _:
            return None
    width, height = (int.from_bytes(side, "big") for side in size)
    return (width, height) if width and height else None


def detail(media: Media) -> str:
    """How closely OpenAI is to look at a picture: its newer models refuse one of more than 30,000
    squares unless it may be made smaller, which is the default of the older ones."""
    width, height = picture(media) or (0, 0)
    return "high" if -(-width // 32) * -(-height // 32) > MOST_SQUARES else "auto"


def frame(head: bytes) -> tuple[bytes, bytes]:
    """Width and height in a JPEG: in the segment that begins its frame."""
    at = 2
    while at + 9 <= len(head) and head[at] == 0xFF:
        kind = head[at + 1]
        if 0xC0 <= kind <= 0xCF and kind not in NO_FRAME:
            return head[at + 7 : at + 9], head[at + 5 : at + 7]
        at += 1 if kind == 0xFF else 2 + int.from_bytes(head[at + 2 : at + 4], "big")
    return b"", b""


def canvas(head: bytes) -> tuple[int, int] | None:
    """Width and height in a WebP, whichever of its three kinds it is."""
    if len(head) < 30:
        return None
    match head[12:16]:
        case b"VP8X":
            width, height = head[24:27], head[27:30]
            return int.from_bytes(width, "little") + 1, int.from_bytes(height, "little") + 1
        case b"VP8L":
            bits = int.from_bytes(head[21:25], "little")
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8 ":
            wide, high = (int.from_bytes(head[at : at + 2], "little") for at in (26, 28))
            return (wide & 0x3FFF, high & 0x3FFF) if wide & 0x3FFF and high & 0x3FFF else None
    return None


@functools.lru_cache(maxsize=8)
def pages(data: str) -> int:
    """How many pages a PDF in base64 has at most; 0 where they cannot be found, as in one that is
    encrypted. Takes milliseconds per megabyte."""
    content = base64.b64decode(data)
    found = len(PAGE.findall(content))
    left = MOST_UNPACKED
    for packed in PACKED.finditer(content):
        end = content.find(b"endstream", packed.end())
        try:
            objects = zlib.decompressobj().decompress(content[packed.end() : end], left)
        except zlib.error:
            continue
        found += len(PAGE.findall(objects))
        left -= len(objects)
        if left <= 0:
            break
    return found
