"""The breaker: an ill server is left alone, then tried by one call."""

from hive.models.limits.breaker import Breaker


def broken(breaker: Breaker, now: float) -> None:
    for _ in range(Breaker.THRESHOLD):
        breaker.ill(object(), now)


def test_it_opens_after_so_many_failures_in_a_row() -> None:
    breaker = Breaker()
    for _ in range(3):
        for _ in range(Breaker.THRESHOLD - 1):
            breaker.ill(object(), 0)
        breaker.well()
    assert breaker.wait(0) == 0
    broken(breaker, 10)
    assert breaker.wait(10) == Breaker.FIRST
    assert breaker.wait(10 + Breaker.FIRST) == 0


def test_calls_that_fail_while_it_is_open_change_nothing() -> None:
    breaker = Breaker()
    broken(breaker, 0)
    broken(breaker, 4)
    assert breaker.wait(4) == Breaker.FIRST - 4


def test_a_trial_that_ends_well_closes_it() -> None:
    breaker = Breaker()
    broken(breaker, 0)
    breaker.begin("trial")
    breaker.well()
    assert (breaker.trial, breaker.until) == (None, None)
    for _ in range(Breaker.THRESHOLD - 1):
        breaker.ill(object(), 9)
    assert breaker.wait(9) == 0


def test_each_trial_that_fails_opens_it_for_twice_as_long_up_to_a_bound() -> None:
    breaker, now, waits = Breaker(), 0.0, []
    broken(breaker, now)
    for _ in range(6):
        waits.append(breaker.wait(now))
        now += waits[-1]
        breaker.begin("trial")
        breaker.ill("trial", now)
    assert waits == [5, 10, 20, 40, 60, 60]


def test_after_a_trial_that_tells_nothing_another_is_made() -> None:
    breaker = Breaker()
    broken(breaker, 0)
    breaker.begin("cancelled")
    seen = [breaker.trial]
    for ended in ("somebody else", "cancelled"):
        breaker.untold(ended)
        seen.append(breaker.trial)
    breaker.begin("next")
    assert [*seen, breaker.trial] == ["cancelled", "cancelled", None, "next"]
