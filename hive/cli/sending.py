"""What the commands share that say something to a run: to which, by whom, and on what call."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

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
from hive.phases.waiting import Decided, spoken

__all__ = ["Addressee", "addressed", "answer", "by", "say_so", "speaker"]

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


def answer(
    to: Addressee, kind: str, call: str | None, decided: Decided, text: str, who: str
) -> tuple[Wait, int]:
    """Send an answer on a call that waits: the one at an address or at a place in the list, or the
    only one. Raises Mistake, with what there is."""
    wait = chosen(to, waits(to, kind), kind, call)
    return wait, to.send("answer", who, spoken(decided, text), wait.subject)


def waits(to: Addressee, kind: str) -> list[Wait]:
    """The calls that wait for one kind of answer and were not given one that still waits itself."""
    known = taken(to.record.board)
    items = to.journal.inbox(0, to.id)
    given = {item.subject for item in items if item.kind == "answer" and item.id not in known}
    open_ = [w for w in to.summary.waits if w.waits_for == kind and w.subject not in given]
    return sorted(open_, key=lambda wait: Address.parse(wait.subject))


def chosen(to: Addressee, there: list[Wait], kind: str, call: str | None) -> Wait:
    """The call that is meant among those that wait."""
    what = "for a yes" if kind == "approval" else "in doubt"
    if not there:
        answered = any(wait.waits_for == kind for wait in to.summary.waits)
        why = "it was answered already" if answered else f"it is {to.state()}"
        other = "settle" if kind == "approval" else "approve"
        hints = f"; {to.command(other)} is for what waits there" if has_other(to, kind) else ""
        if to.summary.state == "orphaned":
            hints += f"; {to.command('resume')} finds out first what it waits for"
        raise Mistake(f"no call of run {to.id} waits {what}: {why}{hints}")
    numbered = {str(number): wait for number, wait in enumerate(there, 1)}
    if call is None and len(there) == 1:
        return there[0]
    found = numbered.get(call or "") or next((w for w in there if w.subject == call), None)
    if found is not None:
        return found
    listed = "; ".join(f"{number}: {told(to, wait)}" for number, wait in numbered.items())
    lead = f"{call!r} is none of" if call else "say which of"
    raise Mistake(f"{lead} the calls that wait {what} in run {to.id}: {listed}")


def has_other(to: Addressee, kind: str) -> bool:
    return any(wait.waits_for != kind for wait in to.summary.waits)


def told(to: Addressee, wait: Wait) -> str:
    """A call that waits: its address, and the call itself."""
    entry = to.record.board.at(wait.subject)
    if entry is None or not isinstance(entry.payload, ToolCall):
        return f"{wait.subject} {wait.text}"
    return f"{wait.subject} {entry.payload.tool}({arguments_of(entry.payload.arguments)})"
