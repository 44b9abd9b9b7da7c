"""What a run changed, as a unified diff with colours."""

from collections.abc import Sequence
from difflib import unified_diff

from rich.text import Text

from hive.cli.words import clean
from hive.tools.workspace import FileChange

__all__ = ["diff"]

STYLES = {"+": "green", "-": "red", "@": "cyan", "\\": "dim"}
MOST_LINES = 400
"""Lines of one file's diff that are shown."""


def diff(changes: Sequence[FileChange]) -> Text:
    """All changes of some files in one coloured text, as `git diff` would show them."""
    text = Text()
    for change in changes:
        lines = [clean(line) for line in difference(change)]
        for line in lines[:MOST_LINES]:
            bold = line.startswith(("---", "+++"))
            text.append(f"{line}\n", style="bold" if bold else STYLES.get(line[:1], ""))
        if len(lines) > MOST_LINES:
            text.append(f"… {len(lines) - MOST_LINES} more lines\n", style="dim")
    return text


def difference(change: FileChange) -> list[str]:
    """The diff of one file, as lines without their ends."""
    old, new = f"a/{change.path}", f"b/{change.path}"
    before, after = lines_of(change.before), lines_of(change.after)
    if before is None or after is None:
        return [f"--- {old}", f"+++ {new}", "@ binary file, not shown"]
    if change.before is None:
        old = "/dev/null"
    if change.after is None:
        new = "/dev/null"
    return list(unified_diff(before, after, old, new, lineterm=""))


def lines_of(content: bytes | None) -> list[str] | None:
    """The lines of a text file; None when it is no text."""
    if content is None:
        return []
    if b"\0" in content[:8000]:
        return None
    try:
        return content.decode().splitlines()
    except UnicodeDecodeError:
        return None
