"""`hive run`: set a team on a goal."""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from hive.cli import options
from hive.cli.driving import Showing, check_models, drive
from hive.cli.journals import opened, record_of
from hive.cli.loading import load
from hive.cli.overrides import asked
from hive.cli.pools import in_hand, pool_given
from hive.cli.workspaces import announced
from hive.journal.journal import Journal
from hive.run import Run
from hive.tools.approval import Approver
from hive.workflow import Workflow

__all__ = ["Begin", "carry_out", "run"]

Begin = Callable[[Journal, Approver], Run]
"""Makes the run, in a journal and under an approver."""


@click.command()
@click.argument("workflow")
@click.argument("goal")
@click.option(
    "--workspace",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The folder that tools work on, in place.",
)
@click.option("--copy", is_flag=True, help="Work on a copy of the workspace instead.")
@options.attach
@options.models
@options.prefer
@options.caps
@click.option(
    "--pool",
    metavar="NAME:CAPS",
    help="What it shares with all runs of that pool: nightly:usd=5,calls=90.",
)
@click.option(
    "--seed", type=click.IntRange(0, 2**53 - 1), metavar="N", help="Fix the run's chance."
)
@click.option(
    "--tag", "tags", multiple=True, metavar="T", help="A word to find the run by; may be repeated."
)
@options.journal
@click.option("-y", "--yes", is_flag=True, help="Allow whatever would need a person's yes.")
@options.as_json
@options.plain
@options.verbose
def run(
    workflow: str,
    goal: str,
    workspace: Path | None,
    copy: bool,
    attachments: tuple[str, ...],
    models: tuple[str, ...],
    prefer: str | None,
    budget: str | None,
    seconds: float | None,
    turns: int | None,
    pool: str | None,
    seed: int | None,
    tags: tuple[str, ...],
    journal: str,
    yes: bool,
    as_json: bool,
    plain: bool,
    verbose: bool,
) -> int:
    """Set the team WORKFLOW (module:name or ./file.py:name) on a GOAL.

    Ctrl-C leaves the run paused and prints the command that resumes it; a second Ctrl-C ends the
    process at once. --pool names what all runs of that pool in the journal may use together, in
    usd, tokens and calls; one process at a time has a pool. --json prints one object when the run
    has ended, with the keys of `hive runs --json` and message, answer, workspace, changed,
    waits_for and journal.
    """
    options.diagnose(verbose)
    here = str(Path.cwd())
    caps = {"usd": budget, "seconds": seconds, "turns": turns}
    overrides = asked(models, prefer=prefer, directory=here, **caps)
    team = overrides.apply(load(workflow), workflow)
    drawn_on = pool_given(pool)
    check_models(team)
    place, sentence = announced(workspace, copy, team)
    if sentence:
        click.echo(sentence, err=as_json)

    def begin(kept: Journal, approver: Approver) -> Run:
        return team.start(
            goal,
            attachments=attachments,
            journal=kept,
            workspace=place,
            seed=seed,
            tags=tags,
            overrides=overrides.as_json(),
            reference=workflow,
            approvals=approver,
            pool=drawn_on,
        )

    with in_hand(drawn_on):
        return carry_out(team, goal, journal, Showing(workflow, as_json, plain, yes), begin)


def carry_out(
    team: Workflow,
    goal: str,
    journal: str,
    showing: Showing,
    begin: Begin,
    further: Sequence[tuple[str, str]] = (),
) -> int:
    """Drive a run, show how it ended with `further` things to try, and give the exit code."""
    from hive.cli.ending import code_of, ending_json, tell_ending
    from hive.cli.printing import console_for

    made: list[Run] = []
    with opened(journal, create=True) as kept:

        def started(approver: Approver) -> Run:
            made.append(begin(kept, approver))
            return made[0]

        drive(team, goal, showing, started)
        record = record_of(kept, made[0].id)
        if showing.as_json:
            json.dump(ending_json(record, journal), sys.stdout)
            print()
        else:
            tell_ending(record, console_for(), journal, further)
        return code_of(record)
