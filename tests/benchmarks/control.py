"""What control costs: `python -m tests.benchmarks.control` prints one JSON object.

`verify_ms` is making a Graph, which verifies it, of 10, 100 and 1,000 roles, and `worst_ms` finding
its worst case in turns and by price. The graph is a line of groups of five roles: a fork and a join
behind its first role, a way back that closes after so many turns, a handoff that waits for a Review
from the group before, and a rule on the whole.

`per_turn_us` is what a turn costs at 100 and at 10,000 entries: of a plain loop, whose only guard
counts turns, and with a watch of every detector and a stop for every other guard. `tools` are turns
in which a tool is called, else a role only speaks.

`decide_us` is what a decision costs, by policy, at 5, 50 and 500 candidates.
"""

import gc
import json
import math
import statistics
import time
from collections.abc import Callable
from typing import Any

from pydantic import JsonValue

from hive import Limits, Workflow, tool
from hive.board.contributions import Finding, Note, Question, Review, Task, Verdict
from hive.control import (
    Choice,
    Edge,
    Graph,
    GraphOrder,
    Rule,
    Situation,
    Watch,
    accepted_findings,
    bloated,
    contributions,
    cost,
    elapsed,
    failed,
    finish,
    guard,
    handoff,
    latest,
    looped,
    open_questions,
    open_tasks,
    posted,
    repeated,
    require,
    stalled,
    start,
    stop,
    tokens,
    turns,
    worst_case,
)
from hive.message import Reply, Request, Text, ToolUse, Usage
from hive.models import ModelCard
from hive.models.catalog import Prices
from hive.role import Role
from tests.benchmarks.deciding import decisions

SIZES = (10, 100, 1000)
ROUNDS = 5
ENTRIES = (100, 10_000)
TURNS, ROW = 100, 21
"""Turns that are looked at, and how many of them in a row."""


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


@tool(effect="read")
def look(where: str) -> str:
    """Look somewhere."""
    return "nothing there " * 10


class Instant:
    """Says something else in every turn, without delay, and calls a tool before where it may."""

    name = "script:instant"
    card = ModelCard(name, prices=Prices.usd(1, 1))

    def __init__(self, calls: bool) -> None:
        self.calls, self.called, self.said = calls, False, 0

    async def complete(self, request: Request) -> Reply:
        used = Usage(input=2000, output=50)
        if self.calls and not self.called:
            self.called = True
            where: dict[str, JsonValue] = {"where": f"place {self.said % 7}"}
            return Reply(parts=(ToolUse(id="1", name="look", arguments=where),), usage=used)
        self.called = False
        self.said += 1
        return Reply(parts=(Text(text=f"{self.said} {'x' * 200}"),), usage=used)


class Timed:
    """Graph order that notes when each decision was made."""

    name = "graph order"

    def __init__(self) -> None:
        self.at: list[float] = []

    def decide(self, situation: Situation) -> Choice:
        self.at.append(time.thread_time())
        return GraphOrder().decide(situation)


NEVER = 10**9
SIGNALS = (contributions, open_tasks, open_questions, accepted_findings)
DETECTORS = (
    stalled(turns=NEVER, of=SIGNALS),
    looped(times=64),
    repeated(calls=NEVER),
    bloated(tokens=NEVER, of=SIGNALS),
)
OTHERS = (
    tokens(NEVER),
    cost(usd=NEVER),
    elapsed(hours=NEVER),
    stalled(turns=63) & guard("never")(lambda state: False),
    posted(Verdict),
    latest(Verdict, lambda verdict: verdict.ruling == "give_up"),
)
"""None of all these ever holds here."""


def circle(length: int, tools: bool, policy: Timed, guarded: bool) -> Workflow:
    """Three roles that hand on in a circle until so many turns are over."""
    calls = (look,) if tools else ()
    a, b, c = (Role(name, "Say something.", tools=calls) for name in "abc")
    judge = Role("judge", writes=(Verdict, Review, Finding, Task, Question))
    graph = Graph(
        start(a),
        handoff(a, b),
        handoff(b, c),
        handoff(c, a),
        handoff(c, judge, when=failed(c)),
        finish(judge),
        *[stop(when=each) for each in (OTHERS if guarded else ())],
        stop(when=turns(length)),
    )
    watches = [Watch(each) for each in DETECTORS] if guarded else []
    return Workflow(
        graph, model=Instant(tools), policy=policy, watches=watches, limits=Limits(view_tokens=2000)
    )


def per_turn(tools: bool) -> dict[str, dict[str, float]]:
    """Microseconds of the processor from one decision to the next, where so many entries are on the
    board: the mean of some turns in a row, the least of all such rows in some runs."""
    each = 9 if tools else 4
    ends = [entries // each + TURNS for entries in ENTRIES]
    best = {(guarded, end): math.inf for guarded in (False, True) for end in ends}
    for _ in range(ROUNDS):
        for guarded in (False, True):
            timed = Timed()
            gc.collect()
            gc.freeze()  # what other rounds have left behind is none of this one's business
            circle(ends[-1], tools, timed, guarded).run_sync("Go round.", seed=1)
            for end in ends:
                rows = zip(
                    timed.at[end - TURNS : end], timed.at[end - TURNS + ROW : end], strict=False
                )
                least = min(later - earlier for earlier, later in rows) / ROW
                best[guarded, end] = min(best[guarded, end], least)
    return {
        name: {
            str(n): round(1e6 * best[guarded, end], 1) for n, end in zip(ENTRIES, ends, strict=True)
        }
        for name, guarded in (("plain", False), ("every guard and detector", True))
    }


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
    found: dict[str, dict[str, Any]] = {"verify_ms": {}, "worst_ms": {}, "per_turn_us": {}}
    for size in SIZES:
        given = parts(size)
        graph = Graph(*given)
        found["verify_ms"][str(size)] = milliseconds(lambda given=given: Graph(*given))  # type: ignore[misc]
        found["worst_ms"][str(size)] = milliseconds(
            lambda graph=graph: worst_case(graph, lambda edge: 1)  # type: ignore[misc]
        )
    for name, tools in (("speaking", False), ("tools", True)):
        found["per_turn_us"][name] = per_turn(tools)
    found["decide_us"] = decisions()
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
