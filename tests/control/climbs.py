"""What tests of the escalation ladder share: minds on rungs, and who stood on which."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hive import Graph, Workflow
from hive.board.records import Decision, StrandPlan
from hive.control import Escalation
from hive.models import ScriptedModel
from hive.run import Result
from tests.sound import sound

RUNGS = ("small", "medium", "large")


def minds(**lines: Any) -> dict[str, Any]:
    """A script for each key."""
    return {key: ScriptedModel(given, key) for key, given in lines.items()}


def run(graph: Graph, ladder: Escalation, models: Mapping[str, Any], **options: Any) -> Result:
    result = Workflow(graph, models=models, allocator=ladder, **options).run_sync("g", seed=1)
    sound(result.entries)
    return result


def plans(result: Result, role: str = "coder") -> list[StrandPlan]:
    """What a role was given, turn by turn."""
    decided = [e.payload for e in result.entries if isinstance(e.payload, Decision)]
    return [plan for each in decided for plan in each.strands if plan.role == role]


def tiers(result: Result, role: str = "coder") -> list[str | None]:
    return [plan.tier for plan in plans(result, role)]
