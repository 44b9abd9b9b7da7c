"""Starting the test process and reading what it reports (floor 2).

Every suite runs in a private copy of the workspace, so neither tests nor candidate changes touch
the work itself, and what is judged is exactly what was copied.

One interpreter cannot guard against everything that runs in it. What is done: pytest and our
plugin are imported before the workspace is; test configuration is protected; outcomes come from
exceptions as the plugin sees them, over a pipe, never from printed text; hidden tests must fail; a
session that ends early, by whatever way, is not complete; skips raised by the code under test count
as failures. What cannot be excluded: code under test that looks for our plugin in the interpreter
and imitates it, and values that merely claim to be equal to what a test expects. Both are plain to
see in a diff, which is why a reviewer reads it.
"""

import json
import os
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import anyio.to_thread

from hive.tools import sandbox
from hive.tools.paths import fault
from hive.tools.workspace import Workspace, digest_of

__all__ = ["Copy", "Report", "copy_of", "start"]

WATCHED = (".py", ".ini", ".toml", ".cfg")
START = Path(__file__).with_name("start.py")
QUIET = 10.0
"""Seconds without a word, beyond what a test may take, after which a session is killed."""
COLLECT = 60.0
"""CPU seconds for importing one test file, and what it imports."""
GRACE = 5.0
"""Seconds that the test process has to report by itself that its time is over."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A private copy of a workspace, and what was in it when it was made."""

    workspace: Workspace
    contents: Mapping[str, str]
    digest: str
    protected: tuple[str, ...]
    """The paths of the read-only files."""
    stamps: Mapping[str, tuple[int, int]]

    @classmethod
    def of(cls, workspace: Workspace, target: Path) -> Self:
        """Copy a workspace into the folder `target`, which is made."""
        workspace.copy_to(target)
        copy = Workspace(target, workspace.protected)
        contents = copy.contents()
        protected = tuple(p for p in contents if fault(p) is None and copy.is_protected(p))
        stamps = stamps_of(target, protected)
        return cls(copy, contents, digest_of(contents), protected, stamps)

    def unchanged(self) -> bool:
        """Whether every file that was copied is as it was; new files do not matter.

        Tests and their configuration must not even have been written and put back meanwhile.
        """
        now = self.workspace.contents()
        same = all(now.get(path) == digest for path, digest in self.contents.items())
        return same and stamps_of(self.workspace.root, self.protected) == self.stamps


@dataclass(frozen=True, slots=True)
class Report:
    """What the test process reported: messages by kind, in order, and how it ended."""

    messages: tuple[dict[str, Any], ...]
    finished: sandbox.Finished

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The messages of one kind."""
        return [message for message in self.messages if message.get("kind") == kind]

    @property
    def output(self) -> str:
        """What was printed, errors last."""
        return "\n".join(filter(None, (self.finished.stdout.strip(), self.finished.stderr.strip())))


async def copy_of(workspace: Workspace, scratch: Path) -> Copy:
    """Copy a workspace into a scratch folder."""

    return await anyio.to_thread.run_sync(Copy.of, workspace, scratch / "work")


def stamps_of(root: Path, paths: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Path to inode and time of last change, which no program can set, of Python and ini files."""
    stamps = {}
    for path in paths:
        if path.endswith(WATCHED):
            with suppress(FileNotFoundError):
                status = (root / path).lstat()
                stamps[path] = (status.st_ino, status.st_ctime_ns)
    return stamps


async def start(
    copy: Copy,
    scratch: Path,
    kind: str,
    seconds: float,
    limits: sandbox.Limits | None = None,
    **job: Any,
) -> Report:
    """Run one job of the test process on a copy; at most `seconds` on the clock."""
    description = {
        "kind": kind,
        "source": str(copy.workspace.root),
        "scratch": str(scratch),
        "hive": home_of_hive(),
        "protected": copy.protected,
        "seconds": seconds,
        "quiet": QUIET,
        "collect": COLLECT,
        **job,
    }
    file = anyio.Path(scratch / "job.json")
    await file.write_text(json.dumps(description), encoding="utf-8")
    finished = await sandbox.run(
        [sys.executable, "-P", "-s", "-B", str(START), str(file)],
        cwd=scratch,
        seconds=seconds + GRACE,
        limits=limits,
        env=sandbox.environment(scratch),
        channel=True,
    )
    messages = [json.loads(line) for line in finished.report.split(b"\n")[:-1]]
    return Report(tuple(messages), finished)


def home_of_hive() -> str:
    """The folder that Hive is imported from, unless that is where everything is installed.

    A checkout has folders of its own, `tests` for one, that must not answer a suite's imports.
    """
    home = str(Path(__file__).resolve().parents[3])
    installed = {os.path.realpath(sysconfig.get_path(key)) for key in ("purelib", "platlib")}
    return "" if home in installed else home
