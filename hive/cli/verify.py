"""`hive verify`: whether a run is as it was written."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from hive.audit.heads import HeadFile
from hive.audit.signing import load_public_key, unsound
from hive.audit.verification import Verification
from hive.audit.verification import verify as verified
from hive.audit.walking import Finding
from hive.cli import options
from hive.cli.exits import OK, UNREADABLE, Mistake
from hive.cli.journals import opened, run_of
from hive.cli.printing import console_for, said
from hive.cli.progress import counting
from hive.cli.words import counted
from hive.errors import RunNotFound, SigningError
from hive.journal.journal import Journal

__all__ = ["check", "report", "verify"]


@click.command()
@click.argument("run", required=False)
@click.option(
    "--head",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Against a head that was exported: shows what was cut off or written anew.",
)
@click.option(
    "--public-key",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The key (PEM) by which the head must be signed.",
)
@options.journal
@options.as_json
def verify(
    run: str | None, head: Path | None, public_key: Path | None, journal: str, as_json: bool
) -> int:
    """Check that RUN is as it was written: an id, the beginning of one, or "last".

    Needs neither the team nor what it is made of, and no network. Ends with exit code 4 where
    something does not fit, and names the first entry that does not. Without RUN it is the run of
    the --head, or the last one.

    \b
    --json prints one object with the keys
      run, holds, entries (that hold), shared (of them with runs it was forked from),
      head (the digest of the last), erased (contents), unfinished (erasures),
      finding (null, or run, number, address, kind, author, what)
      and, with --head, signed_by (null, or the public key) and pinned (by --public-key)
    """
    if public_key is not None and head is None:
        raise Mistake("--public-key says who must have signed the head; give --head FILE too")
    file = None if head is None else read_head(head)
    pinned = "" if public_key is None else load_public_key(public_key)
    unsigned = "" if file is None else unsound(file, pinned)
    with opened(journal) as kept:
        result = check(kept, run, file)
    if unsigned:
        result = rejected(result, unsigned)
    report(result, as_json, file, pinned)
    return OK if result.holds else UNREADABLE


def read_head(path: Path) -> HeadFile:
    """The head in a file. Raises Mistake."""
    try:
        return HeadFile.read(path.read_bytes())
    except OSError as error:
        raise Mistake(f"{path} cannot be read: {error.strerror}") from None
    except SigningError as error:
        raise Mistake(f"{path}: {error}") from None


def check(journal: Journal, run: str | None, file: HeadFile | None = None) -> Verification:
    """Verify a run, with its progress shown. Raises RunNotFound, but not for the run of a head:
    that it is not there is what was to be found out."""
    head = None if file is None else file.head
    try:
        found = run_of(journal, run or (head.run if head is not None else "last"))
    except RunNotFound:
        if head is None or run is not None:
            raise
        finding = Finding(head.run, None, "", "", "", "the journal holds nothing of this run")
        return Verification(run=head.run, entries=0, shared=0, head="", erased=0, finding=finding)
    with counting("verifying", "entries") as beat:
        return verified(journal, found, head=head, beat=beat)


def rejected(result: Verification, what: str) -> Verification:
    """The same with what is wrong with the head's signature first."""
    return replace(result, finding=Finding(result.run, None, "", "", "", what))


def report(
    result: Verification, as_json: bool, file: HeadFile | None = None, pinned: str = ""
) -> None:
    """Say what verifying has shown, also against a head that was exported."""
    if not as_json:
        tell(result, file, pinned)
        return
    shown: dict[str, Any] = result.as_json()
    if file is not None:
        shown |= {"signed_by": file.public_key or None, "pinned": bool(pinned)}
    json.dump(shown, sys.stdout)
    print()


def tell(result: Verification, file: HeadFile | None, pinned: str) -> None:
    """Say for people what verifying has shown."""
    from rich.text import Text

    console = console_for()
    if result.finding is not None:
        where = result.finding.run
        of = "" if where == result.run else f" of run {where}, which it shares"
        console.print(Text(f"✗ run {result.run} does not hold", style="bold red"))
        said(console, f"{result.finding}{of}", 2)
        said(console, f"{counted(result.entries, 'entry', 'entries')} before that hold", 2, "dim")
        return
    held = counted(result.entries, "entry holds", "entries hold")
    console.print(Text(f"✓ run {result.run}: {held}", style="bold green"))
    said(console, f"head {result.head}", 2, "dim")
    if result.shared:
        said(console, f"{result.shared} of them stand in runs it was forked from", 2, "dim")
    if result.erased:
        gone = counted(result.erased, "content was", "contents were")
        said(console, f"{gone} erased, as a Redaction says", 2, "dim")
    if result.unfinished:
        left = counted(len(result.unfinished), "content is", "contents are")
        said(console, f"{left} still there though a Redaction says otherwise:", 2, "yellow")
        said(console, "its process died first; repeat that `hive redact`", 2, "yellow")
    if file is not None:
        said(console, attested(result, file, pinned), 2, "dim")


def attested(result: Verification, file: HeadFile, pinned: str) -> str:
    """What the exported head adds."""
    later = result.entries - file.head.entries
    since = f", and {counted(later, 'entry', 'entries')} came after it" if later else ""
    there = f"all {file.head.entries} entries of the exported head are there{since}"
    if not file.is_signed:
        return f"{there}; the head is not signed: whoever could write the file could write it anew"
    if pinned:
        return f"{there}; signed by the key given, {pinned}"
    return (
        f"{there}; signed by {file.public_key}, which the file itself says: anybody could have"
        " signed it so, and only --public-key tells"
    )
