"""What every file in the house keeps to: its size, its words, and what it says of the outside."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.house import rules, tree

HOUSE = ("hive", "roles", "tests", "examples")


def complaints(path: Path, found: list[str]) -> list[str]:
    return [f"{path.relative_to(tree.ROOT)}: {complaint}" for complaint in found]


def test_the_rules_are_applied_to_something() -> None:
    assert tree.ROOT / "tests/house/rules.py" in set(tree.python_files("tests"))
    assert tree.ROOT / "pyproject.toml" in tree.tracked_files()
    assert tree.ROOT / "CHANGELOG.md" in tree.documents()
    assert tree.ROOT / "hive/errors.py" in set(tree.python_files("hive"))


def test_a_file_has_one_duty_and_fits() -> None:
    found = [
        complaint
        for path in tree.python_files("hive", "roles")
        for complaint in complaints(path, rules.size_complaints(path.read_text("utf-8")))
    ]
    assert found == []


def test_names_come_from_the_glossary() -> None:
    found = [
        complaint
        for path in tree.python_files(*HOUSE)
        if "tests/repair/bugs" not in path.as_posix()
        for complaint in complaints(path, rules.identifier_complaints(path.read_text("utf-8")))
    ]
    assert found == []


def test_modules_are_named_from_the_glossary() -> None:
    found = [
        str(path.relative_to(tree.ROOT))
        for path in tree.python_files(*HOUSE)
        if rules.identifier_complaints(f"{path.stem} = {path.parent.name} = 0")
    ]
    assert found == []


def test_docs_and_docstrings_use_the_glossary() -> None:
    found = [
        complaint
        for path in tree.documents()
        for complaint in complaints(path, rules.prose_complaints(path.read_text("utf-8")))
    ]
    found += [
        complaint
        for path in tree.python_files("hive", "roles", "examples")
        for complaint in complaints(path, rules.docstring_complaints(path.read_text("utf-8")))
    ]
    assert found == []


def test_tracked_files_name_no_registry_no_machine_and_not_their_making() -> None:
    found = []
    for path in tree.tracked_files():
        text = path.read_text("utf-8", errors="replace")
        found += complaints(path, rules.stranger_complaints(text))
        for place in {str(tree.ROOT), str(Path.home())} - {"/"}:
            if f"{place}/" in text:
                found += complaints(path, [f"contains {place}"])
    assert found == []


@pytest.mark.parametrize(
    "planted",
    [
        "def build_manager(): ...",
        "class RetryHandler: ...",
        "def run(context): ...",
        "self.path_utils = 3",
        "import numpy as helper",
        "for crew in range(3): ...",
    ],
)
def test_a_planted_name_is_found(planted: str) -> None:
    assert rules.identifier_complaints(planted)


@pytest.mark.parametrize(
    "allowed",
    [
        "@contextmanager\ndef opened(): ...",
        "loop.add_signal_handler(2, stop)",
        "class Screen(rich.console.Console): view_context_window = 3",
        "screwdriver = utility = 1",
    ],
)
def test_a_foreign_or_longer_name_is_left_alone(allowed: str) -> None:
    assert rules.identifier_complaints(allowed) == []


@pytest.mark.parametrize(
    "planted", ["The helper does it.", "Two managers meet.", "Kickoff is at nine."]
)
def test_a_planted_word_is_found(planted: str) -> None:
    assert rules.prose_complaints(planted)
    assert rules.docstring_complaints(f'def run():\n    """{planted}"""')


@pytest.mark.parametrize(
    "allowed",
    ["An async context manager.", "Not used: manager, crew.", "`loop.handler()` is not ours."],
)
def test_a_foreign_word_is_left_alone(allowed: str) -> None:
    assert rules.prose_complaints(allowed) == []


@pytest.mark.parametrize(
    "planted",
    [
        "https://pypi" + ".org/simple",
        "--extra-index" + "-url x",
        "cd /ro" + "ot/project",
        "open('/wo" + "rk/main/x')",
        "as issue" + " 7 says",
        "fixes" + " #12",
        "from an earlier" + " session",
        "Co-authored" + "-by: someone",
    ],
)
def test_a_planted_stranger_is_found(planted: str) -> None:
    assert rules.stranger_complaints(planted)


@pytest.mark.parametrize(
    "allowed", ["a user's session", "session group", "entries/work/done", "~/work/notes", "/tmp/x"]
)
def test_what_only_looks_like_a_stranger_is_left_alone(allowed: str) -> None:
    assert rules.stranger_complaints(allowed) == []


def test_a_planted_long_file_is_found() -> None:
    assert rules.size_complaints("x\n" * 401)
    assert rules.size_complaints("x\n" * 400) == []
