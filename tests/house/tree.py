"""Where the house stands: its root, its Python files and the files under version control."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def modules(*folders: str) -> Iterator[Path]:
    """The importable Python files under `folders`: every parent up to the root is a package.

    Files that are data (a demo project inside `roles`) are left out, because nothing imports them.
    """
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            parents = list(path.relative_to(ROOT).parents)[:-1]
            if all((ROOT / parent / "__init__.py").is_file() for parent in parents):
                yield path


def python_files(*folders: str) -> Iterator[Path]:
    """Every Python file under `folders`, data included."""
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def module_name(path: Path) -> str:
    """The dotted name under which the file at `path` is imported."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def documents() -> list[Path]:
    """The pages written for readers."""
    pages = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [page for page in pages if page.is_file()]


def tracked_files() -> list[Path]:
    """The text files under version control, as they are in the working tree."""
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    return [ROOT / name for name in listing.split("\0") if name and (ROOT / name).is_file()]
