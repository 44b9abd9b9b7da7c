"""`hive stop`: end a run, wherever it is under way, or though nobody is at work on it."""

import time

import click

from hive.audit.course import Summary, summary_of
from hive.cli import options
from hive.cli.exits import FAILED, OK
from hive.cli.sending import Addressee, addressed, by, say_so, speaker
from hive.cli.words import ended
from hive.concluding import cancelled, conclude
from hive.errors import RunHeld

__all__ = ["stop"]

PATIENCE_S = 10.0
LOOK_S = 0.05


@click.command()
@click.argument("run")
@click.option("--reason", default="", metavar="TEXT", help="Why; it stands on the record.")
@by
@options.journal
@options.as_json
def stop(run: str, reason: str, by: str | None, journal: str, as_json: bool) -> int:
    """End RUN now. What is open is cancelled and closed, and it cannot be resumed any more.

    Where a process is at work on the run, that one ends it, and this command waits until it has.
    Otherwise it is ended here, for which its team is not needed.

    \b
    --json prints one object with the keys
      run, state (after), holder (the process that was at work on it, or null), reason, message
    """
    with addressed(journal, run) as to:
        if to.holder is not None:
            to.send("stop", speaker(by), reason)
        after = ending(to, speaker(by), reason)
        if not after.ended:
            holder = "another process" if to.holder is None else to.holder.name
            sentence = f"Run {to.id} was told to stop and has not yet; {holder} is at work on it."
        else:
            sentence = f"Run {to.id} has ended: {ended(after.state, after.reason)}."
        told = {"state": after.state, "reason": after.reason, "message": after.message}
        say_so(sentence, as_json, to, **told)
    return OK if after.ended else FAILED


def ending(to: Addressee, who: str, reason: str) -> Summary:
    """The run once it has ended, by whom it may be, or as it is when that takes too long."""
    message = f"stopped by {who}{f': {reason}' if reason else ''}"
    patience = time.monotonic() + PATIENCE_S
    while True:
        if to.journal.holder(to.id) is None:
            try:
                conclude(to.journal, to.id, cancelled(message))
            except RunHeld:  # somebody takes it up in this moment
                to.send("stop", who, reason)
        summary = summary_of(to.journal, to.id)
        if summary.ended or time.monotonic() > patience:
            return summary
        time.sleep(LOOK_S)
