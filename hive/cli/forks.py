"""Forks on their way: one, shown as it goes on, or many beside each other."""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import anyio
import click

from hive.audit.course import Summary, summary_of
from hive.audit.record import Record
from hive.cli.approving import Yes
from hive.cli.driving import Showing, first_of
from hive.cli.exits import FAILED, OK, PAUSED, WAITING
from hive.cli.interrupts import interruptible
from hive.cli.journals import hint, opened, short_id
from hive.cli.overrides import Overrides
from hive.cli.run import carry_out
from hive.cli.words import counted, duration, ended, money
from hive.journal.journal import Journal, new_run_id
from hive.run import Run
from hive.tools.approval import Approver
from hive.workflow import Workflow

__all__ = ["Plan", "alone", "several"]


@dataclass(frozen=True)
class Plan:
    """What is to be forked, where, and with which changes."""

    run: str
    goal: str
    at: str
    team: Workflow
    reference: str
    overrides: Overrides
    workspace: Path | None
    fresh: bool
    live_effects: bool
    tags: tuple[str, ...]

    def begin(self, journal: Journal, approver: Approver, sample: int | None = None) -> Run:
        """The fork, or one of several."""
        place = self.workspace
        if place is not None and sample is not None:
            place = place / str(sample)
        return Record(journal, self.run).fork(
            at=self.at,
            workflow=self.team,
            workspace=place,
            sample=sample or 0,
            fresh=self.fresh,
            live_effects=self.live_effects,
            tags=self.tags,
            overrides=self.overrides.as_json(),
            reference=self.reference,
            approvals=approver,
        )


def alone(plan: Plan, journal: str, showing: Showing) -> int:
    """Drive one fork as `hive run` drives a run."""

    def begin(kept: Journal, approver: Approver) -> Run:
        run = plan.begin(kept, approver)
        place = run.workspace
        where = "" if place is None else f" in {place}, as the workspace was at the cut"
        click.echo(f"Run {run.id} goes on from {cut_of(run)} of run {plan.run}{where}.", err=True)
        return run

    parted = (f"hive diff {plan.run} last{hint(journal)}", "where the two part, and what followed")
    return carry_out(plan.team, plan.goal, journal, showing, begin, [parted])


def cut_of(run: Run) -> str:
    """The turn that a fork, not driven yet, goes on from."""
    return f"turn:{run.board.state.turn + 1}"


@dataclass
class Batch:
    """Forks of one plan, `jobs` of them at a time, each told of as it ends."""

    plan: Plan
    journal: Journal
    samples: int
    jobs: int
    approver: Approver
    made: list[str] = field(default_factory=list)
    over: int = 0
    cut: str = ""

    async def run(self) -> None:
        """Make them all, until the first Ctrl-C, which leaves those under way paused."""
        loop = asyncio.get_running_loop()
        limit = anyio.CapacityLimiter(self.jobs)
        with anyio.CancelScope() as scope:

            def pause() -> None:
                loop.call_soon_threadsafe(scope.cancel)

            with interruptible(pause, terminal=False):
                async with anyio.create_task_group() as group:
                    for sample in range(self.samples):
                        group.start_soon(self._one, sample, limit)

    async def _one(self, sample: int, limit: anyio.CapacityLimiter) -> None:
        async with limit:
            run = self.plan.begin(self.journal, self.approver, sample)
            self.made.append(run.id)
            self.cut = cut_of(run)
            await run.result()
            self.over += 1
            summary = summary_of(self.journal, run.id)
            click.echo(f"{self.over} of {self.samples}: {line(summary)}", err=True)


def several(plan: Plan, samples: int, jobs: int, journal: str, showing: Showing) -> int:
    """Make so many forks and say what came of them all."""
    if not plan.tags:
        plan = replace(plan, tags=(f"fork-{new_run_id()[-8:]}",))
    approver = Yes(plan.team.approvals) if showing.yes else plan.team.approvals
    with opened(journal, create=True) as kept:
        batch = Batch(plan, kept, samples, jobs, approver)
        try:
            anyio.run(batch.run)
        except BaseExceptionGroup as group:
            raise first_of(group) from None
        found = [summary_of(kept, run) for run in batch.made]
        if showing.as_json:
            json.dump({"tag": plan.tags[0], "runs": [each.as_json() for each in found]}, sys.stdout)
            print()
        else:
            tell(found, replace(plan, at=batch.cut or plan.at), samples, kept, journal)
    return PAUSED if len(found) < samples else code_of(found)


def tell(found: Sequence[Summary], plan: Plan, samples: int, kept: Journal, journal: str) -> None:
    """Say what came of a set of forks, and how to compare it."""
    states = Counter(summary.state.replace("_", " ") for summary in found)
    came = ", ".join(f"{number} {state}" for state, number in states.most_common())
    spent, paid = sum(each.spent for each in found), sum(each.paid for each in found)
    run, where = short_id(kept, plan.run), hint(journal)
    forks = counted(samples, "fork")
    made = forks if len(found) == samples else f"{len(found)} of {forks}"
    click.echo(f"{made} of run {run} at {plan.at}: {came or 'none was made'}")
    click.echo(f"{money(spent)} as if each were a run of its own, {money(paid)} paid")
    click.echo(f"tag {plan.tags[0]}")
    click.echo(f"  hive runs --tag {plan.tags[0]}{where}   these runs")
    click.echo(f"  hive diff tag:OTHER tag:{plan.tags[0]}{where}   compare with another set")


def line(summary: Summary) -> str:
    """What came of one fork, in a line."""
    return " · ".join(
        (
            f"run {summary.id} {ended(summary.state, summary.reason)}",
            counted(summary.turns, "turn"),
            f"{money(summary.spent)}, {money(summary.paid)} paid",
            duration(summary.elapsed),
        )
    )


def code_of(found: Sequence[Summary]) -> int:
    """The exit code of a set of runs: that of the one that came out worst."""
    states = {summary.state for summary in found}
    if "paused" in states:
        return PAUSED
    if states & {"waiting", "in_doubt"}:
        return WAITING
    return OK if states == {"finished"} else FAILED
