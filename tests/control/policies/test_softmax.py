"""Moves drawn by their scores: a whole distribution, from one-hot to uniform."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hive import Graph, Role, Workflow, finish, handoff, start, stop, turns
from hive.board.records import Decision
from hive.control import Bidding, Choice, Chooser, GraphOrder, Situation, Softmax, checked
from hive.control.policies.softmax import drawn, softmax
from hive.errors import DeclarationError
from hive.testing import FunctionModel
from tests.control.states import move, situation

FINITE = st.floats(allow_nan=False, allow_infinity=False)
SCORES = st.lists(FINITE, min_size=2, max_size=8)
WARM = st.floats(min_value=5e-324, max_value=1e300)


@dataclass(frozen=True)
class Scored:
    """A policy with some scores."""

    scores: tuple[float, ...]
    name: str = "scored"

    def decide(self, situation: Situation) -> Choice:
        onehot = tuple(float(place == 0) for place in range(len(self.scores)))
        return Choice(0, onehot, self.scores, "the first")


def choose(scores: list[float], temperature: float, seed: int = 0) -> Choice:
    seen = situation(*(move(f"r{n}") for n in range(len(scores))), seed=seed)
    return checked(Softmax(Scored(tuple(scores)), temperature).decide(seen), seen)


@given(SCORES, WARM, st.integers(0, 99))
def test_the_distribution_is_whole_and_rises_with_the_score(
    scores: list[float], temperature: float, seed: int
) -> None:
    choice = choose(scores, temperature, seed)
    assert math.isclose(math.fsum(choice.probabilities), 1)
    assert choice.probabilities[choice.index] > 0
    assert choice.scores == tuple(scores)
    ranked = sorted(zip(scores, choice.probabilities, strict=True))
    assert all(one[1] <= two[1] for one, two in pairwise(ranked))
    by_score: dict[float, set[float]] = {}
    for score, probability in ranked:
        by_score.setdefault(score, set()).add(probability)
    assert all(len(same) == 1 for same in by_score.values())


@given(st.lists(st.integers(-1000, 1000), min_size=2, max_size=8, unique=True))
def test_a_low_temperature_takes_the_best_and_a_high_one_any(scores: list[int]) -> None:
    cold = choose([float(score) for score in scores], 1e-6)
    assert cold.index == scores.index(max(scores))
    assert cold.deterministic
    assert cold.probabilities[cold.index] == 1
    warm = choose([float(score) for score in scores], 1e12)
    assert warm.probabilities == pytest.approx([1 / len(scores)] * len(scores))


@given(SCORES, WARM, st.floats(-1e6, 1e6))
def test_only_differences_count(scores: list[float], temperature: float, more: float) -> None:
    small = [score % 100 for score in scores]
    moved = [score + round(more) for score in small]
    warm = max(temperature, 1.0)
    assert softmax(moved, warm) == pytest.approx(softmax(small, warm), abs=1e-6)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6), st.floats(0, 1))
def test_nothing_without_probability_is_drawn(weights: list[float], point: float) -> None:
    whole = math.fsum(weights)
    probabilities = [weight / whole for weight in weights] if whole else [1.0]
    assert probabilities[drawn(probabilities, point)] > 0


def test_a_point_on_a_bound_falls_to_what_is_above_it() -> None:
    assert [drawn((0.25, 0.25, 0.5), point) for point in (0, 0.25, 0.5)] == [0, 1, 2]


def test_what_is_drawn_is_as_frequent_as_it_says_and_comes_from_the_seed() -> None:
    scores = [0.0, math.log(2), math.log(5)]
    seen = [choose(scores, 1.0, seed) for seed in range(2000)]
    share = Counter(choice.index for choice in seen)
    assert seen[0].probabilities == pytest.approx((1 / 8, 2 / 8, 5 / 8))
    for index, probability in enumerate(seen[0].probabilities):
        assert abs(share[index] / 2000 - probability) < 0.04
    again = [choose(scores, 1.0, seed).index for seed in range(2000)]
    assert again == [choice.index for choice in seen]


def test_a_reason_says_what_was_drawn_and_what_would_have_been_taken() -> None:
    seen = situation(move("a"), move("b"))
    choice = Softmax(Scored((0.0, 50.0)), 1).decide(seen)
    said = "drawn with probability 1: b, which has the score 50; scored would have taken a"
    assert (choice.index, choice.reason) == (1, said)


def test_the_policy_within_decides_where_there_is_no_choice() -> None:
    alone = situation(move("a"))
    assert Softmax(GraphOrder(), 2).decide(alone) == GraphOrder().decide(alone)
    assert Softmax(GraphOrder(), 2).name == "softmax 2 over graph order"
    assert Softmax(Chooser(), 2).advisor == Chooser().advisor


@pytest.mark.parametrize("temperature", [0, -1, math.nan, math.inf, "1"])
def test_a_temperature_that_is_none_is_refused(temperature: Any) -> None:
    with pytest.raises(DeclarationError, match="is no number above 0"):
        Softmax(GraphOrder(), temperature)


def test_a_run_draws_by_its_seed_and_keeps_what_was_bid_on_record() -> None:
    a, b = Role("a"), Role("b")
    graph = Graph(
        start(a),
        *(handoff(one, two) for one in (a, b) for two in (a, b)),
        finish(b, when=turns(12)),
        stop(when=turns(13)),
    )
    policy = Softmax(Bidding({"a": 1, "b": 1.5}), 1)
    team = Workflow(graph, model=FunctionModel(lambda request: "so"), policy=policy)

    def decisions(seed: int) -> list[Decision]:
        found = team.run_sync("g", seed=seed).entries
        return [entry.payload for entry in found if isinstance(entry.payload, Decision)]

    made = decisions(1)
    likely = 1 / (1 + math.exp(-0.5))
    for decision in made[1:]:
        one, two = decision.candidates
        assert (one.probability, two.probability) == pytest.approx((1 - likely, likely))
        assert two.parts == {"b value": 1.5, "b chance": 1, "b cost": 0}
        assert not decision.deterministic
    assert {decision.chosen for decision in made[1:]} == {0, 1}
    assert [one.chosen for one in decisions(1)] == [one.chosen for one in made]
    assert [one.chosen for one in decisions(2)] != [one.chosen for one in made]
