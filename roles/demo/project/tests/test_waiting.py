from datetime import date

from moorings.berths import Berth, Boat
from moorings.schedule import Schedule
from moorings.spans import Span
from moorings.waiting import WaitingList

SLOOP = Boat("Sloop", 940, 310, 180)
KETCH = Boat("Ketch", 990, 320, 190)
YAWL = Boat("Yawl", 900, 300, 170)
WEEK = Span(date(2026, 5, 4), date(2026, 5, 11))


def waiting(*boats, members=()):
    wishes = WaitingList()
    for boat in boats:
        wishes.add(boat, WEEK, member=boat in members)
    return wishes


def test_a_new_list_is_empty():
    assert len(WaitingList()) == 0


def test_a_boat_waits_only_once():
    assert len(waiting(SLOOP, KETCH, SLOOP)) == 2


def test_who_comes_first_is_served_first():
    assert [wish.boat for wish in waiting(SLOOP, KETCH).in_order()] == [SLOOP, KETCH]


def test_members_are_served_before_guests():
    wishes = waiting(SLOOP, KETCH, YAWL, members=(YAWL,))
    assert [wish.boat for wish in wishes.in_order()] == [YAWL, SLOOP, KETCH]


def test_the_next_in_line_has_the_first_place():
    wishes = waiting(SLOOP, KETCH, YAWL)
    assert wishes.place(SLOOP) == 1
    assert wishes.place(YAWL) == 3


def test_who_does_not_wait_has_no_place():
    assert waiting(SLOOP).place(KETCH) is None


def test_nobody_is_served_while_the_harbour_has_no_berth():
    wishes = waiting(SLOOP)
    assert wishes.serve(Schedule([])) == []
    assert len(wishes) == 1


def test_as_many_are_served_as_there_are_berths():
    wishes = waiting(SLOOP, KETCH)
    stays = wishes.serve(Schedule([Berth("B1", 1000, 350, 220)]))
    assert [stay.boat for stay in stays] == [SLOOP]
    assert [wish.boat for wish in wishes.wishes] == [KETCH]
