"""Tools (floor 2): what roles may do, each tool saying what it touches and what a crash may do."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from hive.tools.approval import Approver, Judgement, ProposedCall, Rules, allow, ask, by_tool, deny
from hive.tools.call import Call, ToolOutput
from hive.tools.paths import PROTECTED
from hive.tools.person import Enquiry, Person, Respondent, Word
from hive.tools.tool import Effect, Repeat, Tool, tool
from hive.tools.workspace import FileChange, Workspace

if TYPE_CHECKING:
    from hive.tools.command import shell
    from hive.tools.edits import Edit
    from hive.tools.files import FILE_TOOLS, edit_file, list_files, read_file, search, write_file
    from hive.tools.testing import Candidate, locate_faults, run_tests, try_edits

__all__ = [
    "FILE_TOOLS",
    "PROTECTED",
    "Approver",
    "Call",
    "Candidate",
    "Edit",
    "Effect",
    "Enquiry",
    "FileChange",
    "Judgement",
    "Person",
    "ProposedCall",
    "Repeat",
    "Respondent",
    "Rules",
    "Tool",
    "ToolOutput",
    "Word",
    "Workspace",
    "allow",
    "ask",
    "by_tool",
    "deny",
    "edit_file",
    "list_files",
    "locate_faults",
    "read_file",
    "run_tests",
    "search",
    "shell",
    "tool",
    "try_edits",
    "write_file",
]

_SHIPPED = {
    "hive.tools.edits": ("Edit",),
    "hive.tools.files": (
        "FILE_TOOLS",
        "edit_file",
        "list_files",
        "read_file",
        "search",
        "write_file",
    ),
    "hive.tools.command": ("shell",),
    "hive.tools.testing": ("Candidate", "locate_faults", "run_tests", "try_edits"),
}
_PLACES = {name: place for place, names in _SHIPPED.items() for name in names}


def __getattr__(name: str) -> Any:
    """The shipped tools are made when they are asked for, so that `import hive` stays quick."""
    if name not in _PLACES:
        raise AttributeError(f"module 'hive.tools' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_PLACES[name]), name)
    return value
