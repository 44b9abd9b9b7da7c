"""What the tests of the turn share: roles of every shape, and every reply that a model may give."""

import math
from typing import Any, Literal, get_args

from hypothesis import strategies as st
from pydantic import Field

from hive import Finding, Note, Payload, Role, tool
from hive.board.contributions import Attachment
from hive.message import Reply, StopReason, Text, Thinking, ToolResult, ToolUse, Usage
from tests.board import values as drawn


class Size(Payload):
    """A kind whose one text is no text."""

    text: int


class Colour(Payload):
    """A kind with a closed set of values."""

    name: Literal["red", "blue"]
    shades: tuple[str, ...] = ()


class Short(Payload):
    """Plain text of a certain length."""

    text: str = Field(min_length=2, max_length=8)


@tool(effect="read")
async def look(where: str, times: int = 1) -> str:
    """Look at a place."""
    return where * times


@tool(effect="write")
async def paint(colour: str) -> dict[str, str]:
    """Paint it."""
    return {"painted": colour}


ROLES = (
    Role("plain"),
    Role("sized", writes=(Size,)),
    Role("short", writes=(Short,)),
    Role("typed", writes=(Colour,), corrections=0),
    Role("many", writes=(Colour, Finding), tools=(look,)),
    Role("both", writes=(Colour, Note), tools=(look, paint), corrections=1),
    Role("closing", writes=(Colour, Finding), output=Finding),
    Role("painter", writes=(Attachment,)),
    Role("drawing", writes=(Attachment, Note), tools=(look,)),
)
NAMES = (
    "look", "paint", "post_Colour", "post_Finding", "post_Note", "post_", "post_Goal", "handoff",
    "pass", "",
)  # fmt: skip

deep: Any = 0
for _ in range(400):
    deep = [deep]

odd = st.sampled_from([math.nan, math.inf, 2**53, -(2**70), deep, {"a": [math.nan]}, "\ud800"])
arguments = (
    st.dictionaries(drawn.texts | st.just("\udfff"), drawn.values | odd, max_size=3)
    | st.fixed_dictionaries({"where": drawn.values | odd}, optional={"times": st.integers()})
    | st.fixed_dictionaries({"name": st.sampled_from(["red", "green", 3]), "claim": drawn.texts})
    | st.fixed_dictionaries({"to": drawn.values, "reason": drawn.values})
)
uses = st.builds(
    ToolUse,
    id=drawn.texts,
    name=st.sampled_from(NAMES) | drawn.texts,
    arguments=arguments,
    malformed=st.none() | drawn.texts,
)
answers = (
    drawn.texts
    | drawn.broken_texts
    | st.sampled_from(
        [
            '{"name": "red"}', '```json\n{"name": "blue"}\n```', "```", '{"name": NaN}', "[]", "7",
            '{"claim": "c"}', '{"claim": "c", "evidence": [{"path": "a"}]}', "ok", "null",
        ]
    )
)  # fmt: skip
parts = (
    st.builds(Text, text=answers)
    | st.builds(Thinking, text=drawn.texts, provider=st.just("x"), opaque=arguments)
    | uses
    | drawn.media
    | st.builds(ToolResult, id=drawn.texts, name=drawn.texts, text=drawn.texts)
)
stops: st.SearchStrategy[StopReason] = st.sampled_from(get_args(StopReason))
replies = st.builds(
    Reply,
    parts=st.lists(parts, max_size=4).map(tuple)
    | st.builds(Text, text=answers).map(lambda t: (t,)),
    stop=stops,
    usage=st.builds(Usage, input=st.integers(0, 9), output=st.integers(0, 9)),
)
