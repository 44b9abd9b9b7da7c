"""The board (floor 1): one append-only typed log per run, its indexes, and the fold of its closed turns.

Plain functions on plain values: no await, no clock, no I/O. On one event loop nothing here can be
interrupted, so nothing here needs a lock.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple


from hive.board.canonical import decode
from hive.board.entry import (
    CHAIN_START,
    HEADER_VERSION,
    Address,
    Content,
    Entry,
    Label,
    Row,
    chain,
    commit,
    join_labels,
)
from hive.board.payload import Payload, Vocabulary
from hive.board.records import Fault
from hive.board.state import Folding, State, fold
from hive.board.view import Shown, View, Window, show
from hive.errors import JournalVersion, PayloadError, WriteRefused

__all__ = ["COORDINATOR", "USER", "Board", "Posted"]

USER = "user"
COORDINATOR = "coordinator"


class Posted(NamedTuple):
    """A new entry with the bytes that outlive the process."""

    entry: Entry
    row: Row
    content: Content


class Board:
    """The log of one run.

    `writers` says which domain kinds each author may post; whoever is not named there may post
    anything (the user, the coordinator). `readable` are control kinds that views can show too.
    `salts(n)` gives n unpredictable bytes.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        *,
        salts: Callable[[int], bytes],
        writers: Mapping[str, frozenset[str]] | None = None,
        readable: Iterable[str] = (),
        folding: Folding | None = None,
        lease: int = 0,
    ) -> None:
        self.vocabulary = vocabulary
        self.entries: list[Entry] = []
        self.state = State()
        self.head = CHAIN_START
        self.lease = lease
        self._writers = dict(writers or {})
        self._readable = frozenset(readable)
        self._folding = folding or Folding()
        self._salts = salts
        self._kinds: dict[str, list[int]] = {}
        self._authors: dict[str, list[int]] = {}
        self._effects: dict[str, list[int]] = {}
        self._effects_known = 0
        self._places: dict[str, int] = {}
        self._stored: dict[bytes, str] = {}
        self._turn: list[Entry] = []
        self._closed: list[Shown] = []
        self._references: dict[str, Entry] = {}
        self._windows: dict[tuple[frozenset[str], int], Window] = {}

    def post(
        self,
        address: Address,
        author: str,
        payload: Payload,
        *,
        at: int,
        origin: str,
        causes: tuple[str, ...] = (),
        label: Label = "trusted",
        attempt: int = 0,
    ) -> Posted:
        """Append an entry at the end of the log.

        Raises WriteRefused when the author did not declare the kind and PayloadError when the
        payload cannot be written as JSON; the log is then as it was.
        """
        kind = payload.kind
        allowed = self._writers.get(author)
        if allowed is not None and payload.level == "domain" and kind not in allowed:
            raise WriteRefused(
                f"role {author!r} may not write {kind}; it writes {', '.join(sorted(allowed))}"
            )
        body = payload.body()
        commitment, salt = self._commit(body)
        entry = Entry(
            len(self.entries), address, attempt, author, kind, payload.version, origin, label,
            causes, at, self.lease, payload, body, commitment, b"",
        )  # fmt: skip
        header = entry.header()
        digest = chain(self.head, header)
        entry = entry._replace(digest=digest)
        self._take(entry)
        return Posted(entry, Row(entry.seq, header, digest), Content(commitment, salt, body))

    def store(self, body: bytes) -> tuple[str, Content | None]:
        """The commitment (hex) under which a run keeps some bytes, and the content when it is new."""
        key = hashlib.sha256(body).digest()
        known = self._stored.get(key)
        if known is not None:
            return known, None
        commitment, salt = self._commit(body)
        self._stored[key] = commitment.hex()
        return commitment.hex(), Content(commitment, salt, body)

    def load(self, row: Row, body: bytes, after: Callable[[int], None]) -> Entry:
        """Append an entry that was read back from a journal.

        `after(turn)` is called with its turn before it is appended, so that the turn before can be
        closed. Raises JournalVersion for a header that this Hive cannot read.
        """
        header = decode(row.header)
        if header.get("v") != HEADER_VERSION:
            raise JournalVersion(
                f"entry {row.seq} has header version {header.get('v')!r}; this Hive reads version"
                f" {HEADER_VERSION}"
            )
        after(header["turn"])
        entry = Entry(
            seq=row.seq,
            address=Address(header["turn"], header["strand"], tuple(header["place"])),
            attempt=header["attempt"],
            author=header["author"],
            kind=header["kind"],
            version=header["kind_version"],
            origin=header["origin"],
            label=header["label"],
            causes=tuple(header["causes"]),
            at=header["at"],
            lease=header["lease"],
            payload=self.vocabulary.read(header["kind"], header["kind_version"], body),
            body=body,
            commitment=bytes.fromhex(header["content"]),
            digest=row.digest,
        )
        self._take(entry)
        return entry

    def close_turn(self, strands: Sequence[str] = ()) -> State:
        """End the open turn: fold its entries in address order, with `strands` in the order of their
        decision. Entries become visible in views now and not before."""
        if not self._turn:
            return self.state
        turn = self._turn
        self._turn = []
        ordinals = {strand: index for index, strand in enumerate(("", *strands))}
        turn.sort(key=lambda e: (ordinals.get(e.address.strand, -1), e.address.place, e.attempt))
        self.state = fold(self.state, turn, self._folding)
        contributions = 0
        for entry in turn:
            if entry.payload.level == "domain":
                self._references[f"{entry.address.turn}.{contributions}"] = entry
                contributions += 1
            elif not self._shows(entry):
                continue
            self._closed.append(show(entry))
        return self.state

    def view(self, kinds: frozenset[str], budget: int) -> View:
        """What a reader of some kinds sees of the closed turns, within a budget of tokens."""
        key = (kinds, budget)
        window = self._windows.get(key)
        if window is None:
            window = self._windows[key] = Window(kinds, budget)
        return window.advance(self._closed)

    def of_kind(self, kind: str | type[Payload]) -> list[Entry]:
        """All entries of a kind, in the order of arrival."""
        name = kind if isinstance(kind, str) else kind.kind
        return [self.entries[index] for index in self._kinds.get(name, ())]

    def of_author(self, author: str) -> list[Entry]:
        """All entries of an author, in the order of arrival."""
        return [self.entries[index] for index in self._authors.get(author, ())]

    def caused_by(self, address: Address | str) -> list[Entry]:
        """All entries that name an address among their causes."""
        for entry in self.entries[self._effects_known :]:
            for cause in entry.causes:
                self._effects.setdefault(cause, []).append(entry.seq)
        self._effects_known = len(self.entries)
        return [self.entries[index] for index in self._effects.get(str(address), ())]

    def at(self, address: Address | str) -> Entry | None:
        """The newest entry at an address (the last attempt), or None."""
        index = self._places.get(str(address))
        return None if index is None else self.entries[index]

    def referenced(self, reference: str) -> Entry:
        """The contribution that a reference "turn.ordinal" means. Raises PayloadError if none."""
        try:
            return self._references[reference]
        except KeyError:
            raise PayloadError(f"no contribution {reference!r} in the closed turns") from None

    def label_of(self, own: Label, causes: Iterable[str]) -> Label:
        """The trust of new content: no better than its author's, nor than that of what it came from."""
        labels = [own]
        for cause in causes:
            entry = self.at(cause)
            if entry is not None:
                labels.append(entry.label)
        return join_labels(*labels)

    def _commit(self, body: bytes) -> tuple[bytes, bytes]:
        salt = self._salts(16)
        return commit(salt, body), salt

    def _shows(self, entry: Entry) -> bool:
        if isinstance(entry.payload, Fault):
            return entry.payload.final
        return entry.kind in self._readable

    def _take(self, entry: Entry) -> None:
        index = entry.seq
        self.entries.append(entry)
        self.head = entry.digest
        self._turn.append(entry)
        self._kinds.setdefault(entry.kind, []).append(index)
        self._authors.setdefault(entry.author, []).append(index)
        self._places[str(entry.address)] = index
