"""Patches: file tools post what they changed, and a reader finds the changed lines in it."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from hive.tools import Call, FileChange, Workspace, edit_file, write_file
from roles.patch import LONGEST, Hunk, Patch, patch_of, with_patches

lines = st.lists(
    st.sampled_from(["a", "b", "  c", "", "-- d", "++ e", "@@ -1 +1 @@", "é"]), max_size=9
)


def change(before: str | None, after: str | None) -> FileChange:
    old, new = (None if text is None else text.encode() for text in (before, after))
    return FileChange("pkg/mod.py", old, new)


@given(lines, lines)
def test_hunks_turn_the_old_lines_into_the_new_ones(before: list[str], after: list[str]) -> None:
    patch = patch_of(change("\n".join(before), "\n".join(after)))
    text = "\n".join(after).split("\n")
    for hunk in patch.hunks():
        start = hunk.line - 1
        assert tuple(text[start : start + len(hunk.after)]) == hunk.after
    for hunk in reversed(list(patch.hunks())):
        start = hunk.line - 1
        text[start : start + len(hunk.after)] = hunk.before
    assert text == "\n".join(before).split("\n")
    assert patch.added == sum(len(hunk.after) for hunk in patch.hunks())
    assert patch.removed == sum(len(hunk.before) for hunk in patch.hunks())


def test_a_changed_line_is_shown_with_its_surroundings() -> None:
    patch = patch_of(change("a\nb\nc\nd\n", "a\nb\nC\nd\n"))
    assert patch.diff.splitlines()[:3] == [
        "--- a/pkg/mod.py",
        "+++ b/pkg/mod.py",
        "@@ -1,5 +1,5 @@",
    ]
    assert list(patch.hunks()) == [Hunk(3, ("c",), ("C",))]
    assert (patch.added, patch.removed) == (1, 1)


@pytest.mark.parametrize(
    ("before", "after", "head"),
    [(None, "a\n", "--- /dev/null"), ("a\n", None, "--- a/pkg/mod.py\n+++ /dev/null")],
)
def test_new_and_removed_files_say_so(before: str | None, after: str | None, head: str) -> None:
    assert patch_of(change(before, after)).diff.startswith(head)


def test_a_long_difference_is_cut_and_says_so() -> None:
    patch = patch_of(change("", "".join(f"line {n}\n" for n in range(2_000))))
    assert len(patch.diff) < LONGEST + 100
    assert "left out" in patch.diff
    assert patch.added == 2_000
    assert next(patch.hunks()).line == 1


def test_what_is_no_text_is_counted() -> None:
    patch = patch_of(FileChange("a.bin", b"\xff\x00", b"\xff\x00\x01"))
    assert "(3 bytes that are no text)" in patch.diff


@pytest.mark.asyncio
async def test_a_file_tool_posts_what_it_changed(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\ny = 2\n", encoding="utf-8")
    call = Call(workspace=Workspace(tmp_path))
    edit: dict[str, JsonValue] = {"path": "a.py", "before": "x = 1", "after": "x = 3"}
    output = await with_patches(edit_file).execute({"edits": [edit]}, call)
    (patch,) = output.posts
    assert isinstance(patch, Patch)
    assert (patch.path, patch.added, patch.removed) == ("a.py", 1, 1)
    refused = await with_patches(write_file).execute({"path": "conftest.py", "text": ""}, call)
    assert refused.error
    assert refused.posts == ()


@pytest.mark.asyncio
async def test_only_tools_that_tell_their_changes_can_post_patches(tmp_path: Path) -> None:
    async def silent(arguments: object, call: Call) -> str:
        return "done"

    tool = with_patches(replace(edit_file, run=silent))
    output = await tool.execute({"edits": [{"path": "a", "before": "b", "after": "c"}]}, Call())
    assert output.error
    assert "ToolOutput" in output.text
