"""What a decision costs, for each policy among so many candidates: a part of
`python -m tests.benchmarks.control`.

A decision is all from the state to the record of it: the moves that the graph allows, the policy's
choice, the model that is allotted, and the Decision itself.
"""

import math
import time
from collections.abc import Callable

from hive import Graph, Workflow
from hive.board.board import Board
from hive.board.contributions import Note
from hive.board.entry import Address, Entry
from hive.board.payload import Payload
from hive.board.state import State
from hive.control import (
    Bid,
    Bidding,
    Choose,
    Chooser,
    EpsilonGreedy,
    GraphOrder,
    Mention,
    Policy,
    RoundRobin,
    Softmax,
    finish,
    handoff,
    start,
    stop,
    turns,
)
from hive.decider import Decider
from hive.role import Role
from hive.testing import FunctionModel

__all__ = ["decisions"]

CANDIDATES = (5, 50, 500)
ROUNDS, SECONDS = 5, 0.05


def star(number: int, policy: Policy) -> Workflow:
    """A hub, and so many roles that may act after it."""
    hub = Role("hub")
    around = [Role(f"role{n}") for n in range(number)]
    graph = Graph(
        start(hub),
        *[handoff(hub, role) for role in around],
        *[finish(role) for role in around],
        stop(when=turns(9)),
    )
    return Workflow(graph, model=FunctionModel(lambda request: "so"), policy=policy)


def policies(number: int) -> dict[str, Policy]:
    """Each policy by the name that its row has."""
    bids = Bidding({"hub": 0, **{f"role{n}": Bid(n % 7, 0.9, 0.5) for n in range(number)}})
    return {
        "graph order": GraphOrder(),
        "round robin": RoundRobin(),
        "mention": Mention(),
        "chooser": Chooser(),
        "bidding": bids,
        "epsilon-greedy": EpsilonGreedy(GraphOrder()),
        "softmax over bidding": Softmax(bids, 1),
    }


def once(number: int, policy: Policy) -> Callable[[], object]:
    """One decision in the middle of a run, where the last turn named the last of all roles and an
    advisor, where there is one, picks it."""
    workflow = star(number, policy)
    board = Board(workflow.vocabulary, salts=bytes)
    decider = Decider(workflow.silent_team(), board, "Go on.", 1)
    named = Note(text=f"Now role{number - 1} should look at it. " + "And so on. " * 20)
    note = Entry(
        seq=9,
        address=Address(7, "hub", (0, 2)),
        attempt=0,
        author="hub",
        origin="model:x",
        label="model",
        causes=(),
        at=1,
        lease=1,
        payload=named,
        body=named.body(),
    )
    acted = {f"role{n}": n % 5 + 1 for n in range(0, number, 2)}
    newest = {"Note": note, "hub/Note": note}
    state = State(turn=7, frontier=("hub",), acted=acted, newest=newest)
    advice: Payload = Choose(move=f"role{number - 1}", reason="it was named")
    complexity = workflow.estimator.estimate("Go on.", state)

    def decide() -> object:
        moves = decider.moves(state, complexity)
        situation = decider.situation(state, moves, advice, 8)
        return decider.decide(situation, complexity, ())

    return decide


def microseconds(work: Callable[[], object]) -> float:
    """The least mean of some rounds, in time of the processor."""
    work()
    begun, times = time.thread_time(), 0
    while time.thread_time() - begun < SECONDS:
        work()
        times += 1
    best = math.inf
    for _ in range(ROUNDS):
        begun = time.thread_time()
        for _ in range(times):
            work()
        best = min(best, (time.thread_time() - begun) / times)
    return round(1e6 * best, 1)


def decisions() -> dict[str, dict[str, float]]:
    """Microseconds of a decision, by policy and by the number of candidates."""
    found: dict[str, dict[str, float]] = {}
    for number in CANDIDATES:
        for name, policy in policies(number).items():
            found.setdefault(name, {})[str(number)] = microseconds(once(number, policy))
    return found
