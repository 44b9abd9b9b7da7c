"""What a turn has begun and not closed (floor 5): calls whose process ended before their answer."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from hive.board.entry import Address, Entry
from hive.board.records import Fault, Inference, Observation, Paused, Request, Resumed, ToolCall
from hive.board.state import begun_anew
from hive.board.tape import Tape
from hive.control.budgets.scope import NOTHING, Grant
from hive.phases.granting import admitted

__all__ = ["Unclosed", "unclosed"]


class Unclosed(NamedTuple):
    """A request or a tool call without an end, and where that end would stand."""

    entry: Entry
    end: Address
    worst: Grant
    """What it may have used, with the further attempts that were admitted."""
    begun: bool
    """Whether it may have been made: a tool call that nobody allowed was not."""


def unclosed(turn: Sequence[Entry]) -> Iterator[Unclosed]:
    """The open calls of a turn since it was begun, the last time where that was more than once."""
    first = begun_anew(turn)
    aside = Counter(
        entry.address
        for entry in turn
        if entry.seq < first and not isinstance(entry.payload, Paused | Resumed)
    )
    turn = [entry for entry in turn if entry.seq >= first]
    tape, ended = Tape(turn), set[tuple[str, int | None]]()
    for entry in turn:
        if isinstance(entry.payload, Inference | Observation | Fault):
            ended |= {(cause, n) for cause in entry.causes for n in (entry.attempt, None)}
    for entry in turn:
        where, payload = entry.address, entry.payload
        if isinstance(payload, Request) and (str(where), entry.attempt) not in ended:
            more = admitted(tape.admitted(where, entry.attempt - aside[where]))
            worst = Grant(payload.grant + more.cost, payload.grant_tokens + more.tokens)
            yield Unclosed(entry, where._replace(place=(where.place[0], 1)), worst, True)
        elif isinstance(payload, ToolCall) and (str(where), None) not in ended:
            ruling = tape.approval(where)
            begun = ruling is not None and ruling.decision == "allow"
            yield Unclosed(entry, where._replace(place=(*where.place, 1)), NOTHING, begun)
