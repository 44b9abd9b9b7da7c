from datetime import date

import pytest

from moorings.berths import Berth, Boat
from moorings.schedule import HarbourFull, Schedule
from moorings.spans import Span

DINGHY = Boat("Dinghy", 380, 150, 40)
SLOOP = Boat("Sloop", 940, 310, 180)
KETCH = Boat("Ketch", 990, 320, 190)
SMALL = Berth("A1", 500, 200, 150)
LARGE = Berth("B1", 1000, 350, 220)


def may(arrival, departure):
    return Span(date(2026, 5, arrival), date(2026, 5, departure))


@pytest.fixture
def schedule():
    return Schedule([LARGE, SMALL])


def test_an_empty_harbour_is_free(schedule):
    assert schedule.is_free(LARGE, may(1, 5))


def test_an_empty_harbour_offers_every_berth_that_fits(schedule):
    assert schedule.choices(DINGHY, may(1, 5)) == [LARGE, SMALL]
    assert schedule.choices(SLOOP, may(1, 5)) == [LARGE]


def test_a_boat_gets_the_snuggest_berth(schedule):
    assert schedule.book(DINGHY, may(1, 5)).berth == SMALL
    assert schedule.book(SLOOP, may(1, 5)).berth == LARGE


def test_a_taken_berth_is_not_given_away(schedule):
    schedule.book(SLOOP, may(1, 5))
    with pytest.raises(HarbourFull, match="Ketch"):
        schedule.book(KETCH, may(4, 8))


def test_the_next_boat_may_come_when_the_first_one_leaves(schedule):
    schedule.book(SLOOP, may(1, 5))
    assert schedule.book(KETCH, may(5, 8)).berth == LARGE


def test_a_cancelled_berth_is_free_again(schedule):
    stay = schedule.book(SLOOP, may(1, 5))
    schedule.cancel(stay)
    assert schedule.book(KETCH, may(2, 4)).berth == LARGE


def test_occupied_berths_are_listed_by_name(schedule):
    schedule.book(SLOOP, may(1, 5))
    schedule.book(DINGHY, may(3, 4))
    assert schedule.occupied(date(2026, 5, 3)) == ["A1", "B1"]
    assert schedule.occupied(date(2026, 5, 4)) == ["B1"]


def test_openings_of_a_berth(schedule):
    schedule.book(SLOOP, may(3, 5))
    assert schedule.openings(LARGE, may(1, 10)) == [may(1, 3), may(5, 10)]
    assert schedule.openings(SMALL, may(1, 10)) == [may(1, 10)]
