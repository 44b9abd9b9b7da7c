"""Hive coordinates a team of agents over a shared, append-only blackboard.

    from hive import Role, Workflow
    writer = Role("writer", "Draft what the goal asks for.")
    editor = Role("editor", "Improve the draft. Answer with the final text alone.")
    team = Workflow(writer >> editor, model="openai:gpt-5-mini")
    print(team.run_sync("A haiku about bees.").text)

This is the door for declaring and running teams. Beside it stand `hive.tools` (the shipped tools
and approval rules), `hive.models` (backends and doubles), `hive.message` (what models are asked
and answer), `hive.errors`, `hive.control` (for those who write policies) and `hive.testing`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hive.audit.record import Record
    from hive.board.board import Board
    from hive.board.contributions import (
        Answer,
        Artifact,
        Evidence,
        Finding,
        Goal,
        Note,
        Plan,
        Question,
        Review,
        Task,
        TestReport,
        Verdict,
    )
    from hive.board.entry import Entry
    from hive.board.payload import Payload
    from hive.board.records import Fault
    from hive.board.state import State, Tally
    from hive.board.view import View
    from hive.control import (
        ByComplexity,
        EpsilonGreedy,
        Graph,
        GraphOrder,
        Guard,
        RoundRobin,
        approved,
        cost,
        elapsed,
        failed,
        finish,
        guard,
        handoff,
        latest,
        posted,
        rejected,
        stalled,
        start,
        stop,
        tests_pass,
        tokens,
        turns,
    )
    from hive.control.budgets.budget import Budget
    from hive.errors import HiveError
    from hive.phases.strand import Limits
    from hive.role import Role
    from hive.run import Result, Run
    from hive.tools.tool import tool
    from hive.workflow import Workflow

__all__ = [
    "Answer",
    "Artifact",
    "Board",
    "Budget",
    "ByComplexity",
    "Entry",
    "EpsilonGreedy",
    "Evidence",
    "Fault",
    "Finding",
    "Goal",
    "Graph",
    "GraphOrder",
    "Guard",
    "HiveError",
    "Limits",
    "Note",
    "Payload",
    "Plan",
    "Question",
    "Record",
    "Result",
    "Review",
    "Role",
    "RoundRobin",
    "Run",
    "State",
    "Tally",
    "Task",
    "TestReport",
    "Verdict",
    "View",
    "Workflow",
    "approved",
    "cost",
    "elapsed",
    "failed",
    "finish",
    "guard",
    "handoff",
    "latest",
    "posted",
    "rejected",
    "stalled",
    "start",
    "stop",
    "tests_pass",
    "tokens",
    "tool",
    "turns",
]

_PLACES = {
    "Board": "hive.board.board",
    **dict.fromkeys(
        (
            "Answer",
            "Artifact",
            "Evidence",
            "Finding",
            "Goal",
            "Note",
            "Plan",
            "Question",
            "Review",
            "Task",
            "TestReport",
            "Verdict",
        ),
        "hive.board.contributions",
    ),
    "Entry": "hive.board.entry",
    "Payload": "hive.board.payload",
    "Fault": "hive.board.records",
    **dict.fromkeys(("State", "Tally"), "hive.board.state"),
    "View": "hive.board.view",
    **dict.fromkeys(
        (
            "ByComplexity",
            "EpsilonGreedy",
            "Graph",
            "GraphOrder",
            "Guard",
            "RoundRobin",
            "approved",
            "cost",
            "elapsed",
            "failed",
            "finish",
            "guard",
            "handoff",
            "latest",
            "posted",
            "rejected",
            "stalled",
            "start",
            "stop",
            "tests_pass",
            "tokens",
            "turns",
        ),
        "hive.control",
    ),
    "Budget": "hive.control.budgets.budget",
    "HiveError": "hive.errors",
    "Limits": "hive.phases.strand",
    "Role": "hive.role",
    **dict.fromkeys(("Result", "Run"), "hive.run"),
    "tool": "hive.tools.tool",
    "Record": "hive.audit.record",
    "Workflow": "hive.workflow",
}


def __getattr__(name: str) -> Any:
    """The door opens where somebody knocks: `import hive` alone loads nothing else."""
    if name not in _PLACES:
        raise AttributeError(f"module 'hive' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_PLACES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
