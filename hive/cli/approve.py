"""`hive approve`: say yes or no to a call that waits for it."""

import click

from hive.cli import options
from hive.cli.exits import OK
from hive.cli.sending import addressed, answer, by, say_so, speaker, told

__all__ = ["approve"]


@click.command()
@click.argument("run")
@click.argument("call", required=False)
@click.option("--deny", is_flag=True, help="Say no.")
@click.option("--why", default="", metavar="TEXT", help="Why; it stands on the record.")
@by
@options.journal
@options.as_json
def approve(
    run: str, call: str | None, deny: bool, why: str, by: str | None, journal: str, as_json: bool
) -> int:
    """Allow CALL of RUN, which waits for a person's yes, or --deny it.

    CALL is the address of a call, or its number in the list of those that wait; without it the only
    one is meant. While others of its team still work, the call goes on at once; otherwise `hive
    resume` goes on with it, and nobody is asked again.

    \b
    --json prints one object with the keys
      run, state, holder (the process that is at work on it, or null), item, call (its address),
      decided (allow or deny), by
    """
    with addressed(journal, run) as to:
        who = speaker(by)
        wait, item = answer(to, "approval", call, "deny" if deny else "allow", why, who)
        does = "Denied" if deny else "Allowed"
        goes = "it goes on" if to.holder else f"{to.command('resume')} goes on with it"
        say_so(
            f"{does} {told(to, wait)}; {goes}.", as_json, to,
            item=item, call=wait.subject, decided="deny" if deny else "allow", by=who,
        )  # fmt: skip
    return OK
