"""What the command tells of an escalation ladder, before a run and after it."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Here

TEAM = """
from hive import Finding, Graph, Role, Workflow, finish, start
from hive.control import AcrossModels, Escalation, consultation, escalating, unsure
from hive.models import FunctionModel


def says(confidence, name):
    found = Finding(claim="so it is", confidence=confidence).model_dump_json()
    return FunctionModel(lambda request: found, name)


clerk, chief = Role("clerk", writes=(Finding,)), Role("chief", tier="large")
ladder = Escalation(("small", "medium", "large"), unsure())
graph = Graph(start(clerk), *escalating(clerk, ladder, then=chief), finish(chief))
models = {"small": says("low", "small"), "medium": says("high", "medium")}
team = Workflow(graph, models={**models, "large": says("high", "large")}, allocator=ladder)
open_team = Workflow(graph, allocator=ladder)
several = Workflow(
    Graph(*consultation(None, clerk, chief.with_(tier=None), samples=2)),
    allocator=AcrossModels(("small", "medium")),
)
"""


@pytest.fixture
def home(here: Here) -> Here:
    (here.folder / "rising.py").write_text(TEAM)
    return here


def test_a_check_says_on_which_rungs_a_role_may_come_to_stand(home: Here) -> None:
    answer = home.hive("check", "./rising.py:team", "--json")
    assert [(s["role"], s["model"], s["why"]) for s in answer.json["seats"]] == [
        ("clerk", "program:small", "rung 1 of 3: it begins here"),
        ("clerk", "program:medium", "rung 2 of 3: where there is doubt in its work"),
        ("clerk", "program:large", "rung 3 of 3: where there is doubt in its work"),
        ("chief", "program:large", "the role's own tier, 'large'"),
    ]


def test_the_record_shows_who_climbed_and_why(home: Here) -> None:
    assert home.hive("run", "./rising.py:team", "g").code == 0
    told = home.hive("show", "last").out
    assert "clerk gets program:medium, found under 'medium' for tier medium" in told
    assert "rung 2 of 3: a confidence of low in turn 1; a long call costs $0.00" in told


@pytest.mark.parametrize("team", ["open_team", "several"])
def test_models_of_the_rungs_may_stand_in_hive_toml(home: Here, team: str) -> None:
    lines = [f'{key} = "ollama:{key}"' for key in ("small", "medium", "large")]
    (home.folder / "hive.toml").write_text("\n".join(["[models]", *lines]))
    answer = home.hive("check", f"./rising.py:{team}", "--json")
    assert answer.code == 0
    named = {seat["model"] for seat in answer.json["seats"]}
    assert {"ollama:small", "ollama:medium"} <= set(" or ".join(named).split(" or "))
