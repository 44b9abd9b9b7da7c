"""The four offline minds, each in a conversation: where they look, and what they conclude."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from hive import Artifact, Evidence, Finding, Goal, Plan, Review, Task, Verdict
from hive.tools import FileChange
from roles.offline.arbiter import rule
from roles.offline.planner import plan
from roles.offline.researcher import research
from roles.offline.reviewer import review
from roles.patch import patch_of
from tests.roles.offline.talks import Posted, Tools, a_report, a_run, converse

SOURCE = "def f():\n    return 1\n\n\ndef g():\n    return 2\n"
TEST = "from pkg.mod import f\n\n\ndef test_f():\n    assert f() == 2\n"
FAILING = "tests/test_m.py::test_f"

GOAL: Posted = ("user", Goal(text="make the tests pass"))
FOUND: Posted = (
    "researcher",
    Finding(claim="f is off", evidence=(Evidence(path="pkg/mod.py", line=2, excerpt="return 1"),)),
)
WORK: Posted = ("coder", Artifact(summary="f returns 2 now", paths=("pkg/mod.py",)))


def changed(path: str = "pkg/mod.py", before: str = SOURCE, after: str | None = None) -> Posted:
    after = before.replace("return 1", "return 2") if after is None else after
    return "tool:edit_file", patch_of(FileChange(path, before.encode(), after.encode()))


def files(*read_only: str) -> dict[str, object]:
    names = ["pkg/__init__.py", "pkg/mod.py", "tests/test_m.py"]
    return {
        "files": [{"path": name, "read_only": name in read_only} for name in names],
        "more": 0,
    }


def read(arguments: Mapping[str, Any]) -> object:
    text = TEST if "test" in arguments["path"] else SOURCE
    return {"path": arguments["path"], "start": 1, "end": 9, "total": 9, "text": text}


def tools(run: Mapping[str, object]) -> Tools:
    located = {
        "lines": [
            {"path": "pkg/mod.py", "line": 2, "score": 1.0, "failed": 1, "passed": 0, "text": "r"},
            {"path": "pkg/mod.py", "line": 6, "score": 0.1, "failed": 1, "passed": 2, "text": "s"},
        ],
        "failing": [FAILING],
        "tests_executed": 4,
    }
    return {
        "run_tests": lambda arguments: run,
        "list_files": lambda arguments: files("tests/test_m.py"),
        "read_file": read,
        "locate_faults": lambda arguments: located,
        "post_Finding": lambda arguments: "posted as [2/researcher/2.2]",
    }


# planner


def planned(run: Mapping[str, object]) -> Plan:
    answer, _ = converse(plan, [GOAL], tools(run))
    return Plan.model_validate_json(answer)


def test_the_planner_plans_a_task_for_each_failing_file() -> None:
    made = planned(a_run(3, FAILING, "tests/test_m.py::test_g", "tests/test_n.py::test_h"))
    assert [task.title for task in made.tasks] == [
        *("tests/test_m.py passes", "tests/test_n.py passes")
    ]
    assert made.tasks[0].files == ("pkg/mod.py",), "the source that the test imports"
    assert "assert 1 == 2" in made.tasks[0].detail
    assert made.summary.startswith("3 of 6 tests fail")


def test_the_planner_sees_that_nothing_is_to_be_done() -> None:
    made = planned(a_run(3))
    assert made.tasks == ()
    assert "nothing is to be done" in made.summary


def test_the_planner_makes_a_task_of_a_suite_that_does_not_run() -> None:
    made = planned(a_run(0, complete=False, problem="no test was found"))
    assert [task.id for task in made.tasks] == ["T0"]
    assert "no test was found" in made.tasks[0].detail


def test_the_planner_does_with_the_tools_it_is_given() -> None:
    answer, calls = converse(plan, [GOAL], {})
    assert calls == []
    assert Plan.model_validate_json(answer).tasks


# researcher


def test_the_researcher_ties_a_failure_to_the_line_it_goes_through() -> None:
    posted: list[Posted] = [GOAL, ("tool:run_tests", a_report(3, FAILING))]
    answer, calls = converse(research, posted, tools(a_run(3, FAILING)))
    findings = [Finding.model_validate(c.arguments) for c in calls if c.name == "post_Finding"]
    assert "run_tests" not in [call.name for call in calls], "the report is on the board"
    assert "pkg/mod.py:2 in f" in findings[0].claim
    assert {(each.path, each.line) for each in findings[0].evidence} == {
        *(("tests/test_m.py", 3), ("pkg/mod.py", 2))
    }
    assert findings[0].confidence == "high"
    assert findings[1].confidence == "low", "g is run as well, but the test does not call it"
    assert answer == "Posted 2 findings on 1 failing tests."


def test_the_researcher_says_where_a_file_cannot_be_imported() -> None:
    broken = {
        "id": "tests/test_m.py",
        "message": "SyntaxError: invalid syntax",
        "path": "pkg/mod.py",
        "line": 2,
        "excerpt": "return (1",
    }
    run = a_run(0, failed=[broken], complete=False, problem="no test was found")
    nowhere = {"lines": [], "failing": ["tests/test_m.py"], "tests_executed": 0}
    table = {**tools(run), "locate_faults": lambda arguments: nowhere}
    _, calls = converse(research, [GOAL], table)
    findings = [Finding.model_validate(c.arguments) for c in calls if c.name == "post_Finding"]
    assert "SyntaxError: invalid syntax" in findings[0].claim
    assert "the way ends at pkg/mod.py:2" in findings[0].claim
    assert findings[0].evidence == (Evidence(path="pkg/mod.py", line=2, excerpt="return (1"),)
    assert "no test was found" in findings[1].claim


def test_the_researcher_runs_the_tests_where_nobody_has() -> None:
    _, calls = converse(research, [GOAL], tools(a_run(3, FAILING)))
    assert [call.name for call in calls[:2]] == ["locate_faults", "run_tests"]


def test_the_researcher_has_nothing_to_say_of_what_passes() -> None:
    answer, _ = converse(research, [GOAL, ("tool:run_tests", a_report(3))], tools(a_run(3)))
    assert answer.startswith("No test fails")


# reviewer


def reviewed(posted: list[Posted], run: Mapping[str, object]) -> Review:
    answer, calls = converse(review, [GOAL, *posted], tools(run))
    assert [call.name for call in calls] == ["run_tests", "list_files"]
    return Review.model_validate_json(answer)


def test_the_reviewer_approves_what_passes_and_is_supported() -> None:
    made = reviewed([FOUND, changed(), WORK], a_run(4))
    assert made.approved
    assert any("pkg/mod.py:2" in reason for reason in made.reasons)
    assert made.evidence == (Evidence(path="pkg/mod.py", line=2, excerpt="    return 2"),)


@pytest.mark.parametrize(
    ("run", "reason"),
    [
        (a_run(3, FAILING), "1 test still fails: tests/test_m.py::test_f"),
        (a_run(3, lost=[FAILING]), "1 test is gone"),
        (a_run(3, complete=False, problem="it was broken off"), "it was broken off"),
        (a_run(0), "ran no test"),
        ({"error": "no such tool"}, "did not run to its end"),
    ],
    ids=["failing", "lost", "incomplete", "empty", "unreadable"],
)
def test_the_reviewer_goes_by_its_own_run(run: Mapping[str, object], reason: str) -> None:
    made = reviewed([FOUND, changed(), WORK], run)
    assert not made.approved
    assert any(reason in each for each in made.reasons)


@pytest.mark.parametrize(
    "path", ["tests/test_m.py", "conftest.py", "pkg/test/data.py", "pkg/mod_test.py", "tox.ini"]
)
def test_the_reviewer_refuses_a_changed_test(path: str) -> None:
    found = Finding(claim="x", evidence=(Evidence(path=path, line=2, excerpt="return 1"),))
    made = reviewed([("researcher", found), changed(path), WORK], a_run(4))
    assert made.reasons == (
        f"{path} decides whether the tests pass and must stay as it was; take that back.",
    )


def test_the_reviewer_refuses_what_no_evidence_supports() -> None:
    made = reviewed([changed(), WORK], a_run(4))
    assert not made.approved
    assert "pkg/mod.py:2 was changed, but no Finding has evidence near" in made.reasons[0]


def test_the_reviewer_refuses_a_change_that_is_larger_than_its_task() -> None:
    long = SOURCE + "".join(f"x{n} = {n}\n" for n in range(40))
    near = tuple(Evidence(path="pkg/mod.py", line=n, excerpt="") for n in range(1, 60, 5))
    found: Posted = ("researcher", Finding(claim="x", evidence=near))
    made = reviewed([found, changed(after=long), WORK], a_run(4))
    assert made.reasons == (
        "40 lines were changed where 20 should do; keep to what the tasks ask for.",
    )
    tasks: list[Posted] = [("planner", Task(id=f"T{n}", title="t")) for n in (1, 2)]
    assert reviewed([*tasks, found, changed(after=long), WORK], a_run(4)).approved


def test_the_reviewer_does_not_believe_a_patch_that_a_role_has_posted() -> None:
    forged = ("coder", changed()[1])
    made = reviewed([FOUND, forged, WORK], a_run(4))
    assert made.evidence == ()
    assert "No file was changed." in made.reasons


def test_the_reviewer_misses_work_that_was_not_handed_in() -> None:
    assert reviewed([FOUND], a_run(3, FAILING)).reasons[0] == "Nobody has handed in any work."


# arbiter


def ruled(posted: list[Posted], run: Mapping[str, object] | None = None) -> Verdict:
    answer, calls = converse(rule, [GOAL, *posted], tools(run or {}))
    assert [call.name for call in calls] == ([] if run is None else ["run_tests"])
    return Verdict.model_validate_json(answer)


def report(passed: int, *failing: str) -> Posted:
    return "tool:run_tests", a_report(passed, *failing)


def says(approved: bool, reason: str = "Because.") -> Posted:
    return "reviewer", Review(approved=approved, reasons=(reason,))


def test_the_arbiter_accepts_what_passes_and_is_approved() -> None:
    made = ruled([report(3, FAILING), changed(), WORK, report(4), says(True)])
    assert (made.ruling, made.dissent) == ("accept", ())
    assert "[4/tool-run_tests/0.2]" in made.reasons[0], "the address of the report"
    assert "[5/reviewer/0.2]" in made.reasons[1], "the address of the review"


def test_the_arbiter_accepts_against_the_reviewer_and_keeps_the_dissent() -> None:
    made = ruled([changed(), WORK, report(4), says(False, "Too clever.")])
    assert (made.ruling, made.dissent) == ("accept", ("Too clever.",))


def test_the_arbiter_sends_back_what_got_better() -> None:
    made = ruled([report(2, FAILING, "t::b"), changed(), WORK, report(3, FAILING), says(False)])
    assert made.ruling == "revise"
    assert made.reasons[0].startswith("1 test still fails; 2 did at the beginning")


def test_the_arbiter_gives_up_what_does_not_get_better() -> None:
    made = ruled([FOUND, report(3, FAILING), WORK, report(3, FAILING), says(False)])
    assert made.ruling == "give_up"
    told = " ".join(made.reasons)
    assert "1 attempt has come to nothing: [3/coder/0.2]." in told
    assert "f is off" in told
    assert FAILING in told


def test_the_arbiter_does_not_wait_for_ever() -> None:
    better = [report(2, FAILING, "t::b"), changed(), WORK, report(3, FAILING), says(False)]
    once = ("arbiter", Verdict(ruling="revise", reasons=("Once more.",)))
    made = ruled([*better, once, WORK, report(3, FAILING), says(False)])
    assert made.ruling == "give_up"


def test_the_arbiter_has_the_tests_run_where_no_report_tells_of_the_work() -> None:
    assert ruled([changed(), WORK, says(True)], a_run(4)).ruling == "accept"
    assert ruled([report(4), changed(), says(True)], a_run(3, FAILING)).ruling == "give_up"
    assert ruled([], a_run(4)).ruling == "accept"


def test_the_arbiter_reads_a_report_that_lost_its_middle() -> None:
    many = [f"tests/test_long_name_{n:04}.py::test_it" for n in range(400)]
    made = ruled(
        [report(900, *many), changed(), WORK, report(900, *many[1:]), says(False)], a_run(4)
    )
    assert made.ruling == "accept", "it could not be told, so the tests were run"


def test_every_answer_is_json_that_fits_its_kind() -> None:
    for mind, kind in ((plan, Plan), (review, Review), (rule, Verdict)):
        answer, _ = converse(mind, [GOAL], tools(a_run(3, FAILING)))
        assert kind.model_validate(json.loads(answer)).body()
