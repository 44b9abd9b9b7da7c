from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import anyio
import pytest

from hive.tools import Call, run_tests, try_edits
from hive.tools.testing import suite, trials
from tests.tools.projects import Board, ask_for, call_on, folder, project, text_of

CODE = "def add(a, b):\n    return a - b\n\n\ndef mul(a, b):\n    return a * b\n"
TESTS = """
from calc import add, mul
def test_zero(): assert add(0, 0) == 0
def test_sum(): assert add(1, 2) == 3
def test_far(): assert add(10, 20) == 30
def test_product(): assert mul(2, 3) == 6
"""


def change(before: str, after: str, path: str = "calc.py", line: int | None = None) -> Any:
    return {"edits": [{"path": path, "before": before, "after": after, "line": line}]}


@pytest.fixture
def call(tmp_path: Path) -> Call:
    return call_on(project(tmp_path, calc=CODE, test_calc=TESTS))


async def judged(call: Call, *candidates: Any, stop_on_pass: bool = False) -> Any:
    return await ask_for(try_edits, call, candidates=list(candidates), stop_on_pass=stop_on_pass)


def test_it_says_truly_what_it_touches() -> None:
    assert (try_edits.effect, try_edits.repeat) == ("write", "safe")
    assert try_edits.posts == ()


@pytest.mark.asyncio
async def test_each_candidate_is_judged_by_the_suite(call: Call) -> None:
    answer = await judged(
        call,
        change("a - b", "a"),
        change("a - b", "a + b"),
        change("a - b", "b - a"),
        {"edits": [change("a - b", "a + b")["edits"][0], change("a * b", "0")["edits"][0]]},
    )
    assert answer["baseline"] == {
        "failing": ["test_calc.py::test_sum", "test_calc.py::test_far"],
        "collected": 4,
    }
    assert answer["results"] == [
        {
            "index": 0,
            "passed": 0,
            "failed": 2,
            "errors": 0,
            "fixed": [],
            "broken": [],
            "timeout": False,
            "invalid": None,
        },
        {
            "index": 1,
            "passed": 4,
            "failed": 0,
            "errors": 0,
            "fixed": ["test_calc.py::test_far", "test_calc.py::test_sum"],
            "broken": [],
            "timeout": False,
            "invalid": None,
        },
        {
            "index": 2,
            "passed": 0,
            "failed": 2,
            "errors": 0,
            "fixed": [],
            "broken": [],
            "timeout": False,
            "invalid": None,
        },
        {
            "index": 3,
            "passed": 3,
            "failed": 1,
            "errors": 0,
            "fixed": ["test_calc.py::test_far", "test_calc.py::test_sum"],
            "broken": ["test_calc.py::test_product"],
            "timeout": False,
            "invalid": None,
        },
    ]
    assert (answer["best"], answer["unjudged"]) == (1, 0)
    assert answer["tests_executed"] == 4 + 2 + 4 + 2 + 4


@pytest.mark.asyncio
async def test_the_workspace_stays_as_it_is(call: Call) -> None:
    assert call.workspace is not None
    digest = call.workspace.digest()
    await judged(call, change("a - b", "a + b"))
    assert call.workspace.digest() == digest
    assert call.workspace.read("calc.py") == CODE.encode()


@pytest.mark.asyncio
async def test_after_the_first_that_passes_the_rest_is_left_out(call: Call) -> None:
    good, bad = change("a - b", "a + b"), change("a - b", "a")
    answer = await judged(call, bad, good, bad, good, bad, stop_on_pass=True)
    assert [each["index"] for each in answer["results"]] == [0, 1]
    assert answer["best"] == 1
    everything = await judged(call, bad, good, bad, good, bad)
    assert [each["index"] for each in everything["results"]] == [0, 1, 2, 3, 4]
    assert everything["best"] == 1


@pytest.mark.asyncio
async def test_a_partial_repair_is_the_best_if_nothing_is_whole(tmp_path: Path) -> None:
    work = project(
        tmp_path,
        calc="def f(n):\n    if n == 1:\n        return 0\n    if n == 2:\n        return 0\n",
        test_calc=(
            "from calc import f\n"
            "def test_one(): assert f(1) == 1\n"
            "def test_two(): assert f(2) == 2\n"
            "def test_none(): assert f(3) is None\n"
        ),
    )
    answer = await judged(
        call_on(work),
        change("return 0", "return 9", line=3),
        change("return 0", "return 1", line=3),
        change("n == 2", "n"),
    )
    assert [each["fixed"] for each in answer["results"]] == [[], ["test_calc.py::test_one"], []]
    assert answer["best"] == 1


@pytest.mark.asyncio
async def test_what_cannot_be_tried_says_why(call: Call) -> None:
    answer = await judged(
        call,
        change("nowhere", "x"),
        change("a - b", "a -"),
        change("assert", "pass #", path="test_calc.py", line=3),
        change("x", "y", path="../x"),
        change("a - b", "a\0b"),
    )
    reasons = [each["invalid"] for each in answer["results"]]
    assert "does not occur" in reasons[0]
    assert reasons[1] == "calc.py would not parse: line 2: invalid syntax"
    assert "is read-only" in reasons[2]
    assert "climbs out" in reasons[3]
    assert "null bytes" in reasons[4]
    assert answer["best"] is None


@pytest.mark.asyncio
async def test_endless_loops_and_crashes_are_judged_and_pass_by(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suite, "QUIET", 2.0)
    answer = await judged(
        call,
        change("return a - b", "while True: pass"),
        change("return a - b", "return sum(range(10**15))"),
        change("return a - b", "import os; os._exit(0)"),
        change("return a - b", "import os; os.kill(os.getpid(), 11)"),
        change("return a - b", "raise SystemExit"),
        change("def add", "while True: pass\ndef add"),
        change("return a - b", "return add(a, b)"),
        change("return a - b", "return [0] * 10**10"),
        change("a - b", "a + b"),
    )
    assert [each["timeout"] for each in answer["results"]] == [
        True,
        True,
        False,
        False,
        False,
        True,
        False,
        False,
        False,
    ]
    assert all(not each["fixed"] for each in answer["results"][:-1])
    assert [each["errors"] for each in answer["results"]] == [0, 1, 1, 1, 0, 1, 0, 0, 0]
    assert answer["best"] == 8


@pytest.mark.asyncio
async def test_a_bug_that_never_ends_can_be_repaired(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trials, "TEST_SECONDS", 0.2)
    code = """
def bits(n):
    count = 0
    while n:
        n ^= n - 1
        count += 1
    return count
"""
    tests = "from bits import bits\n" + "".join(
        f"def test_{n}(): assert bits({n}) == {n.bit_count()}\n" for n in (0, 7, 11, 128)
    )
    board = Board()
    call = call_on(project(tmp_path, bits=code, test_bits=tests), board)
    wrong, right = change("n ^=", "n |=", "bits.py"), change("n ^=", "n &=", "bits.py")
    unknown = await judged(call, wrong, right, wrong)
    board.post(await run_tests.execute({"test_seconds": 0.2}, call))
    known = await judged(call, wrong, right, wrong)
    for answer in (unknown, known):
        assert len(answer["baseline"]["failing"]) == 3
        assert answer["best"] == 1
        assert [each["timeout"] for each in answer["results"]] == [True, False, True]
    assert unknown["tests_executed"] == known["tests_executed"] + 3


@pytest.mark.asyncio
async def test_candidates_do_not_see_each_other(tmp_path: Path) -> None:
    code = "import os, sys\n\ndef f():\n    return 0\n"
    tests = """
import os, sys, tempfile
from code_ import f

def test_alone():
    seen = [name for name in os.listdir() if name.startswith("left")]
    seen += [name for name in sys.modules if name.startswith("left")]
    seen += [name for name in os.environ if name.startswith("LEFT")]
    seen += [name for name in os.listdir(tempfile.gettempdir()) if name.startswith("left")]
    open("left.txt", "w"), open(os.path.join(tempfile.gettempdir(), "left.txt"), "w")
    sys.modules["left"] = os.environ["LEFT"] = "1"
    assert not seen
    assert not os.path.exists("__pycache__")

def test_f(): assert f() == 1
"""
    call = call_on(project(tmp_path, code_=code, test_a=tests))
    answer = await judged(
        call, *(change("return 0", f"return {n}", "code_.py") for n in (2, 1, 1, 3, 1))
    )
    assert [each["fixed"] for each in answer["results"]] == [
        [],
        ["test_a.py::test_f"],
        ["test_a.py::test_f"],
        [],
        ["test_a.py::test_f"],
    ]
    assert [each["broken"] for each in answer["results"]] == [[]] * 5


@pytest.mark.asyncio
async def test_a_file_that_could_not_be_imported_is_fixed_when_it_can_be(tmp_path: Path) -> None:
    call = call_on(
        project(
            tmp_path,
            code_="ONE = on\n",
            test_a="from code_ import ONE\ndef test_a(): assert ONE == 1\n",
            test_b="def test_b(): pass\n",
        )
    )
    answer = await judged(
        call,
        change("on", "1", "code_.py"),
        change("on", "2", "code_.py"),
        change("on", "x", "code_.py"),
    )
    assert answer["baseline"]["failing"] == ["test_a.py"]
    assert [each["fixed"] for each in answer["results"]] == [["test_a.py"], ["test_a.py"], []]
    assert [each["failed"] for each in answer["results"]] == [0, 1, 0]
    assert answer["best"] == 0


@pytest.mark.asyncio
async def test_a_suite_that_could_not_even_start_can_be_repaired(tmp_path: Path) -> None:
    files = {
        "code_.py": "import os\nONE = os._exit(1)\n",
        "conftest.py": "import code_\n",
        "test_a.py": "from code_ import ONE\ndef test_a(): assert ONE == 1\n",
    }
    answer = await judged(
        call_on(folder(tmp_path, files)),
        change("os._exit(1)", "2", "code_.py"),
        change("os._exit(1)", "1", "code_.py"),
        change("os._exit(1)", "os._exit(0)", "code_.py"),
    )
    assert answer["baseline"] == {"failing": [], "collected": 0}
    assert answer["best"] == 1


@pytest.mark.asyncio
async def test_where_nothing_fails_changes_are_still_judged(tmp_path: Path) -> None:
    work = project(tmp_path, a="A = 1\n", test_a="from a import A\ndef test_a(): assert A == 1\n")
    answer = await judged(
        call_on(work), change("A = 1", "A = 2", "a.py"), change("A = 1", "A = 3 - 2", "a.py")
    )
    assert [each["broken"] for each in answer["results"]] == [["test_a.py::test_a"], []]
    assert answer["best"] == 1


@pytest.mark.asyncio
async def test_configuration_is_read_from_each_copy(tmp_path: Path) -> None:
    files = {
        "pytest.ini": "[pytest]\npythonpath = lib\ntestpaths = tests\n",
        "lib/one.py": "ONE = 2\n",
        "tests/test_a.py": "from one import ONE\ndef test_a(): assert ONE == 1\n",
    }
    answer = await judged(call_on(folder(tmp_path, files)), change("2", "1", "lib/one.py"))
    assert answer["best"] == 0


@pytest.mark.asyncio
async def test_cheating_candidates_are_not_the_best(call: Call) -> None:
    nothing = "import pytest; pytest.Function.runtest = lambda self: None\ndef add"
    skip = "import pytest; pytest.skip('no')"
    answer = await judged(call, change("def add", nothing), change("return a - b", skip))
    assert [each["fixed"] for each in answer["results"]] == [[], []]
    assert answer["best"] is None


@pytest.mark.asyncio
async def test_many_candidates_are_judged_in_their_order(call: Call) -> None:
    bodies = ["a", "b", "a - b - 1", "0 if a else b", "(a - b) * 2", "max(a, b)"] * 10
    answer = await judged(call, *(change("a - b", body) for body in bodies))
    assert [each["index"] for each in answer["results"]] == list(range(60))
    assert answer["unjudged"] == 0
    assert [each["failed"] for each in answer["results"]] == [2] * 60


@pytest.mark.asyncio
async def test_what_there_is_no_time_for_is_counted(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trials, "SECONDS", 1.5)
    slow = change("return a - b", "__import__('time').sleep(1000)")
    answer = await judged(call, *[slow] * 20)
    assert answer["unjudged"] > 0
    assert len(answer["results"]) + answer["unjudged"] == 20


@pytest.mark.asyncio
async def test_a_suite_that_cannot_be_run_is_an_error(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suite, "START", Path("missing.py"))
    said = await text_of(try_edits, call, candidates=[change("a - b", "a")])
    assert said.startswith("the suite could not be run: ")


@pytest.mark.asyncio
async def test_cancellation_leaves_neither_processes_nor_files(
    call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = tmp_path_factory.mktemp("scratch")
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    marker = place / "started"
    slow = change("return a - b", f"open({str(marker)!r}, 'w'); __import__('time').sleep(1000)")
    with anyio.fail_after(60):
        async with anyio.create_task_group() as group:
            group.start_soon(try_edits.execute, {"candidates": [slow] * 4}, call)
            while not await anyio.Path(marker).exists():
                await anyio.lowlevel.checkpoint()
            group.cancel_scope.cancel()
    assert os.listdir(place) == ["started"]
    with anyio.fail_after(60):  # what is killed is gone once the system comes round to it
        while running_below(place):
            await anyio.lowlevel.checkpoint()


HOST = """
import sys, tempfile
import anyio
from hive.tools import Call, Workspace, try_edits

tempfile.tempdir = sys.argv[2]
edit = {"path": "calc.py", "before": "a - b", "after": "__import__('time').sleep(1000)"}
edit["after"] = f"open({sys.argv[3]!r}, 'w') and " + edit["after"]
call = Call(workspace=Workspace(sys.argv[1]))
anyio.run(try_edits.execute, {"candidates": [{"edits": [edit]}] * 4}, call)
"""


@pytest.mark.asyncio
async def test_nothing_goes_on_when_hive_is_killed(
    call: Call, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert call.workspace is not None
    place = tmp_path_factory.mktemp("scratch")
    marker = place / "started"
    arguments = [str(call.workspace.root), str(place), str(marker)]
    with anyio.fail_after(60):
        async with await anyio.open_process(
            [sys.executable, "-c", HOST, *arguments], cwd=Path.cwd()
        ) as host:
            while not await anyio.Path(marker).exists():
                await anyio.lowlevel.checkpoint()
            assert running_below(place)
            host.kill()
        while running_below(place):
            await anyio.lowlevel.checkpoint()


def running_below(place: Path) -> list[str]:
    """Processes whose current folder lies below a place."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and str(place) in os.readlink(process / "cwd"):
                found.append(process.name)
        except OSError:
            continue
    return found
