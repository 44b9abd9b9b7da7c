"""Random teams and the random course of a run, for whatever must hold of every recorded run.

A team has roles of every kind, a policy, caps and rules; its calls complete in a drawn order, and
the run is paused, loses its process, is taken up again or stopped at drawn moments.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from hypothesis import strategies as st

from hive import (
    Budget,
    EpsilonGreedy,
    Finding,
    Graph,
    GraphOrder,
    Limits,
    Note,
    Payload,
    Review,
    Role,
    RoundRobin,
    Task,
    View,
    Workflow,
    failed,
    finish,
    handoff,
    start,
    stop,
    tool,
    turns,
)
from hive.board.contributions import Attachment
from hive.board.records import Suspension
from hive.board.state import State
from hive.control import (
    TABLE,
    AcrossModels,
    Allocator,
    Bid,
    Bidding,
    ByComplexity,
    Chooser,
    Escalation,
    LastWord,
    Mention,
    ModelEstimator,
    Policy,
    RuleEstimator,
    Softmax,
    WrittenBy,
    divided,
    invalid,
    level,
    tool_errors,
)
from hive.errors import HiveError, ModelError
from hive.journal.journal import Batch
from hive.journal.memory import MemoryJournal
from hive.message import Media, Reply, Request, Text, ToolUse, Usage
from hive.models import ModelCard
from hive.models.catalog import Prices
from hive.phases.strand import InDoubt
from hive.run import Run
from hive.testing import Gate
from hive.tools import Tool, ToolOutput, by_tool
from hive.tools.person import Decided
from tests.phases.replies import Colour
from tests.pictures import CHART

Shape = Literal["talker", "typed", "poster", "program", "broken program", "person"]
SHAPES: tuple[Shape, ...] = (
    "talker", "poster", "talker", "poster", "typed", "program", "broken program", "person",
)  # fmt: skip
FIRST = ("amy", "bob", "cat")
WHO = (*FIRST, "worker", "last")
GOAL = "Go through it all."
LONG = "long " * 1000
LITTLE = 5000
TELLER = Role("teller", reads=(Note, Finding))
CARD = ModelCard("script:all", prices=Prices.usd(1, 4))
NO_REPLY = Reply(parts=(Text(text="no"),), stop="refusal")


def use(name: str, /, **arguments: Any) -> ToolUse:
    return ToolUse(id="0", name=name, arguments=arguments)


def eager(state: State) -> Bid:
    """Worth the less, the more there is on the board."""
    return Bid(9 / (1 + state.contributions), 0.9, 0.5)


BIDS: dict[str, Any] = {**dict.fromkeys(WHO, Bid(2, 0.5)), "worker": eager}
USES = (
    use("echo", word="w"), use("echo", word=7), use("echo", word=LONG), use("boom", word="x"),
    use("measure"), use("dig"), use("risk", word="r"), use("risk", word="s"),
    use("post_Colour", name="red"), use("post_Task", id="T1", title="t"),
    use("post_Finding", claim="c"),
    use("handoff", to="last", reason="r"), use("pass", reason="done"),
)  # fmt: skip
words = (
    "a word",
    "too much",
    "draw",
    "wait",
    '{"name": "red"}',
    '{"name": "green"}',
    "@cat should look at it",
)
failures = ("fail", "break", "refuse")
calls = st.lists(st.sampled_from(USES), min_size=1, max_size=3)
said: st.SearchStrategy[Any] = st.integers(0, 9).flatmap(
    lambda n: calls if n > 3 else st.sampled_from(words if n else failures)
)


@dataclass(frozen=True)
class Break:
    """How a run is broken off once it has so many entries more, and by which rule on risky calls it
    then goes on."""

    how: Literal["pause", "crash", "stop"]
    after: int
    risk: Literal["allow", "deny", "ask"] = "allow"


@dataclass(frozen=True)
class Case:
    """A team, what its minds say step by step, its policy and caps, an order of completion, and
    what befalls its run."""

    shapes: tuple[Shape, ...]
    lines: dict[str, list[Any]]
    policy: int
    samples: int
    budget: Budget
    order: list[int]
    advice: list[str] = field(default_factory=list)
    breaks: list[Break] = field(default_factory=list)
    risk: Literal["allow", "deny", "ask"] = "allow"
    in_doubt: InDoubt = "lost"
    words: frozenset[int] = frozenset()
    """The entries after which the user says something."""
    rests: frozenset[int] = frozenset()
    """The entries after which the run is asked to pause; it is told to go on at once."""
    given: tuple[Media, ...] = ()
    """What the user hands over with the goal, and with all that is said."""
    told: bool = False
    """Whether a role writes the answer, as far as the budget can hold that."""
    allocator: int = 0
    answer: Decided | None = None
    """What is said of calls that wait for a yes, and at a checkpoint, where anything is."""
    saying: str | None = None
    """What is said in the turns of people, where anything is."""
    checkpoint: bool = False
    assessed: str | None = None
    """What is said of how hard the goal is, where anybody is asked."""


HARD = '{"complexity": "critical", "confidence": 0.7, "reasons": []}'
rulings = st.sampled_from(["allow", "deny", "ask"])
cases = st.builds(
    Case,
    # Where all three are typed, nobody can write the first Task, and the graph is refused.
    shapes=st.tuples(*[st.sampled_from(SHAPES)] * 3).filter(lambda found: {*found} != {"typed"}),
    lines=st.fixed_dictionaries(
        {name: st.lists(said, min_size=name in FIRST, max_size=3) for name in WHO}
    ),
    policy=st.integers(0, 5),
    allocator=st.integers(0, 2),
    samples=st.integers(1, 2),
    budget=st.one_of(
        st.just(Budget()),
        st.just(Budget()),
        st.builds(Budget, calls=st.integers(1, 15)),
        st.builds(Budget, usd=st.sampled_from(["0.02", "0.2", "2"])),
        st.builds(Budget, tokens=st.sampled_from([LITTLE, 30_000, 300_000])),
    ),
    order=st.lists(st.integers(0, 7), max_size=30),
    advice=st.lists(st.sampled_from(['{"move": "1", "reason": "r"}', "nonsense"]), max_size=3),
    breaks=st.lists(
        st.builds(
            Break,
            how=st.sampled_from(["pause", "crash", "pause", "crash", "stop"]),
            after=st.integers(1, 30),
            risk=rulings,
        ),
        max_size=3,
    ),
    risk=rulings,
    in_doubt=st.sampled_from(["ask", "lost", "repeat"]),
    words=st.frozensets(st.integers(0, 40), max_size=2),
    rests=st.frozensets(st.integers(0, 40), max_size=2),
    given=st.sampled_from([(), (CHART,)]),
    told=st.booleans(),
    answer=st.sampled_from([None, "allow", "deny"]),
    saying=st.sampled_from(["yes, as it is", '{"name": "red"}', "perhaps", None]),
    checkpoint=st.booleans(),
    assessed=st.sampled_from([None, None, HARD, "nonsense", "fail"]),
)


@dataclass
class Mind:
    """One mind in all chairs, which waits at the gate before it says its line."""

    case: Case
    gate: Gate
    name: str = "script:all"
    card: ModelCard = CARD

    async def complete(self, request: Request) -> Reply:
        role = request.system.split("'")[1]
        await self.gate.enter(role)
        step = sum(message.role == "assistant" for message in request.messages)
        lines = self.case.advice if role == "chooser" else self.case.lines.get(role, [])
        lines = [self.case.assessed] * 3 if role == "assessor" else lines
        line = lines[step] if step < len(lines) else "done"
        usage = Usage(input=50_000 if line == "too much" else 500, output=40)
        if line == "fail":
            raise ModelError(f"{role} was cut off")
        if line == "break":
            raise RuntimeError(f"{role} broke down")
        if line == "refuse":
            return NO_REPLY
        if line == "draw":
            return Reply(parts=(Text(text="a drawing"), CHART), usage=usage)
        if line == "wait":
            return Reply(parts=(Text(text="so far"),), stop="pause", usage=usage)
        if isinstance(line, str):
            return Reply(parts=(Text(text=line),), usage=usage)
        uses = [each.model_copy(update={"id": str(n)}) for n, each in enumerate(line)]
        return Reply(parts=tuple(uses), stop="tools", usage=usage)


def tools_at(gate: Gate) -> tuple[Tool, ...]:
    @tool(effect="read")
    async def echo(word: str) -> str:
        """Say it again."""
        await gate.enter("echo")
        return word * 2

    @tool(effect="write")
    async def boom(word: str) -> str:
        """Is never allowed."""
        raise AssertionError(word)

    @tool(effect="irreversible")
    async def risk(word: str) -> str:
        """Must not be made twice."""
        await gate.enter("risk")
        return word

    @tool(effect="read", posts=(Task, Finding))
    async def measure() -> ToolOutput:
        """Post what was measured."""
        await gate.enter("measure")
        posts = (Task(id="T9", title="m"), Finding(claim="m"))
        return ToolOutput("measured", posts=posts, media=(CHART,))

    return echo, boom, measure, risk


def shaped(name: str, shape: Shape, tools: tuple[Tool, ...]) -> Role:
    async def program(view: View) -> Sequence[Payload]:
        if shape == "broken program":
            raise LookupError(f"{name} is broken")
        return [Task(id=f"T-{name}", title=str(len(view.entries))), Note(text=name)]

    match shape:
        case "talker":
            return Role(name, tools=tools)
        case "typed":
            return Role(name, writes=(Colour,), corrections=1)
        case "poster":
            kinds = (Colour, Finding, Task, Attachment)
            return Role(name, writes=kinds, tools=tools, corrections=1)
        case "person":
            return Role(name, person=True, writes=(Review, Colour, Task))
        case _:
            return Role(name, writes=(Task, Note), program=program)


def team(case: Case, gate: Gate) -> Workflow:
    """Three beside each other or in turn, a strand for each task, and a last one who closes."""
    tools = tools_at(gate)
    first = tuple(
        shaped(name, shape, tools) for name, shape in zip(FIRST, case.shapes, strict=True)
    )
    worker, last = Role("worker", per=Task, tools=tools), Role("last", writes=(Note, Task))
    graph = Graph(
        start(first, samples=case.samples),
        start(first[0]),
        handoff(first, worker),
        *(handoff(role, worker) for role in first),
        *(handoff(role, last) for role in first),
        handoff(worker, last),
        handoff(last, worker, when=~turns(5) & ~level("critical")),
        finish(last, when=~failed(last)),
        stop(when=turns(6)),
    )
    policies: tuple[Policy, ...] = (
        GraphOrder(), RoundRobin(), EpsilonGreedy(GraphOrder(), 0.5), Chooser(), Mention(),
        Softmax(Bidding(BIDS), 1),
    )  # fmt: skip
    rows = {name: replace(row, checkpoint=case.checkpoint) for name, row in TABLE.items()}
    allocators: tuple[Allocator, ...] = (
        ByComplexity(table=TABLE.with_(**rows)),
        Escalation(("small", "large"), invalid | tool_errors(1) | divided(0.6), ByComplexity()),
        AcrossModels(("small", "large")),
    )
    mind = Mind(case, gate)
    return Workflow(
        graph,
        models={"small": mind, "large": mind, "*": mind},
        policy=policies[case.policy],
        allocator=allocators[case.allocator],
        estimator=ModelEstimator() if case.assessed else RuleEstimator(),
        synthesis=WrittenBy(TELLER) if case.told and case.budget.tokens != LITTLE else LastWord(),
        budget=case.budget,
        approvals=by_tool(boom="deny", risk=case.risk),
        in_doubt=case.in_doubt,
        limits=Limits(steps=4, strands=4, output_tokens=800),
    )


class Stages(MemoryJournal):
    """A journal that knows where each commit ended, and gives itself as it was then."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[Batch] = []

    def append(self, batches: Sequence[Batch], *, wait: bool) -> None:
        super().append(batches, wait=wait)
        self.batches += batches

    def until(self, entries: int) -> "Stages":
        """As it would be found if the process had died once so many entries were durable."""
        found = Stages()
        leases = 0
        for batch in self.batches:
            if batch.expected >= max(entries, 1):
                break
            while leases < batch.lease:
                found.hold(batch.run, "the process that died")
                found.release(batch.run)
                leases += 1
            found.append([batch], wait=False)
        return found


async def broken_off(run: Run, gate: Gate, case: Case, fate: Break | None) -> int:
    """Drive a run to its end, or until its fate reaches it; gives after how many entries."""
    conductor = asyncio.create_task(gate.sequence(case.order))
    speaker = asyncio.create_task(spoken_to(run, case))
    driven = asyncio.ensure_future(run.result())
    mark = len(run.board.entries) + (0 if fate is None else fate.after)
    follower = asyncio.create_task(watched(run, mark))
    try:
        if fate is not None:
            await asyncio.wait([driven, follower], return_when=asyncio.FIRST_COMPLETED)
            if fate.how == "stop":
                run.stop("enough")
            elif not driven.done():
                driven.cancel()
        await asyncio.wait([driven])
        if not driven.cancelled():
            driven.exception()
    finally:
        conductor.cancel()
        follower.cancel()
        speaker.cancel()
    return mark


async def spoken_to(run: Run, case: Case) -> None:
    """Say to a run what is to be said, when it has come so far."""
    with suppress(HiveError):  # it is over
        async for entry in run.follow(len(run.board.entries)):
            if entry.seq in case.words:
                run.say("Go on like that.", attachments=case.given)
            if entry.seq in case.rests:
                run.pause("a rest")
            if entry.kind == "Paused":
                run.go()
            waiting = entry.payload
            if isinstance(waiting, Suspension) and waiting.waits_for == "answer":
                if case.saying is not None:
                    run.answer(waiting.subject, "says", case.saying)
            elif isinstance(waiting, Suspension) and case.answer is not None:
                asked = waiting.waits_for == "approval"
                run.answer(waiting.subject, case.answer if asked else "lost")


async def watched(run: Run, mark: int) -> None:
    """Return once a run has so many entries."""
    async for entry in run.follow():
        if entry.seq + 1 >= mark:
            return


async def lived(case: Case) -> tuple[Stages, str, Workflow]:
    """The journal of a run that went through all that befalls it, the run, and its team."""
    gate = Gate()
    workflow = team(case, gate)
    journal = Stages()
    fates: list[Break | None] = [*case.breaks, None]
    run = workflow.start(GOAL, attachments=case.given, journal=journal, seed=7)
    mark = await broken_off(run, gate, case, fates[0])
    for before, fate in zip(case.breaks, fates[1:], strict=True):
        if before.how == "crash":
            journal = journal.until(mark)
        workflow = team(replace(case, risk=before.risk), gate)
        try:
            again = workflow.resume(run.id, journal=journal)
        except HiveError:
            break  # it has ended
        mark = await broken_off(again, gate, case, fate)
    return journal, run.id, workflow
