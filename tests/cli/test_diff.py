"""hive diff, as a user calls it."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest

from tests.cli.conftest import Here


def made(here: Here, *options: str) -> dict[str, Any]:
    found: dict[str, Any] = here.hive(*options, "--json").json
    return found


@pytest.fixture
def parent(here: Here) -> dict[str, Any]:
    return made(here, "run", "team:scribes", "Write.")


def test_two_runs_side_by_side(here: Here, parent: dict[str, Any]) -> None:
    fork = made(here, "fork", "last", "--at", "turn:3", "--instruction", "critic=Be kind.")
    answer = here.really("diff", parent["id"], "last")
    assert answer.code == 0, answer.err
    assert "Set up differently:\n  role critic" in answer.out
    assert "They part at 4/critic/0.0, in digest:" in answer.out
    assert f"forked from {parent['id'][:10]} at entry {fork['cut']}" in answer.out
    rows = {line[2:14].strip(): line.split() for line in answer.out.splitlines()}
    assert rows["turns"] == ["turns", "6", "6"]
    assert rows["model calls"][2:] == ["9", "9"]
    assert {"outcome", "tool calls", "tokens", "cost", "paid", "time"} <= rows.keys()


def test_runs_that_nowhere_part(here: Here, parent: dict[str, Any]) -> None:
    made(here, "fork", "last", "--at", "turn:3")
    answer = here.hive("diff", parent["id"], "last")
    assert (answer.code, "They nowhere part" in answer.out) == (0, True)
    found = here.hive("diff", parent["id"], "last", "--json").json
    assert (found["parting"], found["changed"]) == (None, [])
    assert found["other"]["parent"] == parent["id"]


def test_where_one_goes_on_and_the_other_ends(here: Here, parent: dict[str, Any]) -> None:
    made(here, "fork", "last", "--at", "turn:3", "--turns", "4")
    answer = here.hive("diff", parent["id"], "last")
    assert "They part at 5//0, in kind:" in answer.out
    assert "one   Decision by coordinator" in answer.out
    assert "other Termination by coordinator" in answer.out


def test_two_sets_of_forks(here: Here, parent: dict[str, Any]) -> None:
    run = parent["id"]
    plain = ("fork", run, "--at", "turn:3", "-n", "10", "--tag", "plain")
    made(here, *plain)
    made(here, "fork", run, "--at", "turn:3", "-n", "10", "--tag", "short", "--turns", "4")
    answer = here.hive("diff", "tag:plain", "tag:short")
    assert answer.code == 0
    assert "10 pairs by goal and seed; tag:short minus tag:plain" in answer.out
    rows = {line.split()[0]: line.split() for line in answer.out.splitlines()[2:]}
    assert rows["turns"][1:4] == ["6", "4", "-2"]
    assert "every pair differs by the same" in answer.out
    assert rows["finished"][1:4] == ["1", "0", "-1"]
    found = here.hive("diff", "tag:plain", "tag:short", "--json").json
    assert len(found["pairs"]) == 10
    assert found["measures"]["seconds"]["low"] is not None


def test_too_few_runs_to_tell(here: Here, parent: dict[str, Any]) -> None:
    fork = made(here, "fork", "last", "--at", "turn:3", "--turns", "4")
    other = made(here, "run", "team:scribes", "Write.")
    answer = here.hive("diff", f"{parent['id']},{other['id']}", fork["id"] + ",")
    assert answer.code == 0
    assert "1 pair by goal and seed" in answer.out
    assert "1 run without a partner left out" in answer.out
    assert "1 pair is too few to tell" in answer.out


def test_without_scipy_it_says_how_to_get_it(
    here: Here, parent: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    made(here, "fork", "last", "--at", "turn:3", "-n", "10", "--tag", "ten")
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name == "scipy" else find(name)
    )
    answer = here.hive("diff", "tag:ten", "tag:ten")
    assert "Intervals need scipy: pip install 'hive-blackboard[stats]'" in answer.out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("last", "tag:nothing"), "no run has the tag 'nothing'; there are no tags"),
        (("last", "zzzz"), "no run's id begins with 'zzzz'"),
        (("last", ","), "no run is named"),
        (("last",), "Missing argument 'OTHER'"),
    ],
)
def test_mistakes_are_told_in_a_sentence(
    here: Here, parent: dict[str, Any], arguments: tuple[str, ...], complaint: str
) -> None:
    answer = here.hive("diff", *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert complaint in answer.err
