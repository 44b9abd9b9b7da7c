from __future__ import annotations

import threading
from dataclasses import FrozenInstanceError
from typing import Annotated, Any, Literal

import anyio
import pytest
from pydantic import BaseModel, Field

from hive.board.contributions import Note, TestReport
from hive.errors import DeclarationError, ToolError
from hive.tools import Call, FileChange, Tool, ToolOutput, tool


class Range(BaseModel):
    low: int
    high: int = 9


@tool(effect="read")
async def weigh(
    call: Call,
    what: str,
    schema: Annotated[Literal["g", "kg"], Field(description="Unit of the answer")] = "g",
    between: Range | None = None,
) -> dict[str, Any]:
    """Weigh something."""
    return {"what": what, "unit": schema, "role": call.role, "high": between and between.high}


def test_the_signature_is_the_schema_without_the_call() -> None:
    assert weigh.name == "weigh"
    assert weigh.description == "Weigh something."
    properties: Any = weigh.schema["properties"]
    assert list(properties) == ["what", "schema", "between"]
    assert properties["schema"]["description"] == "Unit of the answer"
    assert weigh.schema["required"] == ["what"]
    assert weigh.schema["additionalProperties"] is False
    assert weigh.form.schema == weigh.schema


def test_reading_may_be_repeated_and_anything_else_may_not() -> None:
    @tool()
    def change() -> str:
        """Change something."""
        return ""

    assert (weigh.effect, weigh.repeat) == ("read", "safe")
    assert (change.effect, change.repeat) == ("write", "never")


def test_a_tool_is_frozen_and_stands_in_sets() -> None:
    with pytest.raises(FrozenInstanceError):
        weigh.name = "other"  # type: ignore[misc]
    assert weigh in {weigh}


@pytest.mark.asyncio
async def test_arguments_are_converted_and_the_call_is_filled_in() -> None:
    output = await weigh.execute({"what": "bee", "between": {"low": "1"}}, Call(role="beekeeper"))
    assert output == ToolOutput('{"what":"bee","unit":"g","role":"beekeeper","high":9}')


@pytest.mark.asyncio
async def test_wrong_arguments_say_what_to_mend_and_run_nothing() -> None:
    arguments: dict[str, Any] = {"schema": "lb", "between": {"low": "few"}, "speed": 1}
    with pytest.raises(ToolError) as caught:
        await weigh.execute(arguments, Call())
    text = str(caught.value)
    assert "what is missing" in text
    assert "schema: input should be 'g' or 'kg', not 'lb'" in text
    assert "between.low" in text
    assert "there is no argument speed" in text
    assert "It takes: what, schema, between" in text


@pytest.mark.asyncio
async def test_a_very_long_argument_is_not_repeated_in_full() -> None:
    arguments: dict[str, Any] = {"what": "bee", "schema": "x" * 10_000}
    with pytest.raises(ToolError) as caught:
        await weigh.execute(arguments, Call())
    assert len(str(caught.value)) < 400


@pytest.mark.asyncio
async def test_a_failing_function_gives_an_error_that_can_be_read() -> None:
    @tool()
    def divide(by: int) -> float:
        """Divide."""
        if by < 0:
            raise ToolError("by must be positive")
        return 1 / by

    assert await divide.execute({"by": 0}, Call()) == ToolOutput(
        "divide failed: ZeroDivisionError: division by zero", error=True
    )
    assert await divide.execute({"by": -1}, Call()) == ToolOutput("by must be positive", error=True)
    assert (await divide.execute({"by": 2}, Call())).text == "0.5"


@pytest.mark.asyncio
async def test_a_tool_that_takes_too_long_is_cancelled() -> None:
    cancelled = []

    @tool(timeout=0.01)
    async def wait() -> str:
        """Wait."""
        try:
            await anyio.sleep_forever()
        except anyio.get_cancelled_exc_class():
            cancelled.append(True)
            raise
        return "never"

    output = await wait.execute({}, Call())
    assert output.error
    assert "did not finish within 0.01 s" in output.text
    assert cancelled == [True]


@pytest.mark.asyncio
async def test_cancellation_passes_through() -> None:
    @tool()
    async def wait() -> str:
        """Wait."""
        await anyio.sleep_forever()
        return "never"

    reached = []
    with anyio.CancelScope() as scope:
        scope.cancel()
        await wait.execute({}, Call())
        reached.append(True)
    assert scope.cancelled_caught
    assert reached == []


@pytest.mark.asyncio
async def test_a_timeout_error_of_the_function_itself_is_its_own() -> None:
    @tool()
    async def connect() -> str:
        """Connect."""
        raise TimeoutError("no answer")

    assert (await connect.execute({}, Call())).text == "connect failed: TimeoutError: no answer"


@pytest.mark.asyncio
async def test_a_function_runs_in_a_thread_only_if_declared() -> None:
    def where() -> bool:
        """Say where."""
        return threading.current_thread() is threading.main_thread()

    assert (await tool()(where).execute({}, Call())).text == "true"
    assert (await tool(thread=True)(where).execute({}, Call())).text == "false"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("as it is", "as it is"),
        (Range(low=1), '{"low":1,"high":9}'),
        ([Range(low=1), None], '[{"low":1,"high":9},null]'),
        ({"b": {2, 1}}, '{"b":[1,2]}'),
        (None, "null"),
    ],
)
async def test_what_is_returned_becomes_text(value: object, text: str) -> None:
    @tool()
    def give() -> object:
        """Give it."""
        return value

    assert await give.execute({}, Call()) == ToolOutput(text)


@pytest.mark.asyncio
async def test_what_has_no_json_form_is_an_error() -> None:
    @tool()
    def give() -> object:
        """Give it."""
        return object()

    output = await give.execute({}, Call())
    assert output.error
    assert "which has no JSON form" in output.text


@pytest.mark.asyncio
async def test_a_tool_posts_what_it_declares_and_nothing_else() -> None:
    change = FileChange("a", None, b"a")

    def post() -> ToolOutput:
        """Post."""
        return ToolOutput("done", changes=(change,), posts=(Note(text="n"),))

    assert (await tool(posts=(Note,))(post).execute({}, Call())).posts == (Note(text="n"),)
    output = await tool(posts=(TestReport,))(post).execute({}, Call())
    assert output.error
    assert output.text == "post tried to post Note; it posts TestReport"
    assert output.posts == ()
    assert output.changes == (change,)


def test_a_schema_that_cannot_be_built_names_the_parameter_and_the_reason() -> None:
    def listen(port: threading.Lock) -> str:
        """Listen."""
        return ""

    with pytest.raises(DeclarationError, match=r"'port' of tool 'listen'.*Unable to generate"):
        tool()(listen)


def test_a_default_without_json_form_is_named() -> None:
    def listen(port: Any = object()) -> str:  # noqa: B008
        """Listen."""
        return ""

    with pytest.raises(DeclarationError, match=r"'port' of tool 'listen'.*not JSON serializable"):
        tool()(listen)


def test_a_parameter_without_type_or_plain_name_is_named() -> None:
    def untyped(port) -> str:  # type: ignore[no-untyped-def]
        """Listen."""
        return ""

    def spread(*ports: int) -> str:
        """Listen."""
        return ""

    with pytest.raises(DeclarationError, match="'port' of tool 'untyped' has no type"):
        tool()(untyped)
    with pytest.raises(DeclarationError, match="'ports' of tool 'spread' is variadic"):
        tool()(spread)


def test_a_type_that_cannot_be_resolved_is_named() -> None:
    class Local:
        pass

    def listen(port: Local) -> str:
        """Listen."""
        return ""

    with pytest.raises(DeclarationError, match="type 'Local' in its signature cannot be resolved"):
        tool()(listen)


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"name": "two words"}, "use up to 64 letters"),
        ({"description": " "}, "write a docstring"),
        ({"timeout": 0.0}, "more than 0 seconds"),
    ],
)
def test_a_declaration_that_cannot_work_is_refused(changed: dict[str, Any], complaint: str) -> None:
    fields: dict[str, Any] = {"name": "t", "description": "d", "schema": {}, "run": weigh.run}
    with pytest.raises(DeclarationError, match=complaint):
        Tool(**{**fields, **changed})
