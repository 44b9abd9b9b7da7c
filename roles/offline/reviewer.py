"""An offline mind for the reviewer: tests the work itself and holds it against the evidence."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from hive import Evidence, Review
from hive.message import Request, ToolUse
from roles.offline.failures import TestRun, counted, first_line, latest_run, listed, trouble
from roles.offline.reading import called, entries, offers, use
from roles.patch import Patch

__all__ = ["review"]

NEAR = 8
"""Lines between a change and the evidence for it, at most."""

LINES_PER_TASK = 20
"""Changed lines that one task may take."""

TEST_NAMES = ("conftest.py", "pytest.ini", "tox.ini", "setup.cfg", "pyproject.toml")


def review(request: Request) -> str | list[ToolUse]:
    """Run the suite, then judge."""
    if not called(request) and offers(request, "run_tests"):
        return [use(request, tool) for tool in ("run_tests", "list_files") if offers(request, tool)]
    run = latest_run(request) or TestRun("", 0, (), (), False, "no test could be run")
    patches = patches_shown(request)
    objections = [
        *about_tests(run),
        *about_paths(patches, request),
        *about_size(patches, request),
        *about_support(patches, request),
    ]
    if not entries(request, "Artifact") and not run.green:
        objections.insert(0, "Nobody has handed in any work.")
    if objections:
        evidence = tuple(each for failure in run.failures[:3] for each in failure.evidence)
        return Review(
            approved=False, reasons=tuple(objections), evidence=evidence
        ).model_dump_json()
    return Review(
        approved=True, reasons=tuple(praise(run, patches)), evidence=changed(patches)
    ).model_dump_json()


def patches_shown(request: Request) -> list[Patch]:
    """The patches on the board that can be read whole."""
    found = []
    for entry in entries(request, Patch.kind):
        if entry.author.startswith("tool:") and entry.data is not None:
            try:
                found.append(Patch.model_validate_json(entry.body))
            except ValidationError:
                continue
    return found


def about_tests(run: TestRun) -> Iterator[str]:
    """What a test run says against the work."""
    if run.failures:
        names = listed(failure.id for failure in run.failures)
        first = run.failures[0]
        yield (
            f"{counted(len(run.failures), 'test still fails', 'tests still fail')}: {names}. At"
            f" {first.path}:{first.line} it says {first_line(first.message)!r}. I approve once all"
            " tests pass."
        )
    if run.lost:
        gone = counted(len(run.lost), "test is", "tests are")
        yield f"{gone} gone that an earlier run had: {listed(run.lost)}."
    if not run.complete:
        yield f"The suite did not run to its end: {trouble(run)}."
    elif not run.passed and not run.failures:
        yield "The suite ran no test, so nothing shows that the work is right."


def about_paths(patches: list[Patch], request: Request) -> Iterator[str]:
    """Changes to files that decide whether the tests pass."""
    locked = {
        str(row["path"])
        for call in called(request, "list_files")
        for row in call.objects("files", "path")
        if row.get("read_only")
    }
    for path in dict.fromkeys(patch.path for patch in patches):
        if path in locked or looks_like_a_test(path):
            yield f"{path} decides whether the tests pass and must stay as it was; take that back."


def looks_like_a_test(path: str) -> bool:
    """Whether a file is a test or test configuration by its name."""
    *folders, name = path.lower().split("/")
    test = name.startswith("test_") or name.endswith("_test.py") or name in TEST_NAMES
    return test or any(folder in ("test", "tests") for folder in folders)


def about_size(patches: list[Patch], request: Request) -> Iterator[str]:
    """A change that is larger than its tasks."""
    size = sum(max(patch.added, patch.removed) for patch in patches)
    most = LINES_PER_TASK * max(1, len(entries(request, "Task")))
    if size > most:
        yield f"{size} lines were changed where {most} should do; keep to what the tasks ask for."


def about_support(patches: list[Patch], request: Request) -> Iterator[str]:
    """Changes at places of which no Finding speaks."""
    evidence = list(evidence_shown(request))
    for patch in patches:
        known = [line for path, line in evidence if path == patch.path]
        for hunk in patch.hunks():
            last = hunk.line + max(len(hunk.after), 1) - 1
            if not any(hunk.line - NEAR <= line <= last + NEAR for line in known):
                yield (
                    f"{patch.path}:{hunk.line} was changed, but no Finding has evidence near that"
                    " line; say in the Artifact what shows that the fault lay there."
                )


def evidence_shown(request: Request) -> Iterator[tuple[str, int]]:
    """Path and line of everything that findings cite."""
    for entry in entries(request, "Finding"):
        data: Mapping[str, Any] = entry.data or {"evidence": entry.objects("evidence", "excerpt")}
        for each in data.get("evidence", ()):
            yield str(each["path"]), int(each["line"])


def praise(run: TestRun, patches: list[Patch]) -> Iterator[str]:
    """Why the work is approved."""
    yield (
        f"All {run.passed} tests pass in a complete run that I made of the state"
        f" {run.digest[:12]}; none is lost."
    )
    for patch in patches:
        for hunk in patch.hunks():
            yield (
                f"{patch.path}:{hunk.line} now reads {' / '.join(map(str.strip, hunk.after))!r};"
                " a Finding has evidence there, and no test was touched."
            )
    if not patches:
        yield "No file was changed."


def changed(patches: list[Patch]) -> tuple[Evidence, ...]:
    """The changed lines, to be cited."""
    return tuple(
        Evidence(path=patch.path, line=hunk.line + offset, excerpt=text)
        for patch in patches
        for hunk in patch.hunks()
        for offset, text in enumerate(hunk.after)
    )
