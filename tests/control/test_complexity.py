from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hive.board.contributions import Plan, Review, Task
from hive.board.records import Fault
from hive.board.state import State
from hive.control import Estimator, RuleEstimator, Weights, Words
from hive.control.complexity import LEVELS
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
