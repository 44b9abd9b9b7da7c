"""A workspace and its recorded states (floor 2): take one down, compare, rebuild, change alike."""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NamedTuple

from hive.board.records import Change
from hive.errors import DeclarationError, ToolError, WorkspaceLost
from hive.tools import walk
from hive.tools.manifest import Manifest, Recorded
from hive.tools.paths import parse_path
from hive.tools.standing import sha256
from hive.tools.workspace import Workspace

__all__ = ["MOST_KEPT", "Drift", "apply", "drift", "rebuild", "snapshot"]

MOST_KEPT = 8_000_000
"""Bytes of a workspace's files that a run keeps in its journal as it begins: sources fit, data sets
and builds do not, and a run is not to begin with copying a disk."""
CHUNK = 1 << 20

Contents = Callable[[str], bytes | None]
"""What a journal keeps under a commitment (hex); None for what it does not hold, or no longer."""


class Drift(NamedTuple):
    """One path at which a workspace is not as the record has it."""

    path: str
    how: Literal["changed", "added", "removed"]


def snapshot(workspace: Workspace, keep: Callable[[bytes], str], most: int = MOST_KEPT) -> Manifest:
    """Take down what stands in a workspace.

    `keep` stores contents and gives their commitment. It is given the smallest files first, as many
    as come to `most` bytes together; of the others only the digest is known.
    """
    found = workspace.standing()
    sizes = {item.path: item.size for item in workspace.items() if item.path in found}
    kept: dict[str, str] = {}
    for path in sorted(sizes, key=lambda path: (sizes[path], path)):
        if found[path].kind == "link":
            continue
        most -= sizes[path]
        if most < 0:
            break
        content = content_at(workspace.root, path)
        if content is not None and sha256(content) == found[path].digest:
            kept[path] = keep(content)
    return Manifest({path: Recorded(each, kept.get(path)) for path, each in found.items()})


def drift(expected: Manifest, workspace: Workspace) -> list[Drift]:
    """Where a workspace is not as the record has it, ordered by path."""
    found = workspace.standing()
    drifts = []
    for path in sorted({*expected.files, *found}, key=os.fsencode):
        if path not in found:
            drifts.append(Drift(path, "removed"))
        elif path not in expected.files:
            drifts.append(Drift(path, "added"))
        elif found[path] != expected.files[path].standing:
            drifts.append(Drift(path, "changed"))
    return drifts


def rebuild(
    state: Manifest, target: Path, content: Contents, source: Workspace | None = None
) -> Workspace:
    """Write a recorded state into the folder `target`, which is made, or is empty.

    Contents come from the journal by their commitments; what it does not hold is taken from
    `source` where that still has the same. Raises DeclarationError for a folder in which something
    stands, and WorkspaceLost, with nothing left behind, when files cannot be had from either.
    """
    fresh = not target.exists()
    if not fresh and (not target.is_dir() or any(target.iterdir())):
        raise DeclarationError(f"{str(target)!r} is no empty folder; give one, or a new path")
    target.mkdir(parents=True, exist_ok=True)
    root = target.resolve()
    try:
        lost = write_files(state, root, content, source)
        if lost:
            raise WorkspaceLost(lost)
        for path, file in state.files.items():  # last, so that no file is written through one
            if file.standing.kind == "link":
                with parent_of(root, path) as (name, parent):
                    os.symlink(file.standing.target, name, dir_fd=parent)
    except BaseException:
        empty(target, fresh)
        raise
    return Workspace(root)


def apply(changes: Iterable[Change], workspace: Workspace, content: Contents) -> bool:
    """Make recorded changes in a workspace whose files are as they were before them.

    False, and nothing is changed, when a file is not, or a content is not there any more.
    """
    now: dict[str, bytes | None] = {}
    start: dict[str, bytes | None] = {}
    try:
        with workspace.alone():
            for change in changes:
                path = "/".join(parse_path(change.path))
                if path not in now:
                    start[path] = now[path] = content_at(workspace.root, path)
                after = content(change.after_content) if change.after_content else None
                if (sha256(now[path]), sha256(after)) != (change.before, change.after):
                    return False
                now[path] = after
            workspace.restore({path: now[path] for path in now if now[path] != start[path]})
    except ToolError:  # a link or a folder stands there
        return False
    return True


def write_files(
    state: Manifest, root: Path, content: Contents, source: Workspace | None
) -> list[str]:
    """Write the files of a state below `root`; gives the paths that cannot be had."""
    lost = []
    for path, (standing, commitment) in state.files.items():
        if standing.kind == "link":
            continue
        body = None if commitment is None else content(commitment)
        with parent_of(root, path) as (name, parent):
            descriptor = os.open(
                name, walk.NEW, 0o777 if standing.kind == "run" else 0o666, dir_fd=parent
            )
            try:
                if body is not None and sha256(body) == standing.digest:
                    walk.pour(descriptor, body)
                elif source is None or copied(source, path, descriptor) != standing.digest:
                    lost.append(path)
            finally:
                os.close(descriptor)
    return lost


def copied(source: Workspace, path: str, descriptor: int) -> str | None:
    """Copy a file of a workspace, whatever its size; gives the SHA-256 (hex) of what was copied,
    None where there is no such file."""
    total = hashlib.sha256()
    try:
        with parent_of(source.root, path, make=False) as (name, parent):
            opened = walk.open_file(path, name, parent)
    except ToolError:
        return None
    if opened is None:
        return None
    with os.fdopen(opened, "rb") as file:
        while chunk := file.read(CHUNK):
            total.update(chunk)
            walk.pour(descriptor, chunk)
    return total.hexdigest()


def content_at(root: Path, path: str) -> bytes | None:
    """What a file holds; None where there is none. Raises ToolError for what is no file."""
    parts = tuple(path.split("/"))
    if walk.missing(root, parts[:-1]):
        return None
    with walk.folder(root, parts[:-1]) as parent:
        return walk.read(path, parts[-1], parent)


@contextmanager
def parent_of(root: Path, path: str, make: bool = True) -> Iterator[tuple[str, int]]:
    """A file's name, and its folder, opened without following links."""
    parts = tuple(path.split("/"))
    with walk.folder(root, parts[:-1], make) as parent:
        yield parts[-1], parent


def empty(folder: Path, wholly: bool) -> None:
    """Remove what stands in a folder, and the folder too if `wholly`."""
    for inner in folder.iterdir():
        shutil.rmtree(inner) if inner.is_dir() and not inner.is_symlink() else inner.unlink()
    if wholly:
        folder.rmdir()
