"""What a path inside a workspace may be (floor 2): pure text rules, no file system.

Paths are relative and use "/". Whoever walks the file system applies these first and follows no
link afterwards (`hive.tools.workspace`).
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import lru_cache

from hive.errors import ToolRefused

__all__ = [
    "CACHES",
    "PROTECTED",
    "cached",
    "fault",
    "glob_test",
    "hidden",
    "matcher",
    "parse_path",
    "plain",
]

PROTECTED = (
    "tests/",
    "test/",
    "test_*.py",
    "*_test.py",
    "tests.py",
    "conftest.py",
    "pytest.ini",
    ".pytest.ini",
    "pytest.toml",
    ".pytest.toml",
    "pyproject.toml",
    "setup.cfg",
    "tox.ini",
    ".coveragerc",
    ".coveragerc.toml",
    "sitecustomize.py",
    "usercustomize.py",
    "*.pth",
)
"""What decides whether the tests pass: readable, never written by a tool."""

CACHES = (
    "__pycache__/",
    ".pytest_cache/",
    ".mypy_cache/",
    ".ruff_cache/",
    ".hypothesis/",
    ".venv/",
    ".tox/",
    ".nox/",
    ".eggs/",
    "node_modules/",
    "*.pyc",
    "*.pyo",
    ".coverage",
    ".coverage.*",
    ".ds_store",
)
"""What programs leave behind: in no digest, no listing and no copy, and not written by a tool."""

HIDDEN = frozenset({".git", ".hive", "git~1", "hive~1"})
TEMPORARY = ".hive-"
LONGEST = 4096

Test = Callable[[str], bool]


def parse_path(text: str) -> tuple[str, ...]:
    """The parts of a relative path; () for the workspace itself.

    Raises ToolRefused for what is absolute, climbs with "..", uses "\\\\" or a drive, holds control
    characters or text that is no Unicode, or names a hidden folder.
    """
    problem = fault(text)
    if problem:
        raise ToolRefused(
            f"path {text[:200]!r} {problem}; give a path relative to the workspace, like 'src/a.py'"
        )
    parts = tuple(part for part in text.split("/") if part not in ("", "."))
    for part in parts:
        if hidden(part):
            raise ToolRefused(
                f"path {text[:200]!r} is out of reach: {part!r} is not part of the work"
            )
    return parts


def fault(text: str) -> str | None:
    """What is wrong with the form of a path, or None."""
    if len(text) > LONGEST:
        return f"is longer than {LONGEST} characters"
    if text.startswith("/"):
        return "is absolute"
    if "\\" in text:
        return "uses backslashes"
    if re.match(r"[A-Za-z]:", text):
        return "names a drive"
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        return "holds characters that no file name should have"
    if ".." in text.split("/"):
        return "climbs out with '..'"
    return None


@lru_cache(maxsize=4096)
def plain(name: str) -> str:
    """A name as the most lenient file system would read it.

    Some fold case and Unicode forms, skip invisible characters, drop trailing dots and spaces, or
    take what follows a colon for a stream; ".GIT", ".g\\u200dit" and ".git." may all open ".git".
    """
    folded = unicodedata.normalize("NFKC", name)
    visible = "".join(c for c in folded if unicodedata.category(c) not in ("Cf", "Mn", "Me"))
    return visible.casefold().partition(":")[0].rstrip(". ")


@lru_cache(maxsize=4096)
def hidden(name: str) -> bool:
    """Whether a name is out of every tool's reach: version control and Hive's own records."""
    if name in (".", ".."):
        return False
    simple = plain(name)
    return simple in HIDDEN or simple.startswith(TEMPORARY)


@lru_cache(maxsize=4096)
def cached(parts: tuple[str, ...], folder: bool = False) -> bool:
    """Whether a path is something that programs leave behind."""
    return _caches(parts, folder)


def matcher(globs: tuple[str, ...]) -> Callable[[tuple[str, ...], bool], bool]:
    """A test for paths that fit one of the globs: (parts, whether they name a folder) -> fits.

    "name/" is a folder at any depth with all it holds, "*.x" a file's name at any depth, and a
    glob with "/" inside it the whole path. Case and Unicode forms do not matter.
    """
    folders = alternatives(glob[:-1] for glob in globs if glob.endswith("/"))
    names = alternatives(glob for glob in globs if "/" not in glob)
    whole = alternatives(glob for glob in globs if "/" in glob[:-1])

    def match(parts: tuple[str, ...], folder: bool) -> bool:
        simple = [plain(part) for part in parts]
        if any(map(folders, simple if folder else simple[:-1])):
            return True
        return not folder and bool(simple) and (names(simple[-1]) or whole("/".join(simple)))

    return match


def alternatives(globs: Iterable[str]) -> Test:
    """A test for texts that fit one of the globs, lower case."""
    patterns = [translate(plain(glob)) for glob in globs]
    if not patterns:
        return lambda text: False
    compiled = re.compile("|".join(patterns), re.DOTALL)
    return lambda text: compiled.fullmatch(text) is not None


def glob_test(glob: str) -> Test:
    """A test for whole paths: `*` and `?` stay within a folder, `**` crosses any number of them.

    A glob without "/" is tried on the file's name alone, as a person would mean it.
    """
    compiled = re.compile(translate(glob.removeprefix("./")), re.DOTALL)
    if "/" in glob:
        return lambda path: compiled.fullmatch(path) is not None
    return lambda path: compiled.fullmatch(path.rpartition("/")[2]) is not None


def translate(glob: str) -> str:
    """A glob as a regular expression for the whole text."""
    pieces = re.findall(r"\*\*/|\*\*|\*|\?|\[[!^]?[^\]]+\]|.", glob, re.DOTALL)
    return "".join(translated(piece) for piece in pieces)


def translated(piece: str) -> str:
    fixed = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    if piece in fixed:
        return fixed[piece]
    if piece.startswith("[") and len(piece) > 1:
        return character_class(piece)
    return re.escape(piece)


def character_class(piece: str) -> str:
    """`[ab]` or `[!ab]`; what makes no sense as a class is read letter by letter."""
    negated = piece[1] in "!^"
    body = re.sub(r"([\\\[\]^&~|])", r"\\\1", piece[2 if negated else 1 : -1])
    written = f"[{'^/' if negated else ''}{body}]"
    try:
        if "--" not in body:  # kept for set operations that may come
            re.compile(written)
            return written
    except re.error:
        pass
    return re.escape(piece)


_caches = matcher(CACHES)
