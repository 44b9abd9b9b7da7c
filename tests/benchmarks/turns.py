"""What a turn costs: `python -m tests.benchmarks.turns` prints one JSON object.

Three roles hand on in a circle, with a model that answers at once with 200 characters and a view of
2,000 tokens. `floor_us` is a bare loop in the same process: a task and a pydantic message per turn.
`bytes_per_turn` is what the SQLite file grows by. The last figures are 1,000 concurrent runs in
memory, of 10 turns each, with a model that takes 50 ms, and the memory of the process afterwards.
"""

import asyncio
import gc
import json
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import anyio
from pydantic import BaseModel

from hive import Graph, Limits, Role, Workflow, failed, finish, handoff, start, stop, turns
from hive.board.contributions import Verdict
from hive.journal.journal import Journal
from hive.journal.memory import MemoryJournal
from hive.journal.sqlite import SQLiteJournal
from hive.message import Reply, Request, Text, Usage

LENGTHS = (30, 300, 3000)
ROUNDS = 5
ANSWER = Reply(parts=(Text(text="x" * 200),), usage=Usage(input=2000, output=50))


class Instant:
    """A script of one line, said without delay."""

    name = "script:instant"

    async def complete(self, request: Request) -> Reply:
        return ANSWER


class Slow:
    """The same line after 50 ms, as a server far away would say it."""

    name = "script:slow"

    async def complete(self, request: Request) -> Reply:
        await anyio.sleep(0.05)
        return ANSWER


def circle(length: int, model: object) -> Workflow:
    """Three roles that hand on in a circle until so many turns are over."""
    a, b, c = (Role(name, "Say something of use to the others.") for name in "abc")
    judge = Role("judge", writes=(Verdict,))
    graph = Graph(
        start(a),
        handoff(a, b),
        handoff(b, c),
        handoff(c, a),
        handoff(c, judge, when=failed(c)),
        finish(judge),
        stop(when=turns(length)),
    )
    return Workflow(graph, model=model, limits=Limits(view_tokens=2000))  # type: ignore[arg-type]


async def floor(turns_: int = 3000) -> float:
    """Microseconds a turn of a bare loop: one task and one pydantic message."""

    class Said(BaseModel):
        author: str
        text: str

    async def turn() -> Said:
        return Said(author="a", text="x" * 200)

    begun = time.perf_counter()
    for _ in range(turns_):
        await asyncio.create_task(turn())
    return (time.perf_counter() - begun) / turns_ * 1e6


async def one(length: int, journal: Journal) -> float:
    """Microseconds a turn of one run."""
    workflow = circle(length, Instant())
    run = workflow.start("Go round.", journal=journal)
    gc.collect()
    begun = time.perf_counter()
    result = await run.result()
    taken = time.perf_counter() - begun
    assert result.turns == length, result.message
    return taken / length * 1e6


async def at(length: int, journal: Callable[[], Journal]) -> float:
    """The best of some rounds: what the code costs, not what else the machine was doing."""
    taken = []
    for _ in range(ROUNDS if length < 3000 else 2):
        opened = journal()
        taken.append(await one(length, opened))
        opened.close()
    return round(min(taken), 1)


async def concurrent(runs: int = 1000, length: int = 10) -> float:
    """Seconds for many runs at once."""
    workflow = circle(length, Slow())
    journal = MemoryJournal()
    begun = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(runs):
            group.create_task(workflow.run("Go round.", journal=journal))
    return time.perf_counter() - begun


def main() -> None:
    """Measure everything and print it."""
    figures: dict[str, object] = {}
    figures["floor_us"] = round(min(asyncio.run(floor()) for _ in range(3)), 1)
    figures["memory_us"] = {str(n): asyncio.run(at(n, MemoryJournal)) for n in LENGTHS}
    sqlite: dict[str, float] = {}
    grown: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as folder:
        for n in LENGTHS:
            made: list[Path] = []

            def fresh(n: int = n, made: list[Path] = made) -> Journal:
                made.append(Path(folder) / f"{n}-{len(made)}.db")
                return SQLiteJournal(made[-1])

            sqlite[str(n)] = asyncio.run(at(n, fresh))
            grown[str(n)] = round(made[0].stat().st_size / n)
    figures["sqlite_us"] = sqlite
    figures["bytes_per_turn"] = grown
    figures["concurrent_1000x10x50ms_s"] = round(asyncio.run(concurrent()), 2)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    figures["rss_mb"] = round(peak / 1024)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
