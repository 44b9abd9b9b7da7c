"""Counting ballots: what holds for every way of voting, against the definitions word for word."""

from __future__ import annotations

from itertools import permutations
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hive.control.voting.counting import borda_points, first_choices, leaders

OPTIONS = ("a", "b", "c", "d")
rankings = st.lists(st.sampled_from(OPTIONS), unique=True, max_size=4).map(tuple)
elections = st.lists(rankings, max_size=7)
"""Ballots that may name some options only, or none."""


@given(elections, st.randoms(use_true_random=False))
def test_who_votes_in_which_order_changes_nothing(ballots: list[Any], chance: Any) -> None:
    mixed = list(ballots)
    chance.shuffle(mixed)
    assert borda_points(OPTIONS, mixed) == borda_points(OPTIONS, ballots)
    assert first_choices(OPTIONS, mixed) == first_choices(OPTIONS, ballots)


@given(elections, st.permutations(OPTIONS))
def test_no_option_is_favoured_by_its_name(ballots: list[Any], others: list[str]) -> None:
    renamed = dict(zip(OPTIONS, others, strict=True))
    told = [tuple(renamed[each] for each in ballot) for ballot in ballots]
    for rule in (borda_points, first_choices):
        before = rule(OPTIONS, ballots)
        assert rule(OPTIONS, told) == {renamed[each]: before[each] for each in OPTIONS}


@given(elections, st.data())
def test_whoever_leads_still_leads_when_somebody_ranks_it_higher(
    ballots: list[Any], data: st.DataObject
) -> None:
    for rule in (borda_points, first_choices):
        best = leaders(rule(OPTIONS, ballots))[0]
        below = [place for place, ballot in enumerate(ballots) if ballot[:1] != (best,)]
        if not below:
            continue
        place = data.draw(st.sampled_from(below))
        others = [each for each in ballots[place] if each != best]
        known = best in ballots[place]
        most = ballots[place].index(best) - 1 if known else len(others)
        where = data.draw(st.integers(0, most))
        raised = [*ballots]
        raised[place] = (*others[:where], best, *others[where:])
        assert best in leaders(rule(OPTIONS, raised))


@given(elections.filter(any))
def test_who_is_named_in_no_ballot_never_leads(ballots: list[Any]) -> None:
    named = {each for ballot in ballots for each in ballot}
    assert set(leaders(borda_points(OPTIONS, ballots))) <= named
    assert set(leaders(first_choices(OPTIONS, ballots))) <= named


@given(elections)
def test_every_ballot_gives_away_points_that_sum_to_nothing(ballots: list[Any]) -> None:
    assert sum(borda_points(OPTIONS, ballots).values()) == 0


@given(st.lists(st.permutations(OPTIONS), min_size=1, max_size=6))
def test_whole_rankings_are_ordered_as_by_bordas_own_points(ballots: list[Any]) -> None:
    own = {o: sum(3 - ballot.index(o) for ballot in ballots) for o in OPTIONS}
    points = borda_points(OPTIONS, ballots)
    assert leaders(points) == leaders(own)
    assert all(points[o] == 2 * own[o] - 3 * len(ballots) for o in OPTIONS)


@given(rankings)
def test_what_is_left_out_gets_the_mean_of_all_ways_to_complete_it(ballot: tuple[str, ...]) -> None:
    rest = [option for option in OPTIONS if option not in ballot]
    ways = [(*ballot, *order) for order in permutations(rest)]
    whole = borda_points(OPTIONS, ways)
    assert {o: points * len(ways) for o, points in borda_points(OPTIONS, [ballot]).items()} == whole


def test_points_count_who_stands_below_less_who_stands_above() -> None:
    assert borda_points("abc", ["abc", "ab"]) == {"a": 4, "b": 0, "c": -4}
    assert borda_points("abc", ["b"]) == {"a": -1, "b": 2, "c": -1}
    assert leaders({"a": 1, "b": 1, "c": 0}) == ["a", "b"]
    assert leaders({}) == []
