"""A run whose entries cannot be read stands in nobody's way: it is named, and the others go on."""

from __future__ import annotations

import sqlite3

import pytest

from tests.cli.conftest import Here

FIRST = "id = (SELECT min(id) FROM entries WHERE id >> 40 = ?)"
ENDING = "id = (SELECT max(id) - 1 FROM entries WHERE id >> 40 = ?)"
HARMS = {
    "the first header": ("entries", "header = x''", FIRST),
    "the first header is text": ("entries", "header = 'text'", FIRST),
    "the first header is a list": ("entries", "header = x'5b5d'", FIRST),
    "what the first says": ("contents", "body = x''", FIRST),
    "what the first says is text": ("contents", "body = 'text'", FIRST),
    "what the first says is a list": ("contents", "body = x'5b5d'", FIRST),
    "the header of the ending": ("entries", "header = x''", ENDING),
    "the header of the ending is a list": ("entries", "header = x'5b5d'", ENDING),
    "what the ending says": ("contents", "body = x''", ENDING),
    "how it ended is unheard of": ("contents", 'body = CAST(\'{"outcome":"x"}\' AS BLOB)', ENDING),
}


def harm(here: Here, run: str, table: str, change: str, where: str) -> None:
    """Change one row of a run."""
    with sqlite3.connect(here.folder / ".hive/journal.db") as db:
        (number,) = db.execute("SELECT number FROM runs WHERE run = ?", (run,)).fetchone()
        assert db.execute(f"UPDATE {table} SET {change} WHERE {where}", (number,)).rowcount == 1
    db.close()


def three(here: Here) -> list[str]:
    """Three runs, the oldest first."""
    for goal in ("one", "two", "three"):
        assert here.hive("run", "team:scored", goal, "--tag", "x").code == 0
    return [run["id"] for run in here.runs()][::-1]


@pytest.mark.parametrize("harmed", HARMS)
def test_one_run_that_cannot_be_read_blocks_no_other(here: Here, harmed: str) -> None:
    oldest, torn, newest = three(here)
    harm(here, torn, *HARMS[harmed])
    listed = here.hive("runs", "--json")
    assert listed.code == 0
    states = {run["id"]: run["state"] for run in listed.json}
    assert states == {newest: "finished", torn: "unreadable", oldest: "finished"}
    [told] = listed.err.splitlines()
    assert f"run {torn} cannot be read" in told or f"run {torn} has lost" in told
    [only] = here.hive("runs", "--state", "unreadable", "--json").json
    assert (only["id"], only["started"], only["goal"], only["tags"]) == (torn, None, "", [])
    table = here.hive("runs")
    assert table.code == 0
    assert [line.split()[1] for line in table.out.splitlines()[1:]] == [
        "finished:",
        "unreadable",
        "finished:",
    ]
    erased = here.hive("redact", newest, "1", "--why", "a secret", "-y", "--json")
    assert (erased.code, erased.json["erased"]) == (0, True)
    looked = here.hive("redact", newest, "--text", "three", "--why", "x", "--dry-run", "--json")
    assert looked.code == 0
    assert here.hive("prune", oldest, "-y", "--json").json["removed"] == [oldest]
    assert here.hive("prune", torn, "-y", "--json").json["removed"] == [torn]
    assert [run["id"] for run in here.runs()] == [newest]


def test_what_cannot_be_read_goes_only_where_it_is_named(here: Here) -> None:
    oldest, torn, newest = three(here)
    harm(here, torn, *HARMS["the first header"])
    answer = here.hive("prune", "--keep", "1", "--dry-run", "--json").json
    assert answer["removed"] == [oldest]
    [stays] = answer["stays"]
    assert stays == {"run": torn, "why": "it cannot be read; name it by its id to remove it"}
    for condition in (("--tag", "x"), ("--older", "0m"), ("--state", "unreadable")):
        assert torn not in here.hive("prune", *condition, "--dry-run", "--json").json["removed"]
    assert here.hive("prune", torn, "--older", "30d", "-y", "--json").json["removed"] == []
    assert newest in [run["id"] for run in here.runs()]


@pytest.mark.parametrize("harmed", [each for each in HARMS if "first" in each])
def test_a_run_that_may_share_what_goes_is_named_first(here: Here, harmed: str) -> None:
    parent, torn, _ = three(here)
    harm(here, torn, *HARMS[harmed])
    asked = here.hive("prune", parent)
    assert (asked.code, parent in asked.out) == (2, True)
    assert f"Run {torn} cannot be read; whether it shares entries" in asked.err
    erasing = here.hive("redact", parent, "1", "--why", "x", "-y", "--json")
    assert erasing.json["unread"] == [torn]
    assert f"Run {torn} cannot be read; whether it shares that" in erasing.err
    both = here.hive("prune", parent, torn, "--dry-run", "--json").json
    assert (set(both["removed"]), both["unread"]) == ({parent, torn}, [])
    gone = here.hive("prune", parent, "-y", "--json")
    assert (gone.json["removed"], gone.json["unread"]) == ([parent], [torn])


def test_a_fork_that_cannot_be_read_still_keeps_what_it_says_it_shares(here: Here) -> None:
    assert here.hive("run", "team:scribes", "draft", "--workspace", "work").code == 0
    [parent] = [run["id"] for run in here.runs()]
    here.hive("fork", "last", "--at", "turn:1")
    [fork] = [run["id"] for run in here.runs() if run["id"] != parent]
    harm(here, fork, *HARMS["the first header"])
    answer = here.hive("prune", parent, "-y", "--json").json
    assert answer["removed"] == []
    assert "shares its entries" in answer["stays"][0]["why"]
    erasing = here.hive("redact", parent, "1", "--why", "x", "--dry-run", "--json")
    assert (erasing.code, erasing.json["unread"]) == (0, [fork])
    assert set(here.hive("prune", parent, fork, "-y", "--json").json["removed"]) == {parent, fork}
