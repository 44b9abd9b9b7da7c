"""What holds on every board, whatever the run did."""

from collections import Counter
from collections.abc import Sequence

from hive.board.entry import Address, Entry
from hive.board.records import Fault, Inference, Observation, Request, ToolCall


def sound(entries: Sequence[Entry], *, ended: bool = True) -> None:
    """Assert that addresses are identities, causes came before, and nothing is left open."""
    twice = [
        where for where, n in Counter((e.address, e.attempt) for e in entries).items() if n > 1
    ]
    assert twice == [], f"two entries at {twice[0][0]}"
    known: set[str] = set()
    for seq, entry in enumerate(entries):
        assert entry.seq == seq
        unknown = [cause for cause in entry.causes if cause not in known]
        assert unknown == [], f"{entry} is caused by what was not there: {unknown}"
        known.add(str(entry.address))
    if ended:
        assert entries[0].kind == "RunStarted"
        assert [entry.kind for entry in entries[-2:]] == ["Termination", "Synthesis"]
        left_open = [entry for entry in entries if not closed(entry, entries)]
        assert left_open == [], f"{left_open[0]} was never closed"


def closed(entry: Entry, entries: Sequence[Entry]) -> bool:
    """Whether a call has its answer, or the fault it ended in, at the next place."""
    turn, strand, place = entry.address
    if isinstance(entry.payload, Request):
        where, answer = Address(turn, strand, (place[0], 1)), Inference.kind
    elif isinstance(entry.payload, ToolCall):
        where, answer = Address(turn, strand, (*place, 1)), Observation.kind
    else:
        return True
    return any(e.address == where and e.kind in (answer, Fault.kind) for e in entries)
