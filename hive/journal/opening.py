"""Finding a journal and a run by what a person writes (floor 2)."""

from pathlib import Path
from typing import get_args

from hive.errors import JournalError, RunNotFound
from hive.journal.journal import Journal
from hive.journal.memory import MemoryJournal
from hive.journal.sqlite import SQLiteJournal, Synchronous

__all__ = ["file_at", "find_run", "open_journal"]


def open_journal(where: "str | Path | Journal | None", *, create: bool = True) -> Journal:
    """The journal at `sqlite:PATH`, a bare path, or "memory:"; None is memory, a Journal is itself.

    `sqlite:PATH?synchronous=full` has each commit flushed to the disk, so that it survives a power
    cut too. Raises JournalError when it cannot be opened.
    """
    if where is None or where == "memory:":
        return MemoryJournal()
    if isinstance(where, Path):
        return SQLiteJournal(where, create=create)
    if not isinstance(where, str):
        return where
    scheme, colon, rest = where.partition(":")
    if scheme == "sqlite" and colon:
        path, synchronous = file_at(rest)
        return SQLiteJournal(path, synchronous=synchronous, create=create)
    if colon and scheme.isalpha() and len(scheme) > 1:
        raise JournalError(
            f"no journal answers to {where!r}; write sqlite:PATH, a path, or memory:"
        )
    return SQLiteJournal(where, create=create)


def file_at(place: str) -> tuple[Path, Synchronous]:
    """The file, and how it is written, that are named by what follows `sqlite:`."""
    path, _, setting = place.removeprefix("//").partition("?")
    for synchronous in get_args(Synchronous):
        if setting in ("", f"synchronous={synchronous}"):
            return Path(path), synchronous
    raise JournalError(
        f"'sqlite:{place}' says nothing that is known after its question mark; write"
        " ?synchronous=full or ?synchronous=normal, or name a path with a question mark without"
        " sqlite: before it"
    )


def find_run(journal: Journal, prefix: str) -> str:
    """The run whose id begins with `prefix`. Raises RunNotFound when there is none, or several."""
    runs = journal.runs()
    found = [run for run in runs if run.startswith(prefix.lower())]
    if len(found) == 1:
        return found[0]
    if not found:
        held = "1 run" if len(runs) == 1 else f"{len(runs)} runs"
        raise RunNotFound(f"no run's id begins with {prefix!r}; the journal holds {held}")
    raise RunNotFound(
        f"{len(found)} runs have ids that begin with {prefix!r}: {', '.join(found[:5])}"
        + (" …" if len(found) > 5 else "")
    )
