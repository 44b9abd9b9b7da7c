"""`hive runs`: the runs of a journal, newest first."""

import json
import sys
from datetime import UTC, datetime
from typing import Literal

import click

from hive.audit.course import Summary, summaries
from hive.cli import options
from hive.cli.exits import OK
from hive.cli.journals import is_there, opened
from hive.cli.words import duration, ended, money, shortened
from hive.journal.journal import Journal

__all__ = ["STATES", "runs", "widths"]

STATES = {
    "running": "cyan",
    "paused": "yellow",
    "waiting": "yellow",
    "in_doubt": "bold yellow",
    "orphaned": "magenta",
    "finished": "green",
    "stopped": "red",
    "failed": "red",
    "unreadable": "bold red",
}
"""Every state of a run and the colour it is shown in."""

COLUMNS = ("run", "state", "began", "took", "turns", "cost", "team", "goal")
NUMBERS = frozenset({"took", "turns", "cost"})
YIELDING = (("goal", 24), ("team", 12), ("state", 8), ("goal", 12), ("team", 6))
"""Columns that are cut off where the terminal is too narrow, in this order, and what each keeps."""
GAP = 2


@click.command()
@options.journal
@click.option("-n", "--newest", type=click.IntRange(1), metavar="N", help="The newest N runs only.")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice(list(STATES)),
    metavar="S",
    help="Only runs in this state; may be repeated.",
)
@click.option("--tag", "tags", multiple=True, metavar="T", help="Only runs with this tag.")
@click.option(
    "--text", default="", metavar="TEXT", help="Only runs with this in id, team, goal or tags."
)
@options.as_json
def runs(
    journal: str,
    newest: int | None,
    states: tuple[str, ...],
    tags: tuple[str, ...],
    text: str,
    as_json: bool,
) -> int:
    """List the runs of a journal, newest first.

    A run is running, paused (by Ctrl-C or `hive pause`), waiting (for a person's yes), in doubt (a
    person has to say what became of a call), finished, stopped, failed, or orphaned (its process is
    gone, and no living one holds it). All but the endings and running ones can be resumed. One is
    unreadable where its entries cannot be read: only its id is known, and why is told on stderr.

    \b
    --json prints a list of objects with the keys
      id, state, outcome (null before the end), reason (its code, or null),
      workflow (as it was named), goal, turns, cost_usd,
      tokens, seconds, started (ISO 8601; null where it cannot be read), tags,
      parent and cut (of a fork: whose entries it shares, and how many; else null),
      paid_usd (spent anew: without what a fork shares or was served)
    """
    found: list[Summary] = []
    if is_there(journal):
        with opened(journal) as kept:
            found = summaries(kept, newest, states=states, tags=tags, text=text)
            if not as_json:
                tell(found, kept)
    for summary in found:
        if summary.state == "unreadable":
            click.echo(f"{summary.message} (`hive verify {summary.id}` says more)", err=True)
    if as_json:
        json.dump([summary.as_json() for summary in found], sys.stdout)
        print()
    elif not found and (states or tags or text):
        click.echo(f"No such run in {journal}; `hive runs` lists all.")
    elif not found:
        click.echo(f"No runs yet in {journal}; `hive demo` makes one.")
    return OK


def tell(found: list[Summary], journal: Journal) -> None:
    """Print the runs as a table."""
    from rich.table import Table
    from rich.text import Text

    from hive.cli.printing import console_for

    if not found:
        return
    short = shorts(journal)
    rows = [row(summary, short[summary.id]) for summary in found]
    console = console_for()
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, GAP, 0, 0))
    for name, wide in widths(rows, console.width).items():
        side: Literal["left", "right"] = "right" if name in NUMBERS else "left"
        table.add_column(name, no_wrap=True, overflow="ellipsis", width=wide, justify=side)
    for summary, cells in zip(found, rows, strict=True):
        state = Text(cells[1], style=STATES[summary.state])
        table.add_row(cells[0], state, *[Text(cell) for cell in cells[2:]])
    console.print(table)


def widths(rows: list[tuple[str, ...]], room: int) -> dict[str, int]:
    """How wide each column is, in a terminal so wide."""
    from rich.cells import cell_len

    wide = {
        name: max(cell_len(cells[place]) for cells in (COLUMNS, *rows))
        for place, name in enumerate(COLUMNS)
    }
    over = sum(wide.values()) + GAP * (len(COLUMNS) - 1) - room
    for name, least in YIELDING:
        cut = max(0, min(over, wide[name] - least))
        wide[name] -= cut
        over -= cut
    return wide


def row(summary: Summary, short: str) -> tuple[str, ...]:
    """A run's cells, in the order of the columns."""
    if summary.state == "unreadable":
        return (short, summary.state, *[""] * (len(COLUMNS) - 2))
    return (
        short,
        ended(summary.state, summary.reason),
        ago(summary.started),
        duration(summary.elapsed),
        str(summary.turns),
        money(summary.spent) + anew(summary),
        shortened(summary.workflow, 40) + forked(summary),
        shortened(summary.goal, 200),
    )


def anew(summary: Summary) -> str:
    """What was paid of the cost, where that is less: what a fork shares and is served is not."""
    return "" if summary.paid == summary.spent else f" ({money(summary.paid)} paid)"


def forked(summary: Summary) -> str:
    """Which run a fork shares entries with, and how many."""
    return "" if summary.parent is None else f", {summary.parent[:10]} from entry {summary.cut} on"


def shorts(journal: Journal) -> dict[str, str]:
    """Each run's id, as short as it can be told from its neighbours by."""
    ordered = sorted(journal.runs())
    found = {}
    for place, run in enumerate(ordered):
        others = ordered[max(0, place - 1) : place] + ordered[place + 1 : place + 2]
        length = 10
        while length < len(run) and any(other.startswith(run[:length]) for other in others):
            length += 1
        found[run] = run[:length]
    return found


def ago(microseconds: int) -> str:
    """`3 min ago`, or the day when that is long past."""
    then = datetime.fromtimestamp(microseconds / 1_000_000, UTC)
    seconds = (datetime.now(UTC) - then).total_seconds()
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return f"{seconds / 60:.0f} min ago"
    if seconds < 24 * 3600:
        return f"{seconds / 3600:.0f} h ago"
    return then.astimezone().strftime("%Y-%m-%d")
