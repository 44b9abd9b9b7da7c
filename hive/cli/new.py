"""`hive new`: write a small, runnable team to begin from."""

import shlex
from pathlib import Path

import click

from hive.cli.exits import OK, Mistake

__all__ = ["new"]

STARTER = Path(__file__).parent / "starter"
FILES = {"team.py": "team.py", "test_team.py": "test_team.txt", "README.md": "README.txt"}
"""Each file of a new team and the one it is made of."""
PLACE = "STARTER"
"""Stands in those files wherever the new folder's name belongs."""


@click.command()
@click.argument("name", type=click.Path(path_type=Path))
def new(name: Path) -> int:
    """Write a small team into the new folder NAME: roles, a payload, a tool, a graph, a test.

    It runs at once, without a key: its minds are programs, and `--model` seats language models.
    """
    from hive.cli.printing import console_for, steps

    if name.is_dir() and any(name.iterdir()):
        raise Mistake(f"the folder {name} is not empty; name one that does not exist yet")
    if name.exists() and not name.is_dir():
        raise Mistake(f"{name} is a file; name a folder that does not exist yet")
    folder = shlex.quote(str(name))
    try:
        name.mkdir(parents=True, exist_ok=True)
        for file, source in FILES.items():
            text = (STARTER / source).read_text(encoding="utf-8")
            (name / file).write_text(text.replace(PLACE, str(name)), encoding="utf-8")
    except OSError as error:
        raise Mistake(f"{name} cannot be written: {error.strerror}") from error
    click.echo(f"Wrote a team into {name}: {', '.join(FILES)}.\n")
    team = f"{folder}/team.py:team"
    goal = '"Which file is the longest?"'
    steps(
        console_for(),
        [
            (f"hive run {team} {goal} --workspace {folder}", "set it on a goal"),
            (f"hive check {team}", "what it may do, and what bounds it"),
            (f"python -m pytest {folder}", "its test"),
        ],
    )
    return OK
