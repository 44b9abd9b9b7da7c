from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import anyio
import pytest

from hive.tools import sandbox
from hive.tools.sandbox import Finished, Limits, Tail, environment, run, scratch

FAMILY = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
children = []
for leave_group in (False, True):
    child = os.fork()
    if child == 0:
        if leave_group:
            os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        while True:
            time.sleep(60)
    children.append(child)
with open("family.tmp", "w") as file:
    print(os.getpid(), *children, file=file)
os.rename("family.tmp", "family")
%s
"""
FOREVER = "while True: time.sleep(60)"


def python(source: str, *arguments: str) -> list[str]:
    return [sys.executable, "-I", "-c", source, *arguments]


async def outcome(source: str, folder: Path, **limits: int) -> Finished:
    return await run(python(source), cwd=folder, seconds=30, limits=Limits(**limits))


def alive(process: int) -> bool:
    """Whether a process exists and is more than an entry that nobody has read."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


async def family(folder: Path) -> list[int]:
    """The processes that FAMILY started, once it says that they are there."""
    file = anyio.Path(folder / "family")
    while not await file.exists():
        await anyio.lowlevel.checkpoint()
    return [int(word) for word in (await file.read_text()).split()]


async def all_gone(processes: list[int]) -> None:
    """Return when none of the processes lives; the test's own limit ends a wait in vain."""
    while any(alive(process) for process in processes):
        await anyio.lowlevel.checkpoint()


@pytest.mark.asyncio
async def test_a_program_runs_in_its_folder_without_input(tmp_path: Path) -> None:
    source = "import os,sys; print(os.getcwd()); print(repr(sys.stdin.read()), file=sys.stderr)"
    finished = await outcome(source, tmp_path)
    assert finished == Finished(0, f"{tmp_path}\n", "''\n")


@pytest.mark.asyncio
async def test_exit_codes_and_signals_are_told_apart(tmp_path: Path) -> None:
    assert (await outcome("raise SystemExit(3)", tmp_path)).code == 3
    killed = await outcome("import os; os.kill(os.getpid(), 9)", tmp_path)
    assert (killed.code, killed.timed_out) == (-9, False)
    missing = await run(["no-such-program"], cwd=tmp_path, seconds=30)
    assert missing == Finished(127, "", "no-such-program: No such file or directory\n")


@pytest.mark.asyncio
async def test_input_can_be_given_and_need_not_be_read(tmp_path: Path) -> None:
    content = b"x" * 1_000_000
    echo = python("import sys; print(len(sys.stdin.read()))")
    assert (await run(echo, cwd=tmp_path, seconds=30, stdin=content)).stdout == "1000000\n"
    deaf = python("pass")
    assert (await run(deaf, cwd=tmp_path, seconds=30, stdin=content)).code == 0


@pytest.mark.asyncio
async def test_a_family_that_ignores_signals_is_gone_after_a_timeout(tmp_path: Path) -> None:
    with anyio.fail_after(30):
        for seconds in (1, 4, 16):  # a busy machine may need some for the start alone
            finished = await run(python(FAMILY % FOREVER), cwd=tmp_path, seconds=seconds)
            assert (finished.code, finished.timed_out) == (None, True)
            if await anyio.Path(tmp_path / "family").exists():
                break
        await all_gone(await family(tmp_path))


@pytest.mark.asyncio
async def test_a_family_that_ignores_signals_is_gone_after_cancellation(tmp_path: Path) -> None:
    with anyio.fail_after(30):
        async with anyio.create_task_group() as group:

            async def start() -> None:
                await run(python(FAMILY % FOREVER), cwd=tmp_path, seconds=1000)

            group.start_soon(start)
            processes = await family(tmp_path)
            assert all(alive(process) for process in processes)
            group.cancel_scope.cancel()
        await all_gone(processes)


@pytest.mark.asyncio
async def test_what_a_program_leaves_behind_is_killed_when_it_ends(tmp_path: Path) -> None:
    with anyio.fail_after(30):
        finished = await run(python(FAMILY % ""), cwd=tmp_path, seconds=1000)
        assert finished.code == 0
        await all_gone(await family(tmp_path))


HOST = """
import sys
from pathlib import Path
import anyio
from hive.tools.sandbox import run

async def main():
    await run([sys.executable, "-c", sys.argv[1]], cwd=Path(sys.argv[2]), seconds=1000)

anyio.run(main)
"""


@pytest.mark.asyncio
async def test_a_program_dies_with_hive(tmp_path: Path) -> None:
    source = "import os, time; open('pid', 'w').write(f'{os.getpid()} '); time.sleep(1000)"
    with anyio.fail_after(30):
        async with await anyio.open_process(
            [sys.executable, "-c", HOST, source, str(tmp_path)], cwd=Path.cwd()
        ) as host:
            file = anyio.Path(tmp_path / "pid")
            while not await file.exists() or not (text := await file.read_text()).endswith(" "):
                await anyio.lowlevel.checkpoint()
            assert alive(int(text))
            host.kill()
        await all_gone([int(text)])


@pytest.mark.asyncio
async def test_cancellation_before_the_start_leaves_nothing(tmp_path: Path) -> None:
    with anyio.CancelScope() as scope:
        scope.cancel()
        await run(python("open('ran', 'w')"), cwd=tmp_path, seconds=30)
    assert scope.cancelled_caught


@pytest.mark.asyncio
async def test_no_key_reaches_a_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "GITHUB_TOKEN", "MY_SECRET", "PASSWORD", "LD_PRELOAD_X"):
        monkeypatch.setenv(name, "leaked")
    monkeypatch.setenv("PYTHONPATH", "/leaked")
    source = "import os,json; print(json.dumps(dict(os.environ)))"
    seen = json.loads((await outcome(source, tmp_path)).stdout)
    assert "leaked" not in json.dumps(seen)
    assert set(seen) <= {
        *sandbox.PASSED_ON,
        "HIVE_SANDBOX",
        "HOME",
        "LC_CTYPE",
        "NO_COLOR",
        "PYTHONDONTWRITEBYTECODE",
        "PYTHONHASHSEED",
        "PYTHONNOUSERSITE",
        "PYTHONUTF8",
        "TMPDIR",
    }
    assert seen["HOME"] == seen["TMPDIR"] == str(tmp_path)


@pytest.mark.asyncio
async def test_nor_can_it_be_read_from_this_process(tmp_path: Path) -> None:
    source = "import os; print(sorted(int(n) for n in os.listdir('/proc/self/fd')))"
    open_here = os.open(tmp_path, os.O_RDONLY)
    try:
        os.set_inheritable(open_here, True)
        seen = json.loads((await outcome(source, tmp_path)).stdout)
    finally:
        os.close(open_here)
    assert seen == [0, 1, 2, 3]  # 3 is the listing itself


@pytest.mark.asyncio
async def test_memory_is_limited(tmp_path: Path) -> None:
    source = "x = bytearray(400_000_000)"
    assert (await outcome(source, tmp_path, memory=1_000_000_000)).code == 0
    limited = await outcome(source, tmp_path, memory=300_000_000)
    assert limited.code == 1
    assert "MemoryError" in limited.stderr


@pytest.mark.asyncio
async def test_limits_hold_for_grandchildren(tmp_path: Path) -> None:
    source = (
        "import subprocess, sys; raise SystemExit(subprocess.call("
        "[sys.executable, '-I', '-c', 'bytearray(400_000_000)'], stderr=subprocess.DEVNULL))"
    )
    assert (await outcome(source, tmp_path, memory=300_000_000)).code == 1


@pytest.mark.asyncio
async def test_cpu_time_file_size_and_open_files_are_limited(tmp_path: Path) -> None:
    assert (await outcome("while True: pass", tmp_path, cpu=1)).code in (
        -signal.SIGXCPU,
        -signal.SIGKILL,
    )
    large = await outcome("open('big', 'wb').write(bytes(10_000))", tmp_path, file_size=1000)
    assert large.code != 0
    assert (tmp_path / "big").stat().st_size <= 1000
    many = await outcome("files = [open('/dev/null') for _ in range(50)]", tmp_path, open_files=20)
    assert "Too many open files" in many.stderr


@pytest.mark.asyncio
async def test_output_is_bounded_with_beginning_and_end(tmp_path: Path) -> None:
    source = "import sys; sys.stdout.write('first' + 'x' * 5_000_000 + 'last')"
    finished = await outcome(source, tmp_path)
    assert finished.truncated
    assert len(finished.stdout) < sandbox.MOST_OUTPUT + 100
    assert finished.stdout.startswith("first")
    assert finished.stdout.endswith("last")
    assert "bytes left out" in finished.stdout


@pytest.mark.parametrize("sizes", [[], [3], [4], [2, 2], [8], [100, 1], [1] * 20])
def test_a_tail_keeps_both_ends(sizes: list[int]) -> None:
    tail = Tail(8)
    for size in sizes:
        tail.add(b"x" * size)
    total = sum(sizes)
    assert tail.left_out == max(0, total - 8)
    assert tail.text().count("x") == min(total, 8)


@pytest.mark.asyncio
async def test_a_private_channel_carries_a_report(tmp_path: Path) -> None:
    source = "import os; os.write(int(os.environ['HIVE_CHANNEL']), b'report'); print('printed')"
    finished = await run(python(source), cwd=tmp_path, seconds=30, channel=True)
    assert (finished.report, finished.stdout) == (b"report", "printed\n")


@pytest.mark.asyncio
async def test_a_report_that_never_ends_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox, "MOST_REPORT", 100_000)
    source = (
        "import os\n"
        "channel = int(os.environ['HIVE_CHANNEL'])\n"
        "while os.write(channel, b'x' * 4096): pass"
    )
    for seconds in (1, 4, 16):  # a busy machine may need some for the start alone
        finished = await run(python(source), cwd=tmp_path, seconds=seconds, channel=True)
        if finished.report:
            break
    assert finished.truncated
    assert 100_000 <= len(finished.report) < 2_000_000


@pytest.mark.asyncio
async def test_descriptors_are_not_left_open(tmp_path: Path) -> None:
    def count() -> int:
        return len(os.listdir("/proc/self/fd"))

    await outcome("pass", tmp_path)
    before = count()
    for _ in range(3):
        await run(python("pass"), cwd=tmp_path, seconds=30, channel=True)
    with pytest.raises(FileNotFoundError):
        await run(python("pass"), cwd=tmp_path / "missing", seconds=30, channel=True)
    assert count() == before


@pytest.mark.asyncio
async def test_a_scratch_folder_is_removed_whatever_happens() -> None:
    async def fail() -> None:
        async with scratch() as folder:
            folders.append(folder)
            (folder / "locked" / "inner").mkdir(parents=True)
            (folder / "locked" / "inner" / "file").touch()
            (folder / "locked" / "inner").chmod(0)
            (folder / "locked").chmod(0o500)
            raise ZeroDivisionError

    folders: list[Path] = []
    with pytest.raises(ZeroDivisionError):
        await fail()
    assert not folders[0].exists()
    with anyio.CancelScope() as scope:
        async with scratch() as folder:
            scope.cancel()
            await anyio.sleep_forever()
    assert not folder.exists()


def test_the_environment_is_an_allow_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "de_DE.UTF-8")
    monkeypatch.delenv("PATH")
    built = environment(tmp_path, {"EXTRA": "1"})
    assert (built["LANG"], built["PATH"], built["EXTRA"]) == ("de_DE.UTF-8", os.defpath, "1")
