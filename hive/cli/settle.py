"""`hive settle`: say what became of a call that was begun when its process ended."""

import click

from hive.cli import options
from hive.cli.exits import OK, Mistake
from hive.cli.sending import addressed, answer, by, say_so, speaker, told
from hive.tools.person import Decided

__all__ = ["settle"]


@click.command()
@click.argument("run")
@click.argument("call", required=False)
@click.option("--done", metavar="TEXT", help="It was done, and TEXT is what came of it.")
@click.option("--again", is_flag=True, help="It was not done: it is to be made again.")
@click.option("--lost", is_flag=True, help="Nobody can find out; the role is told so.")
@by
@options.journal
@options.as_json
def settle(
    run: str,
    call: str | None,
    done: str | None,
    again: bool,
    lost: bool,
    by: str | None,
    journal: str,
    as_json: bool,
) -> int:
    """Settle CALL of RUN, which is in doubt: it was begun, must not be made twice, and nobody knows
    whether it was done.

    CALL is the address of a call, or its number in the list of those in doubt; without it the only
    one is meant.

    \b
    --json prints one object with the keys
      run, state, holder (the process that is at work on it, or null), item, call (its address),
      decided (done, again or lost), by
    """
    given: list[Decided] = []
    given += ["done"] if done is not None else []
    given += ["again"] if again else []
    given += ["lost"] if lost else []
    if len(given) != 1:
        raise Mistake("say what became of the call, in one way: --done TEXT, --again or --lost")
    [decided] = given
    with addressed(journal, run) as to:
        who = speaker(by)
        wait, item = answer(to, "in_doubt", call, decided, done or "", who)
        says = {
            "done": "Noted what came of",
            "again": "To be made again:",
            "lost": "Noted that nobody knows the end of",
        }[decided]
        goes = "the run goes on" if to.holder else f"{to.command('resume')} goes on with the run"
        say_so(
            f"{says} {told(to, wait)}; {goes}.", as_json, to,
            item=item, call=wait.subject, decided=decided, by=who,
        )  # fmt: skip
    return OK
