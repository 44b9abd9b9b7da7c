"""Figures (control floor): how good, how dear and how fast a model is, as measured or declared.

What is not known is None and is never guessed; who needs it refuses the model by name.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal, get_args

from hive.board.records import Level5
from hive.control.allocating.complexity import LEVELS
from hive.errors import DeclarationError

__all__ = ["MEASURES", "Figure", "Measure", "exact"]

Measure = Literal["accuracy", "cost", "latency"]
MEASURES: tuple[Measure, ...] = get_args(Measure)

FIELDS: Mapping[Measure, str] = {"accuracy": "accuracy", "cost": "usd", "latency": "seconds"}
SURE = 1.6449
"""Standard deviations below which one in twenty falls."""


@dataclass(frozen=True)
class Figure:
    """What is known of a model's work: of one strand, from its first call to its last.

    `model` is the model's name, `provider:name`. `accuracy` is the share of strands whose work was
    good, 0 to 1; `usd` and `seconds` are what a strand costs and how long it waits for the model,
    on average. `judged` is the number of strands that the accuracy was measured on, None where it
    is declared. `level` says for which class of work the figure holds; None for every class. Raises
    DeclarationError for numbers that cannot be.
    """

    model: str
    accuracy: float | None = None
    usd: Decimal | float | None = None
    seconds: float | None = None
    judged: int | None = None
    level: Level5 | None = None

    def __post_init__(self) -> None:
        whose = f"Figure({self.model!r})"
        for name in FIELDS.values():
            value = getattr(self, name)
            if value is not None and not (is_number(value) and value >= 0):
                raise DeclarationError(f"{whose}: {name}={value!r} is no number from 0 on")
        if self.accuracy is not None and self.accuracy > 1:
            raise DeclarationError(
                f"{whose}: accuracy={self.accuracy!r} is a share; give a number from 0 to 1"
            )
        if self.judged is not None and self.judged < 1:
            raise DeclarationError(f"{whose}: judged={self.judged!r}; give a number from 1 on")
        if self.level is not None and self.level not in LEVELS:
            raise DeclarationError(f"{whose}: level={self.level!r} is none of {', '.join(LEVELS)}")

    def loss(self, measure: Measure) -> Fraction | None:
        """A measure as something to have little of: how often it is wrong, dollars, seconds."""
        value = getattr(self, FIELDS[measure])
        if value is None:
            return None
        return 1 - exact(value) if measure == "accuracy" else exact(value)

    @property
    def surely(self) -> float | None:
        """The accuracy that it has with 95 % confidence: the declared one itself, and of a measured
        one the lower end of Wilson's interval (JASA 22, 1927)."""
        p, n = self.accuracy, self.judged
        if p is None or n is None:
            return p
        square = SURE * SURE
        middle = p + square / (2 * n)
        half = SURE * math.sqrt(p * (1 - p) / n + square / (4 * n * n))
        return max(0.0, (middle - half) / (1 + square / n))


def is_number(value: object) -> bool:
    known = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    return known and math.isfinite(value)  # type: ignore[arg-type]  # known says what it is


def exact(value: Decimal | float) -> Fraction:
    """A number as it is written, so that 0.1 is a tenth."""
    return Fraction(str(value))


def check_rows(figures: Iterable[Figure]) -> None:
    """Raise DeclarationError for what is no Figure, and for two of the same."""
    figures = tuple(figures)
    for figure in figures:
        if not isinstance(figure, Figure):
            raise DeclarationError(f"figures hold {figure!r}, which is no Figure")
    for (model, level), times in Counter((one.model, one.level) for one in figures).items():
        if times > 1:
            raise DeclarationError(
                f"figures say {times} times how {model} does at {level or 'every'} work; say it"
                " once"
            )


def rows_for(figures: Iterable[Figure], models: Iterable[str], level: Level5) -> list[Figure]:
    """A figure for each model at a class of work: those of the class where every model has one, and
    else those for every class, since the two do not compare. A model without one gets a figure on
    which everything is unknown."""
    table = {(one.model, one.level): one for one in figures}
    models = tuple(models)
    known = all((model, level) in table for model in models)
    at = level if known else None
    return [table.get((model, at)) or Figure(model) for model in models]
