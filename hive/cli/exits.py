"""Exit codes and the one error of the command itself."""

import click

__all__ = ["FAILED", "OK", "PAUSED", "UNREADABLE", "USAGE", "WAITING", "Mistake"]

OK = 0
FAILED = 1
"""A run that was stopped or failed, or a check that found something."""
USAGE = 2
WAITING = 3
UNREADABLE = 4
PAUSED = 130


class Mistake(click.ClickException):
    """Something the user can put right; the message says what, where, and what to do."""

    exit_code = USAGE
