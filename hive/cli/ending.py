"""The end of a run: how it came out, what was changed, what it cost, and what to do next."""

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

import orjson
from rich.console import Console
from rich.text import Text

from hive.audit.course import Summary
from hive.audit.record import Record
from hive.board.records import Inference, Request, ToolCall
from hive.cli.answers import cached
from hive.cli.changed import diff
from hive.cli.exits import FAILED, OK, PAUSED, WAITING
from hive.cli.journals import hint, short_id
from hive.cli.printing import rule, said, steps
from hive.cli.words import counted, duration, ended, gist, money, number
from hive.message import Usage

__all__ = ["code_of", "ending_json", "readable", "tell_ending", "used", "verdict", "ways_on"]

CODES = {"finished": OK, "waiting": WAITING, "in_doubt": WAITING, "paused": PAUSED}
STYLES = {
    "finished": "bold green",
    "waiting": "bold yellow",
    "in_doubt": "bold yellow",
    "paused": "bold yellow",
}
MARKS = {"finished": "✓", "waiting": "…", "in_doubt": "…", "paused": "‖"}
PAUSES = frozenset({"paused", "orphaned"})


def code_of(record: Record) -> int:
    """The exit code that says how a run came out."""
    return CODES.get(record.summary.state, FAILED)


def ending_json(record: Record, journal: str) -> dict[str, Any]:
    """The documented keys of `hive run --json`: those of `hive runs --json` and a few more."""
    summary = record.summary
    return {
        **summary.as_json(),
        "message": summary.message,
        "answer": record.answer,
        "workspace": summary.workspace,
        "changed": [change.path for change in record.changes()],
        "waits_for": list(summary.waits_for),
        "journal": journal,
    }


def tell_ending(
    record: Record, console: Console, journal: str, further: Sequence[tuple[str, str]] = ()
) -> None:
    """Say on a console how a run came out; `further` are commands to try beside the usual ones."""
    summary = record.summary
    rule(console)
    console.print(verdict(record))
    said(console, summary.message or "; ".join(summary.waits_for), 2, "dim")
    changes = record.changes()
    answer = without_diffs(record.answer) if changes else record.answer
    if answer and answer != summary.message:
        console.print()
        said(console, readable(record, answer), 2)
    if changes:
        console.print()
        console.print(Text(f"Changed in {summary.workspace}:", style="bold"), soft_wrap=True)
        console.print(diff(changes), soft_wrap=True, end="")
    console.print()
    console.print(used(record), style="dim", soft_wrap=True)
    console.print()
    steps(console, [*next_steps(record, journal), *(further if summary.ended else ())])


def readable(record: Record, answer: str) -> str:
    """An answer that is a contribution's JSON as the gist of that contribution."""
    if not answer.startswith("{"):
        return answer
    for entry in reversed(record.entries):
        if entry.payload.level == "domain" and entry.body.decode() == answer:
            return gist(entry.kind, orjson.loads(entry.body), 10_000)
    return answer


def without_diffs(text: str) -> str:
    """A text without the unified diffs in it, where these are shown from the record anyway."""
    kept: list[str] = []
    inside = False
    lines = text.splitlines()
    for line, following in zip_longest(lines, lines[1:], fillvalue=""):
        if line.startswith("--- ") and following.startswith("+++ "):
            inside = True
        elif inside and not line.startswith(("+", "-", "@", " ", "\\")) and line:
            inside = False
        if not inside:
            kept.append(line)
    return "\n".join(kept)


def verdict(record: Record) -> Text:
    """The outcome and its reason, in words."""
    summary = record.summary
    state = summary.state
    words = ended(state, summary.reason)
    if state == "waiting":
        words = "waiting for a person"
    return Text(f"{MARKS.get(state, '✗')} {words}", style=STYLES.get(state, "bold red"))


def used(record: Record) -> str:
    """What a run used, in one line."""
    summary = record.summary
    calls = len(record.board.of_kind(Request))
    tools = len(record.board.of_kind(ToolCall))
    return " · ".join(
        (
            f"run {summary.id}",
            counted(summary.turns, "turn"),
            f"{counted(calls, 'model call')}, {counted(tools, 'tool call')}",
            f"{number(summary.tokens)} tokens{cached(usage_of(record))}",
            paid(summary),
            duration(summary.elapsed),
        )
    )


def usage_of(record: Record) -> Usage:
    """What all answers used. What caches saved is not on record, for the prices are not."""
    answers = [entry.payload for entry in record.board.of_kind(Inference)]
    usages = [answer.usage for answer in answers if isinstance(answer, Inference)]
    return sum(usages, Usage())


def paid(summary: Summary) -> str:
    """What a run cost, and in a fork how much of that was paid anew."""
    cost = money(summary.spent)
    return cost if summary.paid == summary.spent else f"{cost}, {money(summary.paid)} paid"


def next_steps(record: Record, journal: str) -> list[tuple[str, str]]:
    """Commands that make sense now, with what they do."""
    run, where = short_id(record.journal, record.id), hint(journal)
    show = (f"hive show {run}{where}", "what happened, turn by turn")
    runs = (f"hive runs{where}", "this run among the others")
    prompts = (f"hive show {run} --prompts{where}", "with what each model was asked")
    again = (f"hive replay {run}{where}", "the same again from its record, without a model")
    on = ways_on(record, journal)
    return [*on, show] if on else [show, prompts, again, runs]


def ways_on(record: Record, journal: str) -> list[tuple[str, str]]:
    """Commands that take a run further that nobody is at work on, with what they do."""
    run, where = short_id(record.journal, record.id), hint(journal)
    waits = {wait.waits_for for wait in record.summary.waits}
    steps = []
    if "in_doubt" in waits:
        steps.append((f"hive settle {run}{where}", "say what became of a call"))
    if "approval" in waits:
        steps += [
            (f"hive approve {run}{where}", "say yes or no, here or from elsewhere"),
            (f"hive resume {run} --yes{where}", "allow what it asks for, and go on"),
        ]
    if "answer" in waits:
        steps += [
            (f"hive answer {run}{where}", "read what is asked"),
            (f'hive answer {run} "…"{where}', "say it, here or from elsewhere"),
        ]
    if steps:
        return [*steps, (f"hive resume {run}{where}", "go on, and be asked at the terminal")]
    if record.summary.state in PAUSES:
        return [(f"hive resume {run}{where}", "go on from here")]
    return []
