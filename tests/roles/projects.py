"""Small projects to repair, chairs to put into the team, and a look at what a run left."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import JsonValue

from hive import Payload, Result, Workflow
from hive.message import Request, ToolUse
from hive.models import FunctionModel
from hive.models.scripted import Answer
from roles.offline.reading import called
from roles.team import repair

BOUNDS = {
    "bounds.py": '''\
"""Numbers kept within bounds."""


def bounded(value, low, high):
    """The number nearest to a value between two bounds."""
    if value < low:
        return low
    if value > high:
        return low
    return value
''',
    "tests/test_bounds.py": """\
from bounds import bounded


def test_what_lies_between_stays():
    assert bounded(5, 0, 9) == 5


def test_what_is_too_small_is_raised():
    assert bounded(-3, 0, 9) == 0


def test_what_is_too_large_is_lowered():
    assert bounded(12, 0, 9) == 9
""",
}
"""One bug in line 9 of bounds.py, and three tests, of which the last fails."""

FIX: dict[str, JsonValue] = {
    "path": "bounds.py",
    "line": 9,
    "before": "        return low",
    "after": "        return high",
}

HOPELESS = {
    "doubling.py": '''\
"""Numbers twice as large."""


def double(number):
    """Twice a number."""
    return number + number
''',
    "tests/test_doubling.py": """\
from doubling import double


def test_two_makes_four():
    assert double(2) == 4


def test_two_makes_five():
    assert double(2) == 5
""",
}
"""Two tests that nothing can satisfy both."""

Kind = TypeVar("Kind", bound=Payload)


def written(folder: Path, files: Mapping[str, str]) -> Path:
    """A folder with some files in it."""
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder


def repaired(files: Mapping[str, str]) -> dict[str, str]:
    """BOUNDS without its bug."""
    return {path: text.replace("> high:\n        return low", "> high:\n        return high")
            for path, text in files.items()}  # fmt: skip


def seated(**chairs: Callable[[Request], Answer]) -> Workflow:
    """The team with functions in some of its chairs."""
    return repair.with_models(
        **{chair: FunctionModel(mind, f"test-{chair}") for chair, mind in chairs.items()}
    )


def run(workflow: Workflow, workspace: Path, goal: str = "make the tests pass") -> Result:
    """A run of the team's usual goal."""
    return workflow.run_sync(goal, workspace=workspace)


def call(tool: str, **arguments: JsonValue) -> ToolUse:
    """A call of a tool, under an id of its own."""
    return ToolUse(id=f"{tool}-{len(str(arguments))}", name=tool, arguments=arguments)


def fixing_coder(request: Request) -> Answer:
    """A coder for BOUNDS that knows what to do."""
    if not called(request):
        return call("edit_file", edits=[FIX])
    return '{"summary": "bounds.py:9 returned the wrong bound", "paths": ["bounds.py"]}'


def idle_coder(request: Request) -> Answer:
    """A coder that hands in nothing of use."""
    return '{"summary": "nothing came to mind"}'


def payloads(result: Result, kind: type[Kind], author: str | None = None) -> list[Kind]:
    """What was posted of a kind, by one author or by anyone."""
    return list(posted(result, kind, author))


def posted(result: Result, kind: type[Kind], author: str | None) -> Iterator[Kind]:
    for entry in result.entries:
        if isinstance(entry.payload, kind) and author in (None, entry.author):
            yield entry.payload


def digests(folder: Path) -> dict[str, str]:
    """Every file below a folder, caches left out, with the digest of what it holds."""
    return {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and "__pycache__" not in file.parts
    }
