from hypothesis import given
from hypothesis import strategies as st

from hive.message import Message, OutputForm, Request, Text, Thinking, ToolForm, ToolResult, ToolUse
from hive.models import input_bound

TOOL = ToolForm("look", "Look.", {"type": "object", "properties": {"ü": {"type": "string"}}})


def request(*parts: object) -> Request:
    return Request(model="m", system="s", messages=(Message("user", parts),))  # type: ignore[arg-type]  # any parts


@given(st.text(), st.text(), st.text())
def test_it_is_at_least_the_bytes_of_what_is_sent(system: str, said: str, found: str) -> None:
    full = request(
        Text(text=said),
        ToolUse(id="1", name="look", arguments={"where": found}),
        ToolUse(id="2", name="look", malformed=found),
        ToolResult(id="1", name="look", text=found),
        Thinking(text=said, provider="p", opaque={"signature": "abc"}),
    )._replace(
        system=system,
        tools=(TOOL,),
        output=OutputForm("Out", {"type": "object"}),
    )
    sent = len(system.encode()) + 2 * len(said.encode()) + 3 * len(found.encode())
    assert input_bound(full) >= sent


def test_every_part_adds_to_it() -> None:
    grown = [request(*[Text(text="")] * count) for count in range(4)]
    bounds = [input_bound(one) for one in grown]
    assert bounds == sorted(set(bounds))
    assert input_bound(grown[0]._replace(tools=(TOOL,))) > bounds[0] + 500


def test_lone_surrogates_do_not_stop_it() -> None:
    assert input_bound(request(Text(text="\ud800"))) > 0
