"""`hive resume` of runs whose team or workspace has changed, and `hive workspace`."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from queue import Queue
from threading import Thread

import pytest

from hive.audit import Record
from hive.board.records import Resumed
from hive.cli.ending import without_diffs
from tests.cli.conftest import Here
from tests.cli.sample_team import scribes
from tests.cli.terminal import Terminal
from tests.cli.test_interrupts import DEADLINE_S, read_until


@pytest.fixture
def waiting(here: Here) -> Here:
    """A folder with a run that waits for a person, and a workspace with a file in it."""
    (here.folder / "work" / "notes.txt").write_text("mine\n")
    assert here.hive("run", "team:rocket", "fly", "--workspace", "work").code == 3
    return here


def test_a_run_that_waits_has_no_answer_yet_and_shows_what_it_changed() -> None:
    assert without_diffs("") == ""
    assert (
        without_diffs("done:\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-1\n+2\nas told") == "done:\nas told"
    )


def touch(here: Here) -> None:
    """What somebody does in the workspace meanwhile."""
    (here.folder / "work" / "notes.txt").write_text("changed\n")
    (here.folder / "work" / "new.txt").write_text("new\n")


def rewrite(here: Here, before: str, after: str) -> None:
    """Change the team."""
    team = here.folder / "team.py"
    text = team.read_text()
    assert before in text
    team.write_text(text.replace(before, after))


def resumed(here: Here) -> Resumed:
    """The last record of going on."""
    with Record.open(here.folder / ".hive/journal.db", here.runs()[0]["id"]) as record:
        payload = record.board.of_kind(Resumed)[-1].payload
    assert isinstance(payload, Resumed)
    return payload


def test_drift_is_told_with_what_to_do(waiting: Here) -> None:
    touch(waiting)
    answer = waiting.hive("resume", "last", "-y")
    assert answer.code == 2
    first, *lines = answer.err.splitlines()
    assert first.startswith(f"hive: the workspace {waiting.folder / 'work'} is not as run ")
    assert lines == [
        "  new.txt: was not there",
        "  notes.txt: is not as the run left it",
        "--accept workspace goes on with it as it stands, --restore puts back what is on record",
    ]
    assert waiting.runs()[0]["state"] == "waiting"


def test_drift_may_be_accepted(waiting: Here) -> None:
    touch(waiting)
    assert waiting.hive("resume", "last", "-y", "--accept", "workspace").code == 0
    assert resumed(waiting).accepted == (
        "workspace: new.txt was added", "workspace: notes.txt was changed",
    )  # fmt: skip
    assert (waiting.folder / "work" / "notes.txt").read_text() == "changed\n"


def test_what_is_on_record_may_be_put_back(waiting: Here) -> None:
    touch(waiting)
    assert waiting.hive("resume", "last", "-y", "--restore").code == 0
    assert [path.name for path in (waiting.folder / "work").glob("*.txt")] == ["notes.txt"]
    assert (waiting.folder / "work" / "notes.txt").read_text() == "mine\n"


def test_what_is_said_of_the_workspace_names_no_option_of_another_command(waiting: Here) -> None:
    answer = waiting.hive("resume", "last", "-y")
    place = waiting.folder / "work"
    assert answer.out.splitlines()[0] == f"Working in {place}: its files are changed in place."


def test_it_is_either_kept_or_put_back(waiting: Here) -> None:
    touch(waiting)
    answer = waiting.hive("resume", "last", "-y", "--restore", "--accept", "workspace")
    assert (answer.code, "two answers to one question" in answer.err) == (2, True)
    assert (waiting.folder / "work" / "notes.txt").read_text() == "changed\n"


def test_a_workspace_that_is_gone_is_named_with_the_way_to_have_it_again(waiting: Here) -> None:
    shutil.rmtree(waiting.folder / "work")
    answer = waiting.hive("resume", "last", "-y")
    assert (answer.code, "is gone; --restore makes it" in answer.err) == (2, True)
    assert "Working in" not in answer.out
    assert waiting.hive("resume", "last", "-y", "--restore").code == 0
    assert (waiting.folder / "work" / "notes.txt").read_text() == "mine\n"
    assert resumed(waiting).accepted == ("workspace: notes.txt was put back",)


@pytest.mark.parametrize(("key", "left"), [("k", "changed\n"), ("r", "mine\n"), ("q", "changed\n")])
def test_somebody_at_a_terminal_is_asked(waiting: Here, key: str, left: str) -> None:
    touch(waiting)
    terminal = Terminal(waiting.folder, "resume", "last", "-y", "--plain")
    terminal.until("or [q]uit:")
    assert "new.txt: was not there" in terminal.text
    terminal.press(f"{key}\n")
    code = terminal.end()
    assert code == (2 if key == "q" else 0), terminal.text
    assert (waiting.folder / "work" / "notes.txt").read_text() == left
    assert waiting.runs()[0]["state"] == ("waiting" if key == "q" else "finished")


def test_a_changed_team_is_told_part_by_part(waiting: Here) -> None:
    rewrite(waiting, 'pilot = Role("pilot", "Fly.", ', 'pilot = Role("pilot", "Fly high.", ')
    answer = waiting.really("resume", "last", "-y")
    assert answer.code == 2
    run = waiting.runs()[0]["id"]
    assert answer.err.splitlines() == [
        f"hive: run {run} was made by another workflow; it differs in:",
        "  role pilot: instructions: Fly. -> Fly high.",
        "--accept workflow goes on under this one",
    ]
    again = waiting.really("resume", "last", "-y", "--plain", "--accept", "workflow")
    assert again.code == 0, again.err
    assert resumed(waiting).accepted == ("workflow: role pilot: instructions: Fly. -> Fly high.",)
    assert resumed(waiting).anew


def test_only_what_there_is_can_be_accepted(waiting: Here) -> None:
    answer = waiting.hive("resume", "last", "--accept", "everything")
    assert answer.code == 2
    assert "'everything' is not one of 'workflow', 'calls', 'workspace'" in answer.err


def test_the_files_of_any_entry_are_rebuilt(here: Here) -> None:
    (here.folder / "work" / "notes.txt").write_text("mine\n")
    assert here.hive("run", "team:scribes", "a draft", "--workspace", "work").code == 0
    answer = here.hive("workspace", "last", "begun", "--at", "1")
    assert (answer.code, answer.err) == (0, "")
    assert f"{here.folder / 'begun'} holds 1 file, as they were after entry 1." in answer.out
    assert here.hive("workspace", "last", "first", "--at", "1/writer/0.2.1").code == 0
    assert (here.folder / "first" / "draft.txt").read_text() == "draft 0\nend\n"
    assert here.hive("workspace", "last", "end").code == 0
    assert contents(here.folder / "end") == contents(here.folder / "work")


@pytest.mark.parametrize("turn", ["turn:1", "turn:2", "turn:4", "turn:99"])
def test_the_files_are_rebuilt_as_a_fork_at_that_turn_has_them(here: Here, turn: str) -> None:
    (here.folder / "work" / "notes.txt").write_text("mine\n")
    assert here.hive("run", "team:scribes", "a draft", "--workspace", "work").code == 0
    answer = here.hive("workspace", "last", "begun", "--at", turn)
    assert (answer.code, answer.err) == (0, "")
    assert f"as a fork at {turn} has them." in answer.out
    with Record.open(here.folder / ".hive/journal.db", here.runs()[0]["id"]) as record:
        fork = record.fork(at=turn, workflow=scribes, workspace=here.folder / "forked")
        assert fork.workspace is not None
        assert contents(here.folder / "begun") == contents(fork.workspace)
    assert ("draft.txt" in contents(here.folder / "begun")) == (turn != "turn:1")


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.glob("*.txt")}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("last", "work"), "'work' is no empty folder"),
        (("last", "new", "--at", "999"), "has no entry 999; its last one is entry"),
        (("last", "new", "--at", "7/nobody/0.0"), "has no entry 7/nobody/0.0"),
        (("last", "new", "--at", "turn:0"), "has no turn 0; its turns are 1 to 1"),
        (("last", "new", "--at", "turn:9"), "has no turn 9; its turns are 1 to 1"),
        (("last", "new", "--at", "turn:x"), "has no entry turn:x"),
        (("zzz", "new"), "no run's id begins with 'zzz'"),
    ],
)
def test_mistakes_with_workspaces_are_told(
    waiting: Here, arguments: tuple[str, ...], said: str
) -> None:
    answer = waiting.hive("workspace", *arguments)
    assert answer.code == 2
    assert said in answer.err
    assert len(answer.err.splitlines()) == 1
    assert not (waiting.folder / "new").exists()


def test_a_run_without_a_workspace_has_none_to_rebuild(here: Here) -> None:
    assert here.hive("run", "team:scored", "score").code == 0
    answer = here.hive("workspace", "last", "new")
    assert answer.code == 2
    assert "has no workspace on record" in answer.err


def test_of_two_that_race_to_resume_one_wins_and_the_other_says_who(here: Here) -> None:
    process = here.start("run", "team:napping", "rest", "--plain")
    read_until(process, "program:sleeps")
    process.kill()
    process.communicate()
    racing = [here.start("resume", "last", "--plain") for _ in range(2)]
    ended: Queue[subprocess.Popen[str]] = Queue()
    for each in racing:
        Thread(target=watch, args=(each, ended), daemon=True).start()
    loser = ended.get(timeout=DEADLINE_S)
    [winner] = [each for each in racing if each is not loser]
    _, said = loser.communicate(timeout=DEADLINE_S)
    assert loser.returncode == 2
    assert f"is held by pid {winner.pid} on " in said
    assert len(said.splitlines()) == 1
    winner.kill()
    winner.communicate(timeout=DEADLINE_S)
    (here.folder / "awake").touch()
    assert here.hive("resume", "last").code == 0


def watch(process: subprocess.Popen[str], ended: Queue[subprocess.Popen[str]]) -> None:
    """Say when a process has ended."""
    process.wait()
    ended.put(process)
