"""Preferences as values: what makes sense, and how they are written."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hive.control import PROFILES, Figure, Preference
from hive.errors import DeclarationError


@pytest.mark.parametrize(
    ("text", "preference"),
    [
        ("thrifty", PROFILES["thrifty"]),
        (" cost=3, accuracy = 1 ", Preference(accuracy=1, cost=3)),
        ("latency=0.5,spread=2", Preference(latency=0.5, spread=2)),
        ("quality,most_usd=0.5", Preference(accuracy=9, cost=1, most_usd=0.5)),
        ("fast,latency=1", Preference(accuracy=1, cost=1, latency=1)),
        (
            "accuracy:0.02 > cost>latency",
            Preference(order=(("accuracy", 0.02), "cost", "latency")),
        ),
    ],
)
def test_a_preference_is_read_from_text(text: str, preference: Preference) -> None:
    assert Preference.of(text) == preference
    assert Preference.of(preference) is preference


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("cheap", "there is no profile 'cheap'; there are quality, balanced, thrifty, fast; write"),
        ("", "there is no profile ''"),
        ("price=3", "'price' is none of accuracy, cost, latency, min_accuracy, most_usd"),
        ("cost=3,cost=4", "says cost twice"),
        ("cost=much", "'much' is no number; write a profile"),
        ("cost", "'' is no number"),
        ("thrifty,fast", "there is no profile 'fast'|'fast' is none"),
        ("accuracy>price", "name each of accuracy, cost, latency at most once"),
        ("cost>cost", "at most once"),
        ("cost:near>accuracy", "'near' is no number"),
        ("cost:-1>accuracy", "is a number from 0 on"),
        ("cost=nan", "cost=nan is no number from 0 on"),
    ],
)
def test_text_that_says_something_else_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(DeclarationError, match=complaint):
        Preference.of(text)


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({}, "give a weight above 0 on accuracy, cost or latency, or else an order"),
        ({"cost": 1, "order": ("cost",)}, "and not both"),
        ({"cost": -1}, "cost=-1 is no number from 0 on"),
        ({"cost": float("inf")}, "cost=inf is no number"),
        ({"cost": True}, "cost=True is no number"),
        ({"cost": None}, "cost=None is no number"),
        ({"cost": 1, "min_accuracy": 70}, "min_accuracy=70 is a share; give a number from 0 to 1"),
        ({"cost": 1, "most_usd": "0.1"}, "most_usd='0.1' is no number"),
        ({"cost": 1, "spread": 0.5}, "spread=0.5 is a factor; give a number from 1 on"),
        ({"order": ("cost",), "spread": 2}, "an order is never drawn"),
    ],
)
def test_a_preference_that_makes_no_sense_is_refused(given: Any, complaint: str) -> None:
    with pytest.raises(DeclarationError, match=complaint):
        Preference(**given)


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"accuracy": 1.5}, "accuracy=1.5 is a share"),
        ({"usd": -1}, "usd=-1 is no number from 0 on"),
        ({"seconds": float("nan")}, "seconds=nan is no number"),
        ({"judged": 0}, "judged=0; give a number from 1 on"),
        ({"level": "hard"}, "level='hard' is none of trivial, simple"),
    ],
)
def test_a_figure_that_cannot_be_is_refused(given: Any, complaint: str) -> None:
    with pytest.raises(DeclarationError, match=rf"Figure\('m'\): {complaint}"):
        Figure("m", **given)


def test_a_limit_is_kept_to_the_last_digit_as_it_is_written() -> None:
    limit = Preference(cost=1, most_usd=Decimal("0.1"))
    assert limit.broken(Figure("m", usd=0.1)) == ""
    assert limit.broken(Figure("m", usd=Decimal("0.1000000001"))) == "most_usd=0.1"
    assert limit.broken(Figure("m")) == "most_usd=0.1"
