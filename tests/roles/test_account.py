"""The account of a run, for the user who reads nothing else."""

from collections.abc import Sequence
from typing import Any

import pytest

from hive import Artifact, Finding, Goal, Payload, Review, TestReport, Verdict
from hive.board.board import Board
from hive.board.contributions import TestFailure
from hive.board.entry import Address
from hive.board.payload import Vocabulary
from hive.control import Ending
from hive.tools import FileChange
from roles.account import MOST_LISTED, Account
from roles.patch import patch_of

KINDS = (Goal, Finding, Artifact, Review, Verdict, TestReport)
FAILED = TestFailure(id="t.py::test_a", message="assert 1 == 2\n +  where", path="t.py", line=3)


def told(posted: Sequence[Payload], outcome: Any = "finished", reason: Any = "goal_reached") -> str:
    board = Board(Vocabulary({type(payload) for payload in posted} | {*KINDS}), salts=bytes)
    for turn, payload in enumerate([Goal(text="g"), *posted]):
        board.post(Address(turn, "x", (0,)), "x", payload, at=turn, origin="x")
        board.close_turn(("x",))
    return Account().synthesise(board, Ending(outcome, reason, "guard", "guard held"))


def report(passed: int, *failed: TestFailure, complete: bool = True) -> TestReport:
    collected = tuple(f"t.py::test_{n}" for n in range(passed + len(failed)))
    return TestReport(
        digest="d", collected=collected, passed=passed, failed=failed, complete=complete, duration=1
    )


def test_a_finished_run_says_what_was_changed_and_why() -> None:
    patch = patch_of(FileChange("a.py", b"x = 1\n", b"x = 2\n"))
    ruling = Verdict(ruling="accept", reasons=("It passes.",), dissent=("Too short.",))
    text = told([patch, report(2), ruling])
    assert text.splitlines()[:2] == ["The work is done.", "Tests: 2 of 2 pass."]
    assert "-x = 1\n+x = 2" in text
    assert "The arbiter's reasons:\n  - It passes." in text
    assert "Held against it:\n  - Too short." in text


def test_a_stopped_run_says_what_was_learnt() -> None:
    text = told(
        [
            Finding(claim="The line is off."),
            Artifact(summary="I tried."),
            report(1, FAILED),
            Review(approved=False, reasons=("Not yet.",)),
        ],
        *("stopped", "stalled"),
    )
    assert text.startswith("Stopped: no progress.\nTests: 1 of 2 pass.\nStill failing:\n")
    assert "  - t.py::test_a: assert 1 == 2\n" in text
    for line in ("No file was changed.", "  - The line is off.", "  - I tried.", "  - Not yet."):
        assert line in text.splitlines()


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("gave_up", "the arbiter has given up"),
        ("time_exhausted", "the time is used up"),
        ("turns_exhausted", "the turns are used up"),
        ("no_candidate", "guard held"),
    ],
)
def test_the_reason_of_a_stop_is_given_in_words(reason: str, said: str) -> None:
    text = told([], "stopped", reason)
    assert said in text.splitlines()[0]
    assert "The tests were never run." in text


def test_long_lists_are_cut_and_say_so() -> None:
    text = told([report(0, *[FAILED] * 9, complete=False)], "stopped", "stalled")
    assert text.count("t.py::test_a") == MOST_LISTED
    assert "… and 3 more" in text
    assert "the run was not complete" in text
