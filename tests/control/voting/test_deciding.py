"""Deciding rules: what a poll comes to, by majority and by rankings, and what a panel comes to."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hive import control
from hive.board.ballots import Critique, Proposal, Vote
from hive.board.contributions import Artifact, Note, Review, Verdict
from hive.board.entry import Entry
from hive.board.view import View, show
from hive.control import BordaCount, DecidingRule, MajorityVote, teller
from hive.errors import DeclarationError
from tests.control.states import decision, entry

anything: Any = control
"""The door without its types, for what only untyped callers can get wrong."""
A, B, C = "1/author#0/1", "1/author#1/1", "1/author#2/1"


def proposals(turn: int = 1, number: int = 3) -> list[Entry]:
    """What as many samples of an author propose in a turn."""
    return [
        entry(Proposal(text=f"way {n}"), "author", turn=turn, strand=f"author#{n}")
        for n in range(number)
    ]


def vote(voter: str, *order: str, turn: int = 2, reason: str = "so") -> Entry:
    """A vote for one proposal, or a ranking of several; an abstention where none is named."""
    said = {"choice": order[0]} if len(order) == 1 else {"ranking": order, "abstain": not order}
    payload = Vote.model_validate({"reason": reason, **said})
    return entry(payload, voter.partition("#")[0], turn=turn, strand=voter)


def votes(*choices: str, turn: int = 2) -> list[Entry]:
    return [vote(f"voter#{n}", choice, turn=turn) for n, choice in enumerate(choices)]


def verdict(ruling: str, turn: int, **more: Any) -> Entry:
    payload = Verdict.model_validate({"ruling": ruling, "reasons": (), **more})
    return entry(payload, "teller", turn=turn)


def said(rule: DecidingRule, *entries: Entry) -> tuple[str, str | None]:
    found = rule.decide(entries)
    return found.ruling, found.chosen


def test_more_than_half_of_the_votes_carry_a_proposal() -> None:
    assert said(MajorityVote(), *proposals(), *votes(A, B, A)) == ("accept", A)
    assert said(MajorityVote(), *proposals(), *votes(A, B, A, B, B)) == ("accept", B)


@pytest.mark.parametrize("choices", [(A, B), (A, B, C), (A, A, B, C), (A, A, B, B)])
def test_a_tie_and_a_most_that_is_no_majority_are_undecided(choices: tuple[str, ...]) -> None:
    found = MajorityVote().decide([*proposals(), *votes(*choices)])
    assert (found.ruling, found.chosen, found.dissent) == ("undecided", None, ())
    assert found.reasons[0].startswith("nobody has more than half: ")


def test_who_was_for_something_else_stands_in_the_dissent_with_the_reason() -> None:
    found = MajorityVote().decide(
        [*proposals(), *votes(A, A), vote("voter#2", B, reason="A leaks")]
    )
    assert found.reasons == (f"{A} has 2, {B} has 1, {C} has 0 of 3 votes",)
    assert found.dissent == (f"voter#2 [2/voter#2/1] is for {B}: A leaks",)


def test_what_critics_said_against_the_chosen_one_stands_in_the_dissent() -> None:
    critiques = [
        entry(Critique(of=of, points=(f"against {of}",)), "critic", turn=2, place=place)
        for place, of in enumerate((f"[{A}]", B), 1)
    ]
    found = MajorityVote().decide([*proposals(), *critiques, *votes(A, A)])
    assert found.dissent == (f"critic [2/critic/1]: against [{A}]",)


def test_an_abstention_counts_for_the_quorum_and_for_nothing_else() -> None:
    poll = [*proposals(), vote("voter#0", A), vote("voter#1"), vote("voter#2")]
    found = MajorityVote(quorum=3).decide(poll)
    assert (found.ruling, found.chosen) == ("accept", A)
    assert found.reasons[1:] == ("abstained: voter#1, voter#2",)
    assert MajorityVote(quorum=3).decide(poll[:-1]).reasons[0] == "2 of 2 have spoken, and 3 must"


@pytest.mark.parametrize("rule", [MajorityVote(), BordaCount()])
def test_where_all_abstain_nobody_wins(rule: DecidingRule) -> None:
    found = rule.decide([*proposals(), vote("voter#0"), vote("voter#1")])
    assert (found.ruling, found.chosen) == ("undecided", None)
    assert found.reasons[0] == "nobody is for any of them"


@pytest.mark.parametrize("rule", [MajorityVote(), BordaCount()])
def test_without_a_proposal_or_a_vote_it_is_undecided(rule: DecidingRule) -> None:
    assert rule.decide([]).reasons == ("there is no Proposal to vote on",)
    assert rule.decide(proposals()).reasons == ("0 of 0 have spoken, and 1 must",)


def test_the_newest_vote_of_a_voter_counts() -> None:
    poll = [*proposals(), *votes(A, A, B), *votes(B, B, turn=3)]
    assert said(MajorityVote(), *poll) == ("accept", B)
    assert said(MajorityVote(), *reversed(poll)) == ("accept", B)


def test_a_vote_for_what_is_no_proposal_is_void_and_told() -> None:
    poll = [*proposals(), *votes(A, "9/nobody/1", "9/nobody/1")]
    found = MajorityVote(quorum=1).decide(poll)
    assert (found.ruling, found.chosen) == ("accept", A)
    assert found.reasons[1] == "the vote of voter#1 is void: 9/nobody/1 is no open Proposal"
    assert said(MajorityVote(quorum=2), *poll) == ("undecided", None)


def test_by_default_more_than_half_of_those_who_were_asked_must_have_spoken() -> None:
    asked = decision(2, "voter#0", "voter#1", "voter#2", "clerk")
    assert said(MajorityVote(), *proposals(), asked, *votes(A)) == ("undecided", None)
    assert said(MajorityVote(), *proposals(), asked, *votes(A, A)) == ("accept", A)


def test_who_is_asked_again_and_is_silent_is_counted_once_by_the_vote_there_is() -> None:
    rounds = [decision(turn, "voter#0", "voter#1", "voter#2") for turn in (2, 3)]
    poll = [*proposals(), *rounds, *votes(A, B, C), *votes(A, A, turn=3)]
    assert said(MajorityVote(quorum=3), *poll) == said(MajorityVote(), *poll) == ("accept", A)


def test_a_ruling_closes_a_poll_and_an_undecided_verdict_does_not() -> None:
    first = [*proposals(), *votes(A, A)]
    assert said(MajorityVote(), *first, verdict("accept", 3)) == ("undecided", None)
    assert said(MajorityVote(), *first, verdict("undecided", 3)) == ("accept", A)


def test_what_an_author_proposes_anew_takes_the_place_of_what_it_proposed() -> None:
    again = entry(Proposal(text="better"), "author", turn=3, strand="author#0")
    poll = [*proposals(), again, *votes(A, str(again.address), str(again.address), turn=4)]
    found = MajorityVote(quorum=1).decide(poll)
    assert found.chosen == "3/author#0/1"
    assert "void" in found.reasons[1]


def test_one_author_may_propose_several_things_in_a_turn() -> None:
    several = [entry(Proposal(text=str(n)), "author", turn=1, place=n) for n in (1, 2)]
    assert said(MajorityVote(), *several, *votes("1/author/2")) == ("accept", "1/author/2")


def test_a_whole_ranking_may_choose_another_one_than_the_majority() -> None:
    ranked = [
        *(vote(f"voter#{n}", A, B, C) for n in range(3)),
        *(vote(f"voter#{n}", B, C, A) for n in range(3, 5)),
    ]
    assert said(MajorityVote(), *proposals(), *ranked) == ("accept", A)
    found = BordaCount().decide([*proposals(), *ranked])
    assert (found.ruling, found.chosen) == ("accept", B)
    assert found.reasons == (f"{B} has 4, {A} has 2, {C} has -6 points in 5 rankings",)
    assert len(found.dissent) == 3
    assert found.dissent[0] == f"voter#0 [2/voter#0/1] is for {A} > {B} > {C}: so"


def test_borda_points_that_tie_are_undecided() -> None:
    found = BordaCount().decide([*proposals(), vote("x", A, B, C), vote("y", B, A, C)])
    assert (found.ruling, found.chosen) == ("undecided", None)
    assert found.reasons[0].startswith(f"{A} and {B} have as many points")


ballots = st.lists(
    st.lists(st.sampled_from([A, B, C]), unique=True, max_size=3).map(tuple), max_size=6
)


@given(ballots, st.sampled_from([MajorityVote(), BordaCount()]), st.randoms())
def test_voters_are_alike_and_nobody_wins_without_a_vote(
    orders: list[tuple[str, ...]], rule: DecidingRule, chance: Any
) -> None:
    names = [f"voter#{n}" for n in range(len(orders))]
    cast = [vote(name, *order) for name, order in zip(names, orders, strict=True)]
    found = rule.decide([*proposals(), *cast])
    chance.shuffle(names)
    mixed = [vote(name, *order) for name, order in zip(names, orders, strict=True)]
    again = rule.decide([*mixed, *proposals()])
    assert (again.ruling, again.chosen) == (found.ruling, found.chosen)
    if found.chosen is not None:
        assert any(found.chosen in order for order in orders)
    assert (found.ruling == "accept") == (found.chosen is not None)


def cast_by(orders: list[tuple[str, ...]]) -> list[Entry]:
    return [*proposals(), *(vote(f"voter#{n}", *order) for n, order in enumerate(orders))]


@given(ballots, st.sampled_from([MajorityVote(), BordaCount()]), st.permutations([A, B, C]))
def test_proposals_are_alike(
    orders: list[tuple[str, ...]], rule: DecidingRule, others: list[str]
) -> None:
    renamed = dict(zip((A, B, C), others, strict=True))
    found = rule.decide(cast_by(orders))
    told = rule.decide(cast_by([tuple(renamed[each] for each in order) for order in orders]))
    assert (told.ruling, told.chosen) == (found.ruling, renamed.get(found.chosen or ""))


@given(ballots.filter(any), st.sampled_from([MajorityVote(), BordaCount()]), st.data())
def test_what_is_chosen_stays_so_when_a_voter_puts_it_first(
    orders: list[tuple[str, ...]], rule: DecidingRule, data: st.DataObject
) -> None:
    chosen = rule.decide(cast_by(orders)).chosen
    if chosen is None:
        return
    place = data.draw(st.integers(0, len(orders) - 1))
    raised = (chosen, *(each for each in orders[place] if each != chosen))
    again = [*orders[:place], raised, *orders[place + 1 :]]
    assert rule.decide(cast_by(again)).chosen == chosen


WORK = entry(Artifact(summary="work"), "author", turn=1)


def review(reviewer: str, approved: bool, *reasons: str, turn: int = 2) -> Entry:
    payload = Review(approved=approved, reasons=reasons)
    return entry(payload, reviewer.partition("#")[0], turn=turn, strand=reviewer)


def panel(*said: bool, turn: int = 2) -> list[Entry]:
    return [review(f"critic#{n}", yes, f"reason {n}", turn=turn) for n, yes in enumerate(said)]


ON_WORK = MajorityVote(on=Artifact)


def test_a_panel_accepts_by_majority_and_the_minority_is_the_dissent() -> None:
    found = ON_WORK.decide([WORK, *panel(True, False, True)])
    assert (found.ruling, found.chosen) == ("accept", "1/author/1")
    assert found.reasons == ("1/author/1: 2 for and 1 against it",)
    assert found.dissent == ("critic#1 [2/critic#1/1]: reason 1",)


def test_a_panel_sends_back_by_majority_with_every_reason_against() -> None:
    found = ON_WORK.decide([WORK, *panel(False, False, True)])
    assert (found.ruling, found.chosen) == ("revise", None)
    assert found.reasons[1:] == (
        "critic#0 [2/critic#0/1]: reason 0",
        "critic#1 [2/critic#1/1]: reason 1",
    )
    assert found.dissent == ("critic#2 [2/critic#2/1]: reason 2",)


def test_a_panel_that_is_split_is_undecided() -> None:
    assert said(ON_WORK, WORK, *panel(True, False)) == ("undecided", None)
    asked = decision(2, "critic#0", "critic#1", "critic#2")
    assert said(ON_WORK, WORK, asked, *panel(True)) == ("undecided", None)


def test_reviews_of_older_work_do_not_count() -> None:
    newer = entry(Artifact(summary="better"), "author", turn=3)
    old = panel(False, False, False)
    assert said(ON_WORK, WORK, *old, newer) == ("undecided", None)
    assert said(ON_WORK, WORK, *old, newer, *panel(True, turn=4)) == ("accept", "3/author/1")


def test_a_panel_that_is_asked_again_judges_anew() -> None:
    both = [*panel(True, False, False), *panel(True, True, True, turn=3)]
    assert said(ON_WORK, WORK, *both) == ("accept", "1/author/1")


def test_a_reviewer_who_says_several_things_in_a_turn_has_one_voice_and_the_last_word_counts() -> (
    None
):
    payload = Review(approved=False, reasons=("and again",))
    again = [
        entry(payload, "critic", turn=2, strand="critic#1", place=place) for place in (2, 3, 4)
    ]
    found = ON_WORK.decide([WORK, *panel(True, False, True), *again])
    assert found.reasons == ("1/author/1: 2 for and 1 against it",)
    assert found.dissent == ("critic#1 [2/critic#1/4]: and again",)


def test_what_the_advocate_said_stays_in_the_dissent_of_an_approval() -> None:
    critique = entry(Critique(of="1/author/1", points=("too slow",)), "advocate", turn=2)
    found = ON_WORK.decide([WORK, critique, *panel(True, True, turn=3)])
    assert found.dissent == ("advocate [2/advocate/1]: too slow",)


def test_who_is_asked_to_review_again_and_is_silent_counts_for_the_quorum() -> None:
    asked = [decision(turn, "critic#0", "critic#1", "critic#2") for turn in (2, 3)]
    first, second = panel(True, True), panel(True, turn=3)
    assert said(ON_WORK, WORK, asked[0], *first) == ("accept", "1/author/1")
    found = ON_WORK.decide([WORK, *asked, *first, *second])
    assert found.reasons == ("1/author/1: 3 of 6 have spoken, and 4 must",)


def test_without_the_work_there_is_nothing_to_rule_on() -> None:
    assert ON_WORK.decide(panel(True)).reasons == ("there is no Artifact to rule on",)


def test_a_teller_reads_what_its_rule_needs_and_is_recorded_by_its_name() -> None:
    role = teller(MajorityVote(quorum=2, on=Artifact), "clerk")
    assert (role.name, role.writes) == ("clerk", (Verdict,))
    assert {Artifact, Review, Critique, Verdict} <= set(role.reads or ())
    assert getattr(role.program, "__qualname__", "") == "majority(quorum=2, on=Artifact)"
    assert getattr(teller(BordaCount()).program, "__qualname__", "") == "borda"


def test_a_teller_that_no_longer_sees_what_was_voted_for_decides_nothing() -> None:
    program = teller(MajorityVote(quorum=1)).program
    assert program is not None

    def ruling(omitted: int) -> Any:
        shown = [*proposals()[1:], *votes(A, B)]
        view = View(tuple(map(show, shown)), omitted=omitted)
        return asyncio.run(program(view))  # type: ignore[arg-type]  # a coroutine

    assert ruling(0).chosen == B
    assert (ruling(1).ruling, ruling(1).chosen) == ("undecided", None)
    assert "view_tokens" in ruling(1).reasons[0]


@pytest.mark.parametrize("wrong", [0, -1, True, "2"])
def test_a_quorum_is_a_number_of_voters(wrong: Any) -> None:
    for rule in (MajorityVote, BordaCount):
        with pytest.raises(DeclarationError, match="give a whole number from 1 on"):
            rule(quorum=wrong)


def test_any_kind_can_be_voted_among() -> None:
    works = [entry(Artifact(summary=str(n)), f"maker{n}", turn=1) for n in (1, 2)]
    poll = [*works, *proposals(), *votes("1/maker2/1", "1/maker2/1", "1/maker1/1")]
    for rule in (MajorityVote(among=Artifact), BordaCount(among=Artifact)):
        assert said(rule, *poll) == ("accept", "1/maker2/1")
        assert Artifact in rule.reads
        assert Proposal not in rule.reads
        assert rule.name.endswith("(among=Artifact)")
    with pytest.raises(DeclarationError, match="and not both"):
        MajorityVote(among=Artifact, on=Artifact)


def test_what_is_no_kind_cannot_be_reviewed() -> None:
    with pytest.raises(DeclarationError, match="give a Payload class"):
        anything.MajorityVote(on="Artifact")


@pytest.mark.parametrize("wrong", ["majority", MajorityVote, None])
def test_what_is_no_rule_makes_no_teller(wrong: Any) -> None:
    with pytest.raises(DeclarationError, match="give a deciding rule, such as"):
        teller(wrong)


def test_other_kinds_mean_nothing_to_a_rule() -> None:
    noise = [entry(Note(text="A is best"), "author", turn=2), review("critic", False)]
    assert said(MajorityVote(), *proposals(), *noise, *votes(A)) == ("accept", A)
