"""Control (floor 4): who may act, who does, with which model, and when it ends."""

from hive.control.algebra import Guard
from hive.control.allocation import Allocation, Allocator, ByComplexity, OneModel
from hive.control.chooser import Choose, Chooser, agenda
from hive.control.complexity import Estimator, RuleEstimator, Weights, Words
from hive.control.declining import declining
from hive.control.edge import Edge, finish, handoff, start, stop
from hive.control.figures import Figure
from hive.control.graph import Ending, Graph, chain_graph
from hive.control.guard import (
    approved,
    cost,
    elapsed,
    failed,
    guard,
    latest,
    posted,
    rejected,
    stalled,
    tokens,
    turns,
)
from hive.control.measuring import Judge, judgement, measured
from hive.control.mention import Mention
from hive.control.move import Line, Move
from hive.control.policy import (
    Choice,
    EpsilonGreedy,
    GraphOrder,
    Policy,
    RoundRobin,
    Situation,
    checked,
    features,
    generator,
)
from hive.control.preference import PROFILES, Preference
from hive.control.preferring import ByPreference
from hive.control.rule import Rule, require
from hive.control.tested import tests_pass
from hive.control.worst import WorstCase, worst_case
from hive.errors import Flaw

__all__ = [
    "PROFILES",
    "Allocation",
    "Allocator",
    "ByComplexity",
    "ByPreference",
    "Choice",
    "Choose",
    "Chooser",
    "Edge",
    "Ending",
    "EpsilonGreedy",
    "Estimator",
    "Figure",
    "Flaw",
    "Graph",
    "GraphOrder",
    "Guard",
    "Judge",
    "Line",
    "Mention",
    "Move",
    "OneModel",
    "Policy",
    "Preference",
    "RoundRobin",
    "Rule",
    "RuleEstimator",
    "Situation",
    "Weights",
    "Words",
    "WorstCase",
    "agenda",
    "approved",
    "chain_graph",
    "checked",
    "cost",
    "declining",
    "elapsed",
    "failed",
    "features",
    "finish",
    "generator",
    "guard",
    "handoff",
    "judgement",
    "latest",
    "measured",
    "posted",
    "rejected",
    "require",
    "stalled",
    "start",
    "stop",
    "tests_pass",
    "tokens",
    "turns",
    "worst_case",
]
