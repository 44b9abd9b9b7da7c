"""`hive replay`: run the coordinator again from a record, and say whether the same comes of it."""

import asyncio
import json
from typing import Any

import click
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hive.audit.replay import Replayed
from hive.audit.replay import replay as replayed
from hive.board.entry import Entry
from hive.cli import options
from hive.cli.exits import FAILED, OK
from hive.cli.journals import opened, record_of
from hive.cli.printing import console_for, said
from hive.cli.progress import counting
from hive.cli.resume import team_of
from hive.cli.words import clean, counted
from hive.errors import Divergence

__all__ = ["replay"]

SAID = ("kind", "author", "digest")
"""Fields that say nothing beside the others."""
LINES = 12
"""Lines of one side of a difference that are shown."""
WIDEST = 300
"""Characters of one such line."""


@click.command()
@click.argument("run")
@click.option(
    "--workflow", metavar="WORKFLOW", help="The team, where it cannot be found as it was named."
)
@options.journal
@options.as_json
def replay(run: str, workflow: str | None, journal: str, as_json: bool) -> int:
    """Run RUN again with the replies, results, times and chance on its record: an id, the beginning
    of one, or "last". No model, no tool and no network is used, and nothing is written.

    Says "identical" and how many entries are, or shows the first entry that differs, both sides
    beside each other, with what has probably been changed; then the exit code is 1. With --workflow
    it shows what another team would have done otherwise first.

    \b
    --json prints one object with the keys
      run, identical, entries (that are the same), shared (with the run it was forked from),
      changed (in what the workflow differs from the recorded one),
      divergence (null, or address, recorded, now, differences, cause),
      redacted (null, or the address of the erased entry that is needed to go on)
    """
    with opened(journal) as kept:
        record = record_of(kept, run)
        team = team_of(record, workflow)
        with counting("replaying", "entries") as beat:
            result = asyncio.run(replayed(kept, record.id, team, beat))
    if as_json:
        click.echo(json.dumps(shown(result)))
    else:
        tell(result, console_for())
    return OK if result.divergence is None else FAILED


def shown(result: Replayed) -> dict[str, Any]:
    """The documented JSON of `hive replay`."""
    divergence, redacted = result.divergence, result.redacted
    return {
        "run": result.run,
        "identical": result.identical,
        "entries": result.entries,
        "shared": result.shared,
        "changed": list(result.changed),
        "divergence": None if divergence is None else parted(result, divergence),
        "redacted": None if redacted is None else str(redacted.address),
    }


def parted(result: Replayed, divergence: Divergence) -> dict[str, Any]:
    sides = {"recorded": divergence.recorded, "now": divergence.now}
    return {
        "address": divergence.address,
        **{side: None if entry is None else entry.as_json() for side, entry in sides.items()},
        "differences": [each._asdict() for each in result.differences],
        "cause": divergence.cause,
    }


def tell(result: Replayed, console: Console) -> None:
    """Say for people what came of it."""
    divergence, redacted = result.divergence, result.redacted
    count = counted(result.entries, "entry", "entries")
    if divergence is not None:
        before = f"{count} the same, then {divergence.address} differs:"
        console.print(Text(before, style="bold red"), soft_wrap=True)
        compare(result, divergence, console)
        console.print()
        said(console, f"Likely cause: {divergence.cause}.")
    elif redacted is not None:
        said(
            console,
            f"redacted: {count} the same, until the content of {redacted.address}"
            f" ({redacted.kind} by {redacted.author}) is needed, which was erased.",
        )
    else:
        console.print(Text(f"identical: {count}", style="bold green"), soft_wrap=True)
    if result.shared:
        shared = counted(result.shared, "entry", "entries")
        said(console, f"Taken as they are: {shared} shared with the run it was forked from.")
    if result.changed:
        console.print()
        said(console, "The workflow differs from the recorded one in:")
        for line in result.changed:
            said(console, line, 2)


def compare(result: Replayed, divergence: Divergence, console: Console) -> None:
    """Both sides beside each other: whose entry, and the fields that differ."""
    table = Table(box=SIMPLE, show_edge=False, pad_edge=False)
    table.add_column("")
    table.add_column("on record", style="red", overflow="fold", ratio=1)
    table.add_column("now", style="green", overflow="fold", ratio=1)
    table.add_row("entry", line_of(divergence.recorded), line_of(divergence.now))
    for field, recorded, now in result.differences:
        if field not in SAID or len(result.differences) == 1:
            table.add_row(field, cut(recorded), cut(now))
    console.print(table)


def line_of(entry: Entry | None) -> Text:
    """Which entry it is, and what it says where the other side has none or another kind."""
    if entry is None:
        return Text("nothing")
    return Text(f"{entry.kind} by {entry.author}")


def cut(text: str | None) -> Text:
    """One side of a difference, as much as helps."""
    if text is None:
        return Text("not there", style="dim")
    lines = clean(text).split("\n")
    shown = [line if len(line) <= WIDEST else f"{line[:WIDEST]}…" for line in lines[:LINES]]
    if len(lines) > LINES:
        shown.append(f"… {counted(len(lines) - LINES, 'line')} more")
    return Text("\n".join(shown))
