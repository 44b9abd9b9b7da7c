"""Calls that wait until a test lets them through."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hive.errors import RequestRefused
from hive.message import Message, Request, Text
from hive.models import ModelCard, card_of, check, close
from hive.testing import Gate, GatedModel, ScriptedModel

pytestmark = pytest.mark.asyncio
ASK = Request(model="m", system="", messages=(Message("user", (Text(text="hello"),)),))


async def test_a_gate_lets_calls_through_in_the_order_the_test_likes() -> None:
    gate, through = Gate(), []

    async def call(name: str, number: int) -> None:
        await gate.enter(name)
        through.append((name, number))

    tasks = [asyncio.create_task(call(name, n)) for n, name in enumerate(["a", "b", "a"])]
    await gate.arrived("a", "a", "b")
    assert gate.waiting == ("a", "b", "a")
    gate.release("b", "a")
    await asyncio.gather(*tasks[:2])
    assert through == [("b", 1), ("a", 0)]
    gate.open()
    await asyncio.gather(*tasks)
    await gate.enter("anybody")
    assert gate.arrivals == ["a", "b", "a", "anybody"]


async def test_a_release_before_the_arrival_is_kept_for_it() -> None:
    gate = Gate()
    gate.release("a", "a")
    await gate.enter("a")
    await gate.enter("a")
    waiting = asyncio.create_task(gate.enter("a"))
    await gate.arrived("a")
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert gate.waiting == ()


async def test_an_arrival_that_does_not_come_is_named() -> None:
    gate = Gate(patience=0.001)
    waiting = asyncio.create_task(gate.enter("here"))
    with pytest.raises(TimeoutError, match=r"there did not arrive; here waits"):
        await gate.arrived("here", "there")
    gate.open()
    await waiting


@given(st.lists(st.integers(0, 9), max_size=6))
@settings(max_examples=40)
async def test_a_sequence_lets_one_through_whenever_nothing_else_moves(order: list[int]) -> None:
    gate, through = Gate(), []

    async def call(name: str) -> None:
        await gate.enter(name)
        through.append(name)
        await gate.enter(name.upper())
        through.append(name.upper())

    conductor = asyncio.create_task(gate.sequence(order))
    await asyncio.gather(*[call(name) for name in "abc"])
    conductor.cancel()
    waiting, expected = list("abc"), []
    for place in [*order, *[0] * 6][:6]:
        name = waiting.pop(place % len(waiting))
        expected.append(name)
        waiting += [name.upper()] if name.islower() else []
    assert through == expected


async def test_a_gated_model_is_the_model_within() -> None:
    gate = Gate()
    inner = ScriptedModel(["one", "two", RequestRefused("no")])
    model = GatedModel(inner, gate)
    assert model.name == "script:replies"
    assert card_of(model) == card_of(inner)
    check(model)
    gate.release("script:replies")
    assert (await model.complete(ASK)).text == "one"
    named = GatedModel(inner, gate, lambda request: request.messages[0].text)
    gate.release("hello")
    assert (await named.complete(ASK)).text == "two"
    gate.open()
    with pytest.raises(RequestRefused):
        await GatedModel(inner, gate, "any").complete(ASK)
    await close(model)


async def test_what_a_model_brings_along_shows_through_the_gate() -> None:
    closed = []

    class Own(ScriptedModel):
        card = ModelCard("own", window=7)

        def check(self) -> None:
            raise RequestRefused("no key")

        async def aclose(self) -> None:
            closed.append("own")

    model = GatedModel(Own(["x"]), Gate())
    assert card_of(model).window == 7
    with pytest.raises(RequestRefused, match="no key"):
        check(model)
    await close(model)
    assert closed == ["own"]
