"""How far long work has come, on stderr where that is a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

from hive.cli.words import number

__all__ = ["counting"]


@contextmanager
def counting(doing: str, of: str) -> Iterator[Callable[[int], None]]:
    """Show a count while something goes on: `verifying: 12,000 entries`. Gives what to call with
    each new count; away from a terminal nothing is shown."""
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield lambda count: None
        return
    with console.status(f"{doing} …") as status:
        yield lambda count: status.update(f"{doing}: {number(count)} {of}")
