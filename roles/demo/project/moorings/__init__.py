"""The office of a small harbour: berths, stays, prices and a waiting list."""

from moorings.berths import Berth, Boat
from moorings.schedule import HarbourFull, Schedule, Stay
from moorings.spans import Span
from moorings.tariff import Tariff
from moorings.waiting import WaitingList

__all__ = ["Berth", "Boat", "HarbourFull", "Schedule", "Span", "Stay", "Tariff", "WaitingList"]
