"""The tests decide (control floor): a deciding rule that believes the framework's own test tool."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hive.board.contributions import Review, TestReport, Verdict
from hive.board.entry import Entry
from hive.board.payload import Payload
from hive.board.records import Observation
from hive.control.guards.tested import TEST_TOOL
from hive.control.voting.poll import in_order, lines

__all__ = ["ByTests"]


@dataclass(frozen=True)
class ByTests:
    """The tests decide, whoever says otherwise: the work is accepted where the newest report of the
    test tool is of the workspace as it is, complete, without a failure, and has lost no test of the
    reports before it; it is sent back where that report has failures or lost tests.

    It is undecided where there is no such report: nothing was run, the run broke off or tested
    nothing, or files were changed since. What reviewers said against the ruling is its dissent.
    What happened to the workspace while the run was paused only the guard `tests_pass` knows, so a
    finish is best guarded by both: `finish(teller, when=ruled("accept") & tests_pass)`.
    """

    name: str = "the tests"

    @property
    def reads(self) -> tuple[type[Payload], ...]:
        """The kinds that it must see."""
        return (TestReport, Observation, Review, Verdict)

    def decide(self, entries: Iterable[Entry]) -> Verdict:
        """The Verdict that the newest report comes to."""
        entries = in_order(entries)
        reports = [
            (str(entry.address), entry.payload)
            for entry in entries
            if isinstance(entry.payload, TestReport) and entry.origin == TEST_TOOL
        ]
        if not reports:
            return Verdict(ruling="undecided", reasons=(f"{TEST_TOOL} has reported nothing",))
        address, report = reports[-1]
        unusable = unfit(report, workspace_in(entries))
        if unusable:
            return Verdict(ruling="undecided", reasons=(f"{address}: {unusable}",))
        seen = {test for _, each in reports for test in each.collected}
        lost = sorted(seen.difference(report.collected))
        against = [f"{test.id} fails: {test.message}" for test in report.failed]
        against += [f"{test} is gone" for test in lost]
        said = f"{address}: {report.passed} tests pass, {len(report.failed)} fail"
        ruling = "revise" if against else "accept"
        dissent = tuple(contradicting(entries, approving=bool(against)))
        return Verdict.model_validate(
            {"ruling": ruling, "reasons": (said, *against), "dissent": dissent}
        )


def unfit(report: TestReport, workspace: str | None) -> str:
    """Why a report decides nothing; "" when it does."""
    if workspace is not None and report.digest != workspace:
        return "the workspace has changed since this report"
    if not report.complete:
        return "this run of the tests broke off"
    return "" if report.collected and report.passed + len(report.failed) else "no test was run"


def workspace_in(entries: Sequence[Entry]) -> str | None:
    """The digest of the workspace after the last change by a tool; None where there was none."""
    found = [e.payload.workspace for e in entries if isinstance(e.payload, Observation)]
    return next((digest for digest in reversed(found) if digest is not None), None)


def contradicting(entries: Sequence[Entry], *, approving: bool) -> Iterable[str]:
    """The reasons of the newest Review, where it says the contrary."""
    reviews = [entry for entry in entries if isinstance(entry.payload, Review)]
    for entry in reviews[-1:]:
        if isinstance(entry.payload, Review) and entry.payload.approved is approving:
            yield from lines(entry, entry.payload)
