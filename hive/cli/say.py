"""`hive say`: tell a run under way something."""

import click

from hive.cli import options
from hive.cli.exits import OK, Mistake
from hive.cli.sending import addressed, by, say_so, speaker
from hive.outside import attached

__all__ = ["say"]


@click.command()
@click.argument("run")
@click.argument("text")
@options.attach
@by
@options.journal
@options.as_json
def say(
    run: str, text: str, attachments: tuple[str, ...], by: str | None, journal: str, as_json: bool
) -> int:
    """Tell RUN (an id, the beginning of one, or "last") something: TEXT.

    Every role sees it from the next decision on, and what is attached if it reads that. A run that
    nobody is at work on hears it when it is resumed.

    \b
    --json prints one object with the keys
      run, state, holder (the process that is at work on it, or null), item, text, attached
      (the items of what was attached)
    """
    if not text.strip():
        raise Mistake("there is nothing to say; give TEXT")
    handed = attached(attachments)
    with addressed(journal, run) as to:
        # Before the words, so that these never speak of what is not there.
        items = [to.send("attach", speaker(by), each.body().decode()) for each in handed]
        item = to.send("say", speaker(by), text)
        if to.holder is None:
            hears = f"nobody is at work on it; it hears this when {to.command('resume')} goes on"
        else:
            hears = "its roles see this from the next decision on"
        say_so(f"Run {to.id}: {hears}.", as_json, to, item=item, text=text, attached=items)
    return OK
