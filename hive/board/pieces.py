"""Values inside records (floor 1): what a decision is made of."""

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

__all__ = [
    "Allotted",
    "Candidate",
    "Change",
    "Complexity",
    "Conclusion",
    "Drawn",
    "FaultCode",
    "Level5",
    "Option",
    "Outcome",
    "Piece",
    "Reason",
    "ReviewDepth",
    "StrandPlan",
    "whole",
]

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
    uncertainty: dict[str, Number] = {}
    """How far each signal may be off, as a standard deviation in the units of the score; what is
    not known yet stands here without a signal."""
    probabilities: tuple[Number, ...] = ()
    """How likely each of the five classes is, easiest first; empty where nobody judged that."""


ReviewDepth = Literal["none", "single", "panel", "adversarial", "exhaustive"]
"""How thoroughly work is reviewed: not at all; by one; by three who do not see each other's
reviews; by these and a devil's advocate; by everybody who reviews, until nothing new is found."""


class Allotted(Piece):
    """What work of its class was allotted, as a decision records it."""

    lasting: ClassVar[bool] = True

    strands: int | None = None
    """Most strands of a turn; None where only the run's limits bind."""
    review: ReviewDepth = "single"
    checkpoint: bool = False
    """Whether a person is asked before the work touches anything outside the board."""


class Candidate(Piece):
    """One whole move that the graph allowed, as the policy judged it."""

    lasting: ClassVar[bool] = True

    strands: tuple[str, ...]
    score: Number
    probability: Number
    parts: dict[str, Number] = {}
    """What went into the score, by name."""


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


class Drawn(Piece):
    """A pool that a run draws on, with its caps: nano-dollars, tokens and calls."""

    name: str
    cost: int | None = None
    tokens: int | None = None
    calls: int | None = None


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
    because: str = ""
    """Why this model, where that is more than the role, the class of the work and the options."""
    reserved: int = 0
    """What is kept back for its first call, in nano-dollars, where money is capped."""
    reserved_tokens: int = 0
    """The same in tokens."""


Outcome = Literal["finished", "stopped", "failed"]
Reason = Literal[
    "goal_reached",
    "no_candidate",
    "stalled",
    "looped",
    "repeated",
    "bloated",
    "turns_exhausted",
    "tokens_exhausted",
    "cost_exhausted",
    "time_exhausted",
    "budget_exhausted",
    "gave_up",
    "guard",
    "policy_error",
    "cancelled",
]


class Conclusion(Piece):
    """How a run is about to end: told whoever writes its answer."""

    outcome: Outcome
    reason: Reason
    guard: str
    message: str
    view: int | None = None
    """How much of the board they are shown, as a bound in tokens; None where nothing is left out
    for want of budget."""


class Change(Piece):
    """One file before and after a call: SHA-256 digests in hex, None where there was no file; the
    contents are stored under the commitments."""

    path: str
    before: str | None = None
    after: str | None = None
    before_content: str | None = None
    after_content: str | None = None


FaultCode = Literal[
    "invalid_output",
    "write_refused",
    "unknown_tool",
    "invalid_arguments",
    "malformed_arguments",
    "empty_reply",
    "truncated",
    "refusal",
    "handoff_refused",
    "model_error",
    "timeout",
    "budget_exhausted",
    "steps_exhausted",
    "program_error",
    "cancelled",
    "interrupted",
    "withdrawn",
]
