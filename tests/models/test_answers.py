"""A typed answer that was given through a tool is read as if it had been said."""

from hive.message import Reply, Request, Text, Thinking, ToolUse
from hive.models.answers import by_tool, taken
from tests.models.asking import ASK, SUM


def asked(heard: list[str]) -> Request:
    return by_tool(ASK._replace(output=SUM, delta=heard.append))


def test_words_before_the_answer_are_no_part_of_it() -> None:
    heard: list[str] = []
    use = ToolUse(id="1", name="Sum", arguments={"total": 3})
    reply = taken(Reply(parts=(Text(text="So:"), use), stop="tools"), asked(heard))
    assert (reply.text, reply.stop, reply.tool_uses) == ('{"total": 3}', "end", ())
    assert heard == ['{"total": 3}']
    assert [part.text for part in reply.parts if isinstance(part, Thinking)] == ["So:"]


def test_words_alone_stay_what_they_are() -> None:
    said = Reply(parts=(Text(text="I would rather not."),), stop="refusal")
    assert taken(said, asked([])) == said


def test_words_before_a_call_of_another_tool_stay_what_they_are() -> None:
    said = Reply(parts=(Text(text="Let me look."), ToolUse(id="1", name="look")), stop="tools")
    assert taken(said, asked([])) == said


def test_an_answer_that_is_no_json_is_shown_as_it_came() -> None:
    use = ToolUse(id="1", name="Sum", malformed='{"total": ')
    reply = taken(Reply(parts=(use,), stop="tools"), asked([]))
    assert (reply.text, reply.stop) == ('{"total": ', "end")
