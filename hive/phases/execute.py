"""Phase four (floor 5): judge every call, write it down, then make them side by side."""

from typing import Literal, NamedTuple

import anyio
import anyio.lowlevel

from hive.board.entry import Address, Entry
from hive.board.records import Approval, Fault, Observation, Suspension, ToolCall
from hive.errors import ToolError
from hive.message import Text, ToolResult
from hive.phases.observe import observed, said
from hive.phases.select import UseTool
from hive.phases.strand import Strand
from hive.tools.approval import ProposedCall
from hive.tools.call import Call, ToolOutput

__all__ = ["Done", "execute"]


class Begun(NamedTuple):
    """A call on record, with its approval still to come or given."""

    action: UseTool
    entry: Entry
    payload: ToolCall


class Done(NamedTuple):
    """A call with its result; `entry` is None while it waits for something outside the run."""

    slot: int
    result: ToolResult | Text
    entry: Entry | None


async def execute(
    strand: Strand, actions: list[tuple[int, UseTool]], because: tuple[str, ...], step: int
) -> list[Done]:
    """Make the tool calls of one reply; results come in the order of the reply.

    Every call is on record, durably, before the first of them is made. A call that waits for a
    person leaves a Suspension on the board and a Done without an entry.
    """
    begun = [begin(strand, (step, slot), action, because) for slot, action in actions]
    judged = [await judge(strand, call) for call in begun]
    if any(not isinstance(judgement, Done) for judgement in judged):
        try:
            await strand.desk.writer.durable()
        except anyio.get_cancelled_exc_class():
            for call, judgement in zip(begun, judged, strict=True):
                if judgement is None:
                    cut_off(strand, call, "withdrawn")
            raise
    finished: list[Done | None] = [j if isinstance(j, Done) else None for j in judged]
    open_calls = [index for index, done in enumerate(finished) if done is None]

    async def one(index: int) -> None:
        finished[index] = await carry_out(strand, begun[index])

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
    payload = ToolCall(
        id=use.id,
        tool=tool.name,
        arguments=use.arguments,
        effect=tool.effect,
        repeat=tool.repeat,
        key=f"{strand.desk.writer.run}/{strand.address(*place)}",
    )
    return Begun(action, strand.post(place, payload, causes=because), payload)


async def judge(strand: Strand, call: Begun) -> Done | None:
    """Ask the approver and record what it says; None lets the call be made."""
    address = call.entry.address
    tape, tool = strand.desk.tape, call.action.tool
    ruled = None
    if tape:
        served = tape.results(address, call.payload)
        if served is not None:
            ruled_again(strand, address)
            return replay(strand, call, served)
        ruled = tape.approval(address)
    if ruled is not None and ruled.decision == "allow":
        return in_doubt(strand, call) if tool.repeat == "never" else None
    judgement = await strand.desk.approver.judge(
        ProposedCall(
            tool=tool.name,
            effect=tool.effect,
            arguments=call.payload.arguments,
            role=strand.role.name,
            label=strand.label,
            key=call.payload.key,
        )
    )
    if ruled is None or ruled.decision != judgement.decision:
        strand.post(
            (*address.place, 0),
            Approval(decision=judgement.decision, by=judgement.by, reason=judgement.reason),
            causes=(str(address),),
            origin="coordinator",
            attempt=tape.rulings(address),
        )
    if judgement.decision == "allow":
        return None
    if judgement.decision == "ask":
        return wait(strand, call, "approval", judgement.reason or tool.name)
    reason = judgement.reason or "not allowed"
    output = ToolOutput(text=f"{tool.name} was denied by {judgement.by}: {reason}", error=True)
    return told(strand, call, observed(strand, call.entry, output, 0)[0])


def wait(
    strand: Strand, call: Begun, waits_for: Literal["approval", "in_doubt"], text: str
) -> Done:
    """Leave a call open: the strand waits for something outside the run."""
    address = call.entry.address
    waiting = Suspension(waits_for=waits_for, subject=str(address), text=text)
    strand.post((*address.place, 0, 0), waiting, causes=(str(address),), origin="coordinator")
    return Done(address.place[1], said(strand, call.action.use, f"waits for {waits_for}"), None)


def in_doubt(strand: Strand, call: Begun) -> Done:
    """A call that was begun before a crash and must not be made twice waits for a person."""
    text = f"{call.payload.tool} was begun and nobody knows whether it took effect"
    return wait(strand, call, "in_doubt", text)


async def carry_out(strand: Strand, call: Begun) -> Done:
    """Make one call. A cancelled one is closed on the board before cancellation goes on."""
    desk = strand.desk
    clock = desk.writer.clock
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
                address=str(call.entry.address),
                role=strand.role.name,
                workspace=desk.workspace,
                latest=desk.latest,
            ),
        )
    except ToolError as error:
        output = ToolOutput(text=str(error), error=True)
    except anyio.get_cancelled_exc_class():
        cut_off(strand, call, how)
        raise
    entry, _ = observed(strand, call.entry, output, clock.elapsed() - started)
    return told(strand, call, entry)


def cut_off(strand: Strand, call: Begun, how: Literal["withdrawn", "cancelled"]) -> None:
    """Close a call that cancellation reached: while it was made, or before, so that nothing of it
    can have happened."""
    when = "before it was made" if how == "withdrawn" else "while it was made"
    closing = Fault(code=how, message=f"{call.payload.tool} was cancelled {when}")
    place, because = (*call.entry.address.place, 1), (str(call.entry.address),)
    strand.post(place, closing, causes=because, origin="coordinator")


def told(strand: Strand, call: Begun, entry: Entry) -> Done:
    observation = entry.payload
    assert isinstance(observation, Observation)
    result = said(
        strand,
        call.action.use,
        observation.text,
        error=observation.error,
        source=str(entry.address),
    )
    return Done(call.entry.address.place[1], result, entry)


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
