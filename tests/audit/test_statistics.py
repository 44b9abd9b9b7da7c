"""Paired differences: against scipy's own numbers, on edges, and by simulation."""

from __future__ import annotations

import importlib.util
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats  # type: ignore[import-untyped]  # ships no types

from hive.audit.statistics import FEWEST_PAIRS, difference, interval

BEFORE = [21.4, 20.2, 23.9, 19.1, 25.0, 22.2, 18.7, 24.4, 20.9, 21.8, 26.3, 19.9]
AFTER = [19.8, 20.4, 21.1, 18.0, 21.7, 21.9, 17.2, 21.0, 20.1, 19.6, 20.8, 19.2]


def test_the_interval_lies_where_the_t_test_has_it() -> None:
    """Twelve pairs of measurements that are near enough to normal for both to agree."""
    found = difference(BEFORE, AFTER)
    assert found.low is not None
    assert found.high is not None
    expected = stats.ttest_rel(AFTER, BEFORE).confidence_interval(0.95)
    spread = expected.high - expected.low
    assert found.mean == pytest.approx(sum(AFTER) / 12 - sum(BEFORE) / 12)
    assert found.low == pytest.approx(expected.low, abs=0.25 * spread)
    assert found.high == pytest.approx(expected.high, abs=0.25 * spread)
    assert found.tells is True


def test_it_is_what_scipy_computes_from_the_same_seed_and_comes_out_the_same_twice() -> None:
    import numpy

    differences = [after - before for before, after in zip(BEFORE, AFTER, strict=True)]
    rng = numpy.random.default_rng(20_011)
    known = stats.bootstrap((differences,), numpy.mean, method="BCa", random_state=rng)
    found = difference(BEFORE, AFTER)
    assert (found.low, found.high) == pytest.approx(tuple(known.confidence_interval))
    assert difference(BEFORE, AFTER) == found


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    """200 experiments of 20 skewed differences around a known mean; about 190 should cover it."""
    chance = random.Random(7)
    covered = 0
    for _ in range(200):
        drawn = [chance.expovariate(1.0) - 1.0 for _ in range(20)]
        low, high = interval(drawn, resamples=600)
        covered += low <= 0.0 <= high
    assert 176 <= covered <= 198


def test_below_ten_pairs_nothing_is_said_about_chance() -> None:
    few = difference(BEFORE[:9], AFTER[:9])
    assert (few.low, few.high, few.tells) == (None, None, None)
    assert few.note == "9 pairs are too few to tell"
    assert few.mean == pytest.approx(sum(AFTER[:9]) / 9 - sum(BEFORE[:9]) / 9)


@pytest.mark.parametrize("step", [0.0, 0.25, 1e9])
def test_pairs_that_all_differ_by_the_same_have_no_interval(step: float) -> None:
    found = difference([1.0] * 12, [1.0 + step] * 12)
    assert found.mean == pytest.approx(step)
    assert (found.low, found.note) == (None, "every pair differs by the same")


def test_one_value_that_stands_out_among_equal_ones_still_gives_an_interval() -> None:
    found = difference([0.0] * 12, [0.0] * 11 + [1.0])
    assert found.low is not None
    assert found.high is not None
    assert 0.0 <= found.low < found.mean < found.high <= 1.0


def test_without_scipy_there_is_the_mean_and_a_word_why_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    found = difference(BEFORE, AFTER)
    assert (found.pairs, found.low, found.note) == (12, None, "no interval without scipy")


@pytest.mark.parametrize(("one", "other"), [([], []), ([1.0], []), ([1.0], [1.0, 2.0])])
def test_what_makes_no_pairs_is_refused(one: list[float], other: list[float]) -> None:
    with pytest.raises(ValueError, match="make no pairs"):
        difference(one, other)


@given(st.lists(st.tuples(*[st.integers(-(10**6), 10**6)] * 2), min_size=1, max_size=9))
def test_the_mean_difference_is_the_difference_of_the_means(pairs: list[tuple[int, int]]) -> None:
    one, other = ([float(value) for value in side] for side in zip(*pairs, strict=True))
    found = difference(one, other)
    assert found.pairs == len(pairs) < FEWEST_PAIRS
    assert math.isclose(found.mean, found.other - found.one, abs_tol=1e-6)
