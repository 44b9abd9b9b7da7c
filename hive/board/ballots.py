"""What roles say where they do not agree (floor 1): proposals, critiques, votes."""

from typing import Self

from pydantic import Field, model_validator

from hive.board.contributions import Evidence
from hive.board.payload import Payload

__all__ = ["Critique", "Proposal", "Vote"]


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
    """A vote among the Proposals: either `choice`, or `ranking`, or `abstain`."""

    reason: str
    choice: str = Field(default="", description="Address of the Proposal that you are for")
    ranking: tuple[str, ...] = Field(
        default=(), description="Addresses of Proposals, the best first; the last may be left out"
    )
    abstain: bool = False

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if (self.choice != "") + (self.ranking != ()) + self.abstain != 1:
            raise ValueError(
                "a Vote has a choice, or a ranking, or abstain=true; give one of the three"
            )
        if len(set(self.order)) < len(self.order):
            raise ValueError("a ranking names each Proposal once")
        return self

    @property
    def order(self) -> tuple[str, ...]:
        """The addresses that it names, the best first; none for an abstention."""
        named = self.ranking or ((self.choice,) if self.choice else ())
        return tuple([each.strip().strip("[]") for each in named])
