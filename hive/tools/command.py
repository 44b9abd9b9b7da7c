"""The shell tool (floor 2): a command on a copy of the workspace, whose changes are brought back.

The command works on a private copy, so one that is stopped half-way leaves the work as it was, and
read-only files stay as they are whatever it does to them.
"""

from typing import Annotated

import anyio.to_thread
import orjson
from pydantic import Field

from hive.errors import ToolError, ToolRefused
from hive.tools import sandbox
from hive.tools.call import Call, ToolOutput
from hive.tools.edits import sha256
from hive.tools.paths import fault
from hive.tools.testing.suite import Copy, copy_of
from hive.tools.tool import tool
from hive.tools.workspace import FileChange, Workspace

__all__ = ["shell"]

SECONDS = 60.0


@tool(effect="write", repeat="never", timeout=SECONDS + 10)
async def shell(
    call: Call,
    command: Annotated[str, Field(min_length=1, description="What `sh -c` is to run")],
) -> ToolOutput:
    """Run a shell command in the workspace; gives its exit code, output and changes.

    It runs on a copy without caches and version control and has 60 seconds and no input. What it
    changed is brought back when it has ended; changes of read-only files are dropped.
    """
    # It may reach the network and this user's files, so it is never repeated by itself.
    workspace = call.require_workspace()
    async with sandbox.scratch() as scratch:
        copy = await copy_of(workspace, scratch)
        home = scratch / "home"
        await anyio.Path(home).mkdir()
        finished = await sandbox.run(
            ["/bin/sh", "-c", command],
            cwd=copy.workspace.root,
            seconds=SECONDS,
            env=sandbox.environment(home),
        )
        if finished.timed_out:
            raise ToolError(f"the command was stopped after {SECONDS:g} s; nothing was changed")
        changes, dropped = await anyio.to_thread.run_sync(bring_back, copy, workspace)
    shown = {
        "code": finished.code,
        "stdout": finished.stdout,
        "stderr": finished.stderr,
        "changed": [
            {"path": change.path, "before": sha256(change.before), "after": sha256(change.after)}
            for change in changes
        ],
        "dropped": dropped,
    }
    return ToolOutput(orjson.dumps(shown).decode(), changes)


def bring_back(copy: Copy, workspace: Workspace) -> tuple[tuple[FileChange, ...], list[str]]:
    """Make the copy's changes in the workspace, all or none; gives them, and why others were
    dropped."""
    now = copy.workspace.contents()
    links = {item.path for item in copy.workspace.items() if item.link is not None}
    touched = [p for p in sorted({*now, *copy.contents}) if now.get(p) != copy.contents.get(p)]
    made: dict[str, bytes | None] = {}
    dropped: list[str] = []
    for path in touched:
        try:
            if path in links or fault(path):
                raise ToolRefused(f"{path!r} is a link or has a name that tools cannot use")
            workspace.check_write(path)
        except ToolRefused as error:
            dropped.append(str(error))
            continue
        made[path] = copy.workspace.read(path) if path in now else None
    removals_first = sorted(made, key=lambda path: made[path] is not None)
    return workspace.write_all({path: made[path] for path in removals_first}), dropped
