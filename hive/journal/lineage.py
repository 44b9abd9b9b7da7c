"""The logical log of a run (floor 2): its own entries, and before them those it shares.

A fork stores its own first entry, which names its parent and the cut, and what came after the cut.
The entries between are the parent's, read where they stand, and so on through its ancestors.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

from hive.board.canonical import decode
from hive.board.entry import Content, named_content
from hive.errors import JournalError, PayloadError, RunNotFound
from hive.journal.journal import Journal, Stored

__all__ = ["Segment", "content_of", "lineage", "read_whole"]


class Segment(NamedTuple):
    """Entries of one run that stand together: `length` of them from its own `first`, or all from
    there on; `start` is the number of the first in the logical log."""

    run: str
    first: int
    length: int | None
    start: int


def read_whole(journal: Journal, run: str, start: int = 0) -> Iterator[Stored]:
    """The logical log of a run from a position on, in order, numbered as the board numbers it.

    Raises RunNotFound, and JournalError when an ancestor is not whole enough to be read.
    """
    segments = lineage(journal, run)
    for segment in segments:
        skipped = max(0, start - segment.start)
        if segment.length is not None and skipped >= segment.length:
            continue
        left = None if segment.length is None else segment.length - skipped
        found = 0
        shift = segment.start - segment.first
        for stored in islice(journal.read(segment.run, segment.first + skipped), left):
            found += 1
            lacks = stored.body is None and len(segments) > 1
            entry = whole(journal, stored, segments) if lacks else stored
            if shift:
                entry = entry._replace(row=entry.row._replace(seq=entry.row.seq + shift))
            yield entry
        if left is not None and found < left:
            raise JournalError(
                f"run {run} shares {segment.length} entries of run {segment.run}, which has lost"
                f" {left - found} of them"
            )


def whole(journal: Journal, stored: Stored, segments: list[Segment]) -> Stored:
    """An entry with the content that an ancestor keeps for it, if one does."""
    commitment = named_content(stored.row.header)
    for segment in reversed(segments):
        content = journal.content(segment.run, commitment)
        if content is not None and content.body is not None:
            return stored._replace(salt=content.salt, body=content.body)
    return stored


def content_of(journal: Journal, run: str, commitment: str) -> Content | None:
    """The shared content under a commitment (hex), the run's own or an ancestor's; None when there
    is none such. Raises JournalError where the ancestors cannot be told."""
    content = journal.content(run, commitment)
    if content is not None:
        return content
    for kin, _ in ancestry(journal, run):
        content = journal.content(kin, commitment)
        if content is not None:
            return content
    return None


def lineage(journal: Journal, run: str) -> list[Segment]:
    """Where the entries of a run stand, in the order of its logical log.

    Raises RunNotFound, and JournalError where what a run shares cannot be told.
    """
    *forks, (oldest, _) = ancestry(journal, run)
    segments = [Segment(oldest, 0, None, 0)]
    for fork, cut in reversed(forks):
        shared = [part for segment in segments if (part := clipped(segment, 1, cut)) is not None]
        segments = [Segment(fork, 0, 1, 0), *shared, Segment(fork, 1, None, cut)]
    return segments


def ancestry(journal: Journal, run: str) -> Iterator[tuple[str, int]]:
    """The run, its parent, and so on to the oldest, each with the number of entries that precede
    its own. Raises like `lineage`."""
    known: list[str] = []
    at: str | None = run
    while at is not None:
        if at in known:
            raise JournalError(f"run {run} is said to be its own ancestor; `hive verify` says more")
        known.append(at)
        parent, cut = origin_of(journal, at, run)
        yield at, cut
        at = parent


def clipped(segment: Segment, start: int, end: int) -> Segment | None:
    """What of a segment lies between two numbers of the logical log; None when that is nothing."""
    first = max(start, segment.start)
    last = end if segment.length is None else min(end, segment.start + segment.length)
    if first >= last:
        return None
    return Segment(segment.run, segment.first + first - segment.start, last - first, first)


def origin_of(journal: Journal, at: str, run: str) -> tuple[str | None, int]:
    """The parent that a run names in its first entry, and the cut; none for an ordinary run."""
    try:
        first = next(journal.read(at), None)
    except RunNotFound:
        if at == run:
            raise
        raise RunNotFound(f"run {run} shares entries of run {at}, which is not there") from None
    if first is None or first.body is None:
        raise JournalError(f"entry 0 of run {at} has lost its content; nothing is known of it")
    try:
        data: Any = decode(first.body)
    except PayloadError as error:
        raise JournalError(f"entry 0 of run {at} cannot be read: {error}") from error
    if not isinstance(data, dict):
        raise JournalError(f"entry 0 of run {at} cannot be read: it says nothing of a run")
    parent, cut = data.get("parent"), data.get("cut")
    if isinstance(parent, str) and parent and isinstance(cut, int) and cut > 0:
        return parent, cut
    return None, 0
