"""Programs that are not trusted (floor 2), run as processes that can be stopped for certain.

A sandboxed program has a session and process group of its own, no input, limits on time, memory,
files and processes, an environment made from an allow list, and bounded output. On timeout and on
cancellation its group is killed at once, and with it every process that carries the sandbox's mark,
also one that has left the group. When Hive itself is killed, Linux kills the program too.

It is no jail: the program runs as this user, may read what this user may read and may use the
network. What must hold against a hostile program needs a container around Hive.
"""

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import anyio.to_thread
from anyio.abc import ByteReceiveStream, ByteSendStream, Process

__all__ = ["Finished", "Limits", "environment", "run", "scratch"]

PASSED_ON = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "SYSTEMROOT")
"""Variables of this process that a sandboxed program sees; all others are set anew or missing."""
MARK = "HIVE_SANDBOX"
LAUNCHER = Path(__file__).with_name("launch.py")
MOST_OUTPUT = 64_000
"""Bytes of each output stream that are kept, half from its beginning and half from its end."""
MOST_REPORT = 64_000_000
"""Bytes read from the private channel."""
LAST_WORDS = 2.0
"""Seconds in which pipes must close once the program and its group are gone."""
KILL_ROUNDS = 20


@dataclass(frozen=True, slots=True)
class Limits:
    """What a program and each process it starts may use; None for no limit of ours.

    `cpu` is in seconds per process, `memory` (address space) and `file_size` in bytes. `processes`
    are those beyond what this user runs already; it does not bind the superuser.
    """

    cpu: int | None = 600
    memory: int | None = 4_000_000_000
    file_size: int | None = 1_000_000_000
    processes: int | None = 512
    open_files: int | None = 1024

    def as_json(self) -> str:
        """Resource names of the operating system, with their values."""
        named = {
            "RLIMIT_CPU": self.cpu,
            "RLIMIT_AS": self.memory,
            "RLIMIT_FSIZE": self.file_size,
            "RLIMIT_NPROC": self.processes,
            "RLIMIT_NOFILE": self.open_files,
            "RLIMIT_CORE": 0,
        }
        return json.dumps({name: value for name, value in named.items() if value is not None})


@dataclass(frozen=True, slots=True)
class Finished:
    """How a program ended. `code` is negative for a signal, None when it was stopped.

    `report` is what came over the private channel, for programs that were given one.
    """

    code: int | None
    stdout: str
    stderr: str
    timed_out: bool = False
    truncated: bool = False
    report: bytes = b""


@dataclass(slots=True)
class Tail:
    """The beginning and the end of a stream of bytes, at most `most` of them."""

    most: int
    head: bytearray = field(default_factory=bytearray)
    tail: bytearray = field(default_factory=bytearray)
    left_out: int = 0

    def add(self, chunk: bytes) -> None:
        half = self.most // 2
        room = max(0, half - len(self.head))
        self.head += chunk[:room]
        self.tail += chunk[room:]
        if (surplus := len(self.tail) - half) > 0:
            del self.tail[:surplus]
            self.left_out += surplus

    def text(self) -> str:
        """What was kept, saying how much is missing in the middle."""
        between = f"\n... {self.left_out} bytes left out ...\n" if self.left_out else ""
        return self.head.decode(errors="replace") + between + self.tail.decode(errors="replace")


def environment(home: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The whole environment of a sandboxed program; `home` is a scratch folder of its own."""
    passed_on = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    fixed = {
        "HOME": str(home),
        "TMPDIR": str(home),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONNOUSERSITE": "1",
        "PYTHONUTF8": "1",
        "NO_COLOR": "1",
    }
    return {"PATH": os.defpath, "LANG": "C.UTF-8", **passed_on, **fixed, **(extra or {})}


@asynccontextmanager
async def scratch() -> AsyncIterator[Path]:
    """A private folder outside every workspace, removed at the end whatever happens."""
    folder = make_scratch()
    try:
        yield folder
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(remove_tree, folder)


def make_scratch() -> Path:
    return Path(tempfile.mkdtemp(prefix="hive-scratch-")).resolve()


def remove_tree(folder: Path) -> None:
    """Remove a folder with everything in it, read-only folders included."""

    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        for place, folders, _ in os.walk(folder):
            for name in folders:
                with suppress(OSError):
                    Path(place, name).chmod(0o700)
        shutil.rmtree(folder, ignore_errors=True)


async def run(
    argv: Sequence[str],
    *,
    cwd: Path,
    seconds: float,
    limits: Limits | None = None,
    env: Mapping[str, str] | None = None,
    stdin: bytes | None = None,
    channel: bool = False,
) -> Finished:
    """Run a program to its end, or until `seconds` have passed.

    `env` is the whole environment (see `environment`). With `channel`, the program's environment
    names in HIVE_CHANNEL a file descriptor of its own to report on. When this call is cancelled,
    the program and all it started are killed before the cancellation goes on.
    """
    mark = secrets.token_hex(16)
    reader, writer = os.pipe() if channel else (-1, -1)
    names = {MARK: mark, **({"HIVE_CHANNEL": str(writer)} if channel else {})}
    command = [sys.executable, "-I", "-S", str(LAUNCHER), (limits or Limits()).as_json(), *argv]
    try:
        with anyio.CancelScope(shield=True):  # a half-started process could not be killed
            process = await anyio.open_process(
                command,
                cwd=cwd,
                env={**(environment(cwd) if env is None else env), **names},
                stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
                start_new_session=True,
                pass_fds=(writer,) if channel else (),
            )
        close(writer)
        writer = -1
        return await attend(process, mark, seconds, stdin, reader)
    finally:
        close(reader)
        close(writer)


async def attend(
    process: Process, mark: str, seconds: float, stdin: bytes | None, reader: int
) -> Finished:
    """Feed a program and collect what it says until it ends; leave nothing of it behind."""
    out, err, report = Tail(MOST_OUTPUT), Tail(MOST_OUTPUT), bytearray()
    code: int | None = None
    try:
        with anyio.move_on_after(seconds):
            async with anyio.create_task_group() as group:
                group.start_soon(drain, process.stdout, out)
                group.start_soon(drain, process.stderr, err)
                group.start_soon(listen, reader, report)
                group.start_soon(feed, process.stdin, stdin)
                code = await process.wait()
                kill_all(process.pid, mark)
                group.cancel_scope.deadline = anyio.current_time() + LAST_WORDS
    finally:
        kill_all(process.pid, mark)
        with anyio.CancelScope(shield=True):
            await process.aclose()
    return Finished(
        code=code,
        stdout=out.text(),
        stderr=err.text(),
        timed_out=code is None,
        truncated=bool(out.left_out or err.left_out or len(report) >= MOST_REPORT),
        report=bytes(report),
    )


async def drain(stream: ByteReceiveStream | None, tail: Tail) -> None:
    """Read a stream to its end, so that the program never waits for a reader."""
    if stream is not None:
        async for chunk in stream:
            tail.add(chunk)


async def listen(reader: int, report: bytearray) -> None:
    """Read the private channel until all its writers have gone, or it says too much."""
    while reader >= 0 and len(report) < MOST_REPORT:
        await anyio.wait_readable(reader)
        chunk = os.read(reader, 1 << 20)
        if not chunk:
            return
        report += chunk


async def feed(stream: ByteSendStream | None, content: bytes | None) -> None:
    """Write a program's input; one that does not read it all is no error."""
    if stream is not None:
        with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
            await stream.send(content or b"")
        await stream.aclose()


def kill_all(group: int, mark: str) -> None:
    """Kill a process group, then whoever carries the mark elsewhere, until nobody is left."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
    for _ in range(KILL_ROUNDS):
        strays = marked(f"{MARK}={mark}".encode())
        for stray in strays:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(stray, signal.SIGKILL)
        if not strays:
            return


def marked(mark: bytes) -> list[int]:
    """Processes that started with the mark in their environment; none where there is no /proc."""
    found = []
    with suppress(OSError):
        for name in os.listdir("/proc"):
            if name.isdigit() and carries(name, mark):
                found.append(int(name))
    return found


def carries(process: str, mark: bytes) -> bool:
    try:
        with open(f"/proc/{process}/environ", "rb") as file:
            return mark in file.read()
    except OSError:  # gone, or somebody else's
        return False


def close(descriptor: int) -> None:
    if descriptor >= 0:
        os.close(descriptor)
