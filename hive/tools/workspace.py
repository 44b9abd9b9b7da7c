"""The folder a run works on (floor 2): every path stays inside it, every write is atomic."""

import hashlib
import os
import shutil
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hive.errors import DeclarationError, ToolError, ToolRefused
from hive.tools import walk
from hive.tools.paths import PROTECTED, fault, parse_path
from hive.tools.protection import Protection, configured_globs
from hive.tools.walk import LARGEST_FILE, Item

__all__ = ["FileChange", "Workspace", "digest_of"]


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file before and after a tool call; None where there was, or is, no file."""

    path: str
    before: bytes | None
    after: bytes | None


@dataclass(frozen=True)
class Workspace:
    """A folder, and which of its files no tool may write.

    `.git` and `.hive` are out of reach at every depth, under every spelling, and links are never
    followed. Raises DeclarationError when the folder is not there.
    """

    root: Path
    protected: tuple[str, ...] = PROTECTED
    protection: Protection = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        root = Path(self.root).expanduser().resolve()
        if not root.is_dir():
            raise DeclarationError(
                f"workspace {str(self.root)!r} is not a folder; give the path of one that exists"
            )
        object.__setattr__(self, "root", root)
        object.__setattr__(
            self, "protection", Protection((*self.protected, *configured_globs(root)))
        )

    def path(self, text: str, write: bool = False) -> Path:
        """The absolute path of a file or folder, checked as `read` and `write` check it.

        It need not exist. The check holds for this moment only; `read` and `write` do not rely on
        it. Raises ToolRefused.
        """
        parts = parse_path(text)
        if write:
            self.protection.check(text, parts)
        try:
            with walk.folder(self.root, parts[:-1]) as parent:
                if parts and walk.is_link(parts[-1], parent):
                    raise ToolRefused(f"{text!r} is a link; links are not followed")
        except ToolRefused:
            raise
        except ToolError:
            pass  # a folder on the way is missing: nothing there that could lead astray
        return self.root.joinpath(*parts)

    def is_protected(self, text: str) -> bool:
        """Whether tools may read the file but not write it."""
        return self.protection.protects(parse_path(text))

    def read(self, text: str) -> bytes:
        """What a file holds. Raises ToolRefused, and ToolError when there is no such file."""
        parts = parse_path(text)
        if not parts:
            raise ToolError(f"{text!r} is the workspace itself, not a file")
        with walk.folder(self.root, parts[:-1]) as parent:
            content = walk.read(text, parts[-1], parent)
        if content is None:
            raise ToolError(f"there is no file {text!r}; list_files shows what is there")
        return content

    def write(self, text: str, content: bytes) -> FileChange:
        """Put a file in place at once: readers see the old one or the new one, nothing between.

        Folders on the way are made. Raises ToolRefused for what may not be written.
        """
        parts = parse_path(text)
        self.check_write(text)
        if len(content) > LARGEST_FILE:
            raise ToolRefused(f"{len(content)} bytes for {text!r}; at most {LARGEST_FILE}")
        with walk.folder(self.root, parts[:-1], make=True) as parent:
            before = walk.read(text, parts[-1], parent)
            walk.replace(text, parts[-1], parent, content)
        return FileChange("/".join(parts), before, content)

    def write_all(self, contents: Mapping[str, bytes]) -> tuple[FileChange, ...]:
        """Write several files, or none: when one fails, those before it are put back."""
        for path in contents:
            self.check_write(path)
        changes: list[FileChange] = []
        try:
            for path, content in contents.items():
                changes.append(self.write(path, content))
        except BaseException:
            for change in reversed(changes):
                if change.before is None:
                    self.remove(change.path)
                else:
                    self.write(change.path, change.before)
            raise
        return tuple(changes)

    def check_write(self, text: str) -> None:
        """Raise ToolRefused when `write` would, for reasons that its path gives."""
        parts = parse_path(text)
        self.protection.check(text, parts)
        home = parts[:-2] if parts[-1].startswith("__init__.") else parts[:-1]
        if not self._has(parts) and not self._has((*home, "__init__.py")):
            self.protection.check_new(text, parts)

    def remove(self, text: str) -> FileChange:
        """Take a file away. Raises ToolRefused, and ToolError when there is no such file."""
        parts = parse_path(text)
        self.protection.check(text, parts)
        before = self.read(text)
        with walk.folder(self.root, parts[:-1]) as parent:
            os.unlink(parts[-1], dir_fd=parent)
        return FileChange("/".join(parts), before, None)

    def items(self) -> tuple[Item, ...]:
        """Every file and link that is part of the work, ordered by path; no caches."""
        found: list[Item] = []
        with walk.folder(self.root, ()) as root:
            walk.collect(root, (), found)
        return tuple(sorted(found, key=lambda item: os.fsencode(item.path)))

    def files(self) -> tuple[str, ...]:
        """The paths of the files that tools can name, ordered; no links, no caches."""
        return tuple(i.path for i in self.items() if i.link is None and fault(i.path) is None)

    def contents(self) -> dict[str, str]:
        """Every path of the work with a digest, in hex, of what stands there."""
        return {item.path: self._fingerprint(item) for item in self.items()}

    def digest(self) -> str:
        """SHA-256, in hex, over every path with what stands there: the state of the work.

        Times, owners and modes do not matter, but for the right to execute.
        """
        return digest_of(self.contents())

    def copy_to(self, target: Path) -> None:
        """Copy the work, without caches, into the folder `target`, which is made.

        Links into the workspace point into the copy; others point where they did.
        """
        target.mkdir(parents=True)
        for item in self.items():
            place = target / item.path
            place.parent.mkdir(parents=True, exist_ok=True)
            if item.link is not None:
                place.symlink_to(relinked(self.root, item.path, item.link))
                continue
            with os.fdopen(self._open(item), "rb") as source, place.open("xb") as copy:
                shutil.copyfileobj(source, copy, 1 << 20)
            place.chmod(item.mode | stat.S_IRUSR | stat.S_IWUSR)

    def _has(self, parts: tuple[str, ...]) -> bool:
        try:
            with walk.folder(self.root, parts[:-1]) as parent:
                return walk.has_file(parts[-1], parent)
        except ToolError:
            return False

    def _open(self, item: Item) -> int:
        with walk.folder(self.root, item.parts[:-1]) as parent:
            descriptor = walk.open_file(item.path, item.parts[-1], parent)
        if descriptor is None:
            raise ToolError(f"{item.path!r} went away while the workspace was read")
        return descriptor

    def _fingerprint(self, item: Item) -> str:
        if item.link is not None:
            target = relinked(self.root, item.path, item.link)  # the same in every copy
            return hashlib.sha256(b"link\0" + os.fsencode(target)).hexdigest()
        content = hashlib.sha256(b"run\0" if item.mode & stat.S_IXUSR else b"file\0")
        with os.fdopen(self._open(item), "rb") as file:
            while chunk := file.read(1 << 20):
                content.update(chunk)
        return content.hexdigest()


def digest_of(contents: Mapping[str, str]) -> str:
    """The digest of a workspace with these contents, as `Workspace.contents` gives them."""
    total = hashlib.sha256()
    for path, fingerprint in contents.items():
        name = os.fsencode(path)
        total.update(len(name).to_bytes(8, "big") + name + bytes.fromhex(fingerprint))
    return total.hexdigest()


def relinked(root: Path, path: str, link: str) -> str:
    """Where a link in a copy must point: into the copy if it points into the workspace."""
    target = Path(os.path.normpath(root / Path(path).parent / link))
    if target.is_relative_to(root):
        return os.path.relpath(target, (root / path).parent)
    return str(target)
