"""An offline mind for the researcher: follows failing tests into the lines that they run."""

from collections.abc import Iterable
from typing import Literal

from hive import Finding
from hive.message import Request, ToolUse
from roles.offline.failures import (
    Failure,
    TestRun,
    by_file,
    counted,
    first_line,
    latest_run,
    listed,
    trouble,
)
from roles.offline.reading import called, offers, use
from roles.offline.suspects import (
    Function,
    Suspect,
    functions_in,
    names_called,
    sources_read,
    suspects,
)

__all__ = ["research"]

LINES_LOCATED = 150
FILES_READ = 8
LINES_READ = 150
MOST_EVIDENCE = 12
TESTS_CITED = 3

Confidence = Literal["low", "medium", "high"]


def research(request: Request) -> str | list[ToolUse]:
    """Locate, read, post what was found, and end."""
    looked = {call.tool for call in called(request)}
    if not looked:
        return first_look(request)
    run = latest_run(request)
    if run is None or run.green:
        return "No test fails: there is nothing to explain."
    if "read_file" not in looked and offers(request, "read_file"):
        return [
            use(request, "read_file", slot, path=path, lines=LINES_READ)
            for slot, path in enumerate(worth_reading(run, request))
        ]
    found = list(findings(run, request))
    if "post_Finding" not in looked:
        return [
            use(request, "post_Finding", slot, **finding.model_dump(mode="json"))
            for slot, finding in enumerate(found)
        ]
    return f"Posted {len(found)} findings on {len(run.failures)} failing tests."


def first_look(request: Request) -> list[ToolUse]:
    """The calls to begin with: where the faults may lie, and what fails where nobody knows yet."""
    calls = [use(request, "locate_faults", limit=LINES_LOCATED)]
    run = latest_run(request)
    if run is None or not run.complete:
        calls.append(use(request, "run_tests"))
    return [call for call in calls if offers(request, call.name)]


def worth_reading(run: TestRun, request: Request) -> list[str]:
    """The failing test files and the files under suspicion."""
    tests = list(by_file(run.failures))[:FILES_READ]
    places = [failure.path for failure in run.failures]
    sources = dict.fromkeys([*(suspect.path for suspect in suspects(request)), *places])
    return list(dict.fromkeys([*tests, *list(sources)[:FILES_READ]])) or ["."]


def findings(run: TestRun, request: Request) -> Iterable[Finding]:
    """One finding for each failing test file, and one for the lines that are suspicious anyway."""
    located = suspects(request)
    texts = sources_read(request)
    functions = functions_in({path: text for path, text in texts.items() if not is_test(path, run)})
    cited: set[tuple[str, int]] = set()
    for file, failures in by_file(run.failures).items():
        finding = explained(file, failures, texts.get(file, ""), functions, located)
        cited |= {(each.path, each.line) for each in finding.evidence}
        yield finding
    rest = [suspect for suspect in located if (suspect.path, suspect.line) not in cited]
    if rest:
        yield remaining(rest[:MOST_EVIDENCE])
    if not run.complete:
        yield Finding(
            claim=f"The suite does not run to its end: {trouble(run)}.",
            confidence="high",
        )


def explained(
    file: str,
    failures: list[Failure],
    text: str,
    functions: tuple[Function, ...],
    located: tuple[Suspect, ...],
) -> Finding:
    """Why the tests of a file fail, as far as the lines that they run show it."""
    names = dict.fromkeys(name for failure in failures for name in names_called(text, failure))
    concerned = [f for name in names for f in functions if f.name == name]
    inside = [s for s in located if any(function.holds(s) for function in concerned)]
    lines = inside or [s for s in located if s.path in {failure.path for failure in failures}]
    best = lines[0] if lines else None
    where = "no suspicious line of a source could be tied to that"
    elsewhere = next((f for f in failures if f.path != file), None)
    if best is None and elsewhere is not None:
        where = f"the way ends at {elsewhere.path}:{elsewhere.line}"
    if best is not None:
        around = next((f" in {f.name}" for f in concerned if f.holds(best)), "")
        where = f"the way leads through {best.path}:{best.line}{around}, a line that {run_by(best)}"
    said = listed(f"{f.id.rpartition('::')[2]} ({first_line(f.message, 120)})" for f in failures)
    number = counted(len(failures), "failing test", "failing tests")
    tests = [evidence for f in failures[:TESTS_CITED] for evidence in f.evidence]
    return Finding(
        claim=(f"{file} has {number}: {said}; {where}."),
        evidence=tuple([*tests, *(s.evidence for s in lines)][:MOST_EVIDENCE]),
        confidence=confidence(best),
    )


def remaining(rest: list[Suspect]) -> Finding:
    """Suspicious lines that no failing test could be tied to by name."""
    first = rest[0]
    return Finding(
        claim=(
            "Failing tests also run the lines cited here, the most suspicious first:"
            f" {first.path}:{first.line} is one that {run_by(first)}."
        ),
        evidence=tuple(suspect.evidence for suspect in rest),
        confidence="low",
    )


def run_by(suspect: Suspect) -> str:
    """Which tests run a line, in words."""
    failing = counted(suspect.failed, "failing test runs", "failing tests run")
    if not suspect.passed:
        return f"{failing} and no passing one"
    return f"{failing}, as {counted(suspect.passed, 'passing one does', 'passing ones do')}"


def confidence(best: Suspect | None) -> Confidence:
    """A line that no passing test runs is a likely culprit; one that many run is but a place."""
    if best is None:
        return "low"
    return "high" if not best.passed else "medium"


def is_test(path: str, run: TestRun) -> bool:
    return any(failure.file == path for failure in run.failures)
