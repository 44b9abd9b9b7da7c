"""The folder that a run works on: in place, or a copy."""

import tempfile
from pathlib import Path

from hive.cli.exits import Mistake
from hive.tools.workspace import Workspace
from hive.workflow import Workflow

__all__ = ["announced", "in_place"]


def announced(folder: Path | None, copy: bool, team: Workflow) -> tuple[Path | None, str]:
    """The folder to work on, made if it is a copy, and the sentence that says so beforehand."""
    if folder is None:
        if copy:
            raise Mistake("--copy needs a folder to copy; give --workspace DIR")
        return None, ""
    workspace = Workspace(folder)
    if not copy:
        return workspace.root, in_place(workspace.root, team, " (--copy would work on a copy)")
    target = copied(workspace)
    return target, f"Working in {target}, a copy of {workspace.root}, which stays as it is."


def in_place(root: Path, team: Workflow, instead: str = "") -> str:
    """What is to be said before a team is let into a folder, with what could be done `instead`."""
    tools = [tool for role in team.roles.values() for tool in role.tools]
    if all(tool.effect == "read" for tool in tools):
        return f"Working in {root}, which this team only reads."
    return f"Working in {root}: its files are changed in place{instead}."


def copied(workspace: Workspace) -> Path:
    """A fresh copy of a workspace: a folder beside it, or in the temporary folder where nothing can
    be written beside it."""
    root = workspace.root
    for number in range(1, 1000):
        target = root.with_name(f"{root.name}-copy{'' if number == 1 else f'-{number}'}")
        if target.exists():
            continue
        try:
            workspace.copy_to(target)
        except PermissionError:
            break
        return target
    target = Path(tempfile.mkdtemp(prefix="hive-copy-")) / root.name
    workspace.copy_to(target)
    return target
