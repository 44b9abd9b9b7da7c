"""`hive run`: how a run is begun, shown and ended."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hive.audit import Record
from tests.cli.conftest import Here

RUN_KEYS = {
    *("id", "state", "outcome", "reason", "workflow", "goal", "turns", "cost_usd", "tokens"),
    *("seconds", "started", "tags", "message", "answer", "workspace", "changed", "waits_for"),
    *("journal", "parent", "cut", "paid_usd"),
}


def test_a_run_that_reaches_its_goal(here: Here) -> None:
    answer = here.hive("run", "./team.py:scribes", "a draft", "--workspace", "work")
    assert answer.code == 0
    lines = answer.out.splitlines()
    assert lines[0].startswith(f"Working in {here.folder / 'work'}: its files are changed in place")
    assert "✓ finished: the goal is reached" in answer.out
    assert "+++ b/draft.txt" in answer.out
    assert "+draft 2" in answer.out
    assert f"hive show {here.runs()[0]['id'][:10]}" in answer.out
    assert (here.folder / "work/draft.txt").read_text() == "draft 2\nend\n"


def test_what_each_line_says(here: Here) -> None:
    out = here.hive("run", "team:scribes", "a draft", "--workspace", "work").out
    assert "turn 1       writer (program:drafts)" in out
    assert "the only move allowed: critic → writer when rejected" in out
    assert "write_file(path='draft.txt', text=(2 lines)): changed draft.txt" in out
    assert "✗ Review: not approved: draft 0 was read" in out


def test_the_goal_is_not_reached(here: Here) -> None:
    answer = here.hive("run", "team:stubborn", "a draft", "--workspace", "work")
    assert answer.code == 1
    assert "✗ stopped: out of turns" in answer.out


def test_a_run_that_fails(here: Here) -> None:
    answer = here.hive("run", "team:undecided", "a draft", "--workspace", "work")
    assert answer.code == 1
    assert "✗ failed: the policy failed" in answer.out
    assert "LookupError: no idea" in answer.out


def test_a_call_that_needs_a_person_waits_and_resume_allows_it(here: Here) -> None:
    answer = here.hive("run", "team:rocket", "fly")
    assert answer.code == 3
    assert "… waiting for a person" in answer.out
    assert here.runs()[0]["state"] == "waiting"
    assert not (here.folder / "launched").exists()

    again = here.hive("resume", "last")
    assert again.code == 3

    answer = here.hive("resume", "last", "--yes")
    assert answer.code == 0
    assert "told: launched to the moon" in answer.out
    assert (here.folder / "launched").read_text() == "the moon"
    assert here.hive("resume", "last").code == 0


def test_yes_allows_what_would_wait(here: Here) -> None:
    assert here.hive("run", "team:rocket", "fly", "-y").code == 0
    with Record.open(here.folder / ".hive/journal.db", here.runs()[0]["id"]) as record:
        [approval] = record.board.of_kind("Approval")
    assert json.loads(approval.body)["by"] == "user"


def test_json_is_one_object_and_nothing_else(here: Here) -> None:
    answer = here.hive("run", "team:scribes", "a draft", "--workspace", "work", "--json")
    shown = answer.json
    assert set(shown) == RUN_KEYS
    assert shown["state"] == shown["outcome"] == "finished"
    assert shown["changed"] == ["draft.txt"]
    assert shown["tokens"] == 360
    assert shown["cost_usd"] == 0
    assert shown["turns"] == 6
    assert shown["journal"] == ".hive/journal.db"
    assert "Working in" in answer.err


def test_a_copy_leaves_the_workspace_alone(here: Here) -> None:
    (here.folder / "work/old.txt").write_text("old")
    arguments = ("run", "team:scribes", "a draft", "--workspace", "work", "--copy", "--json")
    first, second = here.hive(*arguments), here.hive(*arguments)
    assert [path.name for path in (here.folder / "work").iterdir()] == ["old.txt"]
    assert Path(first.json["workspace"]) == here.folder / "work-copy"
    assert Path(second.json["workspace"]) == here.folder / "work-copy-2"
    assert {path.name for path in (here.folder / "work-copy").iterdir()} == {"draft.txt", "old.txt"}
    assert f"a copy of {here.folder / 'work'}" in first.err


def test_a_team_that_only_reads_is_said_to(here: Here) -> None:
    answer = here.hive("run", "team:scored", "score", "--workspace", "work")
    assert "which this team only reads" in answer.out.splitlines()[0]
    assert "points=7" in answer.out


def test_caps_of_the_command_line(here: Here) -> None:
    shown = here.hive("run", "team:stubborn", "x", "--turns", "2", "--json").json
    assert (shown["reason"], shown["turns"]) == ("budget_exhausted", 2)
    shown = here.hive("run", "team:napping", "x", "--seconds", "0.05", "--json").json
    assert shown["reason"] == "time_exhausted"


def test_what_was_changed_for_a_run_is_on_record(here: Here) -> None:
    options = ("--budget", "0.5", "--turns", "9", "--seed", "7", "--tag", "one", "--tag", "two")
    assert here.hive("run", "team:scribes", "x", "--workspace", "work", *options).code == 0
    shown = here.hive("show", "--json").json
    assert shown["overrides"] == {"usd": "0.5", "turns": 9, "directory": str(here.folder)}
    assert shown["seed"] == 7
    assert shown["tags"] == ["one", "two"]


@pytest.mark.parametrize("where", ["other/runs.db", "sqlite:other/runs.db"])
def test_a_journal_of_ones_own(here: Here, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = here.hive("run", "team:scored", "score", "--journal", where)
    assert f"--journal {where}" in answer.out
    monkeypatch.setenv("HIVE_JOURNAL", where)
    assert len(here.runs()) == 1
    assert not (here.folder / ".hive").exists()


def test_a_bare_chain_needs_a_model(here: Here) -> None:
    answer = here.hive("run", "team:chain", "x")
    assert answer.code == 2
    for way in ("--model NAME", "model=NAME", "[models] in hive.toml", "HIVE_MODEL"):
        assert way in answer.err


def test_a_model_without_its_key_is_refused_before_anything_is_begun(here: Here) -> None:
    answer = here.hive("run", "team:chain", "x", "--model", "openai:gpt-5-mini")
    assert answer.code == 2
    assert "OPENAI_API_KEY" in answer.err
    assert here.runs() == []


def test_the_real_command_runs_as_a_module(here: Here) -> None:
    answer = here.really("run", "team:scored", "score it", "--json")
    assert answer.code == 0, answer.err
    assert answer.json["answer"] == '{"of":10,"points":7}'
    assert answer.err == ""
