"""What is read of a TOML file (models floor), with complaints that say where something is wrong."""

import difflib
import re
import tomllib
from collections.abc import Collection, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn

from hive.errors import DeclarationError

__all__ = ["TomlFile"]

HEADER = re.compile(r"\s*\[([^\[\]].*)\]\s*(?:#.*)?")
SECRET = re.compile(r"(?i)(api_?key|token|secret|password|bearer|authorization)")


class TomlFile:
    """A file that was read; numbers with a point are Decimal. Raises DeclarationError for one that
    cannot be read or is no TOML."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.text = path.read_text("utf-8")
            self.data: dict[str, Any] = tomllib.loads(self.text, parse_float=Decimal)
        except OSError as error:
            raise DeclarationError(f"{path} cannot be read: {error.strerror}") from error
        except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            what = "it is no text in UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
            raise DeclarationError(f"{path} is no TOML: {what}") from None

    def table(self, *keys: str, known: Collection[str] = ()) -> Mapping[str, Any]:
        """The table at some keys, empty where there is none; with `known`, all that may be in it.
        Raises DeclarationError for something else."""
        found: Any = self.data
        for number, key in enumerate(keys, 1):
            found = found.get(key, {})
            if not isinstance(found, Mapping):
                self.wrong(keys[:number], f"must be a table, [{dotted(keys[:number])}]")
        for key in found if known else ():
            if key not in known:
                self.wrong((*keys, key), unknown(key, known))
        return dict(found)

    def word(self, *keys: str) -> str | None:
        """The text at some keys, None where there is none. Raises DeclarationError for no text."""
        found = self.table(*keys[:-1]).get(keys[-1])
        if found is not None and (not isinstance(found, str) or not found.strip()):
            self.wrong(keys, "must be a text in quotes")
        return None if found is None else str(found).strip()

    def number(self, *keys: str, least: int, whole: bool = True) -> Decimal | None:
        """The number at some keys, None where there is none. Raises DeclarationError for one that
        is too small or not whole, and for no number."""
        found = self.table(*keys[:-1]).get(keys[-1])
        if found is None:
            return None
        fits = isinstance(found, int if whole else (int, Decimal)) and not isinstance(found, bool)
        if not fits or not Decimal(found).is_finite() or found < least:
            self.wrong(keys, f"must be a {'whole ' if whole else ''}number from {least} on")
        return Decimal(found)

    def words(self, *keys: str, known: Collection[str]) -> frozenset[str] | None:
        """The list of texts at some keys, each one of the known; None where there is none. Raises
        DeclarationError for anything else."""
        found = self.table(*keys[:-1]).get(keys[-1])
        if found is None:
            return None
        if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
            self.wrong(keys, "must be a list of texts")
        for each in found:
            if each not in known:
                self.wrong(keys, f"names {each!r}; {near(each, known)}")
        return frozenset(found)

    def wrong(self, keys: Collection[str], problem: str) -> NoReturn:
        """Raise DeclarationError: where it stands in the file, and what is wrong with it."""
        raise DeclarationError(f"{self.where(tuple(keys))}: {dotted(keys)} {problem}")

    def where(self, keys: tuple[str, ...]) -> str:
        """The file, and the line in which a key stands, or its table does."""
        found = None
        table: tuple[str, ...] = ()
        for number, line in enumerate(self.text.splitlines(), 1):
            header = HEADER.fullmatch(line)
            here = table + assigned(line) if header is None else split(header.group(1))
            if header is not None:
                table = here
            if here == keys:
                return f"{self.path}, line {number}"
            if found is None and here and here == keys[: len(here)]:
                found = number
        return f"{self.path}, line {found}" if found else str(self.path)


def unknown(key: str, known: Collection[str]) -> str:
    """What to say of a key that nobody reads."""
    if SECRET.search(key):
        return (
            'is not read: no secret belongs into this file; say key = "MY_KEY", the name of the'
            " environment variable that holds it"
        )
    return f"is not known; {near(key, known)}"


def near(written: str, known: Collection[str]) -> str:
    """What may have been meant, and what there is."""
    found = difflib.get_close_matches(written, list(known), 1, 0.6)
    return f"{f'did you mean {found[0]!r}? ' if found else ''}there are {', '.join(sorted(known))}"


def dotted(keys: Collection[str]) -> str:
    """Keys as they are written in a file."""
    return ".".join(key if re.fullmatch(r"[\w-]+", key) else f'"{key}"' for key in keys)


def split(written: str) -> tuple[str, ...]:
    """The keys that a line of a file means by what stands in a header or before the sign."""
    try:
        found: Any = tomllib.loads(f"{written} = 0")
    except tomllib.TOMLDecodeError:
        return ()
    keys: list[str] = []
    while isinstance(found, dict):
        ((key, found),) = found.items()
        keys.append(key)
    return tuple(keys)


def assigned(line: str) -> tuple[str, ...]:
    """The keys that a line gives a value."""
    quoted = re.match(
        r"""\s*((?:"[^"]*"|'[^']*'|[\w-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[\w-]+))*)\s*=""", line
    )
    return split(quoted.group(1)) if quoted else ()
