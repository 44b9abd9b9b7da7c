"""Calls in line for a server: never more than the limits, in turn, and everybody gets there."""

import math
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hive.models.limits.endpoint import Amounts, Endpoint, Lane, Ticket, endpoint_at

LIMITED = {"x-ratelimit-limit-requests": "3"}


class Waiting:
    """A ticket, and how often its owner was woken."""

    def __init__(
        self, lane: Lane, tokens: int = 0, now: float = 0.0, *, dead: bool = False
    ) -> None:
        self.woken = 0
        self.dead = dead
        self.ticket = Ticket(lane, Amounts(tokens, 0), self.wake)
        lane.endpoint.join(self.ticket, now)

    def wake(self) -> None:
        if self.dead:
            raise RuntimeError("its event loop is closed")
        self.woken += 1

    @property
    def admitted(self) -> bool:
        return self.ticket.admitted


def lane(**declared: int) -> Lane:
    endpoint = Endpoint()
    if "concurrent" in declared:
        endpoint.declare(declared.pop("concurrent"))
    made = endpoint.lane("m")
    for counted, limit in declared.items():
        made.declare(counted, limit)  # type: ignore[arg-type]
    return made


def test_no_more_requests_in_any_minute_than_the_limit() -> None:
    one = lane(requests=2)
    calls = [Waiting(one, now=now) for now in (0, 30, 40, 50)]
    assert [call.admitted for call in calls] == [True, True, False, False]
    assert one.endpoint.wait(calls[2].ticket, 50)[0] == 10
    assert one.endpoint.wait(calls[3].ticket, 50)[0] == 40
    one.endpoint.admit(59.9)
    assert not calls[2].admitted
    one.endpoint.admit(60)
    assert [call.admitted for call in calls] == [True, True, True, False]


def test_what_was_estimated_too_high_is_given_back_when_the_use_is_known() -> None:
    one = lane(tokens=100)
    first, second = Waiting(one, 90), Waiting(one, 90)
    one.endpoint.end(first.ticket, 1, "well", Amounts(5, 5))
    assert second.admitted


def test_a_call_that_was_cancelled_before_it_was_sent_gives_all_back() -> None:
    one = lane(requests=1, concurrent=1)
    first, second = Waiting(one), Waiting(one)
    one.endpoint.leave(first.ticket, 1)
    assert second.admitted


def test_a_request_larger_than_the_limit_goes_when_nothing_else_counts() -> None:
    one = lane(tokens=100)
    Waiting(one, 60)
    large = Waiting(one, 1000, now=1)
    assert not large.admitted
    one.endpoint.admit(60)
    assert large.admitted


def test_limits_are_each_models_own_and_the_cap_is_the_servers() -> None:
    endpoint = Endpoint()
    endpoint.declare(2)
    small, large = endpoint.lane("small"), endpoint.lane("large")
    small.declare("requests", 1)
    calls = [Waiting(one) for one in (small, small, large, large)]
    assert [call.admitted for call in calls] == [True, False, True, False]
    endpoint.end(calls[0].ticket, 1, "well")
    assert [call.admitted for call in calls] == [True, False, True, True]


def test_the_strictest_limit_counts_declared_or_learned() -> None:
    one = lane(requests=5)
    one.declare("requests", 4)
    one.learn(LIMITED, 0)
    assert sum(Waiting(one).admitted for _ in range(9)) == 3


def test_a_limit_that_is_learned_holds_for_those_who_come_later() -> None:
    one = lane()
    told = LIMITED | {"x-ratelimit-remaining-requests": "1", "x-ratelimit-reset-requests": "8s"}
    one.learn(told, 0)
    first, second = Waiting(one), Waiting(one)
    assert (first.admitted, second.admitted) == (True, False)
    assert one.endpoint.wait(second.ticket, 0)[0] == 8
    one.endpoint.admit(8)
    assert second.admitted


def test_what_others_used_counts_once() -> None:
    one = lane()
    one.learn(LIMITED, 0)
    assert [Waiting(one).admitted for _ in range(2)] == [True, True]
    one.learn(LIMITED | {"x-ratelimit-remaining-requests": "1"}, 1)
    assert [Waiting(one, now=1).admitted for _ in range(2)] == [True, False]


def test_a_pause_is_heeded_by_all_and_bounded() -> None:
    one = lane()
    other = one.endpoint.lane("other")
    one.pause(7, 0)
    held, free = Waiting(one), Waiting(other)
    assert (held.admitted, free.admitted) == (False, True)
    assert one.endpoint.wait(held.ticket, 2)[0] == 5
    one.pause(100_000, 7)
    assert one.endpoint.wait(held.ticket, 7)[0] == 300
    one.endpoint.admit(307)
    assert held.admitted


def test_who_says_when_to_come_again_is_believed_over_its_own_counts() -> None:
    one = lane()
    one.learn(
        LIMITED | {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0s"}, 0
    )
    held = Waiting(one)
    assert one.endpoint.wait(held.ticket, 0)[0] == 300
    one.pause(7, 0)
    assert one.endpoint.wait(held.ticket, 0)[0] == 7
    one.endpoint.admit(7)
    assert held.admitted


def test_an_open_breaker_lets_nobody_through_and_then_one() -> None:
    one = lane()
    for _ in range(5):
        one.endpoint.end(Waiting(one).ticket, 0, "ill")
    calls = [Waiting(one, now=now) for now in (1, 2)]
    assert not any(call.admitted for call in calls)
    one.endpoint.admit(5)
    assert [call.admitted for call in calls] == [True, False]
    one.endpoint.end(calls[0].ticket, 6, "well")
    assert calls[1].admitted


def test_whoever_waits_is_woken_when_the_breaker_opens() -> None:
    one = lane(concurrent=1)
    for _ in range(4):
        one.endpoint.end(Waiting(one).ticket, 0, "ill")
    last, waiting = Waiting(one), Waiting(one)
    one.endpoint.end(last.ticket, 0, "ill")
    assert (waiting.admitted, waiting.woken) == (False, 1)


def test_a_ticket_whose_owner_is_gone_holds_nobody_up() -> None:
    one = lane(concurrent=1, requests=2)
    first = Waiting(one)
    gone = Waiting(one, dead=True)
    last = Waiting(one)
    one.endpoint.end(first.ticket, 0, "well")
    assert gone.ticket not in one.endpoint.queue
    assert last.admitted
    assert one.endpoint.under_way == 1


def test_a_server_and_a_key_are_known_throughout_the_process_and_the_key_is_not_kept() -> None:
    key = "sk-planted-9876543210"
    one = endpoint_at("http://here/v1", key)
    assert endpoint_at("http://here/v1", key) is one
    assert endpoint_at("http://here/v1", "another") is not one
    assert endpoint_at("http://there/v1", key) is not one
    assert key not in repr(vars(__import__("hive.models.limits.endpoint", fromlist=["KNOWN"])))


def test_of_many_servers_those_that_nobody_uses_are_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("hive.models.limits.endpoint.MOST", 3)
    used, idle, _ = (endpoint_at(address) for address in "abc")
    Waiting(used.lane("m"))
    endpoint_at("d")
    assert endpoint_at("a") is used
    assert endpoint_at("b") is not idle


@pytest.mark.parametrize("outcome", ["well", "ill", "untold"])
def test_a_call_that_has_ended_frees_its_place_however_it_ended(outcome: Any) -> None:
    one = lane(concurrent=1)
    first, second = Waiting(one), Waiting(one)
    one.endpoint.end(first.ticket, 0, outcome)
    assert second.admitted


class Line(RuleBasedStateMachine):
    """Any interleaving of calls that come, wait, are cancelled, end, and learn of limits."""

    REQUESTS, TOKENS, CONCURRENT = 4, 100, 3

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.lane = lane(requests=self.REQUESTS, tokens=self.TOKENS, concurrent=self.CONCURRENT)
        self.endpoint = self.lane.endpoint
        self.waiting: list[Waiting] = []
        self.under_way: list[Waiting] = []
        self.through: list[tuple[float, list[int]]] = []
        self.counts: dict[Ticket, list[int]] = {}

    def look(self) -> None:
        """Note who was let through: the first in line, and nobody before them."""
        admitted = [call for call in self.waiting if call.admitted]
        assert self.waiting[: len(admitted)] == admitted
        for call in admitted:
            self.waiting.remove(call)
            self.under_way.append(call)
            count = [1, sum(call.ticket.amounts)]
            self.counts[call.ticket] = count
            self.through.append((self.now, count))
        for call in self.waiting:
            if call.woken:
                call.woken = 0
                self.endpoint.wait(call.ticket, self.now)

    @rule(tokens=st.integers(0, 100))
    def comes(self, tokens: int) -> None:
        self.waiting.append(Waiting(self.lane, tokens, self.now))
        self.waiting[-1].woken = 1  # who has just come looks how long it will take
        self.look()

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def gives_up(self, data: st.DataObject) -> None:
        call = data.draw(st.sampled_from(self.waiting))
        self.waiting.remove(call)
        self.endpoint.leave(call.ticket, self.now)
        self.look()

    @precondition(lambda self: self.under_way)
    @rule(data=st.data(), outcome=st.sampled_from(["well", "ill", "untold"]))
    def ends(self, data: st.DataObject, outcome: Any) -> None:
        call = data.draw(st.sampled_from(self.under_way))
        used = data.draw(st.none() | st.integers(0, sum(call.ticket.amounts)))
        self.under_way.remove(call)
        if used is not None:
            self.counts[call.ticket][1] = used
        self.endpoint.end(
            call.ticket, self.now, outcome, None if used is None else Amounts(used, 0)
        )
        self.look()

    @precondition(lambda self: self.under_way)
    @rule(data=st.data())
    def is_withdrawn_before_it_is_sent(self, data: st.DataObject) -> None:
        call = data.draw(st.sampled_from(self.under_way))
        self.under_way.remove(call)
        self.counts[call.ticket][:] = [0, 0]
        self.endpoint.leave(call.ticket, self.now)
        self.look()

    @rule(limit=st.integers(1, 9), remaining=st.integers(0, 9), reset=st.integers(0, 400))
    def hears_headers(self, limit: int, remaining: int, reset: int) -> None:
        told = {"limit": f"{limit}", "remaining": f"{remaining}", "reset": f"{reset}s"}
        headers = {f"x-ratelimit-{part}-requests": value for part, value in told.items()}
        self.lane.learn(headers, self.now)
        self.look()

    @rule(seconds=st.integers(0, 100))
    def is_told_to_pause(self, seconds: int) -> None:
        self.lane.pause(seconds, self.now)
        self.look()

    @rule(seconds=st.floats(0, 90))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self.endpoint.admit(self.now)
        for call in self.waiting:
            if call.ticket.due <= self.now:
                call.woken = 1
        self.look()

    @invariant()
    def no_window_lets_more_through_than_the_limits(self) -> None:
        last = [count for at, count in self.through if at > self.now - 60]
        assert sum(requests for requests, _ in last) <= self.REQUESTS
        assert sum(tokens for _, tokens in last) <= self.TOKENS
        assert self.endpoint.under_way == len(self.under_way) <= self.CONCURRENT

    @invariant()
    def the_first_in_line_looks_again_in_time(self) -> None:
        if self.waiting and not self.endpoint.full() and not self.endpoint.breaker.wait(self.now):
            first = self.waiting[0].ticket
            assert self.now < first.due <= self.now + self.lane.wait([first], self.now) + 1e-6

    def teardown(self) -> None:
        """Nobody waits for ever: as calls end and time passes, all get their turn."""
        for _ in range(20 * (1 + len(self.waiting))):
            if not self.waiting:
                break
            for call in self.under_way:
                self.endpoint.end(call.ticket, self.now, "well")
            self.under_way.clear()
            self.look()
            if self.waiting and not self.under_way:
                first = self.waiting[0].ticket
                wait = max(
                    self.endpoint.wait(first, self.now)[0], self.endpoint.breaker.wait(self.now)
                )
                assert wait > 0
                self.now += self.endpoint.breaker.wait(self.now) if wait == math.inf else wait
                self.endpoint.admit(self.now)
                self.look()
        assert not self.waiting


TestLine = Line.TestCase
TestLine.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
