import pytest

from hive.errors import RateLimited, RequestRefused
from hive.message import Message, Reply, Request, Text, ToolUse, Usage
from hive.models import FunctionModel, Model, ScriptedModel, card_of, check, close

ASK = Request(model="m", system="", messages=(Message("user", (Text(text="hello"),)),))
LOOK = ToolUse(id="1", name="look", arguments={"where": "here"})


@pytest.mark.asyncio
async def test_a_script_gives_its_lines_in_order_and_keeps_what_it_was_asked() -> None:
    model = ScriptedModel(
        ["one", LOOK, ["so:", LOOK], Reply(parts=(), stop="length"), RateLimited("wait")],
        name="coder",
    )
    assert isinstance(model, Model)
    assert model.name == "script:coder"
    assert (await model.complete(ASK)).text == "one"
    assert (await model.complete(ASK)).stop == "tools"
    both = await model.complete(ASK)
    assert both.text == "so:"
    assert both.tool_uses == (LOOK,)
    assert (await model.complete(ASK)).stop == "length"
    with pytest.raises(RateLimited):
        await model.complete(ASK)
    assert model.requests == [ASK] * 5
    with pytest.raises(RequestRefused, match=r"'script:coder' has no reply left: all 5"):
        await model.complete(ASK)


def test_a_line_that_is_no_answer_is_refused_where_the_script_is_written() -> None:
    with pytest.raises(TypeError, match=r"line 2 of 'script:x' gave int, which is no answer"):
        ScriptedModel(["one", 2], name="x")  # type: ignore[list-item]  # what is tested


@pytest.mark.asyncio
async def test_functions_may_be_plain_or_async() -> None:
    def shout(request: Request) -> str:
        return request.messages[-1].text.upper()

    async def count(request: Request) -> Reply:
        return Reply(parts=(Text(text="3"),), usage=Usage(units=3))

    assert FunctionModel(shout).name == "program:shout"
    assert FunctionModel(lambda request: "x").name == "program:lambda"
    assert (await FunctionModel(shout).complete(ASK)).text == "HELLO"
    counted = await FunctionModel(count, name="program:counter").complete(ASK)
    assert counted.usage.units == 3


@pytest.mark.asyncio
async def test_a_function_that_gives_no_answer_is_a_programmers_mistake() -> None:
    model = FunctionModel(lambda request: None, name="x")  # type: ignore[arg-type, return-value]  # what is tested
    with pytest.raises(TypeError, match="program:x gave NoneType"):
        await model.complete(ASK)


@pytest.mark.asyncio
async def test_whoever_listens_hears_the_text() -> None:
    heard: list[str] = []
    request = Request(model="m", system="", messages=(), delta=heard.append)
    await ScriptedModel([["one", LOOK, "two"]]).complete(request)
    assert heard == ["one", "two"]


@pytest.mark.asyncio
async def test_doubles_are_free_and_need_neither_key_nor_closing() -> None:
    model = ScriptedModel([])
    assert card_of(model).cost(Usage(input=10**6, output=10**6)) == 0
    check(model)
    await close(model)
