"""A tool call on its way (floor 5): on record, then with its result, told to who made it."""

from typing import NamedTuple

from hive.board.entry import Entry
from hive.board.records import Observation, ToolCall
from hive.message import Text, ToolResult
from hive.phases.observe import said
from hive.phases.select import UseTool
from hive.phases.strand import Strand

__all__ = ["Begun", "Done", "told"]


class Begun(NamedTuple):
    """A call on record, with its approval still to come or given."""

    action: UseTool
    entry: Entry
    payload: ToolCall


class Done(NamedTuple):
    """A call with its result; `entry` is None while it waits for a person, one of whose `words`
    would let it go on."""

    slot: int
    result: ToolResult | Text
    entry: Entry | None
    words: frozenset[str] = frozenset()


def told(strand: Strand, call: Begun, entry: Entry) -> Done:
    """A call with the observation that ends it, as its role is told."""
    observation = entry.payload
    assert isinstance(observation, Observation)
    result = said(
        strand,
        call.action.use,
        observation.text,
        error=observation.error,
        media=observation.media,
        source=str(entry.address),
    )
    return Done(call.entry.address.place[1], result, entry)
