"""Researchers side by side: a fork, a join, and several samples of one role.

How large is pi? Two researchers with different methods begin beside each other (a fork). The
gambler waits until both have acted (a join), then throws darts in four independent strands of the
same role (`samples=4`). The statistician weighs all six estimates. For a strand per entry instead
of a fixed number of samples see `per=` in own_role.py.

Each mind is a program that also waits 0.2 s, as a distant server would make one wait: a turn takes
as long as its slowest strand.
"""

import asyncio
import json
import random
import time

from hive import Graph, Note, Payload, Role, View, Workflow, finish, handoff, start, stop, turns
from hive.message import Request
from hive.models import FunctionModel

LATENCY_S = 0.2
THROWS = 20_000


class Estimate(Payload):
    """A number, and how it was come by."""

    method: str
    value: float


def answer(method: str, value: float) -> str:
    """An Estimate as a model would write it."""
    return json.dumps({"method": method, "value": value})


async def polygons(request: Request) -> str:
    """Double the sides of a polygon inside the unit circle, beginning with a hexagon."""
    await asyncio.sleep(LATENCY_S)
    sides, length = 6, 1.0
    for _ in range(10):
        length = (2 - (4 - length**2) ** 0.5) ** 0.5
        sides *= 2
    return answer(f"a polygon of {sides} sides", sides * length / 2)


async def series(request: Request) -> str:
    """Sum 1 - 1/3 + 1/5 - …, which comes to a quarter of pi."""
    await asyncio.sleep(LATENCY_S)
    terms = 100_000
    total = sum((-1) ** n / (2 * n + 1) for n in range(terms))
    return answer(f"{terms} terms of a series", 4 * total)


async def darts(request: Request) -> str:
    """Throw darts at a square and count those in its circle; each sample has its own chance."""
    await asyncio.sleep(LATENCY_S)
    rng = random.Random(request.sample)
    hits = sum(rng.random() ** 2 + rng.random() ** 2 <= 1 for _ in range(THROWS))
    return answer(f"{THROWS} darts, sample {request.sample}", 4 * hits / THROWS)


async def weigh(view: View) -> Note:
    """The estimate in the middle of all."""
    found = [entry.payload for entry in view.entries if isinstance(entry.payload, Estimate)]
    values = sorted(estimate.value for estimate in found)
    middle = (values[len(values) // 2] + values[(len(values) - 1) // 2]) / 2
    return Note(text=f"pi is about {middle:.4f}, from {len(values)} estimates")


archimedes = Role("archimedes", "Estimate the number with polygons.", writes=(Estimate,))
leibniz = Role("leibniz", "Estimate the number with a series.", writes=(Estimate,))
gambler = Role("gambler", "Estimate the number by chance.", writes=(Estimate,))
statistician = Role("statistician", reads=(Estimate,), writes=(Note,), program=weigh)

team = Workflow(
    Graph(
        start((archimedes, leibniz)),  # a fork: both act in the first turn
        handoff((archimedes, leibniz), gambler, samples=4),  # a join, then four strands of one role
        handoff(gambler, statistician),
        finish(statistician),
        stop(when=turns(6)),
    ),
    models={
        "archimedes": FunctionModel(polygons),
        "leibniz": FunctionModel(series),
        "gambler": FunctionModel(darts),
    },
    name="pi",
)

if __name__ == "__main__":
    begun = time.perf_counter()
    result = team.run_sync("How large is pi?")
    took = time.perf_counter() - begun
    print("All minds are programs.\n")
    for entry in sorted(result.entries, key=lambda entry: entry.address):
        if isinstance(entry.payload, Estimate):
            print(f"turn {entry.address.turn}, strand {entry.address.strand:12}", entry.payload)
    print(f"\n{result.text}")
    print(f"six waits of {LATENCY_S} s in {took:.2f} s")
