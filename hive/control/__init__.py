"""Control (floor 4): who may act, who does, with which model, and when it ends."""

from hive.board.ballots import Critique, Proposal, Vote
from hive.board.contributions import TaskChange
from hive.board.records import Complexity
from hive.board.tasks import Standing
from hive.control.allocating.allocation import Allocation, Allocator, ByComplexity, OneModel
from hive.control.allocating.allotment import TABLE, AllocationTable, Allotment
from hive.control.allocating.assessing import Assessment, ModelEstimator
from hive.control.allocating.complexity import (
    LEVELS,
    Estimator,
    RuleEstimator,
    Spreads,
    Weights,
    Words,
)
from hive.control.allocating.doubt import (
    Doubt,
    divided,
    invalid,
    refused,
    tests_failed,
    tool_errors,
    unsure,
)
from hive.control.allocating.escalation import Escalation, escalating
from hive.control.allocating.figures import Figure
from hive.control.allocating.measuring import Judge, judgement, measured
from hive.control.allocating.preference import PROFILES, Preference
from hive.control.allocating.preferring import ByPreference
from hive.control.budgets.pool import Pool
from hive.control.graphs.algebra import Guard
from hive.control.graphs.edge import Edge, finish, handoff, start, stop
from hive.control.graphs.graph import Ending, Graph, chain_graph
from hive.control.graphs.move import Line, Move
from hive.control.graphs.rule import Rule, require
from hive.control.graphs.worst import WorstCase, worst_case
from hive.control.guards.declining import declining
from hive.control.guards.detection import bloated, looped, repeated
from hive.control.guards.disagreement import disagreed, ruled, undecided
from hive.control.guards.guard import (
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
from hive.control.guards.levels import level, review_depth
from hive.control.guards.progress import (
    Signal,
    accepted_findings,
    contributions,
    failing_tests,
    open_questions,
    open_tasks,
    passing_tests,
)
from hive.control.guards.rounds import acted, answered, grown, rounds_left, rounds_used
from hive.control.guards.tested import tests_pass
from hive.control.guards.watch import Watch, stuck_at
from hive.control.patterns.consulting import AcrossModels, consultation
from hive.control.patterns.plan import PlanFlaw, plan_flaws, task_graph
from hive.control.patterns.planrule import PlanRule
from hive.control.patterns.refining import refinement
from hive.control.patterns.reviews import blind, devils_advocate, reviewing
from hive.control.patterns.shortcut import skip_team
from hive.control.patterns.workplan import plans, task_failed, tasks_ready, tasks_settled, workplan
from hive.control.policies.bidding import Bid, Bidding
from hive.control.policies.chooser import Choose, Chooser, agenda
from hive.control.policies.mention import Mention
from hive.control.policies.policy import (
    Choice,
    EpsilonGreedy,
    GraphOrder,
    Policy,
    RoundRobin,
    Situation,
    checked,
    features,
    generator,
    layers,
)
from hive.control.policies.softmax import Softmax
from hive.control.synthesis import LastWord, Synthesis, WrittenBy
from hive.control.voting.by_tests import ByTests
from hive.control.voting.deciding import BordaCount, DecidingRule, MajorityVote, teller
from hive.errors import Flaw

__all__ = [
    "LEVELS",
    "PROFILES",
    "TABLE",
    "AcrossModels",
    "Allocation",
    "AllocationTable",
    "Allocator",
    "Allotment",
    "Assessment",
    "Bid",
    "Bidding",
    "BordaCount",
    "ByComplexity",
    "ByPreference",
    "ByTests",
    "Choice",
    "Choose",
    "Chooser",
    "Complexity",
    "Critique",
    "DecidingRule",
    "Doubt",
    "Edge",
    "Ending",
    "EpsilonGreedy",
    "Escalation",
    "Estimator",
    "Figure",
    "Flaw",
    "Graph",
    "GraphOrder",
    "Guard",
    "Judge",
    "LastWord",
    "Line",
    "MajorityVote",
    "Mention",
    "ModelEstimator",
    "Move",
    "OneModel",
    "PlanFlaw",
    "PlanRule",
    "Policy",
    "Pool",
    "Preference",
    "Proposal",
    "RoundRobin",
    "Rule",
    "RuleEstimator",
    "Signal",
    "Situation",
    "Softmax",
    "Spreads",
    "Standing",
    "Synthesis",
    "TaskChange",
    "Vote",
    "Watch",
    "Weights",
    "Words",
    "WorstCase",
    "WrittenBy",
    "accepted_findings",
    "acted",
    "agenda",
    "answered",
    "approved",
    "blind",
    "bloated",
    "chain_graph",
    "checked",
    "consultation",
    "contributions",
    "cost",
    "declining",
    "devils_advocate",
    "disagreed",
    "divided",
    "elapsed",
    "escalating",
    "failed",
    "failing_tests",
    "features",
    "finish",
    "generator",
    "grown",
    "guard",
    "handoff",
    "invalid",
    "judgement",
    "latest",
    "layers",
    "level",
    "looped",
    "measured",
    "open_questions",
    "open_tasks",
    "passing_tests",
    "plan_flaws",
    "plans",
    "posted",
    "refinement",
    "refused",
    "rejected",
    "repeated",
    "require",
    "review_depth",
    "reviewing",
    "rounds_left",
    "rounds_used",
    "ruled",
    "skip_team",
    "stalled",
    "start",
    "stop",
    "stuck_at",
    "task_failed",
    "task_graph",
    "tasks_ready",
    "tasks_settled",
    "teller",
    "tests_failed",
    "tests_pass",
    "tokens",
    "tool_errors",
    "turns",
    "undecided",
    "unsure",
    "workplan",
    "worst_case",
]
