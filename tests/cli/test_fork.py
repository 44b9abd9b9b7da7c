"""hive fork, as a user calls it."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Here

PARTS = """
from hive.control import GraphOrder, OneModel, RoundRobin

turning = RoundRobin()
Ordered = GraphOrder
everyone = OneModel("writer")
number = 3
"""


@pytest.fixture
def parent(here: Here) -> dict[str, Any]:
    """A run of two scribes that took six turns."""
    answer = here.hive("run", "team:scribes", "Write.", "--workspace", "work", "--json")
    assert answer.code == 0
    found: dict[str, Any] = answer.json
    return found


def test_a_fork_without_a_change_ends_as_its_parent_did_at_no_cost(
    here: Here, parent: dict[str, Any]
) -> None:
    answer = here.really("fork", "last", "--at", "turn:3", "--json")
    assert answer.code == 0, answer.err
    fork = answer.json
    same = ("outcome", "reason", "turns", "cost_usd", "tokens", "answer", "goal", "workflow")
    assert {key: fork[key] for key in same} == {key: parent[key] for key in same}
    assert (fork["parent"], fork["paid_usd"]) == (parent["id"], 0)
    place = Path(fork["workspace"])
    assert place == (here.folder / ".hive" / "forks" / fork["id"]).resolve()
    assert (place / "draft.txt").read_text() == "draft 2\nend\n"
    shown = here.hive("show", fork["id"], "--json").json
    assert [e["seq"] for e in shown["entries"]] == list(range(len(shown["entries"])))


def test_a_fork_says_where_it_works_and_how_to_compare(here: Here, parent: dict[str, Any]) -> None:
    answer = here.hive("fork", parent["id"][:12], "--at", "turn:5", "--plain")
    assert answer.code == 0
    assert f"goes on from turn:5 of run {parent['id']} in " in answer.err
    assert f"hive diff {parent['id']} last" in answer.out
    shown = here.hive("show", "last").out
    assert "forked from" in shown
    runs = here.hive("runs", "--json").json
    assert runs[0]["parent"] == parent["id"]


@pytest.mark.parametrize(("at", "turn"), [("turn:99", 7), ("3/writer/0.0", 3)])
def test_the_turn_is_named_that_a_fork_really_goes_on_from(
    here: Here, parent: dict[str, Any], at: str, turn: int
) -> None:
    one, two = here.hive("fork", "last", "--at", at), here.hive("fork", "last~1", "--at", at, "-n2")
    assert f"goes on from turn:{turn} of run {parent['id']}" in one.err
    assert f"2 forks of run {parent['id'][:10]}" in two.out
    assert f" at turn:{turn}: 2 finished" in two.out


def test_other_models_caps_and_instructions_stand_on_record_and_are_applied_on_resuming(
    here: Here, parent: dict[str, Any]
) -> None:
    (here.folder / "tone.txt").write_text("Be kind to bees.")
    answer = here.hive(
        "fork", "last", "--at", "turn:3", "--turns", "4", "--budget", "2", "--json",
        "--instruction", "critic=@tone.txt", "--tag", "kind",
    )  # fmt: skip
    assert (answer.code, answer.json["reason"]) == (1, "budget_exhausted")
    shown = here.hive("show", "last", "--json").json
    assert shown["overrides"]["instructions"] == {"critic": "Be kind to bees."}
    assert (shown["overrides"]["turns"], shown["overrides"]["usd"]) == (4, "2")
    assert shown["tags"] == ["kind"]
    again = here.hive("fork", "last", "--at", "turn:5", "--turns", "9", "--json")
    assert (again.code, again.json["turns"]) == (0, 6)
    kept = here.hive("show", "last", "--json").json["overrides"]
    assert (kept["instructions"], kept["turns"]) == ({"critic": "Be kind to bees."}, 9)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 130), (signal.SIGKILL, -9)])
def test_a_fork_that_was_cut_off_is_resumed_under_its_changes(
    here: Here, number: int, code: int
) -> None:
    here.hive("run", "team:napping", "Sleep.", "--seconds", "0.5", "--json")
    process = here.start("fork", "last", "--at", "turn:1", "--instruction", "guest=Yawn.")
    while not any(run["parent"] and run["turns"] == 2 for run in here.runs()):
        assert process.poll() is None, process.communicate()
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert "goes on from turn:1 of run" in err
    assert process.returncode == code
    (here.folder / "awake").touch()
    answer = here.hive("resume", "last", "--json")
    assert (answer.code, answer.json["answer"]) == (0, "slept well")
    assert here.hive("verify", "last").code == 0
    assert here.hive("replay", "last").code == 0


def test_many_forks_stop_at_the_first_ctrl_c_and_leave_those_under_way_paused(
    here: Here,
) -> None:
    here.hive("run", "team:napping", "Sleep.", "--seconds", "0.5", "--json")
    command = ("fork", "last", "--at", "turn:1", "-n", "4", "--jobs", "2", "--seconds", "99")
    process = here.start(*command, "--tag", "set")
    while sum(bool(run["parent"]) and run["turns"] == 2 for run in here.runs()) < 2:
        assert process.poll() is None, process.communicate()
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert ("2 of 4 forks of run" in out, "2 paused" in out) == (True, True)
    assert "tag set" in out
    assert [run["state"] for run in here.runs() if run["parent"]] == ["paused"] * 2


@pytest.mark.parametrize(
    ("options", "name"),
    [
        (("--policy", "parts:turning"), "round robin"),
        (("--policy", "./parts.py:Ordered"), "graph order"),
        (("--allocator", "parts:everyone"), "graph order"),
    ],
)
def test_another_policy_or_allocator(
    here: Here, parent: dict[str, Any], options: tuple[str, str], name: str
) -> None:
    (here.folder / "parts.py").write_text(PARTS)
    answer = here.hive("fork", "last", "--at", "turn:3", "--json", *options)
    assert answer.json["parent"] == parent["id"]
    decisions = here.hive("show", "last", "--kind", "Decision", "--json").json["entries"]
    assert decisions[-1]["payload"]["policy"] == name


def test_another_team(here: Here, parent: dict[str, Any]) -> None:
    answer = here.hive("fork", "last", "--at", "turn:3", "--workflow", "team:capped", "--json")
    assert (answer.json["workflow"], answer.json["reason"]) == ("team:capped", "budget_exhausted")


def test_many_forks_under_one_tag(here: Here, parent: dict[str, Any]) -> None:
    answer = here.hive(
        "fork", "last", "--at", "turn:3", "-n", "5", "--jobs", "2", "--json",
        "--instruction", "critic=Be kind.",
    )  # fmt: skip
    assert answer.code == 0
    tag, runs = answer.json["tag"], answer.json["runs"]
    assert len(runs) == 5
    assert all(run["tags"] == [tag] and run["outcome"] == "finished" for run in runs)
    assert len({here.hive("show", run["id"], "--json").json["seed"] for run in runs}) == 5
    assert "5 of 5: run " in answer.err
    told = here.hive("fork", "last", "--at", "turn:3", "-n", "2", "--tag", "twice")
    assert "2 forks of run" in told.out
    assert "hive diff tag:OTHER tag:twice" in told.out
    assert len(here.hive("runs", "--tag", "twice", "--json").json) == 2


def test_many_forks_each_have_a_folder(here: Here, parent: dict[str, Any]) -> None:
    answer = here.hive("fork", "last", "--at", "turn:3", "-n", "2", "--workspace", "mine", "--json")
    assert answer.code == 0
    assert sorted(path.name for path in (here.folder / "mine").iterdir()) == ["0", "1"]


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--at", "turn:0"), "turn 0 holds the goal"),
        (("--at", "999"), "has no entry 999"),
        (("--at", "soon"), "'soon' is no place to cut at"),
        ((), "Missing option '--at'"),
        (("--at", "turn:2", "--instruction", "critic"), "write ROLE=TEXT, or ROLE=@FILE"),
        (("--at", "turn:2", "--instruction", "critik=x"), "did you mean 'critic'?"),
        (("--at", "turn:2", "--instruction", "critic=@no.txt"), "'no.txt' cannot be read"),
        (("--at", "turn:2", "--instruction", "a=1", "--instruction", "a=2"), "gives 'a' two texts"),
        (("--at", "turn:2", "--policy", "parts:number"), "parts:number has no method decide"),
        (("--at", "turn:2", "--policy", "turning"), "names nothing that can decide"),
        (("--at", "turn:2", "--allocator", "parts:Missing"), "parts has no 'Missing'"),
        (("--at", "turn:2", "--workspace", "work"), "is no empty folder"),
        (("--at", "turn:2", "--model", "critik=openai:x"), "neither a role nor a tier"),
    ],
)
def test_mistakes_are_told_in_a_sentence(
    here: Here, parent: dict[str, Any], options: tuple[str, ...], complaint: str
) -> None:
    (here.folder / "parts.py").write_text(PARTS)
    answer = here.hive("fork", "last", *options)
    assert answer.code == 2
    assert complaint in answer.err
    assert len(answer.err.strip().splitlines()) == 1
    assert len(here.runs()) == 1


def test_what_a_pruned_fork_worked_on_goes_with_it_and_nothing_else(
    here: Here, parent: dict[str, Any]
) -> None:
    made = [here.hive("fork", parent["id"], "--at", "turn:3", "--json").json for _ in range(2)]
    own = here.hive("fork", parent["id"], "--at", "turn:3", "--workspace", "own", "--json").json
    undo = here.folder / "work" / ".hive" / "undo"
    for run in (parent["id"], own["id"]):
        (undo / run / "call").mkdir(parents=True)
        (undo / run / "call" / "log").write_text("{}")
    assert here.hive("prune", made[0]["id"], own["id"], "-y").code == 0
    assert not Path(made[0]["workspace"]).exists()
    assert Path(made[1]["workspace"], "draft.txt").exists()
    assert (here.folder / "own" / "draft.txt").exists()
    assert (undo / parent["id"]).exists()
    assert here.hive("prune", made[1]["id"], parent["id"], "-y").code == 0
    assert not (undo / parent["id"]).exists()
    assert (undo / own["id"]).exists()
    assert (here.folder / "work" / "draft.txt").exists()


def test_a_forks_folder_stays_where_another_run_works_on_it(
    here: Here, parent: dict[str, Any]
) -> None:
    fork = here.hive("fork", parent["id"], "--at", "turn:3", "--json").json
    place = fork["workspace"]
    later = here.hive("run", "team:scribes", "More.", "--workspace", place, "--json").json
    assert later["workspace"] == place
    assert here.hive("prune", fork["id"], "-y").code == 0
    assert Path(place, "draft.txt").exists()
