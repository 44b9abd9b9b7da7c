"""Every bug is real: its tests fail as it is, and pass once a person has mended it."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, ModuleType

import pytest

from tests.repair.corpus import BUGS, Bug, bug

SECONDS = 0.3
"""For one test of a program that may well go round in circles."""


class TookTooLong(BaseException):
    """Raised in a test whose time is over."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    def ring(number: int, frame: FrameType | None) -> None:
        raise TookTooLong

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def suite_of(
    subject: Bug, source: str, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Callable[[], None]]:
    """The test functions, bound to a version of the program that never leaves this process."""
    program = ModuleType(subject.name)
    exec(compile(source, f"{subject.name}.py", "exec"), program.__dict__)
    monkeypatch.setitem(sys.modules, subject.name, program)
    suite = ModuleType(f"test_{subject.name}")
    exec(compile(subject.tests, f"test_{subject.name}.py", "exec"), suite.__dict__)
    return {name: value for name, value in vars(suite).items() if name.startswith("test_")}


def failures(subject: Bug, source: str, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    failed = set()
    for name, function in suite_of(subject, source, monkeypatch).items():
        try:
            with within(SECONDS):
                function()
        except (Exception, TookTooLong):  # noqa: BLE001  (a broken program raises anything)
            failed.add(name)
    return failed


@pytest.mark.parametrize("subject", BUGS, ids=lambda each: each.name)
def test_the_bug_is_real_and_the_tests_accept_the_repair(
    subject: Bug, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = len(suite_of(subject, subject.mended, monkeypatch))
    assert 6 <= count <= 12
    assert failures(subject, subject.mended, monkeypatch) == set()
    failed = failures(subject, subject.source, monkeypatch)
    assert failed


@pytest.mark.parametrize("subject", BUGS, ids=lambda each: each.name)
def test_the_repair_is_small_and_its_kind_is_named(subject: Bug) -> None:
    before, after = subject.source.split("\n"), subject.mended.split("\n")
    assert len(after) - len(before) in {0, 1}
    assert subject.fix["kind"]


def test_there_are_as_many_as_promised() -> None:
    assert len(BUGS) == 25


def test_pytest_agrees(tmp_path: Path) -> None:
    subject = bug("quicksort")
    folder = subject.lay_out(tmp_path / "work")
    assert not subject.passes(folder)
    (folder / "quicksort.py").write_text(subject.mended, encoding="utf-8")
    assert subject.passes(folder)
