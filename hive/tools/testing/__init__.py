"""The test tools (floor 2): run the suite, find the lines to suspect, try changes on copies."""

from hive.tools.testing.faults import locate_faults
from hive.tools.testing.running import run_tests
from hive.tools.testing.trials import Candidate, try_edits

__all__ = ["Candidate", "locate_faults", "run_tests", "try_edits"]
