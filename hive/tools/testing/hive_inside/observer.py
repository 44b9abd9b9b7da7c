"""The pytest plugin that selects, times and reports the tests of one session."""

import os
import time
import unittest
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

from .alarm import Alarm, TookTooLong
from .canary import Canaries
from .failure import Place, cause_of, message_of, place_of
from .lines import LineRecorder
from .options import Options, Outcome, below

__all__ = ["LightReports", "Observer"]

Send = Callable[[str, dict[str, Any]], None]
SKIPS = (pytest.skip.Exception, pytest.xfail.Exception, unittest.SkipTest)


@dataclass
class Running:
    """The test that is running, and what its phases have shown so far."""

    outcome: Outcome
    started: float


class Observer:
    """Sends one message per collection and test; trusts what it sees, not what is printed."""

    def __init__(
        self,
        root: str,
        home: Path,
        options: Options,
        send: Send,
        recorder: LineRecorder | None,
    ) -> None:
        self.canaries = Canaries(home)
        self._root = root
        self._options = options
        self._send = send
        self._recorder = recorder
        self._alarm = Alarm(options.limit)
        self._running: Running | None = None
        self._given_up: set[str] = set()
        self._started = time.process_time()

    # collecting

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        self._alarm.arm(self._options.limit.collect)
        try:
            report = yield
        finally:
            self._alarm.disarm()
        call = getattr(report, "call", None)
        excinfo = call.excinfo if call is not None else None
        if report.failed or (report.skipped and self._skipped_by_code(excinfo)):
            self._send_broken(collector, excinfo)
        return report

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(
        self, session: pytest.Session, items: list[pytest.Item]
    ) -> Generator[None]:
        yield
        options = self._options
        collected = [item.nodeid for item in items]
        items[:] = [item for item in items if self._wanted(item.nodeid)]
        items.sort(key=lambda item: item.nodeid in options.last)
        self.canaries.plant(session, items)
        selected = [item.nodeid for item in items]
        seconds = time.process_time() - self._started
        self._send("collected", {"ids": collected, "selected": selected, "seconds": seconds})

    def _wanted(self, test: str) -> bool:
        only = self._options.only
        if test in self._options.skip or test in self._options.assumed:
            return False
        return only is None or test in only or any(below(test, each) for each in only)

    def _send_broken(
        self, collector: pytest.Collector, excinfo: "pytest.ExceptionInfo[BaseException] | None"
    ) -> None:
        outcome = Outcome(collector.nodeid or ".", "failed", error=True)
        if excinfo is not None:
            outcome.timeout = isinstance(excinfo.value, TookTooLong)
            self._describe(outcome, excinfo)
        self._send("outcome", asdict(outcome))

    # running

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """pytest's own loop, with canaries at both ends and files given up on left out."""
        queue = [*self.canaries.first, *session.items, *self.canaries.last]
        while queue:
            item = queue.pop(0)
            following = queue[0] if queue else None
            if self.canaries.owns(item):
                self.canaries.run(item, following)
            else:
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.shouldfail or session.shouldstop:
                raise session.Interrupted(session.shouldfail or session.shouldstop)
            if self._given_up:
                queue = [each for each in queue if file_of(each) not in self._given_up]
                with suppress(Exception):  # of the fixtures of a file that is given up
                    session._setupstate.teardown_exact(queue[0] if queue else None)
        return True

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None]:
        self._begin(item)
        return (yield from self._timed())

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self) -> Generator[None]:
        return (yield from self._timed())

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self) -> Generator[None]:
        return (yield from self._timed())

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: "pytest.CallInfo[None]"
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        self._alarm.disarm()
        raised = call.excinfo
        report = yield
        excinfo = raised or call.excinfo  # pytest adds what a unittest case kept to itself
        if self.canaries.owns(item):
            self.canaries.saw(item, report.outcome)
        elif self._running is not None:
            self._note(self._running.outcome, report, excinfo)
            if call.when == "teardown":
                self._end(self._running)
        return report

    def _timed(self) -> Generator[None]:
        known = self._running is not None and self._running.outcome.id in self._options.hasty
        self._alarm.arm(self._options.limit.least if known else self._alarm.seconds)
        try:
            yield
        finally:
            self._alarm.disarm()

    def _begin(self, item: pytest.Item) -> None:
        if self.canaries.owns(item):
            return
        self._running = Running(Outcome(item.nodeid, "passed"), time.process_time())
        self._send("started", {"id": item.nodeid})
        if self._recorder is not None:
            self._recorder.enter(item.nodeid)

    def _note(
        self,
        outcome: Outcome,
        report: pytest.TestReport,
        excinfo: "pytest.ExceptionInfo[BaseException] | None",
    ) -> None:
        """Add what one phase has shown; one that raised has passed only if pytest expected it."""
        raised = excinfo is not None and not hasattr(report, "wasxfail")
        if report.skipped and not self._skipped_by_code(excinfo):
            outcome.outcome = "skipped" if outcome.outcome == "passed" else outcome.outcome
        elif report.outcome != "passed" or raised:
            outcome.outcome = "failed"
            outcome.error = outcome.error or report.when != "call"
            if not outcome.message and not self._options.light:
                self._describe(outcome, excinfo, str(report.longrepr or ""))
        if excinfo is not None and isinstance(excinfo.value, TookTooLong):
            outcome.timeout = True

    def _end(self, running: Running) -> None:
        outcome, self._running = running.outcome, None
        outcome.seconds = time.process_time() - running.started
        self._alarm.note(outcome.seconds, outcome.outcome == "passed", outcome.timeout)
        if self._recorder is not None:
            self._send("lines", {"id": outcome.id, "lines": self._recorder.leave()})
        if outcome.timeout and self._options.give_up:
            self._given_up.add(outcome.id.partition("::")[0])
        self._send("outcome", asdict(outcome))

    def _skipped_by_code(self, excinfo: "pytest.ExceptionInfo[BaseException] | None") -> bool:
        """Whether a skip was raised by code that the tests test, which would hide a failure."""
        error = excinfo.value if excinfo is not None else None
        if getattr(error, "_use_item_location", False) and error is not None:
            error = error.__context__  # what a unittest case raised itself; nothing for a mark
        if not isinstance(error, SKIPS):
            return False  # an expected failure, or a mark
        place = place_of(self._root, error)
        return place is not None and place[0] not in self._options.protected

    def _describe(
        self,
        outcome: Outcome,
        excinfo: "pytest.ExceptionInfo[BaseException] | None",
        otherwise: str = "",
    ) -> None:
        place: Place | None = None
        if excinfo is not None:
            error = cause_of(excinfo.value)
            place = place_of(self._root, error)
            late = isinstance(error, TookTooLong)
            outcome.message = str(error) if late else message_of(error, excinfo)
        outcome.message = outcome.message or otherwise or "failed"
        outcome.path, outcome.line, outcome.excerpt = place or (
            outcome.id.partition("::")[0].replace("/", os.sep),
            1,
            "",
        )


class LightReports:
    """Reports without traceback, for sessions whose results are only counted."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: "pytest.CallInfo[None]"
    ) -> pytest.TestReport | None:
        if call.when == "collect":
            return None
        outcome: Literal["passed", "failed", "skipped"] = "passed"
        longrepr: tuple[str, int, str] | str | None = None
        if call.excinfo is not None:
            skipped = isinstance(call.excinfo.value, pytest.skip.Exception)
            outcome = "skipped" if skipped else "failed"
            longrepr = (item.location[0], 0, "skipped") if skipped else "failed"
        return pytest.TestReport(item.nodeid, item.location, {}, outcome, longrepr, call.when)


def file_of(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]
