"""`hive workspace`: the files of a run as they were after any of its entries, in a folder."""

from pathlib import Path

import click

from hive.cli import options
from hive.cli.exits import OK, Mistake
from hive.cli.journals import opened, record_of
from hive.cli.words import counted
from hive.errors import JournalError

__all__ = ["workspace"]


@click.command()
@click.argument("run")
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.option(
    "--at",
    metavar="N",
    help="The entry after which, by number or address, or turn:5, as that began; else the end.",
)
@options.journal
def workspace(run: str, folder: Path, at: str | None, journal: str) -> int:
    """Rebuild the workspace of RUN in DIR, a new or empty folder.

    The files are those that the record holds, as they were after an entry, or at the beginning of a
    turn, as a fork from there has them; `hive show` numbers both. The workspace itself is left
    alone. Files too large to be kept are copied from there where they have not changed since, and
    where they have, nothing is built.
    """
    with opened(journal) as kept:
        record = record_of(kept, run)
        where = len(record.entries) - 1 if at is None else int(at) if at.isdecimal() else at
        try:
            built = record.workspace_at(where, folder)
        except JournalError as error:
            raise Mistake(str(error)) from error
    files = counted(len(built.items()), "file")
    turn = at is not None and at.startswith("turn:")
    how = f"as a fork at {at} has them" if turn else f"as they were after entry {where}"
    click.echo(f"{built.root} holds {files}, {how}.")
    return OK
