"""Runs copied into another journal (floor 7), byte for byte, with those they were forked from."""

from collections.abc import Callable, Iterator
from itertools import islice

import orjson

from hive.audit.walking import origin_of
from hive.board.entry import Content, Sealed, named_content
from hive.errors import JournalError, RunNotFound
from hive.journal.journal import Batch, Journal, Stored, own_name
from hive.journal.lineage import lineage

__all__ = ["ancestry", "copy_run", "unknown_beginnings"]

AT_ONCE = 1000


def ancestry(journal: Journal, run: str) -> list[str]:
    """A run after those that it was forked from, the oldest first; one of them may be gone. A run
    whose first entry cannot be read is taken to share nothing.

    Raises RunNotFound where the run itself is.
    """
    line = [run]
    try:
        while (origin := origin_of(journal, line[0])) is not None and origin.parent not in line:
            line.insert(0, origin.parent)
    except RunNotFound:
        if line == [run]:
            raise
    return line


def unknown_beginnings(journal: Journal) -> list[str]:
    """The runs of which nobody can tell whether they are forks, for their first entry is lost or
    cannot be read; one that names a parent all the same is believed."""
    found = []
    for run in journal.runs():
        try:
            if len(lineage(journal, run)) == 1 and not has_header(journal, run):
                found.append(run)
        except RunNotFound:
            continue  # it does say whose entries it shares
        except JournalError:
            found.append(run)
    return found


def has_header(journal: Journal, run: str) -> bool:
    """Whether a run's first entry has a header that can be read."""
    try:
        return isinstance(orjson.loads(next(journal.read(run)).row.header), dict)
    except ValueError:
        return False


def copy_run(
    source: Journal, target: Journal, run: str, beat: Callable[[int], None] = lambda entries: None
) -> int:
    """Copy the entries and contents of one run that `target` does not have; gives their number.

    Headers, digests and contents are the same bytes, so that the copy has the same head. Raises
    RunNotFound, and JournalError where something is missing or cannot be written.
    """
    lease = target.hold(run, own_name())
    try:
        rows, done, shared = source.read(run), 0, Shared(source, run)
        while chunk := list(islice(rows, AT_ONCE)):
            kept = [content for stored in chunk for content in shared.first_named(stored)]
            target.append([Batch(run, done, shared.sealed(chunk), kept, lease)], wait=True)
            done += len(chunk)
            beat(done)
    except BaseException:
        target.release(run)
        target.forget(run)  # half a copy would be taken for a run of its own
        raise
    target.release(run)
    return done


class Shared:
    """The shared contents of a run that is gone through: they are copied with who names them."""

    def __init__(self, source: Journal, run: str) -> None:
        self._source = source
        self._run = run
        self._names: set[str] = set()

    def first_named(self, stored: Stored) -> Iterator[Content]:
        """The shared contents that were first stored with an entry. Raises JournalError."""
        for commitment in orjson.loads(stored.row.header).get("kept", ()):
            content = self._source.content(self._run, commitment)
            if content is None:
                raise JournalError(
                    f"run {self._run} has lost the shared content {commitment}; `hive verify`"
                    " says more"
                )
            self._names.add(commitment)
            yield content

    def sealed(self, chunk: list[Stored]) -> Sealed:
        """Entries as they are to be stored: a shared content is not stored with the entry too."""
        own = [named_content(stored.row.header) not in self._names for stored in chunk]
        return Sealed(
            [stored.row.header for stored in chunk],
            [stored.row.digest for stored in chunk],
            [stored.salt if mine else None for stored, mine in zip(chunk, own, strict=True)],
            [stored.body if mine else None for stored, mine in zip(chunk, own, strict=True)],
        )
