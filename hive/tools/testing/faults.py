"""Where failing tests go and passing tests rarely do (floor 2): spectrum-based fault localisation.

The score is Ochiai's (Abreu, Zoeteweij and van Gemund, 2007): failed / sqrt(all failed × (failed +
passed)), counted over the tests that execute a line.
"""

import ast
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from hive.errors import ToolError
from hive.tools import sandbox
from hive.tools.call import Call
from hive.tools.edits import Document
from hive.tools.testing.reports import known_timeouts
from hive.tools.testing.suite import copy_of, start
from hive.tools.tool import tool
from hive.tools.workspace import Workspace

__all__ = ["locate_faults"]

SECONDS = 110.0
TEST_SECONDS = 2.0
"""CPU seconds of a test; what it executed until then counts."""

Lines = Mapping[str, Iterable[int]]


@dataclass(frozen=True, slots=True)
class Spectrum:
    """Which tests fail, which pass, and which lines each of them executes."""

    failing: tuple[str, ...]
    passing: tuple[str, ...]
    lines: Mapping[str, Lines]
    """Test id to path to lines; "" for what runs while modules are imported."""

    def counts(self) -> dict[tuple[str, int], tuple[int, int]]:
        """(path, line) to how many failing and how many passing tests execute it."""
        counts: dict[tuple[str, int], tuple[int, int]] = {}
        for tests, step in ((self.failing, (1, 0)), (self.passing, (0, 1))):
            for test in tests:
                for place in places(self.lines.get(test, {})):
                    failed, passed = counts.get(place, (0, 0))
                    counts[place] = (failed + step[0], passed + step[1])
        for place in places(self.lines.get("", {})):
            counts.setdefault(place, (len(self.failing), len(self.passing)))
        return counts

    def score(self, failed: int, passed: int) -> float:
        """Ochiai's suspiciousness, from 0 to 1."""
        executed = len(self.failing) * (failed + passed)
        return failed / math.sqrt(executed) if executed else 0.0


@tool(effect="write", repeat="safe", timeout=SECONDS + 10)
async def locate_faults(
    call: Call,
    limit: Annotated[int, Field(ge=1, le=1000, description="Most lines to give")] = 60,
) -> dict[str, Any]:
    """Rank the lines that failing tests execute and passing tests rarely do, best first.

    Runs the whole suite with line coverage of each test; read-only files are left out.
    """
    # Effect and repeat for the same reasons as run_tests.
    workspace = call.require_workspace()
    async with sandbox.scratch() as scratch:
        copy = await copy_of(workspace, scratch)
        hasty = known_timeouts(call, copy.digest)
        report = await start(
            copy, scratch, "lines", SECONDS, test_seconds=TEST_SECONDS, hasty=hasty
        )
        results = report.of("result")
        if not results:
            raise ToolError(f"the suite could not be run: {report.output[-1000:]}")
        outcomes = results[-1]["outcomes"]
        spectrum = Spectrum(
            tuple(each["id"] for each in outcomes if each["outcome"] == "failed"),
            tuple(each["id"] for each in outcomes if each["outcome"] == "passed"),
            results[-1]["lines"],
        )
        lines = ranked(copy.workspace, spectrum)
    return {
        "lines": lines[:limit],
        "failing": list(spectrum.failing),
        "tests_executed": sum("::" in each["id"] for each in outcomes),
    }


def ranked(workspace: Workspace, spectrum: Spectrum) -> list[dict[str, Any]]:
    """The suspicious lines with their text, best first; ties in the order of the files."""
    sources = Sources(workspace)
    during_import = set(places(spectrum.lines.get("", {})))
    found = []
    for (path, line), (failed, passed) in spectrum.counts().items():
        imported = (path, line) in during_import
        if failed and sources.shows(path, line, imported):
            score = round(spectrum.score(failed, passed), 4)
            text = sources.lines(path)[line - 1]
            row = {"path": path, "line": line, "score": score, "failed": failed, "passed": passed}
            found.append((-score, imported, path, line, {**row, "text": text}))
    return [row for *_, row in sorted(found, key=lambda each: each[:4])]


class Sources:
    """The sources that a repair may change, read once."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._lines: dict[str, list[str]] = {}
        self._idle: dict[str, set[int]] = {}

    def lines(self, path: str) -> list[str]:
        """A file's lines; none for one that is read-only or no text."""
        if path not in self._lines:
            self._lines[path] = self._read(path)
        return self._lines[path]

    def shows(self, path: str, line: int, imported: bool) -> bool:
        """Whether a line is worth showing: it is there, and does more than introduce a name."""
        if not 1 <= line <= len(self.lines(path)):
            return False
        if not imported:
            return True
        if path not in self._idle:
            self._idle[path] = idle_lines("\n".join(self.lines(path)))
        return line not in self._idle[path]

    def _read(self, path: str) -> list[str]:
        try:
            if self._workspace.is_protected(path):
                return []
            return Document.parse(path, self._workspace.read(path)).text.split("\n")
        except ToolError:
            return []


def idle_lines(source: str) -> set[int]:
    """Lines of imports, docstrings and the heads of functions and classes."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return set()
    idle: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            idle.update(range(node.lineno, node.body[0].lineno))
        elif isinstance(node, ast.stmt) and is_idle(node):
            idle.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return idle


def is_idle(statement: ast.stmt) -> bool:
    """Whether a statement is an import, or nothing but a text, as docstrings are."""
    match statement:
        case ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Constant(value=str())):
            return True
        case _:
            return False


def places(lines: Lines) -> Iterable[tuple[str, int]]:
    return ((path, line) for path, numbers in lines.items() for line in numbers)
