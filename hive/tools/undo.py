"""What it takes to undo a tool call (floor 2): written down before the call changes a file.

A process may die between the first change of a call and the moment in which its result is durable.
Nobody knows then what the call did, but what it wrote through its workspace can be put back: each
write and removal is preceded by a line in `.hive/undo/RUN/CALL/log` and a copy of the old file
beside it. That survives the death of the process; a power cut is the file system's affair.
"""

import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, Self

import orjson

from hive.errors import ToolError, ToolRefused
from hive.tools import walk
from hive.tools.paths import TEMPORARY, parse_path
from hive.tools.standing import FileChange, sha256

__all__ = [
    "CallLog",
    "Undone",
    "forget",
    "logged_calls",
    "tidy",
    "undo",
    "undo_unfinished",
]

HOME = (".hive", "undo")
LOG = "log"
APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
MOST_TRIES = 10


class Undone(NamedTuple):
    """What undoing did: the files put back, and the paths that somebody else has changed since,
    which were left as they are."""

    changes: tuple[FileChange, ...]
    left: tuple[str, ...]


class Line(NamedTuple):
    """One write or removal that is about to be made; digests are SHA-256 in hex, None for no file.

    `at` orders the lines of all calls of a run. `copy` names the copy of the old file, `temporary`
    the name under which the new one is written first, `folders` are those made on the way.
    """

    call: str
    at: int
    path: str
    before: str | None
    after: str | None
    mode: int | None
    copy: str | None
    temporary: str
    folders: tuple[str, ...]

    @classmethod
    def parse(cls, text: bytes) -> Self:
        """Read a line. Raises ValueError when it is none, or names what lies outside."""
        fields: dict[str, Any] = orjson.loads(text)
        line = cls(**{**fields, "folders": tuple(fields["folders"])})
        for path in (line.path, *line.folders):
            parse_path(path)
        name = line.temporary.removeprefix(TEMPORARY) + (line.copy or "")
        if not name.isalnum() or not line.temporary.startswith(TEMPORARY):
            raise ValueError(f"{line.temporary!r} and {line.copy!r} are no names of a log")
        return line


class CallLog:
    """The undo log of one call; nothing is on disk before the call changes a file."""

    def __init__(self, root: Path, run: str, call: str) -> None:
        self.call = call
        self.changes: list[FileChange] = []
        """What the call has changed so far."""
        self.used = False
        """Whether anything was written down."""
        self._root = root
        self._run = run

    def folders(self, path: str, missing: tuple[str, ...]) -> None:
        """Write down which folders are about to be made on the way to a file."""
        if missing:
            self._write(FileChange(path, None, None), None, walk.new_name(), missing)

    def note(self, change: FileChange, mode: int | None, temporary: str) -> None:
        """Write down how a change that is about to be made is undone.

        `mode` is the old file's, `temporary` the name under which the new one is written first.
        Raises ToolError when it cannot be written down.
        """
        self._write(change, mode, temporary, ())

    def _write(
        self, change: FileChange, mode: int | None, temporary: str, folders: tuple[str, ...]
    ) -> None:
        self.used = True
        old = change.before
        copy = None if old is None else secrets.token_hex(8)
        line = Line(
            call=self.call,
            at=time.monotonic_ns(),
            path=change.path,
            before=sha256(old),
            after=sha256(change.after),
            mode=mode,
            copy=copy,
            temporary=temporary,
            folders=folders,
        )
        with place_of(self._root, self._run, self.call, make=True) as place:
            try:
                if copy is not None and old is not None:
                    put(copy, walk.NEW, old, place)
                # What was cut off before it, on a full disk, stays a line of its own.
                put(LOG, APPEND, b"\n" + orjson.dumps(line._asdict()) + b"\n", place)
            except OSError as error:
                raise walk.failed("/".join((*HOME, self._run)), error) from error

    def drop(self) -> None:
        """Forget what it takes to undo the call: its result is durable."""
        drop(self._root, self._run, self.call)


def logged_calls(root: Path, run: str) -> tuple[str, ...]:
    """The calls of a run, by address, whose changes can be undone."""
    return tuple(dict.fromkeys(line.call for line in lines_of(root, run)))


def undo_unfinished(root: Path, run: str, observed: Iterable[str]) -> Undone:
    """What a run does before it goes on: undo every call whose result is not on the record, and
    forget what it takes to undo the others.

    `observed` are the addresses of the calls whose results count: not those of a turn that was
    begun anew, in which other calls may stand at the same addresses.
    """
    known = set(observed)
    undone = undo(root, run, [call for call in logged_calls(root, run) if call not in known])
    for name in folders_of(root, run):
        remove_log(root, run, name)
    tidy(root, run)
    return undone


def undo(root: Path, run: str, calls: Iterable[str]) -> Undone:
    """Put back every file as it was before these calls, the last change first; drop their logs.

    A file that holds something else than what the calls put there is left as it is, and named.
    Doing it once more after having been stopped half-way does the rest.
    """
    wanted = set(calls)
    chains: dict[str, list[Line]] = {}
    for line in sorted(lines_of(root, run), key=lambda line: line.at):
        if line.call in wanted:
            chains.setdefault(line.path, []).append(line)
    changes: list[FileChange] = []
    left: list[str] = []
    for path, chain in chains.items():
        change, complete = put_back(root, run, path, chain)
        if change is not None:
            changes.append(change)
        if not complete:
            left.append(path)
    remove_folders(root, chains.values())
    for call in wanted:
        drop(root, run, call)
    return Undone(tuple(changes), tuple(sorted(left)))


def put_back(root: Path, run: str, path: str, chain: list[Line]) -> tuple[FileChange | None, bool]:
    """Undo the changes of one file, and say what that changed and whether all could be undone."""
    parts = parse_path(path)
    clear_away(root, parts, chain)
    try:
        found = look(root, path, parts)
    except ToolError:  # a link, a folder or something too large stands there now
        return None, False
    standing, first = sha256(found), None
    for line in reversed(chain):
        if standing not in (line.before, line.after):
            break
        if standing != line.before:
            standing, first = line.before, line
    change = None
    if first is not None and standing != sha256(found):
        content = old_content(root, run, first)
        if sha256(content) != first.before:
            return None, False
        mode = first.mode if found is None else None
        restore(root, path, parts, content, first.temporary, mode)
        change = FileChange(path, found, content)
    return change, standing == chain[0].before


def clear_away(root: Path, parts: tuple[str, ...], chain: list[Line]) -> None:
    """Remove what was being written when the process died."""
    with suppress(ToolError), walk.folder(root, parts[:-1]) as parent:
        for line in chain:
            with suppress(OSError):
                os.unlink(line.temporary, dir_fd=parent)


def look(root: Path, path: str, parts: tuple[str, ...]) -> bytes | None:
    """What stands at a path; None for no file. Raises ToolError for what is no file."""
    if walk.missing(root, parts[:-1]):
        return None
    with walk.folder(root, parts[:-1]) as parent:
        return walk.read(path, parts[-1], parent)


def restore(
    root: Path,
    path: str,
    parts: tuple[str, ...],
    content: bytes | None,
    temporary: str,
    mode: int | None,
) -> None:
    """Put the old file in place, or take the new one away."""
    with walk.folder(root, parts[:-1], make=content is not None) as parent:
        if content is None:
            walk.unlink(path, parts[-1], parent)
        else:
            walk.replace(path, parts[-1], parent, content, temporary, mode)


def remove_folders(root: Path, chains: Iterable[list[Line]]) -> None:
    """Remove the folders that were made for files, as far as nothing stands in them now."""
    made = {folder for chain in chains for line in chain for folder in line.folders}
    for name in sorted(made, reverse=True):
        parts = tuple(name.split("/"))
        with suppress(ToolError, OSError), walk.folder(root, parts[:-1]) as parent:
            os.rmdir(parts[-1], dir_fd=parent)


def old_content(root: Path, run: str, line: Line) -> bytes | None:
    """What a file held before a change."""
    if line.copy is None:
        return None
    with place_of(root, run, line.call) as place:
        return walk.read(line.path, line.copy, place)


def drop(root: Path, run: str, call: str) -> None:
    """Forget what it takes to undo a call."""
    remove_log(root, run, folder_name(call))


def remove_log(root: Path, run: str, name: str) -> None:
    """Remove the folder of a log, as far as that can be done: what stays does no harm."""
    with suppress(ToolError, OSError), walk.folder(root, (*HOME, run)) as home:
        with walk.folder(root, (*HOME, run, name)) as place:
            for copy in os.listdir(place):
                os.unlink(copy, dir_fd=place)
        os.rmdir(name, dir_fd=home)


def tidy(root: Path, run: str) -> None:
    """Remove the folders in which the logs of a run stood, where nothing stands in them now."""
    for parts in ((*HOME, run), HOME, HOME[:1]):
        with suppress(ToolError, OSError), walk.folder(root, parts[:-1]) as parent:
            os.rmdir(parts[-1], dir_fd=parent)


def forget(root: Path, run: str) -> None:
    """Remove the logs of a run that will never go on: nothing of it can be undone after that."""
    with suppress(ToolError, OSError), walk.folder(root, HOME) as home:
        shutil.rmtree(run, ignore_errors=True, dir_fd=home)
    tidy(root, run)


def folders_of(root: Path, run: str) -> list[str]:
    """The folders of a run's logs."""
    with suppress(ToolError), walk.folder(root, (*HOME, run)) as home:
        return sorted(os.listdir(home))
    return []


def lines_of(root: Path, run: str) -> Iterator[Line]:
    """What all the logs of a run say.

    What is no line was cut off by the death of the process, and never acted upon.
    """
    for name in folders_of(root, run):
        content = None
        with suppress(ToolError), walk.folder(root, (*HOME, run, name)) as place:
            content = walk.read(LOG, LOG, place)
        for text in (content or b"").splitlines():
            with suppress(ValueError, TypeError, KeyError, ToolRefused):
                yield Line.parse(text)


@contextmanager
def place_of(root: Path, run: str, call: str, make: bool = False) -> Iterator[int]:
    """Open the folder of a call's log."""
    parts = (*HOME, run, folder_name(call))
    with ExitStack() as stack:
        for _ in range(MOST_TRIES):
            with suppress(ToolError):  # another run may just have tidied up
                place = stack.enter_context(walk.folder(root, parts, make))
                break
        else:
            place = stack.enter_context(walk.folder(root, parts, make))
        yield place


def folder_name(call: str) -> str:
    """A name that every file system takes, for a call's address of any length."""
    return hashlib.sha256(call.encode()).hexdigest()[:32]


def put(name: str, flags: int, content: bytes, place: int) -> None:
    descriptor = os.open(name, flags, 0o600, dir_fd=place)
    try:
        walk.pour(descriptor, content)
    finally:
        os.close(descriptor)
