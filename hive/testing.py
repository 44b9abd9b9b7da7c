"""What users test their teams with (rim): doubles, a clock and a gate worked by hand, one role
alone, and boards compared by address.

    gate = Gate()
    model = GatedModel(ScriptedModel(["slow"]), gate)
    async with workflow.with_models(writer=model).start("A haiku.") as run:
        await gate.arrived("script:replies")     # the call is on record and waits
        gate.release("script:replies")
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from hive.audit.comparison import Comparable, comparable
from hive.beginning import SCHEMA_VERSION, desk_for
from hive.board.board import USER
from hive.board.contributions import Goal, Note
from hive.board.entry import Address, Entry
from hive.board.payload import Payload
from hive.board.records import RunStarted
from hive.board.tape import Tape
from hive.board.view import View
from hive.clock import SystemClock
from hive.control import Graph, finish, handoff, start
from hive.coordinator import Coordinator
from hive.journal.journal import new_run_id
from hive.journal.memory import MemoryJournal
from hive.message import Reply, Request
from hive.models import FunctionModel, Model, ModelCard, ScriptedModel, check, close
from hive.phases.strand import Desk, Limits
from hive.role import TOOLS_POST, USERS, Role
from hive.tools.approval import Approver
from hive.tools.call import Call
from hive.tools.tool import Tool
from hive.tools.workspace import Workspace
from hive.workflow import Workflow

__all__ = [
    "Comparable",
    "FunctionModel",
    "Gate",
    "GatedModel",
    "ManualClock",
    "ScriptedModel",
    "comparable",
    "play",
]

SECOND = 1_000_000
YEAR_2001 = 1_000_000_000 * SECOND
SETTLED = 32
"""Rounds of the event loop without a new arrival after which a gate's sequence goes on."""


class ManualClock:
    """A clock that stands still until the test moves it.

    >>> clock = ManualClock()
    >>> clock.advance(seconds=1.5)
    >>> clock.elapsed()
    1500000
    """

    def __init__(self, start: int = YEAR_2001) -> None:
        self.start = start
        self._elapsed = 0

    def now(self) -> int:
        """Microseconds since 1970."""
        return self.start + self._elapsed

    def elapsed(self) -> int:
        """Microseconds since the clock was made."""
        return self._elapsed

    def advance(self, *, seconds: float = 0, microseconds: int = 0) -> None:
        """Move on."""
        self._elapsed += round(seconds * SECOND) + microseconds


class Gate:
    """A place where calls wait until the test lets them through, one by one, in the order it likes.

    Models come here inside a `GatedModel`; tools call `enter` themselves. `patience` is how many
    seconds a test waits for an arrival before it fails with TimeoutError.
    """

    def __init__(self, patience: float = 10.0) -> None:
        self.patience = patience
        self.arrivals: list[str] = []
        """Every name that ever came, in order."""
        self._waiting: list[tuple[str, asyncio.Future[None]]] = []
        self._passes: Counter[str] = Counter()
        self._open = False
        self._news = asyncio.Event()

    @property
    def waiting(self) -> tuple[str, ...]:
        """The names that wait now, in the order in which they came."""
        return tuple(name for name, _ in self._waiting)

    async def enter(self, name: str) -> None:
        """Wait here, under a name, to be let through."""
        self.arrivals.append(name)
        self._news.set()
        if self._open or self._passes[name] > 0:
            self._passes[name] -= 1
            return
        place = (name, asyncio.get_running_loop().create_future())
        self._waiting.append(place)
        try:
            await place[1]
        finally:
            if place in self._waiting:
                self._waiting.remove(place)

    async def arrived(self, *names: str) -> None:
        """Return once a call waits for each of these names, for a name given twice two of them.

        Raises TimeoutError after `patience` seconds, saying who waits instead.
        """
        wanted = Counter(names)
        try:
            async with asyncio.timeout(self.patience):
                while wanted - Counter(self.waiting):
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            missing = ", ".join((wanted - Counter(self.waiting)).elements())
            raise TimeoutError(
                f"{missing} did not arrive; {', '.join(self.waiting) or 'nobody'} waits"
            ) from None

    def release(self, *names: str) -> None:
        """Let through the call that has waited longest under each name, or the next to come."""
        for name in names:
            found = next((place for place in self._waiting if place[0] == name), None)
            if found is None:
                self._passes[name] += 1
            else:
                self._let(found)

    def open(self) -> None:
        """Let everybody through, from now on."""
        self._open = True
        while self._waiting:
            self._let(self._waiting[0])

    async def sequence(self, order: Iterable[int] = ()) -> None:
        """Let calls through one at a time until cancelled, whenever nothing else moves: of all that
        wait the one at place `next(order)` modulo their number, the first at the end of `order`.

        Whatever `order` says is a lawful order of completion, so that a property test can draw it.
        """
        places = iter(order)
        while True:
            await self._settled()
            if self._waiting:
                self._let(self._waiting[next(places, 0) % len(self._waiting)])
            else:
                self._news.clear()
                await self._news.wait()

    async def _settled(self) -> None:
        quiet, seen = 0, len(self.arrivals)
        while quiet < SETTLED:
            await asyncio.sleep(0)
            quiet = quiet + 1 if seen == len(self.arrivals) else 0
            seen = len(self.arrivals)

    def _let(self, place: tuple[str, asyncio.Future[None]]) -> None:
        self._waiting.remove(place)
        if not place[1].done():
            place[1].set_result(None)


class GatedModel:
    """A model whose calls wait at a gate, each under a name, before they are answered.

    `at` is that name, or makes it of the request; without it, it is the model's own.
    """

    def __init__(
        self, model: Model, gate: Gate, at: str | Callable[[Request], str] | None = None
    ) -> None:
        self.model = model
        self.gate = gate
        self.at = at

    @property
    def name(self) -> str:
        """The name of the model within."""
        return self.model.name

    @property
    def card(self) -> ModelCard | None:
        """The card of the model within, where it has its own."""
        return getattr(self.model, "card", None)

    async def complete(self, request: Request) -> Reply:
        """What the model within says, once the gate has let the call through."""
        at = self.at(request) if callable(self.at) else self.at
        await self.gate.enter(self.name if at is None else at)
        return await self.model.complete(request)

    def check(self) -> None:
        """As the model within."""
        check(self.model)

    async def aclose(self) -> None:
        """As the model within."""
        await close(self.model)


class Prepared(Coordinator):
    """A run whose board holds some contributions of the user beside the goal."""

    payloads: Sequence[Payload] = ()

    def begin(self, first: RunStarted) -> None:
        self.post((0,), first)
        for place, payload in enumerate(self.payloads, 1):
            self.desk.writer.post(Address(0, "", (place,)), USER, payload, origin=USER)
        self.board.close_turn()


async def play(
    role: Role,
    model: str | Model | None = None,
    payloads: Iterable[Payload] = (),
    *,
    goal: str = "Do your part.",
    workspace: str | Path | None = None,
    approvals: Approver | None = None,
    limits: Limits | None = None,
) -> list[Entry]:
    """Give one role one turn over a board with a goal and some payloads of the user; its entries,
    in address order: requests, replies, tool calls, faults and what it posted.

        entries = await play(surveyor, ScriptedModel(["…"]), [Task(id="T1", title="Measure.")])
        posted = [entry.payload for entry in entries if entry.level == "domain"]

    Raises DeclarationError for a role that could not work.
    """
    given = tuple(payloads)
    giver = giver_of(role, given)
    graph = Graph(start(role), start(giver), handoff(giver, role), finish(role))
    workflow = Workflow(graph, model=model, limits=limits)
    place = None if workspace is None else Workspace(Path(workspace))
    desk = desk_for(
        workflow, new_run_id(), MemoryJournal(), SystemClock(), Tape(), place, approvals
    )
    coordinator = Prepared(workflow.team(), desk, goal, seed=0)
    coordinator.payloads = (Goal(text=goal), *given)
    try:
        await coordinator.run(opening(workflow, desk))
    finally:
        desk.close()
    entries = [entry for entry in desk.writer.board.entries if entry.address.role == role.name]
    return sorted(entries, key=lambda entry: (entry.address, entry.attempt))


def giver_of(role: Role, payloads: tuple[Payload, ...]) -> Role:
    """A role that declares the payloads' kinds and never acts, so that the graph is whole."""

    async def nothing(view: View) -> None:
        return None

    async def never(arguments: Mapping[str, object], call: Call) -> str:
        return ""

    named = [type(payload) for payload in payloads] + ([role.per] if role.per else [])
    kinds = tuple(dict.fromkeys(named))
    own = tuple(cls for cls in kinds if cls.kind not in TOOLS_POST | USERS)
    brought = tuple(cls for cls in kinds if cls.kind in TOOLS_POST)
    tools = (Tool("bring", "Bring it.", {}, never, posts=brought),) if brought else ()
    name = "given" if role.name != "given" else "giver"
    return Role(name, writes=own or (Note,), tools=tools, program=nothing)


def opening(workflow: Workflow, desk: Desk, seed: int = 0) -> RunStarted:
    """The first entry of a run made for a test."""
    return RunStarted(
        run=desk.writer.run,
        hive="test",
        schema_version=SCHEMA_VERSION,
        workflow=workflow.name,
        fingerprint=desk.writer.keep(workflow.manifest_bytes),
        vocabulary=desk.writer.keep(workflow.vocabulary_bytes),
        seed=seed,
    )
