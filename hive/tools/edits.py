"""Edits of a text (floor 2): exact replacements, found in the text as it stands, all or none."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from hive.errors import ToolError
from hive.tools.paths import parse_path
from hive.tools.standing import sha256
from hive.tools.workspace import Workspace

__all__ = ["Document", "Edit", "apply_edits", "edited_files", "sha256"]


class Edit(BaseModel):
    """Replace one piece of a file's text by another."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Annotated[str, Field(description="File, relative to the workspace")]
    before: Annotated[str, Field(description="Exact text to replace; may span lines")]
    after: Annotated[str, Field(description="Text to put in its place")]
    line: Annotated[
        int | None,
        Field(
            ge=1,
            description="Line, from 1, on which `before` starts; without it, `before` must occur"
            " exactly once in the file",
        ),
    ] = None


@dataclass(frozen=True, slots=True)
class Document:
    """A file's text with "\\n" as line end, and how to write it back as it was."""

    text: str
    newline: str = "\n"
    mark: str = ""

    @classmethod
    def parse(cls, path: str, content: bytes) -> Self:
        """Read a file's bytes. Raises ToolError when they are no UTF-8."""
        try:
            text = content.decode()
        except UnicodeDecodeError as error:
            raise ToolError(
                f"{path!r} is not UTF-8 text: {error.reason} at byte {error.start}"
            ) from None
        mark = "\ufeff" if text.startswith("\ufeff") else ""
        text = text.removeprefix(mark)
        crlf = text.count("\r\n")
        if crlf and crlf == text.count("\n"):
            return cls(text.replace("\r\n", "\n"), "\r\n", mark)
        return cls(text, "\n", mark)

    def encode(self, text: str) -> bytes:
        """New text in the form of this document. Raises ToolError for lone surrogates."""
        try:
            return (self.mark + text.replace("\n", self.newline)).encode()
        except UnicodeEncodeError as error:
            raise ToolError(f"text that is no Unicode: {error.reason}") from None


def edited_files(workspace: Workspace, edits: Sequence[Edit]) -> dict[str, tuple[bytes, bytes]]:
    """Every file named in `edits` with its bytes before and after; nothing is written.

    Raises ToolError that says which edit does not fit and why, ToolRefused for read-only files.
    """
    by_path: dict[str, list[Edit]] = {}
    for edit in edits:
        by_path.setdefault("/".join(parse_path(edit.path)), []).append(edit)
    changed = {}
    for path, group in by_path.items():
        workspace.check_write(path)
        before = workspace.read(path)
        document = Document.parse(path, before)
        changed[path] = (before, document.encode(apply_edits(document.text, group)))
    return changed


def apply_edits(text: str, edits: Sequence[Edit]) -> str:
    """The text with all edits made; each is looked up in the text as it was before any of them.

    Raises ToolError when one cannot be found, is not the only one, or overlaps another.
    """
    pieces: list[str] = []
    done = 0
    for start, edit in sorted(((locate(text, edit), edit) for edit in edits), key=place):
        if start < done:
            raise ToolError(f"{edit.path}: two edits overlap at line {line_of(text, start)}")
        pieces += text[done:start], edit.after
        done = start + len(edit.before)
    return "".join(pieces) + text[done:]


def place(found: tuple[int, Edit]) -> int:
    return found[0]


def locate(text: str, edit: Edit) -> int:
    """Where `edit.before` starts in the text. Raises ToolError that says what to do instead."""
    if edit.before == edit.after:
        raise ToolError(f"{edit.path}: `before` and `after` are the same, so nothing would change")
    if edit.line is not None:
        return locate_on_line(text, edit, edit.line)
    if not edit.before:
        raise ToolError(f"{edit.path}: `before` is empty; give `line` to insert text before it")
    count = text.count(edit.before)
    if count == 1:
        return text.index(edit.before)
    if count:
        lines = ", ".join(str(line_of(text, start)) for start in occurrences(text, edit.before))
        raise ToolError(
            f"{edit.path}: `before` occurs {count} times (lines {lines}); give its `line` or more"
            " of the text around it"
        )
    raise ToolError(f"{edit.path}: `before` does not occur{hint(text, edit.before)}")


def locate_on_line(text: str, edit: Edit, line: int) -> int:
    lines = text.split("\n")
    if line > len(lines):
        raise ToolError(f"{edit.path}: there is no line {line}; the file has {len(lines)}")
    start = sum(len(each) + 1 for each in lines[: line - 1])
    found = text.find(edit.before, start, start + len(lines[line - 1]) + len(edit.before))
    if start <= found <= start + len(lines[line - 1]):
        return found
    raise ToolError(
        f"{edit.path}: `before` does not start on line {line}, which reads"
        f" {lines[line - 1][:200]!r}{hint(text, edit.before)}"
    )


def hint(text: str, before: str) -> str:
    """Where the text can be found after all, if white space is not counted."""
    wanted = before.strip().partition("\n")[0].strip()
    lines = [number for number, line in enumerate(text.split("\n"), 1) if wanted in line]
    if not wanted or not lines:
        return "; read the file again and copy the text exactly"
    return f"; its first line stands on line {', '.join(map(str, lines[:5]))}: mind white space"


def occurrences(text: str, piece: str) -> list[int]:
    """Where a piece starts, at most the first five places."""
    found: list[int] = []
    start = text.find(piece)
    while start >= 0 and len(found) < 5:
        found.append(start)
        start = text.find(piece, start + len(piece))
    return found


def line_of(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1
