"""What a fork's parent went on to record after the cut (floor 1): served where the fork asks the
same, so that what did not change costs nothing."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from hive.board.contributions import Attachment, UserMessage
from hive.board.entry import Address, Entry
from hive.board.records import (
    Approval,
    Fault,
    Inference,
    Observation,
    Request,
    Spoken,
    Suspension,
    ToolCall,
)
from hive.board.tape import is_from_outside

__all__ = ["Answered", "Parent"]


class Answered(NamedTuple):
    """A request of the parent with what came of it. `asked` is None where it was refused for want
    of budget. `bound` is the same request where its grant stands without being judged again."""

    asked: Request | None
    answer: Inference | Fault
    bound: Request | None


class Parent:
    """The course of a fork's parent after the cut.

    Replies are served by address and digest, results by address, tool and arguments. `parted` says
    that the fork has asked something of its own: its course is another from there on, and what the
    user said to the parent is no longer said to it. `touched` says that a call of its own may have
    changed something: what reads or changes the workspace is then asked again.
    """

    def __init__(
        self,
        entries: Iterable[Entry],
        contents: Callable[[str], bytes | None],
        *,
        same_budget: bool = True,
        fresh: bool = False,
    ) -> None:
        self.fresh = fresh
        """Whether everything is asked anew, but for calls that reach the world outside."""
        self.contents = contents
        """What the parent keeps under a commitment (hex)."""
        self.parted = False
        self.touched = False
        self._same_budget = same_budget
        self._requests: dict[tuple[Address, int], Request] = {}
        self._answers: dict[Address, tuple[int, Inference | Fault]] = {}
        self._calls: dict[Address, ToolCall] = {}
        self._rulings: dict[Address, Entry] = {}
        self._results: dict[Address, dict[Address, Entry]] = {}
        self._messages: dict[int, list[Entry]] = {}
        self._spoken: dict[Address, Spoken] = {}
        self._asked: dict[Address, str] = {}
        """What was asked at checkpoints, by their decisions."""
        for entry in entries:
            self._take(entry)

    def answered(self, address: Address, digest: str) -> Answered | None:
        """What came of the request with a digest whose answer goes to an address.

        Grants and refusals stand as they were under the same budget, and as long as the same was
        asked; after that they are judged again.
        """
        attempt, answer = self._answers.get(address, (0, None))
        if answer is None or answer.digest != digest or self.fresh:
            return None
        binding = self._same_budget and not self.parted
        asked = self._requests.get((address._replace(place=(address.place[0], 0)), attempt))
        if asked is None and not binding:
            return None
        return Answered(asked, answer, asked if binding else None)

    def result(self, address: Address, call: ToolCall) -> list[Entry]:
        """The observation of a call and what the tool posted, in address order; nothing where the
        call is another, or the world may have become another for it."""
        known = self._calls.get(address)
        found = self._results.get(address, {})
        if known is None or (known.tool, known.arguments) != (call.tool, call.arguments):
            return []
        if (self.touched or self.fresh) and call.effect in ("read", "write"):
            return []
        if not any(isinstance(entry.payload, Observation) for entry in found.values()):
            return []
        return [found[place] for place in sorted(found)]

    def ruling(self, call: Address) -> Entry | None:
        """The last ruling on a tool call."""
        return self._rulings.get(call)

    def checkpoint(self, decision: Address, text: str) -> Entry | None:
        """How a person ruled at the checkpoint before the strands of a decision, if they were asked
        the same, and the courses have not parted."""
        if self._asked.get(decision) != text or self.parted or self.fresh:
            return None
        return self._rulings.get(decision._replace(place=(*decision.place, 0)))

    def spoken(self, address: Address, digest: str) -> Spoken | None:
        """What a person said to the parent at an address, if they were asked the same."""
        said = self._spoken.get(address)
        return None if said is None or said.digest != digest or self.fresh else said

    def asks(self, effect: str = "read") -> None:
        """Take in that the fork does something of its own."""
        self.parted = True
        self.touched |= effect != "read"

    def messages(self, turn: int) -> list[Entry]:
        """What the user said to the parent, and handed to it, by the end of a turn, as long as the
        courses have not parted."""
        return [] if self.parted else self._messages.get(turn, [])

    def own(self, entries: Iterable[Entry]) -> None:
        """Take in what the fork has done already: its own entries, where it is resumed."""
        calls: dict[Address, bool] = {}
        for entry in entries:
            payload = entry.payload
            if isinstance(payload, ToolCall):
                calls[entry.address] = False
            elif isinstance(payload, Approval) and entry.address.strand:
                call = entry.address._replace(place=entry.address.place[:2])
                calls[call] = payload.decision == "allow"
            elif isinstance(payload, Inference | Observation | Spoken):
                self.parted |= not payload.served
                if isinstance(payload, Observation) and payload.served:
                    calls.pop(entry.address._replace(place=entry.address.place[:2]), None)
            elif isinstance(payload, Fault):
                asked = bool(payload.digest) and payload.code != "budget_exhausted"
                self.parted |= asked and not payload.served
        self.touched |= any(calls.values())

    def _take(self, entry: Entry) -> None:
        address, payload = entry.address, entry.payload
        place = address.place
        if not address.strand:
            self._take_beside(entry)
        elif isinstance(payload, Request):
            self._requests[address, entry.attempt] = payload
        elif isinstance(payload, ToolCall):
            self._calls[address] = payload
        elif isinstance(payload, Spoken):
            self._spoken[address] = payload
        elif len(place) == 2 and place[1] == 1:
            if isinstance(payload, Inference) or (isinstance(payload, Fault) and payload.final):
                self._answers[address] = (entry.attempt, payload)
        elif isinstance(payload, Approval):
            self._rulings[address._replace(place=place[:2])] = entry
        elif len(place) == 3 and place[2] > 0 and not entry.erased:
            call = address._replace(place=place[:2])
            if call in self._calls and not isinstance(payload, Fault):
                self._results.setdefault(call, {})[address] = entry

    def _take_beside(self, entry: Entry) -> None:
        """Take in what stands in no strand: what was said from outside, and at a checkpoint."""
        address, payload = entry.address, entry.payload
        if isinstance(payload, UserMessage | Attachment) and is_from_outside(entry):
            self._messages.setdefault(address.turn, []).append(entry)
        elif isinstance(payload, Suspension):
            self._asked[address._replace(place=address.place[:1])] = payload.text
        elif isinstance(payload, Approval):
            self._rulings[address] = entry
