"""`hive resume`: go on with a run that was paused, waits for a person, or lost its process."""

import json
import sys
from pathlib import Path

import click

from hive.audit.record import Record
from hive.cli import options
from hive.cli.driving import Showing, check_models
from hive.cli.exits import Mistake
from hive.cli.journals import opened, record_of
from hive.cli.loading import Declared, load
from hive.cli.overrides import Overrides
from hive.cli.pools import in_hand, pool_on_record
from hive.cli.run import Begin, carry_out
from hive.cli.words import ended
from hive.cli.workspaces import in_place
from hive.control.budgets.pool import Pool
from hive.errors import (
    JournalError,
    JournalVersion,
    StaleWriter,
    WorkflowChanged,
    WorkspaceDrift,
)
from hive.journal.journal import Journal, held
from hive.resuming import ACCEPTED, Terms
from hive.run import Run
from hive.tools.approval import Approver
from hive.workflow import Workflow

__all__ = ["declared_of", "resume", "team_of"]


@click.command()
@click.argument("run")
@click.option(
    "--workflow", metavar="WORKFLOW", help="The team, where it cannot be found as it was named."
)
@click.option(
    "--accept",
    type=click.Choice(ACCEPTED),
    multiple=True,
    help="Go on though this is other than on record, which is recorded; may be repeated.",
)
@click.option("--restore", is_flag=True, help="Put the workspace back as it is on record.")
@options.journal
@click.option("-y", "--yes", is_flag=True, help="Allow whatever would need a person's yes.")
@options.as_json
@options.plain
@options.verbose
def resume(
    run: str,
    workflow: str | None,
    accept: tuple[str, ...],
    restore: bool,
    journal: str,
    yes: bool,
    as_json: bool,
    plain: bool,
    verbose: bool,
) -> int:
    """Go on with RUN: an id, the beginning of one, or "last".

    Its team is loaded as it was named when the run began, with the same --model, caps and --pool.
    What was recorded is not asked for again. A run that has ended says so and ends with its
    outcome's code. --json prints the object that `hive run --json` prints.

    A team that has changed is refused, and what changed is told; --accept workflow goes on under
    it, and the turn that was open is begun anew, unless only the budget has changed. So is a
    workspace that somebody has touched: --accept workspace keeps it, --restore puts it back; in a
    terminal it is asked for.
    """
    options.diagnose(verbose)
    if restore and "workspace" in accept:
        raise Mistake("--restore and --accept workspace are two answers to one question; give one")
    with opened(journal) as kept:
        record = record_of(kept, run)
        showing = Showing(record.summary.workflow, as_json, plain, yes)
        if record.summary.ended:
            return over(record, journal, showing)
        holder = kept.holder(record.id)
        if holder is not None:
            raise Mistake(str(held(record.id, holder)))
    team = team_of(record, workflow)
    check_models(team)
    place = record.started.workspace
    if place is not None and not restore and not Path(place).exists():
        raise Mistake(f"the workspace {place} is gone; --restore makes it as it is on record")
    if place is not None:
        click.echo(in_place(Path(place), team), err=as_json)
    terms = Terms(frozenset(accept), restore)
    while True:
        pool = pool_on_record(record.started.pool)
        try:
            begin = beginning(team, record.id, terms, pool)
            with in_hand(pool):
                return carry_out(team, record.summary.goal, journal, showing, begin)
        except WorkspaceDrift as error:
            if as_json or sys.stdin is None or not sys.stdin.isatty():
                raise Mistake(
                    f"{error.found}\n--accept workspace goes on with it as it stands, --restore"
                    " puts back what is on record"
                ) from None
            terms = asked(error, terms)


def beginning(team: Workflow, run: str, terms: Terms, pool: Pool | None) -> Begin:
    """How the run is taken up; what the user can put right is a Mistake, but for drift."""

    def begin(journal: Journal, approver: Approver) -> Run:
        try:
            return team.resume(
                run,
                journal=journal,
                approvals=approver,
                accept=terms.accept,
                restore=terms.restore,
                pool=pool,
            )
        except (JournalVersion, StaleWriter, WorkspaceDrift):
            raise
        except WorkflowChanged as error:
            raise Mistake(f"{error.found}\n{way_on(error)}") from error
        except JournalError as error:
            raise Mistake(str(error)) from error

    return begin


def way_on(error: WorkflowChanged) -> str:
    """What to do about a team that has changed."""
    wanted = {"workflow"} | ({"calls"} if error.calls else set())
    given = " ".join(f"--accept {each}" for each in sorted(wanted, reverse=True))
    again = f", though it may call again: {', '.join(error.calls)}" if error.calls else ""
    return f"{given} goes on under this one{again}"


def asked(error: WorkspaceDrift, terms: Terms) -> Terms:
    """Ask whoever sits at the terminal what is to be done about a workspace that was touched."""
    click.echo(error.found)
    answer = click.prompt(
        "[k]eep it as it stands, [r]estore what is on record, or [q]uit",
        type=click.Choice(["k", "r", "q"]),
        show_choices=False,
    )
    if answer == "q":
        raise Mistake("nothing was changed, and the run stays as it is")
    if answer == "r":
        return terms._replace(restore=True)
    return terms._replace(accept=terms.accept | {"workspace"})


def team_of(record: Record, named: str | None) -> Workflow:
    """The workflow of a run, with what its command line had changed."""
    overrides = Overrides.from_json(record.started.overrides)
    return overrides.apply(declared_of(record, named), named or record.summary.workflow)


def declared_of(record: Record, named: str | None = None) -> Declared:
    """The team of a run as it is declared, found as the run named it or as it is named now."""
    reference = named or record.summary.workflow
    overrides = Overrides.from_json(record.started.overrides)
    here = Path.cwd()
    directory = here if named or overrides.directory is None else Path(overrides.directory)
    try:
        return load(reference, directory)
    except Mistake as error:
        if named:
            raise
        raise Mistake(
            f"{error.message}; name the team of run {record.id} with --workflow"
        ) from None


def over(record: Record, journal: str, showing: Showing) -> int:
    """Say that there is nothing to go on with."""
    from hive.cli.ending import code_of, ending_json

    if showing.as_json:
        json.dump(ending_json(record, journal), sys.stdout)
        print()
    else:
        said = ended(record.summary.state, record.summary.reason)
        click.echo(f"Run {record.id} has ended; it {said}. There is nothing to go on with.")
    return code_of(record)
