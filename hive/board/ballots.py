"""What roles say where they do not agree (floor 1): proposals, critiques, votes."""

import re
from typing import ClassVar, Self

from pydantic import Field, model_validator

from hive.board.contributions import ADDRESS, Evidence
from hive.board.payload import Payload

__all__ = ["Critique", "Proposal", "Vote"]

RANKING = rf"\[?{ADDRESS}\]?(?:\s*>\s*\[?{ADDRESS}\]?)*"
IN_WORDS = re.compile(rf"(?i:for\s+)?((?i:abstain)\b|{RANKING})(?:[\s,.:;!-]+(.*))?", re.DOTALL)


class Proposal(Payload):
    """One way to reach the goal, put up to be decided on."""

    text: str


class Critique(Payload):
    """What speaks against a piece of work or a Proposal; it rules on nothing."""

    of: str = Field(description="Address of the entry that it speaks of")
    points: tuple[str, ...] = Field(
        description="Full sentences, each one objection with what would answer it"
    )
    evidence: tuple[Evidence, ...] = ()


class Vote(Payload):
    """A vote among the Proposals: `choice`, or `ranking`, or `abstain`."""

    said_as: ClassVar[str] = (
        "the address of what you are for, or several with > between them, the best first, or"
        " abstain, and why"
    )

    reason: str
    choice: str = Field(default="", description="Address of the Proposal that you are for")
    ranking: tuple[str, ...] = Field(
        default=(), description="Addresses of Proposals, the best first; the last may be left out"
    )
    abstain: bool = False

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        named = self.ranking or ((self.choice,) if self.choice else ())
        if bool(named) is self.abstain or (self.choice and self.choice != named[0]):
            raise ValueError(
                "a Vote has a choice, or a ranking, or abstain=true; give one of the three"
            )
        if len(set(self.order)) < len(self.order):
            raise ValueError("a ranking names each Proposal once")
        return self

    @classmethod
    def in_words(cls, words: str) -> Self | None:
        """A vote by `1/author#0/0.2, since …`, by `1/a/0.2 > 1/b/0.2`, or by `abstain`."""
        found = IN_WORDS.fullmatch(words.strip())
        if found is None:
            return None
        named = tuple(re.findall(ADDRESS, found[1]))
        reason = (found[2] or "").strip()
        if len(named) == 1:
            return cls(reason=reason, choice=named[0])
        twice = len(set(named)) < len(named)
        return None if twice else cls(reason=reason, ranking=named, abstain=not named)

    @property
    def order(self) -> tuple[str, ...]:
        """The addresses that it names, the best first; none for an abstention."""
        named = self.ranking or ((self.choice,) if self.choice else ())
        return tuple([each.strip().strip("[]") for each in named])
