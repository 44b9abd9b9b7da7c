"""Audit (floor 7): runs read back from their journal, without the workflow that made them."""

from hive.audit.changes import net_changes
from hive.audit.course import Course, RunState, Summary, summaries
from hive.audit.diff import Diff, SetDiff, compare, compare_sets
from hive.audit.efficiency import Factor, Found, factors
from hive.audit.heads import Head, HeadFile
from hive.audit.prompts import prompt
from hive.audit.reasons import Why, why
from hive.audit.record import Record
from hive.audit.replay import Replayed
from hive.audit.statistics import Difference
from hive.audit.verification import Verification, verify
from hive.audit.walking import Finding

__all__ = [
    "Course",
    "Diff",
    "Difference",
    "Factor",
    "Finding",
    "Found",
    "Head",
    "HeadFile",
    "Record",
    "Replayed",
    "RunState",
    "SetDiff",
    "Summary",
    "Verification",
    "Why",
    "compare",
    "compare_sets",
    "factors",
    "net_changes",
    "prompt",
    "summaries",
    "verify",
    "why",
]
