"""`hive pause`: have a run under way decide nothing more for a while."""

import click

from hive.cli import options
from hive.cli.exits import OK, Mistake
from hive.cli.sending import addressed, by, say_so, speaker

__all__ = ["pause"]


@click.command()
@click.argument("run")
@click.option("--reason", default="", metavar="TEXT", help="Why; it stands on the record.")
@by
@options.journal
@options.as_json
def pause(run: str, reason: str, by: str | None, journal: str, as_json: bool) -> int:
    """Have RUN decide nothing more after the turn under way, until `hive go` or `hive stop`.

    What the turn has begun is finished, so that nothing is wasted. The process keeps the run; the
    time does not count.

    \b
    --json prints one object with the keys
      run, state (before), holder (the process that is at work on it), item (null if it is paused)
    """
    with addressed(journal, run) as to:
        go = to.command("go")
        if to.holder is None:
            raise Mistake(
                f"nobody is at work on run {to.id} (it is {to.state()}), so there is nothing to"
                f" pause; {to.command('resume')} would go on with it"
            )
        if to.summary.state == "paused":
            say_so(f"Run {to.id} is paused already; {go} lets it go on.", as_json, to, item=None)
            return OK
        item = to.send("pause", speaker(by), reason)
        sentence = f"Run {to.id} pauses when the turn under way is over; {go} lets it go on."
        say_so(sentence, as_json, to, item=item)
    return OK
