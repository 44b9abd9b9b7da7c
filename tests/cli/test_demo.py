"""`hive demo` on a project of the user's own, and where it puts the shipped one."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from hive.cli.demo import prepared
from tests.cli.conftest import Here

SOURCE = '''\
def largest(numbers):
    """The largest of some numbers."""
    best = numbers[0]
    for number in numbers:
        if number < best:
            best = number
    return best
'''
TESTS = """\
from largest import largest


def test_the_first():
    assert largest([3, 1, 2]) == 3


def test_the_last():
    assert largest([1, 2, 3]) == 3


def test_alone():
    assert largest([7]) == 7
"""


def test_a_project_that_is_there_is_worked_on_as_it_is(here: Here) -> None:
    project = here.folder / "project"
    project.mkdir()
    (project / "largest.py").write_text(SOURCE)
    (project / "test_largest.py").write_text(TESTS)
    answer = here.hive("demo", "--workspace", "project")
    assert answer.code == 0, answer.out + answer.err
    lines = answer.out.splitlines()
    assert lines[0].startswith("Working in project, on what is there: its files are changed in")
    assert lines[1] == "The minds are programs: no key, no network, nothing to pay."
    assert lines[2] == "The run is kept in .hive/journal.db."
    assert "+        if number > best:" in answer.out
    assert "number > best" in (project / "largest.py").read_text()
    assert "hive new my-team" in answer.out
    [run] = here.runs()
    assert (run["workflow"], run["tags"]) == ("roles.team:repair", ["demo"])


def test_a_fresh_copy_is_made_where_nothing_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    empty = tmp_path / "empty"
    empty.mkdir()
    for target in (tmp_path / "new", empty):
        folder, sentence = prepared(target, keep=False)
        assert folder == target
        assert list(target.rglob("test_*.py"))
        assert sentence == f"Working in {target}, a fresh copy of a small project with bugs."
    scratch, sentence = prepared(None, keep=False)
    assert "which goes when the run has ended" in sentence
    assert list(scratch.rglob("test_*.py"))
