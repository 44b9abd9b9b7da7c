"""Whatever a call had done when its process died, undoing leaves the files as they were before."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hive.errors import ToolError, ToolRefused
from hive.tools import FileChange, Workspace
from hive.tools.undo import logged_calls, tidy, undo, undo_unfinished
from tests.house.tree import ROOT
from tests.tools.projects import folder

RUN, CALL = "01abc", "3/coder/0.2"
STEPS = ("open", "mkdir", "write", "fchmod", "rename", "unlink", "rmdir")
"""The functions of `os` by which the file system is read and changed; the rest only looks."""


class Death(BaseException):
    """The end of the process: nothing it was about to do is done."""


class Fate:
    """Lets some steps pass, then ends the process, or has one step fail first."""

    def __init__(self, passing: int, failing: int | None = None) -> None:
        self.passing = passing
        self.failing = failing
        self.steps = 0

    def step(self, real: Callable[..., Any], name: str) -> Callable[..., Any]:
        def stepped(*arguments: Any, **options: Any) -> Any:
            number, self.steps = self.steps, self.steps + 1
            if name == "write" and number in (self.failing, self.passing):
                real(arguments[0], arguments[1][: len(arguments[1]) // 2])
            if number == self.failing:
                raise OSError(28, "No space left on device")
            if number >= self.passing:
                raise Death
            return real(*arguments, **options)

        return stepped

    @contextmanager
    def ruling(self) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patched:
            for name in STEPS:
                patched.setattr(os, name, self.step(getattr(os, name), name))
            yield


def tree(root: Path) -> dict[str, tuple[int, bytes | str | None]]:
    """Everything in a folder: path to mode with content, a link's target, or None for a folder."""
    found: dict[str, tuple[int, bytes | str | None]] = {}
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        mode = stat.S_IMODE(path.lstat().st_mode)
        if path.is_symlink():
            found[name] = (mode, os.readlink(path))
        else:
            found[name] = (mode, path.read_bytes() if path.is_file() else None)
    return found


def some_work(root: Path) -> Workspace:
    work = folder(root, {"a.py": "A = 1\n", "pkg/b.py": "B = 2\n", "run.sh": "#!/bin/sh\n"})
    (work.root / "run.sh").chmod(0o755)
    (work.root / "pkg" / "link").symlink_to("b.py")
    return work


def write(work: Workspace) -> None:
    work.write("a.py", b"A = 2\n")


def write_new(work: Workspace) -> None:
    work.write("new/deep/c.py", b"C = 3\n")


def write_all(work: Workspace) -> None:
    work.write_all({"run.sh": b"exit 1\n", "new/d.py": b"", "pkg/b.py": None, "a.py": b"A = 3\n"})


def remove(work: Workspace) -> None:
    work.remove("run.sh")


def over_and_over(work: Workspace) -> None:
    work.write("a.py", b"A = 2\n")
    work.write("a.py", b"A = 1\n")
    work.remove("a.py")
    work.write("a.py", b"A = 2\n")
    work.write("e.py", b"E = 1\n")
    work.remove("e.py")


def write_two(work: Workspace) -> None:
    work.write_all({"new/d.py": b"D = 1\n", "pkg/b.py": b"B = 3\n"})


CALLS = (write, write_new, write_all, remove, over_and_over)


def lives(fate: Fate, doing: Callable[..., object], *arguments: object) -> bool:
    """Whether the process outlives what it does."""
    with fate.ruling(), suppress(ToolError):
        try:
            doing(*arguments)
        except Death:
            return False
    return True


@pytest.mark.parametrize("call", CALLS)
def test_a_process_that_dies_at_any_step_leaves_nothing_half_done(
    tmp_path: Path, call: Callable[[Workspace], None]
) -> None:
    passing, alive = 0, False
    while not alive:
        work = some_work(tmp_path / str(passing))
        before = tree(work.root)
        alive = lives(Fate(passing), call, work.under(RUN, CALL))
        undone = undo_unfinished(work.root, RUN, ())
        assert tree(work.root) == before
        assert undone.left == ()
        passing += 1
    assert passing > 5
    assert undone.changes, "at last all of it was done, and undone"


def test_a_process_that_dies_while_it_puts_things_back_leaves_nothing_half_done(
    tmp_path: Path,
) -> None:
    whole = Fate(10_000)
    assert lives(whole, write_two, some_work(tmp_path / "whole").under(RUN, CALL))
    for failing in range(whole.steps // 2, whole.steps):
        passing, alive = failing + 1, False
        while not alive:
            work = some_work(tmp_path / f"{failing}.{passing}")
            before = tree(work.root)
            alive = lives(Fate(passing, failing), write_two, work.under(RUN, CALL))
            undo_unfinished(work.root, RUN, ())
            assert tree(work.root) == before
            passing += 1


@pytest.mark.parametrize("call", CALLS)
def test_undoing_may_be_broken_off_too(tmp_path: Path, call: Callable[[Workspace], None]) -> None:
    passing, alive = 0, False
    while not alive:
        work = some_work(tmp_path / str(passing))
        before = tree(work.root)
        call(work.under(RUN, CALL))
        alive = lives(Fate(passing), undo_unfinished, work.root, RUN, ())
        assert undo_unfinished(work.root, RUN, ()).left == ()
        assert tree(work.root) == before
        passing += 1
    assert passing > 5


@pytest.mark.parametrize("call", CALLS)
def test_dropping_a_log_may_be_broken_off(
    tmp_path: Path, call: Callable[[Workspace], None]
) -> None:
    """A result that is durable stays, whatever is left of its log."""
    passing, alive = 0, False
    while not alive:
        work = some_work(tmp_path / str(passing))
        call(logged := work.under(RUN, CALL))
        after = work.digest()
        assert logged.log is not None
        alive = lives(Fate(passing), logged.log.drop)
        assert undo_unfinished(work.root, RUN, (CALL,)) == ((), ())
        assert work.digest() == after
        assert not (work.root / ".hive").exists()
        passing += 1
    assert passing > 2


KILLED = """
import os, signal, sys
from pathlib import Path
from hive.tools import Workspace
from tests.tools import test_undo

class Killed(test_undo.Fate):
    def step(self, real, name):
        def stepped(*arguments, **options):
            self.steps += 1
            if self.steps > self.passing:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments, **options)
        return stepped

work = Workspace(Path(sys.argv[1]))
with Killed(int(sys.argv[2])).ruling():
    getattr(test_undo, sys.argv[3])(work.under(test_undo.RUN, test_undo.CALL))
"""


@settings(max_examples=8)
@given(call=st.sampled_from([write_new, write_all, over_and_over]), passing=st.integers(0, 40))
def test_a_process_that_is_killed_leaves_nothing_half_done(
    tmp_path_factory: pytest.TempPathFactory, call: Callable[[Workspace], None], passing: int
) -> None:
    work = some_work(tmp_path_factory.mktemp("work"))
    before = tree(work.root)
    arguments = [str(work.root), str(passing), call.__name__]
    ended = subprocess.run([sys.executable, "-c", KILLED, *arguments], cwd=ROOT, check=False)
    assert ended.returncode in (0, -signal.SIGKILL)
    assert undo_unfinished(work.root, RUN, ()).left == ()
    assert tree(work.root) == before


def test_what_was_undone_is_told_with_both_contents(tmp_path: Path) -> None:
    work = some_work(tmp_path / "work")
    write_all(work.under(RUN, CALL))
    assert logged_calls(work.root, RUN) == (CALL,)
    assert undo(work.root, RUN, (CALL,)).changes == (
        FileChange("run.sh", b"exit 1\n", b"#!/bin/sh\n"),
        FileChange("new/d.py", b"", None),
        FileChange("pkg/b.py", None, b"B = 2\n"),
        FileChange("a.py", b"A = 3\n", b"A = 1\n"),
    )
    assert undo(work.root, RUN, (CALL,)) == ((), ())
    assert logged_calls(work.root, RUN) == ()


def test_what_somebody_else_has_changed_since_is_left_alone_and_named(tmp_path: Path) -> None:
    work = some_work(tmp_path / "work")
    write_all(work.under(RUN, CALL))
    (work.root / "a.py").write_text("mine")
    (work.root / "new" / "d.py").unlink()
    (work.root / "new" / "d.py").symlink_to("a.py")
    (work.root / "pkg" / "b.py").mkdir()
    undone = undo_unfinished(work.root, RUN, ())
    assert [change.path for change in undone.changes] == ["run.sh"]
    assert undone.left == ("a.py", "new/d.py", "pkg/b.py")
    assert (work.root / "a.py").read_text() == "mine"
    assert (work.root / "new" / "d.py").is_symlink()
    assert not (work.root / ".hive").exists()


def test_what_somebody_else_wrote_between_two_writes_is_put_back(tmp_path: Path) -> None:
    work = some_work(tmp_path / "work")
    logged = work.under(RUN, CALL)
    logged.write("a.py", b"first")
    (work.root / "a.py").write_text("mine")
    logged.write("a.py", b"second")
    undone = undo_unfinished(work.root, RUN, ())
    assert undone == ((FileChange("a.py", b"second", b"mine"),), ("a.py",))
    assert (work.root / "a.py").read_text() == "mine"


def test_what_somebody_else_put_right_needs_no_word(tmp_path: Path) -> None:
    work = some_work(tmp_path / "work")
    work.under(RUN, CALL).write("a.py", b"new")
    (work.root / "a.py").write_text("A = 1\n")
    assert undo_unfinished(work.root, RUN, ()) == ((), ())


def test_files_of_a_folder_that_went_away_are_made_again(tmp_path: Path) -> None:
    work = some_work(tmp_path / "work")
    work.under(RUN, CALL).remove("pkg/b.py")
    (work.root / "pkg" / "link").unlink()
    (work.root / "pkg").rmdir()
    assert undo_unfinished(work.root, RUN, ()).left == ()
    assert work.read("pkg/b.py") == b"B = 2\n"


def test_calls_of_one_run_are_undone_last_change_first(tmp_path: Path) -> None:
    work = some_work(tmp_path / "work")
    one, other = work.under(RUN, "1/a/0.2"), work.under(RUN, "1/a/0.3")
    one.write("a.py", b"1")
    other.write("a.py", b"2")
    one.write("b.py", b"3")
    other.remove("b.py")
    assert set(logged_calls(work.root, RUN)) == {"1/a/0.2", "1/a/0.3"}
    assert undo_unfinished(work.root, RUN, ()).left == ()
    assert work.read("a.py") == b"A = 1\n"
    assert "b.py" not in work.files()


def test_only_calls_without_a_result_are_undone(tmp_path: Path) -> None:
    work = some_work(tmp_path / "work")
    work.under(RUN, "1/a/0.2").write("a.py", b"kept")
    work.under(RUN, "1/a/0.3").write("b.py", b"undone")
    work.under("01other", "1/a/0.3").write("c.py", b"of another run")
    undone = undo_unfinished(work.root, RUN, ("1/a/0.2", "9/gone/0.0"))
    assert undone == ((FileChange("b.py", b"undone", None),), ())
    assert work.read("a.py") == b"kept"
    assert work.read("c.py") == b"of another run"
    assert logged_calls(work.root, "01other") == ("1/a/0.3",)


def test_the_log_is_no_part_of_the_work_and_no_tool_reaches_it(tmp_path: Path) -> None:
    work = some_work(tmp_path / "work")
    plain = some_work(tmp_path / "plain")
    write_all(logged := work.under(RUN, CALL))
    write_all(plain)
    assert work.digest() == logged.digest() == plain.digest()
    assert not (plain.root / ".hive").exists()
    [log] = (work.root / ".hive" / "undo" / RUN).iterdir()
    with pytest.raises(ToolRefused, match="out of reach"):
        work.read(f".hive/undo/{RUN}/{log.name}/log")
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in log.iterdir())


def test_a_run_whose_calls_are_settled_leaves_no_folder(tmp_path: Path) -> None:
    work = some_work(tmp_path / "work")
    other = work.under("01other", CALL)
    write(logged := work.under(RUN, CALL))
    other.write("b.py", b"")
    assert logged.log is not None
    assert other.log is not None
    logged.log.drop()
    logged.log.drop()
    tidy(work.root, RUN)
    assert [path.name for path in (work.root / ".hive" / "undo").iterdir()] == ["01other"]
    other.log.drop()
    tidy(work.root, "01other")
    tidy(work.root, "01other")
    assert not (work.root / ".hive").exists()


def test_lines_that_name_what_lies_outside_undo_nothing(tmp_path: Path) -> None:
    work = some_work(tmp_path / "work")
    (tmp_path / "secret").write_text("not yours")
    write(work.under(RUN, CALL))
    [log] = (work.root / ".hive" / "undo" / RUN).glob("*/log")
    line = log.read_text()
    for old, new in (
        ("a.py", "../secret"),
        (".hive-", "../"),
        (".hive-", ".hive-/../../secret"),
        ('"folders":[]', '"folders":["../x"]'),
        ("{", ""),
        ('"at":', '"when":'),
    ):
        log.write_text(line.replace(old, new))
        assert logged_calls(work.root, RUN) == ()
    log.write_text(line)
    assert logged_calls(work.root, RUN) == (CALL,)
    assert (tmp_path / "secret").read_text() == "not yours"


def test_a_write_that_failed_does_not_spoil_the_log_for_the_next(tmp_path: Path) -> None:
    whole = Fate(10_000)
    assert lives(whole, write, some_work(tmp_path / "whole").under(RUN, CALL))
    for failing in range(whole.steps):
        work = some_work(tmp_path / str(failing))
        before = tree(work.root)
        logged = work.under(RUN, CALL)
        assert lives(Fate(10_000, failing), write, logged)
        write_all(logged)
        assert undo_unfinished(work.root, RUN, ()).left == ()
        assert tree(work.root) == before


def test_a_log_that_cannot_be_removed_stops_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = some_work(tmp_path / "work")
    write(logged := work.under(RUN, CALL))
    assert logged.log is not None

    def fail(*arguments: object, **options: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    with monkeypatch.context() as patched:
        patched.setattr(os, "unlink", fail)
        logged.log.drop()
    assert undo_unfinished(work.root, RUN, (CALL,)) == ((), ())
    assert work.read("a.py") == b"A = 2\n"


def test_a_log_that_cannot_be_written_keeps_the_file_as_it_was(tmp_path: Path) -> None:
    work = some_work(tmp_path / "work")
    (tmp_path / "elsewhere").mkdir()
    (work.root / ".hive").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ToolRefused, match=r"'\.hive' is a link"):
        write(work.under(RUN, CALL))
    assert work.read("a.py") == b"A = 1\n"
    assert undo_unfinished(work.root, RUN, ()) == ((), ())
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_calls_beside_each_other_leave_one_chain_of_changes(tmp_path: Path) -> None:
    work = some_work(tmp_path / "work")
    calls = [work.under(RUN, f"1/a/0.{slot}") for slot in range(2, 10)]

    def write_on(call: Workspace) -> None:
        for number in range(10):
            with call.alone():
                call.write("a.py", call.read("a.py") + b"%d\n" % number)

    threads = [threading.Thread(target=write_on, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert work.read("a.py").count(b"\n") == 81, "no change was lost"
    assert undo_unfinished(work.root, RUN, ()).left == ()
    assert work.read("a.py") == b"A = 1\n"
