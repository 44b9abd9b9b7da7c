"""`hive check`, `graph`, `models` and `new`: what a team is before it runs."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

from hive.cli.new import FILES, PLACE
from tests.cli.conftest import Here, environment

CHECK_KEYS = {
    *("ok", "problem", "path", "name", "roles", "edges", "bounds", "seats", "budget", "limits"),
    *("policy", "allocator", "missing", "flaws", "at_most", "watches", "plan_rule"),
}


def test_check_tells_what_a_team_is(here: Here) -> None:
    answer = here.hive("check", "team:scribes")
    assert answer.code == 0
    for said in (
        "✓ team:scribes can work",
        "reads everything; writes Note; may call write_file (write)",
        "critic → writer when rejected",
        "stop when turns(8)",
        "models names the role",
        "16 strands, 24 steps",
        "graph order",
    ):
        assert said in answer.out


def test_check_names_the_bounds_that_a_chain_was_given(here: Here) -> None:
    out = here.hive("check", "team:napping").out
    assert "turns(40) | elapsed(minutes=30)" in out
    assert "these stops were added" in out


def test_check_tells_what_becomes_of_tasks_that_fail(here: Here) -> None:
    example = Path(__file__).parents[2] / "examples" / "plan_in_parallel.py"
    (here.folder / "dinner.py").write_text(example.read_text("utf-8"), "utf-8")
    out = here.hive("check", "dinner.py:dinner").out
    assert "tasks that fail" in out
    assert "done again, up to 2 attempts; then skipped, with those that need it" in out
    told = here.hive("check", "dinner.py:dinner", "--json").json
    assert told["plan_rule"] == 'PlanRule(attempts=2, then="skip")'


def test_check_as_json(here: Here) -> None:
    shown = here.hive("check", "team:capped", "--json").json
    assert set(shown) == CHECK_KEYS
    assert shown["ok"] is True
    assert shown["budget"] == {
        "usd": 1, "tokens": None, "calls": None, "turns": 3, "seconds": None,
    }  # fmt: skip
    assert shown["seats"][0] == {
        "role": "writer", "model": "program:drafts", "why": "models names the role",
        "source": "the workflow",
    }  # fmt: skip


def test_check_tells_the_caps_within_a_budget(here: Here) -> None:
    (here.folder / "within.py").write_text(
        "from hive import Budget, Role, Workflow\n"
        "from hive.models import FunctionModel\n"
        "own = Budget(turns=2, call=Budget(tokens=500))\n"
        "caps = Budget(usd='0.5', strand=Budget(usd='0.1'), roles={'writer': own})\n"
        "mind = FunctionModel(lambda request: 'done', 'mind')\n"
        "team = Workflow(Role('writer'), model=mind, budget=caps)\n"
    )
    shown = here.hive("check", "./within.py:team", "--json").json["budget"]
    assert (shown["usd"], shown["strand"]["usd"]) == (0.5, 0.1)
    assert shown["roles"]["writer"]["turns"] == 2
    assert shown["roles"]["writer"]["call"]["tokens"] == 500
    told = " ".join(here.hive("check", "./within.py:team").out.split())
    said = "usd 0.5, a strand: usd 0.1, writer: turns 2, writer: a call: tokens 500"
    assert said in told


def test_check_says_what_a_run_can_come_to(here: Here) -> None:
    out = here.hive("check", "team:scribes").out
    assert "at most" in out
    assert "unbounded" not in out
    shown = here.hive("check", "team:capped", "--json").json["at_most"]
    assert shown == {"turns": 3, "usd": 0.0, "usd_uncapped": 0.0, "unbounded": []}
    priced = here.hive("check", "team:chain", "--model", "openai:gpt-5-mini", "--json").json
    assert priced["at_most"]["turns"] == 2
    assert priced["at_most"]["usd"] > 1


def test_check_says_which_key_is_missing(here: Here) -> None:
    answer = here.hive("check", "team:chain", "--model", "openai:gpt-5-mini")
    assert answer.code == 0
    assert "OPENAI_API_KEY" in answer.out
    assert answer.out.count("the model for everyone") == 2
    missing = here.hive("check", "team:chain", "--model", "openai:gpt-5-mini", "--json").json
    assert len(missing["missing"]) == 1


def test_check_of_a_team_without_a_model(here: Here) -> None:
    answer = here.hive("check", "team:chain")
    assert answer.code == 1
    assert "role 'guest' has no model" in answer.out


def test_graph_draws(here: Here) -> None:
    drawn = here.hive("graph", "team:scribes").out
    assert drawn.startswith("flowchart")
    assert "rejected" in drawn
    assert here.hive("graph", "team:round_trip").out == drawn
    assert here.hive("graph", "team:chain", "--model", "openai:x").out.startswith("flowchart")
    assert here.hive("graph", "team:scribes", "-o", "team.svg").code == 0
    assert Path("team.svg").read_text().startswith("<svg")
    assert here.hive("graph", "team:scribes", "--format", "svg").out == Path("team.svg").read_text()


def test_a_new_team_runs_at_once(here: Here) -> None:
    answer = here.hive("new", "my teams/first")
    assert answer.code == 0
    command = next(line for line in answer.out.splitlines() if "hive run" in line)
    line = shlex.split(command.partition("   set it")[0])
    assert line[:2] == ["hive", "run"]
    ran = here.hive(*line[1:])
    assert ran.code == 0
    assert "approved: team.py is the longest file" in ran.out
    assert here.hive("check", "my teams/first/team.py:team").code == 0
    folder = here.folder / "my teams/first"
    assert {path.name for path in folder.iterdir()} >= set(FILES)
    assert not any(PLACE in (folder / name).read_text() for name in FILES)


def test_the_test_of_a_new_team_passes(here: Here) -> None:
    here.hive("new", "first")
    answer = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", "first"],
        cwd=here.folder,
        env={**environment(), "PYTEST_ADDOPTS": "-p no:asyncio"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "2 passed" in answer.stdout
