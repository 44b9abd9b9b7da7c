"""`hive show`: what happened in a run."""

import json
import sys
from pathlib import Path
from typing import Any

import click
import orjson

from hive.audit.efficiency import factors
from hive.audit.prompts import prompt
from hive.audit.record import Record
from hive.board.entry import Entry
from hive.board.records import Request
from hive.cli import options
from hive.cli.exits import OK, Mistake
from hive.cli.journals import opened, record_of, run_of
from hive.cli.near import listed, near_miss
from hive.errors import JournalError
from hive.journal.journal import Journal

__all__ = ["show"]


@click.command()
@click.argument("run", default="last")
@click.option("--kind", metavar="K", help="Only entries of this kind, in full.")
@click.option("--author", metavar="A", help="Only entries of this author, in full.")
@click.option("--turn", type=click.IntRange(0), metavar="N", help="Only this turn.")
@click.option("--prompts", is_flag=True, help="With everything that each model was asked.")
@click.option(
    "--save",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write the images and files in it into a folder.",
)
@click.option("--follow", is_flag=True, help="Go on as long as somebody is at work on it.")
@options.journal
@options.as_json
def show(
    run: str,
    kind: str | None,
    author: str | None,
    turn: int | None,
    prompts: bool,
    save: Path | None,
    follow: bool,
    journal: str,
    as_json: bool,
) -> int:
    """Tell what happened in RUN: an id, the beginning of one, or "last".

    \b
    --json prints one object: the keys of `hive runs --json`, message, answer, workspace,
    waits_for, seed, overrides, and entries, a list of objects with the keys
      seq, address (turn/strand/place), attempt, author, kind, kind_version, origin,
      label (how far it can be trusted), causes, at (microseconds since 1970), digest, payload
    and, with --prompts, prompts: address, model, system, messages, tools, output, max_output.
    With --follow it prints each entry as one such object, in a line of its own; with --save a
    list of what was written: path, address, media_type, bytes.

    --follow ends when the run does, or when nobody is at work on it any more, with the exit code
    that says how it stands; Ctrl-C ends the watching only.
    """
    from hive.cli.transcript import tell_entries, tell_run

    with opened(journal) as kept:
        if follow:
            return watched(kept, run, kind, author, turn, prompts, as_json)
        record = record_of(kept, run)
        entries = chosen(record, kind, author, turn)
        if save is not None:
            tell_saved(entries, save, as_json)
        elif as_json:
            json.dump(shown_json(record, entries, prompts), sys.stdout)
            print()
        elif kind or author:
            tell_entries(record, entries, prompts)
        else:
            tell_run(record, turn, prompts, journal)
    return OK


def tell_saved(entries: list[Entry], folder: Path, as_json: bool) -> None:
    """Write the images and files in some entries into a folder, and say where they are."""
    from hive.cli.saving import save

    saved = save(entries, folder)
    if as_json:
        json.dump([each._asdict() for each in saved], sys.stdout)
        print()
        return
    for each in saved:
        click.echo(f"{each.path}  ({each.media_type}, {each.bytes:,} bytes, from {each.address})")


def watched(
    kept: Journal,
    run: str,
    kind: str | None,
    author: str | None,
    turn: int | None,
    prompts: bool,
    as_json: bool,
) -> int:
    """Show the entries that fit as they come."""
    from hive.cli.watching import watch

    if prompts:
        raise Mistake("--follow shows entries as they come, and --prompts whole runs; give one")

    def fits(entry: Entry) -> bool:
        return (
            kind in (None, entry.kind)
            and author in (None, entry.author)
            and turn in (None, entry.address.turn)
        )

    return watch(kept, run_of(kept, run), fits, as_json)


def chosen(record: Record, kind: str | None, author: str | None, turn: int | None) -> list[Entry]:
    """The entries that fit. Raises Mistake, with what there is, where none do."""
    fits: list[tuple[str, Any, Any]] = [
        ("kind", kind, lambda entry: entry.kind),
        ("author", author, lambda entry: entry.author),
        ("turn", turn, lambda entry: entry.address.turn),
    ]
    entries = record.entries
    for name, wanted, value in fits:
        if wanted is None:
            continue
        there = {value(entry) for entry in entries}
        if wanted not in there:
            near = near_miss(str(wanted), [str(one) for one in there])
            has = f"turns 0 to {max(there)}" if name == "turn" else listed(there)
            raise Mistake(f"run {record.id} has no {name} {wanted!r}; {near}there are {has}")
        entries = [entry for entry in entries if value(entry) == wanted]
    return entries


def shown_json(record: Record, entries: list[Entry], prompts: bool) -> dict[str, Any]:
    """The documented JSON of `hive show`."""
    summary, started = record.summary, record.started
    shown: dict[str, Any] = {
        **summary.as_json(),
        "message": summary.message,
        "answer": record.answer,
        "workspace": summary.workspace,
        "waits_for": list(summary.waits_for),
        "seed": started.seed,
        "overrides": started.overrides,
        "factors": [found._asdict() for found in factors(record.entries)],
        "entries": [entry.as_json() for entry in entries],
    }
    if prompts:
        asked = [entry for entry in entries if isinstance(entry.payload, Request)]
        shown["prompts"] = [prompt_json(record, entry) for entry in asked]
    return shown


def prompt_json(record: Record, entry: Entry) -> dict[str, Any]:
    """One request as JSON."""
    try:
        asked = prompt(record, entry)
    except orjson.JSONDecodeError as error:
        raise JournalError(f"the contents of {entry.address} cannot be read: {error}") from error
    return {
        "address": str(entry.address),
        "model": asked.model,
        "system": asked.system,
        "messages": [
            {"role": message.role, "parts": [part.model_dump() for part in message.parts]}
            for message in asked.messages
        ],
        "tools": [
            {"name": tool.name, "description": tool.description, "schema": tool.schema}
            for tool in asked.tools
        ],
        "output": None
        if asked.output is None
        else {"name": asked.output.name, "schema": asked.output.schema},
        "max_output": asked.max_output,
    }
