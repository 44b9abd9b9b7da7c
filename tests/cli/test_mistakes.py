"""Whatever a user can get wrong ends in a sentence on stderr: what, where, and what to do."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest

from tests.cli import sample_team
from tests.cli.conftest import COMMAND, Here, environment

BROKEN = {
    "syntax.py": "def team(:\n",
    "raises.py": "from hive import Role\nteam = Role('a')\n1 / 0\n",
    "imports.py": "import no_such_package\n",
    "undeclared.py": "from hive import Role\nteam = Role('Not A Name')\n",
    "endless.py": (
        "from hive import *\na, b = Role('a'), Role('b')\n"
        "team = Graph(start(a), handoff(a, b), handoff(b, a), finish(b))\n"
    ),
    "empty.py": "",
}

MISTAKES: list[tuple[str, int, tuple[str, ...]]] = [
    # what is written, the exit code, and what the sentence says
    ("fly", 2, ("no command 'fly'", "there are demo, new, check")),
    ("shwo", 2, ("did you mean 'show'?",)),
    ("run", 2, ("Missing argument 'WORKFLOW'", "hive run --help says more")),
    ("run team:scribes", 2, ("Missing argument 'GOAL'",)),
    ("run team:scribes x --no-such", 2, ("--no-such",)),
    ("run tema:scribes x", 2, ("there is no module 'tema'", "did you mean 'team'?")),
    ("run roles.taem:repair x", 2, ("did you mean 'roles.team'?", "roles has")),
    ("run hive.nope.deeper:x x", 2, ("there is no module 'hive.nope.deeper'",)),
    ("run :x x", 2, ("names no module",)),
    ("run .:x x", 2, ("names no module",)),
    ("run team:scirbes x", 2, ("no 'scirbes'", "did you mean 'scribes'?", "team:rocket")),
    ("run team x", 2, ("'team' names no team", "team:scribes")),
    ("run ./team.py x", 2, ("names no team", "./team.py:scribes")),
    ("run team:number x", 2, ("is a int, not a Workflow",)),
    ("run team:notes x", 2, ("is a tuple, not a Workflow",)),
    ("run ./tema.py:scribes x", 2, ("there is no file './tema.py'", "team.py")),
    ("run ./nowhere/team.py:scribes x", 2, ("there is no file",)),
    ("run ./empty.py:team x", 2, ("no 'team'", "holds no Workflow")),
    ("run ./syntax.py:team x", 2, ("cannot be loaded", "SyntaxError")),
    ("run ./raises.py:team x", 2, ("line 3 of raises.py", "ZeroDivisionError")),
    ("run ./imports.py:team x", 2, ("line 1 of imports.py", "no_such_package")),
    ("run ./undeclared.py:team x", 2, ("line 2 of undeclared.py", "cannot name a role")),
    ("run ./endless.py:team x", 2, ("a → b → a can go round for ever",)),
    ("check ./endless.py:team", 1, ()),
    ("check ./imports.py:team", 2, ("no_such_package",)),
    ("run team:scribes x --workspace nowhere", 2, ("'nowhere' is not a folder",)),
    ("run team:scribes x --copy", 2, ("give --workspace DIR",)),
    ("run team:scribes x --model gpt-5", 2, ("did you mean openai:gpt-5?",)),
    ("run team:scribes x --model writer=", 2, ("--model 'writer=': write", "ROLE=PROVIDER:MODEL")),
    ("run team:scribes x --model =openai:x", 2, ("--model '=openai:x': write PROVIDER:MODEL",)),
    ("run team:scribes x --model=", 2, ("--model '': write PROVIDER:MODEL",)),
    ("run team:scribes x --model ollama", 2, ("names a provider but no model; say ollama:MODEL",)),
    ("run team:scribes x --model opneai:gpt-5", 2, ("did you mean openai:gpt-5?",)),
    ("run team:scribes x --model writre=openai:x", 2, ("did you mean 'writer'?", "neither a role")),
    ("run team:scribes x --model writer=program:x", 2, ("lives in Python",)),
    ("run team:scribes x --model openai:x --model openai:y", 2, ("gives everybody two models",)),
    ("run team:scribes x --budget lots", 2, ("'lots' is no amount of dollars",)),
    ("run team:scribes x --budget -1", 2, ("from 0 on",)),
    ("run team:scribes x --budget nan", 2, ("from 0 on",)),
    ("run team:scribes x --turns 0", 2, ("0 is not in the range",)),
    ("run team:scribes x --seconds 0", 2, ("0",)),
    ("run team:scribes x --journal ftp:runs", 2, ("no journal answers to 'ftp:runs'",)),
    ("show", 2, ("there is no journal at .hive/journal.db", "hive run")),
    ("resume last", 2, ("there is no journal",)),
    ("show last --journal one.db", 0, ()),
    ("show zzz --journal one.db", 2, ("no run's id begins with 'zzz'",)),
    ("show last --journal one.db --kind Goul", 2, ("no kind 'Goul'", "did you mean 'Goal'?")),
    ("show last --journal one.db --author me", 2, ("no author 'me'", "judge")),
    ("show last --journal one.db --turn 99", 2, ("no turn 99", "turns 0 to")),
    ("runs --journal /", 4, ("'/' is a folder; name a file in it",)),
    ("runs --journal .", 4, ("'.' is a folder; name a file in it",)),
    ("runs --journal text.db", 4, ("text.db cannot be opened", "not a database")),
    ("show last --journal other.db", 4, ("SQLite file of another program",)),
    ("show last --journal future.db", 4, ("schema version 99", "reads version")),
    ("run team:scored x --journal work", 4, ("'work' is a folder",)),
    ("run team:scored x --journal text.db", 4, ("text.db cannot be opened",)),
    ("models opneai:gpt-5", 2, ("no module 'opneai'",)),
    ("models compatible:llama", 2, ("does not say where its server is",)),
    ("graph team:scribes -o nowhere/x.svg", 2, ("nowhere/x.svg cannot be written",)),
    ("graph team:scribes --format png", 2, ("png",)),
    ("new work/full", 2, ("is not empty",)),
    ("new team.py", 2, ("is a file",)),
    ("demo --workspace team.py", 2, ("is a file",)),
    ("demo --model codre=openai:x", 2, ("did you mean 'coder'?",)),
]


@pytest.fixture(scope="module")
def journals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal with one run, one of another version, another program's file, and a text."""
    folder = tmp_path_factory.mktemp("journals")
    (folder / "text.db").write_text("this is no database, however long it may be " * 100)
    with sqlite3.connect(folder / "other.db") as other:
        other.execute("CREATE TABLE things (name TEXT)")
    other.close()
    for name in ("one.db", "future.db"):
        sample_team.scored.run_sync("score", journal=folder / name)
    future = sqlite3.connect(folder / "future.db")
    future.execute("PRAGMA user_version = 99")
    future.close()
    return folder


@pytest.fixture(autouse=True)
def gallery(here: Here, journals: Path) -> None:
    """The files that the mistakes are made with."""
    for name, text in BROKEN.items():
        Path(name).write_text(text)
    Path("work/full").mkdir()
    Path("work/full/file").touch()
    for path in journals.iterdir():
        shutil.copy(path, here.folder)


@pytest.mark.parametrize(("line", "code", "said"), MISTAKES, ids=[line for line, *_ in MISTAKES])
def test_a_mistake_ends_in_a_sentence(
    here: Here, line: str, code: int, said: tuple[str, ...]
) -> None:
    answer = here.hive(*line.split())
    assert answer.code == code, answer.err
    for part in said:
        assert part in answer.err
    if said:
        assert answer.err.startswith("hive")
        assert len(answer.err.splitlines()) == 1
        assert answer.out == ""
    assert "Traceback" not in answer.err + answer.out


def test_the_real_command_leaves_no_traceback(here: Here) -> None:
    answer = here.really("run", "./raises.py:team", "x")
    assert answer.code == 2
    assert answer.err == (
        "hive: ./raises.py cannot be loaded, line 3 of raises.py: ZeroDivisionError: division by"
        " zero\n"
    )
    assert here.really("show", "--journal", "text.db").code == 4


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device here")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("line", ["runs --journal one.db", "runs --journal one.db --json", ""])
def test_what_cannot_be_printed_is_told(here: Here, line: str, unbuffered: str) -> None:
    with open("/dev/full", "w") as full:
        ended = subprocess.run(
            [*COMMAND, *line.split()],
            env=environment() | {"PYTHONUNBUFFERED": unbuffered},
            check=False,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    sentence = "hive: what is to be printed cannot be written: No space left on device\n"
    assert (ended.returncode, ended.stderr) == (2, sentence)


def test_a_fault_of_another_file_is_not_taken_for_one_of_printing(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*args: object, **options: object) -> None:
        raise PermissionError("another file")

    monkeypatch.setattr("hive.cli.runs.is_there", failing)
    with pytest.raises(PermissionError, match="another file"):
        here.hive("runs")


def test_a_bad_graph_is_told_with_its_path(here: Here) -> None:
    answer = here.hive("check", "./endless.py:team")
    assert answer.code == 1
    assert "the path that proves it: a → b → a" in answer.out
    shown = here.hive("check", "./endless.py:team", "--json").json
    assert shown["ok"] is False
    assert shown["path"] == ["a", "b", "a"]
    assert "can go round for ever" in shown["problem"]
    assert [(flaw["code"], flaw["path"]) for flaw in shown["flaws"]] == [
        ("unbounded_cycle", ["a", "b", "a"])
    ]


def test_all_that_is_wrong_with_a_graph_is_told_and_drawn(here: Here) -> None:
    Path("bad.py").write_text(
        "from hive import *\na, b, c = Role('a'), Role('b'), Role('c')\n"
        "team = Graph(start(a), handoff(a, a), handoff(a, b), finish(a), finish(c))\n"
    )
    told = here.hive("check", "./bad.py:team")
    assert told.code == 1
    for said in ("role 'c' is never reached", "a → b", "a → a", "hive graph ./bad.py:team draws"):
        assert said in told.out
    drawn = here.hive("graph", "./bad.py:team")
    assert drawn.code == 1
    assert "unbounded_cycle: a → a" in drawn.out
    assert "no_way_to_finish: a → b" in drawn.out
    assert here.hive("graph", "./bad.py:team", "-o", "bad.svg").code == 1
    assert 'class="role flaw"' in Path("bad.svg").read_text()


def test_nothing_already_journaled_is_lost_to_a_mistake(here: Here) -> None:
    before = here.hive("show", "--json", "--journal", "one.db").out
    here.hive("run", "team:scored", "x", "--journal", "one.db", "--workspace", "nowhere")
    assert here.hive("show", "--json", "--journal", "one.db").out == before


def test_a_torn_entry_is_named(here: Here) -> None:
    torn = sqlite3.connect("one.db")
    torn.execute("UPDATE contents SET body = ? WHERE id & 0xff = 1", (b"{no json",))
    torn.commit()
    torn.close()
    for command, code in (("show", 4), ("runs", 0)):
        answer = here.hive(command, "--journal", "one.db")
        assert answer.code == code
        assert "entry 1 of run" in answer.err
