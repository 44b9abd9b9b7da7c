"""The file tools (floor 2): look around, read, search, edit and write inside the workspace.

Each answers with one JSON object. Reading touches nothing; `edit_file` and `write_file` change
files by one rename each and give back both contents for the record. All of them may be repeated
after a crash: what a call changed whose result is not on record is put back before it is made
again (`hive.tools.undo`), so that an edit finds the text it was meant for.
"""

import re
from collections.abc import Iterable
from typing import Annotated, Any

import orjson
from pydantic import Field

from hive.errors import ToolError
from hive.tools.call import Call, ToolOutput
from hive.tools.edits import Document, Edit, edited_files, sha256
from hive.tools.paths import glob_test
from hive.tools.tool import tool
from hive.tools.workspace import FileChange, Workspace

__all__ = ["FILE_TOOLS", "edit_file", "list_files", "read_file", "search", "write_file"]

MOST_FILES = 500
MOST_MATCHES = 200
MOST_TEXT = 200_000
"""Characters that one reading gives at most."""
MOST_LINE = 400
"""Characters shown of a line that a search found."""


@tool(effect="read", thread=True)
def list_files(
    call: Call,
    pattern: Annotated[str, Field(description="Glob; ** crosses folders")] = "**/*.py",
) -> dict[str, Any]:
    """List the workspace's files that match a glob, with their size in bytes and lines.

    Read-only files (tests and test configuration) are marked.
    """
    workspace = call.require_workspace()
    matches = glob_test(pattern)
    found = [path for path in workspace.files() if matches(path)]
    listed = [described(workspace, path) for path in found[:MOST_FILES]]
    return {"files": listed, "more": len(found) - len(listed)}


@tool(effect="read", thread=True)
def read_file(
    call: Call,
    path: Annotated[str, Field(description="File, relative to the workspace")],
    start: Annotated[int, Field(ge=1, description="First line, counted from 1")] = 1,
    lines: Annotated[int, Field(ge=1, le=10_000, description="How many lines")] = 400,
) -> dict[str, Any]:
    """Read some lines of a text file; `total` says how many it has."""
    content = call.require_workspace().read(path)
    every = split_lines(Document.parse(path, content).text)
    if start > max(len(every), 1):
        raise ToolError(f"{path!r} has {len(every)} lines; there is no line {start}")
    shown = fitting(every[start - 1 : start - 1 + lines])
    return {
        "path": path,
        "start": start,
        "end": start + len(shown) - 1,
        "total": len(every),
        "text": "".join(shown)[:MOST_TEXT],
    }


@tool(effect="read", thread=True)
def search(
    call: Call,
    pattern: Annotated[str, Field(min_length=1, description="Text to find, letter by letter")],
    glob: Annotated[str, Field(description="Files to look into; ** crosses folders")] = "**/*",
    ignore_case: bool = False,
) -> dict[str, Any]:
    """Find a piece of text in the workspace's files; gives path, line and the line's text."""
    workspace = call.require_workspace()
    inside = glob_test(glob)
    wanted = re.compile(re.escape(pattern), re.IGNORECASE if ignore_case else 0)
    found = [
        {"path": path, "line": number, "text": line[:MOST_LINE]}
        for path in workspace.files()
        if inside(path)
        for number, line in enumerate(readable_lines(workspace, path), 1)
        if wanted.search(line)
    ]
    return {"matches": found[:MOST_MATCHES], "more": max(0, len(found) - MOST_MATCHES)}


@tool(effect="write", repeat="safe", thread=True)
def edit_file(
    call: Call,
    edits: Annotated[list[Edit], Field(min_length=1, description="All are made, or none")],
) -> ToolOutput:
    """Replace pieces of files by others; give the exact text as it stands in the file.

    Every edit is looked up in the files as they are now, so `line` need not count what other edits
    of the same call add or take away.
    """
    workspace = call.require_workspace()
    with workspace.alone():  # a call beside this one may be about to edit the same file
        changed = edited_files(workspace, edits)
        changes = workspace.write_all({path: after for path, (_, after) in changed.items()})
    return changes_made(changes)


@tool(effect="write", repeat="safe", thread=True)
def write_file(
    call: Call,
    path: Annotated[str, Field(description="File, relative to the workspace")],
    text: Annotated[str, Field(description="All that the file will hold")],
) -> ToolOutput:
    """Write a whole file, replacing what was there; folders on the way are made."""
    return changes_made([call.require_workspace().write(path, Document("").encode(text))])


FILE_TOOLS = (list_files, read_file, search, edit_file, write_file)


def changes_made(changes: Iterable[FileChange]) -> ToolOutput:
    """The changes as JSON text, digests in place of contents."""
    changes = tuple(changes)
    shown = [
        {"path": change.path, "before": sha256(change.before), "after": sha256(change.after)}
        for change in changes
    ]
    return ToolOutput(orjson.dumps({"changed": shown}).decode(), changes)


def described(workspace: Workspace, path: str) -> dict[str, Any]:
    try:
        content = workspace.read(path)
    except ToolError:  # too large, or gone since it was found
        content = b""
    return {
        "path": path,
        "bytes": len(content),
        "lines": content.count(b"\n") + (content[-1:] not in (b"", b"\n")),
        "read_only": workspace.is_protected(path),
    }


def split_lines(text: str) -> list[str]:
    """Lines with their ends, as Python's own line numbers count them."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def fitting(lines: list[str]) -> list[str]:
    """As many lines as `MOST_TEXT` characters hold, at least one."""
    total = 0
    for count, line in enumerate(lines):
        total += len(line)
        if total > MOST_TEXT and count:
            return lines[:count]
    return lines


def readable_lines(workspace: Workspace, path: str) -> list[str]:
    """The lines of a file; none when it is no text."""
    try:
        return Document.parse(path, workspace.read(path)).text.split("\n")
    except ToolError:
        return []
