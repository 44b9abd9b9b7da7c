from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hive.board.contributions import TestReport
from hive.tools import Workspace, run_tests
from hive.tools.testing import running, suite
from tests.tools.projects import Board, ask_for, call_on, folder, project, text_of

ADD = "def add(a, b):\n    return a - b\n"
TESTS = """
import pytest
from calc import add

def test_zero():
    assert add(0, 0) == 0

def test_sum():
    assert add(1, 2) == 3

@pytest.mark.parametrize("text", ["a::b", "x y"])
def test_each(text):
    assert text
"""


async def report_on(work: Workspace, board: Board | None = None, **arguments: Any) -> Any:
    return await ask_for(run_tests, call_on(work, board), **arguments)


def failures(report: Any) -> dict[str, dict[str, Any]]:
    return {each["id"]: each for each in report["failed"]}


def test_it_says_truly_what_it_touches() -> None:
    assert (run_tests.effect, run_tests.repeat) == ("write", "safe")
    assert run_tests.posts == (TestReport,)


@pytest.mark.asyncio
async def test_every_outcome_is_reported(tmp_path: Path) -> None:
    work = project(tmp_path, calc=ADD, test_calc=TESTS)
    report = await report_on(work)
    assert report["collected"] == [
        "test_calc.py::test_zero",
        "test_calc.py::test_sum",
        "test_calc.py::test_each[a::b]",
        "test_calc.py::test_each[x y]",
    ]
    assert set(report["collected"]) - set(report["passed"]) == {"test_calc.py::test_sum"}
    failed = failures(report)["test_calc.py::test_sum"]
    assert failed["message"].startswith("assert -1 == 3")
    assert (failed["path"], failed["line"]) == ("test_calc.py", 9)
    assert failed["excerpt"] == "assert add(1, 2) == 3"
    assert (report["complete"], report["problem"], report["lost"]) == (True, "", [])
    assert report["digest"] == work.digest()
    assert report["tests_executed"] == 4
    assert "1 failed, 3 passed" in report["output_tail"]
    assert report["seconds"] > 0


@pytest.mark.asyncio
async def test_a_full_run_is_posted_and_a_partial_one_is_not(tmp_path: Path) -> None:
    work = project(tmp_path, calc=ADD, test_calc=TESTS)
    full = await run_tests.execute({}, call_on(work))
    (posted,) = full.posts
    assert isinstance(posted, TestReport)
    assert (posted.digest, posted.passed, posted.complete) == (work.digest(), 3, True)
    assert [each.id for each in posted.failed] == ["test_calc.py::test_sum"]
    assert len(posted.collected) == 4
    assert posted.duration > 0
    one = await run_tests.execute({"tests": ["test_calc.py::test_each[a::b]"]}, call_on(work))
    assert one.posts == ()
    assert '"passed":["test_calc.py::test_each[a::b]"]' in one.text


@pytest.mark.asyncio
async def test_the_place_of_an_exception_is_the_innermost_line_of_the_work(tmp_path: Path) -> None:
    code = "import json\n\ndef load(text):\n    return json.loads(text)\n"
    tests = "from store import load\n\ndef test_load():\n    load('{')\n"
    failed = failures(await report_on(project(tmp_path, store=code, test_store=tests)))
    place = failed["test_store.py::test_load"]
    assert (place["path"], place["line"], place["excerpt"]) == (
        "store.py",
        4,
        "return json.loads(text)",
    )
    assert "JSONDecodeError" in place["message"]


@pytest.mark.asyncio
async def test_a_file_that_cannot_be_imported_does_not_hide_the_others(tmp_path: Path) -> None:
    work = project(
        tmp_path,
        broken="def f(:\n",
        test_a="from broken import f\n\ndef test_f(): pass\n",
        test_b="def test_b(): pass\n",
    )
    report = await report_on(work)
    failed = failures(report)["test_a.py"]
    assert (failed["path"], failed["line"]) == ("broken.py", 1)
    assert "SyntaxError" in failed["message"]
    assert report["passed"] == ["test_b.py::test_b"]
    assert report["complete"]


@pytest.mark.asyncio
async def test_setup_and_teardown_count(tmp_path: Path) -> None:
    tests = """
import pytest

@pytest.fixture
def early(): raise OSError("early")

@pytest.fixture
def late():
    yield
    raise OSError("late")

def test_early(early): pass
def test_late(late): pass
"""
    report = await report_on(project(tmp_path, test_a=tests))
    assert report["passed"] == []
    assert {key: each["message"] for key, each in failures(report).items()} == {
        "test_a.py::test_early": "OSError: early",
        "test_a.py::test_late": "OSError: late",
    }


@pytest.mark.asyncio
async def test_classes_unittest_and_marks_are_understood(tmp_path: Path) -> None:
    tests = """
import unittest
import pytest

class TestA:
    def test_a(self): pass

class CaseB(unittest.TestCase):
    def test_b(self): self.assertEqual(1, 1)
    def test_c(self): self.assertEqual(1, 2)
    @unittest.skip("not today")
    def test_d(self): pass
    @unittest.expectedFailure
    def test_e(self): self.fail()

@pytest.mark.skip
def test_f(): pass

@pytest.mark.xfail
def test_g(): raise OSError

@pytest.mark.xfail(strict=True)
def test_h(): pass

def test_i(): pytest.skip("not here")
"""
    report = await report_on(project(tmp_path, test_a=tests))
    assert report["passed"] == ["test_a.py::TestA::test_a", "test_a.py::CaseB::test_b"]
    assert list(failures(report)) == ["test_a.py::CaseB::test_c", "test_a.py::test_h"]
    assert len(report["skipped"]) == 5
    assert set(report["skipped"]).isdisjoint(report["collected"])
    assert report["complete"]


@pytest.mark.asyncio
async def test_a_test_that_vanishes_is_lost_until_it_comes_back(tmp_path: Path) -> None:
    board = Board()
    work = project(tmp_path, test_a="def test_a(): pass\ndef test_b(): pass\n")

    async def run() -> Any:
        output = await run_tests.execute({}, call_on(work, board))
        board.post(output)
        (posted,) = output.posts
        assert isinstance(posted, TestReport)
        return [each.id for each in posted.failed]

    assert await run() == []
    (tmp_path / "test_a.py").write_text("def test_a(): pass\n")
    assert await run() == ["test_a.py::test_b"]
    assert await run() == ["test_a.py::test_b"]
    skipped = "import pytest\ndef test_a(): pass\n@pytest.mark.skip\ndef test_b(): pass\n"
    (tmp_path / "test_a.py").write_text(skipped)
    assert await run() == ["test_a.py::test_b"]
    assert (await report_on(work, board))["lost"] == ["test_a.py::test_b"]
    (tmp_path / "test_a.py").write_text("def test_a(): pass\ndef test_b(): pass\n")
    assert await run() == []


@pytest.mark.asyncio
async def test_endless_loops_are_interrupted_and_the_rest_goes_on(tmp_path: Path) -> None:
    code = """
def spin(n):
    while n:
        try:
            n += 1
        except Exception:
            pass
"""
    tests = (
        "from loop import spin\n"
        "def test_a(): spin(1)\n"
        "def test_b(): spin(0)\n"
        "def test_c(): __import__('time').sleep(1000)\n"
    )
    work = project(tmp_path, loop=code, test_loop=tests)
    report = await report_on(work, test_seconds=0.2)
    assert report["passed"] == ["test_loop.py::test_b"]
    failed = failures(report)
    assert failed["test_loop.py::test_a"]["message"] == "timed out after 0.2 s of CPU time"
    assert failed["test_loop.py::test_a"]["path"] == "loop.py"
    assert failed["test_loop.py::test_c"]["message"].startswith("timed out after")
    assert report["complete"]


@pytest.mark.asyncio
async def test_a_loop_while_importing_is_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suite, "COLLECT", 0.2)
    tests = "import spin\n\ndef test_a(): pass\n"
    work = project(tmp_path, spin="while True: pass\n", test_a=tests, test_b="def test_b(): pass")
    report = await report_on(work)
    assert failures(report)["test_a.py"]["message"] == "timed out after 0.2 s of CPU time"
    assert failures(report)["test_a.py"]["path"] == "spin.py"
    assert report["passed"] == ["test_b.py::test_b"]


@pytest.mark.asyncio
async def test_what_cannot_be_interrupted_is_killed_and_the_rest_is_still_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suite, "QUIET", 1.0)
    tests = (
        "def test_a(): pass\n"
        "def test_b(): sum(range(10**15))\n"
        "def test_c(): __import__('os')._exit(0)\n"
        "def test_d(): pass\n"
    )
    report = await report_on(project(tmp_path, test_a=tests), test_seconds=0.1)
    assert report["passed"] == ["test_a.py::test_a", "test_a.py::test_d"]
    assert [each["message"] for each in report["failed"]] == [
        "took too long and could not be interrupted",
        "the test process ended with code 0 before its session did",
    ]
    assert not report["complete"]
    assert report["problem"].startswith("test_a.py::test_b: took too long")


@pytest.mark.asyncio
async def test_a_suite_that_does_not_end_in_time_is_reported_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "SECONDS", 1.0)
    work = project(tmp_path, test_a="import time\nwhile True: time.sleep(1)\n")
    report = await report_on(work)
    assert not report["complete"]
    assert report["problem"] == "the suite did not come to its end within 1 s"


@pytest.mark.asyncio
async def test_a_suite_without_tests_shows_nothing(tmp_path: Path) -> None:
    report = await report_on(project(tmp_path, a="A = 1\n"))
    assert (report["complete"], report["problem"]) == (False, "no test was found")


@pytest.mark.asyncio
async def test_a_configuration_that_pytest_refuses_is_shown(tmp_path: Path) -> None:
    files = {"pytest.ini": "[pytest]\naddopts = --no-such-option\n", "test_a.py": ""}
    report = await report_on(folder(tmp_path, files))
    assert not report["complete"]
    assert "--no-such-option" in report["output_tail"]


@pytest.mark.asyncio
async def test_a_suite_that_changes_its_sources_is_not_complete(tmp_path: Path) -> None:
    tests = "def test_a():\n    open('code.txt', 'w').write('x')\n"
    work = folder(tmp_path, {"code.txt": "", "test_a.py": tests})
    report = await report_on(work)
    assert not report["complete"]
    assert report["problem"] == "the suite changed files of the project while it ran"
    assert work.read("code.txt") == b""


@pytest.mark.asyncio
async def test_what_a_suite_leaves_behind_stays_out_of_the_workspace(tmp_path: Path) -> None:
    tests = "def test_a(tmp_path):\n    open('new.txt', 'w')\n    (tmp_path / 'x').touch()\n"
    work = project(tmp_path, test_a=tests)
    report = await report_on(work)
    assert (report["complete"], report["passed"]) == (True, ["test_a.py::test_a"])
    assert work.files() == ("test_a.py",)


@pytest.mark.asyncio
async def test_only_the_workspace_configures_pytest(tmp_path: Path) -> None:
    folder(
        tmp_path,
        {
            "pytest.ini": "[pytest]\naddopts = --no-such-option\n",
            "conftest.py": "raise OSError('from above')\n",
            "sitecustomize.py": "raise OSError('from above')\n",
        },
    )
    files = {
        "pyproject.toml": '[tool.pytest.ini_options]\npython_functions = ["check_*"]\n',
        "tests/conftest.py": "import pytest\n@pytest.fixture\ndef one(): return 1\n",
        "tests/test_a.py": "def check_a(one): assert one == 1\ndef test_b(): assert False\n",
    }
    report = await report_on(folder(tmp_path / "work", files))
    assert (report["complete"], report["collected"]) == (True, ["tests/test_a.py::check_a"])


@pytest.mark.asyncio
async def test_sources_below_src_are_found(tmp_path: Path) -> None:
    files = {
        "src/pkg/__init__.py": "ONE = 1\n",
        "tests/test_a.py": "from pkg import ONE\ndef test_a(): assert ONE == 1\n",
    }
    assert (await report_on(folder(tmp_path, files)))["passed"] == ["tests/test_a.py::test_a"]


@pytest.mark.asyncio
async def test_tests_see_neither_keys_nor_hive_nor_a_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "leaked")
    monkeypatch.setenv("PYTEST_ADDOPTS", "--no-such-option")
    tests = """
import os, sys

def test_a():
    assert "leaked" not in str(os.environ)
    assert "HIVE_CHANNEL" not in os.environ
    assert "hive" not in sys.modules
    assert sys.flags.dont_write_bytecode
    assert os.path.isdir(os.environ["HOME"])
    assert os.environ["HOME"].startswith(os.environ["TMPDIR"])
    assert not sys.stdin.isatty() if hasattr(sys.stdin, "isatty") else True
"""
    report = await report_on(project(tmp_path, test_a=tests))
    assert report["passed"] == ["test_a.py::test_a"], report["failed"]


@pytest.mark.asyncio
@pytest.mark.parametrize("test", ["-pfoo", "@file", "", "::a", "../a.py::b", "/a.py", ".git/a.py"])
async def test_options_and_foreign_paths_are_no_tests(tmp_path: Path, test: str) -> None:
    await text_of(run_tests, call_on(project(tmp_path, a="")), tests=[test])


@pytest.mark.asyncio
async def test_a_test_that_does_not_exist_is_shown(tmp_path: Path) -> None:
    work = project(tmp_path, test_a="def test_a(): pass\n")
    report = await report_on(work, tests=["test_a.py::test_z"])
    assert not report["complete"]
    assert "not found" in report["output_tail"]


@pytest.mark.asyncio
async def test_a_strict_configuration_does_not_stumble_over_us(tmp_path: Path) -> None:
    config = (
        "[pytest]\naddopts = -x -ra --strict-markers --strict-config -W error\n"
        "filterwarnings = error\nxfail_strict = true\n"
    )
    tests = "import unittest\ndef test_a(): assert False\ndef test_b(): pass\n" + (
        "class Case(unittest.TestCase):\n    def test_c(self): pass\n"
    )
    report = await report_on(folder(tmp_path, {"pytest.ini": config, "test_a.py": tests}))
    assert report["passed"] == ["test_a.py::test_b", "test_a.py::Case::test_c"]
    assert list(failures(report)) == ["test_a.py::test_a"]
    assert report["complete"], report["output_tail"]


@pytest.mark.asyncio
@pytest.mark.parametrize("mode", ["prepend", "append", "importlib"])
async def test_every_way_of_importing_works(tmp_path: Path, mode: str) -> None:
    files = {
        "pytest.ini": f"[pytest]\naddopts = --import-mode={mode}\n",
        "code_.py": "ONE = 1\n",
        "tests/test_a.py": "from code_ import ONE\ndef test_a(): assert ONE == 1\n",
        "more/tests/test_b.py": "from code_ import ONE\ndef test_b(): assert ONE == 2\n",
    }
    report = await report_on(folder(tmp_path, files))
    assert report["passed"] == ["tests/test_a.py::test_a"]
    assert list(failures(report)) == ["more/tests/test_b.py::test_b"]
    assert report["complete"], report["output_tail"]
