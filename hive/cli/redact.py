"""`hive redact`: erase contents of a run for good, and say so on its record."""

import json
import sys
from typing import Any

import click

from hive.audit.redaction import Plan, Refusal, Told, plan
from hive.audit.redaction import redact as redacted
from hive.audit.whereabouts import Selection, also_in, select_entries, select_file, select_text
from hive.cli import options
from hive.cli.exits import FAILED, OK, Mistake
from hive.cli.journals import opened, run_of
from hive.cli.progress import counting
from hive.cli.speaker import speaker
from hive.cli.words import counted
from hive.clock import SystemClock
from hive.errors import RunHeld
from hive.journal.journal import Journal

__all__ = ["redact"]

LEAST_LETTERS = 4
HEADER = "it stands in its header, which nothing can erase"


@click.command()
@click.argument("run")
@click.argument("entries", nargs=-1, metavar="[ENTRY]...")
@click.option("--text", metavar="SECRET", help='Whatever contains this text; "-" reads it.')
@click.option("--file", metavar="PATH", help="Every recorded state of this file of the workspace.")
@click.option("--why", required=True, metavar="TEXT", help="Why; it stays on the record.")
@click.option("--by", metavar="NAME", help="Who does it; your user name unless given.")
@click.option("--dry-run", is_flag=True, help="Only say what would be erased.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@options.journal
@options.as_json
def redact(
    run: str,
    entries: tuple[str, ...],
    text: str | None,
    file: str | None,
    why: str,
    by: str | None,
    dry_run: bool,
    yes: bool,
    journal: str,
    as_json: bool,
) -> int:
    """Erase contents of RUN for good: those of each ENTRY, by its number or its address, or of
    whatever contains a text, or of a file. The entries themselves stay, and the run verifies as
    before; that something was erased, by whom and why, becomes an entry of its own.

    Runs that share a content lose it too, and are told. Ends with exit code 1 where something that
    contains the text has to stay.

    \b
    --json prints one object with the keys
      run, erased (false for --dry-run), entries (number, address, kind, author),
      contents (commitments), items (of the inbox), told (run, how: entry or inbox),
      stays (run, number, address, why), also (ids of other runs that contain the text),
      unread (ids of runs that may share it and cannot be read)
    """
    if sum((bool(entries), text is not None, file is not None)) != 1:
        raise Mistake("say what to erase, in one way: ENTRY numbers or addresses, --text or --file")
    secret, whom = secret_of(text), speaker(by)
    if not why.strip():
        raise Mistake("--why is empty; say why, for it stays on the record")
    if secret and secret in f"{why}\n{whom}":
        raise Mistake(
            "--why and --by (your user name unless given) stay on the record; they must not contain"
            " the text itself"
        )
    with opened(journal) as kept:
        with counting("looking", "entries"):
            found = selected(kept, run_of(kept, run), entries, secret, file)
            stays = list(plan(kept, found).refused)
            also = also_in(kept, secret, found) if secret else []
        if stays and not secret:
            raise Mistake(str(stays[0]))
        found.drop(refusal.content for refusal in stays)
        stays += [Refusal(found.run, spot, "", HEADER) for spot in found.headers]
        going = plan(kept, found)
        for each in going.unread:
            click.echo(f"Run {each} cannot be read; whether it shares that is not known.", err=True)
        told: list[Told] = []
        done = bool(found) and not dry_run and agreed(going, found, yes, as_json)
        if done:
            told = carried_out(kept, found, why, whom)
    if as_json:
        click.echo(json.dumps(shown(found, going, told, stays, done) | {"also": also}))
    else:
        tell(found, going, told, stays, done)
        for other in also:
            click.echo(f"Run {other} contains it too; redact that one as well.")
    return FAILED if stays else OK


def secret_of(text: str | None) -> str:
    """The text that is looked for; read from stdin for "-", which leaves no trace in a shell's
    history. Raises Mistake for one that would be found everywhere."""
    if text is None:
        return ""
    secret = sys.stdin.read().rstrip("\n") if text == "-" else text
    if len(secret.strip()) < LEAST_LETTERS:
        raise Mistake(f"--text wants {LEAST_LETTERS} letters or more; less is found everywhere")
    return secret


def selected(
    journal: Journal, run: str, entries: tuple[str, ...], secret: str, file: str | None
) -> Selection:
    """What is to be erased. Raises Mistake and RedactionRefused where there is no such thing."""
    if secret:
        return select_text(journal, run, secret)
    if file is None:
        return select_entries(journal, run, entries)
    found = select_file(journal, run, file)
    if not found:
        raise Mistake(
            f"no content of a file {file!r} is kept in run {run}; `hive show` names files"
        )
    return found


def agreed(going: Plan, found: Selection, yes: bool, as_json: bool) -> bool:
    """Whether to go on: asked at the terminal, unless that was said beforehand. Raises Mistake
    where nobody can be asked."""
    if yes:
        return True
    if not sys.stdin.isatty():
        raise Mistake("nothing was erased, for nobody can be asked here; -y erases without asking")
    list_contents(going, found, err=as_json)
    return click.confirm("Erase this for good?", err=as_json)


def carried_out(journal: Journal, found: Selection, why: str, by: str) -> list[Told]:
    """Erase it. Raises Mistake where somebody holds a run that stores it."""
    try:
        with counting("erasing", "entries"):
            return redacted(journal, found, why, by, SystemClock().now())[1]
    except RunHeld as error:
        raise Mistake(f"nothing was erased: {error}") from error


def list_contents(going: Plan, found: Selection, err: bool = False) -> None:
    """Say what would be erased, without showing any of it."""
    for share in (*going.owners, *going.others):
        click.echo(f"run {share.run}:", err=err)
        for spot in share.entries:
            size = "erased already" if spot.body is None else f"{len(spot.body):,} bytes"
            named = f"{spot.address}, {spot.kind} by {spot.author}"
            click.echo(f"  entry {spot.number}  ({named}, {size})", err=err)
        rest = set(share.contents) - {spot.content for spot in share.entries}
        for commitment in sorted(rest):
            click.echo(f"  content {commitment}", err=err)
    for item in sorted(found.items):
        click.echo(f"  item {item} of the inbox", err=err)


def tell(found: Selection, going: Plan, told: list[Told], stays: list[Refusal], done: bool) -> None:
    """Say what was erased, what stays, and who was told."""
    if not found and not stays:
        click.echo(f"Nothing of that is in run {found.run}.")
        return
    if not done:
        list_contents(going, found)
        click.echo("Nothing was erased.")
    else:
        gone = counted(len(found.contents) + len(found.items), "content is", "contents are")
        says = (
            "the record says so, and verifies as before" if found.contents else "none was on record"
        )
        click.echo(f"{gone} erased; {says}.")
    for run, how in told:
        if run != found.run:
            where = "its record says so too" if how == "entry" else "its process was told"
            click.echo(f"Run {run} shared that; {where}.")
    for refusal in stays:
        click.echo(f"Still there: {refusal}")


def shown(
    found: Selection, going: Plan, told: list[Told], stays: list[Refusal], done: bool
) -> dict[str, Any]:
    """The documented JSON."""
    own = [spot for share in (*going.owners, *going.others) for spot in share.entries]
    entries = {(spot.run, spot.number): spot for spot in own}.values()
    return {
        "run": found.run,
        "erased": done,
        "entries": [
            {
                "number": spot.number,
                "address": spot.address,
                "kind": spot.kind,
                "author": spot.author,
            }
            for spot in entries
        ],
        "contents": sorted(found.contents),
        "items": sorted(found.items),
        "told": [each._asdict() for each in told],
        "stays": [
            {
                "run": each.run,
                "number": each.spot.number,
                "address": each.spot.address,
                "why": each.why,
            }
            for each in stays
        ],
        "unread": list(going.unread),
    }
