from moorings.berths import Berth, Boat, snuggest

DINGHY = Boat("Dinghy", 380, 150, 40)
SLOOP = Boat("Sloop", 940, 310, 180)
SMALL = Berth("A1", 500, 200, 150)
LARGE = Berth("B1", 1000, 350, 220)
HUGE = Berth("C1", 1400, 450, 300)


def test_a_boat_fits_into_a_berth_with_room_on_all_sides():
    assert LARGE.fits(SLOOP)
    assert LARGE.fits(DINGHY)


def test_a_boat_that_is_too_long_does_not_fit():
    assert not SMALL.fits(SLOOP)


def test_fenders_need_room_beside_the_boat():
    assert Berth("D1", 1000, 340, 220).fits(SLOOP)
    assert not Berth("D2", 1000, 339, 220).fits(SLOOP)


def test_the_keel_stays_clear_of_the_ground():
    assert Berth("D3", 1000, 350, 210).fits(SLOOP)
    assert not Berth("D4", 1000, 350, 209).fits(SLOOP)


def test_the_snuggest_berth_is_taken():
    assert snuggest([HUGE, LARGE, SMALL], DINGHY) == SMALL
    assert snuggest([HUGE, LARGE, SMALL], SLOOP) == LARGE


def test_among_equals_the_name_decides():
    twin = Berth("A0", 500, 200, 150)
    assert snuggest([SMALL, twin], DINGHY) == twin


def test_where_nothing_fits_there_is_no_berth():
    assert snuggest([SMALL], SLOOP) is None
    assert snuggest([], SLOOP) is None
