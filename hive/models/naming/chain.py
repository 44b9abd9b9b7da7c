"""Chains of models (models floor): how one is written."""

from collections.abc import Sequence

from hive.errors import UnknownModel

__all__ = ["chained", "is_chain", "members"]

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
