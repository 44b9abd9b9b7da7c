from datetime import date

import pytest

from moorings.berths import Boat
from moorings.spans import Span
from moorings.tariff import Tariff, deposit

SLOOP = Boat("Sloop", 940, 310, 180)
TARIFF = Tariff()


def test_a_metre_begun_is_a_metre_paid():
    assert TARIFF.metres(SLOOP) == 10
    assert TARIFF.metres(Boat("Nine", 900, 300, 150)) == 9


def test_a_night_in_spring_has_the_plain_price():
    assert TARIFF.night(SLOOP, date(2026, 5, 31)) == 2_100


def test_a_night_in_summer_is_dearer():
    assert TARIFF.night(SLOOP, date(2026, 6, 1)) == 2_625
    assert TARIFF.night(SLOOP, date(2026, 8, 31)) == 2_625


def test_a_stay_across_the_seasons_pays_each_night_its_price():
    span = Span(date(2026, 5, 31), date(2026, 6, 2))
    assert TARIFF.berth_fee(SLOOP, span) == 2_100 + 2_625


@pytest.mark.parametrize(("nights", "saved"), [(1, 0), (6, 0), (7, 1_470), (8, 1_680)])
def test_a_week_is_a_long_stay(nights, saved):
    assert TARIFF.discount(nights * 2_100, nights) == saved


def test_the_discount_is_rounded_for_the_guest():
    assert TARIFF.discount(14_701, 7) == 1_471


def test_an_invoice_without_extras_is_the_berth_fee():
    span = Span(date(2026, 5, 1), date(2026, 5, 8))
    assert TARIFF.invoice(SLOOP, span) == 14_700 - 1_470


def test_electricity_is_paid_for_every_night():
    span = Span(date(2026, 5, 1), date(2026, 5, 4))
    assert TARIFF.invoice(SLOOP, span, electricity=True) == 3 * 2_100 + 3 * 450


@pytest.mark.parametrize(("total", "paid"), [(3_000, 1_000), (30_000, 6_000), (500_000, 20_000)])
def test_a_deposit_stays_within_its_bounds(total, paid):
    assert deposit(total) == paid
