"""`--pool`: what a run shares with others, as it is written and as it stands on record."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from hive.board.pieces import Drawn
from hive.cli.exits import Mistake
from hive.control.budgets.budget import Budget, usd
from hive.control.budgets.pool import CAPPED, Pool
from hive.errors import DeclarationError

__all__ = ["in_hand", "pool_given", "pool_on_record"]

HOW = "write NAME:CAPS, as in --pool nightly:usd=5 or --pool nightly:usd=5,tokens=200000,calls=90"


def pool_given(written: str | None) -> Pool | None:
    """The pool of a `--pool NAME:usd=5,calls=90`. Raises Mistake for what is none."""
    if written is None:
        return None
    name, colon, rest = written.partition(":")
    caps: dict[str, Any] = {}
    for each in rest.split(","):
        measure, equals, amount = (part.strip() for part in each.partition("="))
        if not colon or not equals or measure in caps:
            raise Mistake(f"--pool {written!r}: {HOW}")
        if measure not in CAPPED:
            raise Mistake(f"--pool: a pool caps {', '.join(CAPPED)}, and not {measure!r}; {HOW}")
        try:
            caps[measure] = amount.removeprefix("$") if measure == "usd" else int(amount)
        except ValueError:
            raise Mistake(f"--pool: {measure}={amount!r} is no whole number") from None
    try:
        return Pool(name, Budget(**caps))
    except DeclarationError as error:
        raise Mistake(f"--pool: {error}") from None


def pool_on_record(drawn: Drawn | None) -> Pool | None:
    """The pool that a run draws on, with its caps when the run began."""
    if drawn is None:
        return None
    dollars = None if drawn.cost is None else usd(drawn.cost)
    return Pool(drawn.name, Budget(usd=dollars, tokens=drawn.tokens, calls=drawn.calls))


def in_hand(pool: Pool | None) -> AbstractContextManager[object]:
    """What gives the pool up in the end."""
    return nullcontext() if pool is None else pool
