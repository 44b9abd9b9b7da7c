"""What many streams at once take in one process, for the `wire` benchmark.

Each provider's official SDK, bare and through Hive as workflows have it, in a process of its own,
opens 1,000 streams, a hundred at a time, to a server that stops each of them halfway. When all have
brought something, so that all are open at once, the memory is read; then the server sends the rest,
and all must end with the whole text. `kb_per_stream` is what the resident memory of the process
(RSS) has grown by since one stream was over, per stream; `seconds` is the time from the first
request to the last end.
"""

import asyncio
import gc
import json
import resource
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from tests.benchmarks.canned import TEXT
from tests.benchmarks.ways import NAMES, Call, ways

__all__ = ["STREAMS", "crowds", "room_for"]

STREAMS = 1000
WAVE = 100
"""Streams that are opened together: a thousand at a stroke keep the loop so busy that connections
count as failed on a slow machine, with the bare SDK too."""
SPARE = 200
"""Files that a process needs beside its connections."""


def room_for(streams: int) -> None:
    """Raise the limit of open files, which processes started later inherit, as far as so many
    streams need; end, with what to do, where the system does not allow it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = streams + SPARE
    if resource.RLIM_INFINITY != hard < needed:
        raise SystemExit(
            f"{streams} streams at once need {needed} open files, and the system allows {hard}; "
            f"raise the limit (ulimit -Hn {needed}, as root), or ask for fewer with --streams"
        )
    if resource.RLIM_INFINITY != soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def crowds(server: str, streams: int) -> dict[str, dict[str, Any]]:
    """The figures of all providers, bare and through Hive."""
    found = {}
    for name in NAMES:
        for way in ("bare", "steady"):
            command = [sys.executable, "-m", "tests.benchmarks.crowd"]
            ended = subprocess.run(
                [*command, name, way, server, str(streams)], check=True, stdout=subprocess.PIPE
            )
            found[f"{name.partition(':')[0]} {way}"] = json.loads(ended.stdout)
    return found


def resident() -> int:
    """The bytes of memory that the process holds."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def go(server: str) -> int:
    """Let the server send what it held back; of how many streams that was."""
    with urllib.request.urlopen(f"{server}/go") as answer:
        return int(answer.read())


async def at_once(call: Call, server: str, streams: int) -> int:
    """Open so many streams, end them, and give the memory that was held in between."""
    said: list[list[str]] = [[] for _ in range(streams)]
    heard = asyncio.Semaphore(0)

    async def one(pieces: list[str]) -> None:
        def take(piece: str) -> None:
            if not pieces:
                heard.release()
            pieces.append(piece)

        await call(take)

    async with asyncio.TaskGroup() as group:
        for start in range(0, streams, WAVE):
            wave = [group.create_task(one(pieces)) for pieces in said[start : start + WAVE]]
            for _ in wave:
                await heard.acquire()
        held = resident()
        assert await asyncio.to_thread(go, server) == streams
    assert all("".join(pieces) == TEXT for pieces in said)
    return held


async def crowd(name: str, way: str, server: str, streams: int) -> dict[str, Any]:
    """The figures of one provider, asked one way."""
    async with ways(name, f"{server}/held", stream=True) as found:
        call: Call = getattr(found, way)
        await at_once(call, server, 1)
        before, begun = resident(), time.perf_counter()
        held = await at_once(call, server, streams)
        taken = time.perf_counter() - begun
    return {
        "streams": streams,
        "kb_per_stream": round((held - before) / streams / 1024, 1),
        "seconds": round(taken, 2),
    }


if __name__ == "__main__":
    _, name, way, server, streams = sys.argv
    print(json.dumps(asyncio.run(crowd(name, way, server, int(streams)))))
