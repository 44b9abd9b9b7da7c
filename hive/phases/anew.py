"""A turn that is begun anew, because another workflow takes over in its middle (floor 5).

What it had done stays on the record, for its cost; what was open in it is closed. The same
addresses are then posted to once more, as further attempts.
"""

from collections.abc import Iterable, Sequence

from hive.board.entry import Address, Entry
from hive.board.records import Fault, Inference, Observation, Paused, Request, Resumed, ToolCall
from hive.board.state import begun_anew
from hive.board.tape import Tape
from hive.control.budget import NOTHING, Grant
from hive.phases.granting import admitted
from hive.phases.strand import Desk

__all__ = ["begin_anew", "calls_made", "put_aside"]


def calls_made(entries: Sequence[Entry]) -> tuple[str, ...]:
    """The calls among a turn's entries that were begun and may not simply be made again, each by
    its address with the tool's name."""
    tape = Tape(entries)
    return tuple(
        f"{entry.payload.tool} ({entry.address})"
        for entry in entries
        if isinstance(entry.payload, ToolCall)
        and entry.payload.repeat != "safe"
        and (ruling := tape.approval(entry.address)) is not None
        and ruling.decision == "allow"
    )


def put_aside(desk: Desk, entries: Iterable[Entry]) -> None:
    """Count what a turn did before it was begun anew as spent, and its attempts as used up."""
    for entry in entries:
        payload = entry.payload
        if isinstance(payload, Paused | Resumed):
            continue
        desk.writer.aside[entry.address] += 1
        if isinstance(payload, Request):
            desk.scope.book(0, 0, 1)
        elif isinstance(payload, Inference | Fault):
            desk.scope.book(payload.cost, payload.tokens, 0)


def begin_anew(desk: Desk) -> None:
    """Close what is open in the open turn, at its worst case, and put the turn aside."""
    board = desk.writer.board
    turn = [entry for entry in board.entries if entry.address.turn > board.state.turn]
    began = begun_anew(turn)
    turn = [entry for entry in turn if entry.seq >= began]
    tape, ended = Tape(turn), set[tuple[str, int | None]]()
    for entry in turn:
        if isinstance(entry.payload, Inference | Observation | Fault):
            ended |= {(cause, n) for cause in entry.causes for n in (entry.attempt, None)}
    for entry in tuple(turn):
        where, payload = entry.address, entry.payload
        if isinstance(payload, Request) and (str(where), entry.attempt) not in ended:
            place = where._replace(place=(where.place[0], 1))
            more = admitted(tape.admitted(where, entry.attempt - desk.writer.aside[where]))
            granted = Grant(payload.grant + more.cost, payload.grant_tokens + more.tokens)
            turn.append(close(desk, entry, place, granted))
        elif isinstance(payload, ToolCall) and (str(where), None) not in ended:
            turn.append(close(desk, entry, where._replace(place=(*where.place, 1)), NOTHING))
    put_aside(desk, turn)


def close(desk: Desk, entry: Entry, place: Address, grant: Grant) -> Entry:
    """Say that nobody waits any more for what was begun."""
    message = "the process ended before the answer, and the turn was begun anew"
    fault = Fault(code="interrupted", message=message, cost=grant.cost, tokens=grant.tokens)
    return desk.writer.post(
        place,
        entry.author,
        fault,
        origin="coordinator",
        causes=(str(entry.address),),
        label=entry.label,
        attempt=entry.attempt - desk.writer.aside[entry.address],
    )
