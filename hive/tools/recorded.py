"""The workspace as a run's record has it (floor 2): folded, compared with the folder, put back."""

import os
import stat
from collections.abc import Iterable, Sequence
from contextlib import suppress

from hive.board.entry import Entry
from hive.board.records import Observation, Resumed, RunStarted
from hive.errors import ToolError, WorkspaceLost
from hive.tools import walk
from hive.tools.manifest import Manifest, Recorded, recorded_state
from hive.tools.snapshot import Contents, Drift, parent_of
from hive.tools.standing import sha256
from hive.tools.workspace import Workspace

__all__ = ["described", "observed_calls", "put_back", "state_after"]

FOUND = {
    "changed": "is not as the run left it",
    "added": "was not there",
    "removed": "is gone",
}


def state_after(entries: Sequence[Entry], content: Contents) -> Manifest | None:
    """What stood in a run's workspace after these entries, the first of its log among them; None
    for a run that did not take down what stood there at its beginning.

    A fork begins with what its parent began with, and what it shares is among these entries. Raises
    JournalError when that state is not in the journal any more.
    """
    first = entries[0].payload if entries else None
    if not isinstance(first, RunStarted):
        return None
    later = (entry for entry in entries[1:] if entry.cls in (Observation, Resumed))
    return recorded_state((first, *(entry.payload for entry in later)), content)


def observed_calls(entries: Iterable[Entry]) -> frozenset[str]:
    """The calls, by address, of which these entries hold the result: nothing of them is undone."""
    return frozenset(
        cause for entry in entries if entry.cls is Observation for cause in entry.causes
    )


def described(drifts: Sequence[Drift]) -> str:
    """What was found, a line for each path."""
    return "\n".join(f"  {drift.path}: {FOUND[drift.how]}" for drift in drifts)


def put_back(
    drifts: Sequence[Drift], state: Manifest, workspace: Workspace, content: Contents
) -> None:
    """Make a workspace what the record says again. Raises WorkspaceLost, with nothing changed, when
    the record does not hold what is wanted."""
    wanted: dict[str, tuple[Recorded, bytes]] = {}
    lost = []
    for path, how in drifts:
        if how == "added":
            continue
        file = state.files[path]
        body = b"" if file.content is None else content(file.content)
        if file.standing.kind == "link" or (
            body is not None and sha256(body) == file.standing.digest
        ):
            wanted[path] = (file, body or b"")
        else:
            lost.append(path)
    if lost:
        raise WorkspaceLost(lost)
    for path, _ in sorted(drifts, reverse=True):
        if path not in wanted or wanted[path][0].standing.kind == "link":
            clear(workspace, path)
    for path, (file, body) in wanted.items():
        place(workspace, path, file, body)


def clear(workspace: Workspace, path: str) -> None:
    """Take away what stands at a path, and the folders that are empty then."""
    with suppress(ToolError, FileNotFoundError):
        with parent_of(workspace.root, path, make=False) as (name, parent):
            os.unlink(name, dir_fd=parent)
        above = path.rpartition("/")[0]
        while above:
            with parent_of(workspace.root, above, make=False) as (name, parent):
                os.rmdir(name, dir_fd=parent)
            above = above.rpartition("/")[0]


def place(workspace: Workspace, path: str, file: Recorded, body: bytes) -> None:
    """Put a recorded file or link where it stood."""
    standing = file.standing
    with parent_of(workspace.root, path) as (name, parent):
        if standing.kind == "link":
            os.symlink(standing.target, name, dir_fd=parent)
            return
        if walk.is_link(name, parent):
            os.unlink(name, dir_fd=parent)
        mode = walk.mode_of(name, parent) or 0o644
        run = stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH
        mode = mode | run if standing.kind == "run" else mode & ~run
        walk.replace(path, name, parent, body, mode=mode)
