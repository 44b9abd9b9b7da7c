"""`--prefer`, as a user calls it."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Here

TEAM = """
from hive import Role, Workflow
from hive.control import ByPreference, Escalation, Figure, invalid
from hive.models import FunctionModel

figures = (
    Figure("program:cheap", accuracy=0.6, usd=0.001),
    Figure("program:dear", accuracy=0.9, usd=0.1),
)
models = {key: FunctionModel(lambda request: "done", key) for key in ("cheap", "dear")}
critic = Role("critic", tier="cheap")
team = Workflow(
    Role("writer") >> critic, models=models, allocator=ByPreference("thrifty", figures)
)
ladder = Escalation(("cheap", "dear"), invalid, within=team.allocator)
climbing = team.with_(allocator=ladder)
plain = Workflow(Role("writer"), model=models["dear"])
"""


@pytest.fixture
def home(here: Here) -> Here:
    (here.folder / "choosy.py").write_text(TEAM)
    return here


def models(home: Here, *arguments: str) -> list[str]:
    """The models of the strands of a run."""
    assert home.hive(*arguments).code == 0
    entries = home.hive("show", "last", "--json").json["entries"]
    decided = [e["payload"] for e in entries if e["kind"] == "Decision"]
    return [plan["model"] for decision in decided for plan in decision["strands"]]


def test_a_run_goes_by_another_preference_and_has_it_on_record(home: Here) -> None:
    assert models(home, "run", "./choosy.py:team", "g") == ["program:cheap"] * 2
    chosen = models(home, "run", "./choosy.py:team", "g", "--prefer", "quality,most_usd=0.2")
    assert chosen == ["program:dear", "program:cheap"]
    shown = home.hive("show", "last", "--json").json
    assert shown["overrides"]["prefer"] == "quality,most_usd=0.2"
    told = home.hive("show", "last").out
    assert "* dear: program:dear (accuracy 0.9, $ 0.1)  p=1  score=0.1" in told
    assert "  cheap: program:cheap (accuracy 0.6, $ 0.001)  p=0  score=0.9" in told


def test_a_fork_goes_by_another_preference(home: Here) -> None:
    models(home, "run", "./choosy.py:team", "g")
    forked = models(home, "fork", "last", "--at", "turn:1", "--prefer", "accuracy>cost")
    assert forked == ["program:dear", "program:cheap"]


@pytest.mark.parametrize(
    ("preference", "told"),
    [
        ("quality", {"program:dear": "the preference"}),
        (
            "accuracy=1,cost=9,spread=3",
            {"program:cheap": "the preference, p=0.75", "program:dear": "the preference, p=0.25"},
        ),
    ],
)
def test_check_says_who_gets_what(home: Here, preference: str, told: dict[str, str]) -> None:
    answer = home.hive("check", "./choosy.py:team", "--prefer", preference, "--json")
    seats = answer.json["seats"]
    assert {s["model"]: s["why"] for s in seats if s["role"] == "writer"} == told
    assert [s["why"] for s in seats if s["role"] == "critic"] == ["the role's own tier, 'cheap'"]


@pytest.mark.parametrize(
    ("team", "preference", "told"),
    [
        ("plain", "thrifty", "are chosen by ByComplexity, and by no preference; with"),
        ("team", "cheap", "--prefer: preference 'cheap': there is no profile 'cheap'"),
    ],
)
def test_a_preference_that_changes_nothing_is_a_mistake(
    home: Here, team: str, preference: str, told: str
) -> None:
    answer = home.hive("run", f"./choosy.py:{team}", "g", "--prefer", preference)
    assert answer.code == 2
    assert told in " ".join(answer.err.split())


def test_a_preference_within_a_ladder_can_be_another(home: Here) -> None:
    assert models(home, "run", "./choosy.py:climbing", "g") == ["program:cheap"] * 2
    other = ("run", "./choosy.py:climbing", "g", "--prefer", "quality")
    assert models(home, *other) == ["program:dear", "program:cheap"]


def test_limits_that_no_model_keeps_are_told_before_anything_is_asked(home: Here) -> None:
    answer = home.hive("check", "./choosy.py:team", "--prefer", "cost=1,min_accuracy=0.95")
    assert answer.code == 1
    assert "program:dear breaks min_accuracy=0.95" in " ".join(answer.out.split())
    assert "--model" not in answer.out
