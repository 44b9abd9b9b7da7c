"""What comes back: a model's answer in Hive's words, whole and with its use of tokens (rim)."""

import json
from typing import Literal

from hive.message import Reply, Text, Thinking, ToolUse, Usage
from hive.testing.conformance.suite import ASK, LOOK, SUM, Suite, call, each_way, hear, scenario

__all__ = ["Answers"]

WORDS = "Fine, thank you. Grüße ☺ und\u2028mehr."


class Answers(Suite):
    """The answers that a backend reads."""

    @each_way
    @scenario()
    async def test_a_plain_answer(self, streamed: bool) -> None:
        async with self.serving([WORDS]) as (model, _):
            reply = await model.complete(hear(ASK, streamed)[0])
        assert (reply.text, reply.stop, reply.tool_uses) == (WORDS, "end", ())

    @scenario()
    async def test_the_pieces_that_are_heard_make_up_the_text(self) -> None:
        request, heard = hear(ASK)
        async with self.serving([WORDS]) as (model, _):
            reply = await model.complete(request)
        assert "".join(heard) == reply.text

    @each_way
    @scenario("tools")
    async def test_a_tool_call(self, streamed: bool) -> None:
        use = call("a", where="left ☺", deep=[1, {"x": None}])
        request, _ = hear(ASK._replace(tools=(LOOK,)), streamed)
        async with self.serving([use]) as (model, _):
            reply = await model.complete(request)
        assert (reply.tool_uses, reply.stop) == ((use,), "tools")

    @each_way
    @scenario("tools")
    async def test_parallel_tool_calls_are_told_apart(self, streamed: bool) -> None:
        uses = tuple(call(f"call_{n}", where=f"room {n}, on the left") for n in range(3))
        request, _ = hear(ASK._replace(tools=(LOOK,)), streamed)
        async with self.serving([["Let me look.", *uses]]) as (model, _):
            reply = await model.complete(request)
        assert reply.text == "Let me look."
        assert reply.tool_uses == uses

    @each_way
    @scenario("tools")
    async def test_arguments_that_are_no_json_come_back_as_they_came(self, streamed: bool) -> None:
        uses = tuple(
            ToolUse(id=f"call_{n}", name="look", malformed=text)
            for n, text in enumerate(['{"where": "le', "[1]"])
        )
        request, _ = hear(ASK._replace(tools=(LOOK,)), streamed)
        async with self.serving([list(uses)]) as (model, _):
            reply = await model.complete(request)
        assert reply.tool_uses == uses

    @each_way
    @scenario("schema")
    async def test_an_answer_under_a_schema_is_its_json(self, streamed: bool) -> None:
        request, heard = hear(ASK._replace(output=SUM), streamed)
        async with self.serving([{"total": 3}]) as (model, _):
            reply = await model.complete(request)
        assert json.loads(reply.text) == {"total": 3}
        assert (reply.stop, reply.tool_uses) == ("end", ())
        assert "".join(heard) == (reply.text if streamed else "")

    @each_way
    @scenario("thinking")
    async def test_thinking_comes_before_what_was_thought_of(self, streamed: bool) -> None:
        line = Reply(parts=(Thinking(text="Let me think.", provider=""), Text(text="Done.")))
        request, heard = hear(ASK, streamed)
        async with self.serving([line]) as (model, _):
            reply = await model.complete(request)
        thought, said = reply.parts
        assert isinstance(thought, Thinking)
        assert (thought.text, said) == ("Let me think.", Text(text="Done."))
        assert "".join(heard) == ("Done." if streamed else "")

    @each_way
    @scenario()
    async def test_the_tokens_used_are_reported(self, streamed: bool) -> None:
        line = Reply(parts=(Text(text="Yes."),), usage=Usage(input=1000, output=50))
        async with self.serving([line]) as (model, _):
            reply = await model.complete(hear(ASK, streamed)[0])
        assert reply.usage == line.usage

    @each_way
    @scenario("cache")
    async def test_cached_tokens_are_told_and_counted_as_input(self, streamed: bool) -> None:
        used = Usage(input=1000, output=50, cached_read=600, cache_write=100)
        line = Reply(parts=(Text(text="Yes."),), usage=used)
        async with self.serving([line]) as (model, _):
            reply = await model.complete(hear(ASK, streamed)[0])
        assert reply.usage == used

    @each_way
    @scenario("thinking")
    async def test_tokens_of_reasoning_are_told_and_counted_as_output(self, streamed: bool) -> None:
        line = Reply(parts=(Text(text="Yes."),), usage=Usage(input=1000, output=50, reasoning=20))
        async with self.serving([line]) as (model, _):
            reply = await model.complete(hear(ASK, streamed)[0])
        assert reply.usage == line.usage

    @each_way
    @scenario("length")
    async def test_an_answer_at_its_limit_says_so(self, streamed: bool) -> None:
        await self.stops("length", streamed)

    @each_way
    @scenario("overflow")
    async def test_an_answer_at_the_end_of_the_window_says_so(self, streamed: bool) -> None:
        await self.stops("overflow", streamed)

    @each_way
    @scenario("refusal")
    async def test_a_refusal_says_so(self, streamed: bool) -> None:
        await self.stops("refusal", streamed)

    @each_way
    @scenario("filter")
    async def test_an_answer_that_was_filtered_says_so(self, streamed: bool) -> None:
        await self.stops("filter", streamed)

    @each_way
    @scenario("pause")
    async def test_an_answer_to_go_on_with_says_so(self, streamed: bool) -> None:
        await self.stops("pause", streamed)

    async def stops(
        self,
        why: Literal["length", "overflow", "refusal", "filter", "pause"],
        streamed: bool,
    ) -> None:
        line = Reply(parts=(Text(text="I will not"),), stop=why)
        async with self.serving([line]) as (model, _):
            reply = await model.complete(hear(ASK, streamed)[0])
        assert (reply.stop, reply.text) == (why, "I will not")
