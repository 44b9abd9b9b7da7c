"""The digest of a workspace is that of its files, however seldom they are read."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hive.errors import ToolError
from hive.tools import Workspace, walk
from tests.tools.projects import folder

PATHS = ("a.txt", "b.txt", "pkg/c.txt")
TICK = 2_000_000_000
"""Nanoseconds between two readings of the coarsest clock that a file system may have."""


class Ticking:
    """A file system that counts in ticks, gives every file one inode number, and whose clock only
    goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 0
        self.changed: dict[int, int] = {}

    def stamp(self, status: os.stat_result) -> tuple[int, ...]:
        time = self.changed.get(status.st_ino, 0)
        return (0, 0, status.st_size, status.st_mode, time, time)

    def touch(self, path: Path) -> None:
        if path.exists():
            self.changed[path.stat().st_ino] = self.now // TICK * TICK


def write(work: Workspace, path: str, text: str) -> None:
    work.write(path, text.encode())


def overwrite(work: Workspace, path: str, text: str) -> None:
    place = work.root / path
    if place.exists():
        place.write_text(text)  # by somebody else: the same inode


def remove(work: Workspace, path: str, text: str) -> None:
    (work.root / path).unlink(missing_ok=True)


def rename(work: Workspace, path: str, text: str) -> None:
    other = PATHS[(PATHS.index(path) + 1) % len(PATHS)]
    if (work.root / path).exists():
        (work.root / path).rename(work.root / other)


def change_mode(work: Workspace, path: str, text: str) -> None:
    place = work.root / path
    if place.exists():
        place.chmod(place.stat().st_mode ^ stat.S_IXUSR)


def look(work: Workspace, path: str, text: str) -> None:
    work.digest()


Act = Callable[[Workspace, str, str], None]
ACTS = st.lists(
    st.tuples(
        st.sampled_from([write, overwrite, remove, rename, change_mode, look]),
        st.sampled_from(PATHS),
        st.sampled_from(["1", "2"]),
        st.sampled_from([0, 1, TICK // 2, TICK - 1, TICK, 3 * TICK]),
    ),
    max_size=20,
)


@given(acts=ACTS)
def test_a_digest_is_that_of_a_fresh_look(
    tmp_path_factory: pytest.TempPathFactory, acts: list[tuple[Act, str, str, int]]
) -> None:
    work = folder(tmp_path_factory.mktemp("work"), {"pkg/c.txt": "0"})
    for act, path, text, _ in acts:
        act(work, path, text)
        assert work.digest() == Workspace(work.root).digest()


@given(acts=ACTS)
def test_changes_within_one_tick_of_the_clock_are_seen(
    tmp_path_factory: pytest.TempPathFactory, acts: list[tuple[Act, str, str, int]]
) -> None:
    work = folder(tmp_path_factory.mktemp("work"), {"pkg/c.txt": "0"})
    system = Ticking()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(walk, "stamp", system.stamp)
        patched.setattr(time, "time_ns", lambda: system.now)
        for act, path, text, passing in acts:
            system.now += passing
            act(work, path, text)
            if act is not look:
                for each in PATHS:
                    if act is rename or each == path:
                        system.touch(work.root / each)
            assert work.digest() == Workspace(work.root).digest()


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of the files that are opened."""
    paths: list[str] = []
    open_file = walk.open_file

    def noted(path: str, name: str, parent: int) -> int | None:
        paths.append(path)
        return open_file(path, name, parent)

    monkeypatch.setattr(walk, "open_file", noted)
    return paths


def test_a_file_that_has_not_changed_is_not_read_again(
    tmp_path: Path, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    work = folder(tmp_path / "work", dict.fromkeys(PATHS, "x"))
    later = time.time_ns() + 10 * TICK
    monkeypatch.setattr(time, "time_ns", lambda: later)
    digest = work.digest()
    assert sorted(opened) == list(PATHS)
    opened.clear()
    assert work.digest() == work.under("run", "1/a/0.0").digest() == digest
    assert opened == []
    work.write("b.txt", b"longer")
    opened.clear()
    assert work.digest() != digest
    assert opened == ["b.txt"]


def test_a_file_that_was_just_written_is_read_again(tmp_path: Path, opened: list[str]) -> None:
    work = folder(tmp_path / "work", {"a.txt": "x"})
    work.digest()
    work.digest()
    assert opened == ["a.txt", "a.txt"]


def test_a_clock_that_was_put_back_only_costs_reading(
    tmp_path: Path, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    work = folder(tmp_path / "work", {"a.txt": "x"})
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    assert work.digest() == work.digest()
    assert opened == ["a.txt", "a.txt"]


def test_a_file_that_goes_away_while_it_is_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = folder(tmp_path / "work", {"a.txt": "x"})
    monkeypatch.setattr(walk, "open_file", lambda path, name, parent: None)
    with pytest.raises(ToolError, match=r"'a\.txt' went away"):
        work.digest()
