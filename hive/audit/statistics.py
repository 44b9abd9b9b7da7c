"""Paired differences of two sets of runs (floor 7), with a bootstrap interval where it means
something. The interval needs scipy, the extra [stats].

Method: the bias-corrected and accelerated bootstrap of the mean (Efron, Better Bootstrap Confidence
Intervals, JASA 82, 1987), as `scipy.stats.bootstrap` computes it, from a fixed seed.
"""

import importlib.util
import math
import warnings
from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["FEWEST_PAIRS", "Difference", "difference", "has_scipy"]

FEWEST_PAIRS = 10
"""Pairs below which nothing is said about chance: an interval from so few is too narrow."""
LEVEL = 0.95
RESAMPLES = 9999
SEED = 20_011


class Difference(NamedTuple):
    """The other side minus the one, over the pairs that have both values; money in US dollars, time
    in seconds. `low` and `high` are the 95 % interval of the mean difference, None where there is
    none; `note` then says why."""

    pairs: int
    one: float
    """Mean of the first side."""
    other: float
    mean: float
    low: float | None
    high: float | None
    note: str = ""

    @property
    def tells(self) -> bool | None:
        """Whether the interval leaves out zero; None without an interval."""
        return None if self.low is None or self.high is None else not self.low <= 0 <= self.high


def difference(one: Sequence[float], other: Sequence[float]) -> Difference:
    """The mean difference of two equally long rows of values, pair by pair.

    Raises ValueError for rows of different length or without any pair.
    """
    if len(one) != len(other) or not one:
        raise ValueError(f"{len(one)} and {len(other)} values make no pairs")
    differences = [right - left for left, right in zip(one, other, strict=True)]
    pairs = len(differences)
    means = (mean(one), mean(other), mean(differences))
    if pairs < FEWEST_PAIRS:
        few = "1 pair is" if pairs == 1 else f"{pairs} pairs are"
        return Difference(pairs, *means, None, None, f"{few} too few to tell")
    if max(differences) == min(differences):
        return Difference(pairs, *means, None, None, "every pair differs by the same")
    if not has_scipy():
        return Difference(pairs, *means, None, None, "no interval without scipy")
    return Difference(pairs, *means, *interval(differences))


def has_scipy() -> bool:
    """Whether the extra [stats] is installed."""
    return importlib.util.find_spec("scipy") is not None


def mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def interval(differences: Sequence[float], resamples: int = RESAMPLES) -> tuple[float, float]:
    """The interval of the mean; by plain percentiles where the correction cannot be computed, as
    when a single value stands out among equal ones."""
    import numpy
    from scipy import stats  # type: ignore[import-untyped]  # ships no types

    for method in ("BCa", "percentile"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it is degenerate shows in its result
            found = stats.bootstrap(
                (differences,),
                numpy.mean,
                confidence_level=LEVEL,
                n_resamples=resamples,
                method=method,
                random_state=numpy.random.default_rng(SEED),
            ).confidence_interval
        if math.isfinite(found.low) and math.isfinite(found.high):
            break
    return float(found.low), float(found.high)
