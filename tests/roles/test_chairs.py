"""A language model in each of the five chairs, over a socket; programs in the other four."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hive import Artifact, Finding, Payload, Plan, Result, Review, Verdict
from hive.board.records import Decision, Inference
from hive.message import ToolUse
from hive.models import close, resolve
from hive.testing.faults import Line
from hive.testing.loopback import Received, loopback
from roles.team import repair
from tests.roles import projects
from tests.roles.projects import BOUNDS, FIX, call, payloads

FIND = call(
    "post_Finding",
    claim="Line 9 of bounds.py returns the lower bound where the test expects the upper one.",
    evidence=[
        {"path": "bounds.py", "line": 9, "excerpt": "        return low"},
        {"path": "tests/test_bounds.py", "line": 13, "excerpt": "assert bounded(12, 0, 9) == 9"},
    ],
    confidence="high",
)

Script = tuple[list[ToolUse] | dict[str, object] | str, ...]

SCRIPTS: dict[str, tuple[type[Payload], Script]] = {
    "planner": (
        Plan,
        (
            [call("run_tests"), call("list_files", pattern="**/*.py")],
            [call("read_file", path="tests/test_bounds.py", start=10)],
            {
                "summary": "One of three tests fails.",
                "tasks": [
                    {"id": "T1", "title": "Too large values are lowered", "files": ["bounds.py"]}
                ],
                "done_when": "All three tests pass.",
            },
        ),
    ),
    "researcher": (
        Finding,
        (
            [call("locate_faults", limit=5), call("read_file", path="bounds.py")],
            [FIND],
            "One cause was found.",
        ),
    ),
    "coder": (
        Artifact,
        (
            [call("read_file", path="bounds.py"), call("search", pattern="return low")],
            [call("try_edits", candidates=[{"edits": [FIX]}])],
            [call("edit_file", edits=[FIX])],
            [call("run_tests")],
            {"summary": "bounds.py:9 returns high.", "paths": ["bounds.py"], "closes": ["T1"]},
        ),
    ),
    "reviewer": (
        Review,
        (
            [call("run_tests"), call("read_file", path="bounds.py")],
            {"approved": True, "reasons": ["All three tests pass, and line 9 returns high."]},
        ),
    ),
    "arbiter": (
        Verdict,
        (
            [call("run_tests")],
            {"ruling": "accept", "reasons": ["The newest complete run passes."], "dissent": []},
        ),
    ),
}
"""Role to the kind it ends with, and what a language model says in its chair, reply by reply."""

WIRES = ("openai:gpt-5-mini", "openai-chat:gpt-5-mini", "anthropic:claude-opus-5")
SEATS = [(role, WIRES[0]) for role in SCRIPTS]
SEATS += [("coder", WIRES[1]), ("coder", WIRES[2])]


def speaking(script: Script) -> Callable[[Received], Line]:
    """A server that goes on in its script by what it is shown, not by what it remembers."""

    def answer(received: Received) -> Line:
        done, step = len(received.results), 0
        while done:
            said = script[step]
            done -= len(said) if isinstance(said, list) else 0
            step += 1
        line: Line = script[step]
        return line

    return answer


@pytest.mark.asyncio
@pytest.mark.parametrize(("role", "name"), SEATS, ids=lambda value: value.split(":")[0])
async def test_a_language_model_takes_any_chair(role: str, name: str, tmp_path: Path) -> None:
    kind, script = SCRIPTS[role]
    folder = projects.written(tmp_path, BOUNDS)
    async with loopback(speaking(script)) as server:
        model = resolve(name, base_url=server.base_url, key="a-key-for-tests")
        try:
            workflow = repair.with_models(**{role: model})
            result = await workflow.run("make the tests pass", workspace=folder)
        finally:
            await close(model)
        assert server.requests, [e.payload for e in result.entries if e.kind == "Fault"]
        first, last = server.requests[0], server.requests[-1]
    assert result.finished, result.text
    assert len(server.requests) == len(script), "no reply had to be corrected"
    assert payloads(result, kind, role)
    assert "Your duty:" in first.system
    assert {tool.name for tool in workflow.roles[role].tools} <= set(first.tools)
    assert "make the tests pass" in first.text
    assert all("cannot" not in each for each in last.results)
    assert_seated(result, role, name)


def assert_seated(result: Result, role: str, name: str) -> None:
    """One role spoke with the model's voice and paid its price, the others are programs."""
    for decision in payloads(result, Decision):
        for plan in decision.strands:
            expected = name if plan.role == role else "program:"
            assert plan.model.startswith(expected)
    costs = {e.author: e.payload.cost for e in result.entries if isinstance(e.payload, Inference)}
    assert costs.pop(role) > 0
    assert set(costs.values()) == {0}
    labels = {e.label for e in result.entries if e.author == role and e.payload.level == "domain"}
    assert labels == {"outside"}, "it has read files and test output, and that cannot be washed off"
