"""What a test run showed, read from the board or from a tool's result."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hive import Evidence
from hive.message import Request
from roles.offline.reading import Called, Shown, called, newest

__all__ = [
    "Failure",
    "TestRun",
    "by_file",
    "counted",
    "first_line",
    "latest_run",
    "listed",
    "report_of",
    "run_of",
    "trouble",
]

MOST_LISTED = 5


@dataclass(frozen=True, slots=True)
class Failure:
    """One failing test: its id, what it said, and where."""

    id: str
    message: str
    path: str
    line: int
    excerpt: str

    @property
    def file(self) -> str:
        """The test file."""
        return self.id.partition("::")[0]

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """Where it failed, to be cited; nothing where no line is known."""
        if not self.excerpt:
            return ()
        return (Evidence(path=self.path, line=self.line, excerpt=self.excerpt),)


@dataclass(frozen=True, slots=True)
class TestRun:
    """A run of the suite. `passed` is a number; `problem` says why the run does not count."""

    __test__ = False

    digest: str
    passed: int
    failures: tuple[Failure, ...]
    lost: tuple[str, ...]
    complete: bool
    problem: str = ""
    output: str = ""

    @property
    def green(self) -> bool:
        """Whether the suite ran to its end, and everything passed and is still there."""
        return self.complete and self.passed > 0 and not self.failures and not self.lost


def run_of(result: Called) -> TestRun:
    """The run that a call of `run_tests` made."""
    if result.error:
        return TestRun("", 0, (), (), False, result.text or "the tests could not be run")
    passed = result.value("passed")
    executed = result.value("tests_executed")
    failures = failures_of(result.objects("failed", "id"))
    if not isinstance(passed, list):  # cut off: every test that ran and did not fail passed
        passed = range(max(0, (executed or 0) - len(failures)))
    return TestRun(
        digest=str(result.value("digest") or ""),
        passed=len(passed),
        failures=failures,
        lost=tuple(map(str, result.value("lost") or ())),
        complete=result.value("complete") is True,
        problem=str(result.value("problem") or ""),
        output=str(result.value("output_tail") or ""),
    )


def report_of(entry: Shown) -> TestRun:
    """The run that a TestReport on the board tells of."""
    passed = entry.value("passed")
    return TestRun(
        digest=str(entry.value("digest") or ""),
        passed=passed if isinstance(passed, int) else 0,
        failures=failures_of(entry.objects("failed", "excerpt")),
        lost=(),  # in a report they count among the failures
        complete=entry.value("complete") is True,
    )


def latest_run(request: Request) -> TestRun | None:
    """The newest full run that is known: of this conversation, or else of the board."""
    full = [call for call in called(request, "run_tests") if not call.arguments.get("tests")]
    if full:
        return run_of(full[-1])
    report = newest(request, "TestReport")
    return None if report is None else report_of(report)


def failures_of(rows: Iterable[Mapping[str, Any]]) -> tuple[Failure, ...]:
    return tuple(
        Failure(
            id=str(row["id"]),
            message=str(row.get("message", "")),
            path=str(row.get("path", "")),
            line=int(row.get("line") or 1),
            excerpt=str(row.get("excerpt", "")),
        )
        for row in rows
        if row.get("id")
    )


def by_file(failures: Iterable[Failure]) -> dict[str, list[Failure]]:
    """The failures of each test file, in the order of the report."""
    files: dict[str, list[Failure]] = {}
    for failure in failures:
        files.setdefault(failure.file, []).append(failure)
    return files


def trouble(run: TestRun) -> str:
    """Why a run that did not come to its end does not count."""
    return run.problem or first_line(run.output, 500) or "its report does not say why"


def counted(number: int, one: str, several: str) -> str:
    """A number with the words that fit it: `1 test fails`, `3 tests fail`."""
    return f"{number} {one if number == 1 else several}"


def first_line(text: str, longest: int = 200) -> str:
    """The first line of a text, cut off where it is long."""
    line = text.strip().split("\n")[0]
    return line if len(line) <= longest else line[:longest] + "…"


def listed(names: Iterable[str], most: int = MOST_LISTED) -> str:
    """Names in a row, the rest counted."""
    every = list(names)
    rest = len(every) - most
    return ", ".join(every[:most]) + (f" and {rest} more" if rest > 0 else "")
