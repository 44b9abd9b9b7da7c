"""What went through under a limit lately (models floor): a window that slides with time.

The window is exact: in no stretch of time as long as it is does more go through than the limit. A
bucket that fills up again would let twice as much through in its first minute.
"""

from collections import deque

from hive.models.limits.quota import MINUTE, Quota

__all__ = ["Share", "Window"]

LONGEST = 300.0
"""Seconds for which a server's word on what others have used is believed without a newer one."""


class Share:
    """What one call takes of a limit: how much, until when that counts, and whether it is sure: an
    estimate may turn out to be less at any time."""

    __slots__ = ("amount", "sure", "until")

    def __init__(self, amount: int, until: float, sure: bool = True) -> None:
        self.amount = amount
        self.until = until
        self.sure = sure


class Window:
    """A limit on what goes through in any `span` seconds: declared, learned from the server, or
    both, and then the lower one. All times are seconds of one clock that never goes back."""

    def __init__(self, span: float = MINUTE) -> None:
        self.span = span
        self.declared: int | None = None
        self.learned: int | None = None
        self.shares: deque[Share] = deque()
        self.total = 0
        self.others = Share(0, 0.0)
        """What the server counts beyond our shares: another process's calls with the same key."""

    @property
    def limit(self) -> int | None:
        """How much may go through; None while there is no limit."""
        if self.declared is None or self.learned is None:
            return self.learned if self.declared is None else self.declared
        return min(self.declared, self.learned)

    def declare(self, limit: int) -> None:
        """Set a limit of the user's; the lowest that was declared counts."""
        self.declared = limit if self.declared is None else min(self.declared, limit)

    def learn(self, quota: Quota, now: float) -> None:
        """Believe what the server says: its limit, and how much is left of it."""
        self.expire(now)
        self.learned, self.span = quota.limit, quota.span
        if quota.remaining is not None:
            beyond = quota.limit - quota.remaining - self.total
            reset = self.span if quota.reset is None else min(quota.reset, LONGEST)
            self.others = Share(max(0, beyond), now + reset)

    def wait(self, amount: int, now: float, *, hoping: bool = False) -> float:
        """Seconds until so much fits; more than the limit fits where nothing else is. `hoping` that
        what was estimated turns out to be nothing, the least number that it can be."""
        self.expire(now)
        limit = self.limit
        if limit is None:
            return 0.0
        room = limit - self.total - self.others.amount
        lacking = min(amount, limit) - room
        if lacking <= 0:
            return 0.0
        leaving = self.leaving()
        if hoping:
            lacking -= sum(share.amount for share in leaving if not share.sure)
            leaving = [share for share in leaving if share.sure]
            if lacking <= 0:
                return 0.0
        for share in leaving:
            lacking -= share.amount
            if lacking <= 0:
                return share.until - now
        raise AssertionError("an empty window holds what is no more than its limit")

    def take(self, amount: int, now: float, *, sure: bool = True) -> Share:
        """Let so much through now."""
        share = Share(amount, now + self.span, sure)
        self.shares.append(share)
        self.total += amount
        return share

    def correct(self, share: Share, amount: int, now: float) -> None:
        """A share turned out to be this large; 0 gives it back."""
        self.expire(now)
        if share.until > now:
            self.total += amount - share.amount
            share.amount, share.sure = amount, True

    def expire(self, now: float) -> None:
        """Drop what was let through so long ago that it no longer counts."""
        shares = self.shares
        while shares and shares[0].until <= now:
            self.total -= shares.popleft().amount
        if self.others.amount and self.others.until <= now:
            self.others = Share(0, 0.0)

    def leaving(self) -> list[Share]:
        """All that counts now, what ends first in front."""
        others = [self.others] if self.others.amount else []
        return sorted([*self.shares, *others], key=lambda share: share.until)
