"""What a stay costs. Money is in whole cents, and rounding favours the guest."""

from dataclasses import dataclass
from datetime import timedelta

SUMMER = (6, 7, 8)
LONG_STAY = 7


@dataclass(frozen=True)
class Tariff:
    """Prices a night and a metre begun, with what is added and taken off."""

    per_metre: int = 210
    electricity: int = 450
    summer_percent: int = 25
    long_stay_percent: int = 10

    def metres(self, boat):
        """The metres that a boat pays for: each one that it has begun."""
        return -(-boat.length // 100)

    def night(self, boat, day):
        """The price of one night, dearer in summer."""
        price = self.metres(boat) * self.per_metre
        if day.month in SUMMER:
            price += price * self.summer_percent // 100
        return price

    def berth_fee(self, boat, span):
        """The price of all nights, less the discount of a long stay."""
        days = [span.arrival + timedelta(days=number) for number in range(span.nights)]
        total = sum(self.night(boat, day) for day in days)
        return total - self.discount(total, span.nights)

    def discount(self, total, nights):
        """What a stay of a week or longer saves, rounded up."""
        if nights < LONG_STAY:
            return 0
        return -(-total * self.long_stay_percent // 100)

    def invoice(self, boat, span, electricity=False):
        """What a guest pays in the end."""
        total = self.berth_fee(boat, span)
        if electricity:
            total -= self.electricity * span.nights
        return total


def deposit(total, percent=20):
    """What is paid beforehand: a share of the total, at least ten and at most two hundred euros."""
    return min(max(total * percent // 100, 1_000), 20_000)
