"""`hive diff`: two runs beside each other, or two sets of runs pair by pair."""

import json
import sys
from collections.abc import Callable
from typing import Any

import click
import orjson

from hive.audit.comparison import Parting
from hive.audit.course import Summary, summaries, summary_of
from hive.audit.diff import Diff, SetDiff, Side, compare, compare_sets
from hive.audit.statistics import Difference, has_scipy
from hive.board.entry import Entry
from hive.board.media import without_bytes
from hive.cli import options
from hive.cli.exits import OK, Mistake
from hive.cli.journals import opened, record_of, short_id
from hive.cli.words import clean, counted, duration, ended, money, number, shortened
from hive.journal.journal import Journal

__all__ = ["diff"]

TAG = "tag:"
WIDE = 100
"""Characters of a field's value that are shown."""
MOST_FIELDS = 6
MEASURED: tuple[tuple[str, Callable[[Side], str]], ...] = (
    ("outcome", lambda side: ended(side.summary.state, side.summary.reason)),
    ("turns", lambda side: number(side.summary.turns)),
    ("model calls", lambda side: number(side.calls)),
    ("tool calls", lambda side: number(side.tools)),
    ("tokens", lambda side: number(side.summary.tokens)),
    ("cost", lambda side: money(side.summary.spent)),
    ("paid", lambda side: money(side.summary.paid)),
    ("time", lambda side: duration(side.summary.elapsed)),
)
"""What two runs came to: each measure, and how it is said."""


@click.command()
@click.argument("one")
@click.argument("other")
@options.journal
@options.as_json
def diff(one: str, other: str, journal: str, as_json: bool) -> int:
    """Compare ONE with OTHER: two runs, or two sets of runs.

    A run is given by its id, the beginning of one, "last" or "last~1" (the one before); a set as
    tag:NAME, or as several runs with commas between. Of two runs it shows what was set up
    differently, the first place where they part, and how each came out. The runs of two sets are
    paired by goal and seed, which forks of one sample share, else in order; for each measure it
    gives the mean difference, OTHER minus ONE, and from ten pairs on a 95 % bootstrap interval.
    That needs scipy: install hive-blackboard[stats].

    \b
    --json prints for two runs
      one and other (the keys of `hive runs --json`, model_calls, tool_calls),
      changed (a line for each part of the team that differs),
      parting (null, or address, fields, one, other: the entries there, as in `hive show`)
    and for two sets
      pairs, paired_by, alone (runs without a partner), and measures: for finished, cost_usd,
      turns, seconds, tokens an object with pairs, one, other, mean, low, high, note
    """
    with opened(journal) as kept:
        found: Diff | SetDiff
        if is_set(one) or is_set(other):
            found = compare_sets(chosen(kept, one), chosen(kept, other))
        else:
            found = compare(record_of(kept, one), record_of(kept, other))
        if as_json:
            json.dump(found.as_json(), sys.stdout)
            print()
        elif isinstance(found, Diff):
            tell(found, kept)
        else:
            tell_sets(found, one, other)
    return OK


def is_set(written: str) -> bool:
    """Whether what was written means several runs."""
    return written.startswith(TAG) or "," in written


def chosen(journal: Journal, written: str) -> list[Summary]:
    """The runs of a set: of a tag the oldest first, else as they are given. Raises Mistake for a
    tag that no run has, and RunNotFound."""
    if not written.startswith(TAG):
        runs = [record_of(journal, part.strip()).id for part in written.split(",") if part.strip()]
        if not runs:
            raise Mistake(f"no run is named in {written!r}; write their ids with commas between")
        return [summary_of(journal, run) for run in runs]
    tag = written.removeprefix(TAG)
    found = summaries(journal, tags=(tag,))
    if not found:
        there = sorted({tag for summary in summaries(journal) for tag in summary.tags})
        raise Mistake(f"no run has the tag {tag!r}; there are {', '.join(there) or 'no tags'}")
    return found[::-1]


def tell(found: Diff, journal: Journal) -> None:
    """Print two runs beside each other."""
    for name, side in (("one", found.one), ("other", found.other)):
        summary = side.summary
        origin = ""
        if summary.parent is not None:
            origin = f", forked from {short_id(journal, summary.parent)} at entry {summary.cut}"
        team = shortened(summary.workflow, 40)
        click.echo(f"{name.ljust(5)} run {short_id(journal, summary.id)} of {team}{origin}")
    if found.changed:
        click.echo("\nSet up differently:")
        for change in found.changed:
            for each in clean(change).split("\n"):
                click.echo(f"  {each}")
    click.echo()
    tell_parting(found.parting)
    click.echo()
    rows = [("", "one", "other")]
    rows += [(name, value(found.one), value(found.other)) for name, value in MEASURED]
    wide = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        cells = (row[0].ljust(wide[0]), row[1].rjust(wide[1]), row[2].rjust(wide[2]))
        click.echo(f"  {'  '.join(cells)}".rstrip())


def tell_parting(parting: Parting | None) -> None:
    """Say where two runs part, with what each has there."""
    if parting is None:
        click.echo("They nowhere part: whatever one says, the other says at the same address.")
        return
    one, other = parting.one, parting.other
    fields = f", in {', '.join(parting.fields)}" if parting.fields else ""
    click.echo(f"They part at {parting.address}{fields}:")
    shown = [field for field in parting.fields if field in fields_of(one) | fields_of(other)]
    for name, entry in (("one", one), ("other", other)):
        said = "nothing stands there" if entry is None else f"{entry.kind} by {entry.author}"
        click.echo(f"  {name.ljust(5)} {clean(said)}")
        values = fields_of(entry)
        for field in shown[:MOST_FIELDS]:
            value = orjson.dumps(values.get(field)).decode()
            click.echo(f"          {field}: {shortened(value, WIDE)}")


def fields_of(entry: Entry | None) -> dict[str, Any]:
    """The fields of an entry's payload."""
    data = None if entry is None or entry.erased else without_bytes(orjson.loads(entry.body))
    return data if isinstance(data, dict) else {}


def tell_sets(found: SetDiff, one: str, other: str) -> None:
    """Print two sets of runs beside each other."""
    click.echo(f"{counted(len(found.pairs), 'pair')} by {found.paired_by}; {other} minus {one}")
    if found.alone:
        click.echo(f"{counted(len(found.alone), 'run')} without a partner left out")
    rows = [("", "one", "other", "difference", "95 % interval")]
    rows += [row_of(name, measure) for name, measure in found.measures.items()]
    wide = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        cells = [cell.rjust(width) for cell, width in zip(row[1:4], wide[1:], strict=True)]
        click.echo("  ".join(("", row[0].ljust(wide[0]), *cells, row[4])).rstrip())
    notes = {measure.note for measure in found.measures.values()}
    few = next((note for note in notes if "too few" in note), None)
    if few is not None:
        click.echo(f"{few[0].upper()}{few[1:]}: the differences may be chance, and no interval is")
        click.echo("given below 10.")
    elif not has_scipy():
        click.echo("Intervals need scipy: pip install 'hive-blackboard[stats]'")


def row_of(name: str, found: Difference) -> tuple[str, str, str, str, str]:
    """One measure of two sets, as a row."""
    interval = found.note if "too few" not in found.note and "scipy" not in found.note else ""
    if found.low is not None and found.high is not None:
        tells = "" if found.tells else "  (holds 0)"
        interval = f"{found.low:+.4g} to {found.high:+.4g}{tells}"
    return name, f"{found.one:.4g}", f"{found.other:.4g}", f"{found.mean:+.4g}", interval
