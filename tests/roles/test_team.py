"""The team's ways: who follows whom, how it ends, and what it says when it has to stop."""

import json
import re
from pathlib import Path

import pytest
from pydantic import JsonValue

from hive import Artifact, Finding, Payload, Plan, Review, Role, TestReport, Verdict
from hive.board.records import Decision, Handoff
from hive.errors import ServerFailed
from hive.message import Request
from hive.models.scripted import Answer
from roles import arbiter, coder, planner, researcher, reviewer
from roles.offline.arbiter import rule
from roles.offline.reading import called, entries
from roles.offline.researcher import research
from roles.offline.reviewer import review
from roles.team import graph, repair
from tests.roles import projects
from tests.roles.projects import call, fixing_coder, idle_coder, payloads, seated


@pytest.fixture
def bounds(tmp_path: Path) -> Path:
    return projects.written(tmp_path / "bounds", projects.BOUNDS)


@pytest.fixture
def hopeless(tmp_path: Path) -> Path:
    return projects.written(tmp_path / "hopeless", projects.HOPELESS)


def refusing_reviewer(request: Request) -> Answer:
    return '{"approved": false, "reasons": ["I do not like the look of it."]}'


def acted(decisions: list[Decision]) -> list[str]:
    return [plan.role for decision in decisions for plan in decision.strands]


def test_the_team_is_found_under_its_name() -> None:
    assert repair.name == "roles.team:repair"
    assert list(graph.roles) == ["coder", "planner", "arbiter", "researcher", "reviewer"]


def test_nobody_but_the_coder_may_change_a_file() -> None:
    for role in (planner, researcher, reviewer, arbiter):
        assert not {"edit_file", "write_file"} & {tool.name for tool in role.tools}
    assert {"edit_file", "write_file", "try_edits"} <= {tool.name for tool in coder.tools}


@pytest.mark.parametrize(
    ("role", "kind"),
    [
        (planner, Plan),
        (researcher, Finding),
        (coder, Artifact),
        (reviewer, Review),
        (arbiter, Verdict),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_instructions_say_what_a_language_model_must_know(role: Role, kind: type[Payload]) -> None:
    text = role.instructions
    assert kind in role.writes
    assert kind.kind in text
    assert text.startswith("Your duty:")
    for what in ("Hand on", "Ask", "Give up"):
        assert re.search(rf"^{what} ", text, re.MULTILINE), f"{role.name}: when to {what.lower()}"
    fields = {"summary", "done_when"} if kind is Plan else set(kind.model_fields)
    for name in fields:
        assert f"`{name}`" in text, f"{role.name} is not told of {name}"
    for tool in role.tools:
        assert f"`{tool.name}`" in text or tool.name in ("list_files", "read_file", "search")


def test_a_trivial_repair_takes_one_role(bounds: Path) -> None:
    result = projects.run(repair, bounds, "Correct line 9 of bounds.py")
    decision, *further = payloads(result, Decision)
    assert not further
    assert [plan.model for plan in decision.strands] == ["program:repair-small"]
    assert decision.complexity.level == "trivial"
    assert result.finished
    assert payloads(result, TestReport)[-1].failed == ()


def test_a_repair_that_was_not_as_trivial_as_it_looked_is_handed_to_the_team(
    hopeless: Path,
) -> None:
    result = projects.run(repair, hopeless, "Correct line 6 of doubling.py")
    roles = acted(payloads(result, Decision))
    assert roles[:4] == ["coder", "planner", "researcher", "coder"]
    assert not result.finished


def test_coder_and_reviewer_who_disagree_are_heard_by_the_arbiter(bounds: Path) -> None:
    result = projects.run(seated(coder=fixing_coder, reviewer=refusing_reviewer), bounds)
    assert acted(payloads(result, Decision)) == [
        *("planner", "researcher", "coder", "reviewer", "coder", "reviewer", "arbiter")
    ]
    assert result.finished, "the tests pass, and no fact bears the objection out"
    verdict = payloads(result, Verdict)[-1]
    assert verdict.ruling == "accept"
    assert verdict.dissent == ("I do not like the look of it.",)
    assert "I do not like the look of it." in result.text


def test_a_refused_coder_is_given_the_larger_tier(hopeless: Path) -> None:
    result = projects.run(repair, hopeless)
    coders = [
        plan.model
        for decision in payloads(result, Decision)
        for plan in decision.strands
        if plan.role == "coder"
    ]
    assert coders == ["program:repair-small", "program:repair-large"]


def test_what_cannot_be_done_is_given_up_with_what_was_learnt(hopeless: Path) -> None:
    before = projects.digests(hopeless)
    result = projects.run(seated(small=idle_coder, large=idle_coder), hopeless)
    assert (result.outcome, result.reason) == ("stopped", "gave_up")
    assert payloads(result, Verdict)[-1].ruling == "give_up"
    assert "no progress" in result.text
    assert "Tests: 1 of 2 pass." in result.text
    assert "tests/test_doubling.py::test_two_makes_five: assert 4 == 5" in result.text
    assert "nothing came to mind" in result.text
    assert "doubling.py:6 in double" in result.text
    assert projects.digests(hopeless) == before


def test_a_team_that_goes_in_circles_is_stalled(hopeless: Path) -> None:
    def hopeful_arbiter(request: Request) -> Answer:
        return '{"ruling": "revise", "reasons": ["Once more."]}'

    workflow = seated(coder=idle_coder, arbiter=hopeful_arbiter)
    result = projects.run(workflow, hopeless)
    assert (result.outcome, result.reason) == ("stopped", "stalled")
    assert result.turns <= 10
    assert result.text.startswith("Stopped: no progress.")
    assert len(payloads(result, Artifact)) >= 3, "it has tried more than once"


def test_an_arbiter_cannot_accept_what_does_not_pass(hopeless: Path) -> None:
    def lenient_arbiter(request: Request) -> Answer:
        return '{"ruling": "accept", "reasons": ["Good enough."]}'

    result = projects.run(seated(coder=idle_coder, arbiter=lenient_arbiter), hopeless)
    assert result.outcome == "stopped"
    after_ruling = [
        decision.strands[0].role
        for decision in payloads(result, Decision)
        if decision.features["frontier"] == "arbiter"
    ]
    assert set(after_ruling) == {"reviewer"}, "who must show that the tests pass"


def test_an_arbiter_that_hands_on_instead_of_ruling_is_heard(bounds: Path) -> None:
    def doubting_arbiter(request: Request) -> Answer:
        if entries(request, "Verdict") or len(entries(request, "Review")) > 1:
            return rule(request)
        return call("handoff", to="reviewer", reason="look again")

    result = projects.run(seated(coder=fixing_coder, arbiter=doubting_arbiter), bounds)
    assert acted(payloads(result, Decision))[-3:] == ["arbiter", "reviewer", "arbiter"]
    assert result.finished


def test_an_arbiter_may_send_half_a_repair_back(tmp_path: Path) -> None:
    files = {
        **projects.BOUNDS,
        "signs.py": "def sign(n):\n    return n > 0\n",
        "tests/test_signs.py": "from signs import sign\n\n\ndef test_a_debt():\n"
        "    assert sign(-2) == -1\n",
    }
    folder = projects.written(tmp_path, files)
    second: dict[str, JsonValue] = {
        "path": "signs.py",
        "before": "n > 0",
        "after": "(n > 0) - (n < 0)",
    }

    def slow_coder(request: Request) -> Answer:
        if called(request):
            return '{"summary": "One more thing was mended."}'
        ruled = entries(request, "Verdict")
        edit = second if ruled else projects.FIX
        done = entries(request, "Patch")
        if done and not ruled:
            return '{"summary": "I see nothing else."}'
        return call("edit_file", edits=[edit])

    result = projects.run(seated(coder=slow_coder), folder)
    assert [verdict.ruling for verdict in payloads(result, Verdict)] == ["revise", "accept"]
    assert result.finished


def test_a_coder_may_ask_the_researcher(bounds: Path) -> None:
    def asking_coder(request: Request) -> Answer:
        if entries(request, "Answer"):
            return fixing_coder(request)
        return [
            call("post_Question", text="What is high for?", to="researcher"),
            call("handoff", to="researcher", reason="to know"),
        ]

    def answering_researcher(request: Request) -> Answer:
        asked = entries(request, "Question")
        if not asked:
            return research(request)
        if not called(request):
            return call("post_Answer", text="The upper bound.", question=asked[-1].address)
        return "answered"

    result = projects.run(seated(coder=asking_coder, researcher=answering_researcher), bounds)
    assert acted(payloads(result, Decision))[1:5] == [
        *("researcher", "coder", "researcher", "coder")
    ]
    assert [handoff.to for handoff in payloads(result, Handoff)] == ["researcher"]
    assert result.state.questions == ()
    assert result.finished


def test_a_reviewer_that_fails_does_not_stop_the_team(bounds: Path) -> None:
    def broken_reviewer(request: Request) -> Answer:
        raise ServerFailed("nobody there")

    result = projects.run(seated(coder=fixing_coder, reviewer=broken_reviewer), bounds)
    assert result.finished
    assert acted(payloads(result, Decision))[-2:] == ["reviewer", "arbiter"]
    assert payloads(result, TestReport)[-1].passed == 3, "the arbiter ran the tests itself"


def test_a_planner_that_fails_does_not_stop_the_team(bounds: Path) -> None:
    def broken_planner(request: Request) -> Answer:
        return "I would rather write a poem."

    result = projects.run(seated(coder=fixing_coder, planner=broken_planner), bounds)
    assert result.finished


def test_a_project_without_tests_is_not_called_repaired(tmp_path: Path) -> None:
    result = projects.run(repair, projects.written(tmp_path, {"alone.py": "x = 1\n"}))
    assert result.outcome == "stopped"
    assert "no test was found" in result.text


def test_a_review_is_made_of_a_run_of_its_own(bounds: Path) -> None:
    seen: list[str] = []

    def watched_reviewer(request: Request) -> Answer:
        answer = review(request)
        if isinstance(answer, str):
            seen.extend(json.loads(answer)["reasons"])
        return answer

    workflow = seated(coder=fixing_coder, reviewer=watched_reviewer)
    result = projects.run(workflow, bounds)
    reports = [e for e in result.entries if e.kind == "TestReport"]
    assert any(entry.address.role == "reviewer" for entry in reports)
    assert any("in a complete run that I made" in reason for reason in seen)
