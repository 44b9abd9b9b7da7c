"""A tool call that is on the tape (floor 5): put on the board again as it went, not made again."""

from collections.abc import Sequence

from hive.board.records import Fault, Suspension
from hive.phases.calls import Begun, Done, told
from hive.phases.observe import said
from hive.phases.strand import Strand

__all__ = ["put_back", "served"]


def put_back(strand: Strand, calls: Sequence[Begun]) -> None:
    """Put all that is on record about some calls on the board again: how they were ruled on, that
    they waited or were cut off, and what came of them."""
    tape, writer = strand.desk.tape, strand.desk.writer
    for call in calls:
        for entry in tape.past(call.entry.address, call.payload):
            writer.again(entry)


def served(strand: Strand, call: Begun) -> Done | None:
    """A call with its recorded end; None when it has none and may be made.

    Where nothing may be made, one that waits on record waits again. Raises what `Tape.missing`
    raises for one that has neither.
    """
    tape, address = strand.desk.tape, call.entry.address
    observation = tape.result(address, call.payload)
    if observation is not None:
        return told(strand, call, observation)
    if tape.live:
        return None
    past = [e.payload for e in tape.past(address, call.payload) if not isinstance(e.payload, Fault)]
    if not past or not isinstance(past[-1], Suspension):
        tape.missing(address, f"result of {call.payload.tool}")
    return Done(address.place[1], said(strand, call.action.use, "waits"), None)
