"""What is read out of tool results, whole or cut short."""

from __future__ import annotations

import json
from typing import Any

import pytest

from roles.offline.repair.conversation import Exchange, executed, find, fold
from roles.offline.repair.engine import Fault

EDIT = {"path": "work.py", "before": "x = 1", "after": "x = 2", "line": 1}
OTHER = {"path": "work.py", "before": "y = 1", "after": "y = 2", "line": 2}
LOCATED = {
    "lines": [
        {"path": "work.py", "line": 1, "score": 0.9, "failed": 2, "passed": 1, "text": "x = 1"}
    ],
    "failing": ["t1", "t2"],
    "tests_executed": 5,
}


def located(step: int = 0, **changes: Any) -> Exchange:
    return Exchange(step, "locate_faults", {"limit": 80}, json.dumps({**LOCATED, **changes}))


def read(text: str, *, start: int = 1, total: int | None = None, step: int = 1) -> Exchange:
    lines = text.count("\n")
    shown = {"path": "work.py", "start": start, "end": start + lines - 1, "text": text}
    shown["total"] = lines if total is None else total
    arguments = {"path": "work.py", "start": start, "lines": 150}
    return Exchange(step, "read_file", arguments, json.dumps(shown))


def row(index: int, **changes: Any) -> dict[str, Any]:
    whole = {"index": index, "passed": 0, "failed": 2, "errors": 0, "fixed": [], "broken": []}
    return {**whole, "timeout": False, "invalid": None, **changes}


def tried(rows: list[dict[str, Any]], *, unjudged: int = 0, step: int = 2) -> Exchange:
    result = {
        "results": rows,
        "baseline": {"failing": ["t1", "t2"], "collected": 4},
        "tests_executed": 11,
        "best": None,
        "unjudged": unjudged,
    }
    candidates = [{"edits": [EDIT]}, {"edits": [OTHER]}]
    return Exchange(step, "try_edits", {"candidates": candidates}, json.dumps(result))


def test_faults_and_failing_tests() -> None:
    search = fold([located()])
    assert search.located
    assert search.faults == (Fault("work.py", 1, 0.9, 2),)
    assert search.failing == {"t1", "t2"}
    assert search.steps == 1


def test_a_file_is_known_once_all_its_pieces_are_there() -> None:
    first, second = read("x = 1\ny = 1\n", total=3), read("z = 1\n", start=3, total=3)
    assert fold([located(), first]).texts == {}
    assert fold([located(), first]).lengths == {"work.py": 3}
    assert fold([located(), second, first]).texts == {"work.py": "x = 1\ny = 1\nz = 1\n"}


def test_reading_past_the_end_does_no_harm_and_a_lost_piece_does() -> None:
    beyond = Exchange(1, "read_file", {"path": "work.py", "start": 151}, "no such line", error=True)
    assert fold([located(), read("x = 1\n"), beyond]).unreadable == set()
    lost = Exchange(1, "read_file", {"path": "work.py", "start": 1}, '{"path": "work.py", "te')
    assert fold([located(), lost]).unreadable == {"work.py"}


@pytest.mark.parametrize(
    ("changes", "sound", "whole"),
    [
        ({"fixed": ["t1", "t2"]}, True, True),
        ({"fixed": ["t1"]}, True, False),
        ({"fixed": ["t1", "t2"], "broken": ["t3"]}, False, False),
        ({"fixed": ["t1"], "timeout": True}, True, False),
        ({"fixed": ["t1", "t2"], "errors": 1}, True, False),
    ],
)
def test_what_a_candidate_is_worth(changes: dict[str, Any], sound: bool, whole: bool) -> None:
    search = fold([located(), read("x = 1\ny = 1\n"), tried([row(0), row(1, **changes)])])
    (trial,) = search.trials
    assert (trial.sound, trial.whole) == (sound, whole)
    assert trial.edits[0].after == "y = 2"
    assert search.tried == 2


def test_candidates_that_were_not_judged_are_tried_again() -> None:
    assert fold([located(), tried([row(0)], unjudged=1)]).tried == 1
    nothing = fold([located(), tried([], unjudged=2)])
    assert (nothing.tried, nothing.stumbles) == (0, 1)
    failed = Exchange(2, "try_edits", {"candidates": [{"edits": [EDIT]}]}, "too slow", error=True)
    assert fold([located(), failed, failed]).stumbles == 2
    assert fold([located(), failed, tried([row(0), row(1)])]).stumbles == 0


def test_a_change_begins_a_new_search_on_the_changed_text() -> None:
    edited = Exchange(3, "edit_file", {"edits": [EDIT]}, '{"changed": []}')
    search = fold([located(), read("x = 1\ny = 1\n"), tried([row(0, fixed=["t1"])]), edited])
    assert search.texts == {"work.py": "x = 2\ny = 1\n"}
    assert (search.located, search.tried, search.trials) == (False, 0, [])
    assert len(search.applied) == 1
    assert search.steps == 4


def test_a_refused_change_means_that_somebody_else_was_here() -> None:
    refused = Exchange(3, "edit_file", {"edits": [EDIT]}, "does not occur", error=True)
    search = fold([located(), read("x = 1\n"), refused])
    assert (search.located, search.texts, search.applied) == (False, {}, [])


def test_a_report_has_the_last_word() -> None:
    rows = [row(0, fixed=["t1", "t2"])]
    edited = Exchange(3, "edit_file", {"edits": [EDIT]}, '{"changed": []}')
    so_far = [located(), read("x = 1\ny = 1\n"), tried(rows), edited]
    good = Exchange(4, "run_tests", {"tests": []}, '{"failed": [], "complete": true}')
    bad = Exchange(4, "run_tests", {"tests": []}, '{"failed": [{"id": "t3"}], "complete": true}')
    broken = Exchange(4, "run_tests", {"tests": []}, '{"failed": [], "complete": false}')
    assert (fold(so_far).located, fold(so_far).reported) == (True, False)
    assert (fold([*so_far, good]).located, fold([*so_far, good]).reported) == (True, True)
    assert (fold([*so_far, bad]).located, fold([*so_far, bad]).failing) == (
        False,
        frozenset({"t3"}),
    )
    assert "to its end" in fold([*so_far, broken]).trouble


@pytest.mark.parametrize("tool", ["locate_faults", "run_tests"])
def test_tools_that_fail_are_trouble(tool: str) -> None:
    assert "no pytest" in fold([Exchange(0, tool, {}, "no pytest here", error=True)]).trouble


def test_a_result_that_lost_its_middle_is_read_as_far_as_it_goes() -> None:
    text = json.dumps(
        {
            "results": [row(n, fixed=["t1"] if n in {0, 59} else []) for n in range(60)],
            "baseline": {"failing": ["t1", "t2"], "collected": 4},
            "tests_executed": 77,
            "unjudged": 0,
        }
    )
    cut = text[:2000] + "\n[… 999 characters left out here; …]\n" + text[-1000:]
    candidates = [{"edits": [EDIT]}] * 60
    exchange = Exchange(2, "try_edits", {"candidates": candidates}, cut)
    search = fold([located(), exchange])
    assert len(search.trials) == 2
    assert search.tried == 60
    assert executed([exchange]) == 77


def test_finding_a_key() -> None:
    assert find('{"a": 1, "b": {"a": 2}}', "a") == 1
    assert find('{"a": 1, "rest": [lost', "a") == 1
    assert find("nothing", "a") is None


def test_tests_executed_are_added_up() -> None:
    assert executed([located(), tried([row(0)]), read("x = 1\n")]) == 16
