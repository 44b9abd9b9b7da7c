"""What roles say where they do not agree: what a vote may say, and rulings of older journals."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from hive.board.ballots import Proposal, Vote
from hive.board.contributions import Verdict
from hive.phases.brief import is_text


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
        {"choice": "1/a/0.2", "ranking": ("1/a/0.2",)},
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


def test_a_proposal_is_answered_in_plain_text() -> None:
    assert is_text(Proposal)


def test_a_verdict_of_an_older_journal_still_reads() -> None:
    older = b'{"dissent":["no"],"reasons":["so"],"ruling":"revise"}'
    read = Verdict.read(older, 1)
    assert read == Verdict(ruling="revise", reasons=("so",), dissent=("no",))
    assert read.chosen is None
