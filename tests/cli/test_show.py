"""`hive show` and `hive runs`: what happened, for people and for programs."""

from __future__ import annotations

from pathlib import Path

import pytest

from hive.cli.runs import STATES, widths
from tests.cli.conftest import Here
from tests.cli.sample_team import NASTY

RUNS_KEYS = {
    *("id", "state", "outcome", "reason", "workflow", "goal", "turns", "cost_usd"),
    *("tokens", "seconds", "started", "tags", "parent", "cut", "paid_usd"),
}
ENTRY_KEYS = {
    *("seq", "address", "attempt", "author", "kind", "kind_version", "origin", "label"),
    *("causes", "at", "digest", "payload"),
}


@pytest.fixture
def told(here: Here) -> Here:
    """A folder with one finished run."""
    assert here.hive("run", "team:scribes", "a short draft", "--workspace", "work").code == 0
    return here


def test_a_transcript_tells_the_whole_run(told: Here) -> None:
    out = told.hive("show").out
    assert "✓ finished: the goal is reached" in out
    assert "goal  a short draft" in out
    assert "turn 3  writer" in out
    assert "the only move allowed: critic → writer when rejected; by graph order" in out
    assert "work (" in out
    assert "writer gets program:drafts, found under 'writer'" in out
    assert "asked program:drafts · 100 tokens in, 20 out · $0 · " in out
    assert "write_file(path='draft.txt', text=(2 lines))  changed draft.txt" in out
    assert "Note draft 0" in out
    assert "Review not approved: draft 0 was read" in out
    *_, used, factors = out.rstrip().splitlines()
    assert used.startswith("run ")
    assert factors == "factors: review blocked ×2 [2/critic/0.2]"


def test_what_was_given_for_a_run_is_told_in_words(here: Here) -> None:
    (here.folder / "hive.toml").write_text('[models]\nlarge = "ollama:qwen3"\n', "utf-8")
    run = ("run", "team:scribes", "draft", "--workspace", "work", "--turns", "9")
    assert here.hive(*run, "--model", "small=ollama:qwen3").code == 0
    head = here.hive("show").out.splitlines()[1]
    assert " · models small=ollama:qwen3 · " in head
    assert "turns 9" in head
    assert "{" not in head


def test_what_each_strand_takes_up_and_what_becomes_of_tasks_is_told(here: Here) -> None:
    example = Path(__file__).parents[2] / "examples" / "plan_in_parallel.py"
    (here.folder / "dinner.py").write_text(example.read_text("utf-8"), "utf-8")
    assert here.hive("run", "dinner.py:dinner", "A dinner.").code == 0
    out = here.hive("show").out
    assert "Task plates: fill the plates (after soup, table)" in out
    assert "cook@1.2 gets program:cooks" in out
    assert "    takes up Task stock: boil the bones\n" in out
    assert "TaskChange soup adjusted: attempt 1 of 2 failed" in out
    assert "TaskChange sauce skipped: it needs souffle, which is skipped" in out


SHORT = """
from hive import Budget, Role, Workflow
from hive.control import WrittenBy
from hive.testing import FunctionModel

model = FunctionModel(lambda request: request.system.split("'")[1] + " spoke")
budget = Budget(roles={"ben": Budget(calls=0)})
teller = WrittenBy(Role("teller"))
team = Workflow(Role("ann") >> Role("ben"), model=model, budget=budget, synthesis=teller)
"""


def test_a_transcript_tells_what_was_short_and_who_wrote_the_answer(here: Here) -> None:
    (here.folder / "shorts.py").write_text(SHORT)
    assert here.hive("run", "shorts:team", "talk").code == 1
    out = " ".join(here.hive("show").out.split())
    why = "role 'ben' has made all the calls it may: 0"
    assert f"is short of budget ben: no room for *, {why}" in out
    assert "turn 2 teller the run has ended (budget_exhausted), and teller writes" in out
    assert "answer teller spoke" in out
    assert f"stopped: the budget is used up nobody can be asked any more; ben: {why}" in out
    assert here.hive("replay", "last").code == 0


def test_strands_beside_each_other_are_told_apart(here: Here) -> None:
    assert here.hive("run", "team:several", "greet").code == 0
    out = here.hive("show", "--turn", "1").out
    assert "turn 1  guest, judge" in out
    assert "\n  guest\n" in out
    assert "\n  judge\n" in out
    assert "Score points=7, of=10" in out or "Score of=10, points=7" in out
    assert "turn 2" not in out


def test_prompts_show_what_was_asked(told: Here) -> None:
    out = told.hive("show", "--prompts", "--turn", "1").out
    assert "│ You are the role 'writer'." in out
    assert "│ tools: write_file" in out
    assert "│ [0//1] Goal by user (trusted)" in out
    assert "│ It is your turn, writer." in out
    assert "│ calls write_file" in out


def test_entries_of_a_kind_or_an_author_in_full(told: Here) -> None:
    out = told.hive("show", "--kind", "Review", "--turn", "2").out
    assert out.startswith("[2/critic/0.2] Review by critic (")
    assert '"approved": false' in out
    assert told.hive("show", "--author", "user").out.startswith("[0//1] Goal by user (trusted)")
    out = told.hive("show", "--kind", "Request", "--prompts", "--turn", "2").out
    assert "│ answers with the JSON of Review" in out


def test_json_of_a_run(told: Here) -> None:
    shown = told.hive("show", "--json").json
    assert set(shown) > RUNS_KEYS
    assert shown["answer"]
    assert shown["factors"] == [{"factor": "review_blocked", "times": 2, "at": "2/critic/0.2"}]
    assert [entry["seq"] for entry in shown["entries"]] == list(range(len(shown["entries"])))
    assert all(set(entry) == ENTRY_KEYS for entry in shown["entries"])
    assert "prompts" not in shown

    shown = told.hive("show", "--json", "--turn", "1", "--prompts").json
    assert {entry["address"].split("/")[0] for entry in shown["entries"]} == {"1"}
    first, second = shown["prompts"]
    assert first["messages"][0]["parts"][0]["source"] == "0//1"
    assert [message["role"] for message in second["messages"]] == ["user", "assistant", "tool"]
    assert first["tools"][0]["name"] == "write_file"


def test_a_run_is_found_by_the_beginning_of_its_id(told: Here) -> None:
    whole = told.runs()[0]["id"]
    assert told.hive("show", whole[:12]).out == told.hive("show", whole.upper()).out
    told.hive("run", "team:scored", "again")
    answer = told.hive("show", "0")
    assert answer.code == 2
    assert "2 runs have ids that begin with '0'" in answer.err


def test_runs_are_listed_newest_first(told: Here) -> None:
    told.hive("run", "team:stubborn", "hopeless", "--tag", "x")
    told.hive("run", "team:rocket", "fly")
    told.hive("run", "team:undecided", "choose")
    listed = told.runs()
    assert all(set(run) == RUNS_KEYS for run in listed)
    assert [run["state"] for run in listed] == ["failed", "waiting", "stopped", "finished"]
    assert [run["reason"] for run in listed] == [
        "policy_error", None, "turns_exhausted", "goal_reached",
    ]  # fmt: skip
    assert listed[2]["tags"] == ["x"]
    assert listed[3]["workflow"] == "team:scribes"
    assert listed[3]["goal"] == "a short draft"
    assert len(told.hive("runs", "--json", "-n", "2").json) == 2

    out = told.hive("runs").out
    assert "stopped: out of turns" in out
    assert "failed: the policy failed" in out


def test_no_runs_yet(here: Here) -> None:
    assert here.hive("runs", "--json").json == []
    answer = here.hive("runs")
    assert (answer.code, answer.err) == (0, "")
    assert "No runs yet" in answer.out
    assert not (here.folder / ".hive").exists(), "looking leaves nothing behind"


def test_nothing_that_was_said_reaches_the_terminal_as_a_command(here: Here) -> None:
    said = here.hive("run", "team:nasty", f"goal {NASTY}", "--workspace", "work").out
    for line in (["show"], ["show", "--prompts"], ["show", "--kind", "Note"], ["runs"]):
        said += here.hive(*line).out
    assert not set("\x1b\x07\x9b\u202e") & set(said)
    assert "+file \ufffd[2J" in said
    assert here.hive("run", "team:nasty", "x", "--json").json["answer"] == f"note {NASTY}"


@pytest.mark.parametrize("room", [80, 100, 160])
def test_a_narrow_terminal_still_shows_what_a_run_was_about(room: int) -> None:
    row = ("01m7zered0", "finished: the goal is reached", "12 minutes ago", "15 s", "2", "$0.13")
    wide = widths([(*row, "roles.team:repair", "make the tests pass, all of them" * 3)], room)
    assert sum(wide.values()) + 2 * 7 == room
    assert wide["goal"] >= 12
    assert wide["state"] >= len("finished")
    assert wide["run"] == len(row[0])


def test_every_state_has_its_colour() -> None:
    from typing import get_args

    from hive.audit import RunState

    assert set(STATES) == set(get_args(RunState))
