"""`hive prune`: remove old runs."""

import json
import re
import sys
from typing import Any

import click

from hive.audit.archive import ancestry
from hive.audit.course import Summary
from hive.audit.pruning import Choice, Stays, choose, perhaps_sharing, sweep
from hive.cli import options
from hive.cli.exits import OK, Mistake
from hive.cli.journals import opened, run_of
from hive.cli.progress import counting
from hive.cli.runs import STATES, ago
from hive.cli.words import counted, ended, number, shortened
from hive.clock import SystemClock
from hive.errors import JournalError, RunHeld
from hive.journal.journal import Journal

__all__ = ["Age", "prune"]

SECONDS = {"m": 60, "h": 3600, "d": 86400, "w": 604800}


class Age(click.ParamType[int]):
    """A length of time such as 90m, 12h, 30d or 2w, in microseconds."""

    name = "AGE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        found = re.fullmatch(r"(\d{1,6})([mhdw])", str(value))
        if found is None:
            self.fail(f"{value!r} is no length of time; write 90m, 12h, 30d or 2w", param, ctx)
        return int(found[1]) * SECONDS[found[2]] * 1_000_000


@click.command()
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option("--older", type=Age(), help="Those in which nothing happened for so long, as in 30d.")
@click.option(
    "--keep", type=click.IntRange(0), default=0, metavar="N", help="All but the newest N."
)
@click.option(
    "--state", "states", multiple=True, type=click.Choice(list(STATES)), help="Those in this state."
)
@click.option("--tag", "tags", multiple=True, metavar="T", help="Those with this tag.")
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@options.journal
@options.as_json
def prune(
    runs: tuple[str, ...],
    older: int | None,
    keep: int,
    states: tuple[str, ...],
    tags: tuple[str, ...],
    dry_run: bool,
    yes: bool,
    journal: str,
    as_json: bool,
) -> int:
    """Remove whole runs: each RUN, or those that all of the conditions hold for.

    A run that is under way is never removed; one that can still go on only where it is named; one
    whose entries a fork shares only together with that fork; one that cannot be read only where it
    is named. With a run goes what was kept to undo its calls, and with a fork the workspace that
    was made for it under .hive/forks. The file is rewritten at the end, so that nothing of the runs
    is left in it: while that lasts nobody else can write, and it takes as much room again.

    \b
    --json prints one object with the keys
      removed (ids; with --dry-run those that would be), stays (run, why), bytes (given back),
      unread (ids of runs that stay, cannot be read, and may share entries of what goes)
    """
    if not (runs or older is not None or keep or states or tags):
        raise Mistake("say which runs: RUN ids, or --older 30d, --keep 20, --state, --tag")
    with opened(journal) as kept:
        now = SystemClock().now()
        choice = Choice(
            ids=[run_of(kept, run) for run in runs],
            before=None if older is None else now - older,
            keep=keep,
            states=states,
            tags=tags,
        )
        going, stays = choose(kept, choice)
        if not as_json:
            tell(going, stays)
        unread = named_unread(kept, going)
        gone, room = list[Summary](), 0
        go_on = bool(going) and not dry_run and agreed(len(going), yes)
        if go_on:  # while somebody thought about it, others may have gone on
            meant, (going, stays) = {run.id for run in going}, choose(kept, choice)
            gone, room = remove(kept, [run for run in going if run.id in meant], stays)
            sweep(kept, gone)
    if as_json:
        removed = [run.id for run in (going if dry_run else gone)]
        left = [{"run": each.run.id, "why": each.why} for each in stays]
        click.echo(json.dumps({"removed": removed, "stays": left, "bytes": room, "unread": unread}))
    elif gone:
        click.echo(f"Removed {counted(len(gone), 'run')}; {number(room)} bytes given back.")
    else:
        click.echo("Nothing was removed.")
    return OK


def named_unread(journal: Journal, going: list[Summary]) -> list[str]:
    """Name the runs that may share entries of what goes and cannot be asked."""
    unread = perhaps_sharing(journal, {run.id for run in going})
    for run in unread:
        what = f"Run {run} cannot be read; whether it shares entries of what goes is not known."
        click.echo(what, err=True)
    return unread


def agreed(runs: int, yes: bool) -> bool:
    """Whether to go on: asked at the terminal, unless that was said beforehand. Raises Mistake
    where nobody can be asked."""
    if yes:
        return True
    if not sys.stdin.isatty():
        raise Mistake(
            "nothing was removed, for nobody can be asked here; -y removes without asking"
        )
    return click.confirm(f"Remove {counted(runs, 'run')} for good?", err=True)


def remove(journal: Journal, going: list[Summary], stays: list[Stays]) -> tuple[list[Summary], int]:
    """Remove the runs, forks before what they share, and give back their room. What somebody has
    taken up meanwhile stays, with what it shares."""
    gone: list[Summary] = []
    shared: set[str] = set()
    lines = {run.id: ancestry(journal, run.id) for run in going}
    with counting("removing", "runs") as beat:
        for run in sorted(going, key=lambda run: len(lines[run.id]), reverse=True):
            try:
                if run.id not in shared:
                    journal.forget(run.id)
                    gone.append(run)
            except RunHeld as error:
                shared.update(lines[run.id])
                stays.append(Stays(run, str(error)))
            beat(len(gone))
    return gone, room_of(journal)


def room_of(journal: Journal) -> int:
    """Give back the room of what was removed, in bytes; none while somebody is at work, whom that
    would hold up for longer than they wait."""
    why = "somebody is at work on another run"
    try:
        if not any(journal.holder(run) for run in journal.runs()):
            return journal.compact()
    except JournalError as error:
        why = str(error)
    click.echo(f"The room of what is gone is left to later runs: {why}.", err=True)
    return 0


def tell(going: list[Summary], stays: list[Stays]) -> None:
    """Print what goes, and what stays and why."""
    for run in going:
        state = ended(run.state, run.reason)
        goal = shortened(run.goal, 60)
        began = ago(run.started) if run.started else "-"
        click.echo(f"{run.id}  {began}  {state}  {goal}".rstrip())
    for run, why in stays:
        click.echo(f"{run.id} stays: {why}")
