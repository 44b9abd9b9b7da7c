"""Near misses: what may have been meant."""

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["listed", "near_miss"]


def near_miss(written: str, known: Iterable[str]) -> str:
    """`did you mean 'x'? ` with the nearest of some names; empty when none is near."""
    found = get_close_matches(written, list(known), 1, 0.6)
    return f"did you mean {found[0]!r}? " if found else ""


def listed(names: Iterable[str], most: int = 12) -> str:
    """Some names in a row, cut off where they are too many; "nothing" of none."""
    ordered = sorted(names)
    more = f" and {len(ordered) - most} more" if len(ordered) > most else ""
    return (", ".join(ordered[:most]) + more) or "nothing"
