"""The cast: five roles that repair a Python project together, and the kind of entry they share.

The team they form is `roles.team:repair`; what thinks for them without a language model is in
`roles.offline`, and `roles.demo` has a project for them to work on. All of it stands on the public
doors of `hive` and can be replaced piece by piece.
"""

from roles.arbiter import arbiter
from roles.coder import coder
from roles.patch import Patch
from roles.planner import planner
from roles.researcher import researcher
from roles.reviewer import reviewer

__all__ = ["Patch", "arbiter", "coder", "planner", "researcher", "reviewer"]
