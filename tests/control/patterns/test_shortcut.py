"""A way past the team: easy work takes one role and one call."""

from __future__ import annotations

import pytest

from hive import Graph, Role, Task, Workflow, finish, handoff, posted, start, stop, turns
from hive.board.records import Decision, Request
from hive.control import TABLE, Edge, level, skip_team
from hive.errors import GraphError
from hive.message import Request as Asked
from hive.models import FunctionModel
from hive.run import Result
from tests.sound import sound

solo, planner, coder = Role("solo"), Role("planner"), Role("coder")
TEAM = (start(planner), handoff(planner, coder), finish(coder), stop(when=turns(9)))
HARD = "Rewrite billing and migrate the production database"


def says(request: Asked) -> str:
    return f"{request.system.split(chr(39))[1]} did it"


def run(edges: tuple[Edge, ...], goal: str, model: FunctionModel | None = None) -> Result:
    result = Workflow(Graph(*edges), model=model or FunctionModel(says)).run_sync(goal)
    sound(result.entries)
    return result


def requests(result: Result) -> list[str]:
    return [entry.author for entry in result.entries if isinstance(entry.payload, Request)]


def test_a_trivial_goal_takes_one_role_and_one_call() -> None:
    result = run(skip_team(solo, *TEAM), "Fix a typo")
    assert requests(result) == ["solo"]
    (decision,) = [e.payload for e in result.entries if isinstance(e.payload, Decision)]
    assert [plan.role for plan in decision.strands] == ["solo"]
    assert decision.allotted == TABLE["trivial"].recorded
    assert (result.outcome, result.text) == ("finished", "solo did it")


def test_any_other_goal_takes_the_team() -> None:
    assert requests(run(skip_team(solo, *TEAM), HARD)) == ["planner", "coder"]


def test_the_team_begins_after_all_where_the_one_role_fails() -> None:
    def breaks(request: Asked) -> str:
        said = says(request)
        if said.startswith("solo"):
            raise ConnectionError("no answer")
        return said

    result = run(skip_team(solo, *TEAM), "Fix a typo", FunctionModel(breaks))
    assert requests(result)[-2:] == ["planner", "coder"]
    assert result.finished


def test_the_guard_may_be_another_and_that_of_a_start_stays() -> None:
    ready = ~posted(Task)
    edges = skip_team(solo, start(planner, when=ready), *TEAM[1:], when=level("critical"))
    assert [str(edge) for edge in edges[:4]] == [
        "start(solo, when=level(critical))",
        "finish(solo)",
        "start(planner, when=~level(critical) & ~posted(Task))",
        "handoff(solo, planner, when=failed(solo) & ~posted(Task))",
    ]
    writer = planner.with_(writes=(Task,), name="writer")
    both = Graph(*skip_team(solo, start(writer), finish(writer), when=level("critical")))
    assert requests(Workflow(both, model=FunctionModel(says)).run_sync(HARD)) == ["solo"]


def test_a_role_of_the_team_cannot_stand_beside_it() -> None:
    with pytest.raises(GraphError, match=r"start\(planner\) has a role of that name already"):
        skip_team(planner, *TEAM)
