"""`hive graph`: draw who hands on to whom."""

import sys
from pathlib import Path

import click

from hive.cli import options
from hive.cli.exits import OK, Mistake
from hive.cli.loading import load
from hive.cli.overrides import asked
from hive.control.graph import Graph
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
    """Draw the handoff graph of the team WORKFLOW: roles, guards, where it finishes and stops."""
    from hive.control.draw import mermaid, svg

    declared = load(workflow)
    drawn = declared if isinstance(declared, Graph | Workflow) else None
    if drawn is None:
        drawn = asked(models).apply(declared, workflow)
    chosen = form or ("svg" if output is not None and output.suffix == ".svg" else "mermaid")
    edges = drawn.graph if isinstance(drawn, Workflow) else drawn
    text = svg(edges) if chosen == "svg" else mermaid(edges)
    if output is None:
        sys.stdout.write(text if text.endswith("\n") else f"{text}\n")
        return OK
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Mistake(f"{output} cannot be written: {error.strerror}") from error
    click.echo(f"Drew {workflow} in {output}.")
    return OK
