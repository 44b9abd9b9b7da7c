"""`hive answer`: say what a person has to say in a turn of theirs."""

from pathlib import Path

import click

from hive.audit.course import Wait
from hive.board.entry import Entry
from hive.cli import options
from hive.cli.enquiring import shown
from hive.cli.exits import OK, Mistake
from hive.cli.sending import Addressee, addressed, answer_to, by, say_so, speaker, waits
from hive.cli.words import clean
from hive.phases.select import Invalid
from hive.phases.spoken import question_of, read, ways
from hive.phases.waiting import spoken

__all__ = ["answer"]


@click.command()
@click.argument("run")
@click.argument("text", required=False)
@click.option(
    "--file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="What is said stands in a file.",
)
@click.option("--question", metavar="N", help="Which question: its number, or its address.")
@click.option(
    "--workflow", metavar="WORKFLOW", help="The team, where it cannot be found as it was named."
)
@by
@options.journal
@options.as_json
def answer(
    run: str,
    text: str | None,
    file: Path | None,
    question: str | None,
    workflow: str | None,
    by: str | None,
    journal: str,
    as_json: bool,
) -> int:
    """Say TEXT, or what stands in --file, in a turn of RUN that is a person's.

    A review is a yes or a no, with the reason; a note is plain text; anything that the role writes
    may be given as JSON. What does not fit is refused. Without anything to say it is told what is
    asked, and what the role sees. While others of its team still work, the run goes on at once;
    otherwise `hive resume` goes on with it, and nobody is asked again.

    \b
    --json prints one object with the keys
      run, state, holder (the process that is at work on it, or null), and either
      asked (a list of objects with the keys subject, text and entries), or
      item, question (its address), text, by
    """
    if text is not None and file is not None:
        raise Mistake("TEXT and --file are two answers to one question; give one")
    words = text if file is None else file.read_text("utf-8")
    with addressed(journal, run) as to:
        if words is None:
            tell(to, waits(to, "answer"), as_json)
            return OK
        wait = answer_to(to, "answer", question)
        check(to, wait, words, workflow)
        who = speaker(by)
        item = to.send("answer", who, spoken("says", words), wait.subject)
        goes = "it goes on" if to.holder else f"{to.command('resume')} goes on with it"
        say_so(
            f"Answered {wait.subject}; {goes}.", as_json, to,
            item=item, question=wait.subject, text=words, by=who,
        )  # fmt: skip
    return OK


def tell(to: Addressee, asked: list[Wait], as_json: bool) -> None:
    """Say what is asked, and show what is to be known for that."""
    if not asked:
        say_so(
            f"Nobody is asked anything in run {to.id}; it is {to.state()}.", as_json, to, asked=[]
        )
        return
    if as_json:
        found = [
            {
                "subject": wait.subject,
                "text": wait.text,
                "entries": [str(entry.address) for entry in seen(to, wait)],
            }
            for wait in asked
        ]
        say_so("", as_json, to, asked=found)
        return
    for number, wait in enumerate(asked, 1):
        click.echo(shown(seen(to, wait)))
        click.echo(f"{number}: {wait.subject}\n{clean(wait.text)}")


def seen(to: Addressee, wait: Wait) -> list[Entry]:
    """The contributions that the role sees."""
    board = to.record.board
    asking = board.at(wait.subject)
    causes = () if asking is None else asking.causes
    found = [entry for entry in map(board.at, causes) if entry is not None]
    return [entry for entry in found if entry.level == "domain"]


def check(to: Addressee, wait: Wait, words: str, named: str | None) -> None:
    """Raise Mistake for words that the role could not say."""
    from hive.cli.resume import team_of

    asking = to.record.board.at(wait.subject)
    role = None if asking is None else team_of(to.record, named).roles.get(asking.author)
    if role is None or not role.person:
        raise Mistake(f"the team has no person to answer {wait.subject}; it has changed since")
    found = read(role, words, question_of(None, (wait.subject,)))
    if isinstance(found, Invalid):
        raise Mistake(f"that does not fit: {found.message} {ways(role)}")
