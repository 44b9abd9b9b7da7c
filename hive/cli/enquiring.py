"""What a person has to know before they answer, as text: what their role sees of the board."""

from collections.abc import Sequence

import orjson

from hive.board.entry import Entry
from hive.board.media import without_bytes
from hive.cli.words import clean, gist

__all__ = ["shown"]

MOST = 12
"""Entries that are shown; `hive show` has all."""


def shown(entries: Sequence[Entry]) -> str:
    """The newest entries: in one line what can be told so, as JSON what is made of parts, so that
    it can be copied and changed."""
    newest = entries[-MOST:]
    lines = [f"({len(entries) - MOST} older entries are left out.)"] if newest != entries else []
    return "\n".join([*lines, *map(in_words, newest)])


def in_words(entry: Entry) -> str:
    """One entry: where it stands, whose it is, what it says."""
    data = without_bytes(orjson.loads(entry.body))
    said = orjson.dumps(data, option=orjson.OPT_INDENT_2).decode()
    nested = isinstance(data, dict) and any(has_parts(value) for value in data.values())
    text = clean(said) if nested else gist(entry.kind, data, 10_000)
    return f"[{entry.address}] {entry.kind} by {entry.author}\n{text}"


def has_parts(value: object) -> bool:
    """Whether a value is made of objects."""
    return isinstance(value, dict) or (
        isinstance(value, list) and any(isinstance(each, dict) for each in value)
    )
