"""The account of a run: what came of it and what was learnt, made from the board for the user."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from hive import Artifact, Finding, Review, State, TestReport, Verdict
from hive.control import Ending
from roles.patch import Patch

__all__ = ["Account"]

MOST_LISTED = 6
END = "\n"


class Record(Protocol):
    """What an account needs of the board."""

    @property
    def state(self) -> State:
        """The state of the closed turns."""
        ...

    def of_kind(self, kind: type[Any]) -> Sequence[Any]:
        """The entries of a kind, oldest first."""
        ...


class Account:
    """A synthesis that says how the tests stand, what was changed, and what was found out."""

    def synthesise(self, board: Record, ending: Ending) -> str:
        """The account, as paragraphs and lists of plain text."""
        head = "The work is done." if ending.outcome == "finished" else f"Stopped: {why(ending)}."
        parts = [head, *tests(board), *changes(board)]
        verdict = board.state.latest(Verdict)
        if verdict is not None:
            parts += rows("The arbiter's reasons", verdict.reasons)
        if ending.outcome != "finished":
            parts += learnt(board)
        elif verdict is not None:
            parts += rows("Held against it", verdict.dissent)
        return "\n".join(parts)


def why(ending: Ending) -> str:
    """The reason of a stop in words."""
    known = {
        "stalled": "no progress",
        "gave_up": "no progress, and no idea left; the arbiter has given up",
        "time_exhausted": "the time is used up",
        "turns_exhausted": "the turns are used up",
    }
    return known.get(ending.reason, ending.message)


def tests(board: Record) -> Iterator[str]:
    """How the tests stand."""
    report = board.state.latest(TestReport)
    if report is None:
        yield "The tests were never run."
        return
    incomplete = "" if report.complete else " (the run was not complete)"
    yield f"Tests: {report.passed} of {len(report.collected)} pass{incomplete}."
    failed = [f"{f.id}: {f.message.strip().partition(END)[0]}" for f in report.failed]
    yield from rows("Still failing", failed)


def changes(board: Record) -> Iterator[str]:
    """What was changed, as differences."""
    patches = [entry.payload for entry in board.of_kind(Patch)]
    if not patches:
        yield "No file was changed."
    for patch in patches:
        yield patch.diff.rstrip("\n")


def learnt(board: Record) -> Iterator[str]:
    """What the team knows in the end: its findings, attempts and objections."""
    yield from rows("Found out", [e.payload.claim for e in board.of_kind(Finding)])
    yield from rows("Tried", [e.payload.summary for e in board.of_kind(Artifact)])
    review = board.state.latest(Review)
    yield from rows("The reviewer's last word", [] if review is None else review.reasons)


def rows(title: str, texts: Sequence[str]) -> list[str]:
    """A titled list, its end left out visibly when it is long."""
    if not texts:
        return []
    rest = len(texts) - MOST_LISTED
    more = [f"  … and {rest} more"] if rest > 0 else []
    return [f"{title}:", *(f"  - {text}" for text in texts[:MOST_LISTED]), *more]
