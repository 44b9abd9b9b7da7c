"""What stands at the paths of a workspace (floor 2), and reading each file no oftener than needed.

A path is known by three facts: whether a file, an executable file or a link stands there, and the
SHA-256 of what it holds. The record's changes give the same digest, so that a state folded from
the record and one read from a folder can be compared without any content.
"""

import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple, Self, overload

from hive.tools.walk import Item

__all__ = ["KINDS", "Digests", "FileChange", "Standing", "digest_of", "relinked", "sha256"]

SETTLED = 2_000_000_000
"""Nanoseconds after which a time stamp can tell two states of a file apart: the coarsest clocks of
file systems in use count in two seconds."""

Stamp = tuple[int, ...]
Kind = Literal["file", "run", "link"]
KINDS: tuple[Kind, ...] = ("file", "run", "link")


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file before and after a tool call; None where there was, or is, no file."""

    path: str
    before: bytes | None
    after: bytes | None


@dataclass(frozen=True)
class Standing:
    """What stands at a path: a file, a file that may be executed ("run"), or a link."""

    kind: Kind
    digest: str
    """SHA-256 (hex) of the file's bytes, or of the link's target."""
    target: str = ""
    """Where a link points, as `relinked` has it: the same in every copy."""

    @classmethod
    def link(cls, target: str) -> Self:
        """A link, by where it points in every copy."""
        return cls("link", sha256(os.fsencode(target)), target)

    @cached_property
    def fingerprint(self) -> str:
        """The digest in which two workspaces agree at a path if they agree in all that counts."""
        return sha256(self.kind.encode() + b"\0" + bytes.fromhex(self.digest))


class Known(NamedTuple):
    """What a file was found to hold when its folder entry read `stamp`."""

    stamp: Stamp
    standing: Standing


class Digests:
    """The standings of a workspace, where a file that has not changed is not read again.

    It is known by device, inode, size, mode and the times of its last changes. As two changes
    within one tick of the file system's clock leave the same times, what was changed just before it
    was read is read again the next time.
    """

    def __init__(self) -> None:
        self._known: dict[str, Known] = {}

    def of(
        self, root: Path, items: Iterable[Item], read: Callable[[Item], str]
    ) -> dict[str, Standing]:
        """Path to what stands there; `read` gives the SHA-256 (hex) of a file's bytes."""
        began = time.time_ns()
        known: dict[str, Known] = {}
        found: dict[str, Standing] = {}
        for item in items:
            path = item.path
            if item.link is not None:
                found[path] = Standing.link(relinked(root, path, item.link))
                continue
            before = self._known.get(path)
            if before is None or before.stamp != item.stamp:
                before = Known(item.stamp, Standing(kind_of(item.mode), read(item)))
            if settled(item.stamp, began):
                known[path] = before
            found[path] = before.standing
        self._known = known
        return found


def settled(stamp: Stamp, now: int) -> bool:
    """Whether a further change of a file would be seen in its stamp."""
    return max(stamp[-2:]) + SETTLED < now


def kind_of(mode: int) -> Kind:
    """What a file with these permission bits stands for."""
    return "run" if mode & stat.S_IXUSR else "file"


def digest_of(contents: Mapping[str, str]) -> str:
    """The digest of a workspace with these contents, as `Workspace.contents` gives them."""
    total = hashlib.sha256()
    for path in sorted(contents, key=os.fsencode):
        name = os.fsencode(path)
        total.update(len(name).to_bytes(8, "big") + name + bytes.fromhex(contents[path]))
    return total.hexdigest()


def relinked(root: Path, path: str, link: str) -> str:
    """Where a link in a copy must point: into the copy if it points into the workspace."""
    target = Path(os.path.normpath(root / Path(path).parent / link))
    if target.is_relative_to(root):
        return os.path.relpath(target, (root / path).parent)
    return str(target)


@overload
def sha256(content: bytes) -> str: ...


@overload
def sha256(content: None) -> None: ...


@overload
def sha256(content: bytes | None) -> str | None: ...


def sha256(content: bytes | None) -> str | None:
    """The digest of a file's bytes, in hex; None for no file."""
    return None if content is None else hashlib.sha256(content).hexdigest()
