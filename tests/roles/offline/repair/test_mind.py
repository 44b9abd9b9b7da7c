"""The engine in a model's chair, over recorded conversations: what it asks for and answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from hive.message import (
    Message,
    OutputForm,
    Reply,
    Request,
    Text,
    ToolForm,
    ToolResult,
    ToolUse,
    Usage,
)
from roles.offline.repair.mind import RepairEngine, large, small

TOOLS = ("locate_faults", "read_file", "try_edits", "edit_file", "run_tests")
SOURCE = "def double(n):\n    return n + n + 1\n"
ARTIFACT = OutputForm(
    "Artifact", {"type": "object", "properties": {"summary": {}, "paths": {}, "closes": {}}}
)


class Bench:
    """Tools with a fixed opinion: `judge` says which of the failing tests a text would pass."""

    def __init__(self, judge: Callable[[str], Sequence[str]], failing: Sequence[str]) -> None:
        self.text = SOURCE
        self.judge = judge
        self.failing = list(failing)
        self.called: list[str] = []

    def call(self, use: ToolUse) -> ToolResult:
        self.called.append(use.name)
        answer = getattr(self, use.name)(**use.arguments)
        return ToolResult(id=use.id, name=use.name, text=json.dumps(answer))

    def locate_faults(self, limit: int) -> dict[str, Any]:
        passed = self.judge(self.text)
        failing = [test for test in self.failing if test not in passed]
        row = {"path": "work.py", "line": 2, "score": 1.0, "failed": len(failing), "passed": 1}
        return {"lines": [row][: len(failing)], "failing": failing, "tests_executed": 10}

    def read_file(self, path: str, start: int, lines: int) -> dict[str, Any]:
        return {"path": path, "start": 1, "end": 2, "total": 2, "text": self.text}

    def try_edits(self, candidates: list[Any], stop_on_pass: bool) -> dict[str, Any]:
        rows = []
        for index, candidate in enumerate(candidates):
            fixed = self.judge(changed(self.text, candidate["edits"]))
            whole = {"index": index, "fixed": [t for t in fixed if t in self.failing]}
            rows.append({**whole, "broken": [], "errors": 0, "timeout": False, "invalid": None})
        executed = len(candidates)
        baseline = {"failing": self.failing, "collected": 9}
        return {"results": rows, "baseline": baseline, "tests_executed": executed, "unjudged": 0}

    def edit_file(self, edits: list[Any]) -> dict[str, Any]:
        self.text = changed(self.text, edits)
        return {"changed": []}

    def run_tests(self, tests: list[str]) -> dict[str, Any]:
        passed = self.judge(self.text)
        failed = [{"id": test} for test in self.failing if test not in passed]
        return {"tests_executed": 10, "failed": failed, "complete": True}


def changed(text: str, edits: list[dict[str, Any]]) -> str:
    for edit in edits:
        text = text.replace(edit["before"], edit["after"])
    return text


def asked(
    *messages: Message,
    shown: str = "",
    tools: Sequence[str] = TOOLS,
    form: OutputForm | None = None,
) -> Request:
    first = Message("user", (Text(text=shown), Text(text="It is your turn, coder.")))
    forms = tuple(ToolForm(name, "", {}) for name in tools)
    return Request(model="small", system="", messages=(first, *messages), tools=forms, output=form)


async def converse(
    engine: RepairEngine, bench: Bench, shown: str = "", form: OutputForm | None = None
) -> tuple[Reply, Usage]:
    """Let the engine have its way with the bench; its last reply, and all that it used."""
    messages: list[Message] = []
    usage = Usage()
    while True:
        reply = await engine.complete(asked(*messages, shown=shown, form=form))
        usage += reply.usage
        if not reply.tool_uses:
            return reply, usage
        results = tuple(bench.call(use) for use in reply.tool_uses)
        messages += [Message("assistant", reply.parts), Message("tool", results)]


def right(text: str) -> Sequence[str]:
    return ("t1", "t2") if "return n + n\n" in text else ()


@pytest.mark.asyncio
async def test_a_bug_is_found_mended_and_reported() -> None:
    bench = Bench(right, ["t1", "t2"])
    reply, usage = await converse(small(), bench)
    assert bench.text == "def double(n):\n    return n + n\n"
    assert "work.py:2 now reads 'return n + n'. All tests pass." in reply.text
    assert bench.called[:3] == ["locate_faults", "read_file", "try_edits"]
    assert bench.called[-2:] == ["edit_file", "run_tests"]
    assert reply.stop == "end"
    # One location, one report, and each candidate once.
    assert usage.units > 20
    assert (usage.input, usage.output) == (0, 0)


@pytest.mark.asyncio
async def test_the_same_conversation_gets_the_same_reply() -> None:
    requests: list[Request] = []

    class Watched(RepairEngine):
        async def complete(self, request: Request) -> Reply:
            requests.append(request)
            return await super().complete(request)

    engine = Watched(small().effort, "watched")
    await converse(engine, Bench(right, ["t1"]))
    again = RepairEngine(small().effort, "watched")
    for request in reversed(requests):
        assert await engine.complete(request) == await again.complete(request)


@pytest.mark.asyncio
async def test_it_answers_in_the_form_it_is_asked_for() -> None:
    shown = '[1/planner/1.2.1] Task by planner (model)\n{"id":"T1","title":"mend"}'
    reply, _ = await converse(small(), Bench(right, ["t1"]), shown, ARTIFACT)
    answer = json.loads(reply.text)
    assert answer["paths"] == ["work.py"]
    assert answer["closes"] == ["T1"]
    assert "All tests pass" in answer["summary"]


@pytest.mark.asyncio
async def test_it_gives_up_honestly_and_leaves_the_work_as_it_was() -> None:
    bench = Bench(lambda text: (), ["t1"])
    shown = '[1/planner/1.2.1] Task by planner (model)\n{"id":"T1","title":"mend"}'
    reply, _ = await converse(small(), bench, shown, ARTIFACT)
    answer = json.loads(reply.text)
    assert bench.text == SOURCE
    assert "edit_file" not in bench.called
    assert answer["paths"] == answer["closes"] == []
    assert answer["summary"].startswith("No full repair was found")
    assert "Still failing: t1" in answer["summary"]


@pytest.mark.asyncio
async def test_the_large_tier_goes_on_where_the_small_one_gave_up() -> None:
    first, _ = await converse(small(), Bench(lambda text: (), ["t1"]))
    asked_for: list[str] = []

    def watch(text: str) -> Sequence[str]:
        asked_for.append(text)
        return ()

    await converse(large(), Bench(watch, ["t1"]))
    from_scratch = len(asked_for)
    asked_for.clear()
    await converse(large(), Bench(watch, ["t1"]), shown=first.text)
    assert "candidates of search" in first.text
    assert len(asked_for) < from_scratch - 30


@pytest.mark.asyncio
async def test_one_bug_after_the_other() -> None:
    """Two tests, two bugs on one line: the first repair mends what it can, the second the rest."""

    def judge(text: str) -> Sequence[str]:
        passed = ["t1"] if "n + n + 1" not in text else []
        return [*passed, "t2"] if "def double(n):\n    if not n:" in text and passed else passed

    bench = Bench(judge, ["t1", "t2"])
    effort = large().effort
    reply, _ = await converse(RepairEngine(effort, "patient"), bench)
    assert "All tests pass" in reply.text
    assert bench.called.count("edit_file") == 2


@pytest.mark.parametrize("lacking", TOOLS)
@pytest.mark.asyncio
async def test_without_its_tools_it_says_what_it_lacks(lacking: str) -> None:
    rest = [name for name in TOOLS if name != lacking]
    reply = await small().complete(asked(tools=rest))
    assert f"it lacks {lacking}" in reply.text
    assert not reply.tool_uses


@pytest.mark.asyncio
async def test_names_say_that_it_is_a_program() -> None:
    assert small().name == "program:repair-small"
    assert large().name == "program:repair-large"
