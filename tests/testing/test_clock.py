"""A clock worked by hand."""

import pytest

from hive import Role, Workflow
from hive.message import Request
from hive.testing import FunctionModel, ManualClock

pytestmark = pytest.mark.asyncio


async def test_a_clock_stands_still_until_it_is_moved() -> None:
    clock = ManualClock(start=5_000_000)
    assert (clock.now(), clock.elapsed()) == (5_000_000, 0)
    clock.advance(seconds=1.5)
    clock.advance(microseconds=7)
    assert (clock.now(), clock.elapsed()) == (6_500_007, 1_500_007)


async def test_runs_take_their_times_from_the_clock_they_are_given() -> None:
    clock = ManualClock()

    def answer(request: Request) -> str:
        clock.advance(seconds=3)
        return "said"

    result = await Workflow(Role("a"), model=FunctionModel(answer)).run("g", clock=clock)
    assert result.seconds == 3
    assert {entry.at for entry in result.entries} == {clock.start, clock.start + 3_000_000}
