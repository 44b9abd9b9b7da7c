"""The end of a run: how it came out, what was changed, what it cost, and what to do next."""

from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from hive.audit.record import Record
from hive.board.records import Request, ToolCall
from hive.cli.changed import diff
from hive.cli.exits import FAILED, OK, PAUSED, WAITING
from hive.cli.journals import hint, short_id
from hive.cli.words import duration, ended, money, number

__all__ = ["code_of", "console_for", "ending_json", "steps", "tell_ending"]

CODES = {"finished": OK, "waiting": WAITING, "paused": PAUSED}
STYLES = {"finished": "bold green", "waiting": "bold yellow", "paused": "bold yellow"}
MARKS = {"finished": "✓", "waiting": "…", "paused": "‖"}
PAUSES = frozenset({"waiting", "paused", "orphaned"})


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


def tell_ending(record: Record, console: Console, journal: str) -> None:
    """Say on a console how a run came out."""
    summary = record.summary
    console.print(Rule(style="dim"))
    console.print(verdict(record))
    said = summary.message or "; ".join(summary.waits_for)
    if said:
        console.print(Padding(Text(said, style="dim"), (0, 0, 0, 2)))
    if record.answer and record.answer != summary.message:
        console.print()
        console.print(Padding(Text(record.answer), (0, 0, 0, 2)))
    changes = record.changes()
    if changes:
        console.print()
        console.print(f"Changed in {summary.workspace}:", style="bold", highlight=False)
        console.print(diff(changes), soft_wrap=True, end="")
    console.print()
    console.print(used(record), style="dim", highlight=False)
    console.print()
    console.print(steps(next_steps(record, journal)))


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
            f"{summary.turns} turn{'' if summary.turns == 1 else 's'}",
            f"{calls} calls of models, {tools} of tools",
            f"{number(summary.tokens)} tokens",
            money(summary.spent),
            duration(summary.elapsed),
        )
    )


def next_steps(record: Record, journal: str) -> list[tuple[str, str]]:
    """Commands that make sense now, with what they do."""
    run, where = short_id(record.journal, record.id), hint(journal)
    show = (f"hive show {run}{where}", "what happened, turn by turn")
    runs = (f"hive runs{where}", "this run among the others")
    if record.summary.state == "waiting":
        return [
            (f"hive resume {run}{where}", "be asked at the terminal, and go on"),
            (f"hive resume {run} --yes{where}", "allow what it asks for, and go on"),
            show,
        ]
    if record.summary.state in PAUSES:
        return [(f"hive resume {run}{where}", "go on from here"), show]
    prompts = (f"hive show {run} --prompts{where}", "with what each model was asked")
    return [show, prompts, runs]


def steps(commands: list[tuple[str, str]]) -> Table:
    """Commands beside what they do."""
    rows = Table.grid(padding=(0, 3))
    for command, does in commands:
        rows.add_row(Text(f"  {command}", style="bold"), Text(does, style="dim"))
    return rows


def console_for(as_json: bool) -> Console:
    """Where people are told things: stdout, or stderr where stdout is for JSON."""
    return Console(stderr=as_json, highlight=False, soft_wrap=False)
