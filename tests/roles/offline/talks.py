"""Conversations without a run: entries as views show them, and tools that answer from a table."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from hive import Goal, Payload, TestReport
from hive.board.board import Board
from hive.board.contributions import TestFailure
from hive.board.entry import Address
from hive.board.payload import Vocabulary
from hive.message import Message, Request, Text, ToolForm, ToolResult, ToolUse

Posted = tuple[str, Payload]
"""An author and what it posted; each opens a turn of its own."""
Tools = Mapping[str, Callable[[Mapping[str, Any]], object]]
"""Tool to a function of its arguments; what it gives is the result's JSON, a str its text."""

MOST_STEPS = 10


def view_of(posted: list[Posted], budget: int = 1_000_000) -> tuple[Text, ...]:
    """The text parts by which the board shows some entries, one turn each."""
    kinds = {type(payload) for _, payload in posted}
    board = Board(Vocabulary(kinds | {Goal}), salts=bytes)
    for turn, (author, payload) in enumerate(posted):
        strand = "" if author in ("user", "coordinator") else author.replace("tool:", "tool-")
        board.post(Address(turn, strand, (0, 2)), author, payload, at=turn, origin=author)
        board.close_turn((strand,))
    view = board.view(frozenset(kind.kind for kind in kinds), budget)
    return tuple(item.part for item in view.shown)


def request_of(posted: list[Posted], tools: Tools, messages: tuple[Message, ...] = ()) -> Request:
    """What a role's model is asked."""
    first = Message("user", (*view_of(posted), Text(text="It is your turn, somebody.")))
    forms = tuple(ToolForm(name, "A tool.", {"type": "object"}) for name in tools)
    return Request(model="program:x", system="", messages=(first, *messages), tools=forms)


def converse(
    mind: Callable[[Request], str | list[ToolUse]], posted: list[Posted], tools: Tools
) -> tuple[str, list[ToolUse]]:
    """Let a mind talk to its end: its last words, and all that it called."""
    messages: tuple[Message, ...] = ()
    calls: list[ToolUse] = []
    for _ in range(MOST_STEPS):
        answer = mind(request_of(posted, tools, messages))
        if isinstance(answer, str):
            return answer, calls
        calls += answer
        results = tuple(answered(use, tools) for use in answer)
        messages = (*messages, Message("assistant", tuple(answer)), Message("tool", results))
    raise AssertionError(f"no end after {MOST_STEPS} steps: {[use.name for use in calls]}")


def answered(use: ToolUse, tools: Tools) -> ToolResult:
    said = tools[use.name](use.arguments)
    text = said if isinstance(said, str) else json.dumps(said)
    return ToolResult(id=use.id, name=use.name, text=text)


def a_run(passed: int, *failing: str, **others: object) -> dict[str, object]:
    """What `run_tests` says of so many tests that pass and some that fail."""
    names = [f"tests/test_a.py::test_{number}" for number in range(passed)]
    return {
        "digest": "d1",
        "collected": [*names, *failing],
        "passed": names,
        "failed": [failure(test) for test in failing],
        "lost": [],
        "complete": True,
        "problem": "",
        "tests_executed": passed + len(failing),
        "output_tail": "",
        **others,
    }


def failure(test: str) -> dict[str, object]:
    path = test.partition("::")[0]
    return {
        "id": test,
        "message": "assert 1 == 2",
        "path": path,
        "line": 3,
        "excerpt": "assert f()",
    }


def a_report(passed: int, *failing: str, complete: bool = True) -> TestReport:
    """The same on the board."""
    return TestReport(
        digest="d1",
        collected=tuple(f"tests/test_a.py::test_{number}" for number in range(passed)) + failing,
        passed=passed,
        failed=tuple(TestFailure.model_validate(failure(test)) for test in failing),
        complete=complete,
        duration=1,
    )
