from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest

from hive import Workflow
from hive.board.records import Complexity, Level5
from hive.control import TABLE, Allocation, Allocator, Allotment, ByComplexity, Line, OneModel
from hive.errors import DeclarationError
from hive.prospect import prospect
from hive.role import Role
from hive.testing import FunctionModel
from tests.control.states import move, situation

coder = Role("coder")
expert = Role("expert", tier="large")
critic = Role("critic", work="review")
TIERS = {"small": 1, "large": 2}


def allocated(
    allocator: Allocator, role: Role, level: Level5, models: Collection[str]
) -> Allocation:
    judged = Complexity(level=level, score=1.0)
    seen = situation(move(role.name))
    return allocator.allocate(
        seen, Line(role.name), role, judged, dict.fromkeys(models, "script:x")
    )


@pytest.mark.parametrize(
    ("level", "tier"),
    [
        ("trivial", "small"),
        ("simple", "small"),
        ("moderate", "large"),
        ("complex", "large"),
        ("critical", "large"),
    ],
)
def test_the_class_picks_the_tier(level: Level5, tier: str) -> None:
    assert allocated(ByComplexity(), coder, level, TIERS) == Allocation(tier, tier)


def test_a_role_wins_over_its_tier_and_that_over_the_table() -> None:
    assert allocated(ByComplexity(), expert, "trivial", TIERS) == Allocation("large", "large")
    named = TIERS | {"expert": 3, "coder": 4}
    assert allocated(ByComplexity(), expert, "trivial", named) == Allocation("expert", "large")
    assert allocated(ByComplexity(), coder, "trivial", named) == Allocation("coder", None)


@pytest.mark.parametrize("anyone", ["*", "default"])
def test_whoever_is_left_gets_the_model_for_anyone(anyone: str) -> None:
    assert allocated(ByComplexity(), coder, "simple", {anyone: 1}) == Allocation(anyone, "small")
    assert allocated(ByComplexity(), coder, "simple", {anyone: 1, "small": 2})[0] == "small"


def test_a_table_of_ones_own() -> None:
    table = TABLE.with_(critical=Allotment("huge", tiers={"review": "middle"}))
    models = TIERS | {"huge": 3, "middle": 4}
    assert allocated(ByComplexity(table), coder, "critical", models)[:2] == ("huge", "huge")
    assert allocated(ByComplexity(table), critic, "critical", models)[:2] == ("middle", "middle")
    assert allocated(ByComplexity(table), critic, "complex", models)[:2] == ("large", "large")
    assert allocated(ByComplexity(table), expert, "critical", models)[:2] == ("large", "large")
    with pytest.raises(DeclarationError, match="give an AllocationTable"):
        ByComplexity({"trivial": "small"})  # type: ignore[arg-type]


def test_the_tier_of_a_kind_of_work_counts_where_somebody_does_that_work() -> None:
    table = TABLE.with_(critical=Allotment("large", tiers={"review": "middle"}))
    models = TIERS | {"middle": 3}
    ByComplexity(table).check((coder, critic), models)
    with pytest.raises(DeclarationError, match="models names 'middle', which is neither"):
        ByComplexity(table).check((coder,), models)
    assert ByComplexity(table).reached((coder, critic), models) == {"small", "large", "middle"}
    assert ByComplexity(table).reached((coder,), models) == {"small", "large"}


def test_a_role_that_no_model_fits_is_named() -> None:
    with pytest.raises(
        DeclarationError,
        match=r"role 'coder' has no model: for complex work it needs the key 'coder', 'large' or"
        r" '\*', and models has 'critic', 'small'",
    ):
        allocated(ByComplexity(), coder, "complex", {"small": 1, "critic": 2})
    with pytest.raises(DeclarationError, match="models has no key at all"):
        allocated(ByComplexity(), coder, "complex", {})


def test_models_are_checked_before_a_run() -> None:
    async def program(view: object) -> None: ...

    allocator = ByComplexity()
    allocator.check((coder, expert), TIERS)
    allocator.check((coder, expert), {"*": 1})
    allocator.check((Role("own", program=program),), {})
    with pytest.raises(DeclarationError, match="role 'coder' has no model: for moderate work"):
        allocator.check((coder, expert), {"small": 1, "expert": 2})
    with pytest.raises(DeclarationError, match="models names 'codr', which is neither a role nor"):
        allocator.check((coder,), {"*": 1, "codr": 2})
    allocator.check((coder.with_(tier="huge"),), {"huge": 1})


def test_one_model_for_everybody() -> None:
    assert allocated(OneModel(), expert, "critical", {"*": 1, "small": 2}) == Allocation(
        "*", "large"
    )
    assert allocated(OneModel("small"), expert, "critical", TIERS) == Allocation("small", "large")
    OneModel("small").check((coder,), TIERS)
    with pytest.raises(DeclarationError, match=r"OneModel wants the key '\*', and models has"):
        OneModel().check((coder,), TIERS)
    with pytest.raises(DeclarationError, match="role 'coder' has no model"):
        allocated(OneModel("huge"), coder, "simple", TIERS)


@pytest.mark.parametrize(
    ("given", "told"), [("small", "'small'"), (Allocation("huge"), "Allocation(model='huge', ")]
)
def test_what_no_model_answers_to_is_said_to_be_given(given: Any, told: str) -> None:
    class Wrong:
        def allocate(self, *what: Any) -> Any:
            return given

    mind = FunctionModel(lambda request: "done", "mind")
    team = Workflow(Role("a"), models={"small": mind, "large": mind}, allocator=Wrong())
    result = team.run_sync("goal")
    assert (result.outcome, result.reason) == ("failed", "policy_error")
    assert f"allocator Wrong gave role 'a' {told}" in result.message
    assert result.message.endswith("; give an Allocation of 'large', 'small'")
    with pytest.raises(DeclarationError, match="allocator Wrong gave role 'a'"):
        prospect(team, "goal")
