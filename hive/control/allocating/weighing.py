"""Weighing (control floor): which of several models a preference takes, with which probability.

The rule is the weighted Chebyshev distance to the ideal point (Steuer and Choo, An interactive
weighted Tchebycheff procedure, Mathematical Programming 26, 1983), over the models within the hard
limits that no other one beats in everything, ties to the cheaper. It is monotone: more weight on a
measure never takes a model that is worse in it. For let x be taken at a weight w of measure m, and
y, worse in m, at a greater one v. Write m(x) < m(y) for their distances in m, and g(x), g(y) for
the greatest of their other weighted ones. At v, max(v m(y), g(y)) <= max(v m(x), g(x)), where the
right side must be g(x), since v m(x) < v m(y). So g(x) is no less than the score of y at v, nor
than that at w, nor is it more than the score of x at w, where x was taken: all of these are equal.
The two tie at w and at v, and the same of them is taken both times. With a share of the sum of all
distances added, which is the usual cure for ties, this is not so.

Distances are counted in the range of the models compared, cost and latency by their ratios: with
plain dollars, one very dear model would make all others look alike. A model that another one
beats in everything changes nothing; any other one, when it comes or goes, may change the range, and
with it the choice among the rest.

Randomised, the weights are tilted by a random factor, accuracy against cost; for each value of the
factor the above holds, and so it does in expectation. Where the choice changes, one distance passes
another, and as each pair of measures is tilted at a pace of its own, that happens at single values
of the factor: the probabilities have no jumps anywhere.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from hive.control.allocating.figures import MEASURES, Figure, Measure, exact
from hive.control.allocating.preference import Preference
from hive.errors import DeclarationError

__all__ = ["LimitsBroken", "Weighed", "weigh"]

Losses = Mapping[Measure, Fraction]
"""What there is of each measure that is known of all models, to have little of."""
TIES: tuple[Measure, ...] = ("cost", "accuracy", "latency")
"""Who is cheaper wins a tie, then who is more accurate, then who is faster."""
LEAST = Fraction(1, 1000)
"""What is added to costs and latencies, as a share of the greatest, since nothing has no ratio."""


class LimitsBroken(DeclarationError):
    """No model keeps the limits of a preference."""


class Weighed(NamedTuple):
    """A model as a preference judges it. `score` is what it is judged by, the least is the best;
    None for one that was not compared, and `ruled_out` then says why."""

    probability: float
    score: float | None
    ruled_out: str = ""


def weigh(figures: Sequence[Figure], preference: Preference) -> tuple[Weighed, ...]:
    """How a preference judges models, each in its place; the first wins among equals.

    Raises DeclarationError, naming them, when something that counts is unknown of a model, and when
    none keeps the limits.
    """
    check_known(figures, preference)
    ruled_out = [preference.broken(figure) for figure in figures]
    kept = [place for place, why in enumerate(ruled_out) if not why]
    if not kept:
        told = "; ".join(
            f"{figure.model} breaks {why}" for figure, why in zip(figures, ruled_out, strict=True)
        )
        raise LimitsBroken(f"no model keeps the limits of the preference: {told}")
    losses = comparable(figures)
    for place in kept:
        rival = beaten_by(losses[place], kept, losses)
        if rival is not None:
            ruled_out[place] = f"{figures[rival].model} is better, and in nothing worse"
    front = [place for place in kept if not ruled_out[place]]
    front.sort(key=lambda place: [losses[place].get(measure, 0) for measure in TIES])
    compare = ordered if preference.order else weighted
    scores, shares = compare(preference, {place: losses[place] for place in front})
    return tuple(
        [
            Weighed(shares.get(place, 0.0), scores.get(place), why)
            for place, why in enumerate(ruled_out)
        ]
    )


def check_known(figures: Sequence[Figure], preference: Preference) -> None:
    """Raise DeclarationError, naming the models, where something that counts is unknown; nothing is
    compared where there is only one model."""
    several = len({figure.model for figure in figures}) > 1
    needed = preference.limited | (preference.counted if several else frozenset())
    unknown = {
        figure.model: names
        for figure in figures
        if (names := [m for m in MEASURES if m in needed and figure.loss(m) is None])
    }
    if unknown:
        told = "; ".join(f"{' and '.join(names)} of {model}" for model, names in unknown.items())
        raise DeclarationError(
            f"the preference acts on figures that are not known, and none is guessed: {told}; give"
            " a Figure that says them, or take the models away"
        )


def comparable(figures: Sequence[Figure]) -> list[Losses]:
    """The losses of each model in the measures that are known of all."""
    every = [{measure: figure.loss(measure) for measure in MEASURES} for figure in figures]
    known = [m for m in MEASURES if all(one[m] is not None for one in every)]
    return [{m: loss for m in known if (loss := one[m]) is not None} for one in every]


def beaten_by(own: Losses, among: Iterable[int], losses: Sequence[Losses]) -> int | None:
    """A model that is better in something and in nothing worse; None for one on the front."""
    for rival in among:
        other = losses[rival]
        if other != own and all(other[measure] <= own[measure] for measure in own):
            return rival
    return None


Judged = tuple[dict[int, float], dict[int, float]]
"""The score of each model of the front, and the probabilities above 0."""


def weighted(preference: Preference, front: Mapping[int, Losses]) -> Judged:
    """By weights; the front stands in the order in which ties are broken."""
    weights = {m: exact(weight) for m, weight in preference.weights.items() if weight}
    distances = scaled(front)
    scores: dict[int, Fraction | int] = {
        place: max(weight * distance.get(m, 0) for m, weight in weights.items())
        for place, distance in distances.items()
    }
    total = sum(weights.values())
    told = {place: float(score / total) for place, score in scores.items()}
    if preference.spread == 1:
        return told, {min(scores, key=lambda place: scores[place]): 1.0}
    lines = {
        place: Line(*[logarithm(weights.get(m, 0) * distance.get(m, 0)) for m in MEASURES])
        for place, distance in distances.items()
    }
    return told, tilted(lines, math.log(preference.spread))


def scaled(front: Mapping[int, Losses]) -> dict[int, dict[Measure, Fraction]]:
    """The distances to the best in each measure, 1 for the worst."""
    found: dict[int, dict[Measure, Fraction]] = {place: {} for place in front}
    for measure in next(iter(front.values())):
        worst = max(losses[measure] for losses in front.values())
        column = [felt(measure, losses[measure], worst) for losses in front.values()]
        best, span = min(column), max(column) - min(column)
        for place, value in zip(front, column, strict=True):
            found[place][measure] = (value - best) / (span or 1)
    return found


def felt(measure: Measure, loss: Fraction, worst: Fraction) -> Fraction:
    """A loss on the scale on which distances are counted: cost and latency by their ratios."""
    if measure == "accuracy" or not worst:
        return loss
    return Fraction(math.log(loss + worst * LEAST))


def ordered(preference: Preference, front: Mapping[int, Losses]) -> Judged:
    """By an order: the score says how many measures were still to come when a model fell behind."""
    scores = dict.fromkeys(front, 0.0)
    left = [*front]
    ranks = [rank for rank in preference.ranks if rank[0] in front[left[0]]]
    for number, (measure, slack) in enumerate(ranks):
        most = min(front[place][measure] for place in left) + exact(slack)
        for place in left:
            if front[place][measure] > most:
                scores[place] = float(len(ranks) - number)
        left = [place for place in left if not scores[place]]
    return scores, {left[0]: 1.0}


def logarithm(value: Fraction | int) -> float:
    return math.log(value) if value else -math.inf


class Line(NamedTuple):
    """The logarithms of a model's weighted distances. With the weights tilted by a factor, whose
    logarithm is t, that of accuracy falls with t, that of cost rises, and that of latency stays."""

    accuracy: float
    cost: float
    latency: float

    def at(self, t: float) -> float:
        """The logarithm of the score under a tilt."""
        return max(self.accuracy - t, self.cost + t, self.latency)


def tilted(lines: Mapping[int, Line], quartile: float) -> dict[int, float]:
    """The probability that each model is best when t is drawn from the logistic distribution, half
    of it between -quartile and quartile; the first wins among equals."""
    ends = [-math.inf, *crossings(lines.values()), math.inf]
    found: dict[int, float] = {}
    for low, high in pairwise(ends):
        t = between(low, high)
        best = min(lines, key=lambda place: lines[place].at(t))
        found[best] = found.get(best, 0.0) + below(high, quartile) - below(low, quartile)
    return found


def crossings(lines: Collection[Line]) -> list[float]:
    """Where one score can pass another, ascending."""
    found = {
        t
        for one in lines
        for other in lines
        for t in (
            (one.accuracy - other.cost) / 2,
            one.accuracy - other.latency,
            one.latency - other.cost,
        )
    }
    return sorted(filter(math.isfinite, found))


def between(low: float, high: float) -> float:
    if math.isinf(low):
        return 0.0 if math.isinf(high) else high - 1
    return low + 1 if math.isinf(high) else (low + high) / 2


def below(t: float, quartile: float) -> float:
    """The distribution function of the logistic distribution."""
    return (1 + math.tanh(math.log(3) / 2 * t / quartile)) / 2
