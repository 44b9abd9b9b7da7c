"""The backend of one's own that the docs show is short, the example's, and told of in full.

That it passes the tests which the page shows with it, tests/docs finds out.
"""

import ast
import inspect
import re

from hive.testing import faults
from hive.testing.conformance.suite import ABILITIES
from tests.docs.pages import read_blocks
from tests.house import tree

PAGE = (tree.ROOT / "docs" / "backends.md").read_text("utf-8")
EXAMPLE = (tree.ROOT / "examples" / "own_backend.py").read_text("utf-8")
SHOWN = {block.file: block.text for block in read_blocks(PAGE) if block.file}


def code(text: str) -> str:
    """All after the imports."""
    return text[text.index("\nASKED = ") :].rstrip()


def test_the_page_shows_the_example() -> None:
    assert EXAMPLE[EXAMPLE.index("\nASKED = ") :].startswith(code(SHOWN["own_backend.py"]) + "\n")


def test_it_takes_thirty_lines() -> None:
    text = SHOWN["own_backend.py"]
    said = ast.parse(text).body
    counted = [node for node in said if not isinstance(node, ast.Import | ast.ImportFrom)]
    lines = {n for node in counted for n in spanned(node)}
    docstrings = {
        n
        for node in counted
        for inner in ast.walk(node)
        if isinstance(inner, ast.Expr) and isinstance(inner.value, ast.Constant)
        for n in spanned(inner)
    }
    code_lines = [n for n in lines - docstrings if text.splitlines()[n - 1].strip()]
    assert len(code_lines) <= 30


def spanned(node: ast.stmt) -> range:
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


def test_the_page_names_every_ability_and_every_fault() -> None:
    rows = re.findall(r"^\| `(\w+)", PAGE, re.MULTILINE)
    functions = [name for name in faults.__all__ if inspect.isfunction(getattr(faults, name))]
    assert sorted(rows) == sorted([*ABILITIES, *functions])
