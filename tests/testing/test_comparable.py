"""Boards compared by address."""

import pytest

from hive import Role, Workflow
from hive.testing import FunctionModel, comparable

pytestmark = pytest.mark.asyncio


async def test_boards_of_runs_that_did_the_same_compare_equal() -> None:
    workflow = Workflow(Role("a") >> Role("b"), model=FunctionModel(lambda request: "same", "m"))
    one, other = [await workflow.run("g", seed=1) for _ in range(2)]
    assert one.entries != other.entries
    assert comparable(one.entries) == comparable(reversed(other.entries))
    at = comparable(one.entries)["1/a/0.2"]
    assert (at.kind, at.author, at.origin, at.label) == ("Note", "a", "program:m", "trusted")
    assert (at.causes, at.payload) == (("1/a/0.1",), {"text": "same"})


@pytest.mark.parametrize("change", ["goal", "word", "seed"])
async def test_boards_of_runs_that_differ_do_not(change: str) -> None:
    async def board(goal: str = "g", word: str = "same", seed: int = 1) -> object:
        workflow = Workflow(Role("a"), model=FunctionModel(lambda request: word, "m"))
        return comparable((await workflow.run(goal, seed=seed)).entries)

    changed = {"goal": board(goal="h"), "word": board(word="other"), "seed": board(seed=2)}
    different = await changed.pop(change)
    for unused in changed.values():
        unused.close()
    assert different != await board()
