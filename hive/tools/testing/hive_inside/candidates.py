"""Judging candidate changes in copies: first the tests that fail today, then the rest."""

import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from typing import Any

from .options import Limit, Options, SessionResult, below
from .pool import Child, Pool, Work

__all__ = ["Baseline", "Batch", "Candidate", "judge_all"]

LEAST_SECONDS = 0.2
"""CPU seconds that a test of a candidate gets at least."""
MOST_SECONDS = 10.0
COUNTED = (0, 1, 5)
"""pytest's exit codes for: all passed, some failed, nothing to run."""

Judgement = dict[str, Any]
Plan = Generator[Work, Child, Judgement]
"""The sessions that one candidate needs, one after the other; gives the judgement."""


@dataclass(frozen=True)
class Candidate:
    """A change to try: new contents of files, by path."""

    index: int
    files: dict[str, str]


@dataclass(frozen=True)
class Baseline:
    """What the unchanged work shows; `whole` when its session came to its end."""

    failing: tuple[str, ...]
    passing: frozenset[str]
    timeouts: frozenset[str]
    limit: Limit
    whole: bool

    @classmethod
    def of(cls, result: SessionResult, options: Options) -> "Baseline":
        """Read the result of a session with these options."""
        assumed = options.assumed
        outcomes = result.outcomes.values()
        failing = [each.id for each in outcomes if each.outcome == "failed"]
        slow = {each.id for each in outcomes if each.timeout} | assumed
        longest = max((o.seconds for o in outcomes if not o.timeout), default=0.0)
        quiet = options.limit.quiet
        least = min(MOST_SECONDS, max(LEAST_SECONDS, 20 * longest))
        return cls(
            failing=(*failing, *sorted(assumed)),
            passing=frozenset(result.ids("passed")),
            timeouts=frozenset(slow),
            limit=Limit(least, least, 10.0, max(least, 5 * result.collecting), quiet),
            whole=result.finished and result.status in COUNTED,
        )


@dataclass(frozen=True)
class Batch:
    """Candidates to judge against a baseline, until `deadline` on the monotonic clock."""

    candidates: list[Candidate]
    baseline: Baseline
    options: Options
    workers: int
    stop_on_pass: bool
    deadline: float


@dataclass(frozen=True)
class Running:
    """A candidate whose session is running."""

    index: int
    plan: Plan
    child: Child


def judge_all(pool: Pool, batch: Batch, report: Callable[[Judgement], None]) -> None:
    """Judge the candidates in order, as many at a time as there are workers.

    Each judgement is reported as soon as it is known. With `stop_on_pass`, candidates that come
    after one that passes everything are not judged to the end.
    """
    best = len(batch.candidates) + max((c.index for c in batch.candidates), default=0)
    queue = iter(batch.candidates)
    running: list[Running] = []
    while time.monotonic() < batch.deadline:
        start_more(pool, batch, queue, running, best)
        if not running:
            return
        for child in pool.wait():
            each = next(each for each in running if each.child is child)
            running.remove(each)
            judgement = advance(pool, each, running)
            if judgement is None:
                continue
            report(judgement)
            if judgement["passes"] and batch.stop_on_pass:
                best = min(best, each.index)
                late = [other for other in running if other.index > best]
                pool.stop([other.child for other in late])
                running[:] = [other for other in running if other.index < best]


def start_more(
    pool: Pool, batch: Batch, queue: Iterator[Candidate], running: list[Running], best: int
) -> None:
    """Start candidates while there are free workers and better ones to come."""
    while len(running) < batch.workers:
        candidate = next(queue, None)
        if candidate is None or candidate.index > best:
            return
        plan = judged(candidate, batch)
        running.append(Running(candidate.index, plan, pool.start(next(plan))))


def advance(pool: Pool, done: Running, running: list[Running]) -> Judgement | None:
    """Hand a finished session to its plan: the next one is started, or the judgement given."""
    try:
        work = done.plan.send(done.child)
    except StopIteration as end:
        judgement: Judgement = end.value
        return judgement
    running.append(replace(done, child=pool.start(work)))
    return None


def judged(candidate: Candidate, batch: Batch) -> Plan:
    """The two stages of one candidate."""
    base = batch.baseline
    results: list[SessionResult] = []
    if base.whole and base.failing:
        child = yield first_stage(candidate, batch)
        results.append(child.result)
        if child.killed or not set(base.failing) & passed(child.result, base):
            return summary(candidate, base, results)
    done = frozenset(test for result in results for test in result.outcomes)
    child = yield second_stage(candidate, batch, done)
    results.append(child.result)
    return summary(candidate, base, results)


def first_stage(candidate: Candidate, batch: Batch) -> Work:
    """Only the tests that fail today; those that take too long today come last."""
    base = batch.baseline
    files = dict.fromkeys(test.partition("::")[0] for test in base.failing)
    options = replace(
        batch.options,
        tests=() if "." in files else tuple(files),
        only=frozenset(base.failing),
        last=base.timeouts,
        limit=base.limit,
        light=True,
        give_up=True,
    )
    return Work(options, batch.deadline - time.monotonic(), candidate.files)


def second_stage(candidate: Candidate, batch: Batch, done: frozenset[str]) -> Work:
    """All other tests; all of them where the baseline broke off."""
    base = batch.baseline
    skip = done.union(base.failing) if base.whole else done
    options = replace(batch.options, skip=skip, limit=base.limit, light=True, give_up=True)
    return Work(options, batch.deadline - time.monotonic(), candidate.files)


def passed(result: SessionResult, base: Baseline) -> set[str]:
    """Tests that pass, and files that failed to be collected and now can be."""
    if not result.sound:
        return set()
    broken = set(result.ids("failed"))
    collected = {
        collector
        for collector in base.failing
        if collector not in broken and any(below(test, collector) for test in result.collected)
    }
    return set(result.ids("passed")) | collected


def summary(candidate: Candidate, base: Baseline, results: list[SessionResult]) -> Judgement:
    """One candidate's judgement, as it is reported."""
    outcomes = [outcome for result in results for outcome in result.outcomes.values()]
    failed = [outcome for outcome in outcomes if outcome.outcome == "failed"]
    unfinished = [result for result in results if not result.finished]
    good = {test for result in results for test in passed(result, base)}
    last_stage = len(results) == 2 or not (base.whole and base.failing)
    broken = sorted(base.passing - good) if last_stage else []
    fixed = sorted(set(base.failing) & good)
    whole = last_stage and all(r.finished and r.sound and r.status in COUNTED for r in results)
    clean = not failed and not broken and len(fixed) == len(base.failing)
    return {
        "index": candidate.index,
        "passed": sum(outcome.outcome == "passed" for outcome in outcomes),
        "failed": sum(not outcome.error for outcome in failed),
        "errors": sum(outcome.error for outcome in failed) + len(unfinished),
        "fixed": fixed,
        "broken": broken,
        "timeout": any(each.timeout for each in failed) or any(not r.problem for r in unfinished),
        "passes": whole and clean and bool(good),
        "executed": sum("::" in outcome.id for outcome in outcomes),
    }
