"""`hive export`: a run in a file of its own."""

import json
from pathlib import Path

import click

from hive.audit.archive import ancestry, copy_run
from hive.audit.heads import HeadFile
from hive.audit.record import Record
from hive.audit.verification import Verification
from hive.audit.verification import verify as verified
from hive.cli import options
from hive.cli.exits import OK, UNREADABLE, Mistake
from hive.cli.journals import opened
from hive.cli.progress import counting
from hive.cli.sign import head_of, written
from hive.cli.verify import check, report
from hive.cli.words import counted
from hive.errors import JournalError
from hive.journal.journal import Journal
from hive.journal.opening import open_journal

__all__ = ["export"]


@click.command()
@click.argument("run")
@click.option(
    "--to",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where to: a journal, which is made or added to, or a text file, which must be new.",
)
@click.option("--jsonl", is_flag=True, help="Its entries as JSON, one to a line.")
@click.option("--head", is_flag=True, help="Its head alone, unsigned, for `hive verify --head`.")
@options.journal
@options.as_json
def export(run: str, to: Path | None, jsonl: bool, head: bool, journal: str, as_json: bool) -> int:
    """Copy RUN into a file: an id, the beginning of one, or "last".

    With --to FILE.db it becomes a run of that journal, byte for byte, and so do the runs it was
    forked from; every command works there. With --jsonl or --head it is text, on stdout without
    --to. A run that does not verify is not copied: keep its journal as it is.

    \b
    --jsonl prints for each entry an object with the keys that `hive show --json` has for it.
    --json prints, for a copy, one object with the keys
      run, runs (the ids copied), entries, head, journal (where to), bytes (of that file)
    """
    if jsonl and head:
        raise Mistake("--jsonl and --head are two things; call the command twice")
    if to is None and not (jsonl or head):
        raise Mistake("say where to: --to FILE.db copies the run, --jsonl or --head prints it")
    with opened(journal) as kept:
        result = check(kept, run)
        if not result.holds:
            report(result, as_json)
            return UNREADABLE
        if head:
            written(HeadFile(head=head_of(result)).text(), to)
        elif jsonl:
            written(lines_of(kept, result.run), to)
        elif to is not None:
            copied = copy(kept, to, result)
            if as_json:
                click.echo(json.dumps(shown(result, copied, to)))
            else:
                entries = counted(result.entries, "entry", "entries")
                more = f", with {counted(len(copied) - 1, 'ancestor')}" if copied[1:] else ""
                click.echo(f"run {result.run} is in {to} now: {entries}{more}")
    return OK


def lines_of(journal: Journal, run: str) -> str:
    """The entries of a run, one JSON object to a line."""
    return "".join(f"{json.dumps(entry.as_json())}\n" for entry in Record(journal, run).entries)


def copy(source: Journal, to: Path, result: Verification) -> list[str]:
    """Copy a run and its ancestors; gives the ids of those that were not there. Raises Mistake, and
    JournalError where the copy is another than the original."""
    target = open_journal(to)
    try:
        there = target.runs()
        line = [run for run in ancestry(source, result.run) if run not in there]
        with counting("copying", "entries") as beat:
            for run in line:
                copy_run(source, target, run, beat)
        copy = verified(target, result.run)
    finally:
        target.close()
    if copy.head != result.head:
        raise JournalError(
            f"{to} holds run {result.run} as it was at another time; name a new file"
        )
    if copy.finding is not None:
        raise JournalError(f"the copy in {to} does not hold: {copy.finding}")
    return line


def shown(result: Verification, copied: list[str], to: Path) -> dict[str, object]:
    """The documented JSON of a copy."""
    return {
        "run": result.run,
        "runs": copied,
        "entries": result.entries,
        "head": result.head,
        "journal": str(to),
        "bytes": to.stat().st_size,
    }
