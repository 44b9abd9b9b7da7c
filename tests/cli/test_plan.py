"""`hive plan`, as a user calls it: nothing is run, and nothing is made up."""

from __future__ import annotations

from statistics import stdev
from typing import Any

import pytest

from tests.cli.conftest import Here

TEAM = """
from hive import Graph, Role, Workflow, finish, handoff, start, stop, turns
from hive.control import (
    TABLE, AcrossModels, Allotment, ByComplexity, ByPreference, Chooser, Escalation, Figure,
    ModelEstimator, WrittenBy, escalating, invalid, level, skip_team,
)
from hive.message import Reply, Text, Usage
from hive.models import FunctionModel, ModelCard, Prices

def speak(name, price=None):
    def say(request):
        return Reply(parts=(Text(text="done"),), usage=Usage(input=100, output=10))
    model = FunctionModel(say, name)
    if price:
        prices = Prices.usd(price, price)
        model.card = ModelCard(f"program:{name}", window=1000, max_output=100, prices=prices)
    return model

async def count(view):
    return None

models = {"small": speak("small", 1), "large": speak("large", 10)}
solo, planner, coder = Role("solo"), Role("planner"), Role("coder", work="coding")
counter = Role("counter", program=count)
graph = Graph(*skip_team(
    solo, start(planner), handoff(planner, coder), handoff(coder, counter), finish(counter),
    handoff(counter, coder, when=~turns(5)), stop(when=turns(9)),
))
team = Workflow(graph, models=models)
row = Allotment("small", tiers={"coding": "large"}, review="panel")
strict = team.with_(allocator=ByComplexity(TABLE.with_(simple=row)))
told = team.with_(synthesis=WrittenBy(Role("teller")))
asking = team.with_(estimator=ModelEstimator(), policy=Chooser())
figures = (
    Figure("program:small", accuracy=0.6, usd=0.001),
    Figure("program:large", accuracy=0.9, usd=0.1),
)
preferred = ByPreference("cost=9,accuracy=1,spread=3", figures)
sure = Workflow(planner >> coder, models=models, allocator=ByPreference("cost=1", figures))
choosy = Workflow(planner >> coder, models=models, allocator=preferred)
sampled = Workflow(
    Graph(start(solo, samples=3), handoff(solo, coder), finish(coder)),
    models=models, allocator=AcrossModels(("small", "large"), within=preferred),
)
ladder = Escalation(("small", "large"), invalid, figures=figures)
rungs = Graph(start(coder), *escalating(coder, ladder))
climbing = Workflow(rungs, models=models, allocator=ladder)
begun = climbing.with_(allocator=Escalation(("small", "large"), invalid, within=preferred))
late = Workflow(
    Graph(
        start(solo), handoff(solo, planner), handoff(solo, coder), finish(planner), finish(coder),
    ),
    models=models, policy=Chooser(),
)
never = Workflow(solo >> coder, models=models, policy=Chooser())
strange = {"planner": speak("p"), "coder": "openai:never-heard-of"}
unpriced = Workflow(planner >> coder, models=strange)
one = models["small"]
shut = Workflow(Graph(start(solo, when=level("critical")), finish(solo)), model=one)
two = Workflow(Graph(start(solo), start(planner), finish(solo), finish(planner)), model=one)
"""
HARD = "Rewrite billing and migrate the production database"


@pytest.fixture
def home(here: Here) -> Here:
    (here.folder / "plans.py").write_text(TEAM)
    return here


def planned(home: Here, *arguments: str, code: int = 0) -> Any:
    answer = home.hive("plan", *arguments, "--json")
    assert answer.code == code, answer.err
    return answer.json


def got(plan: Any) -> dict[str, list[str]]:
    return {one["role"]: [model["model"] for model in one["models"]] for one in plan["roles"]}


def test_a_trivial_goal_skips_the_team(home: Here) -> None:
    plan = planned(home, "./plans.py:team", "Fix a typo")
    assert plan["ok"] is True
    assert plan["complexity"]["level"] == "trivial"
    assert plan["complexity"]["signals"]["kind: cosmetic"] == -1
    assert plan["complexity"]["uncertainty"]["no plan yet"] == 0.5
    assert sum(plan["complexity"]["probabilities"].values()) == pytest.approx(1)
    assert plan["allotted"] == {"strands": 16, "review": "none", "checkpoint": False}
    assert plan["first"] == [
        {"move": "solo", "edge": "start → solo when level(trivial)", "probability": 1}
    ]
    assert plan["way"] == ["solo"]
    assert [(one["role"], one["turn"]) for one in plan["roles"]] == [
        ("solo", 1), ("planner", 2), ("coder", 3), ("counter", 4),
    ]  # fmt: skip
    assert set(got(plan)["solo"]) == {"program:small"}


def test_a_hard_goal_takes_the_team_and_the_large_model(home: Here) -> None:
    plan = planned(home, "./plans.py:team", HARD)
    assert plan["complexity"]["level"] == "critical"
    assert plan["allotted"] == {"strands": 16, "review": "adversarial", "checkpoint": True}
    assert (plan["way"], plan["unreached"]) == (["planner", "coder", "counter"], ["solo"])
    assert got(plan) == {
        "planner": ["program:large"], "coder": ["program:large"], "counter": ["program:count"],
    }  # fmt: skip
    assert plan["roles"][0]["models"] == [
        {
            "key": "large",
            "model": "program:large",
            "tier": "large",
            "probability": 1,
            "why": "tier 'large' for critical work",
            "source": "the workflow",
        }
    ]
    assert plan["roles"][2]["models"][0]["why"] == "the role is a program"


def test_the_table_says_who_gets_what_and_what_is_reviewed(home: Here) -> None:
    plan = planned(home, "./plans.py:strict", "Fix the bug in gcd")
    assert plan["allotted"]["review"] == "panel"
    assert (got(plan)["planner"], got(plan)["coder"]) == (["program:small"], ["program:large"])


def test_nothing_is_made_up_of_what_it_will_cost(home: Here) -> None:
    plan = planned(home, "./plans.py:team", HARD)
    assert set(plan["expected"].values()) == {None}
    # planner, coder, counter, coder, counter; 24 steps of whoever is no program
    strand = 24 * (1000 + 100) * 10 * 1000
    assert plan["at_most"] == {
        "turns": 5, "usd": 3 * strand / 10**9, "usd_uncapped": 3 * strand / 10**9, "unbounded": [],
    }  # fmt: skip
    # and for a trivial goal solo, which may fail, before them
    assert planned(home, "./plans.py:team", "Fix a typo")["at_most"]["turns"] == 6
    assert (
        "expected        not known: no finished run"
        in home.hive("plan", "./plans.py:team", HARD).out
    )
    bare = planned(home, "./plans.py:unpriced", HARD)
    assert bare["at_most"]["usd"] is None
    assert "the price of openai:never-heard-of is not known" in bare["at_most"]["unbounded"]


def test_what_runs_have_cost_is_what_one_is_expected_to_cost(home: Here) -> None:
    for goal in ("Fix a typo", "Rename it", HARD):
        assert home.hive("run", "./plans.py:team", goal).code == 0
    runs = {run["goal"]: run for run in home.runs()}
    easy = planned(home, "./plans.py:team", "Fix a comment")["expected"]
    costs = [runs["Fix a typo"]["cost_usd"], runs["Rename it"]["cost_usd"]]
    assert (easy["by"], easy["runs"], easy["level"]) == ("runs", 2, "trivial")
    assert easy["usd"] == pytest.approx(sum(costs) / 2)
    assert (easy["least"], easy["most"]) == (min(costs), max(costs))
    assert easy["turns"] == 1
    assert easy["usd"] == pytest.approx(110 / 10**6)
    # There is none on moderate work; a fork has paid for a part of what it did alone.
    cut = ("--at", "turn:2", "--instruction", "coder=Do it well.")
    assert home.hive("fork", home.runs()[0]["id"], *cut).code == 0
    every = planned(home, "./plans.py:team", "Fix the refund bug")["expected"]
    assert (every["runs"], every["level"]) == (3, None)
    assert every["spread"] == pytest.approx(stdev([*costs, runs[HARD]["cost_usd"]]))
    hard = planned(home, "./plans.py:team", HARD)["expected"]
    assert hard["usd"] > 10 * easy["usd"]
    assert (hard["runs"], hard["spread"], hard["usd"]) == (1, None, runs[HARD]["cost_usd"])
    other = planned(home, "./plans.py:team", "Fix the bug in gcd")["expected"]
    assert (other["runs"], other["level"]) == (3, None)  # no run was on simple work
    told = home.hive("plan", "./plans.py:team", "Fix a comment").out
    assert "mean of 2 finished runs of it on trivial work on record" in told


def test_runs_with_other_models_are_no_experience(home: Here) -> None:
    assert home.hive("run", "./plans.py:team", "Fix a typo").code == 0
    plan = planned(home, "./plans.py:team", "Fix a typo", "--model", "small=openai:gpt-5-mini")
    assert plan["expected"]["by"] is None
    assert got(plan)["solo"] == ["openai:gpt-5-mini"]
    assert plan["roles"][0]["models"][0]["source"] == "--model"


def test_figures_say_what_the_shortest_way_costs(home: Here) -> None:
    plan = planned(home, "./plans.py:choosy", "Fix the bug in gcd")
    shares = {model["model"]: model["probability"] for model in plan["roles"][0]["models"]}
    assert sum(shares.values()) == pytest.approx(1)
    one = 0.001 * shares["program:small"] + 0.1 * shares.get("program:large", 0)
    assert plan["expected"]["by"] == "figures"
    assert plan["expected"]["usd"] == pytest.approx(2 * one)
    dear = planned(home, "./plans.py:choosy", "g", "--prefer", "accuracy>cost")
    assert dear["expected"]["usd"] == pytest.approx(0.2)
    assert (
        "by the figures, if it goes planner → coder"
        in home.hive("plan", "./plans.py:choosy", "g").out
    )


def test_who_is_asked_first_is_said(home: Here) -> None:
    plan = planned(home, "./plans.py:asking", HARD)
    assert plan["assessor"] == "assessor"
    assert [(one["role"], one["turn"]) for one in plan["roles"]] == [
        ("assessor", 1), ("planner", 2), ("coder", 3), ("counter", 4),
    ]  # fmt: skip
    assert plan["unreached"] == ["solo", "chooser"]  # who advises where there is a choice
    told = home.hive("plan", "./plans.py:asking", HARD).out
    assert "assessor is asked first how hard the work is, and may say otherwise" in told


def test_who_writes_the_answer_acts_after_all_others(home: Here) -> None:
    plan = home.hive("plan", "plans:told", HARD, "--json").json
    assert plan["roles"][-1]["role"] == "teller"
    assert plan["roles"][-1]["turn"] == len(plan["way"]) + 1
    assert "teller" not in plan["unreached"]


def test_the_policy_says_which_of_several_moves_comes_first(home: Here) -> None:
    first = planned(home, "./plans.py:two", "g")["first"]
    assert [(one["move"], one["probability"]) for one in first] == [("solo", 1), ("planner", 0)]


def test_a_goal_that_no_move_is_allowed_for(home: Here) -> None:
    plan = planned(home, "./plans.py:shut", "Fix a typo", code=1)
    assert (plan["ok"], plan["roles"], plan["unreached"]) == (False, [], ["solo"])
    assert "level(critical): trivial" in plan["lacking"]
    assert "no move was allowed" in home.hive("plan", "./plans.py:shut", "Fix a typo").out


def test_caps_of_the_command_count(home: Here) -> None:
    plan = planned(home, "./plans.py:team", HARD, "--budget", "0.01", "--turns", "3")
    assert plan["at_most"]["usd"] == 0.01
    assert plan["at_most"]["turns"] == 3


def test_people_are_told_all_of_it_in_lines(home: Here) -> None:
    told = home.hive("plan", "./plans.py:team", HARD).out
    for line in (
        "critical work (complex 4%, critical 96%)",
        "  kind: rework        +2 ± 0.5",
        "  no plan yet         not known yet ± 0.5",
        "at most 16 strands beside each other in a turn",
        "three, blind to each other, and a devil's advocate, where the graph offers it",
        "asked before anything outside the board is touched",
        "  the shortest way: planner → coder → counter → finish",
        "not from here: solo",
        "at most, turns",
    ):
        assert line in told


def test_nothing_is_kept_and_nobody_is_asked(home: Here) -> None:
    (home.folder / "loud.py").write_text(
        "from hive import Role, Workflow\nfrom hive.models import FunctionModel\n"
        "def loud(request):\n    raise SystemExit('asked')\n"
        "team = Workflow(Role('a') >> Role('b'), model=FunctionModel(loud))\n"
    )
    assert home.hive("plan", "./loud.py:team", "g").code == 0
    assert not (home.folder / ".hive").exists()


def test_a_team_that_could_not_work_is_refused(home: Here) -> None:
    (home.folder / "wrong.py").write_text(
        "from hive import *\na, b = Role('a'), Role('b')\n"
        "team = Workflow(Graph(start(a), handoff(a, b), handoff(b, a)), model='openai:gpt-5')\n"
    )
    answer = home.hive("plan", "./wrong.py:team", "g")
    assert answer.code == 1
    assert "✗ ./wrong.py:team cannot work" in answer.out
    assert home.hive("plan", "./wrong.py").code == 2


def test_each_sample_is_told_with_its_model_and_counted(home: Here) -> None:
    plan = planned(home, "./plans.py:sampled", "Fix a typo")
    assert plan["way"] == ["solo ×3", "coder"]
    assert [(one["model"], one["why"]) for one in plan["roles"][0]["models"]] == [
        ("program:small", "sample 1 of 3"),
        ("program:large", "sample 2 of 3"),
        ("program:small", "sample 3 of 3"),
    ]
    small, large = [one["probability"] for one in plan["roles"][1]["models"]]
    alone = small * 0.001 + large * 0.1
    assert plan["expected"]["usd"] == pytest.approx(0.001 + 0.1 + 0.001 + alone)


def test_the_rungs_of_a_ladder_are_told(home: Here) -> None:
    (coder,) = planned(home, "./plans.py:climbing", "Fix a typo")["roles"]
    assert [(one["model"], one["probability"], one["why"]) for one in coder["models"]] == [
        ("program:small", 1, "rung 1 of 2: it begins here"),
        ("program:large", None, "rung 2 of 2: where there is doubt in its work"),
    ]
    assert "rung 2 of 2" in home.hive("plan", "./plans.py:climbing", "Fix a typo").out


def test_what_is_drawn_within_another_allocator_is_told_whole(home: Here) -> None:
    plan = planned(home, "./plans.py:begun", "Fix a typo")
    shares = {one["model"]: one["probability"] for one in plan["roles"][0]["models"]}
    assert shares.keys() == {"program:small", "program:large"}
    assert sum(shares.values()) == pytest.approx(1)
    expected = shares["program:small"] * 0.001 + shares["program:large"] * 0.1
    assert plan["expected"]["usd"] == pytest.approx(expected)


def test_who_advises_acts_where_there_is_a_choice(home: Here) -> None:
    late = planned(home, "./plans.py:late", "Fix a typo")
    assert [(one["role"], one["turn"]) for one in late["roles"]][:2] == [
        ("solo", 1),
        ("chooser", 2),
    ]
    never = planned(home, "./plans.py:never", "Fix a typo")
    assert never["unreached"] == ["chooser"]


def test_runs_by_another_preference_say_nothing_of_this_one(home: Here) -> None:
    asked = ("./plans.py:sure", "Fix a typo")
    assert home.hive("run", *asked).code == 0
    runs = planned(home, *asked)["expected"]
    assert (runs["by"], runs["runs"]) == ("runs", 1)
    other = planned(home, *asked, "--prefer", "accuracy=1")["expected"]
    assert (other["by"], other["usd"]) == ("figures", 0.2)


def test_what_is_more_than_a_run_may_cost_is_said_to_be(home: Here) -> None:
    told = home.hive("plan", "./plans.py:sure", "Fix a typo", "--budget", "0.001").out
    assert "and no further; more than it may cost\n" in told
    assert "more than" not in home.hive("plan", "./plans.py:sure", "Fix a typo").out
