"""The folder a run works on (floor 2): every path stays inside it, every write is atomic."""

import copy
import hashlib
import os
import shutil
import stat
import threading
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from hive.errors import DeclarationError, ToolError, ToolRefused
from hive.tools import walk
from hive.tools.paths import PROTECTED, fault, parse_path
from hive.tools.protection import Protection, configured_globs
from hive.tools.standing import Digests, FileChange, Standing, digest_of, relinked
from hive.tools.undo import CallLog, tidy, undo
from hive.tools.walk import LARGEST_FILE, Item

__all__ = ["FileChange", "Workspace", "digest_of"]


@dataclass(frozen=True)
class Workspace:
    """A folder, and which of its files no tool may write.

    `.git` and `.hive` are out of reach at every depth, under every spelling, and links are never
    followed. Raises DeclarationError when the folder is not there.
    """

    root: Path
    protected: tuple[str, ...] = PROTECTED
    protection: Protection = field(init=False, repr=False, compare=False)
    log: CallLog | None = field(default=None, init=False, repr=False, compare=False)
    """Where the changes of a tool call are written down before they are made; see `under`."""
    _digests: Digests = field(default_factory=Digests, init=False, repr=False, compare=False)
    _lock: AbstractContextManager[object] = field(
        default_factory=threading.RLock, init=False, repr=False, compare=False
    )

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

    def under(self, run: str, call: str) -> "Workspace":
        """The same workspace in the hands of one tool call, given by its address: whatever it
        changes can be undone until `log.drop()`."""
        logged = copy.copy(self)
        object.__setattr__(logged, "log", CallLog(self.root, run, call))
        return logged

    @property
    def changes(self) -> tuple[FileChange, ...]:
        """What the call that this workspace is in the hands of has changed so far."""
        return () if self.log is None else tuple(self.log.changes)

    def undo(self, run: str, calls: Iterable[str]) -> None:
        """Put back, as far as that can be done now, what some calls of a run have changed."""
        with suppress(ToolError, OSError):  # then their logs are there for whoever resumes the run
            undo(self.root, run, calls)

    def tidy(self, run: str) -> None:
        """Remove the folders that undo logs of a run stood in, if nothing stands in them now."""
        tidy(self.root, run)

    def alone(self) -> AbstractContextManager[object]:
        """Hold off every other writer of this process, from reading a file to writing it again.

        Writers wait in their threads meanwhile, so nothing may be awaited inside.
        """
        return self._lock

    def write(self, text: str, content: bytes) -> FileChange:
        """Put a file in place at once: readers see the old one or the new one, nothing between.

        Folders on the way are made. Raises ToolRefused for what may not be written.
        """
        self.check_write(text)
        return self._put(text, content)

    def write_all(self, contents: Mapping[str, bytes | None]) -> tuple[FileChange, ...]:
        """Write several files, or none; None removes one. When one fails, those before it are put
        back."""
        for path, content in contents.items():
            if content is None:
                self.protection.check(path, parse_path(path))
            else:
                self.check_write(path)
        return self.restore(contents)

    def restore(self, contents: Mapping[str, bytes | None]) -> tuple[FileChange, ...]:
        """What `write_all` does, for contents that the record holds: read-only files too."""
        changes: list[FileChange] = []
        with self._lock:
            try:
                for path, content in contents.items():
                    changes.append(self._put(path, content))
            except BaseException:
                for change in reversed(changes):
                    self._put(change.path, change.before)
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
        self.protection.check(text, parse_path(text))
        return self._put(text, None)

    def items(self) -> tuple[Item, ...]:
        """Every file and link that is part of the work, ordered by path; no caches."""
        found: list[Item] = []
        with walk.folder(self.root, ()) as root:
            walk.collect(root, (), found)
        return tuple(sorted(found, key=lambda item: os.fsencode(item.path)))

    def files(self) -> tuple[str, ...]:
        """The paths of the files that tools can name, ordered; no links, no caches."""
        return tuple(i.path for i in self.items() if i.link is None and fault(i.path) is None)

    def standing(self) -> dict[str, Standing]:
        """Every path of the work with what stands there, ordered by path.

        A file is read again only when its folder's entry says that it may have changed.
        """
        return self._digests.of(self.root, self.items(), self._digest)

    def contents(self) -> dict[str, str]:
        """Every path of the work with a digest, in hex, of what stands there."""
        return {path: found.fingerprint for path, found in self.standing().items()}

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

    def _digest(self, item: Item) -> str:
        content = hashlib.sha256()
        with os.fdopen(self._open(item), "rb") as file:
            while chunk := file.read(1 << 20):
                content.update(chunk)
        return content.hexdigest()

    def _put(self, text: str, content: bytes | None) -> FileChange:
        """Write or remove a file; what it takes to undo that is written down first."""
        parts = parse_path(text)
        if not parts:
            raise ToolError(f"{text!r} is the workspace itself, not a file")
        if content is not None and len(content) > LARGEST_FILE:
            raise ToolRefused(f"{len(content)} bytes for {text!r}; at most {LARGEST_FILE}")
        path, temporary = "/".join(parts), walk.new_name()
        with self._lock:
            if self.log is not None and content is not None:
                self.log.folders(path, walk.missing(self.root, parts[:-1]))
            with walk.folder(self.root, parts[:-1], make=content is not None) as parent:
                before = walk.read(text, parts[-1], parent)
                if before is None and content is None:
                    raise ToolError(f"there is no file {text!r}; list_files shows what is there")
                change = FileChange(path, before, content)
                if self.log is not None:
                    self.log.note(change, walk.mode_of(parts[-1], parent), temporary)
                if content is None:
                    walk.unlink(text, parts[-1], parent)
                else:
                    walk.replace(text, parts[-1], parent, content, temporary)
            if self.log is not None:
                self.log.changes.append(change)
        return change
