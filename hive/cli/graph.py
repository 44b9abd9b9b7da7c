"""`hive graph`: draw who hands on to whom."""

import sys
from pathlib import Path

import click

from hive.cli import options
from hive.cli.exits import FAILED, OK, Mistake
from hive.cli.loading import BadTeam, load
from hive.cli.overrides import asked
from hive.control.graphs.graph import Graph
from hive.errors import Flaw, GraphError
from hive.workflow import Workflow

__all__ = ["graph"]


@click.command()
@click.argument("workflow")
@click.option(
    "--format",
    "form",
    type=click.Choice(["mermaid", "svg"]),
    help="Mermaid text, or an SVG picture. By default what FILE's name says, else Mermaid.",
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Where to write it."
)
@options.models
def graph(workflow: str, form: str | None, output: Path | None, models: tuple[str, ...]) -> int:
    """Draw the handoff graph of the team WORKFLOW: roles, guards, where it finishes and stops.

    Of a graph that is refused, what is wrong is drawn in, and the command ends with 1.
    """
    from hive.control.graphs.draw import mermaid, svg

    edges, flaws = drawable(workflow, models)
    chosen = form or ("svg" if output is not None and output.suffix == ".svg" else "mermaid")
    text = svg(edges, flaws) if chosen == "svg" else mermaid(edges, flaws)
    for flaw in flaws:
        click.echo(f"✗ {flaw.message}", err=True)
    code = FAILED if flaws else OK
    if output is None:
        sys.stdout.write(text if text.endswith("\n") else f"{text}\n")
        return code
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Mistake(f"{output} cannot be written: {error.strerror}") from error
    click.echo(f"Drew {workflow} in {output}.")
    return code


def drawable(workflow: str, models: tuple[str, ...]) -> tuple[Graph, tuple[Flaw, ...]]:
    """The graph of a team and what is wrong with it."""
    try:
        declared = load(workflow)
    except BadTeam as error:
        if isinstance(error.cause, GraphError) and isinstance(error.cause.graph, Graph):
            return error.cause.graph, error.cause.flaws
        raise
    if isinstance(declared, Graph):
        return declared, ()
    if not isinstance(declared, Workflow):
        declared = asked(models).apply(declared, workflow)
    return declared.graph, ()
