from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hive.board.payload import Payload
from hive.board.state import State
from hive.board.view import View
from hive.control import Graph, declining, finish, handoff, latest, start, worst_case
from hive.errors import DeclarationError, GraphError
from hive.role import Role
from hive.workflow import Workflow
from tests.control.states import decision, entry, folded


class Count(Payload):
    """How many tests fail."""

    failing: int


FEWER = declining("failing tests", Count, lambda count: count.failing, most=20)
DONE = latest(Count, lambda count: not count.failing, name="none fails")


def states(counts: list[int | None]) -> list[State]:
    """The state after each turn, in some of which something was counted."""
    known = []
    entries = []
    for turn, count in enumerate(counts, 1):
        entries.append(decision(turn, "tester"))
        if count is not None:
            entries.append(entry(Count(failing=count), "tester", turn=turn))
        known.append(folded(*entries, tallies=FEWER.tallies))
    return known


@given(st.lists(st.none() | st.integers(-3, 30), max_size=40))
def test_it_holds_only_at_a_new_low_and_so_only_so_often(counts: list[int | None]) -> None:
    held = [FEWER.test(state) for state in states(counts)]
    lowest = 20
    for count, holds in zip(counts, held, strict=True):
        low = lowest if count is None else max(0, count)
        assert holds == (low < lowest)
        lowest = min(low, lowest)
    assert sum(held) <= 20


def counting(counts: list[int]) -> Callable[[View], Awaitable[Payload]]:
    left = iter(counts)

    async def count(view: View) -> Payload:
        return Count(failing=next(left))

    return count


async def nothing(view: View) -> None:
    return None


def circle(counts: list[int]) -> Graph:
    """A tester and a coder who go round for as long as fewer tests fail each time."""
    one = Role("tester", writes=(Count,), program=counting(counts))
    two, three = Role("coder", program=nothing), Role("arbiter", program=nothing)
    return Graph(
        *(start(one), finish(one, when=DONE), handoff(one, two, when=FEWER), handoff(two, one)),
        *(handoff(one, three), finish(three)),
    )


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("counts", "acted"),
    [
        ([12, 3, 0], ["tester", "coder", "tester", "coder", "tester"]),
        ([12, 3, 3], ["tester", "coder", "tester", "coder", "tester", "arbiter"]),
        ([12, 3, 5], ["tester", "coder", "tester", "coder", "tester", "arbiter"]),
        ([20], ["tester", "arbiter"]),
    ],
)
async def test_a_loop_goes_round_while_there_is_progress_and_then_another_way(
    counts: list[int], acted: list[str]
) -> None:
    result = await Workflow(circle(counts)).run("Mend it.")
    decided = [e.payload.strands for e in result.entries if e.kind == "Decision"]  # type: ignore[attr-defined]
    assert [strands[0].role for strands in decided] == acted
    assert result.finished


def test_it_bounds_a_cycle_in_turns_as_its_contrary_does_not() -> None:
    # Twenty ways round, a last count, and the arbiter.
    assert worst_case(circle([])).turns == 42
    one, two = Role("tester", writes=(Count,)), Role("coder")
    with pytest.raises(GraphError, match="can go round for ever"):
        Graph(start(one), handoff(one, two, when=~FEWER), handoff(two, one), finish(one))


def test_a_measure_needs_a_top() -> None:
    with pytest.raises(DeclarationError, match="whole number from 1 on"):
        declining("x", Count, lambda count: count.failing, most=0)
