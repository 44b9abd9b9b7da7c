from __future__ import annotations

import math
import random
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hive.board.contributions import Note
from hive.board.state import State
from hive.control import (
    Choice,
    Chooser,
    EpsilonGreedy,
    GraphOrder,
    Mention,
    Move,
    Policy,
    RoundRobin,
    Situation,
    checked,
    features,
    generator,
)
from hive.errors import DeclarationError
from hive.role import Role
from tests.control.states import decision, entry, folded, move, situation


@dataclass(frozen=True)
class Coin:
    """A policy that draws: any candidate alike."""

    name: str = "coin"

    def decide(self, situation: Situation) -> Choice:
        number = len(situation.candidates)
        index = min(int(situation.rng.random() * number), number - 1)
        return Choice(index, (1 / number,) * number, (0.0,) * number, "drawn", deterministic=False)


POLICIES: tuple[Policy, ...] = (
    GraphOrder(),
    RoundRobin(),
    Mention(),
    Mention(otherwise=RoundRobin()),
    Chooser(),
    Coin(),
    EpsilonGreedy(GraphOrder()),
    EpsilonGreedy(Coin(), 0.5),
    EpsilonGreedy(EpsilonGreedy(RoundRobin(), 0.3), 1.0),
    EpsilonGreedy(RoundRobin(), 0),
)
NAMES = st.sampled_from("abcde")
anything: Any = replace


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    teams = draw(
        st.lists(
            st.lists(NAMES, min_size=1, max_size=3, unique=True).map(tuple),
            min_size=1,
            max_size=6,
            unique_by=frozenset,
        )
    )
    acted = draw(st.dictionaries(NAMES, st.integers(1, 9)))
    asked = draw(st.lists(st.tuples(NAMES, NAMES), max_size=2))
    state = State(turn=9, acted=acted, handoffs=tuple(asked))
    return situation(*(move(*team) for team in teams), state=state, seed=draw(st.integers(0, 99)))


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
@given(seen=situations())
def test_every_choice_is_lawful_and_the_same_twice(policy: Policy, seen: Situation) -> None:
    choice = checked(policy.decide(seen), seen, policy.name)
    assert math.isclose(math.fsum(choice.probabilities), 1)
    assert choice.probabilities[choice.index] > 0
    assert max(choice.probabilities) == 1 or not choice.deterministic
    assert choice.reason
    again = replace(seen)
    assert policy.decide(again) == choice


def test_graph_order_takes_the_first() -> None:
    one = GraphOrder().decide(situation(move("a")))
    assert one == Choice(0, (1.0,), (1.0,), "the only move allowed: … → a")
    two = GraphOrder().decide(situation(move("a"), move("b")))
    assert (two.index, two.probabilities, two.deterministic) == (0, (1.0, 0.0), True)


@given(st.integers(1, 6), st.integers(1, 4))
def test_round_robin_is_fair(number: int, rounds: int) -> None:
    moves = [move(name) for name in "abcdef"[:number]]
    acted: dict[str, int] = {}
    order = []
    for turn in range(number * rounds):
        choice = RoundRobin().decide(situation(*moves, state=State(turn=turn, acted=dict(acted))))
        name = moves[choice.index].name
        acted[name] = turn + 1
        order.append(name)
        assert set(order[-number:]) == set(order) or len(order) < number
    assert set(Counter(order).values()) == {rounds}


def test_round_robin_says_how_long_somebody_waited() -> None:
    state = State(turn=5, acted={"a": 5, "b": 2})
    assert (
        "b last acted in turn 2"
        in RoundRobin().decide(situation(move("a"), move("b"), state=state)).reason
    )
    fresh = RoundRobin().decide(situation(move("a"), move("c", "b"), move("c"), state=state))
    assert fresh.index == 2
    assert fresh.reason.startswith("c has not acted yet")


@pytest.mark.parametrize("epsilon", [-0.1, 1.1, float("nan"), "0.1"])
def test_a_chance_to_explore_that_is_none_is_refused(epsilon: Any) -> None:
    with pytest.raises(DeclarationError, match="is not in 0 to 1"):
        EpsilonGreedy(GraphOrder(), epsilon)


def test_epsilon_greedy_explores_as_often_as_it_says() -> None:
    moves = (move("a"), move("b"), move("c"), move("d"))
    policy = EpsilonGreedy(GraphOrder(), 0.4)
    seen = [policy.decide(situation(*moves, seed=seed)) for seed in range(2000)]
    assert {choice.probabilities for choice in seen} == {(0.7, 0.1, 0.1, 0.1)}
    share = Counter(choice.index for choice in seen)
    assert abs(share[0] / 2000 - 0.7) < 0.05
    assert all(abs(share[other] / 2000 - 0.1) < 0.03 for other in (1, 2, 3))
    explored = next(choice for choice in seen if choice.index == 3)
    assert explored.reason == "explored: a draw of 0.4 fell on d; graph order would have taken a"


def test_epsilon_greedy_with_nothing_to_explore_is_the_policy_within() -> None:
    assert EpsilonGreedy(GraphOrder()).decide(situation(move("a"))).deterministic
    both = situation(move("a"), move("b"))
    assert EpsilonGreedy(RoundRobin(), 0).decide(both) == RoundRobin().decide(both)
    assert EpsilonGreedy(Chooser()).advisor == Chooser().advisor
    assert EpsilonGreedy(GraphOrder()).advisor is None
    assert EpsilonGreedy(GraphOrder(), 0.25).name == "epsilon-greedy 0.25 over graph order"
    with pytest.raises(DeclarationError, match=r"epsilon=1.5 is not in 0 to 1"):
        EpsilonGreedy(GraphOrder(), 1.5)


SURE = Choice(0, (1.0, 0.0), (0.0, 0.0), "")


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (None, "must give a Choice"),
        (0, "must give a Choice"),
        (replace(SURE, index=2), r"index 2 is none of the 2 candidates \(0 to 1\)"),
        (replace(SURE, index=-1), "index -1"),
        (anything(SURE, index="a"), "index 'a'"),
        (replace(SURE, index=True), "index True"),
        (replace(SURE, probabilities=(1.0,)), "1 probabilities for 2 candidates"),
        (replace(SURE, scores=(1.0, 2.0, 3.0)), "3 scores for 2 candidates"),
        (replace(SURE, probabilities=(math.nan, 1.0)), "not all finite"),
        (anything(SURE, probabilities=("1", 0)), "not all finite"),
        (replace(SURE, scores=(math.inf, 1.0)), "not all finite"),
        (replace(SURE, probabilities=(1.5, -0.5)), "probability -0.5 is negative"),
        (replace(SURE, probabilities=(0.5, 0.4)), "sum to 0.9, not 1"),
        (replace(SURE, probabilities=(0.0, 1.0)), "chosen with probability 0"),
        (replace(SURE, probabilities=(0.5, 0.5)), "called deterministic"),
        (replace(SURE, parts=({"a": 1.0},)), "1 parts for 2 candidates"),
        (anything(SURE, parts=({"a": "much"}, {})), "parts .* are not all finite numbers"),
    ],
)
def test_a_wrong_choice_is_refused_by_name(choice: Any, said: str) -> None:
    with pytest.raises(DeclarationError, match=f"mine: .*{said}"):
        checked(choice, situation(move("a"), move("b")), "mine")


def test_a_situation_draws_from_one_generator_made_when_needed() -> None:
    made = []

    def chance() -> random.Random:
        made.append(generator(1, "2//0", "decide"))
        return made[-1]

    seen = Situation(State(), (move("a"), move("b")), chance=chance)
    GraphOrder().decide(seen)
    assert made == []
    first, second = seen.rng.random(), seen.rng.random()
    assert len(made) == 1
    fresh = generator(1, "2//0", "decide")
    assert (first, second) == (fresh.random(), fresh.random())
    with pytest.raises(DeclarationError, match="give it `chance`"):
        _ = Situation(State(), ()).rng


@given(st.integers(), st.text(max_size=9), st.text(max_size=9))
def test_a_generator_depends_on_run_place_and_purpose(seed: int, place: str, why: str) -> None:
    drawn = generator(seed, place, why).random()
    assert drawn == generator(seed, place, why).random()
    assert drawn != generator(seed + 1, place, why).random()
    assert drawn != generator(seed, place, why + "x").random()


def test_features_are_small_and_json_shaped() -> None:
    state = folded(decision(1, "a", "b"), entry(Note(text="x"), "a", turn=1))
    assert features(state, (move("c"),)) == {
        "turn": 1,
        "frontier": "a+b",
        "candidates": 1,
        "contributions": 1,
        "tasks": 0,
        "questions": 0,
        "faults": 0,
        "progress": 1,
        "tokens": 0,
        "spent": 0,
    }
    assert features(State(), ())["progress"] == 0


def test_a_users_policy_is_any_object_with_a_name_and_decide() -> None:
    seen = situation(move("a"), move("b"))
    policy: Policy = Coin()
    assert checked(policy.decide(seen), seen).deterministic is False
    moves: tuple[Move, ...] = seen.candidates
    assert Situation(State(), moves, roles={"a": Role("a")}).roles["a"].name == "a"
