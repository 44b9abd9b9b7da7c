"""The recorded state of a workspace (floor 2): what stands at each path, and what changes make of
it.

A change of the record gives plain SHA-256 digests, a manifest the standing of each path. The rule
between them: a change keeps a file's right to be executed, and a new file has none. So the state
after any entry, and the workspace's digest in it, follow from the record alone.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Self
from urllib.parse import unquote_to_bytes

import orjson

from hive.board.payload import Payload
from hive.board.records import Change, Observation, Resumed, RunStarted
from hive.errors import JournalError
from hive.tools.paths import hidden
from hive.tools.standing import KINDS, Standing, digest_of

__all__ = ["Manifest", "Recorded", "recorded_state"]

VERSION = 1


class Recorded(NamedTuple):
    """What stands at a path, and the commitment (hex) under which its content is kept, if it is."""

    standing: Standing
    content: str | None = None


@dataclass(frozen=True)
class Manifest:
    """A workspace as the record has it: path to what stands there, ordered by path."""

    files: Mapping[str, Recorded]

    @cached_property
    def digest(self) -> str:
        """What `Workspace.digest()` gives of this state."""
        return digest_of({path: file.standing.fingerprint for path, file in self.files.items()})

    def after(self, changes: Iterable[Change]) -> Self:
        """The state that recorded changes lead to.

        Give all of them at once, in the order of the log: calls made side by side may have changed
        one file in another order than that in which they were observed.
        """
        files = dict(self.files)
        courses: dict[str, list[Change]] = {}
        for change in changes:
            courses.setdefault(change.path, []).append(change)
        for path, course in courses.items():
            for change in in_order(course, plain(files.get(path))):
                set_down(files, change)
        return type(self)({path: files[path] for path in sorted(files, key=os.fsencode)})

    def changes_to(self, other: "Manifest") -> tuple[Change, ...]:
        """One change for each path at which another state differs, ordered by path.

        Links are no files, and a change does not tell whether a file may be executed: only a
        manifest has all of it.
        """
        paths = sorted({*self.files, *other.files}, key=os.fsencode)
        pairs = [(path, self.files.get(path), other.files.get(path)) for path in paths]
        return tuple(
            Change(
                path=os.fsencode(path).decode(errors="backslashreplace"),
                before=plain(old),
                after=plain(new),
                before_content=old.content if old is not None else None,
                after_content=new.content if new is not None else None,
            )
            for path, old, new in pairs
            if (old and old.standing) != (new and new.standing)
        )

    def to_bytes(self) -> bytes:
        """The manifest as JSON, with paths as `written` writes them."""
        files = {written(path): as_json(file) for path, file in self.files.items()}
        return orjson.dumps({"version": VERSION, "files": files})

    @classmethod
    def from_bytes(cls, body: bytes) -> Self:
        """Read what `to_bytes` wrote. Raises JournalError for anything else, and for paths that
        would lead out of a workspace."""
        try:
            data: dict[str, Any] = orjson.loads(body)
            if data["version"] != VERSION:
                raise ValueError(f"version {data['version']!r}, this Hive reads {VERSION}")
            files = {read_path(path): recorded(file) for path, file in data["files"].items()}
            check_folders(files)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise JournalError(f"the manifest of the workspace cannot be read: {error}") from error
        return cls(files)


def recorded_state(
    payloads: Iterable[Payload], content: Callable[[str], bytes | None]
) -> Manifest | None:
    """The workspace as the record has it after entries with these payloads, from the first one on
    in the order of the log; None for a run that took no snapshot.

    `content` gives what the journal keeps under a commitment. Raises JournalError when a manifest
    is not there.
    """
    state: Manifest | None = None
    changes: list[Change] = []
    for payload in payloads:
        if isinstance(payload, RunStarted | Resumed) and payload.snapshot is not None:
            body = content(payload.snapshot)
            if body is None:
                raise JournalError("the manifest of the workspace is not in the journal any more")
            state, changes = Manifest.from_bytes(body), []
        elif isinstance(payload, Observation | Resumed):
            changes += payload.changes
    return None if state is None else state.after(changes)


def check_folders(files: Mapping[str, Recorded]) -> None:
    """Raise ValueError when something stands both at a path and inside it."""
    for path in files:
        folder = path
        while "/" in folder:
            folder = folder.rpartition("/")[0]
            if folder in files:
                raise ValueError(f"{folder!r} is a file and a folder")


def in_order(course: list[Change], here: str | None) -> Iterator[Change]:
    """The changes of one file in the order in which they were made, from its digest before them:
    each starts from what the one before it left."""
    left = course.copy()
    while left:
        place = next((at for at, change in enumerate(left) if change.before == here), None)
        if place is None:  # what led to it is not on record, or not yet
            afters = {change.after for change in left}
            starts = (at for at, change in enumerate(left) if change.before not in afters)
            place = next(starts, 0)
        change = left.pop(place)
        here = change.after
        yield change


def plain(file: Recorded | None) -> str | None:
    """The SHA-256 (hex) of a file's bytes, as changes give it; None where no file stands."""
    return None if file is None or file.standing.kind == "link" else file.standing.digest


def set_down(files: dict[str, Recorded], change: Change) -> None:
    """Have a path hold what a change left there."""
    if change.after is None:
        files.pop(change.path, None)
        return
    known = files.get(change.path)
    kind = "file" if known is None or known.standing.kind == "link" else known.standing.kind
    files[change.path] = Recorded(Standing(kind, change.after), change.after_content)


def as_json(file: Recorded) -> dict[str, str]:
    standing = file.standing
    data = {"kind": standing.kind, "sha256": standing.digest}
    if standing.kind == "link":
        data["target"] = written(standing.target)
    if file.content is not None:
        data["content"] = file.content
    return data


def recorded(data: Mapping[str, Any]) -> Recorded:
    """What `as_json` made. Raises ValueError and KeyError for what it cannot have made."""
    kind, digest, content = data["kind"], data["sha256"], data.get("content")
    if kind not in KINDS or len(bytes.fromhex(digest)) != 32:
        raise ValueError(f"{kind!r} with digest {digest!r}")
    if kind == "link":
        return Recorded(Standing.link(os.fsdecode(unquote_to_bytes(data["target"]))))
    if content is not None and len(bytes.fromhex(content)) != 32:
        raise ValueError(f"content {content!r}")
    return Recorded(Standing(kind, digest), content)


def written(path: str) -> str:
    """A path, or a link's target, as text: bytes that are no UTF-8, and "%", as "%" and two hex
    digits."""
    return "".join(
        f"%{ord(c) - 0xDC00:02X}" if "\udc80" <= c <= "\udcff" else "%25" if c == "%" else c
        for c in path
    )


def read_path(text: str) -> str:
    """A path that was written so. Raises ValueError when it is not one inside a workspace."""
    path = os.fsdecode(unquote_to_bytes(text))
    parts = path.split("/")
    if "\0" in path or any(part in ("", ".", "..") or hidden(part) for part in parts):
        raise ValueError(f"{text!r} is no path in a workspace")
    return path
