"""What a model was asked (floor 7), put together again from the entries and contents of a record.

Two lines are not on record, and missing where they stood: how many entries a full view had left
out, and the moves that an advisor was told of.
"""

import orjson

from hive.audit.record import Record
from hive.board.contributions import Attachment
from hive.board.entry import Address, Entry
from hive.board.records import Decision, Fault, Inference, Observation, Request
from hive.board.view import show
from hive.errors import JournalError
from hive.message import Message, OutputForm, Settings, Text, ToolForm, ToolResult, ToolUse
from hive.message import Request as Asked
from hive.phases.assemble import work_on

__all__ = ["prompt"]

FIRST_SLOT = 2
"""Slots 0 and 1 of a step are its request and its answer; what the answer asks for follows."""


def prompt(record: Record, entry: Entry) -> Asked:
    """The request that an entry of kind Request stands for. Raises JournalError for any other."""
    asked = entry.payload
    if not isinstance(asked, Request):
        raise JournalError(f"{entry.address} is of kind {entry.kind}, not a Request")
    steps = [step for step in requests_until(record, entry) if not step.erased]
    messages = [opening(record, steps[0])]
    for step in steps[1:]:
        messages += exchange(record, step)
    tools = orjson.loads(record.content(asked.tools) or b"[]")
    output = orjson.loads(record.content(asked.output) or b"null")
    return Asked(
        model=asked.model,
        system=(record.content(asked.system) or b"(erased)").decode(),
        messages=tuple(messages),
        tools=tuple(ToolForm(*form) for form in tools),
        output=None if output is None else OutputForm(*output),
        max_output=asked.max_output,
        settings=asked.settings or Settings(),
        sample=asked.sample,
        digest=asked.digest,
    )


def requests_until(record: Record, entry: Entry) -> list[Entry]:
    """The requests of one strand up to an entry, the last attempt of each step."""
    turn, strand, place = entry.address
    steps = [record.board.at(Address(turn, strand, (step, 0))) for step in range(place[0])]
    return [*(step for step in steps if step is not None), entry]


def opening(record: Record, first: Entry) -> Message:
    """The first message of a strand: the entries shown, then whose turn it is."""
    *shown, decision = [record.board.at(cause) for cause in first.causes]
    parts = [part for entry in shown if entry is not None for part in show(entry).parts]
    lines = [f"It is your turn, {first.author}."]
    if decision is not None and isinstance(decision.payload, Decision):
        for plan in decision.payload.strands:
            cause = record.board.at(plan.cause) if plan.cause else None
            if plan.strand == first.address.strand and cause is not None:
                lines.append(work_on(cause))
    return Message("user", (*parts, Text(text="\n".join(lines))))


def exchange(record: Record, step: Entry) -> list[Message]:
    """What the step before answered, and what it was told of that."""
    causes = [record.board.at(cause) for cause in step.causes]
    answer = causes[0] if causes else None
    if answer is not None and answer.erased:
        return [Message("assistant", (Text(text=record.redaction(answer)),))]
    if answer is None or not isinstance(answer.payload, Inference):
        return []
    outcomes = {entry.address.place[1]: entry for entry in causes[1:] if entry is not None}
    uses = [part for part in answer.payload.parts if isinstance(part, ToolUse)]
    messages = [Message("assistant", answer.payload.parts)]
    if uses:
        results = [told(record, use, outcomes.get(FIRST_SLOT + i)) for i, use in enumerate(uses)]
        return [*messages, Message("tool", tuple(results))]
    texts = [
        Text(text=said(record, entry))
        for entry in outcomes.values()
        if entry.kind != Attachment.kind  # it was in the answer, and nothing was said of it
    ]
    return [*messages, Message("user", tuple(texts))] if texts else messages


def told(record: Record, use: ToolUse, outcome: Entry | None) -> ToolResult:
    """What a tool use gave back."""
    if outcome is None:
        return ToolResult(id=use.id, name=use.name, text="noted")
    payload, text = outcome.payload, said(record, outcome)
    if isinstance(payload, Observation):
        source = str(outcome.address)
        return ToolResult(
            id=use.id, name=use.name, text=text, media=payload.media, error=payload.error,
            source=source,
        )  # fmt: skip
    return ToolResult(id=use.id, name=use.name, text=text, error=isinstance(payload, Fault))


def said(record: Record, outcome: Entry) -> str:
    payload = outcome.payload
    if outcome.erased and outcome.level == "control":
        return record.redaction(outcome)
    if isinstance(payload, Observation):
        return payload.text
    if isinstance(payload, Fault):
        return payload.message
    return f"posted as [{outcome.address}]"
