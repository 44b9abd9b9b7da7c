"""The test tools (floor 2): run the suite, find the lines to suspect, try changes on copies."""

from hive.tools.testing.locate_faults import locate_faults
from hive.tools.testing.run_tests import run_tests
from hive.tools.testing.try_edits import Candidate, try_edits

__all__ = ["Candidate", "locate_faults", "run_tests", "try_edits"]
