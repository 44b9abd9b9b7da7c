"""What all runs of a process know of one server and key (models floor).

Pure but for a lock: times are handed in, as seconds of one clock that never goes back, and whoever
waits is woken through a callable of its own, so that calls of several event loops and threads can
stand in one queue. `hive.models.wrappers.limited` does the waiting.
"""

import hashlib
import math
import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from hive.models.limits.breaker import Breaker
from hive.models.limits.quota import Counted, quotas
from hive.models.limits.window import LONGEST, Share, Window

__all__ = ["Amounts", "Endpoint", "Lane", "Outcome", "Ticket", "endpoint_at"]

MOST = 1000
"""Endpoints that are remembered; beyond it, those that nobody uses are forgotten."""

Outcome = Literal["well", "ill", "untold"]
"""What the end of a call says of its server."""


class Amounts(NamedTuple):
    """The tokens of a call; `cached` are those of the input that a cache served."""

    input: int
    output: int
    cached: int = 0

    def of(self, counted: Counted) -> int:
        """What the call takes of a quota on `counted`."""
        match counted:
            case "requests":
                return 1
            case "tokens":
                return self.input + self.output
            case "input-tokens":  # Anthropic's word, which does not count what is cached
                return self.input - self.cached
            case "output-tokens":
                return self.output


class Ticket:
    """One call: in the queue until it is `admitted`, then under way.

    `wake` is called when it was admitted or should look again; RuntimeError says that nobody waits
    there any more.
    """

    def __init__(self, lane: "Lane", amounts: Amounts, wake: Callable[[], None]) -> None:
        self.lane = lane
        self.amounts = amounts
        self.wake = wake
        self.admitted = False
        self.due = -math.inf
        """When whoever waits looks again without being woken."""
        self.shares: list[tuple[Counted, Window, Share]] = []


class Endpoint:
    """One server, asked with one key: a cap on calls under way, a breaker, and a lane per model.

    Who comes first is let through first, but for those whose model's own limits hold them back.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.breaker = Breaker()
        self.concurrent: int | None = None
        self.under_way = 0
        self.trouble = ""
        """How the last call ended of which the server was to blame, in its error's words."""
        self.queue: deque[Ticket] = deque()
        self.lanes: dict[str, Lane] = {}

    def lane(self, model: str) -> "Lane":
        """The lane of a model: providers count requests and tokens for each model by itself."""
        with self.lock:
            return self.lanes.setdefault(model, Lane(self))

    def declare(self, concurrent: int) -> None:
        """Cap the calls under way; the lowest cap that was declared counts."""
        with self.lock:
            self.concurrent = min(concurrent, self.concurrent or concurrent)

    def full(self) -> bool:
        """Whether a further call has to wait until one has ended."""
        if self.breaker.trial is not None:
            return True
        return self.concurrent is not None and self.under_way >= self.concurrent

    def join(self, ticket: Ticket, now: float) -> None:
        """Stand in the queue, and go on at once if that is possible."""
        with self.lock:
            self.queue.append(ticket)
            self.admit(now)

    def admit(self, now: float) -> None:
        """Let through whoever may go on."""
        with self.lock:
            if not self.queue or self.breaker.wait(now):
                return
            held: set[Lane] = set()
            for ticket in tuple(self.queue):
                if self.full():
                    return
                if ticket.admitted or ticket.lane in held:
                    continue
                wait = ticket.lane.wait([ticket], now)
                if not wait:
                    self.go(ticket, now)
                    continue
                held.add(ticket.lane)
                if ticket.due > now + wait:
                    self.wake(ticket, now)

    def go(self, ticket: Ticket, now: float) -> None:
        self.queue.remove(ticket)
        self.under_way += 1
        self.breaker.begin(ticket)
        ticket.lane.take(ticket, now)
        ticket.admitted = True
        self.wake(ticket, now)

    def wake(self, ticket: Ticket, now: float) -> None:
        try:
            ticket.wake()
        except RuntimeError:
            self.leave(ticket, now)

    def wait(self, ticket: Ticket, now: float) -> tuple[float, float]:
        """Seconds until a waiting ticket is let through if the calls under way use all that was
        estimated, and the least number that it can be; infinite where it depends on other calls
        alone. It is taken for granted that its owner looks after the first."""
        with self.lock:
            ahead = []
            for other in self.queue:
                if other.lane is ticket.lane:
                    ahead.append(other)
                if other is ticket:
                    break
            wait = ticket.lane.wait(ahead, now) or math.inf
            ticket.due = now + wait
            return wait, ticket.lane.wait(ahead, now, hoping=True) or math.inf

    def leave(self, ticket: Ticket, now: float) -> None:
        """Give up a ticket before its call was made: what it took is given back."""
        with self.lock:
            if ticket.admitted:
                for _, window, share in ticket.shares:
                    window.correct(share, 0, now)
                self.end(ticket, now, "untold")
            elif ticket in self.queue:
                self.queue.remove(ticket)
                self.admit(now)

    def end(
        self, ticket: Ticket, now: float, outcome: Outcome, used: Amounts | None = None
    ) -> None:
        """A call has ended: what it used is known from now on, unless it is None."""
        with self.lock:
            self.under_way -= 1
            for counted, window, share in ticket.shares:
                window.correct(share, share.amount if used is None else used.of(counted), now)
            match outcome:
                case "well":
                    self.breaker.well()
                case "ill":
                    self.breaker.ill(ticket, now)
                case "untold":
                    self.breaker.untold(ticket)
            if self.breaker.wait(now):
                for waiting in tuple(self.queue):
                    self.wake(waiting, now)
            self.admit(now)


class Lane:
    """What is known of one model at an endpoint: its limits, and a pause that was asked for."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.windows: dict[str, tuple[Counted, Window]] = {}
        self.paused = -math.inf

    def window(self, name: str, counted: Counted) -> Window:
        return self.windows.setdefault(name, (counted, Window()))[1]

    def declare(self, counted: Counted, limit: int) -> None:
        """Set a limit per minute of the user's."""
        with self.endpoint.lock:
            self.window(counted, counted).declare(limit)

    def learn(self, headers: Mapping[str, str], now: float) -> None:
        """Believe what the headers of a response say of limits."""
        if told := quotas(headers):
            with self.endpoint.lock:
                for quota in told:
                    self.window(quota.name, quota.counted).learn(quota, now)
                self.endpoint.admit(now)

    def pause(self, seconds: float, now: float) -> None:
        """Let nothing through for so long, as the server asked; at most five minutes at a time, so
        that a wrong word does not silence a model for a day.

        A server that says when to come again knows better than the counts it sends along, which say
        when all of a limit is there again, and not when some of it is.
        """
        with self.endpoint.lock:
            end = now + min(seconds, LONGEST)
            self.paused = max(self.paused, end)
            for _, window in self.windows.values():
                window.others.until = min(window.others.until, end)
            self.endpoint.admit(now)  # whoever waited for longer looks again

    def wait(self, tickets: list[Ticket], now: float, *, hoping: bool = False) -> float:
        """Seconds until all these fit at once, as far as that can be told."""
        longest = max(0.0, self.paused - now)
        for counted, window in self.windows.values():
            amount = sum(ticket.amounts.of(counted) for ticket in tickets)
            longest = max(longest, window.wait(amount, now, hoping=hoping))
        return longest

    def why(self, ticket: Ticket, now: float) -> str:
        """What holds a ticket back."""
        with self.endpoint.lock:
            if self.paused > now:
                return "the server asked to slow down"
            for name, (counted, window) in self.windows.items():
                if window.wait(ticket.amounts.of(counted), now):
                    return f"{window.limit} {name} in {window.span:g} s are the limit"
            if self.endpoint.breaker.trial is not None:
                return "the server failed lately, and one call tries whether it is well again"
            if self.endpoint.full():
                return f"{self.endpoint.under_way} calls are under way, as many as may be"
            return "others were there first"

    def take(self, ticket: Ticket, now: float) -> None:
        for counted, window in self.windows.values():
            share = window.take(ticket.amounts.of(counted), now, sure=counted == "requests")
            ticket.shares.append((counted, window, share))


KNOWN: dict[tuple[str, str], Endpoint] = {}
LOCK = threading.Lock()


def endpoint_at(address: str, key: str = "") -> Endpoint:
    """What this process knows of a server and a key; the key itself is not kept."""
    who = (address, hashlib.sha256(key.encode()).hexdigest())
    with LOCK:
        found = KNOWN.get(who)
        if found is None:
            if len(KNOWN) >= MOST:
                for other, endpoint in tuple(KNOWN.items()):
                    if not endpoint.under_way and not endpoint.queue:
                        del KNOWN[other]
            found = KNOWN[who] = Endpoint()
        return found
