"""How the command prints for people: wrapped to a terminal, whole lines to a file or a pipe."""

import contextlib
import os
from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from hive.cli.words import clean

__all__ = ["console_for", "pairs", "rule", "said", "steps", "table"]

RULE = 60
WIDE = 160
"""Widths of a rule and of tables where there is no terminal."""


class Printer(Console):
    """A console whose reader may go away: what is left to say is then dropped, and no more."""

    def on_broken_pipe(self) -> None:
        """Have the rest go nowhere."""
        self.quiet = True
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.file.fileno())


def console_for(as_json: bool = False) -> Console:
    """Where people are told things: stdout, or stderr where stdout is for JSON."""
    console = Printer(stderr=as_json, highlight=False)
    if not console.is_terminal:
        console.width = WIDE
    return console


def said(console: Console, text: Text | str, indent: int = 0, style: str = "") -> None:
    """Print a text, indented; wrapped at words, line for line indented, where it is a terminal."""
    whole = Text(clean(text), style=style) if isinstance(text, str) else text
    wide = max(console.width - indent, 20)
    for paragraph in whole.split("\n", allow_blank=True):
        for line in paragraph.wrap(console, wide) if console.is_terminal else [paragraph]:
            line.rstrip()
            console.print(Text(" " * indent).append_text(line), soft_wrap=True)


def rule(console: Console) -> None:
    """A line across."""
    console.print(Rule(style="dim") if console.is_terminal else "─" * RULE)


def pairs(console: Console, rows: Sequence[tuple[str, str]]) -> None:
    """Things beside what is to be said of them, which is wrapped in its own column."""
    wide = max((len(first) for first, second in rows if second), default=0)
    for first, second in rows:
        beside = wide + 4
        lines = [Text(clean(second))]
        if console.is_terminal:
            lines = list(lines[0].wrap(console, max(console.width - beside, 30)))
        head = Text(f"  {first.ljust(wide)}  " if second else f"  {first}")
        for number, line in enumerate(lines):
            line.rstrip()
            line.stylize("dim")
            lead = head if not number else Text(" " * beside)
            console.print(lead.append_text(line), soft_wrap=True)


def steps(console: Console, commands: Sequence[tuple[str, str]]) -> None:
    """Commands, with what they do beside or below them."""
    wide = max((len(command) for command, _ in commands), default=0)
    most = max((len(does) for _, does in commands), default=0)
    beside = not console.is_terminal or wide + most + 5 <= console.width
    for command, does in commands:
        line = Text(f"  {command.ljust(wide) if beside else command}", style="bold")
        line.append(f"{'   ' if beside else chr(10) + '      '}{does}", style="not bold dim")
        console.print(line, soft_wrap=True)


def table(console: Console, titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Rows beside each other, folded where they are too wide for the terminal."""
    made = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="dim")
    made.add_column(titles[0], no_wrap=True)
    for title in titles[1:]:
        made.add_column(title, overflow="fold")
    for first, *others in rows:
        made.add_row(Text(clean(first)), *(Text(clean(other)) for other in others))
    console.print(made)
