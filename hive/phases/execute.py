"""Phase four (floor 5): judge every call, write it down, then make them side by side."""

from collections.abc import Sequence
from functools import partial
from typing import Literal

import anyio
import anyio.lowlevel

from hive.board.records import Fault, ToolCall
from hive.errors import ToolError
from hive.phases.calls import Begun, Done, told
from hive.phases.judge import heeded, judge, proposed
from hive.phases.observe import observed
from hive.phases.select import UseTool
from hive.phases.served import put_back
from hive.phases.strand import Strand
from hive.phases.waiting import APPROVALS, Party
from hive.tools.call import Call, ToolOutput, reported

__all__ = ["execute"]


async def execute(
    strand: Strand, actions: list[tuple[int, UseTool]], because: tuple[str, ...], step: int
) -> list[Done]:
    """Make the tool calls of one reply; results come in the order of the reply.

    Every call is on record, durably, before the first of them is made. A call that waits for a
    person leaves a Suspension on the board and a Done without an entry.
    """
    begun = [begin(strand, (step, slot), action, because) for slot, action in actions]
    if strand.desk.tape:
        put_back(strand, begun)
    judged = [await judge(strand, call, begun) for call in begun]
    allowed = [call for call, done in zip(begun, judged, strict=True) if done is None]
    if allowed:
        await recorded(strand, allowed)
    finished: list[Done | None] = [j if isinstance(j, Done) else None for j in judged]
    open_calls = [i for i, done in enumerate(finished) if done is None or done.words]
    party = Party(strand.desk.room, len(open_calls))

    async def one(index: int) -> None:
        done = finished[index]
        if done is not None:
            done = await waited(strand, begun[index], done, party)
        finished[index] = done or await carry_out(strand, begun[index])
        party.end()

    if len(open_calls) == 1:
        await one(open_calls[0])
    elif open_calls:
        async with anyio.create_task_group() as group:
            for index in open_calls:
                group.start_soon(one, index)
    return [done for done in finished if done is not None]


def begin(
    strand: Strand, place: tuple[int, ...], action: UseTool, because: tuple[str, ...]
) -> Begun:
    """Write a call down before it is made."""
    tool, use = action.tool, action.use
    writer, address = strand.desk.writer, strand.address(*place)
    anew = writer.aside[address]  # then it may be another call that stands at this address
    payload = ToolCall(
        id=use.id,
        tool=tool.name,
        arguments=use.arguments,
        effect=tool.effect,
        repeat=tool.repeat,
        key=f"{writer.run}/{address}{f'~{anew}' if anew else ''}",
    )
    return Begun(action, strand.post(place, payload, causes=because), payload)


async def waited(strand: Strand, call: Begun, done: Done, party: Party) -> Done | None:
    """Let a call wait for a person's word as long as anybody works; None lets it be made."""
    room, asking = strand.desk.room, None
    if room.person is not None and done.words == APPROVALS:
        asking = partial(room.person.decide, proposed(strand, call))
    word = await room.wait(str(call.entry.address), done.words, party, asking)
    if word is None:
        return done
    ended = heeded(strand, call, word)
    if ended is None:
        await recorded(strand, (call,))
    return ended


async def recorded(strand: Strand, calls: Sequence[Begun]) -> None:
    """Wait until it is on record that calls are to be made; they are withdrawn if that is
    cancelled."""
    for call in calls:
        if strand.desk.parent is not None:
            strand.desk.parent.asks(call.payload.effect)
    try:
        await strand.desk.durable()
    except anyio.get_cancelled_exc_class():
        for call in calls:
            cut_off(strand, call, "withdrawn")
        raise


async def carry_out(strand: Strand, call: Begun) -> Done:
    """Make one call. A cancelled one is closed on the board before cancellation goes on."""
    desk = strand.desk
    clock = desk.writer.clock
    address = str(call.entry.address)
    workspace = desk.logged(address)
    started = clock.elapsed()
    how: Literal["withdrawn", "cancelled"] = "withdrawn"
    try:
        await anyio.lowlevel.checkpoint_if_cancelled()
        how = "cancelled"
        output = await call.action.tool.execute(
            call.payload.arguments,
            Call(
                key=call.payload.key,
                run=desk.writer.run,
                address=address,
                role=strand.role.name,
                workspace=workspace,
                latest=desk.latest,
            ),
        )
    except ToolError as error:
        output = ToolOutput(text=str(error), error=True)
    except anyio.get_cancelled_exc_class():
        desk.cancel(workspace)
        cut_off(strand, call, how)
        raise
    if workspace is not None:
        output = reported(output, workspace.changes)
    entry, _ = observed(strand, call.entry, output, clock.elapsed() - started)
    desk.settle(workspace)
    return told(strand, call, entry)


def cut_off(strand: Strand, call: Begun, how: Literal["withdrawn", "cancelled"]) -> None:
    """Close a call that cancellation reached: while it was made, or before, so that nothing of it
    can have happened."""
    when = "before it was made" if how == "withdrawn" else "while it was made"
    closing = Fault(code=how, message=f"{call.payload.tool} was cancelled {when}")
    place, because = (*call.entry.address.place, 1), (str(call.entry.address),)
    strand.post(place, closing, causes=because, origin="coordinator")
