"""A turn that is begun anew, because another workflow takes over in its middle (floor 5).

What it had done stays on the record, for its cost; what was open in it is closed. The same
addresses are then posted to once more, as further attempts.
"""

from collections.abc import Iterable, Sequence

from hive.board.entry import Entry
from hive.board.records import Fault, Paused, Request, Resumed, ToolCall
from hive.board.state import begun_anew
from hive.board.tape import Tape
from hive.phases.strand import Desk
from hive.phases.unclosed import Unclosed, unclosed

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
    entries = tuple(entries)
    use_up(desk, entries)
    for entry in entries:
        desk.books.put_aside(entry)


def use_up(desk: Desk, entries: Iterable[Entry]) -> None:
    """Count the attempts of some entries as used up."""
    for entry in entries:
        if not isinstance(entry.payload, Paused | Resumed):
            desk.writer.aside[entry.address] += 1


def begin_anew(desk: Desk) -> None:
    """Close what is open in the open turn, at its worst case, and put the turn aside; it is on the
    books already."""
    board = desk.writer.board
    turn = [entry for entry in board.entries if entry.address.turn > board.state.turn]
    closed = [close(desk, call) for call in tuple(unclosed(turn))]
    began = begun_anew(turn)
    use_up(desk, [*(entry for entry in turn if entry.seq >= began), *closed])


def close(desk: Desk, call: Unclosed) -> Entry:
    """Say that nobody waits any more for what was begun."""
    entry, worst = call.entry, call.worst
    message = "the process ended before the answer, and the turn was begun anew"
    if isinstance(entry.payload, Request):
        desk.books.give_up(entry, worst)
    return desk.writer.post(
        call.end,
        entry.author,
        Fault(code="interrupted", message=message, cost=worst.cost, tokens=worst.tokens),
        origin="coordinator",
        causes=(str(entry.address),),
        label=entry.label,
        attempt=entry.attempt - desk.writer.aside[entry.address],
    )
