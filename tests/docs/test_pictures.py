"""A picture of a graph on a page is that of the graph which the page makes: it is drawn anew.

`<!-- graph: NAME -->` above a ```mermaid block says which; `python -m tests.docs.test_pictures`
writes all of them into the pages.
"""

from __future__ import annotations

import contextlib
import re
import tempfile
from pathlib import Path

import pytest

from hive.control.graphs.draw import mermaid
from tests.docs.pages import Page, read_blocks
from tests.house import tree

PICTURE = re.compile(r"<!-- graph: (\w+) -->\n```mermaid\n(.*?)```", re.DOTALL)
PAGES = [page for page in tree.documents() if PICTURE.search(page.read_text("utf-8"))]


def drawn(path: Path, folder: Path) -> str:
    """The text of a page, with its pictures drawn from the graphs that its blocks make."""
    text = path.read_text("utf-8")
    page = Page(path, folder, read_blocks(text))
    page.run(len(page.blocks) - 1)
    made = vars(page.module)
    return PICTURE.sub(
        lambda found: f"<!-- graph: {found[1]} -->\n```mermaid\n{mermaid(made[found[1]])}```", text
    )


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_picture_is_of_its_graph(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert drawn(path, tmp_path) == path.read_text("utf-8")


def test_there_are_pictures_to_compare() -> None:
    assert len(PAGES) >= 3


if __name__ == "__main__":
    for each in PAGES:
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            each.write_text(drawn(each, Path(folder)), encoding="utf-8")
