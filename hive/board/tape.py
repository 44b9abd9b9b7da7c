"""The tape (floor 1): recorded replies and results, served by address and digest.

Resume, replay and fork are the ordinary coordinator over a tape; a first run has an empty one.
"""

from collections import Counter
from collections.abc import Iterable

from hive.board.entry import Address, Entry
from hive.board.records import Approval, Fault, Inference, Observation, Request, ToolCall
from hive.errors import Divergence

__all__ = ["Tape"]


class Tape:
    """What was recorded of model replies and tool results.

    `live` says whether what the tape does not hold may be asked for; if not, that is a Divergence.
    """

    def __init__(self, entries: Iterable[Entry] = (), *, live: bool = True) -> None:
        self.live = live
        self._replies: dict[Address, Entry] = {}
        self._requests: dict[Address, list[Request]] = {}
        self._approvals: dict[Address, Approval] = {}
        self._rulings: Counter[Address] = Counter()
        self._calls: dict[Address, ToolCall] = {}
        self._results: dict[Address, list[Entry]] = {}
        for entry in entries:
            self._take(entry)

    def __bool__(self) -> bool:
        return bool(self._requests) or not self.live

    def reply(self, address: Address, digest: str) -> Entry | None:
        """The recorded answer to the request with a digest, or the fault it ended in."""
        entry = self._replies.get(address)
        if entry is not None:
            payload = entry.payload
            if isinstance(payload, Inference | Fault) and payload.digest == digest:
                return entry
        self._missing(address, "reply of a model to this request")
        return None

    def results(self, address: Address, call: ToolCall) -> list[Entry] | None:
        """The recorded observation of a call, and what the tool posted, in address order."""
        recorded = self._calls.get(address)
        entries = self._results.get(address)
        same = (
            recorded is not None
            and recorded.tool == call.tool
            and recorded.arguments == call.arguments
        )
        if same and entries and any(isinstance(e.payload, Observation) for e in entries):
            return sorted(entries, key=lambda entry: entry.address.place)
        self._missing(address, f"result of {call.tool}")
        return None

    def requests(self, address: Address, digest: str) -> list[Request]:
        """The recorded requests at an address that ask the same, attempt by attempt: their grants
        are read from there."""
        return [request for request in self._requests.get(address, ()) if request.digest == digest]

    def approval(self, call: Address) -> Approval | None:
        """What was ruled last on a tool call; one that was allowed, and not withdrawn before it was
        made, has begun."""
        return self._approvals.get(call)

    def rulings(self, call: Address) -> int:
        """How often a tool call was ruled on."""
        return self._rulings[call]

    def _missing(self, address: Address, what: str) -> None:
        if not self.live:
            raise Divergence(f"the record holds no {what} at {address}", str(address))

    def _take(self, entry: Entry) -> None:
        address, payload = entry.address, entry.payload
        if len(address.place) == 2 and address.place[1] == 1:
            if isinstance(payload, Inference) or (isinstance(payload, Fault) and payload.final):
                self._replies[address] = entry
        elif isinstance(payload, Request):
            self._requests.setdefault(address, []).append(payload)
        elif isinstance(payload, Approval):
            call = address._replace(place=address.place[:2])
            self._approvals[call] = payload
            self._rulings[call] += 1
        elif isinstance(payload, Fault) and payload.code == "withdrawn":
            self._approvals.pop(address._replace(place=address.place[:2]), None)
        elif isinstance(payload, ToolCall):
            self._calls[address] = payload
        elif len(address.place) > 2 and (
            isinstance(payload, Observation) or entry.origin.startswith("tool:")
        ):
            call = address._replace(place=address.place[:2])
            self._results.setdefault(call, []).append(entry)
