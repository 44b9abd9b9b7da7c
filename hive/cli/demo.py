"""`hive demo`: watch a team repair a small broken project, offline."""

import importlib
import shutil
import tempfile
from pathlib import Path

import click

from hive.cli import options
from hive.cli.driving import Showing, check_models
from hive.cli.exits import FAILED, OK, Mistake
from hive.cli.journals import hint
from hive.cli.loading import load
from hive.cli.overrides import Settled, asked
from hive.cli.run import carry_out
from hive.cli.seats import seats
from hive.journal.journal import Journal
from hive.run import Run
from hive.tools.approval import Approver

__all__ = ["demo"]

TEAM = "roles.team:repair"
PROJECT = "roles.demo"
GOAL = "Find out why the tests of this project fail, and repair its sources until they pass."


@click.command()
@click.option(
    "--workspace",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where to put the project; one that is there already is worked on as it is.",
)
@click.option("--keep", is_flag=True, help="Keep the scratch folder when the run has ended.")
@options.models
@options.journal
@options.as_json
@options.plain
@options.verbose
def demo(
    workspace: Path | None,
    keep: bool,
    models: tuple[str, ...],
    journal: str,
    as_json: bool,
    plain: bool,
    verbose: bool,
) -> int:
    """Watch a team of five repair a small broken Python project.

    The minds are programs, so that no key and no network is needed: rules for planner, researcher,
    reviewer and arbiter, and a search for repairs in the coder's chair. With a key, `--model
    coder=openai:gpt-5-mini` puts a language model there. --json prints the object that `hive run
    --json` prints.
    """
    options.diagnose(verbose)
    overrides = asked(models, directory=str(Path.cwd()))
    settled = overrides.settled(load(TEAM), TEAM)
    team = settled.workflow
    check_models(team)
    folder, sentence = prepared(workspace, keep)
    for line in (sentence, minds(settled), f"The run is kept in {journal}.", ""):
        click.echo(line, err=as_json)

    def begin(kept: Journal, approver: Approver) -> Run:
        return team.start(
            GOAL,
            journal=kept,
            workspace=folder,
            tags=("demo",),
            overrides=overrides.as_json(),
            reference=TEAM,
            approvals=approver,
        )

    code = carry_out(team, GOAL, journal, Showing(TEAM, as_json, plain), begin, further(journal))
    if workspace is None and not keep and code in (OK, FAILED):
        shutil.rmtree(folder.parent, ignore_errors=True)
    return code


def prepared(workspace: Path | None, keep: bool) -> tuple[Path, str]:
    """The project to work on, and what is to be said of it before it is touched."""
    if workspace is not None and workspace.is_dir() and any(workspace.iterdir()):
        return (
            workspace,
            f"Working in {workspace}, on what is there: its files are changed in place.",
        )
    if workspace is not None and workspace.exists():
        if not workspace.is_dir():
            raise Mistake(f"{workspace} is a file; --workspace wants a folder")
        workspace.rmdir()
    folder = workspace or Path(tempfile.mkdtemp(prefix="hive-demo-")) / "project"
    try:
        importlib.import_module(PROJECT).copy_project(folder)
    except ModuleNotFoundError:
        raise Mistake(f"{PROJECT} is not there; it comes with the distribution of Hive") from None
    except OSError as error:
        raise Mistake(f"the project cannot be copied to {folder}: {error.strerror}") from error
    goes = "" if workspace or keep else ", which goes when the run has ended (--keep keeps it)"
    return folder, f"Working in {folder}, a fresh copy of a small project with bugs{goes}."


def minds(settled: Settled) -> str:
    """Who thinks, said on screen."""
    models = dict.fromkeys(seat.model for seat in seats(settled))
    programs = [name for name in models if name.startswith(("program:", "script:"))]
    others = [name for name in models if name not in programs]
    if not others:
        return "The minds are programs: no key, no network, nothing to pay."
    beside = f", beside the programs {', '.join(programs)}" if programs else ""
    return f"Language models take part: {', '.join(others)}{beside}."


def further(journal: str) -> list[tuple[str, str]]:
    """What to try after the demo."""
    return [
        ("hive new my-team", "a small team of your own to begin from"),
        (f"hive check {TEAM}", "what the five may do, and what bounds them"),
        (f"hive graph {TEAM} -o team.svg", "who hands on to whom"),
        (f'hive run {TEAM} "make the tests pass" --workspace DIR{hint(journal)}', "your own code"),
        ("hive demo --model coder=openai:gpt-5-mini", "a language model in the coder's chair"),
    ]
