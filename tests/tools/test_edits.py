from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hive.errors import ToolError, ToolRefused
from hive.tools.edits import Document, Edit, apply_edits, edited_files
from tests.tools.projects import project

TEXT = "a = 1\nb = 1\nif a:\n    b = 2\n"


def edit(before: str, after: str, line: int | None = None, path: str = "m.py") -> Edit:
    return Edit(path=path, before=before, after=after, line=line)


def test_a_piece_that_occurs_once_needs_no_line() -> None:
    assert apply_edits(TEXT, [edit("b = 2", "b = 3")]) == TEXT.replace("b = 2", "b = 3")


def test_the_line_chooses_among_several() -> None:
    assert apply_edits(TEXT, [edit("= 1", "= 9", 2)]) == TEXT.replace("b = 1", "b = 9")
    assert apply_edits("x x\n", [edit("x", "y", 1)]) == "y x\n"
    assert apply_edits(TEXT, [edit("if a:\n    b = 2", "b = 3", 3)]) == "a = 1\nb = 1\nb = 3\n"


def test_edits_are_looked_up_in_the_text_as_it_was() -> None:
    edits = [edit("b = 1", "b = 1\nc = 1", 2), edit("    b = 2", "    pass", 4), edit("", "#\n", 1)]
    assert apply_edits(TEXT, edits) == "#\na = 1\nb = 1\nc = 1\nif a:\n    pass\n"
    assert apply_edits(TEXT, list(reversed(edits))) == apply_edits(TEXT, edits)


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (edit("= 1", "= 2"), r"occurs 2 times \(lines 1, 2\); give its `line`"),
        (edit("b  = 1", "b"), "does not occur; read the file again"),
        (edit("  if a:", "if b:"), "does not occur; its first line stands on line 3: mind white"),
        (edit("b = 1", "b", 1), "does not start on line 1, which reads 'a = 1'"),
        (edit("b = 1", "b", 9), "there is no line 9; the file has 5"),
        (edit("b = 1", "b = 1"), "nothing would change"),
        (edit("", "x"), "`before` is empty"),
    ],
)
def test_what_does_not_fit_says_what_would(wrong: Edit, complaint: str) -> None:
    with pytest.raises(ToolError, match=complaint):
        apply_edits(TEXT, [wrong])


def test_edits_that_overlap_are_refused() -> None:
    with pytest.raises(ToolError, match=r"m\.py: two edits overlap at line 2"):
        apply_edits(TEXT, [edit("a = 1\nb", "c"), edit("b = 1", "d", 2)])


def test_all_edits_fit_or_none_is_made(tmp_path: Path) -> None:
    work = project(tmp_path, a="A = 1\n", b="B = 1\n")
    both = [edit("A = 1", "A = 2", path="a.py"), edit("B = 1", "B = 2", path="./b.py")]
    changed = edited_files(work, both)
    assert changed == {"a.py": (b"A = 1\n", b"A = 2\n"), "b.py": (b"B = 1\n", b"B = 2\n")}
    with pytest.raises(ToolError, match=r"b\.py: `before` does not occur"):
        edited_files(work, [both[0], edit("C", "D", path="b.py")])
    assert work.read("a.py") == b"A = 1\n"


def test_two_spellings_of_a_path_are_one_file(tmp_path: Path) -> None:
    work = project(tmp_path, a="A = 1\nB = 1\n")
    changed = edited_files(
        work, [edit("A = 1", "A = 2", path="a.py"), edit("B = 1", "B = 2", path=".//a.py")]
    )
    assert changed == {"a.py": (b"A = 1\nB = 1\n", b"A = 2\nB = 2\n")}


def test_read_only_files_are_refused_before_they_are_read(tmp_path: Path) -> None:
    work = project(tmp_path, test_a="assert True\n")
    with pytest.raises(ToolRefused, match="is read-only"):
        edited_files(work, [edit("True", "False", path="test_a.py")])


def test_line_ends_and_byte_order_mark_survive() -> None:
    content = b"\xef\xbb\xbfa = 1\r\nb = 2\r\n"
    document = Document.parse("m.py", content)
    assert document.text == "a = 1\nb = 2\n"
    assert document.encode(document.text) == content
    mixed = Document.parse("m.py", b"a\r\nb\n")
    assert mixed.encode(mixed.text) == b"a\r\nb\n"


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(ToolError, match=r"'m\.bin' is not UTF-8 text: .* at byte 1"):
        Document.parse("m.bin", b"a\xff")
    with pytest.raises(ToolError, match="no Unicode"):
        Document("").encode("\ud800")


@given(st.binary(max_size=40))
def test_reading_and_writing_back_changes_nothing(content: bytes) -> None:
    try:
        document = Document.parse("m", content)
    except ToolError:
        return
    assert document.encode(document.text) == content


@given(st.text("ab\n", max_size=20), st.text("ab\n", min_size=1, max_size=4), st.text("xy\n"))
def test_an_edit_replaces_exactly_one_piece(text: str, before: str, after: str) -> None:
    assume(before != after)
    starts = [i for i in range(len(text)) if text.startswith(before, i)]
    for start in starts:
        line = text.count("\n", 0, start) + 1
        first = min(i for i in starts if text.count("\n", 0, i) + 1 == line)
        expected = text[:first] + after + text[first + len(before) :]
        assert apply_edits(text, [edit(before, after, line)]) == expected
