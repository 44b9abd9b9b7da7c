"""The offline minds by the chairs they take: four roles, and two tiers for the coder."""

from hive.models import FunctionModel, Model
from roles.offline.arbiter import rule
from roles.offline.planner import plan
from roles.offline.repair.mind import large, small
from roles.offline.researcher import research
from roles.offline.reviewer import review

__all__ = ["MINDS"]

MINDS: dict[str, Model] = {
    "planner": FunctionModel(plan, "planner"),
    "researcher": FunctionModel(research, "researcher"),
    "reviewer": FunctionModel(review, "reviewer"),
    "arbiter": FunctionModel(rule, "arbiter"),
    "small": small(),
    "large": large(),
}
"""Key of a workflow's `models` to the program that serves it."""
