"""What roles say where they do not agree: what a vote may say, and rulings of older journals."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from hive.board.ballots import Critique, Proposal, Vote
from hive.board.contributions import Verdict
from hive.board.payload import Payload
from hive.models.schema import tighten
from hive.phases.brief import is_text, schema_of


def test_a_vote_is_for_one_or_ranks_several_or_abstains() -> None:
    assert Vote(reason="r", choice="1/a/0.2").order == ("1/a/0.2",)
    assert Vote(reason="r", ranking=("1/b/0.2", "1/a/0.2")).order == ("1/b/0.2", "1/a/0.2")
    assert Vote(reason="r", abstain=True).order == ()


def test_addresses_may_stand_in_brackets_as_they_are_shown() -> None:
    assert Vote(reason="r", choice="[1/a/0.2]").order == ("1/a/0.2",)
    assert Vote(reason="r", ranking=("[1/a/0.2]", " 1/b/0.2")).order == ("1/a/0.2", "1/b/0.2")


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"choice": "1/a/0.2", "abstain": True},
        {"choice": "1/a/0.2", "ranking": ("1/b/0.2", "1/a/0.2")},
        {"ranking": ("1/a/0.2",), "abstain": True},
    ],
)
def test_a_vote_that_says_nothing_or_two_things_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="give one of the three"):
        Vote.model_validate({"reason": "r", **said})


@pytest.mark.parametrize("twice", [("1/a/0.2", "1/a/0.2"), ("1/a/0.2", "[1/a/0.2]")])
def test_a_ranking_names_each_once(twice: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError, match="names each Proposal once"):
        Vote(reason="r", ranking=twice)


def test_a_ranking_may_name_its_first_as_the_choice_too() -> None:
    both = Vote(reason="r", choice="1/b/0.2", ranking=("1/b/0.2", "1/a/0.2"))
    assert both.order == ("1/b/0.2", "1/a/0.2")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("1/a#0/0.2", {"choice": "1/a#0/0.2"}),
        ("for [1/a/0.2], it is shorter", {"choice": "1/a/0.2", "reason": "it is shorter"}),
        ("2/a@1.0/0.2 > 1/b-c/0.2", {"ranking": ("2/a@1.0/0.2", "1/b-c/0.2")}),
        ("[1/a/0.2]>[1/b/0.2]: so", {"ranking": ("1/a/0.2", "1/b/0.2"), "reason": "so"}),
        ("For 1/a/0.2", {"choice": "1/a/0.2"}),
        ("Abstain, I do not know", {"abstain": True, "reason": "I do not know"}),
    ],
)
def test_a_person_votes_in_words(words: str, said: dict[str, Any]) -> None:
    assert Vote.in_words(words) == Vote.model_validate({"reason": "", **said})


@pytest.mark.parametrize("words", ["the first", "abstaining", "", "1/a/0.2 > 1/a/0.2", "yes"])
def test_what_is_no_vote_in_words_is_none(words: str) -> None:
    assert Vote.in_words(words) is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("accept", {"ruling": "accept"}),
        ("accept [1/a#0/0.2]: simpler", {"chosen": "1/a#0/0.2", "reasons": ("simpler",)}),
        ("revise, it leaks", {"ruling": "revise", "reasons": ("it leaks",)}),
        ("Give up", {"ruling": "give_up"}),
        ("Accept, it holds", {"ruling": "accept", "reasons": ("it holds",)}),
        ("undecided", {"ruling": "undecided"}),
    ],
)
def test_a_person_rules_in_words(words: str, said: dict[str, Any]) -> None:
    expected = Verdict.model_validate({"ruling": "accept", "reasons": (), **said})
    assert Verdict.in_words(words) == expected


@pytest.mark.parametrize("words", ["acceptable", "yes", "", "I give up"])
def test_what_is_no_ruling_in_words_is_none(words: str) -> None:
    assert Verdict.in_words(words) is None


@pytest.mark.parametrize("kind", [Proposal, Critique, Vote, Verdict])
def test_servers_can_hold_a_model_to_the_form(kind: type[Payload]) -> None:
    assert tighten(schema_of(kind)) is not None


def test_a_proposal_is_answered_in_plain_text() -> None:
    assert is_text(Proposal)


def test_a_verdict_of_an_older_journal_still_reads() -> None:
    older = b'{"dissent":["no"],"reasons":["so"],"ruling":"revise"}'
    read = Verdict.read(older, 1)
    assert read == Verdict(ruling="revise", reasons=("so",), dissent=("no",))
    assert read.chosen is None
