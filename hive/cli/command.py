"""The group of commands, loaded one by one, and the way from an error to a sentence and a code."""

import contextlib
import os
import sys
from collections.abc import Sequence
from importlib import import_module

import click

from hive.cli.exits import OK, PAUSED, UNREADABLE, USAGE
from hive.errors import HiveError, JournalError, PayloadError, PoolHeld, RunNotFound

__all__ = ["hive", "serve"]

GROUPS: dict[str, dict[str, str]] = {
    "Begin": {
        "demo": "Watch a team repair a small broken project, offline.",
        "new": "Write a small team of your own to begin from.",
        "check": "Verify a team before anything is spent.",
        "plan": "Say what a team would do with a goal, and what that costs.",
        "graph": "Draw who hands on to whom.",
        "models": "Say which models there are and what each role gets.",
    },
    "Run": {
        "run": "Set a team on a goal.",
        "resume": "Go on with a run that was paused, waits or lost its process.",
        "fork": "Go on from a cut of a run with something changed.",
        "replay": "Run a run again from its record, and compare.",
    },
    "Say to a run under way": {
        "say": "Tell a run something.",
        "pause": "Have a run decide nothing more for a while.",
        "go": "Let a paused run go on.",
        "stop": "End a run.",
        "answer": "Say what a person has to say in a turn of theirs.",
        "approve": "Say yes or no to a call that waits for it.",
        "settle": "Say what became of a call that is in doubt.",
    },
    "Look": {
        "runs": "List the runs of a journal.",
        "show": "Tell what happened in a run.",
        "why": "Say why a turn of a run was as it was.",
        "diff": "Compare two runs, or two sets of runs.",
        "workspace": "Rebuild a run's files as they were at any time.",
    },
    "Keep the record": {
        "verify": "Check that a run is as it was written.",
        "sign": "Sign the head of a run.",
        "redact": "Erase contents of a run for good.",
        "export": "Copy a run into a file.",
        "prune": "Remove old runs.",
    },
}
"""Every command with what it does, as `hive --help` groups them; the module of the same name beside
this one holds it."""

COMMANDS = {name: does for group in GROUPS.values() for name, does in group.items()}


class Commands(click.Group):
    """Commands that are imported when they are called and not before, so that `--help` is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"hive.cli.{cmd_name}"), cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand:
            from hive.cli.near import near_miss

            near = near_miss(args[0], COMMANDS)
            raise click.UsageError(
                f"there is no command {args[0]!r}; {near}there are {', '.join(COMMANDS)}", ctx
            ) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        widest = max(map(len, COMMANDS))
        for title, commands in GROUPS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(widest), does) for name, does in commands.items()])


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(
    package_name="hive-blackboard", prog_name="hive", message="%(prog)s %(version)s"
)
def hive() -> None:
    """Hive sets teams of language models and programs on a goal, over a shared board.

    Begin with `hive demo`, then `hive new NAME`. WORKFLOW is written as module:name or
    ./file.py:name; runs are kept in .hive/journal.db under the current directory unless
    --journal or HIVE_JOURNAL says otherwise.

    \b
    Exit codes: 0 finished; 1 stopped or failed run, or failed check; 2 wrong usage;
    3 waiting for a person; 4 a journal that does not verify or cannot be read;
    130 paused by Ctrl-C.
    """


def serve(arguments: Sequence[str] | None = None) -> int:
    """Serve one command line and give the exit code; a mistake ends in a sentence."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # not every stream can
    given = None if arguments is None else list(arguments)
    try:
        code = called(given)
        print(end="", flush=True)
        return code
    except click.UsageError as error:
        command = where(error)
        return told(
            f"{error.format_message().rstrip('.')} ({command} --help says more)", USAGE, command
        )
    except click.ClickException as error:
        return told(error.format_message(), USAGE)
    except (KeyboardInterrupt, click.Abort):
        return told("interrupted", PAUSED)
    except OSError as error:
        return unwritten(error)
    except (RunNotFound, PoolHeld) as error:
        return told(str(error), USAGE)
    except (JournalError, PayloadError) as error:  # what is stored does not fit
        return told(str(error), UNREADABLE)
    except HiveError as error:
        return told(str(error), USAGE)


def called(arguments: list[str] | None) -> int:
    """Call the command that is meant; without any, say what there is."""
    try:
        code = hive.main(args=arguments, prog_name="hive", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        print(error.format_message())
        return OK
    return code if isinstance(code, int) else OK


def unwritten(error: OSError) -> int:
    """End quietly where nobody reads on, and in a sentence where what is printed cannot be written.
    Raises any other error again."""
    if isinstance(error, BrokenPipeError):
        silence()
        return OK
    try:
        print(flush=True)  # what could not be written before cannot be now
    except OSError:
        silence()
        why = error.strerror or str(error)
        return told(f"what is to be printed cannot be written: {why}", USAGE)
    raise error


def silence() -> None:
    """Have what is left to be printed go nowhere, or it would be tried once more at the end."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def told(sentence: str, code: int, command: str = "hive") -> int:
    """Say on stderr what is wrong."""
    print(f"{command}: {sentence}", file=sys.stderr)
    return code


def where(error: click.UsageError) -> str:
    """The command in which a mistake was made, as it was called."""
    return "hive" if error.ctx is None else error.ctx.command_path
