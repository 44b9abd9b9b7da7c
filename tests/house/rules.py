"""The house's conventions as pure functions: text in, complaints out, an empty list if all is well.

The tests beside this file apply each of them to the house, and to a planted breach.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator

MOST_LINES = 400
MOST_NAMES = 50

WORDS_NOT_USED = frozenset(
    {"manager", "helper", "util", "handler", "crew", "kickoff"}
    | {"managers", "helpers", "utils", "handlers", "crews", "kickoffs"}
)
NAMES_NOT_USED = frozenset({"context"})

# Written so that no pattern matches its own source.
_STRANGERS = {
    "a registry's address": r"pypi[.]org|python[h]osted|--(?:extra-)?inde[x]-url|/simp[l]e/",
    "a path of one machine": r"(?<![\w.~*>-])/(?:root|work|home|Users)/(?!user\b|you\b)\w",
    "a ticket's number": r"\bissues?\s+#?[0-9]+\b|\b(?:[Ss]ee|[Ff]ixes|[Cc]loses)\s+#[0-9]+\b",
    "how the project is written": (
        r"(?i)\b(?:coding|agent|working|previous|earlier) sessions?\b|\bco-authore[d]-by\b|"
        r"\b(?:generated|written) (?:by|with) (?:an? )?(?:ai|llm|chatgpt|copilot|claude)\b|"
        r"\bshare[d]/(?:design|style)\b|\bthe brie[f]\b"
    ),
}


def size_complaints(text: str) -> list[str]:
    """A file of more than `MOST_LINES` lines has more than one duty."""
    lines = len(text.splitlines())
    return [f"{lines} lines, at most {MOST_LINES}"] if lines > MOST_LINES else []


def stranger_complaints(text: str) -> list[str]:
    """What does not belong into any committed file: addresses, machines, the making of it."""
    return [
        f"line {number}: {what}: {match.group()!r}"
        for number, line in enumerate(text.splitlines(), 1)
        for what, pattern in _STRANGERS.items()
        for match in re.finditer(pattern, line)
    ]


def identifier_complaints(source: str) -> list[str]:
    """Names the file itself gives that the glossary does not use; names of others are theirs."""
    return [
        f"line {line}: {name!r} is not in the glossary"
        for line, name in _given_names(ast.parse(source))
        if name in NAMES_NOT_USED or WORDS_NOT_USED & set(_words(name))
    ]


def prose_complaints(text: str) -> list[str]:
    """Words of a text that the glossary does not use.

    Python's own term "context manager" may be used, and so may a line that begins "Not used:".
    """
    complaints = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip("*_ ").startswith("Not used:"):
            continue
        ours = re.sub(r"context managers?", "", line, flags=re.IGNORECASE)
        for word in re.findall(r"(?<![\w.])[A-Za-z]+(?![\w(])", ours):
            if word.lower() in WORDS_NOT_USED:
                complaints.append(f"line {number}: {word!r} is not in the glossary")
    return complaints


def docstring_complaints(source: str) -> list[str]:
    """Words in the file's docstrings that the glossary does not use."""
    return [
        f"{owner}: {complaint}"
        for owner, text in docstrings(ast.parse(source))
        for complaint in prose_complaints(text)
    ]


def docstrings(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Every docstring of the module with the name of its owner."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield getattr(node, "name", "module"), text


def door_complaints(source: str, exported: list[str]) -> list[str]:
    """Differences between what the door's source binds publicly and its `__all__`."""
    bound = public_bindings(ast.parse(source))
    declared = set(exported) - {"__version__"}
    return [
        *(f"{name} is bound but not in __all__" for name in sorted(bound - declared)),
        *(f"{name} is in __all__ but nothing binds it" for name in sorted(declared - bound)),
        *(f"{name} is twice in __all__" for name in sorted(_doubles(exported))),
    ]


def public_bindings(tree: ast.Module) -> set[str]:
    """Public names that the module binds at its top, also under `if TYPE_CHECKING`.

    What comes from the standard library is a means of the door, not a part of it.
    """
    names: set[str] = set()
    for node in _top_level(tree.body):
        match node:
            case ast.ImportFrom(module=module, level=level):
                if level or (module or "").split(".")[0] not in sys.stdlib_module_names:
                    names |= {alias.asname or alias.name for alias in node.names}
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                names.add(node.name)
            case ast.Assign() | ast.AnnAssign():
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return {name for name in names if not name.startswith("_")}


def foreign_imports(source: str, allowed: frozenset[str], guarded: str = "hive") -> list[str]:
    """Imports of modules below `guarded` that are neither it nor among `allowed`."""
    complaints = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            targets = [node.module or ""]
        else:
            continue
        complaints += [
            f"line {node.lineno}: {target} lies behind the door"
            for target in targets
            if target.startswith(f"{guarded}.") and target not in allowed
        ]
    return complaints


def _top_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        if isinstance(node, ast.If):
            yield from _top_level(node.body + node.orelse)
        elif isinstance(node, ast.Try):
            yield from _top_level(node.body + node.orelse + node.finalbody)
        else:
            yield node


def _given_names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.lineno, node.name
            case ast.arg():
                yield node.lineno, node.arg
            case ast.Name(ctx=ast.Store()):
                yield node.lineno, node.id
            case ast.Attribute(ctx=ast.Store()):
                yield node.lineno, node.attr
            case ast.Import() | ast.ImportFrom():
                yield from ((node.lineno, alias.asname) for alias in node.names if alias.asname)


def _words(name: str) -> list[str]:
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)]


def _doubles(names: list[str]) -> set[str]:
    return {name for name in names if names.count(name) > 1}
