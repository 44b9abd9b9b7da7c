"""What the commands share that say something to a run: to which, by whom, and on what call."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import click

from hive.audit.course import Summary, Wait
from hive.audit.record import Record
from hive.board.entry import Address
from hive.board.records import ToolCall
from hive.cli.exits import Mistake
from hive.cli.journals import hint, opened, record_of, short_id
from hive.cli.speaker import speaker
from hive.cli.words import arguments_of, ended
from hive.journal.inbox import send
from hive.journal.journal import Holder, InboxKind, Journal
from hive.outside import taken
from hive.phases.waiting import spoken
from hive.tools.person import Decided

__all__ = ["Addressee", "addressed", "answer", "answer_to", "by", "say_so", "speaker", "waits"]

Command = TypeVar("Command", bound=Callable[..., Any])


def by(command: Command) -> Command:
    """`--by`."""
    return click.option("--by", metavar="NAME", help="Who says so; your user name unless given.")(
        command
    )


@dataclass(frozen=True)
class Addressee:
    """A run that has not ended, and who, alive, holds it."""

    journal: Journal
    record: Record
    holder: Holder | None
    where: str

    @property
    def id(self) -> str:
        """The run's whole id."""
        return self.record.id

    @property
    def summary(self) -> Summary:
        """What the run has come to so far."""
        return self.record.summary

    def command(self, name: str) -> str:
        """A command on this run, to be tried next."""
        return f"`hive {name} {short_id(self.journal, self.id)}{hint(self.where)}`"

    def send(self, kind: InboxKind, who: str, text: str = "", subject: str = "") -> int:
        """Put something into the run's inbox; gives the item's id."""
        return send(self.journal, self.id, kind, by=who, subject=subject, text=text)

    def state(self) -> str:
        """Where the run stands, in words."""
        return ended(self.summary.state, None)


@contextmanager
def addressed(where: str, run: str) -> Iterator[Addressee]:
    """The run that is spoken to. Raises Mistake when it has ended and nobody would hear."""
    with opened(where) as journal:
        record = record_of(journal, run)
        if record.summary.ended:
            summary = record.summary
            how = ended(summary.state, summary.reason)
            raise Mistake(f"run {record.id} has ended ({how}); nobody would hear it")
        yield Addressee(journal, record, journal.holder(record.id), where)


def say_so(sentence: str, as_json: bool, to: Addressee, **further: Any) -> None:
    """Tell what was sent: a sentence, or the documented JSON."""
    if not as_json:
        click.echo(sentence)
        return
    holder = None if to.holder is None else to.holder.name
    json.dump({"run": to.id, "state": to.summary.state, "holder": holder, **further}, sys.stdout)
    print()


class Kind(NamedTuple):
    """What is said of one kind of waiting: of nothing of that kind, of several, the command."""

    nothing: str
    several: str
    command: str


KINDS = {
    "approval": Kind(
        "no call of run {} waits for a yes", "the calls that wait for a yes", "approve"
    ),
    "in_doubt": Kind("no call of run {} waits in doubt", "the calls that wait in doubt", "settle"),
    "answer": Kind("nobody is asked anything in run {}", "the questions that are open", "answer"),
}


def answer(
    to: Addressee, kind: str, call: str | None, decided: Decided, text: str, who: str
) -> tuple[Wait, int]:
    """Send an answer on a call that waits: the one at an address or at a place in the list, or the
    only one. Raises Mistake, with what there is."""
    wait = answer_to(to, kind, call)
    return wait, to.send("answer", who, spoken(decided, text), wait.subject)


def waits(to: Addressee, kind: str) -> list[Wait]:
    """What waits for one kind of answer and was not given one that still waits itself."""
    known = taken(to.record.board)
    items = to.journal.inbox(0, to.id)
    given = {item.subject for item in items if item.kind == "answer" and item.id not in known}
    open_ = [w for w in to.summary.waits if w.waits_for == kind and w.subject not in given]
    return sorted(open_, key=lambda wait: Address.parse(wait.subject))


def answer_to(to: Addressee, kind: str, named: str | None) -> Wait:
    """What is meant among that which waits for one kind of answer. Raises Mistake, with what there
    is."""
    there, words = waits(to, kind), KINDS[kind]
    if not there:
        answered = any(wait.waits_for == kind for wait in to.summary.waits)
        why = "it was answered already" if answered else f"it is {to.state()}"
        others = {wait.waits_for for wait in to.summary.waits} - {kind}
        for other in KINDS.keys() & others:
            why += f"; {to.command(KINDS[other].command)} is for what waits there"
        if to.summary.state == "orphaned":
            why += f"; {to.command('resume')} finds out first what it waits for"
        raise Mistake(f"{words.nothing.format(to.id)}: {why}")
    numbered = {str(number): wait for number, wait in enumerate(there, 1)}
    if named is None and len(there) == 1:
        return there[0]
    found = numbered.get(named or "") or next((w for w in there if w.subject == named), None)
    if found is not None:
        return found
    listed = "; ".join(f"{number}: {told(to, wait)}" for number, wait in numbered.items())
    lead = f"{named!r} is none of" if named else "say which of"
    raise Mistake(f"{lead} {words.several} in run {to.id}: {listed}")


def told(to: Addressee, wait: Wait) -> str:
    """A call that waits: its address, and the call itself."""
    entry = to.record.board.at(wait.subject)
    if entry is None or not isinstance(entry.payload, ToolCall):
        return f"{wait.subject} {wait.text}"
    return f"{wait.subject} {entry.payload.tool}({arguments_of(entry.payload.arguments)})"
