"""Steps through a folder tree that no link can lead astray (floor 2).

Everything is opened relative to the descriptor of the folder before it, with O_NOFOLLOW, so that
neither a link in the tree nor one planted between two steps is ever followed.
"""

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hive.errors import ToolError, ToolRefused
from hive.tools.paths import TEMPORARY, cached, hidden

__all__ = [
    "LARGEST_FILE",
    "Item",
    "collect",
    "folder",
    "has_file",
    "is_link",
    "missing",
    "mode_of",
    "new_name",
    "open_file",
    "pour",
    "read",
    "replace",
    "unlink",
]

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
LARGEST_FILE = 50_000_000
"""Bytes; a tool neither reads nor writes more."""

Parts = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """Something that stands in a workspace: a file, or a link, which is never followed."""

    path: str
    mode: int
    size: int
    link: str | None = None
    """Where a link points, as it is written; None for a file."""
    stamp: tuple[int, ...] = ()
    """Of a file: device, inode, size, mode and the two times of its last change, in ns."""

    @property
    def parts(self) -> Parts:
        return tuple(self.path.split("/"))


@contextmanager
def folder(root: Path, parts: Parts, make: bool = False) -> Iterator[int]:
    """Open the folder at `parts` below `root`, making what is missing if asked to.

    Gives its descriptor, closed at the end. Raises ToolRefused at a link, ToolError where there is
    no folder.
    """
    try:
        current = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise ToolError(f"the workspace {root}: {error.strerror or error}") from error
    try:
        for depth, name in enumerate(parts, 1):
            following = step("/".join(parts[:depth]), name, current, make)
            os.close(current)
            current = following
        yield current
    finally:
        os.close(current)


def missing(root: Path, parts: Parts) -> tuple[str, ...]:
    """The folders on the way to `parts` below `root`, and itself, that are not there yet."""
    for depth, name in enumerate(parts):
        with folder(root, parts[:depth]) as parent:
            if not has_file(name, parent):
                ends = range(depth + 1, len(parts) + 1)
                return tuple("/".join(parts[:end]) for end in ends)
    return ()


def step(path: str, name: str, parent: int, make: bool) -> int:
    """Open the folder `name` in `parent`; `path` is what it is called in errors."""
    if make:
        try:
            os.mkdir(name, dir_fd=parent)
        except FileExistsError:
            pass
        except OSError as error:
            raise failed(path, error) from error
    try:
        return os.open(name, FOLDER, dir_fd=parent)
    except OSError as error:
        if is_link(name, parent):
            raise ToolRefused(f"{path!r} is a link; links are not followed") from error
        raise failed(path, error) from error


def open_file(path: str, name: str, parent: int) -> int | None:
    """Open a regular file in `parent` for reading; None when there is nothing of that name.

    Raises ToolRefused for links, pipes, sockets and devices, ToolError for what cannot be opened.
    """
    try:
        descriptor = os.open(name, FILE, dir_fd=parent)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno == errno.ELOOP or is_link(name, parent):
            raise ToolRefused(f"{path!r} is a link; links are not followed") from error
        raise failed(path, error) from error
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return descriptor
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise ToolError(f"{path!r} is a folder, not a file")
    raise ToolRefused(f"{path!r} is no regular file")


def read(path: str, name: str, parent: int) -> bytes | None:
    """What a file in `parent` holds; None when there is none."""
    descriptor = open_file(path, name, parent)
    if descriptor is None:
        return None
    with os.fdopen(descriptor, "rb") as file:
        content = file.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise ToolRefused(f"{path!r} is larger than {LARGEST_FILE} bytes")
    return content


def new_name() -> str:
    """A name for a file that is still being written; nothing of such a name is part of the work."""
    return TEMPORARY + secrets.token_hex(8)


def replace(
    path: str,
    name: str,
    parent: int,
    content: bytes,
    temporary: str | None = None,
    mode: int | None = None,
) -> None:
    """Put a file in place by one rename.

    It is written under the name `temporary` first. Without `mode`, that of the old file is kept.
    """
    temporary = temporary or new_name()
    try:
        descriptor = os.open(temporary, NEW, 0o666, dir_fd=parent)
        try:
            try:
                pour(descriptor, content)
                if mode is None:
                    mode = mode_of(name, parent)
                if mode is not None:
                    os.fchmod(descriptor, mode)
            finally:
                os.close(descriptor)
            os.rename(temporary, name, src_dir_fd=parent, dst_dir_fd=parent)
        except BaseException:
            os.unlink(temporary, dir_fd=parent)
            raise
    except OSError as error:
        raise failed(path, error) from error


def pour(descriptor: int, content: bytes) -> None:
    """Write all of it."""
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]


def unlink(path: str, name: str, parent: int) -> None:
    """Take a file away."""
    try:
        os.unlink(name, dir_fd=parent)
    except OSError as error:
        raise failed(path, error) from error


def collect(parent: int, above: Parts, found: list[Item]) -> None:
    """Gather every file and link below `parent`, without hidden folders and caches."""
    with os.scandir(parent) as entries:
        for entry in entries:
            parts = (*above, entry.name)
            is_folder = entry.is_dir(follow_symlinks=False)
            if hidden(entry.name) or cached(parts[-1:], is_folder):
                continue
            if is_folder:
                descend(entry.name, parent, parts, found)
            elif entry.is_symlink():
                target = os.readlink(entry.name, dir_fd=parent)
                found.append(Item("/".join(parts), 0, 0, target))
            elif entry.is_file(follow_symlinks=False):
                status = entry.stat(follow_symlinks=False)
                mode = stat.S_IMODE(status.st_mode)
                found.append(Item("/".join(parts), mode, status.st_size, None, stamp(status)))


def descend(name: str, parent: int, parts: Parts, found: list[Item]) -> None:
    inner = step("/".join(parts), name, parent, make=False)
    try:
        collect(inner, parts, found)
    finally:
        os.close(inner)


def stamp(status: os.stat_result) -> tuple[int, ...]:
    """What changes in a folder's entry when its file does."""
    return (
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mode,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )


def has_file(name: str, parent: int) -> bool:
    """Whether something of that name stands in `parent`, a link or not."""
    return mode_of(name, parent) is not None


def is_link(name: str, parent: int) -> bool:
    """Whether a link stands in `parent` under a name."""
    try:
        return stat.S_ISLNK(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode)
    except OSError:
        return False


def mode_of(name: str, parent: int) -> int | None:
    """The permission bits of what stands under a name; None when there is nothing."""
    try:
        return stat.S_IMODE(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode)
    except OSError:
        return None


def failed(path: str, error: OSError) -> ToolError:
    """What the operating system said, for the caller to read."""
    if isinstance(error, FileNotFoundError):
        return ToolError(f"there is no {path!r}; list_files shows what is there")
    if isinstance(error, NotADirectoryError):
        return ToolError(f"{path!r} is a file, not a folder")
    return ToolError(f"{path!r}: {error.strerror or error}")
