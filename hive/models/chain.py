"""Chains of models (models floor): how one is written, and what holds for all its members."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from hive.errors import UnknownModel

if TYPE_CHECKING:
    from hive.models.catalog import ModelCard, Prices

__all__ = ["chained", "common_card", "is_chain", "members"]

NEXT = " > "


def chained(names: Sequence[str]) -> str:
    """The name of a chain: its members' names, who is asked first in front.

    >>> chained(["anthropic:claude-opus-5", "openai:gpt-5"])
    'anthropic:claude-opus-5 > openai:gpt-5'
    """
    return NEXT.join(names)


def is_chain(name: str) -> bool:
    """Whether a name is that of a chain."""
    return NEXT in name


def members(name: str) -> tuple[str, ...]:
    """The names that a chain consists of; a plain name is its only member.

    Raises `UnknownModel` where a member is missing, stands there twice, or is not set apart.
    """
    if not name.strip():
        raise UnknownModel("a name of a model is empty; say PROVIDER:MODEL")
    names = tuple(part.strip() for part in name.split(NEXT))
    if not all(names) or any(">" in part for part in names) or len(set(names)) < len(names):
        raise UnknownModel(
            f"{name!r} is no chain of models: write every member once, with a blank on both sides "
            "of each sign, as in 'anthropic:claude-opus-5 > openai:gpt-5'"
        )
    return names


def common_card(name: str, cards: Sequence["ModelCard"]) -> "ModelCard":
    """What holds whoever of a chain answers: the dearest prices, the smallest window, the abilities
    that all have; unknown is what is unknown of one."""
    windows = [card.window for card in cards if card.window is not None]
    limits = [card.max_output for card in cards if card.max_output is not None]
    prices = [card.prices for card in cards if card.prices is not None]
    known = [card.abilities for card in cards if card.abilities is not None]
    return replace(
        cards[0],
        name=name,
        window=min(windows, default=None),
        max_output=min(limits, default=None),
        prices=dearest(prices) if len(prices) == len(cards) else None,
        abilities=frozenset.intersection(*known) if len(known) == len(cards) else None,
    )


def dearest(several: Sequence["Prices"]) -> "Prices":
    """The highest of each price, at every length of input."""
    starts = sorted({start for prices in several for start, _ in prices.beyond})
    first, *beyond = (
        replace(
            held[0],
            input=max(p.input for p in held),
            output=max(p.output for p in held),
            cached_read=max(p.cached_read for p in held),
            cache_write=max(p.cache_write for p in held),
            beyond=(),
        )
        for held in ([p.at(reached) for p in several] for reached in (0, *(s + 1 for s in starts)))
    )
    return replace(first, beyond=tuple(zip(starts, beyond, strict=True)))
