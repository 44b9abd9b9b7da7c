from __future__ import annotations

import os
import socket
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hive.errors import DeclarationError, HiveError, ToolError, ToolRefused
from hive.tools import FileChange, Workspace, walk
from tests.tools.projects import folder, project

SECRET = "not yours"


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder beside the workspace, with something worth stealing."""
    place = tmp_path / "outside"
    place.mkdir()
    (place / "secret").write_text(SECRET)
    return place


@pytest.fixture
def work(tmp_path: Path) -> Workspace:
    return project(tmp_path / "work", a="A = 1\n", pkg__b="B = 2\n")


def test_a_workspace_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DeclarationError, match="is not a folder"):
        Workspace(tmp_path / "nowhere")


def test_files_are_read_and_written_with_both_contents_given_back(work: Workspace) -> None:
    assert work.read("a.py") == b"A = 1\n"
    assert work.write("a.py", b"A = 2\n") == FileChange("a.py", b"A = 1\n", b"A = 2\n")
    assert work.write("./new/deep.py", b"") == FileChange("new/deep.py", None, b"")
    assert work.remove("new/deep.py") == FileChange("new/deep.py", b"", None)
    assert work.files() == ("a.py", "pkg/b.py")


@pytest.mark.parametrize("path", ["missing.py", "missing/a.py", "pkg", "a.py/b", ""])
def test_what_is_no_file_is_an_error_that_can_be_read(work: Workspace, path: str) -> None:
    with pytest.raises(ToolError) as caught:
        work.read(path)
    assert repr(path.partition("/b")[0]) in str(caught.value) or "missing" in str(caught.value)


def test_the_mode_of_a_file_is_kept(work: Workspace) -> None:
    script = work.root / "a.py"
    script.chmod(0o751)
    work.write("a.py", b"pass\n")
    assert script.stat().st_mode & 0o777 == 0o751


def links_into(work: Workspace, outside: Path) -> dict[str, str]:
    """Every kind of link, by the path under which it might be followed."""
    (work.root / "file").symlink_to(outside / "secret")
    (work.root / "dir").symlink_to(outside)
    (work.root / "dangling").symlink_to(outside / "new")
    (work.root / "pkg" / "up").symlink_to("../../outside")
    (work.root / "inner").symlink_to("a.py")
    (work.root / "self").symlink_to(".")
    (work.root / "loop").symlink_to("loop")
    return {
        path: path
        for path in (
            "file",
            "dir",
            "dir/secret",
            "dir/new",
            "dangling",
            "pkg/up/secret",
            "inner",
            "self/a.py",
            "loop",
        )
    }


def test_no_link_is_followed_for_reading_or_writing(work: Workspace, outside: Path) -> None:
    for path in links_into(work, outside):
        with pytest.raises(ToolRefused, match="links are not followed"):
            work.read(path)
        with pytest.raises(ToolRefused, match="links are not followed"):
            work.write(path, b"mine")
        with pytest.raises(ToolRefused, match="links are not followed"):
            work.path(path)
    assert sorted(place.name for place in outside.iterdir()) == ["secret"]
    assert (outside / "secret").read_text() == SECRET


def test_links_are_neither_listed_nor_descended_into(work: Workspace, outside: Path) -> None:
    links_into(work, outside)
    assert work.files() == ("a.py", "pkg/b.py")
    assert [item.path for item in work.items() if item.link] == [
        "dangling",
        "dir",
        "file",
        "inner",
        "loop",
        "pkg/up",
        "self",
    ]


def test_a_link_planted_between_check_and_use_is_not_followed(
    work: Workspace, outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = walk.step

    def plant_then_step(path: str, name: str, parent: int, make: bool) -> int:
        if name == "pkg" and (work.root / "pkg").is_dir():
            (work.root / "pkg").rename(work.root / "moved")
            (work.root / "pkg").symlink_to(outside)
        return step(path, name, parent, make)

    monkeypatch.setattr(walk, "step", plant_then_step)
    with pytest.raises(ToolRefused, match="links are not followed"):
        work.read("pkg/secret")
    assert not (outside / "b.py").exists()


def test_a_folder_swapped_during_a_write_is_still_the_one_written_to(
    work: Workspace, outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = walk.replace

    def swap_then_replace(
        path: str, name: str, parent: int, content: bytes, temporary: str
    ) -> None:
        (work.root / "pkg").rename(work.root / "moved")
        (work.root / "pkg").symlink_to(outside)
        replace(path, name, parent, content, temporary)

    monkeypatch.setattr(walk, "replace", swap_then_replace)
    work.write("pkg/new.py", b"")
    assert (work.root / "moved" / "new.py").exists()
    assert not (outside / "new.py").exists()


def test_a_link_in_place_of_a_file_is_replaced_not_followed(
    work: Workspace, outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = walk.read

    def read_then_plant(path: str, name: str, parent: int) -> bytes | None:
        content = read(path, name, parent)
        (work.root / "a.py").unlink()
        (work.root / "a.py").symlink_to(outside / "secret")
        return content

    monkeypatch.setattr(walk, "read", read_then_plant)
    work.write("a.py", b"mine")
    assert (outside / "secret").read_text() == SECRET
    assert (work.root / "a.py").read_bytes() == b"mine"


def test_pipes_sockets_and_folders_are_no_files(work: Workspace) -> None:
    os.mkfifo(work.root / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(work.root)  # the path of a socket has to be short
        try:
            server.bind("socket")
        finally:
            os.chdir(here)
        for name in ("pipe", "socket"):
            with pytest.raises(ToolError):
                work.read(name)
            with pytest.raises(ToolError):
                work.write(name, b"")
    assert work.files() == ("a.py", "pkg/b.py")


def test_version_control_and_the_record_are_out_of_reach(work: Workspace) -> None:
    for name in (".git", ".hive", "pkg/.git", "pkg/.HIVE"):
        (work.root / name).mkdir(parents=True)
        (work.root / name / "config").write_text("x")
        digest = work.digest()
        with pytest.raises(ToolRefused, match="out of reach"):
            work.read(f"{name}/config")
        with pytest.raises(ToolRefused, match="out of reach"):
            work.write(f"{name}/hooks", b"")
        (work.root / name / "config").write_text("y")
        assert work.digest() == digest
    assert work.files() == ("a.py", "pkg/b.py")


@pytest.mark.parametrize(
    "path", ["tests/a.txt", "test_a.py", "conftest.py", "pkg/pytest.ini", "pyproject.toml", "x.pth"]
)
def test_protected_files_are_read_but_not_written(work: Workspace, path: str) -> None:
    folder(work.root, {path: "old"})
    assert work.is_protected(path)
    assert work.read(path) == b"old"
    for change in (work.write, lambda p, c: work.remove(p)):
        with pytest.raises(ToolRefused, match="is read-only: tests"):
            change(path, b"new")
    with pytest.raises(ToolRefused, match="is read-only: tests"):
        work.path(path, write=True)
    assert work.read(path) == b"old"


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("pytest.ini", "[pytest]\npython_files = check_*.py\n"),
        ("setup.cfg", "[tool:pytest]\npython_files =\n    check_*.py\n    spec_*.py\n"),
        ("tox.ini", "[pytest]\npython_files: check_*.py"),
        ("pyproject.toml", '[tool.pytest.ini_options]\npython_files = ["check_*.py"]\n'),
        ("pyproject.toml", '[tool.pytest]\npython_files = ["check_*.py"]\n'),
        ("pytest.toml", '[pytest]\npython_files = ["check_*.py"]\n'),
    ],
)
def test_test_files_that_the_configuration_names_are_protected(
    tmp_path: Path, file: str, text: str
) -> None:
    work = folder(tmp_path / "work", {file: text, "check_a.py": ""})
    assert work.is_protected("check_a.py")
    assert not work.is_protected("a.py")


@pytest.mark.parametrize("text", ["[pytest", "\0", "[a]\n[a]\n", 'python_files = "*.py"'])
def test_a_configuration_that_cannot_be_read_is_left_to_pytest(tmp_path: Path, text: str) -> None:
    work = folder(tmp_path / "work", {"pytest.ini": text, "pyproject.toml": text})
    assert not work.is_protected("a.py")


def test_a_new_module_may_not_stand_in_for_an_installed_one(work: Workspace) -> None:
    for path in ("math.py", "pytest.py", "src/json.py", "hypothesis/__init__.py", "re.so"):
        with pytest.raises(ToolRefused, match="would stand in for the module"):
            work.write(path, b"")
    folder(work.root, {"pkg/__init__.py": "", "calendar.py": ""})
    for path in ("pkg/json.py", "calendar.py", "pkg/math/__init__.py", "json/notes.txt", "c.py"):
        work.write(path, b"")


def test_caches_are_not_part_of_the_work(work: Workspace) -> None:
    digest = work.digest()
    for path in ("__pycache__/a.cpython-311.pyc", "a.pyc", ".venv/x.py", ".pytest_cache/v/x"):
        folder(work.root, {path: "x"})
        with pytest.raises(ToolRefused, match="where programs keep caches"):
            work.write(path, b"")
    assert work.digest() == digest
    assert work.files() == ("a.py", "pkg/b.py")


def test_the_digest_is_of_contents_names_links_and_the_right_to_execute(work: Workspace) -> None:
    seen = {work.digest()}

    def changed() -> bool:
        known = len(seen)
        seen.add(work.digest())
        return len(seen) > known

    (work.root / "a.py").touch()
    assert not changed()
    (work.root / "a.py").write_text("A = 3\n")
    assert changed()
    (work.root / "a.py").rename(work.root / "c.py")
    assert changed()
    (work.root / "c.py").chmod(0o755)
    assert changed()
    (work.root / "link").symlink_to("c.py")
    assert changed()
    (work.root / "empty").write_text("")
    assert changed()
    (work.root / "empty").unlink()
    assert not changed()


def test_a_copy_has_the_same_digest_and_its_links_stay_inside(
    work: Workspace, outside: Path, tmp_path: Path
) -> None:
    (work.root / "pkg" / "absolute").symlink_to(work.root / "a.py")
    (work.root / "relative").symlink_to("pkg/b.py")
    (work.root / "away").symlink_to("../outside/secret")
    (work.root / "pkg" / "b.py").chmod(0o500)
    folder(work.root, {".git/config": "x", "a.pyc": "x"})
    work.copy_to(tmp_path / "deep" / "copy")
    copy = Workspace(tmp_path / "deep" / "copy")
    assert copy.digest() == work.digest()
    assert (copy.root / "pkg" / "absolute").resolve() == copy.root / "a.py"
    assert (copy.root / "relative").resolve() == copy.root / "pkg" / "b.py"
    assert (copy.root / "away").read_text() == SECRET
    assert not (copy.root / ".git").exists()
    assert not (copy.root / "a.pyc").exists()
    (copy.root / "pkg" / "b.py").write_text("changed")
    assert work.read("pkg/b.py") == b"B = 2\n"


def test_files_with_names_that_no_tool_can_use_still_count(work: Workspace) -> None:
    digest = work.digest()
    with open(os.fsencode(work.root) + b"/\xff\xfe", "wb") as file:
        file.write(b"x")
    (work.root / "a\nb").write_text("x")
    assert work.files() == ("a.py", "pkg/b.py")
    assert work.digest() != digest


def test_a_failed_write_leaves_the_file_and_nothing_else(
    work: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "rename", fail)
    with pytest.raises(ToolError, match=r"'a\.py': No space left on device"):
        work.write("a.py", b"new")
    monkeypatch.undo()
    assert work.read("a.py") == b"A = 1\n"
    assert sorted(path.name for path in work.root.iterdir()) == ["a.py", "pkg"]


def test_several_files_are_written_or_none(work: Workspace) -> None:
    (work.root / "dir").mkdir()
    with pytest.raises(ToolError):
        work.write_all({"a.py": b"new", "fresh.py": b"new", "dir": b"new"})
    assert work.read("a.py") == b"A = 1\n"
    assert not (work.root / "fresh.py").exists()
    changes = work.write_all({"a.py": b"new", "fresh.py": b"new"})
    assert [change.path for change in changes] == ["a.py", "fresh.py"]


USUAL = st.sampled_from(["a.py", "pkg", "up", "dir", "file", ".", "", "..", ".git", ".GIT"])
ODD = st.sampled_from(["~", "\0", "\\", "C:", "\uff0e\uff0e", "\u2025", "%2e%2e", "/etc/passwd"])
PATHS = st.lists(USUAL | ODD | st.text(max_size=6), min_size=1, max_size=6).map("/".join)


@pytest.fixture
def trapped(work: Workspace, outside: Path) -> Workspace:
    links_into(work, outside)
    folder(work.root, {".git/config": SECRET})
    return work


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(path=PATHS)
@example(path="dir/secret")
@example(path="pkg/up/secret")
@example(path="../outside/secret")
def test_no_path_reaches_anything_outside(trapped: Workspace, path: str) -> None:
    with suppress(HiveError):
        assert SECRET.encode() not in trapped.read(path)
    outside = trapped.root.parent / "outside"
    with suppress(HiveError):
        trapped.write(path, b"written")
    assert [(each.name, each.read_text()) for each in outside.iterdir()] == [("secret", SECRET)]
    assert sorted(each.name for each in trapped.root.parent.iterdir()) == ["outside", "work"]
    assert (trapped.root / ".git" / "config").read_text() == SECRET
