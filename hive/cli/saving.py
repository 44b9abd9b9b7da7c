"""The images and files of a run as files of their own."""

import mimetypes
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from hive.board.entry import Entry
from hive.board.media import media_in
from hive.cli.exits import Mistake
from hive.message import Media

__all__ = ["Saved", "save"]

ODD = re.compile(r"[^\w.@#-]+")
LONGEST = 100
"""Letters of a name that are kept: models and tools may give any."""


class Saved(NamedTuple):
    """A file that was written, and the entry it came from."""

    path: str
    address: str
    media_type: str
    bytes: int


def save(entries: Iterable[Entry], folder: Path) -> list[Saved]:
    """Write what entries hold into a folder, which is made where there is none, each image and
    file once; nothing that is there is written over. Raises Mistake."""
    found: dict[Media, Entry] = {}
    for entry in entries:
        for media in () if entry.erased else media_in(entry):
            found.setdefault(media.model_copy(update={"source": None}), entry)
    if not found:
        raise Mistake("there is no image or file in those entries")
    saved: dict[str, Saved] = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for media, entry in found.items():
            name = file_name(entry, media)
            while name in saved:
                name = f"_{name}"
            with (folder / name).open("xb") as file:
                file.write(media.content)
            told = str(folder / name)
            saved[name] = Saved(told, str(entry.address), media.media_type, media.size)
    except OSError as error:
        raise Mistake(f"{error.filename} cannot be written: {error.strerror}") from error
    return list(saved.values())


def file_name(entry: Entry, media: Media) -> str:
    """The entry's address and the name that the image or file has, as one that any folder takes."""
    address = entry.address
    places = (str(address.turn), address.strand, ".".join(map(str, address.place)))
    name = media.name or f"unnamed{mimetypes.guess_extension(media.media_type) or ''}"
    return ODD.sub("_", "-".join(filter(None, (*places, name[-LONGEST:]))))
