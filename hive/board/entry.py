"""Entries and their addresses (floor 1): one immutable line of the board, and where it stands."""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal, NamedTuple, Self

import orjson

from hive.board.canonical import write
from hive.board.payload import Erased, Opaque, Payload
from hive.errors import JournalVersion, PayloadError

__all__ = [
    "CHAIN_START",
    "HEADER_VERSION",
    "LABELS",
    "SHARED_BYTES",
    "Address",
    "Content",
    "Entry",
    "Label",
    "Row",
    "Sealed",
    "chain",
    "commit",
    "join_labels",
    "named_content",
]

HEADER_VERSION = 1
CHAIN_START = bytes(32)
NOTHING = Erased().body()
SHARED_BYTES = 4096
"""A body of so many bytes is stored as a shared content: once, however often it is posted."""

Label = Literal["trusted", "model", "outside"]
LABELS: tuple[Label, ...] = ("trusted", "model", "outside")
"""How far content can be trusted, best first: said by the user or the coordinator; said by a model;
read from outside (files, tools, the network), or said by one who had read that."""


def join_labels(*labels: Label) -> Label:
    """The least trusted of some labels; "trusted" of none."""
    if "outside" in labels:
        return "outside"
    return "model" if "model" in labels else "trusted"


class Address(NamedTuple):
    """Where an entry stands: turn, strand and place; the same under every interleaving.

    The strand "" is the coordinator's. A place is (step, slot, ...) within its strand.
    """

    turn: int
    strand: str
    place: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.turn}/{self.strand}/{dotted(self.place)}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `12/coder@11.0/4.2.1`. Raises PayloadError when it is no address."""
        try:
            turn, strand, place = text.split("/")
            return cls(int(turn), strand, tuple(int(part) for part in place.split(".")))
        except ValueError:
            raise PayloadError(
                f"{text!r} is no address; one reads turn/strand/place, as in 12/coder/0.1"
            ) from None

    @property
    def role(self) -> str:
        """The role at work in this strand; "" for the coordinator."""
        return self.strand.partition("@")[0].partition("#")[0]


@lru_cache(maxsize=1024)
def dotted(place: tuple[int, ...]) -> str:
    """A place as text; most entries stand at one of a few."""
    return ".".join(map(str, place))


class Row(NamedTuple):
    """An entry as it is read back: exactly the bytes that were stored."""

    seq: int
    header: bytes
    digest: bytes


class Sealed(NamedTuple):
    """Entries as they are stored, column by column, in the order of the log. `salts` and `bodies`
    hold None where an entry's content is a shared one, or was erased."""

    headers: list[bytes]
    digests: list[bytes]
    salts: list[bytes | None]
    bodies: list[bytes | None]


class Content(NamedTuple):
    """What a commitment stands for; redaction erases salt and body and nothing else."""

    commitment: bytes
    salt: bytes | None
    body: bytes | None


class Entry:
    """One line of the board; nothing in it ever changes.

    `seq` is only arrival order; `address` is its identity. `origin` says who made the content:
    "user", "coordinator", "model:…", "program:…" or "tool:…". `causes` are the addresses, as text,
    of the entries this one could not exist without. `at` is wall time in microseconds since 1970
    (UTC), never used for ordering. `body` holds the payload's own bytes, as stored. `kept` are the
    commitments (hex) of the shared contents that were first stored with this entry.
    """

    __slots__ = (
        "_payload", "at", "attempt", "author", "body", "causes", "cls", "commitment", "digest",
        "kept", "kind", "label", "lease", "level", "origin", "place", "seq", "strand", "turn",
        "version",
    )  # fmt: skip

    def __init__(
        self,
        seq: int,
        address: Address,
        attempt: int,
        author: str,
        origin: str,
        label: Label,
        causes: tuple[str, ...],
        at: int,
        lease: int,
        payload: Payload,
        body: bytes,
    ) -> None:
        self.seq = seq
        self.turn, self.strand, self.place = address
        self.attempt = attempt
        self.author = author
        self.kind = payload.kind
        self.version = payload.version
        self.level = payload.level
        self.origin = origin
        self.label = label
        self.causes = causes
        self.at = at
        self.lease = lease
        self.body = body
        self.kept: tuple[str, ...] = ()
        self.commitment = b""
        self.digest = b""
        """Empty until the entry is sealed, at the latest when it is made durable."""
        self._payload: Payload | None = payload
        self.cls = type(payload)
        """The class of the payload, for whoever need not read it."""

    @classmethod
    def stored(cls, row: Row, body: bytes | None, classes: Mapping[str, type[Payload]]) -> Self:
        """An entry as it was stored; its payload is read when somebody asks.

        Raises PayloadError for a header that is none, and JournalVersion for one that this Hive
        cannot read.
        """
        try:
            header = orjson.loads(row.header)
            if header["v"] != HEADER_VERSION:
                raise JournalVersion(
                    f"entry {row.seq} has header version {header['v']!r}; this Hive reads version"
                    f" {HEADER_VERSION}"
                )
            entry = cls.__new__(cls)
            entry._take(header)
            entry.commitment = bytes.fromhex(header["content"])
        except (KeyError, TypeError, ValueError) as error:
            raise PayloadError(f"entry {row.seq} has no header that can be read: {error}") from None
        known = classes.get(entry.kind, Opaque)
        entry.seq, entry.digest = row.seq, row.digest
        entry.level, entry.cls = known.level, known
        entry._payload = None
        if body is None:
            entry.cls, body = Erased, NOTHING
        entry.body = body
        return entry

    @property
    def address(self) -> Address:
        """Where it stands. Made when somebody asks: a tuple more for every entry is what the
        garbage collector would look at again and again."""
        return Address(self.turn, self.strand, self.place)

    @property
    def payload(self) -> Payload:
        """What the entry says."""
        payload = self._payload
        if payload is None:
            payload = self._payload = self.cls.read(self.body, self.version)
        return payload

    @property
    def erased(self) -> bool:
        """Whether the content was redacted: only the header is known."""
        return self.cls is Erased

    def rest(self) -> None:
        """Let go of the payload's object; it is read from its bytes when somebody asks again.

        Records of closed turns are hardly ever looked at, and thousands of small objects cost the
        garbage collector more than the entries cost otherwise.
        """
        self._payload = None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Entry):
            return NotImplemented
        return self.header() == other.header() and self.body == other.body

    def _take(self, header: dict[str, Any]) -> None:
        self.turn = header["turn"]
        self.strand = header["strand"]
        self.place = tuple(header["place"])
        self.attempt = header["attempt"]
        self.author = header["author"]
        self.kind = header["kind"]
        self.version = header["kind_version"]
        self.origin = header["origin"]
        self.label = header["label"]
        self.causes = tuple(header["causes"])
        self.at = header["at"]
        self.lease = header["lease"]
        self.kept = tuple(header.get("kept", ()))

    def __hash__(self) -> int:
        return hash((self.seq, self.address))

    def __repr__(self) -> str:
        return f"<{self.address} {self.kind} by {self.author}>"

    def header(self) -> bytes:
        """The header's bytes: sorted, compact JSON."""
        fields = {
            "at": self.at,
            "attempt": self.attempt,
            "author": self.author,
            "causes": self.causes,
            "content": self.commitment.hex(),
            "kind": self.kind,
            "kind_version": self.version,
            "label": self.label,
            "lease": self.lease,
            "origin": self.origin,
            "place": self.place,
            "strand": self.strand,
            "turn": self.turn,
            "v": HEADER_VERSION,
        }
        if self.kept:
            fields["kept"] = self.kept
        return write(fields)

    def as_json(self) -> dict[str, Any]:
        """The entry as documented JSON, for `--json` and exports."""
        return {
            "seq": self.seq,
            "address": str(self.address),
            "attempt": self.attempt,
            "author": self.author,
            "kind": self.kind,
            "kind_version": self.version,
            "origin": self.origin,
            "label": self.label,
            "causes": list(self.causes),
            "at": self.at,
            "digest": self.digest.hex(),
            "payload": None if self.erased else orjson.loads(self.body),
        }


def commit(salt: bytes, body: bytes) -> bytes:
    """SHA-256 over a 16-byte salt and the content, so that an erased guess cannot be confirmed."""
    return hashlib.sha256(salt + body).digest()


def chain(previous: bytes, header: bytes) -> bytes:
    """The digest of an entry: SHA-256 over its predecessor's digest and its own header bytes."""
    return hashlib.sha256(previous + header).digest()


CONTENT = b'"content":"'


def named_content(header: bytes) -> str:
    """The commitment (hex) that a header's bytes name; "" where there is none. Without decoding
    them: a quote inside any text is escaped, so that the key is found nowhere else."""
    start = header.find(CONTENT) + len(CONTENT)
    return header[start : start + 64].decode("ascii", "replace") if start >= len(CONTENT) else ""
