"""The glossary's words exist: what its last column names can be imported."""

from __future__ import annotations

import importlib
import re

import pytest

from tests.house import tree

PAGE = tree.ROOT / "docs/glossary.md"


def rows(text: str) -> list[tuple[str, str]]:
    """The words of the page's tables with what they are in the code."""
    found = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return [(row[0], row[-1]) for row in found if row[0] != "word"]


def lookup(name: str) -> object:
    """The module, class or attribute of a dotted name. Raises AttributeError and ImportError."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        try:
            value: object = importlib.import_module(".".join(parts[:count]))
        except ModuleNotFoundError:
            continue
        for part in parts[count:]:
            fields = {*getattr(value, "__annotations__", ()), *getattr(value, "__slots__", ())}
            value = part if part in fields else getattr(value, part)
        return value
    raise ImportError(name)


@pytest.mark.parametrize(("word", "code"), rows(PAGE.read_text("utf-8")))
def test_a_word_names_what_is_there(word: str, code: str) -> None:
    names = re.findall(r"`([^`]+)`", code)
    assert names, f"{word}: say what it is in the code"
    for name in names:
        lookup(name)


def test_no_word_has_two_rows() -> None:
    words = [word for word, _ in rows(PAGE.read_text("utf-8"))]
    assert sorted(words) == sorted(set(words))


@pytest.mark.parametrize("planted", ["hive.Manager", "hive.board.nowhere.Entry", "nowhere"])
def test_a_planted_name_that_is_not_there_is_found(planted: str) -> None:
    with pytest.raises((AttributeError, ImportError)):
        lookup(planted)
