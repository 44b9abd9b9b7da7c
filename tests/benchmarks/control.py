"""What control costs: `python -m tests.benchmarks.control` prints one JSON object.

`verify_ms` is making a Graph, which verifies it, of 10, 100 and 1,000 roles, and `worst_ms` finding
its worst case in turns and by price. The graph is a line of groups of five roles: a fork and a join
behind its first role, a way back that closes after so many turns, a handoff that waits for a Review
from the group before, and a rule on the whole.
"""

import json
import statistics
import time
from collections.abc import Callable

from hive.board.contributions import Note, Review
from hive.control import (
    Edge,
    Graph,
    Rule,
    finish,
    handoff,
    posted,
    require,
    start,
    stop,
    turns,
    worst_case,
)  # fmt: skip
from hive.role import Role

SIZES = (10, 100, 1000)
ROUNDS = 5


def parts(size: int) -> list[Edge | Rule]:
    """The edges and the rule of a graph of so many roles."""
    roles = [Role(f"role{n}", writes=(Review if n % 5 == 3 else Note,)) for n in range(size)]
    made: list[Edge | Rule] = [start(roles[0])]
    for first in range(0, size, 5):
        a, b, c, d, e = roles[first : first + 5]
        made += [handoff(a, (b, c)), handoff((b, c), d), handoff(d, e)]
        made.append(handoff(d, a, when=~turns(20)))
        if first + 5 < size:
            made.append(handoff(e, roles[first + 5], when=posted(Review, author=d)))
    made += [finish(roles[-1]), stop(when=turns(2 * size))]
    return [*made, require(roles[3], before="finish")]


def milliseconds(work: Callable[[], object]) -> float:
    """The median of some rounds."""
    taken = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        work()
        taken.append(1000 * (time.perf_counter() - begun))
    return round(statistics.median(taken), 2)


def main() -> None:
    """Measure, and print."""
    found: dict[str, dict[str, float]] = {"verify_ms": {}, "worst_ms": {}}
    for size in SIZES:
        given = parts(size)
        graph = Graph(*given)
        found["verify_ms"][str(size)] = milliseconds(lambda given=given: Graph(*given))  # type: ignore[misc]
        found["worst_ms"][str(size)] = milliseconds(
            lambda graph=graph: worst_case(graph, lambda edge: 1)  # type: ignore[misc]
        )
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
