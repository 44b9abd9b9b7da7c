"""Pools: what runs share they keep to together; a pool is had by one process, and read again from
the journals of its runs."""

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hive import Budget, Graph, Limits, Role, Workflow, finish, start, stop, turns
from hive.audit import Record
from hive.board.records import Fault, Inference, Overrun, Request, RunStarted
from hive.control import Pool
from hive.errors import DeclarationError, JournalError, PoolHeld, RunHeld
from hive.journal.memory import MemoryJournal
from hive.journal.sqlite import SQLiteJournal
from hive.models import input_bound
from hive.run import Result, Run
from hive.testing import FunctionModel, Gate, GatedModel
from tests.control.budgets.test_budget_scopes import Greedy, beside, pair, refusals, used
from tests.control.budgets.test_pool_course import Store, keeps
from tests.sound import sound

ALONE = Role("a")


async def a_thousand(role: Role) -> Limits:
    """Limits under which the first call of a role uses a thousand tokens."""
    model = Greedy()
    await Workflow(role, model=model).run("g")
    return Limits(output_tokens=1_000 - input_bound(model.asked[0]))


@settings(max_examples=3, deadline=None)
@given(st.integers(0, 2**32))
def test_a_hundred_runs_that_share_a_thousand_tokens_use_a_thousand(seed: int) -> None:
    asyncio.run(hundred(random.Random(seed)))


async def hundred(order: random.Random) -> None:
    gate, model = Gate(), Greedy()
    pool = Pool("shared", Budget(tokens=1_000))
    workflow = Workflow(ALONE, model=GatedModel(model, gate, "m"), limits=await a_thousand(ALONE))
    runs = [workflow.start("g", pool=pool) for _ in range(100)]
    order.shuffle(runs)
    results = await let_through(runs, pool, gate, order)
    assert len(model.asked) == 1
    assert sum(result.tokens for result in results) == 1_000
    assert (pool.spent.tokens, pool.reserved, pool.calls) == (1_000, (0, 0), 1)
    stopped = [result.reason for result in results if not result.finished]
    assert stopped == ["budget_exhausted"] * 99


async def let_through(
    runs: list[Run], pool: Pool, gate: Gate, order: random.Random
) -> list[Result]:
    """Drive runs beside each other, their calls answered in any order, and look at their pool in
    every turn of the event loop."""

    async def watch() -> None:
        while not all(run._done for run in runs):
            keeps(pool)
            if gate.waiting:
                gate.release(order.choice(gate.waiting))
            await asyncio.sleep(0)

    *results, _ = await asyncio.gather(*(run.result() for run in runs), watch())
    return [result for result in results if isinstance(result, Result)]


@pytest.mark.asyncio
async def test_ten_strands_of_two_runs_use_what_they_share_and_no_more() -> None:
    model, pool = Greedy(), Pool("shared", Budget(tokens=1_000))
    graph = Graph(start(ALONE, samples=10), finish(ALONE), stop(when=turns(3)))
    workflow = Workflow(graph, model=model, limits=await a_thousand(ALONE))
    results = await asyncio.gather(*(workflow.run("g", pool=pool) for _ in range(2)))
    assert len(model.asked) == 1
    assert sum(result.tokens for result in results) == pool.spent.tokens == 1_000
    assert sum(len(refusals(result)) for result in results) == 19


@settings(max_examples=15, deadline=None)
@given(cap=st.integers(3_000, 60_000), looks=st.integers(0, 2), seed=st.integers(0, 2**32))
def test_runs_in_any_order_keep_to_what_they_share(cap: int, looks: int, seed: int) -> None:
    gate, pool, order = Gate(), Pool("shared", Budget(tokens=cap)), random.Random(seed)
    model = GatedModel(Greedy(looks=looks), gate, lambda request: str(request.sample))
    workflow = Workflow(beside(3), model=model, limits=Limits(output_tokens=600))

    async def work() -> list[Result]:
        journal = MemoryJournal()
        places = [journal, journal, None, None]
        runs = [workflow.start("g", pool=pool, journal=place) for place in places]
        return await let_through(runs, pool, gate, order)

    ended = asyncio.run(work())
    assert pool.spent.tokens == sum(result.tokens for result in ended) <= cap
    assert pool.reserved == (0, 0)
    for result in ended:
        sound(result.entries)
        assert sum(used(result).values()) == pool.shares[result.run].tokens


@pytest.mark.asyncio
async def test_what_a_call_did_not_use_is_there_for_the_next_one(tmp_path: Path) -> None:
    probe = Greedy()
    await Workflow(pair(3), model=probe, limits=Limits(output_tokens=300)).run("g")
    worst = max(input_bound(request) + 300 for request in probe.asked)
    thrifty = Greedy(over=-290)
    pool = Pool("shared", Budget(tokens=sum(map(input_bound, probe.asked)) + 60 + 300))
    one = Graph(start(ALONE, samples=1), finish(ALONE, when=turns(1)), stop(when=turns(2)))
    for journal in (None, MemoryJournal(), SQLiteJournal(tmp_path / "j.db")):
        workflow = Workflow(one, model=thrifty, limits=Limits(output_tokens=300))
        result = await workflow.run("g", pool=pool, journal=journal)
        assert result.finished
    assert pool.spent.tokens < worst * 3
    assert [request.max_output for request in thrifty.asked] == [300] * 3
    pool.close()


def cut_off(pool: Pool) -> tuple[Workflow, MemoryJournal, Run]:
    """A run that was cancelled in its first two calls, which are on its bill."""
    gate, journal = Gate(), MemoryJournal()
    workflow = Workflow(pair(1), model=Greedy(), limits=Limits(output_tokens=300))

    async def drive() -> Run:
        gated = workflow.with_(model=GatedModel(Greedy(), gate, "m"))
        run = gated.start("g", journal=journal, pool=pool)
        work = asyncio.create_task(run.result())
        await gate.arrived("m", "m")
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        return run

    return workflow, journal, asyncio.run(drive())


def test_a_run_on_record_goes_on_in_its_pool_and_in_no_other() -> None:
    pool = Pool("shared", Budget(tokens=30_000))
    workflow, journal, run = cut_off(pool)
    with pytest.raises(DeclarationError, match=r"draws on the pool 'shared'; resume it with that"):
        workflow.resume(run.id, journal=journal)
    for other, says in (
        (Pool("mine", Budget(tokens=9)), "the pool 'mine' with caps on tokens, but on the"),
        (Pool("shared", Budget(usd=9)), "with caps on usd, but on the pool 'shared' with"),
    ):
        with pytest.raises(DeclarationError, match=says):
            workflow.resume(run.id, journal=journal, pool=other)
    result = asyncio.run(workflow.resume(run.id, journal=journal, pool=pool).result())
    assert result.finished
    assert pool.spent.tokens == result.tokens


def test_a_run_that_draws_on_nothing_is_not_taken_into_a_pool_later() -> None:
    gate, journal = Gate(), MemoryJournal()
    workflow = Workflow(ALONE, model=GatedModel(Greedy(), gate, "m"))

    async def drive() -> str:
        run = workflow.start("g", journal=journal)
        work = asyncio.create_task(run.result())
        await gate.arrived("m")
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        return run.id

    run = asyncio.run(drive())
    with pytest.raises(DeclarationError, match="but on no pool"):
        workflow.resume(run, journal=journal, pool=Pool("shared", Budget(tokens=9)))


@pytest.mark.asyncio
async def test_a_pool_that_leaves_more_room_may_be_given_to_a_run_that_goes_on() -> None:
    small = Pool("shared", Budget(tokens=10))
    journal, workflow = MemoryJournal(), Workflow(ALONE, model=Greedy())
    assert (await workflow.run("g", journal=journal, pool=small)).reason == "budget_exhausted"
    small.close()
    with Pool("shared", Budget(tokens=90_000)) as large:
        assert (await workflow.run("g", journal=journal, pool=large)).finished
        assert len(large.shares) == 2


@pytest.mark.asyncio
async def test_a_run_says_what_it_draws_on_and_replays_without_the_pool() -> None:
    pool, journal = Pool("shared", Budget(tokens=4_000, usd=1)), MemoryJournal()
    workflow = Workflow(pair(3), model=Greedy(), limits=Limits(output_tokens=300))
    result = await workflow.run("g", pool=pool, journal=journal)
    started = result.entries[0].payload
    assert isinstance(started, RunStarted)
    assert started.pool == pool.drawn
    assert refusals(result)[0].startswith("the pool 'shared' may use 4000 tokens; ")
    assert (await Record(journal, result.run).replay(workflow)).identical


@pytest.mark.asyncio
async def test_a_fork_draws_on_no_pool_and_is_not_bound_by_what_was_refused_there() -> None:
    pool, journal = Pool("shared", Budget(tokens=4_000)), MemoryJournal()
    workflow = Workflow(pair(3), model=Greedy(), limits=Limits(output_tokens=300))
    stopped = await workflow.run("g", pool=pool, journal=journal)
    assert stopped.reason == "budget_exhausted"
    used_up = pool.spent
    fork = await Record(journal, stopped.run).fork(at="turn:1", workflow=workflow).result()
    assert fork.finished
    assert not refusals(fork)
    assert pool.spent == used_up
    pool.close()
    again = Pool("shared", Budget(tokens=4_000))
    again.read(journal)
    assert (again.spent, list(again.shares)) == (used_up, [stopped.run])


@pytest.mark.asyncio
async def test_an_overrun_closes_the_pool_for_everybody_and_for_good() -> None:
    pool, journal = Pool("shared", Budget(tokens=900_000)), MemoryJournal()
    liar = Workflow(ALONE, model=Greedy(over=1))
    result = await liar.run("g", pool=pool, journal=journal)
    (overrun,) = [e.payload for e in result.entries if isinstance(e.payload, Overrun)]
    assert overrun.closes == ("the pool 'shared'",)
    honest = await Workflow(ALONE, model=Greedy()).run("g", pool=pool)
    assert honest.reason == "budget_exhausted"
    assert refusals(honest) == ["the budget of the pool 'shared' was overrun and is closed"]
    pool.close()
    again = Pool("shared", Budget(tokens=900_000))
    again.read(journal)
    assert (again.spent, again.closed) == (pool.spent, pool.closed)
    assert refusals(await Workflow(ALONE, model=Greedy()).run("g", pool=again))
    assert (await Record(journal, result.run).replay(liar)).identical


@pytest.mark.asyncio
async def test_an_overrun_of_what_a_pool_does_not_cap_does_not_close_it() -> None:
    pool = Pool("shared", Budget(calls=9))
    liar = Workflow(ALONE, model=Greedy(over=1), budget=Budget(tokens=90_000))
    result = await liar.run("g", pool=pool)
    (overrun,) = [e.payload for e in result.entries if isinstance(e.payload, Overrun)]
    assert overrun.closes == ("the run",)
    assert not pool.closed
    assert pool.spent.tokens == result.tokens == overrun.used_tokens


def test_a_pool_knows_what_was_used_before_it_was_made() -> None:
    pool = Pool("shared", Budget(tokens=30_000))
    _, journal, run = cut_off(pool)
    asyncio.run(Workflow(ALONE, model=Greedy()).run("g", journal=journal))
    pool.close()
    again, other = Pool("shared", Budget(tokens=30_000)), Pool("other", Budget(tokens=30_000))
    again.read(journal)
    other.read(journal)
    assert again.spent == pool.spent != (0, 0)
    assert list(again.shares) == [run.id]
    assert other.spent == (0, 0)
    before = again.spent
    again.read(journal)
    assert again.spent == before


def test_a_run_begun_in_a_journal_counts_what_its_pool_used_there_before(tmp_path: Path) -> None:
    place = f"sqlite:{tmp_path / 'journal.db'}"
    limits = asyncio.run(a_thousand(ALONE))
    workflow, stopped = Workflow(ALONE, model=Greedy(), limits=limits), []
    for _ in range(3):
        with Pool("shared", Budget(tokens=2_000)) as pool:
            stopped.append(workflow.run_sync("g", journal=place, pool=pool).reason)
            assert pool.spent.tokens <= 2_000
    assert stopped == ["goal_reached", "goal_reached", "budget_exhausted"]


def test_nobody_else_has_a_pool_in_a_journal_while_one_lasts(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    budget, workflow = Budget(tokens=90_000), Workflow(ALONE, model=Greedy())
    first, second = Pool("shared", budget), Pool("shared", budget)
    assert workflow.run_sync("g", journal=path, pool=first).finished
    with pytest.raises(PoolHeld, match=r"the pool 'shared' is in use by pid \d+ "):
        workflow.start("g", journal=path, pool=second)
    assert second.spent == (0, 0)
    assert workflow.run_sync("g", journal=path, pool=Pool("other", budget)).finished
    first.close()
    assert workflow.run_sync("g", journal=path, pool=second).finished
    assert second.spent.tokens == 2 * first.spent.tokens
    second.close()
    with Pool("shared", budget) as third:
        third.read(path)


def test_a_run_that_is_refused_leaves_no_trace_in_its_pool() -> None:
    pool, journal = Pool("shared", Budget(tokens=30_000)), MemoryJournal()
    workflow, journal, run = cut_off(pool)
    journal.hold(run.id, "somebody")
    before = dict(pool.shares)
    with pytest.raises(RunHeld):
        workflow.resume(run.id, journal=journal, pool=pool)
    with pytest.raises(DeclarationError, match="has no model"):
        Workflow(ALONE).start("g", pool=pool)
    assert dict(pool.shares) == before


def test_a_call_whose_end_was_erased_is_taken_for_one_that_is_open() -> None:
    pool = Pool("shared", Budget(tokens=30_000))
    _, journal, run = cut_off(pool)
    pool.close()
    end = next(e for e in run.board.entries if e.kind == Fault.kind)
    assert isinstance(end.payload, Fault)
    journal.erase(run.id, [end.seq])
    with Pool("shared", Budget(tokens=30_000)) as again:
        again.read(journal)
        assert sum(again.spent) + sum(again.reserved) == sum(pool.spent)
        assert again.reserved.tokens == end.payload.tokens > 0
        assert again.calls == 2


def test_an_ended_run_counts_what_its_ending_says_though_words_were_erased() -> None:
    pool, journal = Pool("shared", Budget(tokens=30_000)), MemoryJournal()
    result = asyncio.run(Workflow(ALONE, model=Greedy()).run("g", journal=journal, pool=pool))
    pool.close()
    journal.erase(result.run, [e.seq for e in result.entries if e.kind == Inference.kind])
    with Pool("shared", Budget(tokens=30_000)) as again:
        again.read(journal)
        assert (again.spent, again.calls, again.reserved) == (pool.spent, 1, (0, 0))


def test_what_was_erased_is_not_taken_for_nothing() -> None:
    pool = Pool("shared", Budget(tokens=30_000))
    _, journal, run = cut_off(pool)
    pool.close()
    number = next(e.seq for e in run.board.entries if e.kind == Request.kind)
    journal.erase(run.id, [number])
    again = Pool("shared", Budget(tokens=30_000))
    with pytest.raises(JournalError, match=f"entry {number} of run {run.id} was erased"):
        again.read(journal)


@pytest.mark.asyncio
async def test_a_pool_is_not_drawn_on_from_two_event_loops_at_once() -> None:
    pool, gate = Pool("shared", Budget(tokens=30_000)), Gate()
    here = Workflow(ALONE, model=GatedModel(Greedy(), gate, "m"))
    run = asyncio.create_task(here.run("g", pool=pool))
    await gate.arrived("m")
    there = Workflow(ALONE, model=Greedy())
    with pytest.raises(DeclarationError, match="from two event loops at once"):
        await asyncio.to_thread(there.run_sync, "g", pool=pool)
    gate.release("m")
    assert (await run).finished


def test_runs_on_one_event_loop_after_another_share_a_pool() -> None:
    pool, workflow = Pool("shared", Budget(calls=2)), Workflow(ALONE, model=Greedy())
    reasons = [workflow.run_sync("g", pool=pool).reason for _ in range(3)]
    assert reasons == ["goal_reached", "goal_reached", "budget_exhausted"]


def test_an_unknown_price_under_a_pool_with_a_cap_on_money_is_refused_by_name() -> None:
    workflow = Workflow(ALONE, model=Greedy(prices=None))
    says = r"the price of openai:greedy .* so the pool 'shared' of \$1 could not be kept"
    with pytest.raises(DeclarationError, match=says):
        workflow.start("g", pool=Pool("shared", Budget(usd=1)))
    assert workflow.run_sync("g", pool=Pool("shared", Budget(tokens=90_000))).finished


@pytest.mark.parametrize(
    ("name", "budget", "says"),
    [
        ("shared", Budget(turns=3), r"Pool\('shared', Budget\(turns=…\)\): turns are counted in"),
        ("shared", Budget(seconds=3, usd=1), "a pool may cap usd, tokens, calls"),
        ("shared", Budget(call=Budget(usd=1)), "belong in the runs' own budget"),
        ("shared", Budget(), "it caps nothing"),
        (" ", Budget(usd=1), "give it a name"),
        ("shared", 5, "give a name and a Budget"),
        (5, Budget(usd=1), "give a name and a Budget"),
    ],
)
def test_caps_that_a_pool_could_not_keep_are_refused(name: str, budget: Budget, says: str) -> None:
    with pytest.raises(DeclarationError, match=says):
        Pool(name, budget)


def test_what_is_no_pool_is_refused() -> None:
    wrong: Any = "shared"
    with pytest.raises(DeclarationError, match=r"^pool='shared': give a Pool"):
        Workflow(Role("a"), model=FunctionModel(lambda request: "done")).start("g", pool=wrong)


def test_a_pool_reads_as_it_was_declared() -> None:
    assert repr(Pool("shared", Budget(usd=2))).startswith("Pool('shared', Budget(usd=2, ")


@pytest.mark.parametrize("when", ["before", "after"])
def test_what_a_failed_journal_may_hold_stays_reserved_until_it_is_read(when: str) -> None:
    pool, store, gate = Pool("shared", Budget(tokens=30_000)), Store(), Gate()
    workflow = Workflow(ALONE, model=GatedModel(Greedy(over=-200), gate, "m"))

    async def drive() -> None:
        run = workflow.start("g", journal=store, pool=pool)
        work = asyncio.create_task(run.result())
        await gate.arrived("m")
        store.fails = when
        gate.release("m")
        with pytest.raises(JournalError):
            await work

    asyncio.run(drive())
    granted = pool.reserved.tokens
    assert granted > 200
    assert pool.spent.tokens == 0
    keeps(pool)
    pool.read(store)
    if when == "before":
        assert (pool.spent.tokens, pool.reserved.tokens) == (0, granted)
    else:
        assert (pool.spent.tokens, pool.reserved.tokens) == (granted - 200, 0)


@pytest.mark.asyncio
async def test_what_a_turn_used_that_is_begun_anew_stays_on_the_books_of_the_pool() -> None:
    pool, journal, gate = Pool("shared", Budget(calls=1)), MemoryJournal(), Gate()
    workflow = Workflow(ALONE, model=GatedModel(Greedy(), gate, "m"))
    run = workflow.start("g", journal=journal, pool=pool)
    work = asyncio.create_task(run.result())
    await gate.arrived("m")
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    used_up = pool.spent
    changed = workflow.with_instructions(a="Do it otherwise.")
    again = changed.resume(run.id, journal=journal, pool=pool, accept="workflow")
    assert (pool.spent, pool.calls) == (used_up, 1)
    assert (await again.result()).reason == "budget_exhausted"
    pool.close()
    with Pool("shared", Budget(calls=1)) as read:
        read.read(journal)
        assert (read.spent, read.calls) == (pool.spent, pool.calls) == (used_up, 1)
