"""The offline team on the demo's project: what it repairs, and what it leaves on the board."""

import difflib
from pathlib import Path

import pytest

from hive import Artifact, Finding, Plan, Result, Review, Task, TestReport, Verdict
from hive.board.records import Decision, Inference
from hive.cli.demo import GOAL
from roles.demo import copy_project, project
from roles.patch import Patch
from roles.team import repair
from tests.roles import projects

FIXES = {
    "moorings/spans.py": ("self.arrival <= other.departure", "self.arrival < other.departure"),
    "moorings/tariff.py": ("total -= self.electricity", "total += self.electricity"),
    "moorings/schedule.py": ("and not self.is_free", "and self.is_free"),
    "moorings/waiting.py": ("self.in_order(), 0)", "self.in_order(), 1)"),
}
"""What a person would change."""


def fix(folder: Path, *paths: str) -> None:
    for path in paths:
        before, after = FIXES[path]
        text = (folder / path).read_text("utf-8")
        assert text.count(before) == 1
        (folder / path).write_text(text.replace(before, after), encoding="utf-8")


@pytest.fixture(scope="module")
def repaired(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    folder = copy_project(tmp_path_factory.mktemp("demo") / "moorings")
    return folder, projects.run(repair, folder, GOAL)


def test_the_project_is_copied_without_caches(tmp_path: Path) -> None:
    folder = copy_project(tmp_path / "copy")
    assert projects.digests(folder) == projects.digests(project())
    assert not list(folder.rglob("__pycache__"))
    with pytest.raises(FileExistsError):
        copy_project(folder)


def test_the_team_repairs_the_project(repaired: tuple[Path, Result]) -> None:
    _, result = repaired
    assert (result.outcome, result.reason) == ("finished", "goal_reached")
    last = projects.payloads(result, TestReport)[-1]
    assert last.complete
    assert not last.failed
    assert last.passed == len(last.collected) == 49
    assert result.cost_usd == 0
    assert result.units > 100, "the engine counts the tests that it had run"


def test_only_sources_change_and_by_one_line_each(repaired: tuple[Path, Result]) -> None:
    folder, _ = repaired
    before, after = projects.digests(project()), projects.digests(folder)
    assert before.keys() == after.keys()
    changed = {path for path in before if before[path] != after[path]}
    assert changed == set(FIXES)
    for path in changed:
        old = (project() / path).read_text("utf-8").splitlines()
        new = (folder / path).read_text("utf-8").splitlines()
        lines = [line for line in difflib.ndiff(old, new) if line[:2] in ("- ", "+ ")]
        assert len(lines) == 2, lines


def test_every_role_says_what_it_should(repaired: tuple[Path, Result]) -> None:
    _, result = repaired
    plan = projects.payloads(result, Plan, "planner")[0]
    assert [task.id for task in plan.tasks] == ["T1", "T2", "T3", "T4"]
    assert projects.payloads(result, Task) == list(plan.tasks)
    assert projects.payloads(result, Finding, "researcher")
    artifact = projects.payloads(result, Artifact, "coder")[-1]
    assert set(artifact.paths) == set(FIXES)
    assert set(artifact.closes) == {"T1", "T2", "T3", "T4"}
    review = projects.payloads(result, Review, "reviewer")[-1]
    assert review.approved
    assert projects.payloads(result, Verdict, "arbiter")[-1].ruling == "accept"
    assert {patch.path for patch in projects.payloads(result, Patch)} == set(FIXES)


def test_findings_and_reviews_cite_what_really_stands_there(repaired: tuple[Path, Result]) -> None:
    folder, result = repaired
    for root, citing in (
        (project(), projects.payloads(result, Finding)),
        (folder, projects.payloads(result, Review)),
    ):
        for payload in citing:
            assert payload.evidence
            for each in payload.evidence:
                lines = (root / each.path).read_text("utf-8").splitlines()
                assert lines[each.line - 1].strip() == each.excerpt.strip()


def test_findings_point_at_every_bug(repaired: tuple[Path, Result]) -> None:
    _, result = repaired
    cited = {
        (each.path, each.excerpt)
        for finding in projects.payloads(result, Finding)
        for each in finding.evidence
    }
    for path, (before, _) in FIXES.items():
        assert any(p == path and before in excerpt for p, excerpt in cited), path


def test_the_minds_are_programs_and_say_so(repaired: tuple[Path, Result]) -> None:
    _, result = repaired
    models = {
        plan.role: plan.model
        for decision in projects.payloads(result, Decision)
        for plan in decision.strands
    }
    assert models == {
        "planner": "program:planner",
        "researcher": "program:researcher",
        "coder": "program:repair-small",
        "reviewer": "program:reviewer",
        "arbiter": "program:arbiter",
    }
    assert all(each.cost == 0 for each in projects.payloads(result, Inference))


def test_the_answer_shows_what_was_changed(repaired: tuple[Path, Result]) -> None:
    _, result = repaired
    assert "Tests: 49 of 49 pass." in result.text
    for before, after in FIXES.values():
        assert before in result.text
        assert after in result.text


def test_bugs_that_somebody_has_mended_are_left_alone(tmp_path: Path) -> None:
    folder = copy_project(tmp_path / "moorings")
    fix(folder, "moorings/schedule.py", "moorings/spans.py", "moorings/waiting.py")
    result = projects.run(repair, folder)
    assert result.finished
    assert {patch.path for patch in projects.payloads(result, Patch)} == {"moorings/tariff.py"}


def test_a_project_that_is_in_order_is_finished_at_once(tmp_path: Path) -> None:
    folder = copy_project(tmp_path / "moorings")
    fix(folder, *FIXES)
    before = projects.digests(folder)
    result = projects.run(repair, folder)
    assert result.finished
    assert result.turns == 2, "the planner sees that nothing is to be done, the arbiter agrees"
    assert projects.digests(folder) == before
