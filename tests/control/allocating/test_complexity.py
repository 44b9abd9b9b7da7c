from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hive.board.contributions import Plan, Review, Task
from hive.board.entry import Entry
from hive.board.records import Fault, Level5
from hive.board.state import State
from hive.control import Estimator, RuleEstimator, Spreads, Weights, Words
from hive.control.allocating.complexity import LEVELS, Assessed, by_rules
from hive.errors import DeclarationError
from tests.control.states import decision, entry, folded, report

RULES: Estimator = RuleEstimator()


@pytest.mark.parametrize(
    ("goal", "level"),
    [
        ("", "trivial"),
        ("Fix a typo in the README", "trivial"),
        ("Rename the variable", "trivial"),
        ("A haiku about bees", "trivial"),
        ("Make the failing tests pass", "simple"),
        ("Fix the bug in gcd", "simple"),
        ("Add a flag to the parser", "simple"),
        ("Implement the new feature and fix what is broken", "moderate"),
        ("Fix the bug in the payment form", "moderate"),
        ("Rewrite the parser and add support for comments in headers", "moderate"),
        ("Refactor the authentication and add password encryption", "complex"),
        ("Rewrite billing and migrate the production database", "critical"),
    ],
)
def test_goals_fall_into_classes(goal: str, level: str) -> None:
    assert RULES.estimate(goal, State()).level == level


def test_a_judgement_names_its_signals() -> None:
    seen = RULES.estimate("Fix the refund bug", State())
    assert seen.signals == {"goal length": 0.02, "kind: mend": 0.5, "domain: payment": 2.5}
    assert seen.score == pytest.approx(sum(seen.signals.values()))


def test_the_work_so_far_counts() -> None:
    plan = Plan(
        summary="s",
        tasks=tuple(Task(id=f"T{n}", title="t", files=("a.py", f"{n}.py")) for n in range(2)),
        done_when="d",
    )
    state = folded(
        decision(1, "planner"),
        entry(plan, "planner", turn=1),
        *(entry(task, "planner", turn=1, place=2 + n) for n, task in enumerate(plan.tasks)),
        entry(report("a", "b", "c", failed=["b", "c"]), "coder", turn=1),
        entry(Review(approved=False, reasons=("no",)), "critic", turn=1),
        entry(Review(approved=True, reasons=("yes",)), "critic", turn=1, place=2),
        entry(Fault(code="timeout", message="m"), "coder", turn=1),
        tallies=RuleEstimator().tallies,
    )
    assert RULES.estimate("go", state).signals == {
        "goal length": 0.005,
        "open tasks": 0.5,
        "files": 0.75,
        "failing tests": 0.2,
        "rejections": 0.75,
        "faults": 0.25,
    }


def test_a_panel_that_refuses_has_refused_once() -> None:
    def panel(turn: int, *approved: bool) -> list[Entry]:
        return [
            entry(Review(approved=yes, reasons=()), "critic", turn=turn, strand=f"critic#{n}")
            for n, yes in enumerate(approved)
        ]

    rounds = [*panel(2, False, False, False), *panel(4, True, True, True), *panel(6, True, False)]
    state = folded(*rounds, tallies=RuleEstimator().tallies)
    assert RULES.estimate("", state).signals == {"rejections": 1.5}


def test_weights_are_data() -> None:
    weights = Weights(
        words=0,
        kinds=(Words("kind: bees", 9.0, ("bee",)),),
        domains=(),
        limits=(1, 2, 3, 4),
    )
    estimator = RuleEstimator(weights)
    assert estimator.estimate("A haiku about bees", State()).level == "critical"
    assert estimator.estimate("Rewrite billing", State()).signals == {}
    for wrong in ((1, 2, 3), (4, 3, 2, 1)):
        with pytest.raises(DeclarationError, match="give four rising scores"):
            Weights(limits=wrong)  # type: ignore[arg-type]


def test_words_begin_where_words_begin() -> None:
    assert RULES.estimate("Support authors of prefixes", State()).signals.get("kind: mend") is None
    assert "kind: mend" in RULES.estimate("fixes", State()).signals


@given(st.text(), st.integers(0, 10**6), st.integers(0, 10**6))
def test_more_of_a_signal_never_lowers_the_class(goal: str, faults: int, more: int) -> None:
    few = RULES.estimate(goal, State(counts={"Fault": faults}))
    many = RULES.estimate(goal, State(counts={"Fault": faults + more}))
    assert LEVELS.index(few.level) <= LEVELS.index(many.level)
    assert few.score <= many.score


SURE = Spreads(0, 0, 0, 0, 0, 0, 0, 0)
score = st.floats(-20, 20).map(lambda value: round(value, 2))
rising = st.tuples(score, score, score, score).map(sorted).map(tuple)


def test_every_signal_says_how_far_it_may_be_off_and_so_does_what_is_not_known_yet() -> None:
    seen = RULES.estimate("Fix the refund bug", State())
    assert seen.uncertainty == {
        "goal length": 0.01,
        "kind: mend": 0.5,
        "domain: payment": 0.5,
        "no plan yet": 0.5,
        "no tests yet": 0.25,
    }
    planned = folded(
        entry(Plan(summary="s", tasks=(Task(id="T1", title="t"),), done_when="d"), "p", turn=1),
        entry(report("a", failed=["a"]), "coder", turn=1, place=2),
    )
    later = RULES.estimate("Fix the refund bug", planned).uncertainty
    assert later["failing tests"] == pytest.approx(0.03)
    assert {"no plan yet", "no tests yet"}.isdisjoint(later)


def test_the_chances_of_the_classes_are_those_of_a_normal_score() -> None:
    seen = RULES.estimate("Fix a typo in the README", State())
    # 0.47 below 0, off by the root of 0.015² + 0.5² + 0.5² + 0.5² + 0.25², and 0.5 is the limit
    assert seen.probabilities == (0.859, 0.1266, 0.0144, 0, 0)


def test_how_far_weights_may_be_off_is_data_too() -> None:
    weights = Weights(kinds=(Words("kind: bees", 1.0, ("bee",), spread=0.0),), spreads=SURE)
    seen = RuleEstimator(weights).estimate("bees", State())
    assert (seen.uncertainty, seen.probabilities) == ({}, (0, 1, 0, 0, 0))
    with pytest.raises(DeclarationError, match=r"Spreads\(files=-1\): give a number from 0 on"):
        Spreads(files=-1)


@given(st.text(max_size=60), rising, st.integers(0, 40), st.booleans())
def test_the_chances_make_up_one_and_the_score_is_the_middle_of_them(
    goal: str, limits: tuple[float, float, float, float], faults: int, sure: bool
) -> None:
    weights = Weights(limits=limits, spreads=SURE if sure else Spreads())
    seen = RuleEstimator(weights).estimate(goal, State(counts={"Fault": faults}))
    assert sum(seen.probabilities) == pytest.approx(1)
    assert all(0 <= chance <= 1 for chance in seen.probabilities)
    place = LEVELS.index(seen.level)
    assert sum(seen.probabilities[: place + 1]) >= 0.4999  # half of it lies below the score
    assert sum(seen.probabilities[place:]) >= 0.4999


@given(st.sampled_from(LEVELS), st.floats(0, 1), rising)
def test_what_was_assessed_is_the_class_and_as_sure_as_was_said(
    level: Level5, confidence: float, limits: tuple[float, float, float, float]
) -> None:
    assume(min(two - one for one, two in pairwise(limits)) >= 0.5)
    weights = Weights(limits=limits)
    said = Assessed(level, confidence)
    seen = by_rules(weights, "Rewrite it", State(), assessed=said)
    assert (seen.level, list(seen.signals)) == (level, ["assessment"])
    if level not in (LEVELS[0], LEVELS[-1]):  # those have one neighbour alone
        sure = min(max(confidence, 0.05), 0.99)
        assert seen.probabilities[LEVELS.index(level)] == pytest.approx(sure, abs=0.02)


def test_after_an_assessment_only_what_goes_wrong_counts() -> None:
    state = folded(
        entry(Plan(summary="s", tasks=(Task(id="T1", title="t"),), done_when="d"), "p", turn=1),
        entry(Task(id="T1", title="t"), "p", turn=1, place=2),
        entry(Review(approved=False, reasons=("no",)), "critic", turn=1),
        entry(Fault(code="timeout", message="m"), "coder", turn=1),
        entry(Fault(code="timeout", message="m"), "coder", turn=1, place=2),
        tallies=RuleEstimator().tallies,
    )
    seen = by_rules(Weights(), "Fix it", state, assessed=Assessed("simple", 0.8), forgiven=1)
    assert seen.signals == {"assessment": 1.0, "rejections": 0.75, "faults": 0.25}
    assert seen.level == "moderate"


@pytest.mark.parametrize("wrong", [{"tasks": math.nan}, {"words": math.inf}])
def test_weights_that_are_no_numbers_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(DeclarationError, match="give a number"):
        Weights(**wrong)


@pytest.mark.parametrize(
    "wrong",
    [{"stems": "bee"}, {"stems": ()}, {"stems": ("bee", "")}, {"weight": math.inf}, {"spread": -1}],
)
def test_words_that_are_none_are_refused(wrong: dict[str, Any]) -> None:
    given: dict[str, Any] = {"weight": 1.0, "stems": ("bee",), **wrong}
    with pytest.raises(DeclarationError, match=r"^Words\('domain: bees'"):
        Words("domain: bees", **given)
