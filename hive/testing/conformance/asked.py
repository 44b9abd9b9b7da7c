"""What is sent: everything that a request says reaches the server, and nothing else (rim)."""

import base64
from typing import Any

from hive.message import Media, Message, Reply, Text, Thinking, ToolResult
from hive.testing.conformance.suite import (
    ASK,
    LOOK,
    SUM,
    Suite,
    call,
    each_way,
    hear,
    one_word,
    scenario,
    sent,
)

__all__ = ["Asked"]

PIXEL = Media(
    media_type="image/png",
    data="iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII=",
    name="pixel.png",
)
PAPER = Media(
    media_type="application/pdf",
    data=base64.b64encode(b"%PDF-1.7\n% a paper about very little\n%%EOF\n").decode(),
    name="paper.pdf",
)


class Asked(Suite):
    """The requests that a backend sends."""

    @each_way
    @scenario("server")
    async def test_the_whole_request_is_sent(self, streamed: bool) -> None:
        request, _ = hear(ASK._replace(max_output=777, tools=(LOOK,)), streamed)
        async with self.serving(["Fine."]) as (model, server):
            await model.complete(request)
        assert "Be brief." in sent(server)
        assert "How are you?" in server.requests[0].text
        assert 777 in server.requests[0].values(), "the limit on the output was not sent"

    @scenario("server", "tools")
    async def test_tools_are_offered_with_what_they_are_for(self) -> None:
        async with self.serving(["Fine."]) as (model, server):
            await model.complete(ASK._replace(tools=(LOOK,)))
        assert server.requests[0].tools == ["look"]
        assert "Look at a place." in sent(server)
        assert '"where"' in sent(server)

    @scenario("server", "tools")
    async def test_the_results_of_tools_are_sent_in_order(self) -> None:
        request = ASK._replace(tools=(LOOK,))
        uses = (call("a", where="on the left"), call("b", where="on the right"))
        async with self.serving([["Hm.", *uses], "Nothing."]) as (model, server):
            reply = await model.complete(request)
            results = (
                ToolResult(id="a", name="look", text="a wall"),
                ToolResult(id="b", name="look", text="too dark", error=True),
            )
            said = (*ASK.messages, Message("assistant", reply.parts), Message("tool", results))
            await model.complete(request._replace(messages=said))
        told = sent(server)
        order = ("Hm.", "on the left", "on the right", "a wall", "too dark")
        assert [told.find(words) for words in order] == sorted(map(told.index, order))

    @scenario("server", "tools")
    async def test_malformed_arguments_can_be_shown_to_the_model_again(self) -> None:
        broken = call("a").model_copy(update={"malformed": '{"where": "left of'})
        result = ToolResult(id="a", name="look", text="That is no JSON.", error=True)
        said = (*ASK.messages, Message("assistant", (broken,)), Message("tool", (result,)))
        async with self.serving(["Sorry."]) as (model, server):
            await model.complete(ASK._replace(messages=said, tools=(LOOK,)))
        assert "That is no JSON." in sent(server)
        assert "left of" in sent(server)

    @scenario("server", "schema")
    async def test_the_schema_of_an_answer_is_sent(self) -> None:
        async with self.serving([{"total": 3}]) as (model, server):
            await model.complete(ASK._replace(output=SUM))
        assert "total" in sent(server)

    @each_way
    @scenario("server", "thinking", "tools")
    async def test_thinking_is_sent_back_unchanged(self, streamed: bool) -> None:
        thought = Thinking(text="Let me think.", provider="")
        line = Reply(parts=(thought, call("a", where="here")), stop="tools")
        request, _ = hear(ASK._replace(tools=(LOOK,)), streamed)
        async with self.serving([line, "Nothing."]) as (model, server):
            reply = await model.complete(request)
            kept = next(part for part in reply.parts if isinstance(part, Thinking))
            result = ToolResult(id="a", name="look", text="a wall")
            said = (*ASK.messages, Message("assistant", reply.parts), Message("tool", (result,)))
            await model.complete(request._replace(messages=said))
        assert kept.opaque
        assert holds(server.requests[1], kept.opaque)

    @scenario("server", "thinking")
    async def test_thinking_of_another_provider_is_left_out_and_named(self) -> None:
        foreign = Thinking(text="A stranger's thought.", provider="a stranger", opaque={"x": 1})
        said = Message("assistant", (foreign, Text(text="Hello.")))
        request = ASK._replace(messages=(*ASK.messages, said, *ASK.messages))
        async with self.serving(["Fine."]) as (model, server):
            reply = await model.complete(request)
        assert "Hello." in sent(server)
        assert "stranger" not in sent(server)
        assert reply.left_out, "the reply does not say what the model was not shown"

    @scenario("server", "images")
    async def test_an_image_is_shown(self) -> None:
        await self.shown(PIXEL, Message("user", (Text(text="What is this?"), PIXEL)))

    @scenario("server", "files")
    async def test_a_file_is_shown(self) -> None:
        await self.shown(PAPER, Message("user", (Text(text="What is this?"), PAPER)))

    @scenario("server", "images", "tools")
    async def test_an_image_that_a_tool_returned_is_shown(self) -> None:
        asked = Message("assistant", (call("a", where="here"),))
        result = ToolResult(id="a", name="look", text="This is there.", media=(PIXEL,))
        await self.shown(PIXEL, asked, Message("tool", (result,)))

    async def shown(self, media: Media, *messages: Message) -> None:
        request = ASK._replace(messages=(*ASK.messages, *messages), tools=(LOOK,))
        async with self.serving(["I see."]) as (model, server):
            reply = await model.complete(request)
        assert media.data in sent(server)
        assert reply.left_out == ()

    @scenario("server")
    async def test_nothing_is_remembered_between_two_calls(self) -> None:
        async with self.serving(["One.", "Two."]) as (model, server):
            await model.complete(one_word("the first word"))
            await model.complete(one_word("the second word"))
        assert "the second word" in sent(server)
        assert "first" not in sent(server)
        assert "One." not in sent(server)


def holds(value: Any, wanted: dict[str, Any]) -> bool:
    """Whether these names with these values stand together anywhere in what was sent."""
    if isinstance(value, dict):
        here = all(name in value and value[name] == wanted[name] for name in wanted)
        return here or any(holds(inner, wanted) for inner in value.values())
    return isinstance(value, list) and any(holds(inner, wanted) for inner in value)
