"""Options that several commands share."""

import os
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

import click

from hive.cli.exits import Mistake
from hive.cli.journals import DEFAULT, VARIABLE

__all__ = [
    "Dollars",
    "as_json",
    "attach",
    "caps",
    "diagnose",
    "journal",
    "models",
    "plain",
    "prefer",
    "verbose",
]

LOG = "HIVE_LOG"

Command = TypeVar("Command", bound=Callable[..., Any])


class Dollars(click.ParamType[str]):
    """An amount of US dollars from 0 on, kept as it was written."""

    name = "USD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            amount = Decimal(str(value).removeprefix("$"))
        except InvalidOperation:
            self.fail(f"{value!r} is no amount of dollars; write 2 or 0.50", param, ctx)
        if not amount.is_finite() or amount < 0:
            self.fail(f"{value!r} is no amount of dollars from 0 on", param, ctx)
        return str(amount)


def journal(command: Command) -> Command:
    """`--journal`."""
    return click.option(
        "--journal",
        default=DEFAULT,
        envvar=VARIABLE,
        show_default=True,
        metavar="PATH",
        help=f"Where runs are kept; {VARIABLE} says the same.",
    )(command)


def attach(command: Command) -> Command:
    """`--attach`."""
    return click.option(
        "--attach",
        "attachments",
        multiple=True,
        type=click.Path(),
        metavar="FILE",
        help="An image or a file to be looked at; may be repeated.",
    )(command)


def models(command: Command) -> Command:
    """`--model`."""
    return click.option(
        "--model",
        "models",
        multiple=True,
        metavar="[KEY=]NAME",
        help="Another model for a role or a tier (coder=openai:gpt-5-mini), or for all.",
    )(command)


def caps(command: Command) -> Command:
    """`--budget`, `--seconds` and `--turns`."""
    for option in (
        click.option(
            "--turns", type=click.IntRange(1), metavar="N", help="The most turns it may take."
        ),
        click.option(
            "--seconds",
            type=click.FloatRange(0, min_open=True),
            metavar="S",
            help="The most time it may take.",
        ),
        click.option("--budget", type=Dollars(), help="The most it may cost, in US dollars."),
    ):
        command = option(command)
    return command


def prefer(command: Command) -> Command:
    """`--prefer`."""
    return click.option(
        "--prefer",
        metavar="HOW",
        help="What its models are chosen by: thrifty, cost=3,accuracy=1, accuracy:0.02>cost.",
    )(command)


def as_json(command: Command) -> Command:
    """`--json`."""
    return click.option(
        "--json", "as_json", is_flag=True, help="Print JSON, and nothing else, on stdout."
    )(command)


def plain(command: Command) -> Command:
    """`--plain`."""
    return click.option(
        "--plain", is_flag=True, help="Lines instead of the live display, also in a terminal."
    )(command)


def verbose(command: Command) -> Command:
    """`--verbose`."""
    return click.option(
        "-v",
        "--verbose",
        is_flag=True,
        help="Show diagnostics on stderr; HIVE_LOG=debug shows more.",
    )(command)


def diagnose(verbose: bool) -> None:
    """Show diagnostics where they are asked for, by `--verbose` or HIVE_LOG."""
    wanted = os.environ.get(LOG, "").lower() or ("info" if verbose else "")
    if not wanted:
        return
    if wanted not in ("debug", "info"):
        raise Mistake(f"{LOG}={wanted} is no level of diagnostics; there are debug and info")
    from hive import diagnostics

    diagnostics.set_up("debug" if wanted == "debug" else "info")
