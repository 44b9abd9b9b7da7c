"""Test reports on the board (floor 2): written from a run, read for what earlier runs showed."""

from collections.abc import Iterable, Mapping
from typing import Any

from hive.board.contributions import TestFailure, TestReport
from hive.tools.call import Call

__all__ = ["as_payload", "known_tests", "known_timeouts"]

LOST = "lost: this test was there before and is gone, or is skipped now"
"""The message of a test in a report that used to run and no longer does."""
TIMED_OUT = ("timed out", "took too long")
"""How the messages of tests begin that were interrupted or killed."""


def known_tests(call: Call) -> set[str]:
    """The tests that the newest report on the board had, with those it had lost."""
    report = call.latest(TestReport.kind)
    if not isinstance(report, TestReport):
        return set()
    return {*report.collected, *(each.id for each in report.failed if each.message == LOST)}


def as_payload(shown: Mapping[str, Any]) -> TestReport:
    """The run as it goes on the board; lost tests count as failed."""
    failed = [TestFailure(**each) for each in shown["failed"]]
    return TestReport(
        digest=shown["digest"],
        collected=tuple(shown["collected"]),
        passed=len(shown["passed"]),
        failed=(*failed, *lost_failures(shown["lost"])),
        complete=shown["complete"],
        duration=round(shown["seconds"] * 1_000_000),
    )


def lost_failures(tests: Iterable[str]) -> list[TestFailure]:
    return [
        TestFailure(id=test, message=LOST, path=test.partition("::")[0], line=1) for test in tests
    ]


def known_timeouts(call: Call, digest: str) -> list[str]:
    """Tests that the board says take too long on exactly this state of the work."""
    report = call.latest(TestReport.kind)
    if not isinstance(report, TestReport) or report.digest != digest:
        return []
    return [each.id for each in report.failed if each.message.startswith(TIMED_OUT)]
