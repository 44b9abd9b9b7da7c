"""The board (floor 1): an append-only typed log, its indexes, and the fold of its closed turns.

Plain functions on plain values: no await, no clock, no I/O. On one event loop nothing here can be
interrupted, so nothing here needs a lock.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from operator import attrgetter

from hive.board.entry import (
    CHAIN_START,
    SHARED_BYTES,
    Address,
    Content,
    Entry,
    Label,
    Row,
    Sealed,
    commit,
)
from hive.board.fold import fold
from hive.board.payload import Payload, Vocabulary
from hive.board.records import Fault
from hive.board.state import Folding, State, begun_anew, is_gone
from hive.board.view import Gallery, View, Window
from hive.errors import PayloadError, WriteRefused

__all__ = ["COORDINATOR", "USER", "Board"]

USER = "user"
COORDINATOR = "coordinator"
IN_ORDER = attrgetter("turn", "strand", "place", "attempt")
"""The order of a turn with one strand: the coordinator's "" comes before any name."""


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
        lease: int = 1,
    ) -> None:
        self.vocabulary = vocabulary
        self.entries: list[Entry] = []
        self.state = State()
        self.head = CHAIN_START
        self.lease = lease
        self.shared = 0
        """How many of the entries stand in the logs of runs that this one was forked from."""
        self._unsealed: list[Entry] = []
        self._writers = dict(writers or {})
        self._readable = frozenset({*readable, Fault.kind})
        self._folding = folding or Folding()
        self._salts = salts
        self._index = Index()
        self._effects: dict[str, list[int]] = {}
        self._effects_known = 0
        self._turns: dict[int, list[Entry]] = {}
        self._turns_known = 0
        self._stored: dict[bytes, str] = {}
        self._fresh: list[Content] = []
        self._kept: list[Content] = []
        self._turn: list[Entry] = []
        self._closed: list[Entry] = []
        self._gallery = Gallery()
        self._references: dict[str, Entry] = {}
        self._windows: dict[tuple[frozenset[str], int], Window] = {}

    def post(
        self,
        address: Address,
        author: str,
        payload: Payload,
        at: int,
        origin: str,
        causes: tuple[str, ...] = (),
        label: Label = "trusted",
        attempt: int = 0,
    ) -> Entry:
        """Append an entry at the end of the log.

        Raises WriteRefused when the author did not declare the kind and PayloadError when the
        payload cannot be written as JSON; the log is then as it was.
        """
        if payload.level == "domain":
            self.check(author, payload)
        body, payload = payload.written()
        entry = Entry(
            len(self.entries), address, attempt, author, origin, label, causes, at, self.lease,
            payload, body,
        )  # fmt: skip
        if self._fresh:
            entry.kept = tuple(content.commitment.hex() for content in self._fresh)
            self._kept += self._fresh
            self._fresh = []
        self.entries.append(entry)
        self._unsealed.append(entry)
        self._turn.append(entry)
        return entry

    def check(self, author: str, payload: Payload) -> None:
        """Raise WriteRefused when the author did not declare the payload's kind."""
        allowed = self._writers.get(author)
        if allowed is not None and payload.level == "domain" and payload.kind not in allowed:
            raise WriteRefused(
                f"role {author!r} may not write {payload.kind}; it writes"
                f" {', '.join(sorted(allowed))}"
            )

    def seal(self) -> Sealed:
        """Commit to the contents of the entries posted since the last call, chain their headers,
        and give what outlives the process; `kept` then gives the shared contents that belong with
        it. In one go for many entries, which is quicker."""
        new, self._unsealed = self._unsealed, []
        chance, head = self._salts(16 * len(new)), self.head
        sealed = Sealed([], [], [], [])
        headers, digests, salts, bodies = sealed
        start = 0
        for entry in new:
            body = entry.body
            if len(body) < SHARED_BYTES:
                salt = chance[start : start + 16]
                start += 16
                entry.commitment = sha256(salt + body).digest()
                salts.append(salt)
                bodies.append(body)
            else:
                self._share(entry)
                salts.append(None)
                bodies.append(None)
            header = entry.header()
            head = entry.digest = sha256(head + header).digest()
            headers.append(header)
            digests.append(head)
        self.head = head
        return sealed

    @property
    def sealed(self) -> int:
        """How many entries of the run's own are sealed, what it shares not counted."""
        return len(self.entries) - self.shared - len(self._unsealed)

    def kept(self) -> list[Content]:
        """The shared contents that the entries are the first to name that were sealed since the
        last call; to be stored together with them."""
        kept, self._kept = self._kept, []
        return kept

    def store(self, body: bytes, key: bytes | None = None) -> str:
        """The commitment (hex) under which a run keeps some bytes. New ones are named, and stored,
        with the next entry that is posted. `key` is their SHA-256 where the caller knows it."""
        key = key or sha256(body).digest()
        known = self._stored.get(key)
        if known is not None:
            return known
        salt = self._salts(16)
        content = Content(commit(salt, body), salt, body)
        self._fresh.append(content)
        self._stored[key] = commitment = content.commitment.hex()
        return commitment

    def _share(self, entry: Entry) -> None:
        """Have a large body stored as a shared content, once however often it is posted."""
        commitment = self.store(entry.body)
        entry.commitment = bytes.fromhex(commitment)
        for content in self._fresh:
            if content.commitment == entry.commitment:  # nobody has named it yet
                entry.kept = (*entry.kept, commitment)
                self._kept.append(content)
                self._fresh.remove(content)
                return

    def stored_as(self, key: bytes) -> str | None:
        """The commitment (hex) of bytes that the run keeps already, by their SHA-256."""
        return self._stored.get(key)

    def remember(self, commitment: str, body: bytes) -> None:
        """Have bytes that a journal holds stored under their commitment (hex) from now on."""
        self._stored.setdefault(sha256(body).digest(), commitment)

    def load(
        self, row: Row, body: bytes | None, after: Callable[[int], None], *, shared: bool = False
    ) -> Entry:
        """Append an entry that was read back from a journal; `body` is None where it was erased.

        `after(turn)` is called with its turn before it is appended, so that the turn before can be
        closed. `shared` says that it stands in the log of a run that this one was forked from.
        Raises JournalVersion for a header that this Hive cannot read.
        """
        entry = Entry.stored(row, body, self.vocabulary)
        after(entry.turn)
        self.entries.append(entry)
        self._turn.append(entry)
        if shared:
            self.shared += 1
        else:
            self.head = row.digest
        if body is not None and len(body) >= SHARED_BYTES:
            self.remember(entry.commitment.hex(), body)
        return entry

    def adopt(self, entry: Entry) -> None:
        """Append an entry of another board as it is, its number included."""
        self.entries.append(entry)
        self._turn.append(entry)

    def arrange(self) -> None:
        """Bring adopted entries into the order of their numbers, which is that in which they came
        at first."""
        self.entries.sort(key=attrgetter("seq"))
        self._index, self._effects, self._effects_known = Index(), {}, 0
        self._turns, self._turns_known = {}, 0

    def close_turn(self, strands: Sequence[str] = ()) -> State:
        """End the open turn: fold its entries in address order, `strands` as their decision has
        them. Entries become visible in views now and not before."""
        if not self._turn:
            return self.state
        turn = self._turn
        self._turn = []
        self._order(turn, strands)
        self.state = fold(self.state, turn, self._folding)
        contributions = 0
        first = begun_anew(turn)
        for entry in turn:
            if first and is_gone(entry, first):
                entry.rest()
                continue
            if entry.level == "domain":
                self._references[f"{entry.turn}.{contributions}"] = entry
                contributions += 1
            elif entry.kind not in self._readable or is_passing_fault(entry):
                entry.rest()
                continue
            self._closed.append(entry)
        return self.state

    @property
    def open_turn(self) -> Sequence[Entry]:
        """The entries of the open turn so far, in the order of arrival."""
        return self._turn

    def foreseen(self, strands: Sequence[str], slot: int) -> State:
        """The state as it would be if the open turn were closed now, without what the coordinator
        posted in one slot of it."""
        turn = [entry for entry in self._turn if entry.strand or entry.place[0] != slot]
        self._order(turn, strands)
        return fold(self.state, turn, self._folding)

    def _order(self, turn: list[Entry], strands: Sequence[str]) -> None:
        """Bring the entries of a turn into the order of their addresses."""
        if len(strands) > 1 or strands == ():
            ordinals = {strand: index for index, strand in enumerate(("", *strands))}
            last = len(ordinals)
            turn.sort(key=lambda e: (ordinals.get(e.strand, last), *IN_ORDER(e)))
        else:
            turn.sort(key=IN_ORDER)

    def view(self, kinds: frozenset[str], budget: int) -> View:
        """What a reader of some kinds sees of the closed turns, within a budget of tokens."""
        key = (kinds, budget)
        window = self._windows.get(key)
        if window is None:
            window = self._windows[key] = Window(kinds, budget, self._gallery)
        return window.advance(self._closed)

    @property
    def visible(self) -> Sequence[Entry]:
        """What views can show, in the order in which it became visible."""
        return self._closed

    def of_kind(self, kind: str | type[Payload]) -> list[Entry]:
        """All entries of a kind, in the order of arrival."""
        name = kind if isinstance(kind, str) else kind.kind
        return self._found(self._caught_up().kinds.get(name, ()))

    def of_author(self, author: str) -> list[Entry]:
        """All entries of an author, in the order of arrival."""
        return self._found(self._caught_up().authors.get(author, ()))

    def caused_by(self, address: Address | str) -> list[Entry]:
        """All entries that name an address among their causes."""
        effects, known = self._effects, self._effects_known
        for place, entry in enumerate(self.entries[known:], known):
            for cause in entry.causes:
                effects.setdefault(cause, []).append(place)
        self._effects_known = len(self.entries)
        return self._found(effects.get(str(address), ()))

    def at(self, address: Address | str) -> Entry | None:
        """The newest entry at an address (the last attempt), or None."""
        try:
            where = Address.parse(address) if isinstance(address, str) else address
        except PayloadError:
            return None
        for entry in self.entries[self._turns_known :]:
            self._turns.setdefault(entry.turn, []).append(entry)
        self._turns_known = len(self.entries)
        for entry in reversed(self._turns.get(where.turn, ())):
            if entry.place == where.place and entry.strand == where.strand:
                return entry
        return None

    def contributions(self, turn: int) -> list[Entry]:
        """The contributions of a closed turn, in address order."""
        found: list[Entry] = []
        while (entry := self._references.get(f"{turn}.{len(found)}")) is not None:
            found.append(entry)
        return found

    def referenced(self, reference: str) -> Entry:
        """The contribution that a reference "turn.ordinal" means. Raises PayloadError if none."""
        try:
            return self._references[reference]
        except KeyError:
            raise PayloadError(f"no contribution {reference!r} in the closed turns") from None

    def _caught_up(self) -> "Index":
        self._index.advance(self.entries)
        return self._index

    def _found(self, places: Iterable[int]) -> list[Entry]:
        return [self.entries[place] for place in places]


def is_passing_fault(entry: Entry) -> bool:
    """Whether an entry is a fault that did not end its strand, which is nobody else's concern."""
    return entry.kind == Fault.kind and not getattr(entry.payload, "final", False)


class Index:
    """Where entries of a kind or an author stand. It catches up when it is asked, so that
    appending stays cheap; every entry is indexed once, every look-up is then a dictionary's."""

    def __init__(self) -> None:
        self.kinds: dict[str, list[int]] = {}
        self.authors: dict[str, list[int]] = {}
        self.position = 0

    def advance(self, entries: Sequence[Entry]) -> None:
        """Take in what has been appended since."""
        for place in range(self.position, len(entries)):
            entry = entries[place]
            self.kinds.setdefault(entry.kind, []).append(place)
            self.authors.setdefault(entry.author, []).append(place)
        self.position = len(entries)
