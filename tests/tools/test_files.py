from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from pydantic import JsonValue

from hive.errors import ToolError
from hive.tools import (
    FILE_TOOLS,
    Call,
    FileChange,
    Workspace,
    edit_file,
    list_files,
    read_file,
    search,
    write_file,
)
from tests.tools.projects import ask_for, call_on, folder, text_of

LINES = "".join(f"line {number}\n" for number in range(1, 1001))


@pytest.fixture
def call(tmp_path: Path) -> Call:
    return call_on(
        folder(
            tmp_path,
            {
                "app.py": "def f(x):\n    return x\n",
                "tests/test_app.py": "from app import f\n",
                "notes.txt": LINES,
                "pkg/deep/mod.py": "F = 1",
                ".git/config": "f",
            },
        )
    )


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_each_says_truly_what_it_touches() -> None:
    assert {tool.name: (tool.effect, tool.repeat) for tool in FILE_TOOLS} == {
        "list_files": ("read", "safe"),
        "read_file": ("read", "safe"),
        "search": ("read", "safe"),
        "edit_file": ("write", "safe"),
        "write_file": ("write", "safe"),
    }


@pytest.mark.asyncio
async def test_files_are_listed_by_glob(call: Call) -> None:
    listed = await ask_for(list_files, call)
    assert listed == {
        "files": [
            {"path": "app.py", "bytes": 23, "lines": 2, "read_only": False},
            {"path": "pkg/deep/mod.py", "bytes": 5, "lines": 1, "read_only": False},
            {"path": "tests/test_app.py", "bytes": 18, "lines": 1, "read_only": True},
        ],
        "more": 0,
    }
    assert [f["path"] for f in (await ask_for(list_files, call, pattern="*.txt"))["files"]] == [
        "notes.txt"
    ]


@pytest.mark.asyncio
async def test_a_long_list_says_how_much_is_left_out(call: Call) -> None:
    assert call.workspace is not None
    folder(call.workspace.root, {f"many/f{number}.c": "" for number in range(503)})
    listed = await ask_for(list_files, call, pattern="**/*.c")
    assert (len(listed["files"]), listed["more"]) == (500, 3)


@pytest.mark.asyncio
async def test_some_lines_of_a_file_are_read(call: Call) -> None:
    read = await ask_for(read_file, call, path="notes.txt", start=10, lines=2)
    assert read == {
        "path": "notes.txt",
        "start": 10,
        "end": 11,
        "total": 1000,
        "text": "line 10\nline 11\n",
    }
    assert (await ask_for(read_file, call, path="notes.txt", start=999))["end"] == 1000
    assert (await ask_for(read_file, call, path="pkg/deep/mod.py"))["text"] == "F = 1"
    assert "has 1000 lines; there is no line 2000" in await text_of(
        read_file, call, path="notes.txt", start=2000
    )


@pytest.mark.asyncio
async def test_lines_are_counted_as_python_counts_them(call: Call) -> None:
    assert call.workspace is not None
    call.workspace.write("odd.py", "a = '\x0b\u2028'\n\x0cb = 1\r\n".encode())
    read = await ask_for(read_file, call, path="odd.py", start=2)
    assert (read["total"], read["text"]) == (2, "\x0cb = 1\r\n")


@pytest.mark.asyncio
async def test_an_empty_file_and_a_very_long_line_can_be_read(call: Call) -> None:
    assert call.workspace is not None
    call.workspace.write("empty.py", b"")
    call.workspace.write("long.txt", b"x" * 1_000_000)
    empty = await ask_for(read_file, call, path="empty.py")
    assert (empty["start"], empty["end"], empty["total"], empty["text"]) == (1, 0, 0, "")
    assert len((await ask_for(read_file, call, path="long.txt"))["text"]) == 200_000


@pytest.mark.asyncio
async def test_text_is_searched_letter_by_letter(call: Call) -> None:
    assert await ask_for(search, call, pattern="f(x)") == {
        "matches": [{"path": "app.py", "line": 1, "text": "def f(x):"}],
        "more": 0,
    }
    assert (await ask_for(search, call, pattern="DEF F"))["matches"] == []
    assert len((await ask_for(search, call, pattern="DEF F", ignore_case=True))["matches"]) == 1
    many = await ask_for(search, call, pattern="line", glob="*.txt")
    assert (len(many["matches"]), many["more"]) == (200, 800)


@pytest.mark.asyncio
async def test_what_is_no_text_is_not_searched(call: Call) -> None:
    assert call.workspace is not None
    call.workspace.write("data.bin", b"\xff def f(x)")
    assert len((await ask_for(search, call, pattern="def f"))["matches"]) == 1


@pytest.mark.asyncio
async def test_an_edit_gives_both_contents_for_the_record(call: Call) -> None:
    edits: JsonValue = [
        {"path": "app.py", "before": "return x", "after": "return -x", "line": 2},
        {"path": "pkg/deep/mod.py", "before": "F = 1", "after": "F = 2"},
    ]
    output = await edit_file.execute({"edits": edits}, call)
    assert output.changes == (
        FileChange("app.py", b"def f(x):\n    return x\n", b"def f(x):\n    return -x\n"),
        FileChange("pkg/deep/mod.py", b"F = 1", b"F = 2"),
    )
    assert digest("def f(x):\n    return -x\n") in output.text
    assert (await ask_for(read_file, call, path="app.py"))["text"].endswith("return -x\n")


@pytest.mark.asyncio
async def test_an_edit_that_does_not_fit_changes_nothing(call: Call) -> None:
    edits = [
        {"path": "app.py", "before": "return x", "after": "return -x"},
        {"path": "tests/test_app.py", "before": "f", "after": "g", "line": 1},
    ]
    assert "is read-only" in await text_of(edit_file, call, edits=edits)
    assert (await ask_for(read_file, call, path="app.py"))["text"].endswith("return x\n")


@pytest.mark.asyncio
async def test_a_file_is_written_whole(call: Call) -> None:
    written = await ask_for(write_file, call, path="new/a.py", text="A = 1\n")
    assert written == {
        "changed": [{"path": "new/a.py", "before": None, "after": digest("A = 1\n")}]
    }
    assert "is read-only" in await text_of(write_file, call, path="conftest.py", text="")
    assert "climbs out" in await text_of(write_file, call, path="../a.py", text="")


@pytest.mark.asyncio
async def test_without_a_workspace_every_file_tool_says_so() -> None:
    for tool, arguments in (
        (list_files, {}),
        (read_file, {"path": "a"}),
        (search, {"pattern": "a"}),
        (write_file, {"path": "a", "text": ""}),
    ):
        assert "this run has no workspace" in await text_of(tool, Call(), **arguments)


@pytest.mark.asyncio
async def test_a_file_that_vanishes_while_files_are_listed_does_no_harm(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(workspace: Workspace, path: str) -> bytes:
        raise ToolError("gone")

    monkeypatch.setattr(Workspace, "read", gone)
    assert (await ask_for(list_files, call, pattern="app.py"))["files"][0]["lines"] == 0
    assert (await ask_for(search, call, pattern="def"))["matches"] == []
