"""Patches: what file tools changed, posted by the tools themselves, for reviewers to read."""

import difflib
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from pydantic import Field

from hive import Payload
from hive.tools import Call, FileChange, Tool, ToolOutput

__all__ = ["LONGEST", "Hunk", "Patch", "patch_of", "with_patches"]

LONGEST = 6_000
"""Characters of a difference that a Patch holds; how many lines it changed is always told."""

LINES_AROUND = 2


class Hunk(NamedTuple):
    """One changed spot: its first line in the new file, the lines before and the lines after."""

    line: int
    before: tuple[str, ...]
    after: tuple[str, ...]


class Patch(Payload):
    """What one tool call changed in one file; the tool posts it, not who asked for the change."""

    path: str
    diff: str = Field(description="Unified difference; cut off, and saying so, when it is long")
    added: int = Field(description="Lines that are new")
    removed: int = Field(description="Lines that are gone")

    def hunks(self) -> Iterator[Hunk]:
        """The changed spots that the difference shows, in order."""
        line, start = 0, 0
        before: list[str] = []
        after: list[str] = []
        for text in [*self.diff.split("\n")[2:], " "]:
            if text.startswith(("+", "-")):
                start = start or line
                (after if text[0] == "+" else before).append(text[1:])
                line += text[0] == "+"
                continue
            if before or after:
                yield Hunk(max(start, 1), tuple(before), tuple(after))
            before, after, start = [], [], 0
            head = re.match(r"@@ -\d+(?:,\d+)? \+(\d+)", text)
            line = int(head[1]) if head else line + 1


def with_patches(tool: Tool) -> Tool:
    """The same file tool, which also posts a Patch for every file that it changed."""
    run = tool.run

    async def patching(arguments: Mapping[str, Any], call: Call) -> ToolOutput:
        output = await run(arguments, call)
        if not isinstance(output, ToolOutput):
            raise TypeError(f"{tool.name} gave {type(output).__name__} where a ToolOutput is due")
        patches = tuple(patch_of(change) for change in output.changes)
        return replace(output, posts=(*output.posts, *patches))

    wrapped: Callable[[Mapping[str, Any], Call], Awaitable[object]] = patching
    return replace(tool, run=wrapped, posts=(*tool.posts, Patch))


def patch_of(change: FileChange) -> Patch:
    """The difference that a change made; what is no text is shown as bytes' count."""
    before, after = (text_of(content) for content in (change.before, change.after))
    lines = list(
        difflib.unified_diff(
            before.split("\n"),
            after.split("\n"),
            "/dev/null" if change.before is None else f"a/{change.path}",
            "/dev/null" if change.after is None else f"b/{change.path}",
            n=LINES_AROUND,
            lineterm="",
        )
    )
    body = lines[2:]
    diff = "\n".join(lines)
    if len(diff) > LONGEST:
        diff = diff[:LONGEST] + "\n[… the rest of the difference is left out …]"
    return Patch(
        path=change.path,
        diff=diff,
        added=sum(line.startswith("+") for line in body),
        removed=sum(line.startswith("-") for line in body),
    )


def text_of(content: bytes | None) -> str:
    if content is None:
        return ""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return f"({len(content)} bytes that are no text)"
