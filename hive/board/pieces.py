"""Values inside records (floor 1): what a decision is made of."""

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

__all__ = ["Candidate", "Complexity", "Level5", "Option", "Piece", "StrandPlan", "whole"]

Number = int | float
"""A real number; whole ones are best given as int, which is written the shorter way."""


def whole(number: float) -> int | float:
    """Whole numbers as integers, which JSON writes the shorter way."""
    return int(number) if number == 1 or number == 0 else number


class Piece(BaseModel):
    """A closed value inside a record."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    lasting: ClassVar[bool] = False
    """Whether one and the same object stands in many records."""


Level5 = Literal["trivial", "simple", "moderate", "complex", "critical"]


class Complexity(Piece):
    """How hard the work is judged to be, with the weighted signals that said so."""

    lasting: ClassVar[bool] = True

    level: Level5
    score: Number
    signals: dict[str, Number] = {}


class Candidate(Piece):
    """One whole move that the graph allowed, as the policy judged it."""

    lasting: ClassVar[bool] = True

    strands: tuple[str, ...]
    score: Number
    probability: Number


class Option(Piece):
    """One model that a strand could have been given, as the allocator judged it."""

    lasting: ClassVar[bool] = True

    key: str
    model: str
    probability: Number
    score: Number | None = None
    """What it was judged by, the least is the best; None for one that was ruled out."""
    ruled_out: str = ""
    """Why it was not compared with the others."""
    accuracy: Number | None = None
    cost: int | None = None
    """What a strand was expected to cost, in nano-dollars."""
    latency: int | None = None
    """How long a strand was expected to wait for the model, in microseconds."""


class StrandPlan(Piece):
    """One strand of the chosen move and the model it was given."""

    lasting: ClassVar[bool] = True

    strand: str
    role: str
    cause: str | None = None
    """Address of the entry this strand was opened for."""
    sample: int = 0
    model: str
    key: str | None = None
    """Under which key of the workflow's models it was found; None for programs."""
    tier: str | None = None
    probability: Number = 1
    options: tuple[Option, ...] = ()
    """All models that it could have been given, where the allocator weighed them."""
