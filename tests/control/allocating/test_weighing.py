"""What a preference takes: the rule, its tie, its front, and what holds of it for any figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from math import log
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from hive.control import Figure, Preference
from hive.control.allocating.figures import MEASURES, Measure, rows_for
from hive.control.allocating.weighing import Weighed, weigh
from hive.errors import DeclarationError

CHEAP = Figure("cheap", accuracy=0.6, usd=0.001, seconds=4)
MIDDLE = Figure("middle", accuracy=0.8, usd=0.01, seconds=6)
DEAR = Figure("dear", accuracy=0.9, usd=0.1, seconds=30)
LADDER = (CHEAP, MIDDLE, DEAR)

tenths = st.integers(0, 10).map(lambda n: n / 10)
weights = st.integers(0, 6).map(float) | st.floats(0, 9)


@st.composite
def tables(draw: st.DrawFn) -> tuple[Figure, ...]:
    """Some models whose figures often tie and often beat each other."""
    rows = draw(st.lists(st.tuples(tenths, tenths, tenths), min_size=1, max_size=6))
    return tuple(
        Figure(f"m{n}", accuracy=row[0], usd=row[1], seconds=row[2]) for n, row in enumerate(rows)
    )


@st.composite
def preferences(draw: st.DrawFn) -> Preference:
    given = [draw(weights) for _ in MEASURES]
    assume(any(given))
    return Preference(accuracy=given[0], cost=given[1], latency=given[2])


def taken(figures: Sequence[Figure], preference: Preference) -> Figure:
    (found,) = [f for f, one in zip(figures, weigh(figures, preference), strict=True) if
                one.probability]  # fmt: skip
    return found


def weighing(preference: Preference, measure: Measure, weight: float) -> Preference:
    """The preference with another weight."""
    changed: Any = {measure: weight}
    return replace(preference, **changed)


def loss(figure: Figure, measure: Measure) -> Fraction:
    found = figure.loss(measure)
    assert found is not None
    return found


def expected(figures: Sequence[Figure], preference: Preference, measure: Measure) -> float:
    """What is expected of a measure, to have little of."""
    judged = weigh(figures, preference)
    return sum(
        float(loss(figure, measure)) * one.probability
        for figure, one in zip(figures, judged, strict=True)
    )


def best_in_all(one: Figure, other: Figure) -> bool:
    losses = [(loss(one, measure), loss(other, measure)) for measure in MEASURES]
    return all(mine <= theirs for mine, theirs in losses) and any(a < b for a, b in losses)


def test_the_worst_weighted_distance_to_the_best_decides() -> None:
    judged = weigh(LADDER, Preference(accuracy=1, cost=1))
    assert [one.probability for one in judged] == [0, 1, 0]
    # middle: a third of the range of accuracy from the best, and half-way between in cost
    assert [one.score for one in judged] == [0.5, pytest.approx(0.25, abs=0.02), 0.5]


@pytest.mark.parametrize(
    ("preference", "model"),
    [
        ("quality", "dear"),
        ("balanced", "middle"),
        ("thrifty", "cheap"),
        ("fast", "cheap"),
        ("accuracy=1", "dear"),
        ("cost=1", "cheap"),
        ("accuracy>cost", "dear"),
        ("accuracy:0.15>cost", "middle"),
        ("accuracy:0.4>latency", "cheap"),
        ("quality,most_usd=0.05", "middle"),
        ("quality,most_seconds=5", "cheap"),
        ("thrifty,min_accuracy=0.7", "middle"),
        ("thrifty,min_accuracy=0.9", "dear"),
    ],
)
def test_profiles_orders_and_limits_take_what_one_would_expect(preference: str, model: str) -> None:
    assert taken(LADDER, Preference.of(preference)).model == model


def test_a_tie_goes_to_the_cheaper_then_to_the_better_then_to_the_faster() -> None:
    even = (Figure("dear", 0.9, 0.2, 1), Figure("cheap", 0.5, 0.1, 1))
    assert taken(even, Preference(accuracy=1, cost=1)).model == "cheap"
    fast = (Figure("slow", 0.9, 0.1, 2), Figure("bad", 0.5, 0.1, 1))
    assert taken(fast, Preference(cost=1)).model == "slow"
    same = (Figure("one", 0.9, 0.1, 1), Figure("two", 0.9, 0.1, 1))
    assert taken(same, Preference(cost=1)).model == "one"


def test_who_is_ruled_out_is_told_why() -> None:
    beaten = Figure("beaten", accuracy=0.5, usd=0.002, seconds=5)
    judged = weigh((*LADDER, beaten), Preference.of("thrifty,most_usd=0.05"))
    assert judged[2] == Weighed(0, None, "most_usd=0.05")
    assert judged[3] == Weighed(0, None, "cheap is better, and in nothing worse")


def test_an_accuracy_that_was_measured_on_few_does_not_reach_a_limit() -> None:
    limit = Preference.of("cost=1,min_accuracy=0.8")
    few, many = Figure("few", 1.0, 0.01, judged=5), Figure("many", 0.9, 0.02, judged=200)
    assert few.surely == pytest.approx(0.649, abs=1e-3)
    assert many.surely == pytest.approx(0.859, abs=1e-3)
    assert taken((few, many), limit).model == "many"
    assert taken((replace(few, judged=None), many), limit).model == "few"


def test_what_is_unknown_is_refused_by_name_where_it_counts() -> None:
    new = Figure("new", usd=0.002)
    with pytest.raises(
        DeclarationError, match=r"none is guessed: accuracy and latency of new; give a Figure"
    ):
        weigh((*LADDER, new), Preference.of("fast"))
    assert taken((*LADDER, new), Preference(cost=1)).model == "cheap"
    with pytest.raises(DeclarationError, match="none is guessed: latency of new"):
        weigh((CHEAP, new), Preference.of("cost=1,most_seconds=3"))
    assert weigh((new, new), Preference.of("quality"))[0].probability == 1
    assert weigh((new,), Preference.of("accuracy>cost"))[0].probability == 1


def test_limits_that_nobody_keeps_are_told() -> None:
    with pytest.raises(
        DeclarationError,
        match=r"no model keeps the limits of the preference: cheap breaks min_accuracy=0.95; middle"
        r" breaks min_accuracy=0.95, most_usd=0.005; dear breaks",
    ):
        weigh(LADDER, Preference.of("cost=1,min_accuracy=0.95,most_usd=0.005"))


def test_figures_of_a_class_count_where_every_model_has_one() -> None:
    hard = replace(CHEAP, level="complex", accuracy=0.1)
    figures = (*LADDER, hard)
    names = [figure.model for figure in LADDER]
    assert rows_for(figures, names, "simple") == [*LADDER]
    assert rows_for(figures, names, "complex") == [*LADDER]
    every = (*figures, *(replace(f, level="complex") for f in (MIDDLE, DEAR)))
    assert [row.accuracy for row in rows_for(every, names, "complex")] == [0.1, 0.8, 0.9]
    assert rows_for(figures, ["new"], "simple") == [Figure("new")]


@given(tables(), preferences(), st.sampled_from(MEASURES), weights)
@example((CHEAP, MIDDLE, DEAR), Preference(1, 1), "cost", 8.0)
def test_more_weight_on_a_measure_never_takes_what_is_worse_in_it(
    figures: tuple[Figure, ...], preference: Preference, measure: Measure, more: float
) -> None:
    assume(more > preference.weights[measure])
    raised = weighing(preference, measure, more)
    before, after = taken(figures, preference), taken(figures, raised)
    assert loss(after, measure) <= loss(before, measure)


@given(tables(), preferences(), st.sampled_from(MEASURES), weights, st.floats(1.05, 6))
def test_nor_is_it_expected_to_when_the_choice_is_drawn(
    figures: tuple[Figure, ...],
    preference: Preference,
    measure: Measure,
    more: float,
    spread: float,
) -> None:
    assume(more > preference.weights[measure])
    before = replace(preference, spread=spread)
    after = weighing(before, measure, more)
    assert expected(figures, after, measure) <= expected(figures, before, measure) + 1e-9


@given(tables(), preferences(), st.floats(1, 6))
def test_what_is_taken_is_on_the_front_and_the_probabilities_sum_to_one(
    figures: tuple[Figure, ...], preference: Preference, spread: float
) -> None:
    judged = weigh(figures, replace(preference, spread=spread))
    assert sum(one.probability for one in judged) == pytest.approx(1)
    for figure, one in zip(figures, judged, strict=True):
        if one.probability:
            assert not any(best_in_all(other, figure) for other in figures)


@given(
    tables(),
    preferences(),
    st.floats(1.2, 4),
    st.floats(0.999, 1.001),
    st.sampled_from(MEASURES),
)
def test_a_small_change_of_a_weight_is_a_small_change_of_the_draw(
    figures: tuple[Figure, ...],
    preference: Preference,
    spread: float,
    factor: float,
    measure: Measure,
) -> None:
    before = replace(preference, spread=spread)
    after = weighing(before, measure, factor * before.weights[measure])
    moved = sum(
        abs(one.probability - other.probability)
        for one, other in zip(weigh(figures, before), weigh(figures, after), strict=True)
    )
    # Each place where the choice changes moves by no more than the weight's logarithm; there are
    # fewer than four for each model, and the tilt is nowhere denser than ln 3 / (4 ln spread).
    assert moved <= 2 * len(figures) * abs(log(factor)) * log(3) / log(spread) + 1e-9


@given(tables(), preferences(), st.floats(1, 4), tenths, tenths, tenths)
def test_a_model_that_another_beats_in_everything_changes_nothing(
    figures: tuple[Figure, ...],
    preference: Preference,
    spread: float,
    accuracy: float,
    usd: float,
    seconds: float,
) -> None:
    more = Figure("more", accuracy, usd, seconds)
    assume(any(best_in_all(figure, more) for figure in figures))
    drawn = replace(preference, spread=spread)
    alone, beside = weigh(figures, drawn), weigh((*figures, more), drawn)
    assert beside[:-1] == alone
    assert beside[-1].probability == 0


def test_another_model_on_the_front_may_change_the_choice_among_the_rest() -> None:
    cheap, good = Figure("cheap", 0.8, 0.02), Figure("good", 0.9, 0.1)
    better = Figure("better", 1.0, 1.0)
    even = Preference(accuracy=1, cost=1)
    assert taken((cheap, good), even).model == "cheap"
    assert taken((cheap, good, better), even).model == "good"


def test_the_augmented_distance_would_not_be_monotone() -> None:
    """The reason for the plain rule: with a share of the sum added, more weight on cost can take
    the dearer one."""
    distances = {"cheaper": (0.55, 0.5, 0.5), "dearer": (0.58, 0.6, 0.1)}

    def takes(weight: float, share: float) -> str:
        def score(name: str) -> float:
            parts = [w * d for w, d in zip((weight, 1, 1), distances[name], strict=True)]
            return max(parts) + share * sum(parts)

        return min(distances, key=score)

    assert [takes(weight, share=0.2) for weight in (0.1, 1.0)] == ["cheaper", "dearer"]
    assert [takes(weight, share=0.0) for weight in (0.1, 1.0)] == ["cheaper", "cheaper"]


@pytest.mark.parametrize("spread", [1.2, 2.0, 4.0])
def test_neighbours_on_the_front_share_a_draw_by_how_close_the_setting_is(spread: float) -> None:
    at = [Preference(accuracy=1, cost=cost, spread=spread) for cost in (0.01, 0.5, 1, 2, 100)]
    cheap = [weigh((CHEAP, DEAR), preference)[0].probability for preference in at]
    assert cheap == sorted(cheap)
    assert cheap[2] == pytest.approx(0.5)
    assert 0 < cheap[1] < 0.5 < cheap[3] < 1


def test_half_of_the_draws_tilt_the_weights_by_less_than_the_spread() -> None:
    # At a ratio of weights of 4 the choice between two turns where the tilt is 2, both ways.
    drawn = weigh((CHEAP, DEAR), Preference(accuracy=1, cost=4, spread=2))
    assert drawn[0].probability == pytest.approx(0.75)
