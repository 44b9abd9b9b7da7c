"""`hive fork`: another course of a recorded run, from a cut on."""

from pathlib import Path

import click

from hive.audit.record import Record
from hive.cli import options
from hive.cli.driving import Showing, check_models
from hive.cli.forks import Plan, alone, several
from hive.cli.journals import opened, record_of
from hive.cli.loading import load
from hive.cli.overrides import Overrides, asked, given_instructions, placed_from
from hive.cli.resume import declared_of
from hive.workflow import Workflow

__all__ = ["fork"]


@click.command()
@click.argument("run")
@click.option(
    "--at",
    required=True,
    metavar="N",
    help="Where to cut: turn:5, an entry's number, or its address.",
)
@options.models
@options.prefer
@options.caps
@click.option(
    "--instruction",
    "instructions",
    multiple=True,
    metavar="ROLE=TEXT",
    help="Other instructions for a role; ROLE=@FILE reads them from a file.",
)
@click.option("--policy", metavar="MODULE:NAME", help="Another policy.")
@click.option("--allocator", metavar="MODULE:NAME", help="Another allocator.")
@click.option("--workflow", metavar="WORKFLOW", help="Another team, as it is declared.")
@click.option(
    "--workspace",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="A new or empty folder for its workspace.",
)
@click.option("--fresh", is_flag=True, help="Ask everything anew instead of serving it.")
@click.option(
    "--live-effects",
    is_flag=True,
    help="Let its calls leave the machine, and do what cannot be undone.",
)
@click.option("-n", "samples", type=click.IntRange(1), metavar="N", help="Make N forks.")
@click.option(
    "--jobs",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    metavar="N",
    help="With -n, how many run at once.",
)
@click.option(
    "--tag", "tags", multiple=True, metavar="T", help="A word to find it by; may be repeated."
)
@options.journal
@click.option("-y", "--yes", is_flag=True, help="Allow whatever would need a person's yes.")
@options.as_json
@options.plain
@options.verbose
def fork(
    run: str,
    at: str,
    models: tuple[str, ...],
    prefer: str | None,
    budget: str | None,
    seconds: float | None,
    turns: int | None,
    instructions: tuple[str, ...],
    policy: str | None,
    allocator: str | None,
    workflow: str | None,
    workspace: Path | None,
    fresh: bool,
    live_effects: bool,
    samples: int | None,
    jobs: int,
    tags: tuple[str, ...],
    journal: str,
    yes: bool,
    as_json: bool,
    plain: bool,
    verbose: bool,
) -> int:
    """Start a new run that shares what RUN recorded before a cut, and goes on with changes.

    The cut falls at the beginning of the turn that --at names: as turn:5, or as the turn of an
    entry, given by its number or address. What RUN was answered after the cut is served as long as
    the same is asked, and costs nothing; what became another is asked live. The workspace is
    rebuilt as it was at the cut, under .hive/forks beside the journal. A call that leaves the
    machine or cannot be undone is served or denied, unless --live-effects. RUN is an id, the
    beginning of one, or "last"; its own --model and caps stay, where no others are given.

    -n 20 makes twenty forks, for `hive diff`, and prints the tag to find them by. Forks in which
    nothing became another are their parent again, twenty times: give --fresh to those that others
    are to be measured by. --json prints the object that `hive run --json` prints; with -n, an
    object with tag and runs, a list of what `hive runs --json` lists.
    """
    options.diagnose(verbose)
    given = asked(
        models,
        prefer=prefer,
        usd=budget,
        seconds=seconds,
        turns=turns,
        policy=placed_from(policy),
        allocator=placed_from(allocator),
        instructions=given_instructions(instructions),
    )
    with opened(journal) as kept:
        record = record_of(kept, run)
    reference, overrides, team = team_for(record, workflow, given)
    check_models(team)
    goal = record.summary.goal
    plan = Plan(
        record.id, goal, at, team, reference, overrides, workspace, fresh, live_effects, tags
    )
    showing = Showing(reference, as_json, plain, yes)
    if samples is None:
        return alone(plan, journal, showing)
    return several(plan, samples, jobs, journal, showing)


def team_for(
    record: Record, named: str | None, given: Overrides
) -> tuple[str, Overrides, Workflow]:
    """The team of a fork, how it is named, and what the command line changes in it: beside what
    that of the parent had changed, where the team is the same."""
    if named is not None:
        overrides = given.over(Overrides(directory=str(Path.cwd()), configured=given.configured))
        return named, overrides, overrides.apply(load(named), named)
    overrides = given.over(Overrides.from_json(record.started.overrides))
    reference = record.summary.workflow
    return reference, overrides, overrides.apply(declared_of(record), reference)
