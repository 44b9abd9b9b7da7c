"""How one pytest session is to be run, and what came of it."""

import json
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Limit", "Options", "Outcome", "SessionResult", "below"]


@dataclass(frozen=True)
class Limit:
    """How long one test may take, in seconds.

    The first test that takes too long gets `first` seconds of CPU time, each later one a quarter
    of what the one before got, but never less than `least` nor than ten times the slowest test
    that passed. `wall` times
    as much may pass on the clock. `collect` is the CPU time for importing one test file.
    """

    first: float = 5.0
    least: float = 0.5
    wall: float = 6.0
    collect: float = 60.0
    quiet: float = 10.0
    """Seconds on the clock added to all that before a session counts as hanging."""

    @property
    def silence(self) -> float:
        """Seconds on the clock without a word after which a session must be hanging."""
        return self.quiet + 1.5 * self.wall * self.first


@dataclass(frozen=True)
class Options:
    """One session: which tests, under which limits, how much is told about them.

    Ids in `only` are run, those in `skip` are not; None and () mean all. `last` come after the
    others. `hasty` are known to take too long and get the least time; `assumed` are known to as
    well and not run at all. `protected` are the workspace's read-only files: the only ones that may
    skip a test.
    """

    config: str
    protected: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    only: frozenset[str] | None = None
    skip: frozenset[str] = frozenset()
    last: frozenset[str] = frozenset()
    hasty: frozenset[str] = frozenset()
    assumed: frozenset[str] = frozenset()
    limit: Limit = Limit()
    light: bool = False
    """Leave out assertion details and output: for results that are only counted."""
    give_up: bool = False
    """After a timeout, leave out the other tests of its file."""
    lines: bool = False
    """Record the lines that each test executes."""


@dataclass
class Outcome:
    """What one test, or the collection of one file, came to."""

    id: str
    outcome: str
    """passed, failed or skipped"""
    error: bool = False
    """Failed outside the test itself: while collecting, in setup or in teardown."""
    timeout: bool = False
    seconds: float = 0.0
    """CPU time."""
    message: str = ""
    path: str = ""
    line: int = 0
    excerpt: str = ""


@dataclass
class SessionResult:
    """All that a session said before it ended, and how it ended."""

    collected: list[str] = field(default_factory=list)
    selected: list[str] = field(default_factory=list)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    lines: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    """Test id to path to the lines it executed; "" for what ran while importing."""
    finished: bool = False
    garbled: bool = False
    sound: bool = False
    """Whether every hidden test that must fail was seen to fail."""
    status: int | None = None
    seconds: float = 0.0
    collecting: float = 0.0
    """CPU seconds from the start of the session to the first test."""
    problem: str = ""
    running: str = ""
    """The test that was running when the session broke off."""

    def take(self, line: bytes, token: bytes) -> None:
        """Add one message of the session's process; one that makes no sense spoils the result."""
        if not line.startswith(token):
            self.garbled = True
            return
        try:
            message = json.loads(line.removeprefix(token))
            self._add(message.pop("kind"), message)
        except (ValueError, TypeError, KeyError, AttributeError):
            self.garbled = True

    def _add(self, kind: str, message: dict[str, Any]) -> None:
        if kind == "collected":
            self.collected, self.selected = message["ids"], message["selected"]
            self.collecting = message["seconds"]
        elif kind == "started":
            self.running = message["id"]
        elif kind == "outcome":
            self.outcomes[message["id"]] = Outcome(**message)
            self.running = ""
        elif kind == "lines":
            self.lines[message["id"]] = message["lines"]
        elif kind == "end":
            self.status, self.sound = message["status"], message["sound"]
            self.seconds = message["seconds"]
            self.finished = True
        elif kind == "crash":
            self.problem = message["text"]

    def ended(self, code: int) -> None:
        """Note that the process has ended by itself."""
        if not self.finished and not self.problem:
            self.problem = f"the test process ended with code {code} before its session did"

    @property
    def complete(self) -> bool:
        """Whether every selected test has come to an outcome in a session that really ended."""
        seen = all(test in self.outcomes for test in self.selected)
        whole = self.finished and self.sound and not self.garbled and self.status in (0, 1)
        return whole and seen and bool(self.selected)

    def ids(self, outcome: str) -> list[str]:
        """The tests with an outcome, in the order in which they ran."""
        return [each.id for each in self.outcomes.values() if each.outcome == outcome]


def below(test: str, collector: str) -> bool:
    """Whether a test belongs to a folder, file or class; "." is the whole workspace."""
    return collector == "." or test.startswith((f"{collector}::", f"{collector}/"))
