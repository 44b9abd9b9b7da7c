from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hive.tools import locate_faults, run_tests
from hive.tools.testing import suite
from hive.tools.testing.faults import Spectrum, idle_lines
from tests.tools.projects import Board, ask_for, call_on, project

CODE = '''"""Signs."""
import math

LIMIT = 10


def sign(n):
    """The sign of n."""
    if n < 0:
        return 1
    if n > 0:
        return 1
    return 0


def unused():
    return math.pi
'''
TESTS = """
from code_ import sign
def test_zero(): assert sign(0) == 0
def test_plus(): assert sign(3) == 1
def test_minus(): assert sign(-3) == -1
"""


def scores(answer: Any) -> dict[tuple[str, int], float]:
    return {(line["path"], line["line"]): line["score"] for line in answer["lines"]}


def test_it_says_truly_what_it_touches() -> None:
    assert (locate_faults.effect, locate_faults.repeat) == ("write", "safe")
    assert locate_faults.posts == ()


@pytest.mark.asyncio
async def test_lines_that_failing_tests_execute_come_first(tmp_path: Path) -> None:
    answer = await ask_for(locate_faults, call_on(project(tmp_path, code_=CODE, test_a=TESTS)))
    assert answer["failing"] == ["test_a.py::test_minus"]
    assert answer["tests_executed"] == 3
    assert answer["lines"][0] == {
        "path": "code_.py",
        "line": 10,
        "score": 1.0,
        "failed": 1,
        "passed": 0,
        "text": "        return 1",
    }
    assert scores(answer) == {
        ("code_.py", 10): 1.0,
        ("code_.py", 9): 0.5774,
        ("code_.py", 4): 0.5774,
    }
    assert [line["line"] for line in answer["lines"]] == [10, 9, 4]


@pytest.mark.asyncio
async def test_the_limit_limits(tmp_path: Path) -> None:
    call = call_on(project(tmp_path, code_=CODE, test_a=TESTS))
    assert len((await ask_for(locate_faults, call, limit=1))["lines"]) == 1


@pytest.mark.asyncio
async def test_nothing_is_suspicious_where_nothing_fails(tmp_path: Path) -> None:
    work = project(tmp_path, code_="A = 1\n", test_a="import code_\ndef test_a(): pass\n")
    assert await ask_for(locate_faults, call_on(work)) == {
        "lines": [],
        "failing": [],
        "tests_executed": 1,
    }


@pytest.mark.asyncio
async def test_what_ran_before_a_timeout_counts(tmp_path: Path) -> None:
    code = "def spin(n):\n    while n:\n        n += 1\n    return n\n"
    tests = "from loop import spin\ndef test_a(): spin(0)\ndef test_b(): spin(1)\n"
    board = Board()
    call = call_on(project(tmp_path, loop=code, test_a=tests), board)
    board.post(await run_tests.execute({"test_seconds": 0.1}, call))
    answer = await ask_for(locate_faults, call)
    assert answer["failing"] == ["test_a.py::test_b"]
    assert scores(answer)["loop.py", 3] == 1.0
    assert scores(answer)["loop.py", 2] == 0.7071
    assert ("loop.py", 4) not in scores(answer)


@pytest.mark.asyncio
async def test_a_test_that_takes_the_session_down_does_not_hide_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suite, "QUIET", 1.0)
    code = "import os\ndef leave(n):\n    if n:\n        os._exit(1)\n    return n + 1\n"
    tests = """
from code_ import leave
def test_a(): assert leave(0) == 1
def test_b(): leave(1)
def test_c(): assert leave(0) == 2
"""
    answer = await ask_for(locate_faults, call_on(project(tmp_path, code_=code, test_a=tests)))
    assert answer["failing"] == ["test_a.py::test_b", "test_a.py::test_c"]
    assert scores(answer)["code_.py", 5] == 0.5


@pytest.mark.asyncio
async def test_a_file_that_cannot_be_imported_still_gives_lines(tmp_path: Path) -> None:
    code = "A = 1\nB = A / 0\n"
    work = project(tmp_path, code_=code, test_a="from code_ import B\ndef test_a(): pass\n")
    answer = await ask_for(locate_faults, call_on(work))
    assert answer["failing"] == ["test_a.py"]
    assert scores(answer) == {("code_.py", 1): 1.0, ("code_.py", 2): 1.0}


@pytest.mark.asyncio
async def test_a_suite_that_cannot_start_is_an_error(tmp_path: Path) -> None:
    work = project(tmp_path, conftest="raise OSError('no suite')\n")
    answer = await ask_for(locate_faults, call_on(work))
    assert answer["lines"] == []


def test_heads_imports_and_texts_are_idle() -> None:
    assert idle_lines(CODE) == {1, 2, 7, 8, 16}
    assert idle_lines("def f(:") == set()


TESTS_OF = st.lists(st.sampled_from("abcdef"), unique=True, max_size=4)


@given(TESTS_OF, TESTS_OF, st.dictionaries(st.sampled_from("abcdef"), st.sets(st.integers(1, 5))))
def test_scores_lie_between_0_and_1_and_only_failing_tests_raise_them(
    failing: list[str], passing: list[str], lines: dict[str, set[int]]
) -> None:
    passing = [test for test in passing if test not in failing]
    spectrum = Spectrum(
        tuple(failing), tuple(passing), {test: {"m.py": at} for test, at in lines.items()}
    )
    for (_, line), (failed, passed) in spectrum.counts().items():
        assert failed == sum(line in lines.get(test, ()) for test in failing)
        assert passed == sum(line in lines.get(test, ()) for test in passing)
        score = spectrum.score(failed, passed)
        assert 0 <= score <= 1
        assert (score > 0) == (failed > 0)
        assert (score == 1) == (failed > 0 and failed == len(failing) and not passed)
