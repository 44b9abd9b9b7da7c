"""Going through the stored rows of one run (floor 7): does each follow from the one before?

Header bytes are hashed as they are stored. Of a header only what names contents and what names the
entry to a person is read, so that neither the classes nor the version that wrote it are needed.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Literal, NamedTuple

import orjson

from hive.board.entry import CHAIN_START, Address, Content
from hive.board.records import Redaction, RunStarted
from hive.journal.journal import Journal, Stored

__all__ = ["Finding", "Origin", "Walk", "origin_of", "walk"]

BEAT = 4096
"""Entries between two words about the progress."""
SALT = 16
HEX = re.compile("[0-9a-f]{64}")
STRANGE = "its header is none that Hive writes"


class Finding(NamedTuple):
    """What does not fit: an entry by its number in its run, or, without one, rows of no entry."""

    run: str
    number: int | None
    address: str
    kind: str
    author: str
    what: str

    def __str__(self) -> str:
        if self.number is None:
            return self.what
        named = f" ({self.address}, {self.kind} by {self.author})" if self.kind else ""
        return f"entry {self.number}{named}: {self.what}"


class Origin(NamedTuple):
    """What a fork says it shares: the first `cut` entries of `parent`, the last with `digest`."""

    parent: str
    cut: int
    digest: str


@dataclass(slots=True)
class Walk:
    """What going through the rows of a run has shown: the first `rows` of them hold.

    Entries are numbered as the board numbers them: those of a fork go on after what it shares.
    """

    run: str
    rows: int = 0
    head: bytes = CHAIN_START
    origin: Origin | None = None
    finding: Finding | None = None
    digests: dict[int, str] = field(default_factory=dict)
    """Digests (hex) of the entries that were asked for, by number."""
    erased: dict[str, Finding] = field(default_factory=dict)
    """Commitments of contents that are gone, with what is to be said where no Redaction names them.
    None can name a content before it was there: its salt could not be known."""
    named: set[str] = field(default_factory=set)
    """Commitments that a Redaction names."""
    unclaimed: set[str] = field(default_factory=set)
    """Shared contents that are stored, and that no entry names."""

    def number(self, row: int) -> int:
        """The number of the entry in a row, counted over what the run shares."""
        return row if self.origin is None or row == 0 else self.origin.cut + row - 1

    @property
    def entries(self) -> int:
        """How many entries hold, what the run shares included."""
        return self.number(self.rows)


Fields = dict[str, Any]
Standing = Literal["there", "gone", "altered"]
Search = Callable[[str], Content | None]


def walk(
    journal: Journal,
    run: str,
    *,
    wanted: Iterable[int] = (),
    search: Search = lambda commitment: None,
    beat: Callable[[int], None] = lambda entries: None,
) -> Walk:
    """Go through a run until something does not fit, or to its end.

    `wanted` are numbers of entries whose digests to keep; `search` finds contents that the run
    shares and does not store itself; `beat` is told now and then how many rows hold. Raises
    RunNotFound, and JournalError for what cannot be read at all.
    """
    going = Walker(journal, run, frozenset(wanted), search)
    result = going.walk
    for stored in journal.read(run):
        try:
            going.take(stored)
        except Unfit as unfit:
            header = b"" if isinstance(unfit, Missing) else stored.row.header
            result.finding = finding(run, result.number(result.rows), header, str(unfit))
            break
        result.rows += 1
        if not result.rows % BEAT:
            beat(result.rows)
    return result


class Unfit(Exception):
    """What does not fit about an entry."""


class Missing(Unfit):
    """There is no such entry: what is stored is a later one."""


class Walker:
    """Takes one stored entry after the other; raises Unfit at the first that does not fit."""

    def __init__(self, journal: Journal, run: str, wanted: frozenset[int], search: Search) -> None:
        self.walk = Walk(run)
        self._journal = journal
        self._wanted = wanted
        self._search = search
        self._shared = {hexed(each.commitment): standing(each) for each in journal.kept(run)}
        self.walk.unclaimed = set(self._shared)

    def take(self, stored: Stored) -> None:
        (seq, header, digest), salt, body = stored
        walk = self.walk
        if seq != walk.rows:
            raise Missing(f"it is missing; the next one stored is entry {walk.number(seq)}")
        if type(header) is not bytes or sha256(walk.head + header).digest() != digest:
            raise Unfit("its digest does not follow from its header and the entry before")
        try:
            fields = orjson.loads(header)
            commitment, kind = fields["content"], fields["kind"]
        except (ValueError, TypeError, KeyError):
            raise Unfit(STRANGE) from None
        if standing_of(commitment, salt, body) != "there":
            self._absent(commitment, salt, body, header)
        if "kept" in fields:
            self._claim(fields["kept"], header)
        if not seq:
            self._begin(kind, body)
        elif kind == Redaction.kind and not fields.get("strand"):
            walk.named |= named_by(body)
        walk.head = digest
        if self._wanted and walk.number(seq) in self._wanted:
            walk.digests[walk.number(seq)] = digest.hex()

    def _absent(self, commitment: str, salt: object, body: object, header: bytes) -> None:
        """Look after a content that is not there as the header has it: erased, or elsewhere."""
        if not is_commitment(commitment):
            raise Unfit(STRANGE)
        if salt is not None or body is not None:
            raise Unfit("its content is not the one that its header commits to")
        known = self._shared.get(commitment)
        if known is None:
            found = self._search(commitment)
            known = "gone" if found is None else standing(found)
        if known == "altered":
            raise Unfit("its content is not the one that its header commits to")
        if known == "gone" or commitment in self._shared:
            self._gone(commitment, header, "its content is gone, and no Redaction says why")

    def _claim(self, kept: object, header: bytes) -> None:
        """Take the shared contents that were first stored with an entry for named."""
        if not isinstance(kept, list) or not all(map(is_commitment, kept)):
            raise Unfit(STRANGE)
        unclaimed = self.walk.unclaimed
        for commitment in kept:
            if commitment in unclaimed:
                unclaimed.remove(commitment)
            elif commitment in self._shared:
                raise Unfit(f"it names the shared content {commitment} a second time")
            else:  # stored after the walk began, or missing
                found = self._journal.content(self.walk.run, commitment)
                if found is None:
                    raise Unfit(f"the shared content {commitment}, stored with it, is missing")
                self._shared[commitment] = standing(found)
            if self._shared[commitment] == "altered":
                raise Unfit(f"the shared content {commitment}, stored with it, was altered")
            if self._shared[commitment] == "gone":
                what = f"the shared content {commitment}, stored with it, is gone"
                self._gone(commitment, header, f"{what}, and no Redaction says why")

    def _gone(self, commitment: str, header: bytes, what: str) -> None:
        walk = self.walk
        found = finding(walk.run, walk.number(walk.rows), header, what)
        walk.erased.setdefault(commitment, found)

    def _begin(self, kind: str, body: bytes | None) -> None:
        """Read in the first entry which run this is, and what it shares."""
        first = data_of(body)
        self.walk.origin = origin_in(first)
        if kind != RunStarted.kind or first.get("run") != self.walk.run:
            says = f"that of run {first.get('run')}" if first.get("run") else f"a {kind}"
            raise Unfit(f"it is not the first entry of this run but {says}")


def origin_of(journal: Journal, run: str) -> Origin | None:
    """What a run shares, as its first entry says. Raises RunNotFound."""
    for stored in journal.read(run):
        return origin_in(data_of(stored.body))
    return None


def origin_in(first: Fields) -> Origin | None:
    parent, cut, digest = first.get("parent"), first.get("cut"), first.get("cut_digest")
    if isinstance(parent, str) and isinstance(cut, int) and cut > 0:
        return Origin(parent, cut, str(digest))
    return None


def standing(content: Content) -> Standing:
    """Whether a shared content is as it was stored."""
    return standing_of(hexed(content.commitment), content.salt, content.body)


def standing_of(commitment: object, salt: object, body: object) -> Standing:
    """Whether salt and body are those of a commitment (hex), or both erased."""
    if type(salt) is bytes and type(body) is bytes:
        # Without the salt's length, bytes could move from one to the other unseen.
        fits = len(salt) == SALT and sha256(salt + body).hexdigest() == commitment
        return "there" if fits else "altered"
    return "gone" if salt is None and body is None else "altered"


def is_commitment(value: object) -> bool:
    return type(value) is str and HEX.fullmatch(value) is not None


def named_by(body: object) -> set[str]:
    """The commitments that a Redaction names."""
    contents = data_of(body).get("contents")
    return set(filter(is_commitment, contents)) if isinstance(contents, list) else set()


def hexed(commitment: object) -> str:
    return commitment.hex() if isinstance(commitment, bytes) else repr(commitment)


def data_of(body: object) -> Fields:
    """What a content says; empty where it is gone or no object."""
    try:
        data = orjson.loads(body) if isinstance(body, bytes) else None
    except ValueError:
        data = None
    return data if isinstance(data, dict) else {}


def finding(run: str, number: int, header: object, what: str) -> Finding:
    """A finding about an entry, as far as its header still names it."""
    fields = data_of(header)
    try:
        address = str(Address(fields["turn"], fields["strand"], tuple(fields["place"])))
        return Finding(run, number, address, str(fields["kind"]), str(fields["author"]), what)
    except (KeyError, TypeError):
        return Finding(run, number, "", "", "", what)
