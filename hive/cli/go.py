"""`hive go`: let a paused run go on."""

import click

from hive.cli import options
from hive.cli.exits import OK, Mistake
from hive.cli.sending import addressed, by, say_so, speaker

__all__ = ["go"]


@click.command()
@click.argument("run")
@by
@options.journal
@options.as_json
def go(run: str, by: str | None, journal: str, as_json: bool) -> int:
    """Let RUN go on, which was paused by `hive pause` and is still kept by its process.

    \b
    --json prints one object with the keys
      run, state (before), holder (the process that keeps it), item
    """
    with addressed(journal, run) as to:
        if to.holder is None:
            raise Mistake(
                f"no process keeps run {to.id} (it is {to.state()}); {to.command('resume')} goes on"
                " with it"
            )
        item = to.send("go", speaker(by))
        sentence = f"Run {to.id} goes on."
        if to.summary.state != "paused":
            sentence = f"Run {to.id} is not paused; a pause asked for is taken back."
        say_so(sentence, as_json, to, item=item)
    return OK
