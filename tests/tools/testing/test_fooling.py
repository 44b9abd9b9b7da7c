"""Code under test that tries to make its failing tests pass: no report may say they do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hive.board.contributions import TestReport
from hive.tools import run_tests
from tests.tools.projects import Board, ask_for, call_on, folder

WRONG = "def f(): return 1\n"
TESTS = {
    "test_a.py": "from code_ import f\n\ndef test_two(): assert f() == 2\ndef test_ok(): pass\n",
    "test_b.py": "from code_ import f\n\ndef test_three(): assert f() == 3\n",
}
CHEATS = {
    "leaving while imported": "import os; os._exit(0)",
    "leaving when called": "import os\ndef f(): os._exit(0)",
    "an exit while imported": "import sys; sys.exit(0)\ndef f(): pass",
    "an exit when called": "import sys\ndef f(): sys.exit(0)",
    "a signal": "import os\ndef f(): os.kill(os.getpid(), 9)",
    "an interrupt": "def f(): raise KeyboardInterrupt",
    "pytest's exit": "import pytest\ndef f(): pytest.exit('done', returncode=0)",
    "pytest's exit while imported": "import pytest\npytest.exit('done', returncode=0)",
    "a skip": "import pytest\ndef f(): pytest.skip('not needed')",
    "unittest's skip": "import unittest\ndef f(): raise unittest.SkipTest('not needed')",
    "an expected failure": "import pytest\ndef f(): pytest.xfail('expected')",
    "a skip while imported": "import pytest\npytest.skip('all', allow_module_level=True)",
    "forking": "import os\ndef f():\n    if os.fork(): os._exit(0)\n    return 2",
    "tests that do nothing": "import pytest\npytest.Function.runtest = lambda self: None\n" + WRONG,
    "reports that pass": (
        "import _pytest.reports as r\n"
        "make = r.TestReport.from_item_and_call.__func__\n"
        "def nice(cls, item, call):\n"
        "    report = make(cls, item, call)\n"
        "    report.outcome, report.longrepr = 'passed', None\n"
        "    return report\n"
        "r.TestReport.from_item_and_call = classmethod(nice)\n" + WRONG
    ),
    "calls that do not raise": (
        "import _pytest.runner as r\n"
        "make = r.CallInfo.from_call.__func__\n"
        "def nice(cls, func, when, reraise=None):\n"
        "    info = make(cls, func, when, reraise)\n"
        "    info.excinfo = None\n"
        "    return info\n"
        "r.CallInfo.from_call = classmethod(nice)\n" + WRONG
    ),
    "a protocol that does nothing": (
        "import _pytest.runner as r\nr.runtestprotocol = lambda *a, **k: []\n" + WRONG
    ),
    "asserts that are left out": (
        "import ast, _pytest.assertion.rewrite as r\n"
        "class Nothing(ast.NodeTransformer):\n"
        "    def visit_Assert(self, node): return ast.Pass()\n"
        "r.rewrite_asserts = lambda mod, *a, **k: "
        "ast.fix_missing_locations(Nothing().visit(mod))\n" + WRONG
    ),
    "patching when called": (
        "import pytest\ndef f():\n    pytest.Function.runtest = lambda self: None\n    return 2\n"
    ),
    "rewriting the tests": (
        "from pathlib import Path\n"
        "for file in Path().glob('test_*.py'):\n"
        "    file.write_text('def test_two(): pass\\ndef test_three(): pass\\n')\n" + WRONG
    ),
    "rewriting the tests and putting them back": (
        "import atexit\n"
        "from pathlib import Path\n"
        "kept = Path('test_b.py').read_text()\n"
        "Path('test_b.py').write_text('def test_three(): pass\\n')\n"
        "def f():\n"
        "    Path('test_b.py').write_text(kept)\n"
        "    return 2\n"
    ),
    "writing a report": (
        "import os\n"
        "def f():\n"
        "    for fd in range(3, 64):\n"
        "        try:\n"
        "            for id in ('test_a.py::test_two', 'test_b.py::test_three'):\n"
        '                text = \'{"kind": "outcome", "id": "%s", "outcome": "passed"}\\n\' % id\n'
        "                os.write(fd, text.encode())\n"
        '            os.write(fd, b\'{"kind": "end", "status": 0, "sound": true}\\n\')\n'
        "        except OSError:\n"
        "            pass\n"
        "    os._exit(0)\n"
    ),
}


async def verdict(board: Board, root: Path, code: str) -> tuple[bool, Any]:
    """Whether the newest report could be taken for a pass, and the report."""
    work = folder(root, {**TESTS, "code_.py": code})
    output = await run_tests.execute({}, call_on(work, board))
    assert not output.error, output.text
    board.post(output)
    (report,) = output.posts
    assert isinstance(report, TestReport)
    return report.complete and not report.failed and report.passed > 0, report


@pytest.mark.asyncio
async def test_the_honest_way_passes(tmp_path: Path) -> None:
    board = Board()
    honest = "def f(): return Both()\nclass Both:\n    def __eq__(self, n): return n in (2, 3)\n"
    assert not (await verdict(board, tmp_path, WRONG))[0]
    passes, report = await verdict(board, tmp_path, honest)
    assert passes, report
    assert report.passed == 3


@pytest.mark.asyncio
@pytest.mark.parametrize("cheat", CHEATS.values(), ids=CHEATS)
async def test_no_cheat_passes(tmp_path: Path, cheat: str) -> None:
    passes, report = await verdict(Board(), tmp_path, cheat + "\n")
    assert not passes, report


@pytest.mark.asyncio
async def test_skipped_tests_are_lost_to_who_knows_the_suite(tmp_path: Path) -> None:
    board = Board()
    await verdict(board, tmp_path, WRONG)
    passes, report = await verdict(board, tmp_path, CHEATS["a skip while imported"])
    assert not passes
    assert {each.id for each in report.failed} >= {"test_a.py::test_two", "test_b.py::test_three"}


@pytest.mark.asyncio
@pytest.mark.parametrize("error", ["unittest.SkipTest('no')", "pytest.skip.Exception('no')"])
async def test_no_unittest_case_is_skipped_by_the_code(tmp_path: Path, error: str) -> None:
    tests = """
import unittest
from code_ import f

class Case(unittest.TestCase):
    def test_two(self): self.assertEqual(f(), 2)
    def test_skip(self): self.skipTest("not here")
    @unittest.skip("not today")
    def test_mark(self): pass
"""
    code = f"import pytest, unittest\ndef f(): raise {error}\n"
    report = await ask_for(
        run_tests, call_on(folder(tmp_path, {"test_c.py": tests, "code_.py": code}))
    )
    assert [each["id"] for each in report["failed"]] == ["test_c.py::Case::test_two"]
    assert len(report["skipped"]) == 2


@pytest.mark.asyncio
async def test_nothing_in_the_workspace_stands_in_for_what_judges(tmp_path: Path) -> None:
    evil = "raise SystemExit(0)\n"
    names = ("pytest", "_pytest/__init__", "pluggy", "coverage", "hive_inside/__init__", "start")
    more = ("sitecustomize", "usercustomize", "json", "difflib", "secrets", "_pytest/assertion")
    files = {f"{name}.py": evil for name in (*names, *more)}
    work = folder(tmp_path, {**files, **TESTS, "code_.py": WRONG})
    report = await ask_for(run_tests, call_on(work))
    assert [each["id"] for each in report["failed"]] == [
        "test_a.py::test_two",
        "test_b.py::test_three",
    ]
    assert report["passed"] == ["test_a.py::test_ok"]
    assert report["complete"]
