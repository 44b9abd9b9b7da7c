from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from hive.tools import Call, FileChange, shell
from tests.tools.projects import ask_for, call_on, folder, text_of


@pytest.fixture
def call(tmp_path: Path) -> Call:
    files = {"a.py": "A = 1\n", "old.py": "", "test_a.py": "assert True\n", ".git/config": "x"}
    return call_on(folder(tmp_path, files))


@pytest.mark.asyncio
async def test_a_command_gives_its_code_and_output(call: Call) -> None:
    answer = await ask_for(shell, call, command="cat a.py; echo oops >&2; ls -a; exit 3")
    assert answer["code"] == 3
    assert answer["stdout"].split() == ["A", "=", "1", ".", "..", "a.py", "old.py", "test_a.py"]
    assert answer["stderr"] == "oops\n"
    assert answer["changed"] == answer["dropped"] == []


@pytest.mark.asyncio
async def test_its_changes_are_brought_back_and_recorded(call: Call) -> None:
    command = "echo 'A = 2' > a.py; rm old.py; mkdir new; echo hi > new/b.txt; echo x > a.pyc"
    output = await shell.execute({"command": command}, call)
    assert output.changes == (
        FileChange("old.py", b"", None),
        FileChange("a.py", b"A = 1\n", b"A = 2\n"),
        FileChange("new/b.txt", None, b"hi\n"),
    )
    assert call.workspace is not None
    assert call.workspace.files() == ("a.py", "new/b.txt", "test_a.py")


@pytest.mark.asyncio
async def test_its_changes_are_brought_back_all_or_none(call: Call) -> None:
    assert call.workspace is not None
    command = "rm a.py; mkdir a.py; echo hi > a.py/b.txt"
    assert [c["path"] for c in (await ask_for(shell, call, command=command))["changed"]] == [
        "a.py",
        "a.py/b.txt",
    ]
    command = "rm -r old.py a.py; echo hi > a.py"  # here its folder stays, and is in the way
    said = await text_of(shell, call, command=command)
    assert said == "'a.py' is a folder, not a file"
    assert call.workspace.files() == ("a.py/b.txt", "old.py", "test_a.py")


@pytest.mark.asyncio
async def test_what_decides_the_tests_stays_as_it_is(call: Call) -> None:
    command = "rm test_a.py; echo > conftest.py; ln -s /etc/passwd link; echo > math.py"
    answer = await ask_for(shell, call, command=command)
    assert answer["changed"] == []
    assert len(answer["dropped"]) == 4
    assert call.workspace is not None
    assert call.workspace.files() == ("a.py", "old.py", "test_a.py")


@pytest.mark.asyncio
async def test_a_command_that_does_not_end_changes_nothing(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_module("hive.tools.command"), "SECONDS", 0.5)
    said = await text_of(shell, call, command="echo 'A = 2' > a.py; exec sleep 1000")
    assert said == "the command was stopped after 0.5 s; nothing was changed"
    assert call.workspace is not None
    assert call.workspace.read("a.py") == b"A = 1\n"
