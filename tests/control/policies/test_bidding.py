"""Roles bid for their turns: what each bid comes to, who has the turn, and what is on record."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hive import Graph, Note, Role, Workflow, finish, handoff, posted, start, stop, turns
from hive.board.records import Decision
from hive.board.state import State, Tally
from hive.control import (
    Bid,
    Bidding,
    Chooser,
    EpsilonGreedy,
    Line,
    Mention,
    Move,
    Softmax,
    checked,
)
from hive.errors import DeclarationError
from hive.testing import FunctionModel
from tests.control.states import move, situation

NUMBERS = st.floats(-1e6, 1e6)
BIDS = st.builds(Bid, NUMBERS, st.floats(0, 1), st.floats(0, 1e6))


def test_a_bid_is_worth_its_value_by_its_chance_less_its_cost() -> None:
    assert Bid(5, 0.8, 0.4).score == pytest.approx(3.6)
    assert Bid(2).score == 2


@given(st.dictionaries(st.sampled_from("abcde"), BIDS, min_size=1))
def test_the_highest_bid_has_the_turn_the_first_among_equals(bids: dict[str, Any]) -> None:
    seen = situation(*(move(name) for name in bids))
    choice = checked(Bidding(bids).decide(seen), seen)
    scores = [bid.score for bid in bids.values()]
    assert choice.scores == pytest.approx(scores)
    assert choice.scores[choice.index] == max(choice.scores)
    assert max(choice.scores) not in choice.scores[: choice.index]
    assert choice.deterministic
    for name, parts in zip(bids, choice.parts, strict=True):
        value, chance, cost = (parts[f"{name} {what}"] for what in ("value", "chance", "cost"))
        assert value * chance - cost == pytest.approx(bids[name].score)


@given(BIDS, BIDS)
def test_the_bid_of_several_roles_is_the_sum_of_theirs(one: Bid, two: Bid) -> None:
    choice = Bidding({"a": one, "b": two}).decide(situation(move("a", "b")))
    assert choice.scores[0] == pytest.approx(one.score + two.score)


@given(BIDS, st.integers(1, 6))
def test_samples_cost_each_and_succeed_together(bid: Bid, number: int) -> None:
    lines = tuple(Line("a", None, sample, number) for sample in range(number))
    choice = Bidding({"a": bid}).decide(situation(Move(lines, "")))
    chance = 1 - (1 - bid.chance) ** number
    assert choice.scores[0] == pytest.approx(bid.value * chance - number * bid.cost, abs=1e-6)


@given(BIDS, st.integers(1, 6))
def test_each_entry_that_is_taken_counts(bid: Bid, number: int) -> None:
    lines = tuple(Line("a", f"1.{entry}") for entry in range(number))
    choice = Bidding({"a": bid}).decide(situation(Move(lines, "")))
    assert choice.scores[0] == pytest.approx(number * bid.score, abs=1e-6)


def test_a_reason_says_who_bid_what_and_what_it_beat() -> None:
    bids = Bidding({"coder": Bid(5, 0.8, 0.4), "critic": 2, "tester": 0})
    choice = bids.decide(situation(move("tester"), move("critic"), move("coder")))
    assert choice.reason == "coder bids 3.6 (coder 5×0.8-0.4), the most of 3; the next is 2"
    alone = bids.decide(situation(move("critic", "coder")))
    assert alone.reason == "critic + coder bids 5.6 (critic 2 + coder 5×0.8-0.4)"
    assert bids.name == "bidding (coder 5×0.8-0.4, critic 2, tester 0)"


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda: Bid(math.nan), "value=nan is no finite number"),
        (lambda: Bid(1, cost=math.inf), "cost=inf is no finite number"),
        (lambda: Bid(1, chance=1.5), "chance=1.5 is not in 0 to 1"),
        (lambda: Bid(1, cost=-1), "cost=-1 is below 0"),
        (lambda: Bid(True), "value=True is no finite number"),
        (lambda: Bidding({"a": math.inf}), "the bid of role 'a': value=inf is no finite number"),
        (lambda: Bidding({"a": "much"}), "the bid of role 'a': value='much' is no finite"),  # type: ignore[dict-item]
    ],
)
def test_a_bid_that_cannot_be_is_refused_when_made(made: Any, said: str) -> None:
    with pytest.raises(DeclarationError, match=said):
        made()


def test_what_a_function_bids_is_looked_at_when_it_decides() -> None:
    bids = Bidding({"a": lambda state: math.nan, "b": 1})
    with pytest.raises(DeclarationError, match="the bid of role 'a': value=nan"):
        bids.decide(situation(move("a"), move("b")))
    with pytest.raises(DeclarationError, match="role 'c' makes no bid"):
        bids.decide(situation(move("c")))


a, b, c = Role("a"), Role("b"), Role("c")
TEAM = Graph(
    start(a),
    handoff(a, a),
    handoff(a, b),
    handoff(b, a),
    handoff(b, b),
    finish(b, when=posted(Note, author=a) & turns(5)),
    stop(when=turns(8)),
)


def says(request: Any) -> str:
    return "so it is"


@pytest.mark.parametrize(
    ("bids", "said"),
    [
        ({"a": 1, "b": 1, "c": 1}, "a bid of 'c', who is no role; the roles are a, b"),
        ({"a": 1}, "role 'b' makes no bid; give it one, 0 if its turn is worth nothing"),
    ],
)
@pytest.mark.parametrize(
    "around",
    [
        lambda policy: policy,
        EpsilonGreedy,
        lambda policy: Softmax(Mention(otherwise=policy), 1),
        lambda policy: Chooser(fallback=policy),
    ],
)
def test_a_team_that_does_not_fit_the_bids_is_refused_when_made(
    around: Any, bids: dict[str, Any], said: str
) -> None:
    with pytest.raises(DeclarationError, match=said):
        Workflow(TEAM, model=FunctionModel(says), policy=around(Bidding(bids)))
    fits = around(Bidding({"a": 1, "b": 1}))
    assert Workflow(TEAM, model=FunctionModel(says), policy=fits).policy is fits


TURNS_OF_A = Tally("turns of a", 0, lambda value, entry: value + (entry.author == "a"))  # type: ignore[operator]


def eager(state: State) -> Bid:
    """The more often a had its turn, the less another one is worth."""
    return Bid(10 - 3 * int(state.tallies.get("turns of a", 0) > 4))  # type: ignore[operator]


@pytest.mark.parametrize("wrapped", [False, True])
def test_bids_are_on_record_and_follow_the_state(wrapped: bool) -> None:
    bids: Any = Bidding({"a": eager, "b": Bid(9, 0.9)}, tallies=(TURNS_OF_A,))
    policy = EpsilonGreedy(bids, 0) if wrapped else bids
    result = Workflow(TEAM, model=FunctionModel(says), policy=policy).run_sync("g", seed=1)
    made = [entry.payload for entry in result.entries if isinstance(entry.payload, Decision)]
    later = [decision for decision in made if len(decision.candidates) == 2]
    who = [decision.strands[0].role for decision in made]
    assert who == ["a", "a", "b", "b", "b"], "a wrote two entries in each of its turns"
    first = later[0].candidates
    assert [candidate.score for candidate in first] == [10, 8.1]
    assert first[0].parts == {"a value": 10, "a chance": 1, "a cost": 0}
    assert first[1].parts == {"b value": 9, "b chance": 0.9, "b cost": 0}
    assert later[-1].candidates[0].parts["a value"] == 7
    assert later[0].policy.endswith("bidding (a eager, b 9×0.9)")
    assert (result.outcome, result.reason) == ("finished", "goal_reached")
