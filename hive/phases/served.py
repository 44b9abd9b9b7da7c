"""A tool call whose result is on the tape (floor 5): put on the board again, not made again."""

from hive.board.entry import Address, Entry
from hive.board.records import Observation
from hive.phases.calls import Begun, Done, told
from hive.phases.strand import Strand

__all__ = ["replay", "ruled_again"]


def ruled_again(strand: Strand, address: Address) -> None:
    """Put the recorded ruling on a call on the board again, without asking anybody."""
    tape = strand.desk.tape
    ruled = tape.approval(address)
    if ruled is not None:
        strand.post(
            (*address.place, 0),
            ruled,
            causes=(str(address),),
            origin="coordinator",
            attempt=tape.rulings(address) - 1,
        )


def replay(strand: Strand, call: Begun, served: list[Entry]) -> Done:
    """Put a recorded result and all that came with it on the board again, without any call."""
    observation = None
    for entry in served:
        again = strand.desk.writer.post(
            entry.address,
            entry.author,
            entry.payload,
            origin=entry.origin,
            causes=entry.causes,
            label=entry.label,
            attempt=entry.attempt,
        )
        if isinstance(entry.payload, Observation):
            observation = again
    assert observation is not None
    return told(strand, call, observation)
