"""Links between the pages lead somewhere: to a file that is there, and to a heading that it has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.house import tree

LINK = re.compile(r"\]\((?!https?:)([^)\s#]*)(?:#([^)\s]+))?\)")


@pytest.mark.parametrize("page", tree.documents(), ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    assert astray(page) == []


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    page, other = tmp_path / "page.md", tmp_path / "other.md"
    other.write_text("# What `it` says, twice\n", encoding="utf-8")
    page.write_text(
        "[a](other.md#what-it-says-twice) [b](none.md) [c](other.md#it) [d](#here)\n## Here\n",
        encoding="utf-8",
    )
    assert astray(page) == ["none.md", "other.md#it"]


def astray(page: Path) -> list[str]:
    """The links of a page to what is not there."""
    found = []
    for place, heading in LINK.findall(page.read_text("utf-8")):
        there = page.parent / place if place else page
        known = not heading or (there.suffix == ".md" and heading in headings(there))
        if not (there.exists() and known):
            found.append(f"{place}#{heading}" if heading else place)
    return found


def headings(page: Path) -> set[str]:
    """The headings of a page, as links name them."""
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    said = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in said}
