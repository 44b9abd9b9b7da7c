"""What holds of a pool in any course of its runs: begun and taken up in any order, cut off,
failing, overrunning, and losing their journals or, all at once, their process."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hive import Budget, Limits, Workflow
from hive.audit import Record
from hive.board.records import Overrun
from hive.control import Pool
from hive.errors import JournalError, ServerFailed
from hive.journal.journal import Batch, Commit
from hive.journal.memory import MemoryJournal
from hive.message import Attempt, Reply, Request, Text, ToolUse, Usage
from hive.models import ModelCard, input_bound
from hive.models.catalog import Prices
from hive.run import Result, Run
from hive.testing import Gate
from tests.control.budgets.test_budget_scopes import beside
from tests.crash.test_caps import watched

CARD = ModelCard("script:priced", prices=Prices.usd(1, 4))
QUIET = 40
"""Turns of the event loop after which everybody waits for the gate."""


class Store(MemoryJournal):
    """A journal that can fail, with the batch stored or not, and that stays when a process dies."""

    commit: Commit = "inline"

    def __init__(self) -> None:
        super().__init__()
        self.fails = ""
        self.dead = False

    def append(self, batches: Sequence[Batch], *, wait: bool) -> None:
        fails, self.fails = self.fails, ""
        if self.dead or fails == "before":
            raise JournalError("it failed")
        super().append(batches, wait=wait)
        if fails:
            raise JournalError("it failed, and nobody knows what it holds")

    def bury(self) -> None:
        """The process is gone, and with it what it held."""
        self._holders.clear()
        self.dead = False

    def copy(self) -> Store:
        """What another process would find."""
        found = Store()
        found._shelves = deepcopy(self._shelves)
        return found


@dataclass
class Mind:
    """A priced model whose calls wait at a gate for what is to become of them."""

    gate: Gate
    how: str = "answer"
    name: str = "script:priced"
    card: ModelCard = CARD
    cost: int = 0
    tokens: int = 0

    async def complete(self, request: Request) -> Reply:
        await self.gate.enter("call")
        how = self.how
        attempts: tuple[Attempt, ...] = ()
        if how == "fail":
            raise ServerFailed("no luck")
        if how == "again":
            bound = input_bound(request)
            cost, tokens = CARD.worst(bound, request.max_output), bound + request.max_output
            attempts = (Attempt(reason="server_failed", cost=cost, tokens=tokens),)
            self.used(cost, tokens)
            if not request.admit(cost, attempts):
                raise ServerFailed("no luck", attempts)
            await self.gate.enter("call")
        usage = Usage(input=40, output=min(50, request.max_output))
        if how == "over":
            usage = Usage(input=20_000, output=request.max_output)
        self.used(CARD.cost(usage), usage.input + usage.output)
        if len(request.messages) <= 2:
            use = ToolUse(id="1", name="look")
            return Reply(parts=(use,), usage=usage, stop="tools", attempts=attempts)
        return Reply(parts=(Text(text="words"),), usage=usage, attempts=attempts)

    def used(self, cost: int, tokens: int) -> None:
        """What a provider would put on its bill."""
        self.cost += cost
        self.tokens += tokens


@dataclass
class Course:
    """Runs in two journals that draw on one pool, and what befalls them."""

    budget: Budget
    own: Budget
    pool: Pool = field(init=False)
    gate: Gate = field(default_factory=Gate)
    failed: bool = False
    stores: list[Store] = field(default_factory=lambda: [Store(), Store()])
    known: list[tuple[str, Store]] = field(default_factory=list)
    work: dict[str, asyncio.Task[Result]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.pool = Pool("shared", self.budget)
        self.mind = Mind(self.gate)
        self.team = Workflow(
            beside(2), model=self.mind, budget=self.own, limits=Limits(output_tokens=400)
        )

    async def befall(self, what: str, which: int, ticks: int) -> None:
        """One thing that happens, and some turns of the loop after it."""
        if what == "start" and len(self.known) < 5:
            store = self.stores[which % 2]
            run = self.team.start("g", journal=store, seed=which, pool=self.pool)
            self.known.append((run.id, store))
            self.drive(run)
        elif what in ("answer", "fail", "over", "again") and self.gate.waiting:
            self.mind.how = what
            self.gate._let(self.gate._waiting[which % len(self.gate._waiting)])
            await asyncio.sleep(0)
            self.mind.how = "answer"
        elif what == "cancel" and self.work:
            await self.cut_off(list(self.work)[which % len(self.work)])
        elif what == "resume" and self.known:
            self.go_on(*self.known[which % len(self.known)])
        elif what in ("before", "after"):
            self.stores[which % 2].fails = what
            self.failed = True
        elif what == "die":
            await self.die()
        for _ in range(ticks):
            await asyncio.sleep(0)
        self.forget_the_done()

    def drive(self, run: Run) -> None:
        self.work[run.id] = asyncio.create_task(run.result())

    def go_on(self, run: str, store: Store) -> None:
        """Take a run up again, if it has begun, and nobody is at work on it."""
        if run in self.work or run not in store.runs() or Record(store, run).summary.ended:
            return
        if store.length(run) > 1:
            self.drive(self.team.resume(run, journal=store, pool=self.pool))

    async def cut_off(self, run: str) -> None:
        task = self.work.pop(run)
        await asyncio.sleep(0)  # one that was never driven holds its run
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def die(self) -> None:
        for store in self.stores:
            store.dead = True
        for run in list(self.work):
            await self.cut_off(run)
        for store in self.stores:
            store.bury()
        self.pool = Pool("shared", self.budget)
        for store in self.stores:
            self.pool.read(store)

    def forget_the_done(self) -> None:
        for run, task in list(self.work.items()):
            if task.done():
                del self.work[run]
                assert task.cancelled() or isinstance(task.exception(), JournalError | None)

    async def end(self) -> None:
        """Let all that was begun come to its end."""
        self.gate.open()
        for store in self.stores:
            store.fails = ""
        while self.work:
            await asyncio.gather(*self.work.values(), return_exceptions=True)
            self.forget_the_done()
        for store in self.stores:
            self.pool.read(store)
        for run, store in self.known:
            self.go_on(run, store)
            await asyncio.gather(*self.work.values())
            self.forget_the_done()

    def on_record(self) -> Pool:
        """The pool as another process would find it now."""
        found = Pool("shared", self.budget)
        for store in self.stores:
            found.read(store.copy())
        return found

    @property
    def overrun(self) -> bool:
        """Whether some run has an Overrun on record."""
        return any(Record(s, r).board.of_kind(Overrun) for s in self.stores for r in s.runs())


def keeps(pool: Pool) -> None:
    """No cap of a pool is passed at this instant."""
    cost, tokens = (sum(pair) for pair in zip(pool.spent, pool.reserved, strict=True))
    assert pool.drawn.cost is None or cost <= pool.drawn.cost
    assert pool.drawn.tokens is None or tokens <= pool.drawn.tokens
    assert pool.drawn.calls is None or pool.calls <= pool.drawn.calls
    assert min(pool.reserved) >= 0


POOLS = st.one_of(
    st.integers(2_000, 60_000).map(lambda micro: Budget(usd=f"{micro / 1_000_000:f}")),
    st.integers(2_000, 20_000).map(lambda tokens: Budget(tokens=tokens)),
    st.integers(1, 12).map(lambda calls: Budget(calls=calls)),
)
OWN = st.sampled_from([Budget(), Budget(tokens=9_000), Budget(strand=Budget(calls=1))])


def happenings(*also: str) -> Any:
    usual = (
        "start",
        "answer",
        "fail",
        "again",
        "cancel",
        "resume",
        "before",
        "after",
        "die",
        "answer",
    )
    event = st.tuples(
        st.sampled_from((*usual, *also)), st.integers(0, 7), st.sampled_from((0, 1, 2, 5, QUIET))
    )
    return st.lists(event, min_size=5, max_size=30)


@settings(max_examples=300, deadline=None)
@given(budget=POOLS, own=OWN, course=happenings())
def test_no_cap_of_a_pool_is_passed_in_any_course(
    budget: Budget, own: Budget, course: list[tuple[str, int, int]]
) -> None:
    played = Course(budget, own)

    async def play() -> None:
        for what, which, ticks in [("start", 0, QUIET), *course]:
            await played.befall(what, which, ticks)
            keeps(played.pool)
            keeps(played.on_record())
        await played.end()

    with watched():
        asyncio.run(play())
    summed_up(played)
    assert played.mind.cost <= played.pool.spent.cost
    assert budget.usd is not None or played.mind.tokens <= played.pool.spent.tokens


@settings(max_examples=100, deadline=None)
@given(budget=POOLS, own=OWN, course=happenings("over", "over"))
def test_an_overrun_is_counted_and_closes_the_pool_for_good_in_any_course(
    budget: Budget, own: Budget, course: list[tuple[str, int, int]]
) -> None:
    played = Course(budget, own)

    async def play() -> None:
        for what, which, ticks in [("start", 0, QUIET), *course]:
            await played.befall(what, which, ticks)
        await played.end()

    asyncio.run(play())
    summed_up(played)
    if played.overrun and budget.calls is None and own == Budget():
        assert played.pool.closed


def summed_up(played: Course) -> None:
    """A pool has counted what the records of its runs say, and would be read so again."""
    runs = [(run, store) for run, store in played.known if run in store.runs()]
    ended = [Record(s, r).summary for r, s in runs if Record(s, r).summary.ended]
    again = played.on_record()
    assert (again.spent, again.reserved) == (played.pool.spent, played.pool.reserved)
    assert again.calls == played.pool.calls
    if not played.failed:  # an Overrun that was not stored is known to this process alone
        assert again.closed == played.pool.closed
    assert again.closed in ("", played.pool.closed)
    assert played.pool.reserved == (0, 0)
    assert played.pool.spent == (sum(s.spent for s in ended), sum(s.tokens for s in ended))
