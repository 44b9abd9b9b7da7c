"""Finding a journal and a run by what a person writes (floor 2)."""

from pathlib import Path

from hive.errors import JournalError, RunNotFound
from hive.journal.journal import Journal
from hive.journal.memory import MemoryJournal
from hive.journal.sqlite import SQLiteJournal

__all__ = ["find_run", "open_journal"]


def open_journal(where: "str | Path | Journal | None", *, create: bool = True) -> Journal:
    """The journal at `sqlite:PATH`, a bare path, or "memory:"; None is memory, a Journal is itself.

    Raises JournalError when it cannot be opened.
    """
    if where is None or where == "memory:":
        return MemoryJournal()
    if isinstance(where, Path):
        return SQLiteJournal(where, create=create)
    if not isinstance(where, str):
        return where
    scheme, colon, rest = where.partition(":")
    if scheme == "sqlite" and colon:
        return SQLiteJournal(rest.removeprefix("//"), create=create)
    if colon and scheme.isalpha() and len(scheme) > 1:
        raise JournalError(
            f"no journal answers to {where!r}; write sqlite:PATH, a path, or memory:"
        )
    return SQLiteJournal(where, create=create)


def find_run(journal: Journal, prefix: str) -> str:
    """The run whose id begins with `prefix`. Raises RunNotFound when there is none, or several."""
    runs = journal.runs()
    found = [run for run in runs if run.startswith(prefix.lower())]
    if len(found) == 1:
        return found[0]
    if not found:
        raise RunNotFound(f"no run's id begins with {prefix!r}; the journal holds {len(runs)} runs")
    raise RunNotFound(
        f"{len(found)} runs have ids that begin with {prefix!r}: {', '.join(found[:5])}"
        + (" …" if len(found) > 5 else "")
    )
