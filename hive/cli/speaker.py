"""Who sits at the shell."""

import getpass
import os

__all__ = ["speaker"]


def speaker(name: str | None = None) -> str:
    """Who speaks, as it stands on the record: whoever is at the shell, unless said otherwise."""
    if name is None:
        try:
            name = getpass.getuser()
        except (KeyError, OSError):  # a user without a name
            name = str(os.getuid())
    return f"user:{name}"
