"""Where the contents of a run lie (floor 7): in which run's log, and in which row of it."""

import json
from collections.abc import Container, Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

import orjson

from hive.audit.archive import ancestry
from hive.board.entry import Address, named_content
from hive.board.records import Observation, Resumed, RunStarted
from hive.errors import JournalError, RedactionRefused
from hive.journal.journal import Journal, Stored
from hive.journal.lineage import lineage
from hive.tools.manifest import Manifest

__all__ = [
    "Selection",
    "Spot",
    "also_in",
    "select_entries",
    "select_file",
    "select_text",
    "spots",
]

CARRIES_ITEM = frozenset({"UserMessage", "Attachment", "Approval", "Paused", "Resumed"})
"""Kinds that say by which item of the inbox they came."""


class Spot(NamedTuple):
    """An entry by its number on the board, and where it is stored: row `seq` of `run`."""

    number: int
    run: str
    seq: int
    turn: int
    address: str
    kind: str
    author: str
    content: str
    kept: tuple[str, ...]
    header: bytes
    body: bytes | None

    @property
    def data(self) -> dict[str, Any]:
        """What the entry says; empty where it is erased."""
        data = None if self.body is None else orjson.loads(self.body)
        return data if isinstance(data, dict) else {}


class Selection:
    """Contents that somebody wants erased."""

    def __init__(self, journal: Journal, run: str) -> None:
        self.run = run
        self.contents: dict[str, str] = {}
        """Commitment (hex) to the run that stores the content."""
        self.items: dict[int, str] = {}
        """Items of the inbox, with the run they were sent to."""
        self.headers: list[Spot] = []
        """Entries whose header holds what was looked for; a header cannot be erased."""
        self._journal = journal
        self._line = ancestry(journal, run)

    def __bool__(self) -> bool:
        return bool(self.contents or self.items)

    def add(self, spot: Spot) -> None:
        """Select what an entry says."""
        self.add_content(spot.content, spot.run)
        item = spot.data.get("item") if spot.kind in CARRIES_ITEM else None
        if isinstance(item, int) and item:
            self.items[item] = spot.run

    def drop(self, commitments: Iterable[str]) -> None:
        """Have some contents stay after all."""
        for commitment in commitments:
            self.contents.pop(commitment, None)

    def add_content(self, commitment: str, default: str) -> None:
        """Select a content, shared or, in `default`, an entry's own."""
        for run in self._line:
            if self._journal.content(run, commitment) is not None:
                default = run
        self.contents[commitment] = default


def spots(journal: Journal, run: str) -> Iterator[Spot]:
    """The entries of a run, those it shares included, in order. Raises RunNotFound, and
    JournalError where what it shares cannot be told."""
    for segment in lineage(journal, run):
        rows = islice(journal.read(segment.run, segment.first), segment.length)
        for number, stored in enumerate(rows, segment.start):
            try:
                yield spot_of(number, segment.run, stored)
            except (ValueError, KeyError, TypeError):
                what = f"entry {number} of run {run} cannot be read; `hive verify` says more"
                raise JournalError(what) from None


def spot_of(number: int, run: str, stored: Stored) -> Spot:
    (seq, header, _), _, body = stored
    fields = orjson.loads(header)
    address = Address(fields["turn"], fields["strand"], tuple(fields["place"]))
    return Spot(
        number, run, seq, address.turn, str(address), fields["kind"], fields["author"],
        fields["content"], tuple(fields.get("kept", ())), header, body,
    )  # fmt: skip


def select_entries(journal: Journal, run: str, wanted: Iterable[str]) -> Selection:
    """What the entries of some numbers or addresses say; every attempt at an address.

    Raises RedactionRefused for one that is not there.
    """
    found = Selection(journal, run)
    missing = set(wanted)
    names = frozenset(missing)
    for spot in spots(journal, run):
        same = names & {str(spot.number), spot.address}
        if same:
            found.add(spot)
            missing -= same
    if missing:
        raise RedactionRefused(
            f"run {run} has no entry {sorted(missing)[0]!r}; `hive show` lists their addresses"
        )
    return found


def select_text(journal: Journal, run: str, text: str) -> Selection:
    """Every content in which a text stands, as it is or as JSON writes it, also JSON in JSON."""
    found, looks = Selection(journal, run), forms(text)
    for spot in spots(journal, run):
        if spot.body is not None and holds(spot.body, looks):
            found.add(spot)
        for commitment in spot.kept:
            content = journal.content(spot.run, commitment)
            if content is not None and content.body is not None and holds(content.body, looks):
                found.contents[commitment] = spot.run
        if holds(spot.header, looks):
            found.headers.append(spot)
    for each in ancestry(journal, run):
        for item in journal.inbox(run=each):
            if text in item.text or text in item.subject:
                found.items[item.id] = each
    return found


def also_in(journal: Journal, text: str, selection: Selection) -> list[str]:
    """The other runs of a journal that contain a text in something which is not selected: forks
    that were served the same reply, runs that read the same file."""
    looks = forms(text)
    return [
        run
        for run in journal.runs()
        if run != selection.run
        and any(holds(body, looks) for body in bodies(journal, run, selection.contents))
    ]


def bodies(journal: Journal, run: str, but: Container[str]) -> Iterator[bytes]:
    """What a run itself stores, without some contents."""
    for content in journal.kept(run):
        if content.body is not None and content.commitment.hex() not in but:
            yield as_bytes(content.body)
    for stored in journal.read(run):
        if stored.body is not None and named_content(as_bytes(stored.row.header)) not in but:
            yield as_bytes(stored.body)


def as_bytes(stored: object) -> bytes:
    """What is stored, though somebody has put something else than bytes in its place."""
    return stored if isinstance(stored, bytes) else str(stored).encode()


def select_file(journal: Journal, run: str, path: str) -> Selection:
    """Every recorded state of one file of the workspace."""
    found = Selection(journal, run)
    for spot in spots(journal, run):
        for commitment in states(journal, spot, path):
            found.add_content(commitment, spot.run)
    return found


def states(journal: Journal, spot: Spot, path: str) -> Iterator[str]:
    """The commitments under which an entry keeps the contents of a file."""
    data = spot.data
    if spot.kind in (Observation.kind, Resumed.kind):
        for change in data.get("changes", ()):
            if change["path"] == path:
                yield from filter(None, (change["before_content"], change["after_content"]))
    elif spot.kind == RunStarted.kind and data.get("snapshot"):
        manifest = journal.content(spot.run, data["snapshot"])
        if manifest is not None and manifest.body is not None:
            file = Manifest.from_bytes(manifest.body).files.get(path)
            if file is not None and file.content is not None:
                yield file.content


def forms(text: str) -> list[bytes]:
    """The ways in which a text can stand in stored bytes: plain, or escaped by JSON up to three
    times, with letters beyond ASCII as they are or escaped."""
    ways = {text}
    for _ in range(3):
        ways |= {json.dumps(way)[1:-1] for way in ways}
        ways |= {json.dumps(way, ensure_ascii=False)[1:-1] for way in ways}
    return [way.encode() for way in sorted(ways)]


def holds(body: bytes, looks: Iterable[bytes]) -> bool:
    return any(look in body for look in looks)
