from datetime import date

import pytest

from moorings.spans import Span, gaps


def may(arrival, departure):
    return Span(date(2026, 5, arrival), date(2026, 5, departure))


def test_nights_are_counted_between_the_days():
    assert may(3, 4).nights == 1
    assert may(3, 10).nights == 7


def test_a_stay_without_a_night_is_refused():
    with pytest.raises(ValueError, match="no night"):
        may(3, 3)


def test_the_day_of_departure_is_not_covered():
    stay = may(3, 6)
    assert [day for day in range(1, 8) if stay.covers(date(2026, 5, day))] == [3, 4, 5]


@pytest.mark.parametrize(("one", "two"), [((1, 5), (4, 8)), ((1, 9), (3, 4)), ((2, 5), (2, 5))])
def test_stays_that_share_a_night_overlap(one, two):
    assert may(*one).overlaps(may(*two))
    assert may(*two).overlaps(may(*one))


def test_stays_that_share_no_day_do_not_overlap():
    assert not may(1, 3).overlaps(may(5, 8))
    assert not may(5, 8).overlaps(may(1, 3))


def test_one_may_arrive_on_the_day_another_leaves():
    assert not may(1, 3).overlaps(may(3, 8))
    assert not may(3, 8).overlaps(may(1, 3))


def test_a_stay_can_be_extended():
    assert may(1, 3).extended(2) == may(1, 5)


def test_gaps_lie_between_the_stays_whatever_their_order():
    assert gaps([may(10, 12), may(3, 5)], may(1, 20)) == [may(1, 3), may(5, 10), may(12, 20)]


def test_a_window_without_stays_is_one_gap():
    assert gaps([], may(1, 20)) == [may(1, 20)]


def test_there_is_no_gap_in_a_window_that_is_taken():
    assert gaps([may(1, 9), may(9, 25)], may(2, 20)) == []
