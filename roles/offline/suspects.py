"""Which functions a failing test goes through, and which of their lines are suspicious."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from hive import Evidence
from hive.message import Request
from roles.offline.failures import Failure
from roles.offline.reading import called

__all__ = ["Function", "Suspect", "functions_in", "names_called", "sources_read", "suspects"]


@dataclass(frozen=True, slots=True)
class Suspect:
    """A line that failing tests run: its score, and how many tests of either kind run it."""

    path: str
    line: int
    score: float
    failed: int
    passed: int
    text: str

    @property
    def evidence(self) -> Evidence:
        """The line, to be cited."""
        return Evidence(path=self.path, line=self.line, excerpt=self.text)


@dataclass(frozen=True, slots=True)
class Function:
    """A function of a source file, with its first and last line."""

    path: str
    name: str
    first: int
    last: int

    def holds(self, suspect: Suspect) -> bool:
        """Whether a suspicious line is one of its own."""
        return suspect.path == self.path and self.first <= suspect.line <= self.last


def suspects(request: Request) -> tuple[Suspect, ...]:
    """The suspicious lines that were located, best first.

    What every test runs, as what runs when modules are imported, points at nothing and comes last.
    """
    results = called(request, "locate_faults")
    every = max((int(result.value("tests_executed") or 0) for result in results), default=0)
    found = [
        Suspect(
            path=str(row["path"]),
            line=int(row["line"]),
            score=float(row["score"]),
            failed=int(row["failed"]),
            passed=int(row["passed"]),
            text=str(row["text"]),
        )
        for result in results
        for row in result.objects("lines", "path")
    ]
    return tuple(sorted(found, key=lambda s: s.failed + s.passed >= every))


def sources_read(request: Request) -> dict[str, str]:
    """Path to text, of the files that were read from their first line on."""
    texts: dict[str, str] = {}
    for call in called(request, "read_file"):
        text = call.value("text")
        if isinstance(text, str) and call.value("start") == 1:
            texts[str(call.arguments.get("path"))] = text
    return texts


def functions_in(texts: Mapping[str, str]) -> tuple[Function, ...]:
    """Every function and method of some sources."""
    return tuple(
        Function(path, node.name, node.lineno, node.end_lineno or node.lineno)
        for path, text in texts.items()
        for node in definitions(text)
    )


def names_called(text: str, failure: Failure) -> list[str]:
    """What a failing test calls by name, in order, through functions of its own file too."""
    nodes = {node.name: node for node in definitions(text)}
    name = failure.id.rpartition("::")[2].partition("[")[0]
    found: dict[str, None] = {}
    waiting = [name]
    while waiting:
        node = nodes.pop(waiting.pop(0), None)
        if node is None:
            continue
        arguments = [argument.arg for argument in node.args.args]  # fixtures, or so they may be
        for one in (*arguments, *calls_in(node)):
            found.setdefault(one)
            waiting.append(one)
    return list(found)


def calls_in(node: ast.AST) -> Iterator[str]:
    """The names of functions, methods and properties that a piece of code uses, in order."""
    used = (n for n in ast.walk(node) if isinstance(n, ast.Attribute | ast.Call))
    for use in sorted(used, key=lambda n: (n.lineno, n.col_offset)):
        if isinstance(use, ast.Attribute):
            yield use.attr
        elif isinstance(use.func, ast.Name):
            yield use.func.id


def definitions(text: str) -> Iterable[ast.FunctionDef | ast.AsyncFunctionDef]:
    """The functions of a source; none when it does not parse."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return ()
    return [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
