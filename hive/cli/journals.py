"""Where runs are kept, and which run is meant."""

import os
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hive.audit.record import Record
from hive.cli.exits import Mistake
from hive.cli.words import counted as numbered
from hive.errors import JournalError, RunNotFound
from hive.journal.journal import Journal
from hive.journal.opening import file_at, find_run, open_journal
from hive.journal.writer import committer_for

__all__ = ["DEFAULT", "VARIABLE", "hint", "is_there", "opened", "record_of", "run_of", "short_id"]

DEFAULT = ".hive/journal.db"
VARIABLE = "HIVE_JOURNAL"
SCHEMES = ("memory", "sqlite")
BACK = re.compile(r"last(?:~(\d{1,9}))?")
LEAST_SHOWN = 10
"""Letters of an id that are shown at least: the milliseconds of a run's beginning."""


@contextmanager
def opened(where: str, *, create: bool = False) -> Iterator[Journal]:
    """A journal, closed at the end. Raises Mistake when it is not there and may not be made."""
    scheme, colon, _ = where.partition(":")
    if colon and len(scheme) > 1 and scheme.isalpha() and scheme not in SCHEMES:
        raise Mistake(f"no journal answers to {where!r}; write sqlite:PATH or a path")
    if not create and not is_there(where):
        raise Mistake(
            f"there is no journal at {where}; `hive run` and `hive demo` begin one, --journal or"
            f" {VARIABLE} names another"
        )
    journal = open_journal(where, create=create)
    try:
        yield journal
    finally:
        committer_for(journal).close()
        journal.close()


def is_there(where: str) -> bool:
    """Whether a journal has been begun. Raises Mistake for a place that means nothing."""
    scheme, colon, rest = where.partition(":")
    if colon and scheme == "sqlite":
        try:
            return file_at(rest)[0].exists()
        except JournalError as error:
            raise Mistake(str(error)) from error
    return bool(colon) or Path(where).exists()


def record_of(journal: Journal, run: str) -> Record:
    """The run that `run_of` finds. Raises RunNotFound with what there is."""
    return Record(journal, run_of(journal, run))


def run_of(journal: Journal, run: str) -> str:
    """The id of the run that begins so; "last" is the newest, "last~1" the one before. Raises
    RunNotFound."""
    counted = BACK.fullmatch(run)
    if counted is None:
        return find_run(journal, run)
    back, runs = int(counted[1] or 0), journal.runs()
    if not runs:
        raise RunNotFound("the journal holds no run yet; `hive run` and `hive demo` make some")
    if back >= len(runs):
        raise RunNotFound(f"there is no {run!r}: the journal holds {numbered(len(runs), 'run')}")
    return runs[back]


def short_id(journal: Journal, run: str) -> str:
    """As much of a run's id as tells it from the others."""
    others = [other for other in journal.runs() if other != run]
    length = LEAST_SHOWN
    while length < len(run) and any(other.startswith(run[:length]) for other in others):
        length += 1
    return run[:length]


def hint(where: str) -> str:
    """The option that names this journal again, where it must be named."""
    same = where == os.environ.get(VARIABLE, DEFAULT)
    return "" if same else f" --journal {shlex.quote(where)}"
