"""Which files no tool may write (floor 2): what decides whether the tests pass.

Tests and their configuration are protected by their names, also by names that pytest's own
configuration gives. A new module that would stand in for one the tests rely on, `math.py` beside
the sources, say, is refused too. Doctests stand in the sources and cannot be protected.
"""

import sys
import sysconfig
from functools import lru_cache
from importlib.machinery import PathFinder, all_suffixes
from pathlib import Path
from typing import Any

from hive.errors import ToolRefused
from hive.tools.paths import cached, matcher

__all__ = ["Protection", "configured_globs"]


class Protection:
    """What may be written, by path alone; `globs` as `hive.tools.paths.matcher` reads them."""

    def __init__(self, globs: tuple[str, ...]) -> None:
        self._match = matcher(globs)

    def protects(self, parts: tuple[str, ...]) -> bool:
        """Whether a file is for reading only."""
        return self._match(parts, False)

    def check(self, text: str, parts: tuple[str, ...]) -> None:
        """Raise ToolRefused when no tool may write there."""
        if not parts:
            raise ToolRefused(f"{text!r} is the workspace itself, not a file")
        if self.protects(parts):
            raise ToolRefused(
                f"{text!r} is read-only: tests and test configuration decide whether the work is"
                " done, so only the user changes them; change the code they test"
            )
        if cached(parts):
            raise ToolRefused(f"{text!r} lies where programs keep caches; nothing is written there")

    def check_new(self, text: str, parts: tuple[str, ...]) -> None:
        """Raise ToolRefused when a new file outside packages would hide an installed module."""
        name = module_name(parts)
        if name is not None and is_installed(name):
            raise ToolRefused(
                f"a new file {text!r} would stand in for the module {name!r}, on which tests may"
                " rely; choose another name"
            )


def module_name(parts: tuple[str, ...]) -> str | None:
    """The name under which a file is imported when its folder is on the import path."""
    for suffix in all_suffixes():
        if parts[-1].endswith(suffix):
            stem = parts[-1].removesuffix(suffix)
            if stem != "__init__":
                return stem
            return parts[-2] if len(parts) > 1 else None
    return None


@lru_cache(maxsize=1024)
def is_installed(name: str) -> bool:
    """Whether the standard library or an installed distribution has a module of that name."""
    if name in sys.stdlib_module_names:
        return True
    places = [sysconfig.get_path(key) for key in ("purelib", "platlib")]
    spec = PathFinder.find_spec(name, places) if name.isidentifier() else None
    return spec is not None and spec.origin is not None


def configured_globs(root: Path) -> tuple[str, ...]:
    """The names of test files that pytest's configuration in a folder adds to the usual ones."""
    found: list[str] = []
    for name in ("pytest.ini", ".pytest.ini", "tox.ini", "setup.cfg"):
        section = "tool:pytest" if name == "setup.cfg" else "pytest"
        found += ini_value(root / name, section)
    for name in ("pyproject.toml", "pytest.toml", ".pytest.toml"):
        found += toml_value(root / name)
    return tuple(glob for glob in found if glob.endswith(".py") and glob != "*.py")


def ini_value(file: Path, section: str) -> list[str]:
    import configparser

    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    try:
        parser.read_string(file.read_text(encoding="utf-8"))
        return parser.get(section, "python_files", fallback="").split()
    except (OSError, UnicodeDecodeError, configparser.Error):  # pytest will say what is wrong
        return []


def toml_value(file: Path) -> list[str]:
    import tomllib

    try:
        document: Any = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):  # pytest will say what is wrong
        return []
    pytest = document.get("pytest", document.get("tool", {}).get("pytest", {}))
    value = {**pytest, **pytest.get("ini_options", {})}.get("python_files", [])
    return value.split() if isinstance(value, str) else [str(glob) for glob in value]
