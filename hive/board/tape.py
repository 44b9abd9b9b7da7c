"""The tape (floor 1): recorded replies and results, served by address and digest.

Resume, replay and fork are the ordinary coordinator over a tape; a first run has an empty one.
"""

from collections import Counter
from collections.abc import Iterable
from itertools import chain
from typing import NamedTuple, NoReturn

from hive.board.entry import Address, Entry
from hive.board.payload import Payload
from hive.board.records import (
    Admission,
    Approval,
    Decision,
    Fault,
    Observation,
    Request,
    Resumed,
    RunStarted,
    Shortage,
    Spoken,
    Synthesis,
    Termination,
    ToolCall,
)
from hive.errors import ContentErased, Divergence

__all__ = ["SHORT", "Asked", "BreaksOff", "Tape", "WholeTape", "is_from_outside"]

PASSED = ("cancelled", "interrupted", "withdrawn")
READ = (ToolCall, Approval, Fault)
"""What a tape has to read to know what to serve."""
TOLD = (Decision.kind, Shortage.kind)
SHORT = 7
"""The place of a Shortage among the coordinator's."""
OUTSIDE = (8, 9, 10, 11)
"""Where words from outside go among the coordinator's places: messages of the user, lifecycle,
redactions, attachments."""


class BreaksOff(Exception):
    """The record was cut off here: it holds nothing more of a strand, or of the run."""


class Asked(NamedTuple):
    """One attempt at a request as recorded: what was asked, None where that was refused for want
    of budget; and how it was closed, None where the process ended before."""

    attempt: int
    request: Request | None
    closing: Entry | None

    @property
    def passed(self) -> bool:
        """Whether another attempt follows: it was cut off, or never closed."""
        if self.closing is None:
            return True
        payload = self.closing.payload
        return isinstance(payload, Fault) and payload.code in PASSED


class Tape:
    """What was recorded of model replies and tool results. `live` says that what the tape does not
    hold is asked for."""

    live = True

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._requests: dict[Address, dict[int, Entry]] = {}
        self._closings: dict[Address, dict[int, Entry]] = {}
        self._admissions: dict[Address, list[Entry]] = {}
        self._approvals: dict[Address, Approval] = {}
        self._rulings: Counter[Address] = Counter()
        self._calls: dict[Address, ToolCall] = {}
        self._pasts: dict[Address, list[Entry]] = {}
        self._told: dict[Address, Entry] = {}
        self._turns: set[int] = set()
        for entry in entries:
            self._take(entry)

    def __bool__(self) -> bool:
        return bool(self._requests or self._closings) or not self.live

    def asked(self, address: Address, digest: str) -> list[Asked]:
        """The recorded attempts at an address to ask what has this digest, in order: their grants
        are read from there. Raises ContentErased where that was erased."""
        requests = self._requests.get(address, {})
        answer = address._replace(place=(address.place[0], 1))
        closings = self._closings.get(answer, {})
        found = []
        for number, attempt in enumerate(sorted({*requests, *closings})):
            begun, closing = requests.get(attempt), closings.get(attempt)
            named = begun or closing
            if named is not None and named.erased:
                raise ContentErased(named)
            request = None if begun is None else begun.payload
            known = request or (None if closing is None else closing.payload)
            if getattr(known, "digest", None) == digest:
                assert request is None or isinstance(request, Request)
                found.append(Asked(number, request, closing))
        return found

    def admitted(self, address: Address, attempt: int) -> list[Entry]:
        """What was admitted for one attempt at a request beyond its grant, in order."""
        place = (*address.place, 1 + attempt)
        return self._admissions.get(address._replace(place=place), [])

    def begun(self, turn: int) -> bool:
        """Whether anything is on record of a turn, so that nothing new is found out about it."""
        return turn in self._turns or not self.live

    def shortage(self, turn: int, place: int) -> Shortage | None:
        """For what the budget had no room before a turn's decision, or in its move."""
        entry = self._told.get(Address(turn, "", (SHORT, place)))
        payload = None if entry is None else known(entry)
        return payload if isinstance(payload, Shortage) else None

    def decision(self, turn: int) -> Decision | None:
        """The decision of a turn."""
        entry = self._told.get(Address(turn, "", (0,)))
        payload = None if entry is None else known(entry)
        return payload if isinstance(payload, Decision) else None

    def past(self, address: Address, call: ToolCall) -> list[Entry]:
        """All that was recorded about a tool call, in the order in which it came: rulings, waits,
        interruptions, and at last the result with what the tool posted."""
        recorded = self._calls.get(address)
        if recorded is None or recorded.tool != call.tool or recorded.arguments != call.arguments:
            return []
        return self._pasts.get(address, [])

    def result(self, address: Address, call: ToolCall) -> Entry | None:
        """The recorded observation of a tool call."""
        for entry in self.past(address, call):
            if isinstance(entry.payload, Observation):
                return entry
        return None

    def approval(self, call: Address) -> Approval | None:
        """What was ruled last on a tool call; one that was allowed, and not withdrawn before it was
        made, has begun."""
        return self._approvals.get(call)

    def checkpoint(self, decision: Address) -> list[Entry]:
        """All that was recorded about the checkpoint before the strands of a decision, in the order
        in which it came."""
        return self._pasts.get(decision, [])

    def spoken(self, address: Address) -> Entry | None:
        """What a person is on record to have said at an address."""
        closings = self._closings.get(address, {})
        said = [entry for entry in closings.values() if entry.kind == Spoken.kind]
        return max(said, key=lambda entry: entry.attempt, default=None)

    def rulings(self, call: Address) -> int:
        """How often a tool call was ruled on."""
        return self._rulings[call]

    def join(self, turn: int) -> list[Entry]:
        """What came from outside by the end of a turn, where that is not taken in live."""
        return []

    def left_off(self, turn: int) -> bool:
        """Whether a turn is on record as begun anew, and as closed before the run's ending."""
        return False

    def closed(self, turn: int, strand: str) -> None:
        """Say that a strand has ended."""

    def cut_short(self, turn: int) -> Termination | None:
        """The recorded ending at a turn that neither the board nor the workflow decides: a stop, or
        a deadline."""
        return None

    def missing(self, address: Address, what: str) -> None:
        """Say that the record does not hold what is needed next. A live tape lets it be asked."""

    def _take(self, entry: Entry) -> None:
        address, place = entry.address, entry.address.place
        if not address.strand:
            if entry.kind in TOLD:
                self._told[address] = entry
                self._turns.add(address.turn)
            elif len(place) > 1 and not place[0]:
                self._past(address._replace(place=place[:1]), entry)
            return
        self._turns.add(address.turn)
        payload = entry.payload if entry.cls in READ else None
        if len(place) == 2 and place[1] == 0 and entry.kind == Request.kind:
            self._requests.setdefault(address, {})[entry.attempt] = entry
        elif len(place) == 2 and place[1] == 1:
            self._closings.setdefault(address, {})[entry.attempt] = entry
        elif entry.kind == Admission.kind:
            of = address._replace(place=place[:3])
            self._admissions.setdefault(of, []).append(entry)
        elif isinstance(payload, ToolCall):
            self._calls[address] = payload
        elif len(place) > 2 and place[1] > 1:
            self._past(address._replace(place=place[:2]), entry)

    def _past(self, subject: Address, entry: Entry) -> None:
        """Take in what was ruled on a call or a checkpoint, that it waits, and what came of it."""
        payload = entry.payload if entry.cls in READ else None
        self._pasts.setdefault(subject, []).append(entry)
        if isinstance(payload, Approval):
            self._approvals[subject] = payload
            self._rulings[subject] += 1
        elif isinstance(payload, Fault) and payload.code == "withdrawn":
            self._approvals.pop(subject, None)


class WholeTape(Tape):
    """A tape that holds everything, for replay: nothing is asked for, and nothing else is posted.

    Every entry is taken once. Where the record breaks off, by a stop, a deadline or the end of the
    process, a strand that has nothing left on record is cut off there; anywhere else, what is not
    on record and what never comes are Divergences.
    """

    live = False

    def __init__(self, entries: Iterable[Entry]) -> None:
        kept = list(entries)
        self._began = began = beginnings(kept)
        super().__init__(entry for entry in kept if entry.seq >= began.get(entry.address.turn, 0))
        self.aside: Counter[Address] = Counter()
        """How many attempts at each address were used up before its turn was begun anew."""
        self._left: dict[int, dict[str, Left]] = {}
        self._outside: dict[int, list[Entry]] = {}
        self._epilogue: list[Entry] = []
        self._ending: Entry | None = None
        said = False
        for entry in kept:
            if said:
                self._epilogue.append(entry)
                continue
            turn, strand, _ = entry.address
            before = entry.seq < began.get(turn, 0)
            if before or is_from_outside(entry):
                self._outside.setdefault(turn, []).append(entry)
                self.aside[entry.address] += before
                continue
            left = self._left.setdefault(turn, {}).setdefault(strand, {})
            left[entry.address, entry.attempt] = entry
            if not strand:
                self._ending = entry if entry.kind == Termination.kind else self._ending
                said = entry.kind == Synthesis.kind
        self._over = self._over_in()
        self._cut = self._cut_turn(said)
        at_work = {entry.lease for entry in kept if entry.cls in (RunStarted, Resumed)}
        self.concluded = said and self._ending is not None and self._ending.lease not in at_work
        """Whether the run was ended by who did not know its workflow, and made the answer too."""

    def take(self, address: Address, attempt: int) -> Entry | None:
        """The entry recorded at an address, once."""
        return self._of(address.turn, address.strand).pop((address, attempt), None)

    def past(self, address: Address, call: ToolCall) -> list[Entry]:
        """All that was recorded about a tool call, which is the recorded one: it was posted."""
        return self._pasts.get(address, [])

    def join(self, turn: int) -> list[Entry]:
        """What came from outside by the end of a turn. Raises Divergence where something that is on
        record of it never came."""
        for strand in self._left.get(turn, {}):
            if turn != self._over:
                self.closed(turn, strand)
        return self._outside.pop(turn, [])

    def left_off(self, turn: int) -> bool:
        """Whether a turn is on record as begun anew, and as closed before the run's ending."""
        return turn in self._began and turn != self._over

    def end(self) -> list[Entry]:
        """What came from outside and was not given yet, once the run is over. Raises Divergence
        where something that is on record never came."""
        for turn, strands in self._left.items():
            for strand in strands:
                self.closed(turn, strand)
        return [*chain.from_iterable(self._outside.values()), *self._epilogue]

    def closed(self, turn: int, strand: str) -> None:
        """Say that a strand has ended. Raises Divergence where it has something left on record."""
        left = self._of(turn, strand)
        if left:
            raise never_came(min(left.values(), key=lambda entry: entry.seq))

    def cut_short(self, turn: int) -> Termination | None:
        """The recorded ending at a turn, where a stop or a deadline is its reason."""
        ending = None if self._ending is None else self._ending.payload
        if not isinstance(ending, Termination) or self._ending is None:
            return None
        if self._ending.address.turn != turn:
            return None
        late = ending.reason == "time_exhausted" and ending.guard.startswith("budget(")
        return ending if late or ending.reason == "cancelled" else None

    def missing(self, address: Address, what: str) -> None:
        """Raise BreaksOff where the record was cut off, and Divergence anywhere else."""
        self.differ(address, None, None, f"the record holds no {what} at {address}")

    def differ(
        self, address: Address, recorded: Entry | None, now: Entry | None, message: str
    ) -> NoReturn:
        """Raise what it means that the entry at an address is another: a Divergence, unless the
        record was cut off before. What should have come before it in its strand goes first."""
        left = self._of(address.turn, address.strand)
        if recorded is None and not left and self._cut is not None and address.turn >= self._cut:
            raise BreaksOff(f"the record breaks off before {address}")
        skipped = [e for e in left.values() if stage(e.address) < stage(address)]
        if skipped:
            raise never_came(min(skipped, key=lambda entry: entry.seq))
        raise Divergence(message, str(address), recorded, now)

    def _cut_turn(self, said: bool) -> int | None:
        """The turn in which the run was cut off; None where it came to its own end."""
        if self._ending is not None and self.cut_short(self._ending.address.turn):
            return self._ending.address.turn - 1
        if self._over is not None and self._passes(self._over):
            return self._over
        return None if said else max([0, *self._left, *self._outside])

    def _over_in(self) -> int | None:
        """The turn in which the run begins to end: that in which its answer is written, where it
        is, else that of its Termination."""
        if self._ending is None:
            return None
        last = self._ending.address.turn
        entry = self._told.get(Address(last - 1, "", (0,)))
        decided = None if entry is None or entry.erased else entry.payload
        writes = isinstance(decided, Decision) and decided.ending is not None
        return last - 1 if writes else last

    def _passes(self, turn: int) -> bool:
        """Whether the last that is on record of a call in a turn is that it was cut off."""
        last = [max(tries.items()) for at, tries in self._closings.items() if at.turn == turn]
        return any(Asked(0, None, closing).passed for _, closing in last)

    def _of(self, turn: int, strand: str) -> "Left":
        return self._left.get(turn, {}).get(strand, {})


Left = dict[tuple[Address, int], Entry]
"""What has not come yet of a strand, by address and attempt."""


def known(entry: Entry) -> Payload:
    """What an entry says. Raises ContentErased."""
    if entry.erased:
        raise ContentErased(entry)
    return entry.payload


def beginnings(entries: Iterable[Entry]) -> dict[int, int]:
    """The turns that were begun anew, with the sequence numbers from which they count."""
    resumed = [entry for entry in entries if entry.cls is Resumed]
    anew = [e for e in resumed if isinstance(e.payload, Resumed) and e.payload.anew]
    return {entry.address.turn: entry.seq for entry in anew}


def stage(address: Address) -> tuple[int, int]:
    """How far a strand has come: its step, and whether that asks, is answered, or acts. What the
    coordinator was told comes before its decision, and what hangs below that comes after it."""
    if not address.strand:
        first = address.place[0]
        return -1 if first == SHORT else first, len(address.place)
    return address.place[0], min(2, *address.place[1:2], 2)


def is_from_outside(entry: Entry) -> bool:
    """Whether an entry was said to the run and not made by it."""
    return not entry.address.strand and entry.address.place[0] in OUTSIDE


def never_came(entry: Entry) -> Divergence:
    return Divergence(
        f"the record holds {entry.kind} by {entry.author} at {entry.address}, which now does not"
        " come",
        str(entry.address),
        entry,
        None,
    )
