"""The doors: what each package exports, what importing it costs, and who may pass where."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house import rules, tree

NOT_LOADED = ("anthropic", "click", "genai_prices", "httpx2", "networkx", "openai", "rich")
PUBLIC = frozenset(
    {"hive.audit", "hive.control", "hive.errors", "hive.message", "hive.models", "hive.testing"}
    | {"hive.tools"}
)
DOORS = [path for path in tree.modules("hive", "roles") if path.name == "__init__.py"]


def door_name(path: Path) -> str:
    return tree.module_name(path)


@pytest.mark.parametrize("path", DOORS, ids=door_name)
def test_a_door_exports_exactly_what_it_binds(path: Path) -> None:
    door = importlib.import_module(tree.module_name(path))
    exported = list(getattr(door, "__all__", []))
    assert rules.door_complaints(path.read_text("utf-8"), exported) == []
    for name in exported:
        assert getattr(door, name, None) is not None, f"{door.__name__} promises {name}"


def test_the_root_door_is_narrow() -> None:
    exported = importlib.import_module("hive").__all__
    assert 0 < len(exported) <= rules.MOST_NAMES


def test_examples_and_roles_use_the_public_door() -> None:
    found = [
        f"{path.relative_to(tree.ROOT)}: {complaint}"
        for path in tree.python_files("roles", "examples")
        for complaint in rules.foreign_imports(path.read_text("utf-8"), allowed=PUBLIC)
    ]
    assert found == []


def test_import_hive_loads_no_provider_no_networkx_and_no_terminal() -> None:
    loaded, milliseconds = fresh_import("hive")
    print(f"import hive takes {milliseconds:.0f} ms in a fresh interpreter")
    assert loaded == set()


def test_a_planted_import_is_found() -> None:
    loaded, _ = fresh_import("click")
    assert loaded == {"click"}


@pytest.mark.parametrize(
    ("source", "exported"),
    [
        ("from hive.role import Role", []),
        ("", ["Role"]),
        ("from hive.role import Role", ["Role", "Role"]),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n  from .role import Role", []),
        ("def run(): ...", []),
    ],
)
def test_a_planted_difference_at_a_door_is_found(source: str, exported: list[str]) -> None:
    assert rules.door_complaints(source, exported)


def test_what_a_door_needs_for_itself_is_left_alone() -> None:
    source = "from typing import Any\nfrom .role import Role\n__all__ = ['Role']\n_cache: Any = 1"
    assert rules.door_complaints(source, ["Role"]) == []


@pytest.mark.parametrize(
    "planted", ["import hive.board", "from hive.control.guards.guard import posted"]
)
def test_a_planted_way_around_the_door_is_found(planted: str) -> None:
    assert rules.foreign_imports(planted, allowed=frozenset({"hive.testing"}))


def fresh_import(name: str) -> tuple[set[str], float]:
    """Which of `NOT_LOADED` are loaded after `import name`, and how long it took, in ms."""
    program = (
        "import json, sys, time; start = time.perf_counter(); "
        f"import {name}; took = time.perf_counter() - start; "
        "print(json.dumps([sorted(sys.modules), took]))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program], cwd=tree.ROOT, check=True, capture_output=True, text=True
    )
    modules, seconds = json.loads(answer.stdout)
    return set(modules) & set(NOT_LOADED), seconds * 1000
