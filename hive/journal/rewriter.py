"""How a replay writes (floor 2): what is on record, onto an empty board, and nothing else."""

from collections.abc import Callable, Collection
from hashlib import sha256

import orjson

from hive.board.board import Board
from hive.board.entry import Address, Entry, Label
from hive.board.payload import Payload
from hive.board.records import Request, Synthesis, Termination
from hive.board.tape import WholeTape
from hive.errors import ContentErased, Divergence, PayloadError
from hive.journal.memory import MemoryJournal
from hive.journal.writer import Committer, Writer, brief, differs, same

__all__ = ["STORED", "Rewriter"]

STORED = ("system", "tools", "output")
"""The fields of a Request that are commitments."""


class Rewriter(Writer):
    """Posts the entries of a recorded run again: posting what is on the tape puts the recorded
    entry on the board, with its time and its place in the log; anything else is a Divergence.

    `unknown` collects what was to be stored and is not on record, by its SHA-256 (hex). `gone` are
    the commitments (hex) of contents that were erased. `beat` is told of each entry.
    """

    def __init__(
        self,
        run: str,
        board: Board,
        tape: WholeTape,
        gone: Collection[str] = (),
        beat: Callable[[], None] = lambda: None,
    ) -> None:
        self._time = RecordedTime()
        super().__init__(run, board, Committer(MemoryJournal()), self._time)
        self.tape = tape
        self.aside = tape.aside
        self.unknown: dict[str, bytes] = {}
        self.posted = 0
        self._gone = frozenset(gone)
        self._beat = beat

    def post(
        self,
        address: Address,
        author: str,
        payload: Payload,
        origin: str,
        causes: tuple[str, ...] = (),
        label: Label = "trusted",
        attempt: int = 0,
    ) -> Entry:
        """The recorded entry, if it says the same. Raises what `Board.post` raises, Divergence when
        it says something else or there is none, BreaksOff where the record was cut off."""
        self.board.check(author, payload)
        body, payload = payload.written()
        attempt += self.aside[address]
        known = self.tape.take(address, attempt)
        seq, at, lease = (-1, 0, 0) if known is None else (known.seq, known.at, known.lease)
        now = Entry(seq, address, attempt, author, origin, label, causes, at, lease, payload, body)
        if known is None:
            message = f"{address}: the record holds nothing, and now it would be {brief(now)}"
            self.tape.differ(address, None, now, message)
        given = known.cls is Synthesis and self.tape.concluded
        if not (given or same(known, now) or self._mended(known, now)):
            self.tape.differ(address, known, now, str(differs(known, now)))
        return self._adopt(now if known.erased else known)

    def again(self, entry: Entry) -> Entry:
        """Put a recorded entry on the board that is served and not computed. Raises ContentErased
        where nobody knows what it said, and Divergence where its kind has become another."""
        if entry.erased:
            raise ContentErased(entry)
        try:
            _ = entry.payload
        except PayloadError as error:
            text = f"{entry.address}: the recorded {entry.kind} can no longer be read: {error}"
            raise Divergence(text, str(entry.address), entry) from error
        self.tape.take(entry.address, entry.attempt)
        return self._adopt(entry)

    def keep(self, body: bytes, key: bytes | None = None) -> str:
        """The recorded commitment (hex) of some bytes; the SHA-256 of those that have none."""
        key = key or sha256(body).digest()
        known = self.board.stored_as(key)
        if known is None:
            self.unknown[key.hex()] = body
        return known or key.hex()

    async def durable(self) -> None:
        """Nothing is written that would have to be."""

    def _adopt(self, entry: Entry) -> Entry:
        self._time.at = entry.at
        self.board.adopt(entry)
        if entry.cls is Termination:  # the answer is made from the log as it came
            self.board.arrange()
        self.posted += 1
        self._beat()
        return entry

    def _mended(self, known: Entry, now: Entry) -> bool:
        """Whether two entries say the same but for how it is written: fields that there were not
        when the one was recorded, and on requests the commitments of what was erased since."""
        if known.erased or known.cls is not now.cls or known.version != now.version:
            return False
        recorded, current = orjson.loads(known.payload.body()), orjson.loads(now.body)
        if known.cls is Request:
            for field in STORED:
                if recorded[field] in self._gone:
                    current[field] = recorded[field]
        return bool(recorded == current) and same(known, now, known.body)


class RecordedTime:
    """The time of the entry that was posted last, as it was recorded."""

    at = 0

    def now(self) -> int:
        """Microseconds since 1970."""
        return self.at

    def elapsed(self) -> int:
        """No time goes by."""
        return 0
