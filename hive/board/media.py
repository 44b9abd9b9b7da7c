"""Images and files on the board (floor 1): found in what entries say, told without their bytes."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from pydantic import BaseModel, ValidationError

from hive.board.contributions import Attachment
from hive.board.entry import Entry
from hive.board.payload import Opaque
from hive.message import Media

__all__ = [
    "FILE_TOKENS",
    "IMAGE_TOKENS",
    "MARK",
    "media_in",
    "media_tokens",
    "without_bytes",
]

IMAGE_TOKENS = 1_600
"""What one image counts in a view: about what the providers make of one of usual size."""

FILE_TOKENS = 6_400
"""What a file that is no text counts in a view; nobody knows how many pages it has."""

MARK = b'"media_type"'
"""Stands in the bytes of every entry that holds images or files."""

BYTES = frozenset({"data", "source", "type"})
"""Fields of a Media that are no words about it."""


def media_in(entry: Entry) -> tuple[Media, ...]:
    """The images and files in an entry, in order: an Attachment's own, and those in fields of other
    kinds, wherever their classes declare Media; where these are not known, what looks like one.
    `source` is the entry's address."""
    if MARK not in entry.body:
        return ()
    source = str(entry.address)
    found = searched(entry.payload)
    return tuple(media.model_copy(update={"source": source}) for media in found)


def searched(value: object) -> Iterator[Media]:
    if isinstance(value, Media):
        yield value
    elif isinstance(value, Attachment):
        yield value.media
    elif isinstance(value, Opaque):
        yield from shaped(value.data)
    elif isinstance(value, BaseModel):
        for inner in value.__dict__.values():
            yield from searched(inner)
    elif isinstance(value, tuple | list):
        for inner in value:
            yield from searched(inner)


def shaped(data: Any) -> Iterator[Media]:
    if isinstance(data, dict) and data.get("type") == "media":
        with suppress(ValidationError):
            yield Media.model_validate(data)
    elif isinstance(data, dict | list):
        for inner in data.values() if isinstance(data, dict) else data:
            yield from shaped(inner)


def media_tokens(media: Media) -> int:
    """What an image or a file counts in a view: a text as any other, all else at a constant."""
    if media.media_type.startswith("text/") or media.media_type == "application/json":
        return media.size // 4
    return IMAGE_TOKENS if media.is_image else FILE_TOKENS


def without_bytes(data: Any) -> Any:
    """What an entry says as JSON, with the number of bytes in the place of bytes in base64."""
    if isinstance(data, list):
        return [without_bytes(item) for item in data]
    if not isinstance(data, dict):
        return data
    held = data.get("data")
    if not isinstance(held, str) or not isinstance(data.get("media_type"), str):
        return {key: without_bytes(item) for key, item in data.items()}
    told = {key: item for key, item in data.items() if key not in BYTES}
    return {**told, "bytes": len(held) * 3 // 4 - held[-2:].count("=")}
