"""`hive sign`: the head of a run, signed, in a file of its own."""

import os
from pathlib import Path

import click

from hive.audit.heads import Head
from hive.audit.signing import load_key, make_key
from hive.audit.signing import sign as signed
from hive.audit.verification import Verification
from hive.beginning import own_version
from hive.cli import options
from hive.cli.exits import OK, UNREADABLE, Mistake
from hive.cli.journals import opened
from hive.cli.verify import check, report
from hive.clock import SystemClock

__all__ = ["head_of", "sign", "written"]


@click.command()
@click.argument("run")
@click.option(
    "--key",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE",
    help="The private key: Ed25519, PEM, without a password.",
)
@click.option("--new-key", is_flag=True, help="Make the key first, and FILE.pub beside it.")
@click.option(
    "--to", type=click.Path(path_type=Path), metavar="FILE", help="Write here, not on stdout."
)
@options.journal
@options.as_json
def sign(run: str, key: Path, new_key: bool, to: Path | None, journal: str, as_json: bool) -> int:
    """Sign the head of RUN: an id, the beginning of one, or "last".

    The run is verified first; one that does not hold is not signed. What is written is JSON, with
    --json on stdout too: `hive verify --head FILE` checks a run against it. Needs the extra:
    pip install 'hive-blackboard[sign]'. `hive export RUN --head` writes the same, unsigned.
    """
    if to is not None:
        vacant(to)
    private = None if new_key else load_key(key)
    with opened(journal) as kept:
        result = check(kept, run)
    if not result.holds:
        report(result, as_json)
        return UNREADABLE
    if private is None:  # last, so that the same command can be given again if it fails
        click.echo(f"made {key}, and {make_key(key)} for those who check what it signs", err=True)
        private = load_key(key)
    text = signed(head_of(result), private).text()
    written(text, to)
    if as_json and to is not None:
        click.echo(text, nl=False)
    return OK


def head_of(result: Verification) -> Head:
    """The head of a run that was verified, as of now."""
    return Head(
        run=result.run,
        entries=result.entries,
        head=result.head,
        at=SystemClock().now(),
        hive=own_version(),
    )


def vacant(to: Path) -> None:
    """Raise Mistake where a new file cannot be written, before anything else is done."""
    if to.exists() or to.is_symlink():
        raise Mistake(f"{to} is there already; name another file")
    if not os.access(to.parent, os.W_OK | os.X_OK) or not to.parent.is_dir():
        raise Mistake(f"{to} cannot be written: {to.parent} is no folder that can be written to")


def written(text: str, to: Path | None) -> None:
    """Put a text on stdout, or into a new file. Raises Mistake where that cannot be."""
    if to is None:
        click.echo(text, nl=False)
        return
    try:
        with to.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise Mistake(f"{to} is there already; name another file") from None
    except OSError as error:
        raise Mistake(f"{to} cannot be written: {error.strerror}") from None
    click.echo(f"wrote {to}", err=True)
