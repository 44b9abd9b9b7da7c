"""What a call costs: `python -m tests.benchmarks.wire` prints a table; `--json` one JSON object.

Each provider's official SDK asks a server in another process (see `canned`) for an answer of 2,000
characters, plain and streamed, in four ways that take turns in blocks, so that whatever else the
machine does hits all alike:

- `read`: the SDK sends the request and gives the bytes; nobody looks at them.
- `bare`: what a user of the SDK writes: the typed answer, its text and its usage; streamed, the
  typed events to the end.
- `hive`: `model.complete(request)`, which gives a Reply; streamed, with somebody who takes the
  pieces.
- `steady`: the same as workflows have it, `Retrying(Limited(model))`.

Keys, options, addresses and connections are the same. Times are microseconds a call, the medians
over all calls; `more_percent` is what hive takes more than bare, and `spread_percent` its quartiles
over the blocks. `own_us` is what hive takes more than read: all that Hive itself does.

Then `crowd` measures 1,000 streams at once, which `--calls` leaves out.
"""

import argparse
import asyncio
import json
import statistics
import time
from itertools import chain
from typing import Any

from tests.benchmarks.canned import TEXT, serving
from tests.benchmarks.crowd import STREAMS, crowds, room_for
from tests.benchmarks.ways import NAMES, Call, Ways, ways

__all__ = ["compared"]


async def timed(call: Call, count: int) -> list[float]:
    """Microseconds of each of so many calls."""
    taken = []
    for _ in range(count):
        pieces: list[str] = []
        begun = time.perf_counter()
        await call(pieces.append)
        "".join(pieces)
        taken.append((time.perf_counter() - begun) * 1e6)
    return taken


async def said(call: Call) -> str:
    """The text that an answer brings."""
    pieces: list[str] = []
    await call(pieces.append)
    return "".join(pieces)


async def compared(name: str, server: str, stream: bool, blocks: int, size: int) -> dict[str, Any]:
    """The figures of one provider, plain or streamed, of so many blocks of so many calls."""
    taken: dict[str, list[list[float]]] = {way: [] for way in Ways._fields}
    async with ways(name, server, stream) as found:
        for call in (found.bare, found.hive, found.steady):
            assert await said(call) == TEXT
        named = list(zip(Ways._fields, found, strict=True))
        for block in range(blocks + 1):
            for way, call in named if block % 2 else reversed(named):
                times = await timed(call, size)
                if block:  # the first is there to warm up
                    taken[way].append(times)
    p50 = {way: statistics.median(chain.from_iterable(times)) for way, times in taken.items()}
    medians = {way: [statistics.median(block) for block in taken[way]] for way in taken}
    more = [
        (hive / bare - 1) * 100 for hive, bare in zip(medians["hive"], medians["bare"], strict=True)
    ]
    low, _, high = statistics.quantiles(more, n=4)
    return {
        **{f"{way}_us": round(middle) for way, middle in p50.items()},
        "more_percent": round((p50["hive"] / p50["bare"] - 1) * 100, 1),
        "spread_percent": [round(low, 1), round(high, 1)],
        "own_us": round(p50["hive"] - p50["read"]),
    }


def table(figures: dict[str, dict[str, Any]]) -> str:
    columns = list(next(iter(figures.values())))
    rows = [["", *columns]]
    rows += [[name, *(str(row[column]) for column in columns)] for name, row in figures.items()]
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = [
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure everything and print it."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.wire")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--calls", action="store_true", help="leave the streams at once out")
    parser.add_argument("--blocks", type=int, default=40)
    parser.add_argument("--size", type=int, default=20, help="calls in a block")
    parser.add_argument("--streams", type=int, default=STREAMS, help="how many at once")
    asked = parser.parse_args()
    room_for(0 if asked.calls else asked.streams)
    figures: dict[str, dict[str, Any]] = {"calls": {}}
    with serving() as server:
        for name in NAMES:
            for stream in (False, True):
                found = compared(name, server, stream, asked.blocks, asked.size)
                kind = "streamed" if stream else "plain"
                figures["calls"][f"{name.partition(':')[0]} {kind}"] = asyncio.run(found)
        if not asked.json:
            print(table(figures["calls"]), end="\n\n", flush=True)
        if not asked.calls:
            figures["crowds"] = crowds(server, asked.streams)
    if asked.json:
        print(json.dumps(figures))
    elif not asked.calls:
        print(table(figures["crowds"]))


if __name__ == "__main__":
    main()
