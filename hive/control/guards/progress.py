"""Signals of progress (control floor): numbers, read from the board, that show how far work has
come.

stop(when=stalled(turns=6, of=(failing_tests, open_tasks)))
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from pydantic import JsonValue

from hive.board.contributions import Finding, Question, Review, Task, TestReport, Verdict
from hive.board.entry import Entry
from hive.board.payload import Payload
from hive.board.state import State, Tally
from hive.control.guards.tested import COLLECTED, TEST_TOOL
from hive.errors import DeclarationError

__all__ = [
    "Signal",
    "accepted_findings",
    "checked_signals",
    "contributions",
    "failing_tests",
    "last_progress",
    "named",
    "open_questions",
    "open_tasks",
    "passing_tests",
    "tallies_of",
]

CLAIMS_KEPT = 256


@dataclass(frozen=True, eq=False)
class Signal:
    """A number that shows how far the work has come, and which way is better.

    It is read after every turn; None means that nothing is known yet, and leaves all as it was.
    A turn made progress where a value is better than every one before it, the first included.
    `kinds` are the payloads without which it never says anything, `tallies` the memory that `read`
    needs, found in `state.tallies` by name.

    >>> signed = Signal("signed off", lambda state: state.count("Review"), "more")
    """

    name: str
    read: Callable[[State], int | None]
    better: Literal["less", "more"]
    kinds: tuple[type[Payload], ...] = ()
    tallies: tuple[Tally, ...] = ()
    work: bool = False
    """Whether it counts work still to be done. More of that than ever before is new work: it is no
    progress, but what is done of it from then on is, though the lowest value was lower once."""

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise DeclarationError("a signal needs a name; it is what the end of a run cites")
        if self.better not in ("less", "more"):
            raise DeclarationError(f"signal {self.name}: better={self.better!r}; less or more")
        if self.work and self.better == "more":
            raise DeclarationError(f"signal {self.name}: of work to be done, less is better")

    @cached_property
    def tally(self) -> Tally:
        """What is remembered of it: the first value, the newest, the best and its turn."""
        return Tally(f"signal {self.name}", None, unchanged, frozenset(), self._close)

    def last(self, state: State) -> int:
        """The last turn that made progress by it; 0 where none did."""
        known: Any = state.tallies.get(self.tally.name)
        return 0 if known is None else int(known["turn"])

    def report(self, state: State) -> str:
        """Its course in words: `failing tests 12 → 3, no better since turn 4`."""
        known: Any = state.tallies.get(self.tally.name)
        if known is None:
            return f"{self.name} unknown"
        first, now = known["first"], known["now"]
        course = f"{now}" if first == now else f"{first} → {now}"
        return f"{self.name} {course}, no better since turn {known['turn']}"

    def _close(self, value: JsonValue, state: State) -> JsonValue:
        known: Any = value
        now = self.read(state)
        if now is None:
            return value
        if known is None:
            return {"first": now, "now": now, "best": now, "most": now, "turn": state.turn}
        best, most, turn = known["best"], known["most"], known["turn"]
        if now < best if self.better == "less" else now > best:
            best, turn = now, state.turn
        elif self.work and now > most:
            best = now
        most = max(most, now)
        if (now, best, most, turn) == (known["now"], known["best"], known["most"], known["turn"]):
            return value
        return {"first": known["first"], "now": now, "best": best, "most": most, "turn": turn}


def unchanged(value: JsonValue, entry: Entry) -> JsonValue:
    """The step of a tally that looks at states only."""
    return value


def checked_signals(what: str, of: Sequence[Signal]) -> tuple[Signal, ...]:
    """Some signals as they were given. Raises DeclarationError for what is none, and for two of one
    name."""
    signals = (of,) if isinstance(of, Signal) else tuple(of)
    for signal in signals:
        if not isinstance(signal, Signal):
            raise DeclarationError(
                f"{what} of {signal!r}: not a signal; take one of failing_tests, open_tasks, … or"
                ' make one, as in Signal("open points", read, "less")'
            )
    names = [signal.name for signal in signals]
    if len(set(names)) < len(names):
        raise DeclarationError(f"{what} of {', '.join(names)}: two signals have one name")
    return signals


def named(signals: Sequence[Signal]) -> str:
    """Their names, as a guard cites them."""
    return " + ".join(signal.name for signal in signals)


def tallies_of(signals: Sequence[Signal]) -> tuple[Tally, ...]:
    """What signals remember, in an order in which they can be closed."""
    return tuple(tally for signal in signals for tally in (*signal.tallies, signal.tally))


def last_progress(signals: Sequence[Signal], state: State) -> int:
    """The last turn that made progress by any of some signals; by the progress measure where there
    are none."""
    if signals:
        newest, tallies = 0, state.tallies
        for signal in signals:
            known: Any = tallies.get(signal.tally.name)
            if known is not None and known["turn"] > newest:
                newest = known["turn"]
        return newest
    progress = state.progress
    if not progress:
        return state.turn
    return state.turn - (len(progress) - 1 - progress.index(max(progress)))


def newest_report(state: State) -> TestReport | None:
    """The newest report, where it is the test tool's own and of a complete suite."""
    entry = state.newest.get(TestReport.kind)
    if entry is None or entry.origin != TEST_TOOL or not isinstance(entry.payload, TestReport):
        return None
    return entry.payload if entry.payload.complete else None


def failing(state: State) -> int | None:
    report = newest_report(state)
    if report is None:
        return None
    seen: Any = state.tallies.get(COLLECTED.name, [])
    return len(report.failed) + len(set(seen).difference(report.collected))


def passing(state: State) -> int | None:
    report = newest_report(state)
    return None if report is None else report.passed


failing_tests = Signal("failing tests", failing, "less", (TestReport,), (COLLECTED,))
"""Tests that fail in the newest complete report of the test tool, and those that were lost: a test
that is deleted has not been made to pass."""

passing_tests = Signal("passing tests", passing, "more", (TestReport,))
"""Tests that pass in the newest complete report of the test tool."""

open_tasks = Signal(
    "open tasks",
    lambda state: len(state.tasks) if state.tasks or state.count(Task) else None,
    "less",
    (Task,),
    work=True,
)
"""Tasks that nothing on the board has settled."""

open_questions = Signal(
    "open questions",
    lambda state: len(state.questions) if state.count(Question) else None,
    "less",
    (Question,),
    work=True,
)
"""Questions without an answer."""

contributions = Signal("contributions", lambda state: state.contributions, "more")
"""What roles have posted, whatever it says: the weakest of signals."""


def accept(value: JsonValue, entry: Entry) -> JsonValue:
    """Take in a finding, or a judgement that accepts those of others."""
    kept: Any = value
    payload = entry.payload
    if isinstance(payload, Finding):
        claim = " ".join(payload.claim.casefold().split()).encode()
        digest = hashlib.blake2b(claim, digest_size=8).hexdigest()
        waits = any(digest == waiting for _, waiting in kept["waiting"])
        if waits or digest in kept["known"]:
            return value
        return {**kept, "waiting": [*kept["waiting"], [entry.author, digest]][-CLAIMS_KEPT:]}
    accepts = (isinstance(payload, Review) and payload.approved) or (
        isinstance(payload, Verdict) and payload.ruling == "accept"
    )
    if not accepts:
        return value
    new = [digest for author, digest in kept["waiting"] if author != entry.author]
    return {
        "accepted": kept["accepted"] + len(new),
        "known": [*kept["known"], *new][-CLAIMS_KEPT:],
        "waiting": [each for each in kept["waiting"] if each[0] == entry.author],
    }


ACCEPTED = Tally(
    "accepted findings",
    {"accepted": 0, "known": [], "waiting": []},
    accept,
    frozenset({Finding.kind, Review.kind, Verdict.kind}),
)


def accepted(state: State) -> int | None:
    kept: Any = state.tallies.get(ACCEPTED.name)
    return int(kept["accepted"]) if kept and state.count(Finding) else None


accepted_findings = Signal("accepted findings", accepted, "more", (Finding,), (ACCEPTED,))
"""Findings that stood on the board when somebody else approved (a Review) or accepted (a Verdict);
the same claim counts once, of the last 256."""
