"""Control (floor 4): who may act, who does, with which model, and when it ends."""

from hive.board.ballots import Critique, Proposal, Vote
from hive.board.contributions import TaskChange
from hive.board.records import Complexity
from hive.board.tasks import Standing
from hive.control.algebra import Guard
from hive.control.allocation import Allocation, Allocator, ByComplexity, OneModel
from hive.control.allotment import TABLE, AllocationTable, Allotment
from hive.control.assessing import Assessment, ModelEstimator
from hive.control.bidding import Bid, Bidding
from hive.control.by_tests import ByTests
from hive.control.chooser import Choose, Chooser, agenda
from hive.control.complexity import LEVELS, Estimator, RuleEstimator, Spreads, Weights, Words
from hive.control.consulting import AcrossModels, consultation
from hive.control.deciding import BordaCount, DecidingRule, MajorityVote, teller
from hive.control.declining import declining
from hive.control.detection import bloated, looped, repeated
from hive.control.disagreement import disagreed, ruled, undecided
from hive.control.doubt import Doubt, divided, invalid, refused, tests_failed, tool_errors, unsure
from hive.control.edge import Edge, finish, handoff, start, stop
from hive.control.escalation import Escalation, escalating
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
from hive.control.levels import level, review_depth
from hive.control.measuring import Judge, judgement, measured
from hive.control.mention import Mention
from hive.control.move import Line, Move
from hive.control.plan import PlanFlaw, plan_flaws, task_graph
from hive.control.planrule import PlanRule
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
    layers,
)
from hive.control.pool import Pool
from hive.control.preference import PROFILES, Preference
from hive.control.preferring import ByPreference
from hive.control.progress import (
    Signal,
    accepted_findings,
    contributions,
    failing_tests,
    open_questions,
    open_tasks,
    passing_tests,
)
from hive.control.refining import refinement
from hive.control.reviews import blind, devils_advocate, reviewing
from hive.control.rounds import acted, answered, grown, rounds_left, rounds_used
from hive.control.rule import Rule, require
from hive.control.shortcut import skip_team
from hive.control.softmax import Softmax
from hive.control.synthesis import LastWord, Synthesis, WrittenBy
from hive.control.tested import tests_pass
from hive.control.watch import Watch, stuck_at
from hive.control.workplan import plans, task_failed, tasks_ready, tasks_settled, workplan
from hive.control.worst import WorstCase, worst_case
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
