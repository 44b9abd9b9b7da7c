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
    points = dict.fromkeys(options, 0)
    for ballot in ballots:
        named, last = len(ballot), len(points) - 1
        places = {option: place for place, option in enumerate(ballot)}
        for option in points:
            place = places.get(option)
            points[option] += -named if place is None else last - 2 * place
    return points


def leaders(points: Mapping[str, int]) -> list[str]:
    """The options with the most points, in order; more than one where they tie."""
    most = max(points.values(), default=0)
    return [option for option, number in points.items() if number == most]
