"""The command `hive` (rim): runs teams, shows what they did, says what is wrong in a sentence.

click and rich are imported by the commands that need them.
"""

import sys
from collections.abc import Sequence
from typing import NoReturn

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Serve one command line and end the process with the code that `docs/cli.md` lists."""
    from hive.cli.command import serve

    sys.exit(serve(arguments))
