"""A tool call that is on record (floor 5): put on the board again as it went, not made again."""

from collections.abc import Sequence

from hive.board.entry import Entry
from hive.board.records import Fault, Observation, Suspension
from hive.phases.calls import Begun, Done, told
from hive.phases.observe import said
from hive.phases.strand import Desk, Strand
from hive.tools.snapshot import apply

__all__ = ["put_back", "served", "taken_over"]


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


def taken_over(strand: Strand, call: Begun) -> Done | None:
    """A call of a fork with the end that it had in the run it was forked from, whose changes are
    made in the fork's workspace; None when the fork must make the call itself."""
    desk, address = strand.desk, call.entry.address
    if desk.parent is None:
        return None
    entries = desk.parent.result(address, call.payload)
    if not entries or not alike(desk, str(address), entries):
        desk.parent.asks()
        return None
    ruling = desk.parent.ruling(address)
    posted = [anew(desk, entry) for entry in ((ruling, *entries) if ruling else entries)]
    return told(strand, call, next(e for e in posted if isinstance(e.payload, Observation)))


def alike(desk: Desk, call: str, entries: Sequence[Entry]) -> bool:
    """Make the changes that a served result brings; False when the workspace is not as it was."""
    assert desk.parent is not None
    changes = [
        change
        for entry in entries
        if isinstance(entry.payload, Observation)
        for change in entry.payload.changes
    ]
    workspace = desk.logged(call)
    if not changes or workspace is None:
        return not changes
    if not apply(changes, workspace, desk.parent.contents):
        return False
    desk.settle(workspace)
    return True


def anew(desk: Desk, entry: Entry) -> Entry:
    """Post what another run recorded as this one's own first attempt."""
    payload = entry.payload
    if isinstance(payload, Observation):
        digest = payload.workspace
        if digest is not None and desk.workspace is not None:
            digest = desk.workspace.digest()
        payload = payload.model_copy(update={"served": True, "workspace": digest})
    return desk.writer.post(
        entry.address, entry.author, payload, entry.origin, entry.causes, entry.label
    )
