"""`hive verify`, `sign`, `export`, `redact` and `prune`, as a user calls them."""

from __future__ import annotations

import io
import json
import sqlite3
import sys
from pathlib import Path
from typing import Any

import pytest

from hive.board.contributions import Note
from hive.journal.sqlite import SQLiteJournal
from tests.audit.journals import Written
from tests.board.boards import post
from tests.cli.conftest import Here

VERIFY_KEYS = {"run", "holds", "entries", "shared", "head", "erased", "unfinished", "finding"}


@pytest.fixture
def told(here: Here) -> Here:
    """A folder with one finished run."""
    assert here.hive("run", "team:scribes", "a short draft", "--workspace", "work").code == 0
    return here


def tamper(here: Here, command: str) -> None:
    with sqlite3.connect(here.folder / ".hive/journal.db") as db:
        assert db.execute(command).rowcount
    db.close()


def cut_off(here: Here, rows: int) -> None:
    """Take the last entries out, with what they say."""
    for table in ("entries", "contents"):
        tamper(here, f"DELETE FROM {table} WHERE id > (SELECT max(id) - {rows} FROM {table})")


def test_a_run_that_is_as_it_was_written_verifies(told: Here) -> None:
    answer = told.hive("verify")
    assert answer.code == 0
    assert "✓ run " in answer.out
    assert "entries hold" in answer.out
    shown = told.hive("verify", "last", "--json").json
    assert set(shown) == VERIFY_KEYS
    assert shown["holds"]
    assert shown["entries"] == len(told.hive("show", "--json").json["entries"])


def test_in_a_terminal_it_is_shown_how_far_verifying_has_come(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = SQLiteJournal(here.folder / ".hive/journal.db")
    written = Written(journal)
    for _ in range(5000):
        post(written.board, Note(text="x"), f"1/writer/{len(written.board.entries)}")
    written.end()
    journal.close()
    monkeypatch.setenv("FORCE_COLOR", "1")
    answer = here.hive("verify", "--json")
    assert answer.json["entries"] == 5002
    assert "verifying" in answer.err
    monkeypatch.delenv("FORCE_COLOR")
    assert here.hive("verify").err == ""


def test_the_first_entry_that_does_not_fit_is_named(told: Here) -> None:
    tamper(told, "UPDATE contents SET body = x'7b7d' WHERE id & 255 = 5")
    answer = told.hive("verify")
    assert answer.code == 4
    assert "does not hold" in answer.out
    assert "entry 5 (1/writer/0.2, ToolCall by writer): its content is not the one" in answer.out
    assert "5 entries before that hold" in answer.out
    shown = told.hive("verify", "--json")
    assert shown.code == 4
    assert shown.json["finding"]["number"] == shown.json["entries"] == 5
    for line in (["sign", "last", "--key", "k", "--new-key"], ["export", "last", "--to", "a.db"]):
        answer = told.hive(*line)
        assert answer.code == 4
        assert "does not hold" in answer.out
    assert not (told.folder / "a.db").exists()


def test_a_signed_head_shows_what_was_cut_off(told: Here) -> None:
    assert told.hive("sign", "last", "--key", "key", "--new-key", "--to", "head.json").code == 0
    assert (told.folder / "key").stat().st_mode & 0o777 == 0o600
    answer = told.hive("verify", "--head", "head.json", "--public-key", "key.pub")
    assert answer.code == 0
    assert "signed by the key given" in answer.out
    answer = told.hive("verify", "--head", "head.json")
    assert "which the file itself says" in answer.out

    before = told.hive("verify", "--json").json["entries"]
    cut_off(told, 2)
    assert told.hive("verify").code == 0, "nothing in the journal shows that"
    answer = told.hive("verify", "--head", "head.json", "--json")
    assert answer.code == 4
    assert answer.json["finding"]["number"] == before - 2
    assert "exported with" in answer.json["finding"]["what"]
    assert answer.json["signed_by"]
    assert not answer.json["pinned"]
    told.hive("prune", "last", "-y")
    answer = told.hive("verify", "--head", "head.json")
    assert answer.code == 4
    assert "the journal holds nothing of this run" in answer.out


def test_a_head_somebody_else_signed_or_altered_is_not_accepted(told: Here) -> None:
    told.hive("sign", "last", "--key", "key", "--new-key", "--to", "head.json")
    told.hive("sign", "last", "--key", "other", "--new-key", "--to", "other.json")
    answer = told.hive("verify", "--head", "other.json", "--public-key", "key.pub")
    assert (answer.code, "signed with another key" in answer.out) == (4, True)
    data = json.loads((told.folder / "head.json").read_text())
    data["statement"]["entries"] -= 1
    Path("altered.json").write_text(json.dumps(data))
    answer = told.hive("verify", "--head", "altered.json")
    assert (answer.code, "the file was altered" in answer.out) == (4, True)
    told.hive("export", "last", "--head", "--to", "unsigned.json")
    assert told.hive("verify", "--head", "unsigned.json").code == 0
    answer = told.hive("verify", "--head", "unsigned.json", "--public-key", "key.pub")
    assert (answer.code, "the head is not signed" in answer.out) == (4, True)


def test_a_head_is_what_anybody_can_check_without_hive(told: Here) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    told.hive("sign", "last", "--key", "key", "--new-key", "--to", "head.json")
    file = json.loads(Path("head.json").read_text())
    statement = json.dumps(file["statement"], sort_keys=True, separators=(",", ":")).encode()
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(file["public_key"]))
    key.verify(bytes.fromhex(file["signature"]), statement)


def test_keys_are_never_overwritten(told: Here) -> None:
    told.hive("sign", "last", "--key", "key", "--new-key")
    before = Path("key").read_bytes()
    answer = told.hive("sign", "last", "--key", "key", "--new-key")
    assert (answer.code, "is there already" in answer.err) == (2, True)
    Path("key.pub").unlink()
    assert told.hive("sign", "last", "--key", "key", "--new-key").code == 2
    assert Path("key").read_bytes() == before
    assert told.hive("sign", "last", "--key", "key").json["statement"]["entries"]


@pytest.mark.parametrize("target", ["missing/head.json", "team.py", "team.py/head.json"])
def test_no_key_is_made_for_a_head_that_cannot_be_written(told: Here, target: str) -> None:
    answer = told.hive("sign", "last", "--key", "key", "--new-key", "--to", target)
    assert (answer.code, len(answer.err.splitlines())) == (2, 1)
    assert told.hive("sign", "zzz", "--key", "key", "--new-key").code == 2
    assert not Path("key").exists()
    assert told.hive("sign", "last", "--key", "key", "--new-key", "--to", "head.json").code == 0


MISTAKES = [
    (["verify", "--public-key", "key.pub"], "give --head FILE too"),
    (["verify", "--head", "missing.json"], "missing.json cannot be read"),
    (["verify", "--head", "team.py"], "no head that Hive exported"),
    (["verify", "--head", "head.json", "--public-key", "team.py"], "no public key"),
    (["verify", "zzz"], "no run's id begins with 'zzz'"),
    (["sign", "last", "--key", "missing"], "missing cannot be read"),
    (["sign", "last", "--key", "team.py"], "no private key"),
    (["sign", "last", "--key", "key", "--to", "team.py"], "is there already"),
    (["export", "last"], "say where to"),
    (["export", "last", "--head", "--jsonl"], "two things"),
    (["export", "last", "--jsonl", "--to", "team.py"], "is there already"),
    (["redact", "last", "--why", "x"], "in one way"),
    (["redact", "last", "1", "--text", "abcd", "--why", "x"], "in one way"),
    (["redact", "last", "1"], "--why"),
    (["redact", "last", "--text", "abc", "--why", "x"], "4 letters or more"),
    (["redact", "last", "--text", "draft", "--why", "a draft"], "must not contain"),
    (["redact", "last", "--text", "draft", "--why", "x", "--by", "draftsman"], "must not contain"),
    (["redact", "last", "1", "--why", " ", "-y"], "--why is empty"),
    (["redact", "last", "999", "--why", "x", "-y"], "no entry '999'"),
    (["redact", "last", "--file", "nowhere", "--why", "x", "-y"], "no content of a file 'nowhere'"),
    (["redact", "last", "0", "--why", "x", "-y"], "which run this is"),
    (["redact", "last", "1", "--why", "x"], "nobody can be asked"),
    (["prune"], "say which runs"),
    (["prune", "--older", "3 days"], "is no length of time"),
    (["prune", "last"], "nobody can be asked"),
]


@pytest.mark.parametrize(("line", "said"), MISTAKES, ids=[" ".join(line) for line, _ in MISTAKES])
def test_a_mistake_ends_in_a_sentence(told: Here, line: list[str], said: str) -> None:
    told.hive("sign", "last", "--key", "key", "--new-key", "--to", "head.json")
    answer = told.hive(*line)
    assert answer.code == 2
    assert said in answer.err
    assert len(answer.err.splitlines()) == 1
    assert told.hive("verify", "--head", "head.json").code == 0, "nothing was changed"


def test_without_the_extra_it_is_said_how_to_get_it(
    told: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    told.hive("sign", "last", "--key", "key", "--new-key", "--to", "head.json")
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.asymmetric.ed25519", None)
    for line in (
        ["sign", "last", "--key", "key"],
        ["sign", "last", "--key", "new", "--new-key"],
        ["verify", "--head", "head.json"],
        ["verify", "--head", "head.json", "--public-key", "key.pub"],
    ):
        answer = told.hive(*line)
        assert answer.code == 2
        assert "pip install 'hive-blackboard[sign]'" in answer.err
    assert told.hive("verify").code == 0
    assert told.hive("export", "last", "--head").json["statement"]["run"]


def test_a_copy_is_the_same_run_in_a_file_of_its_own(told: Here) -> None:
    answer = told.hive("export", "last", "--to", "a.db", "--json")
    assert answer.json["runs"] == [answer.json["run"]]
    assert answer.json["bytes"] == Path("a.db").stat().st_size
    for table in ("entries", "contents", "kept"):
        assert dump(Path("a.db"), table) == dump(Path(".hive/journal.db"), table)
    for command in (["show", "--prompts"], ["verify"], ["runs"]):
        copy, original = (told.hive(*command, *more) for more in (["--journal", "a.db"], []))
        assert (copy.code, copy.out) == (original.code, original.out)
    assert told.hive("export", "last", "--to", "a.db").out.startswith("run ")
    told.hive("run", "team:scored", "again")
    assert len(told.hive("runs", "--json", "--journal", "a.db").json) == 1
    told.hive("export", "last", "--to", "a.db")
    assert told.hive("runs", "--journal", "a.db").out == told.hive("runs").out


def dump(path: Path, table: str) -> list[Any]:
    """A table's rows, runs numbered as they are in every file with one."""
    with sqlite3.connect(path) as db:
        found = db.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
    db.close()
    return found


def test_a_run_that_was_copied_before_and_went_on_wants_a_new_file(told: Here) -> None:
    told.hive("export", "last", "--to", "a.db")
    assert told.hive("redact", "last", "1", "--why", "x", "-y").code == 0
    answer = told.hive("export", "last", "--to", "a.db")
    assert answer.code == 4
    assert "as it was at another time" in answer.err
    assert told.hive("export", "last", "--to", "b.db").code == 0
    assert told.hive("show", "--journal", "b.db").out == told.hive("show").out


def test_entries_are_exported_as_lines_of_json(told: Here) -> None:
    lines = told.hive("export", "last", "--jsonl").out.splitlines()
    assert [json.loads(line) for line in lines] == told.hive("show", "--json").json["entries"]
    told.hive("export", "last", "--jsonl", "--to", "run.jsonl")
    assert Path("run.jsonl").read_text().splitlines() == lines


def test_forks_are_copied_with_what_they_share(here: Here) -> None:
    journal = SQLiteJournal(here.folder / ".hive/journal.db")
    parent = Written(journal)
    first = parent.note("a")
    parent.end()
    fork = parent.fork(2, first.digest.hex())
    fork.end()
    journal.close()
    answer = here.hive("export", fork.run, "--to", "a.db")
    assert "with 1 ancestor" in answer.out
    assert here.hive("verify", fork.run, "--journal", "a.db").code == 0

    answer = here.hive("prune", parent.run, "-y")
    assert f"run {fork.run}, a fork that stays, shares its entries" in answer.out
    assert "Nothing was removed." in answer.out
    answer = here.hive("prune", "--state", "finished", "-y", "--json")
    assert set(answer.json["removed"]) == {fork.run, parent.run}
    assert here.runs() == []


def test_what_is_redacted_is_shown_as_that(told: Here) -> None:
    before = told.hive("show").out
    assert "draft 2" in before
    answer = told.hive("redact", "last", "--text", "draft 2", "--why", "a name", "--dry-run")
    assert "Nothing was erased." in answer.out
    assert "ToolCall by writer" in answer.out
    assert told.hive("show").out == before
    answer = told.hive(
        "redact", "last", "--text", "draft 2", "--why", "a name", "--by", "me", "-y", "--json"
    )
    assert answer.code == 0
    assert answer.json["erased"]
    assert {entry["kind"] for entry in answer.json["entries"]} >= {"ToolCall", "Note", "Review"}
    assert [told_["how"] for told_ in answer.json["told"]] == ["entry"]
    for line in (["show"], ["show", "--prompts"], ["show", "--kind", "Note"], ["runs"]):
        out = told.hive(*line).out
        assert "draft 2" not in out
        assert "[redacted: a name]" in out or line == ["runs"]
    assert "me  redacted" in told.hive("show").out or "redacted " in told.hive("show").out
    assert "draft 2" not in told.hive("show", "--json", "--prompts").out
    assert told.hive("verify").code == 0
    for file in (told.folder / ".hive").iterdir():
        assert b"draft 2" not in file.read_bytes()


def test_the_text_can_be_read_so_that_no_shell_remembers_it(
    told: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("draft 2\n"))
    answer = told.hive("redact", "last", "--text", "-", "--why", "a name", "-y")
    assert answer.code == 0
    assert "draft 2" not in told.hive("show").out


def test_whoever_is_to_be_forgotten_is_not_named_as_who_redacts(
    told: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "draft 2")
    refused = told.hive("redact", "last", "--text", "draft 2", "--why", "a name", "-y")
    assert (refused.code, "your user name" in refused.err) == (2, True)
    redacted = ("redact", "last", "--text", "draft 2", "--why", "a name", "--by", "an office")
    assert told.hive(*redacted, "-y").code == 0
    assert "draft 2" not in told.hive("show", "--json").out


def test_a_file_is_redacted_in_all_its_states(told: Here) -> None:
    answer = told.hive("redact", "last", "--file", "draft.txt", "--why", "not ours", "-y", "--json")
    assert len(answer.json["contents"]) >= 3
    assert told.hive("verify").code == 0
    assert told.hive("show").code == 0


def test_what_has_to_stay_is_told(told: Here) -> None:
    answer = told.hive("redact", "last", "--text", "scribes", "--why", "x", "-y")
    assert answer.code == 1
    assert "Still there: entry 0 (0//0, RunStarted by coordinator)" in answer.out


def test_a_run_that_a_living_process_holds_is_left_alone(told: Here) -> None:
    run = told.runs()[0]["id"]
    holder = SQLiteJournal(told.folder / ".hive/journal.db")
    holder.hold(run, "pid 1 on mars")
    try:
        answer = told.hive("redact", "last", "1", "--why", "x", "-y")
        assert answer.code == 2
        assert "nothing was erased" in answer.err
        assert "pid 1 on mars" in answer.err
        answer = told.hive("prune", "last", "-y")
        assert "pid 1 on mars" in answer.out
        assert "Nothing was removed." in answer.out
    finally:
        holder.close()
    assert told.hive("verify", "--json").json["erased"] == 0


def test_a_run_that_can_go_on_keeps_what_it_needs_for_that(here: Here) -> None:
    assert here.hive("run", "team:rocket", "fly").code == 3
    answer = here.hive("redact", "last", "--text", "the moon", "--why", "x", "-y")
    assert answer.code == 1
    assert "is in the middle of that turn" in answer.out
    answer = here.hive("redact", "last", "1", "--why", "a place", "-y")
    assert answer.code == 2
    assert "`hive stop` ends it" in answer.err
    assert here.hive("resume", "last", "--yes").code == 0
    assert here.hive("redact", "last", "1", "--why", "a place", "-y").code == 0
    assert "goal  [redacted: a place]" in here.hive("show").out


def test_nobody_at_work_is_held_up_by_what_is_removed(told: Here) -> None:
    told.hive("run", "team:scored", "again")
    newest, oldest = (run["id"] for run in told.runs())
    holder = SQLiteJournal(told.folder / ".hive/journal.db")
    holder.hold(newest, "pid 1 on mars")
    try:
        answer = told.hive("prune", oldest, "-y", "--json")
        assert (answer.json["removed"], answer.json["bytes"]) == ([oldest], 0)
        assert "somebody is at work" in answer.err
    finally:
        holder.close()
    assert [run["id"] for run in told.runs()] == [newest]


def test_old_runs_go_and_those_that_can_go_on_stay(told: Here) -> None:
    told.hive("run", "team:rocket", "fly", "--tag", "x")
    told.hive("run", "team:scored", "again", "--tag", "x")
    newest, waiting, oldest = (run["id"] for run in told.runs())
    assert told.hive("prune", "--older", "1d", "-y").out == "Nothing was removed.\n"
    answer = told.hive("prune", "--keep", "1", "--dry-run", "--json")
    assert answer.json["removed"] == [oldest]
    [stays] = answer.json["stays"]
    assert stays["run"] == waiting
    assert "can still go on" in stays["why"]
    assert told.hive("prune", "--keep", "1", "-y").code == 0
    assert [run["id"] for run in told.runs()] == [newest, waiting]
    size = (told.folder / ".hive/journal.db").stat().st_size
    assert told.hive("prune", waiting[:20], "--tag", "x", "-y").code == 0
    assert [run["id"] for run in told.runs()] == [newest]
    assert (told.folder / ".hive/journal.db").stat().st_size < size
    assert told.hive("verify").code == 0
