"""The allocation table: what work of each class is given, as data, on record, and kept to."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from typing import Any

import pytest

from hive import (
    Artifact,
    Graph,
    Limits,
    Role,
    State,
    Task,
    Workflow,
    finish,
    handoff,
    start,
    stop,
    turns,
)
from hive.board.records import Allotted, Complexity, Decision, Level5
from hive.control import (
    TABLE,
    AllocationTable,
    Allotment,
    ByComplexity,
    ByPreference,
    Figure,
    OneModel,
)
from hive.control.allocating.allotment import table_of
from hive.control.allocating.complexity import LEVELS
from hive.errors import DeclarationError
from hive.message import Request, ToolUse
from hive.models import FunctionModel
from hive.phases.brief import post_name
from hive.run import Result
from tests.sound import sound

planner = Role("planner", writes=(Task, Artifact), output=Artifact)
worker = Role("worker", writes=(Artifact,), per=Task)
GRAPH = Graph(
    start(planner),
    handoff(planner, worker),
    handoff(worker, worker),
    finish(worker, when=turns(2)),
    stop(when=turns(20)),
)


class Fixed:
    """An estimator that says one class, whatever the work."""

    def __init__(self, found: Level5) -> None:
        self.found = found

    def estimate(self, goal: str, state: State) -> Complexity:
        return Complexity(level=self.found, score=0)


def plans(request: Request) -> Any:
    """A planner that posts five tasks, and workers that settle one each."""
    if "'planner'" not in request.system:
        return Artifact(summary="done").model_dump_json()
    if len(request.messages) > 1:
        return Artifact(summary="planned").model_dump_json()
    return [
        ToolUse(id=f"{n}", name=post_name(Task), arguments={"id": f"T{n}", "title": "t"})
        for n in range(5)
    ]


def run(found: Level5, **more: Any) -> Result:
    team = Workflow(GRAPH, model=FunctionModel(plans), estimator=Fixed(found), **more)
    result = team.run_sync("go")
    sound(result.entries)
    return result


def decisions(result: Result) -> list[Decision]:
    return [entry.payload for entry in result.entries if isinstance(entry.payload, Decision)]


def test_the_table_is_a_frozen_value_with_a_row_for_each_class() -> None:
    assert list(TABLE) == list(LEVELS)
    assert TABLE["complex"] is TABLE.complex
    assert [row.review for row in TABLE.values()] == [
        "none", "single", "single", "panel", "adversarial",
    ]  # fmt: skip
    with pytest.raises(FrozenInstanceError):
        TABLE.trivial = TABLE.simple  # type: ignore[misc]
    with pytest.raises(KeyError):
        TABLE["huge"]  # type: ignore[index]


def test_rows_are_edited_one_by_one() -> None:
    edited = TABLE.with_(simple=replace(TABLE["simple"], review="panel"))
    assert (edited["simple"].review, edited["simple"].tier) == ("panel", "small")
    assert edited["complex"] == TABLE["complex"]
    assert edited != TABLE
    with pytest.raises(DeclarationError, match="'huge' is no class of work; say trivial, simple"):
        TABLE.with_(huge=TABLE["simple"])
    with pytest.raises(DeclarationError, match=r"AllocationTable\(trivial='small'\): give an"):
        TABLE.with_(trivial="small")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"strands": 0}, "give a whole number from 1 on"),
        ({"strands": 1.5}, "give a whole number from 1 on"),
        ({"strands": True}, "give a whole number from 1 on"),
        ({"tiers": {"review": 1}}, "a tier is a word"),
        ({"review": "deep"}, "say 'none', 'single'"),
    ],
)
def test_a_row_that_means_nothing_is_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(DeclarationError, match=said):
        Allotment("small", **wrong)


def test_nothing_is_done_one_after_the_other_unless_somebody_says_so() -> None:
    assert all(row.parallel and row.most(16) == 16 for row in TABLE.values())
    assert not Allotment("small", strands=1).parallel
    assert Allotment("small", strands=3).most(16) == 3
    assert Allotment("small", strands=20).most(16) == 16


@pytest.mark.parametrize(
    ("found", "strands"),
    [("trivial", [1, 1, 1, 1, 1, 1]), ("simple", [1, 5]), ("critical", [1, 5])],
)
def test_a_turn_opens_as_many_strands_as_the_class_is_allotted(
    found: Level5, strands: list[int]
) -> None:
    graph = Graph(
        start(planner),
        handoff(planner, worker),
        handoff(worker, worker),
        finish(worker, when=turns(len(strands))),
        stop(when=turns(20)),
    )
    table = TABLE.with_(trivial=Allotment("small", strands=1))
    result = Workflow(
        graph,
        model=FunctionModel(plans),
        estimator=Fixed(found),
        allocator=ByComplexity(table),
    ).run_sync("go")
    assert [len(decision.strands) for decision in decisions(result)] == strands


def test_a_table_never_allots_more_than_the_limits() -> None:
    table = TABLE.with_(simple=Allotment("small", strands=3))
    first = decisions(run("simple", allocator=ByComplexity(table)))[1]
    assert len(first.strands) == 3
    first = decisions(run("simple", allocator=ByComplexity(table), limits=Limits(strands=2)))[1]
    assert len(first.strands) == 2


@pytest.mark.parametrize("found", LEVELS)
def test_what_was_allotted_is_on_record(found: Level5) -> None:
    row = TABLE[found]
    expected = Allotted(strands=row.strands, review=row.review, checkpoint=row.checkpoint)
    assert {decision.allotted for decision in decisions(run(found))} == {expected}


def test_an_allocator_without_a_table_goes_by_the_one_shipped() -> None:
    strict = TABLE.with_(simple=Allotment("small", review="exhaustive"))
    figures = [Figure("program:plans", accuracy=0.9, usd=0.1, seconds=1)]
    assert table_of(OneModel()) is TABLE
    assert table_of(ByComplexity(strict)) is strict
    assert table_of(ByPreference("balanced", figures)) is TABLE
    assert table_of(ByPreference("balanced", figures, table=strict)) is strict
    with pytest.raises(DeclarationError, match=r"ByPreference\(table='small'\): give an Alloc"):
        ByPreference("balanced", figures, table="small")  # type: ignore[arg-type]
    result = run("simple", allocator=ByPreference("balanced", figures, table=strict))
    assert {d.allotted and d.allotted.review for d in decisions(result)} == {"exhaustive"}


def test_a_table_is_as_good_as_its_parts() -> None:
    rows = [Allotment("small", tiers={"review": "large"})] * 5
    assert AllocationTable(*rows) == AllocationTable(*rows)
    assert hash(AllocationTable(*rows)) == hash(AllocationTable(*rows))
    assert rows[0].tier_for("review") == "large"
    assert rows[0].tier_for("") == "small"
    assert AllocationTable(*rows).tiers(["review"]) == ("small", "large")
