"""How ballots are counted (control floor): pure arithmetic on who puts what first.

A ballot is a ranking: the best first, and what is left out of it ties for the last place.
"""

from collections.abc import Iterable, Mapping, Sequence

__all__ = ["Ranking", "borda_points", "first_choices", "leaders"]

Ranking = Sequence[str]


def first_choices(options: Iterable[str], ballots: Iterable[Ranking]) -> dict[str, int]:
    """How many ballots put each option first; those that name nothing count for nobody."""
    counts = dict.fromkeys(options, 0)
    for ballot in ballots:
        if ballot:
            counts[ballot[0]] += 1
    return counts


def borda_points(options: Iterable[str], ballots: Iterable[Ranking]) -> dict[str, int]:
    """The Borda points of each option: how often others stand below it in a ballot, less how often
    others stand above it.

    For whole rankings this orders as 0, 1, 2 … points from the last place up do. Options that a
    ballot leaves out share the mean of the places that are left, the averaged rule for incomplete
    rankings (Terzopoulou and Endriss 2021, "The Borda class"): all ballots weigh alike, for the
    points that one gives sum to 0 however many options it names.
    """
    ballots = list(ballots)
    left_out = -sum(len(ballot) for ballot in ballots)  # what all would have if nobody named them
    points = dict.fromkeys(options, left_out)
    last = len(points) - 1
    for ballot in ballots:
        for place, option in enumerate(ballot):
            points[option] += last - 2 * place + len(ballot)
    return points


def leaders(points: Mapping[str, int]) -> list[str]:
    """The options with the most points, in order; more than one where they tie."""
    most = max(points.values(), default=0)
    return [option for option, number in points.items() if number == most]
