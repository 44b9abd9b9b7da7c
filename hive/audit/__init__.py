"""Audit (floor 7): runs read back from their journal, without the workflow that made them."""

from hive.audit.changes import net_changes
from hive.audit.course import Course, RunState, Summary, summaries
from hive.audit.prompts import prompt
from hive.audit.record import Record
from hive.audit.replay import Replayed

__all__ = [
    "Course",
    "Record",
    "Replayed",
    "RunState",
    "Summary",
    "net_changes",
    "prompt",
    "summaries",
]
