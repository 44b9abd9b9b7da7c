"""`hive replay`: the same comes of it, or something else, or it cannot be told; on real files."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Here


def change(here: Here, before: str, after: str) -> None:
    """Edit the team's file."""
    team = here.folder / "team.py"
    text = team.read_text()
    assert before in text
    team.write_text(text.replace(before, after))


@pytest.fixture
def recorded(here: Here) -> Here:
    """A folder in which a run has been made by the real command, which wrote a file."""
    ran = here.really("run", "team:scribes", "write", "--workspace", "work", "--plain")
    assert ran.code == 0, ran.err
    return here


def test_a_run_replays_without_asking_writing_or_touching_anything(recorded: Here) -> None:
    shutil.rmtree(recorded.folder / "work")
    journal = recorded.folder / ".hive" / "journal.db"
    before = journal.read_bytes()
    answer = recorded.really("replay", "last")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith("identical: ")
    assert journal.read_bytes() == before
    assert not (recorded.folder / "work").exists()


def test_a_change_shows_with_both_sides_and_its_likely_cause(recorded: Here) -> None:
    change(recorded, '"Judge the draft."', '"Judge the draft. Be fair."')
    answer = recorded.really("replay", "last")
    assert answer.code == 1
    assert "entries the same, then 2/critic/0.0 differs" in answer.out
    row = next(line for line in answer.out.splitlines() if line.startswith("system"))
    assert row.split(maxsplit=1)[1].split("  ")[0] == "Judge the draft."
    assert row.rstrip().endswith("Judge the draft. Be fair.")
    assert "Likely cause: the system prompt of critic changed" in answer.out
    assert "role critic: instructions: Judge the draft. -> Judge the draft. Be fair." in answer.out


def test_json_holds_both_entries_and_what_differs(recorded: Here) -> None:
    same = recorded.hive("replay", "last", "--json").json
    assert same["identical"]
    assert (same["divergence"], same["redacted"], same["changed"]) == (None, None, [])
    change(recorded, "seen >= 2", "seen >= 1")  # a mind is not asked: nothing comes of it
    change(recorded, "write_file,))", "write_file,), corrections=1)")
    told = recorded.really("replay", "last", "--json").json
    assert told["identical"]
    assert told["changed"] == ["role writer: corrections: 2 -> 1"]
    change(recorded, "when=approved", "when=~rejected")
    divergence = recorded.really("replay", "last", "--json").json["divergence"]
    assert set(divergence) == {"address", "recorded", "now", "differences", "cause"}
    assert divergence["recorded"]["kind"] == divergence["now"]["kind"] == "Termination"


def test_what_waits_and_what_was_paused_replays_too(here: Here) -> None:
    assert here.really("run", "team:rocket", "fly", "--plain").code == 3
    assert here.hive("replay", "last").code == 0
    assert here.really("resume", "last", "--yes", "--plain").code == 0
    answer = here.hive("replay", "last")
    assert (answer.code, answer.out[:10]) == (0, "identical:")


def test_what_was_erased_and_is_needed_is_no_divergence(recorded: Here) -> None:
    erased = recorded.hive("redact", "last", "1/writer/0.1", "--why", "a name", "-y")
    assert erased.code == 0, erased.err
    answer = recorded.hive("replay", "last")
    assert answer.code == 0
    assert "redacted: 4 entries the same, until the content of 1/writer/0.1" in answer.out
    assert recorded.hive("replay", "last", "--json").json["redacted"] == "1/writer/0.1"


def test_another_team_shows_what_it_would_have_done_first(recorded: Here) -> None:
    answer = recorded.really("replay", "last", "--workflow", "team:stubborn")
    assert answer.code == 1
    assert "2//0 differs" in answer.out
    assert "the workflow differs in model critic" in answer.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nothing",), "no run"),
        (("last", "--workflow", "team:nobody"), "has no 'nobody'"),
        (("last", "--journal", "gone.db"), "there is no journal at gone.db"),
    ],
)
def test_mistakes_end_in_a_sentence(recorded: Here, arguments: tuple[str, ...], said: str) -> None:
    answer = recorded.hive("replay", *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err


def test_a_team_that_is_gone_is_asked_for(recorded: Here) -> None:
    Path("team.py").unlink()
    answer = recorded.really("replay", "last")
    assert answer.code == 2
    assert "--workflow" in answer.err
