"""An offline mind for the arbiter: weighs what the record shows, and rules."""

from collections.abc import Iterator

from hive import Verdict
from hive.message import Request, ToolUse
from roles.offline.failures import (
    TestRun,
    counted,
    first_line,
    latest_run,
    listed,
    report_of,
    trouble,
)
from roles.offline.reading import Shown, called, entries, newest, offers, use

__all__ = ["rule"]


def rule(request: Request) -> str | list[ToolUse]:
    """A ruling on the newest state of the work; tested first, where no report tells of it."""
    if not called(request) and stale(request) and offers(request, "run_tests"):
        return [use(request, "run_tests")]
    run = latest_run(request) or TestRun("", 0, (), (), False, "no test was run")
    refused = [entry for entry in entries(request, "Review") if entry.value("approved") is False]
    review = newest(request, "Review")
    objections = reasons_of(review) if review in refused else ()
    return ruling(run, objections, request).model_dump_json()


def stale(request: Request) -> bool:
    """Whether no whole report tells of the work as it is now."""
    seen = entries(request, "TestReport", "Patch")
    return not seen or seen[-1].kind != "TestReport" or seen[-1].value("digest") is None


def ruling(run: TestRun, objections: tuple[str, ...], request: Request) -> Verdict:
    """What the record comes to."""
    if run.green:
        return accepted(run, objections, request)
    if improved(run, request):
        return Verdict(
            ruling="revise",
            reasons=(
                f"{counted(len(run.failures), 'test still fails', 'tests still fail')};"
                f" {len(first_failures(request))} did at the beginning: another attempt can be"
                " expected to go on from here.",
                *objections,
            ),
        )
    return Verdict(ruling="give_up", reasons=tuple(learnt(run, request)), dissent=objections)


def accepted(run: TestRun, objections: tuple[str, ...], request: Request) -> Verdict:
    """The tests pass. Objections that are left are kept as dissent, unless tests were touched."""
    report = newest(request, "TestReport")
    cited = f" [{report.address}]" if report is not None and not called(request) else ""
    reasons = [f"A complete run of the suite passes all {run.passed} tests{cited}; none is lost."]
    review = newest(request, "Review")
    if review is None:
        reasons.append("Nothing had to be changed.")
    elif objections:
        reasons.append(
            "What the reviewer holds against it is kept as dissent: no fact on the board bears it"
            " out, and tests and test configuration are as they were."
        )
    else:
        reasons.append(f"The reviewer has approved the change [{review.address}].")
    return Verdict(ruling="accept", reasons=tuple(reasons), dissent=objections)


def improved(run: TestRun, request: Request) -> bool:
    """Whether more tests pass now than at the last ruling, or at the beginning before the first."""
    passed: list[int] = []
    known: list[int] = []
    for entry in entries(request, "TestReport", "Verdict"):
        if entry.kind == "Verdict":
            known = passed.copy()
        else:
            passed.append(report_of(entry).passed)
    return run.passed > max(known or passed[:1], default=run.passed)


def first_failures(request: Request) -> tuple[str, ...]:
    reports = entries(request, "TestReport")
    return tuple(f.id for f in report_of(reports[0]).failures) if reports else ()


def learnt(run: TestRun, request: Request) -> Iterator[str]:
    """What is known now that was not known before."""
    if run.failures:
        first = run.failures[0]
        yield (
            f"{counted(len(run.failures), 'test still fails', 'tests still fail')}, and no attempt"
            f" made more pass: {listed(f.id for f in run.failures)}. At {first.path}:{first.line}"
            f" it says {first_line(first.message)!r}."
        )
    if not run.complete:
        why = f": {trouble(run)}" if run.problem or run.output else ""
        yield f"No run of the suite has come to its end{why}."
    attempts = entries(request, "Artifact")
    if attempts:
        came = counted(len(attempts), "attempt has", "attempts have")
        yield f"{came} come to nothing: {listed(f'[{entry.address}]' for entry in attempts)}."
    else:
        yield "Nobody has handed in any work."
    findings = entries(request, "Finding")
    if findings:
        claim = first_line(str(findings[0].value("claim") or ""))
        yield f"The best lead is still [{findings[0].address}]: {claim}"


def reasons_of(review: Shown | None) -> tuple[str, ...]:
    """What a review says, reason by reason."""
    said = None if review is None else review.value("reasons")
    return tuple(map(str, said)) if isinstance(said, list) else ()
