"""Whatever is planned, whoever fails, wherever a run breaks off: what holds of its tasks."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from hive import (
    Artifact,
    Plan,
    Task,
)
from hive.audit import Record
from hive.board.entry import Entry, Sealed
from hive.board.records import Decision, Termination
from hive.control import TaskChange
from hive.journal.memory import MemoryJournal
from tests.control.patterns.test_plan import sound_plans
from tests.control.planned import (
    HOUSE,
    Work,
    changes,
    does,
    fails,
    minds,
    payloads,
    stands,
    team,
    waves,
)
from tests.runs_at_random import Stages


def failing(often: Mapping[str, int]) -> Work:
    return lambda task, attempt: "no" if attempt <= often.get(task.id, 0) else does(task, attempt)


fates = st.dictionaries(st.sampled_from([f"T{n}" for n in range(8)]), st.integers(0, 3), max_size=5)


def check_course(entries: Sequence[Entry], given_plan: Plan, limit: int) -> None:
    """That every task was taken up after what it needs was done, and so many beside each other."""
    tasks = {str(e.address): e.payload for e in entries if isinstance(e.payload, Task)}
    done: dict[str, int] = {}
    for entry in entries:
        if isinstance(entry.payload, Decision):
            plans_ = [p for p in entry.payload.strands if p.cause is not None]
            assert len(plans_) <= limit
            taken = [tasks[plan_.cause or ""] for plan_ in plans_]
            assert len({each.id for each in taken}) == len(taken)
            for each in taken:
                assert each.id not in done
                assert all(done.get(need, entry.turn) < entry.turn for need in each.needs)
        elif isinstance(entry.payload, Artifact):
            done[entry.payload.summary.partition(" ")[0]] = entry.turn


@given(sound_plans(), fates, st.integers(1, 4))
@settings(max_examples=40)
def test_every_task_runs_after_what_it_needs_so_many_at_once_and_ends_in_one_way(
    given_plan: Plan, often: Mapping[str, int], limit: int
) -> None:
    result = team(minds([given_plan], failing(often)), strands=limit).run_sync("g")
    check_course(sorted(result.entries, key=lambda e: e.address), given_plan, limit)
    status = stands(result)
    assert list(status) == [task.id for task in given_plan.tasks]
    for each in given_plan.tasks:
        lost = often.get(each.id, 0) >= 2
        behind = any(status[need] == "skipped" for need in each.needs)
        assert status[each.id] == ("skipped" if lost or behind else "done")
    anything = not status or "done" in status.values()
    assert result.outcome == ("finished" if anything else "stopped")
    made = [change.id for change in payloads(result, TaskChange) if change.change == "skipped"]
    assert sorted(made) == sorted(id for id, end in status.items() if end == "skipped")


@given(sound_plans(), fates, st.integers(1, 4), st.integers(0, 300))
@settings(max_examples=30)
def test_a_run_of_a_plan_replays_and_goes_on_from_wherever_it_broke_off(
    given_plan: Plan, often: Mapping[str, int], limit: int, cut: int
) -> None:
    async def run() -> None:
        journal, workflow = Stages(), team(minds([given_plan], failing(often)), strands=limit)
        whole = await workflow.run("g", journal=journal)
        assert (await Record(journal, whole.run).replay(workflow)).identical
        length = next(e.seq for e in whole.entries if isinstance(e.payload, Termination))
        rest = journal.until(1 + cut % length)
        if len(list(rest.read(whole.run))) > length:
            return  # its last commit held the end as well
        again = await workflow.resume(whole.run, journal=rest).result()
        assert again.state.plan == whole.state.plan
        assert (again.outcome, again.text) == (whole.outcome, whole.text)
        assert waves(again) == waves(whole)
        assert (await Record(rest, whole.run).replay(workflow)).identical

    asyncio.run(run())


def cut_at(journal: Stages, entries: int) -> Stages:
    """The journal as it would be if its first entries and no more had been committed."""
    found = Stages()
    for batch in journal.batches:
        left = entries - batch.expected
        if left > 0:
            headers, digests, salts, bodies = batch.sealed
            sealed = Sealed(headers[:left], digests[:left], salts[:left], bodies[:left])
            named = b"".join(sealed.headers)
            kept = [each for each in batch.kept if each.commitment.hex().encode() in named]
            found.batches.append(batch._replace(sealed=sealed, kept=kept))
    return found.until(entries)


def test_a_run_that_broke_off_between_two_rulings_rules_as_it_did_before() -> None:
    async def run() -> None:
        journal, workflow = Stages(), team(minds([HOUSE], fails("walls")))
        whole = await workflow.run("Build a house.", journal=journal)
        first = next(e for e in whole.entries if (e.kind, e.turn) == ("TaskChange", 4))
        rest = cut_at(journal, first.seq + 1)
        again = await workflow.resume(whole.run, journal=rest).result()
        assert changes(again) == changes(whole)
        assert again.state.plan == whole.state.plan
        assert (await Record(rest, whole.run).replay(workflow)).identical

    asyncio.run(run())


def test_a_fork_goes_on_with_the_plan_as_it_stood() -> None:
    async def run() -> None:
        journal = MemoryJournal()
        hopeless = team(minds([HOUSE], fails("walls")))
        whole = await hopeless.run("Build a house.", journal=journal)
        assert stands(whole)["roof"] == "skipped"
        (last,) = [e for e in whole.entries if isinstance(e.payload, Decision) and e.turn == 4]
        better = hopeless.with_(model=minds([HOUSE]))
        fork = (
            await Record(journal, whole.run).fork(at=last.seq, workflow=better, fresh=True).result()
        )
        assert set(stands(fork).values()) == {"done"}
        assert fork.state.plan["walls"].attempts == 1
        assert waves(fork) == [*waves(whole)[:3], ["roof"]]

    asyncio.run(run())
