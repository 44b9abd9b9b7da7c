"""Values inside records (floor 1): what a decision is made of."""

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

__all__ = ["Candidate", "Complexity", "Level5", "Piece", "StrandPlan"]

Number = int | float
"""A real number; whole ones are best given as int, which is written the shorter way."""


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
