"""Examples in docstrings are doctests, and they run."""

from __future__ import annotations

import ast
import doctest
import importlib
from pathlib import Path

import pytest

from tests.house import rules, tree

MODULES = [path for path in tree.modules("hive", "roles") if path.name != "__main__.py"]


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(tree.ROOT)))
def test_docstring_examples_run(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = path.read_text("utf-8")
    assert unrun_examples(source) == []
    if ">>> " not in source:
        return
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(tree.module_name(path))
    assert doctest.testmod(module, optionflags=doctest.ELLIPSIS).failed == 0


def test_a_planted_fence_in_a_docstring_is_found() -> None:
    assert unrun_examples('def run():\n    """Do.\n\n    ```python\n    run()\n    ```\n    """')


def unrun_examples(source: str) -> list[str]:
    """Owners of docstrings with a fenced Python block, which would never be executed."""
    return [owner for owner, text in rules.docstrings(ast.parse(source)) if "```python" in text]
