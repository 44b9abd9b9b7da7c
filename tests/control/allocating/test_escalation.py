"""The escalation ladder, with minds that do as they are told: who climbs, why, and at what price is
read from the board."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from hive import Budget, Finding, Graph, Review, Role, Workflow, finish, handoff, start, stop, turns
from hive.audit import Record
from hive.board.records import Complexity, Fault, Termination
from hive.board.state import State
from hive.control import (
    ByComplexity,
    ByPreference,
    Escalation,
    Figure,
    Preference,
    Watch,
    escalating,
    invalid,
    looped,
    refinement,
    refused,
    unsure,
    worst_case,
)
from hive.errors import DeclarationError
from hive.journal.memory import MemoryJournal
from hive.message import Request
from hive.models import ModelCard
from hive.models.catalog import Prices
from hive.run import Result
from hive.testing import FunctionModel, ScriptedModel
from tests.control.climbs import RUNGS, minds, plans, run, tiers

coder = Role("coder", writes=(Finding,))
critic = Role("critic", writes=(Review,))
chief = Role("chief")
LADDER = Escalation(RUNGS, invalid | unsure())


def found(confidence: str) -> str:
    return Finding.model_validate({"claim": "c", "confidence": confidence}).model_dump_json()


LOW, HIGH = found("low"), found("high")
NO = Review(approved=False, reasons=("no",)).model_dump_json()
YES = Review(approved=True, reasons=()).model_dump_json()


def ending(result: Result) -> tuple[str, str, str]:
    (end,) = (e.payload for e in result.entries if isinstance(e.payload, Termination))
    return end.outcome, end.reason, end.message


ALONE = Graph(start(coder), *escalating(coder, LADDER))


def test_work_without_doubt_stays_on_the_lowest_rung() -> None:
    result = run(ALONE, LADDER, minds(small=[HIGH], medium=[], large=[]))
    assert tiers(result) == ["small"]
    assert plans(result)[0].because == ""
    assert result.finished


def test_each_turn_in_doubt_moves_one_rung_up_and_the_record_says_why() -> None:
    models = minds(small=["no JSON", LOW], medium=[LOW], large=[HIGH])
    result = run(ALONE, LADDER, models)
    assert tiers(result) == ["small", "medium", "large"]
    assert [plan.model for plan in plans(result)] == [f"script:{key}" for key in RUNGS]
    why = [plan.because.partition(";")[0] for plan in plans(result)]
    assert why == [
        "",
        "rung 2 of 3: 1 failed validation, a confidence of low in turn 1",
        "rung 3 of 3: a confidence of low in turn 2",
    ]
    assert result.finished
    assert result.reason == "goal_reached"


def test_a_role_that_broke_down_tries_again_on_the_next_rung() -> None:
    strict = coder.with_(corrections=0)
    graph = Graph(start(strict), *escalating(strict, LADDER))
    result = run(graph, LADDER, minds(small=["no JSON"], medium=[HIGH], large=[]))
    faults = [e.payload for e in result.entries if isinstance(e.payload, Fault)]
    assert [fault.final for fault in faults] == [True]
    assert (tiers(result), result.finished) == (["small", "medium"], True)


def test_doubt_on_the_highest_rung_is_an_honest_stop_or_somebody_elses() -> None:
    scripts = {"small": [LOW], "medium": [LOW], "large": [LOW]}
    result = run(ALONE, LADDER, minds(**scripts))
    outcome, reason, message = ending(result)
    assert (outcome, reason) == ("stopped", "gave_up")
    assert "exhausted(coder): a confidence of low" in message
    graph = Graph(start(coder), *escalating(coder, LADDER, otherwise=chief), finish(chief))
    chiefs = FunctionModel(lambda request: "never mind")
    result = run(graph, LADDER, {**minds(**scripts), "chief": chiefs})
    assert tiers(result) == list(RUNGS)
    assert len(plans(result, "chief")) == 1
    graph = Graph(start(coder), *escalating(coder, LADDER, then=chief), finish(chief))
    result = run(graph, LADDER, {**minds(small=[LOW], medium=[HIGH], large=[]), "chief": chiefs})
    assert tiers(result) == ["small", "medium"]
    assert len(plans(result, "chief")) == 1


def down(request: Request) -> str:
    raise RuntimeError("the server is down")


def test_who_could_not_work_at_all_does_not_hand_on_as_if_there_were_no_doubt() -> None:
    """What went wrong outside is no doubt in the model, so nobody climbs; nor is it calm."""
    broken = {
        **minds(medium=[], large=[], chief=["I will see to it"]),
        "small": FunctionModel(down),
    }
    calm = Graph(start(coder), *escalating(coder, LADDER, then=chief), finish(chief))
    result = run(calm, LADDER, broken)
    assert (result.outcome, result.reason) == ("stopped", "no_candidate")
    lost = Graph(start(coder), *escalating(coder, LADDER, otherwise=chief), finish(chief))
    result = run(lost, LADDER, broken)
    assert tiers(result) == ["small"]
    assert (result.outcome, result.text) == ("finished", "I will see to it")


class Harder:
    """An estimator to whom work that was begun is hard."""

    def estimate(self, goal: str, state: State) -> Complexity:
        return Complexity(level="complex" if state.turn else "simple", score=1)


def test_nobody_is_held_below_what_the_allocator_within_gives() -> None:
    ladder = Escalation(RUNGS, unsure(), within=ByComplexity())
    graph = Graph(start(coder), *escalating(coder, ladder))
    models = minds(small=[LOW], medium=[], large=[HIGH])
    result = run(graph, ladder, models, estimator=Harder())
    assert tiers(result) == ["small", "large"], "one rung up would have been medium"


def test_the_climb_is_bounded_and_its_worst_case_known() -> None:
    assert worst_case(ALONE).turns == len(RUNGS)
    priced = [ModelCard(f"script:{key}", prices=Prices.usd(n, 4 * n), window=1000) for n, key in
              enumerate(RUNGS, 1)]  # fmt: skip
    team = Workflow(
        ALONE, models={card.name[7:]: Priced(card, [LOW]) for card in priced}, allocator=LADDER
    )
    assert team.forecast().cost is not None


class Priced(ScriptedModel):
    """A script whose model has a price."""

    def __init__(self, card: ModelCard, lines: list[str]) -> None:
        super().__init__(lines, card.name)
        self.card = card


def priced(key: str, usd: int, lines: list[str]) -> Priced:
    return Priced(ModelCard(f"script:{key}", prices=Prices.usd(usd, 4 * usd)), lines)


def test_the_way_up_and_its_price_are_on_record() -> None:
    models = {
        "small": priced("small", 1, [LOW]),
        "medium": priced("medium", 2, [LOW]),
        "large": priced("large", 10, [HIGH]),
    }
    result = run(ALONE, LADDER, models)
    # 16,000 tokens in and 4,096 out, at $1 and $4 a million on the lowest rung
    assert [plan.because.partition("; ")[2] for plan in plans(result)] == [
        "",
        "a long call costs $0.0648, $0.0324 on the rung below",
        "a long call costs $0.324, $0.0648 on the rung below",
    ]


def test_what_is_expected_is_told_where_figures_know_it_and_what_nobody_knows_is_told_too() -> None:
    figures = (
        Figure("script:small", usd=0.001),
        Figure("script:medium", usd=0.02),
        Figure("script:large"),
    )
    ladder = Escalation(RUNGS, unsure(), figures=figures)
    unknown = {key: Priced(ModelCard(f"script:{key}"), [LOW]) for key in ("small", "medium")}
    models = {**unknown, "large": Priced(ModelCard("script:large"), [HIGH])}
    result = run(Graph(start(coder), *escalating(coder, ladder)), ladder, models)
    assert [plan.because.partition("; ")[2] for plan in plans(result)] == [
        "",
        "a strand is expected to cost $0.02, $0.001 on the rung below",
        "what the way up costs is not known",
    ]
    weighed = [[(o.cost, o.probability, o.ruled_out) for o in p.options] for p in plans(result)]
    higher, lower = "a higher rung", "a lower rung"
    assert weighed == [
        [(10**6, 1, ""), (2 * 10**7, 0, higher), (None, 0, higher)],
        [(10**6, 0, lower), (2 * 10**7, 1, ""), (None, 0, higher)],
        [(10**6, 0, lower), (2 * 10**7, 0, lower), (None, 1, "")],
    ]


def test_a_role_with_a_model_or_a_tier_of_its_own_does_not_climb() -> None:
    pinned = coder.with_(tier="medium")
    for refusing in (LADDER.higher, LADDER.exhausted, lambda role: escalating(role, LADDER)):
        with pytest.raises(DeclarationError, match="role 'coder' has the tier 'medium' of its own"):
            refusing(pinned)
    graph = Graph(
        start(pinned),
        handoff(pinned, pinned, when=~turns(5)),
        finish(pinned, when=~LADDER.doubted(pinned)),
    )
    result = run(graph, LADDER, minds(small=[], medium=[LOW, LOW, HIGH], large=[]))
    assert tiers(result) == ["medium"] * 3
    result = run(ALONE, LADDER, minds(coder=[LOW], small=[], medium=[], large=[]))
    assert [plan.key for plan in plans(result)] == ["coder"]
    assert ending(result)[:2] == ("stopped", "gave_up")


def test_the_allocator_within_says_where_a_role_begins() -> None:
    ladder = Escalation(("small", "large", "huge"), unsure(), within=ByComplexity())
    graph = Graph(start(coder), *escalating(coder, ladder))
    hard = "Rewrite the payment service, its database schema and the authentication of users."
    models = minds(small=[], large=[LOW], huge=[HIGH])
    result = Workflow(graph, models=models, allocator=ladder).run_sync(hard)
    assert tiers(result) == ["large", "huge"]
    assert plans(result)[1].because.startswith("rung 3 of 3: a confidence of low in turn 1")


def test_what_was_drawn_within_is_as_likely_on_its_rung() -> None:
    figures = tuple(
        Figure(f"script:{key}", accuracy=0.7 + n / 10, usd=10**n / 1000, seconds=1)
        for n, key in enumerate(RUNGS)
    )
    within = ByPreference(Preference.of("accuracy=1,cost=1,spread=9"), figures)
    ladder = Escalation(RUNGS, unsure(), within=within)
    graph = Graph(
        start(coder),
        handoff(coder, coder, when=ladder.higher(coder)),
        finish(coder, when=~ladder.doubted(coder)),
        stop(when=ladder.exhausted(coder)),
    )
    seen = set()
    for seed in range(12):
        models = minds(**dict.fromkeys(RUNGS, [LOW] * 3))
        result = Workflow(graph, models=models, allocator=ladder).run_sync("g", seed=seed)
        begun = {option.key: option.probability for option in plans(result)[0].options}
        for plan in plans(result):
            shares = {option.key: option.probability for option in plan.options}
            rung = RUNGS.index(plan.key or "")
            below = [begun[key] for key in RUNGS[: rung + 1]]
            assert plan.probability == shares[plan.key or ""]
            assert plan.probability == pytest.approx(sum(below) if plan.because else below[-1])
            assert sum(shares.values()) == pytest.approx(1)
            seen |= {plan.key} if plan.because else set()
    assert seen == {"medium", "large"}


def test_a_critic_who_refuses_takes_the_author_up_once_for_each_draft() -> None:
    ladder = Escalation(RUNGS, unsure() | refused)
    graph = Graph(start(coder), *refinement(coder, critic, rounds=3))
    scripts = minds(small=[LOW], medium=[HIGH], large=[HIGH, HIGH])
    models = {**scripts, "critic": ScriptedModel([NO, NO, NO, YES], "critic")}
    result = run(graph, ladder, models)
    assert tiers(result) == ["small", "medium", "large", "large"]
    assert tiers(result, "critic") == [None] * 4
    why = [plan.because.partition(";")[0] for plan in plans(result)]
    assert why[1] == "rung 2 of 3: a confidence of low in turn 1", "the review came afterwards"
    assert why[2:] == ["rung 3 of 3: critic did not approve in turn 4"] * 2
    assert result.finished


def test_a_watch_that_wants_another_tier_gets_the_next_rung_for_a_turn() -> None:
    worker = Role("coder")
    ladder = Escalation(("small", "large"), invalid)
    graph = Graph(
        start(worker),
        handoff(worker, worker),
        finish(worker, when=turns(9)),
        stop(when=turns(8)),
    )
    same = FunctionModel(lambda request: "again")
    team = Workflow(
        graph,
        models={"small": same, "large": same},
        allocator=ladder,
        watches=(Watch(looped(times=2), patience=1),),
    )
    given = plans(team.run_sync("g"))
    up = [plan for plan in given if plan.tier == "large"]
    assert up
    assert all(plan.because.startswith("rung 2 of 2: the run gets no further") for plan in up)
    assert given[0].tier == "small"


def test_a_replay_climbs_as_the_run_did() -> None:
    journal = MemoryJournal()
    team = Workflow(ALONE, models=minds(small=[LOW], medium=[LOW], large=[HIGH]), allocator=LADDER)
    result = team.run_sync("g", seed=1, journal=journal)

    async def again() -> bool:
        return (await Record(journal, result.run).replay(team)).identical

    assert anyio.run(again)


def test_a_rung_that_the_budget_has_no_room_for_is_not_climbed_and_the_record_says_so() -> None:
    models = {
        "small": priced("small", 1, [LOW]),
        "medium": priced("medium", 2, [LOW, LOW]),
        "large": priced("large", 5000, []),
    }
    result = run(ALONE, LADDER, models, budget=Budget(usd=1))
    assert tiers(result) == ["small", "medium", "medium"]
    assert plans(result)[2].because.startswith("script:large does not fit")
    assert ending(result)[:2] == ("stopped", "gave_up"), "and nobody asks the same one for ever"


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda: Escalation(("small",), invalid), "give two or more keys of models, each once"),
        (lambda: Escalation(("a", "b", "a"), invalid), "give two or more keys of models, each"),
        (lambda: Escalation(RUNGS, "invalid"), "not a doubt; take invalid, refused, unsure"),  # type: ignore[arg-type]
        (lambda: Escalation(RUNGS, invalid, figures=("x",)), "which is no Figure"),  # type: ignore[arg-type]
    ],
)
def test_a_ladder_that_leads_nowhere_is_refused(made: Any, said: str) -> None:
    with pytest.raises(DeclarationError, match=said):
        made()


def test_models_that_do_not_fit_the_rungs_are_refused_when_the_workflow_is_made() -> None:
    def team(ladder: Escalation, *keys: str) -> Workflow:
        return Workflow(ALONE, models=minds(**{key: [] for key in keys}), allocator=ladder)

    with pytest.raises(DeclarationError, match="Escalation wants a model under 'medium'"):
        team(LADDER, "small", "large")
    with pytest.raises(DeclarationError, match="models names 'tiny', which is neither a role"):
        team(LADDER, *RUNGS, "tiny")
    around = Escalation(RUNGS, invalid, within=ByComplexity())
    with pytest.raises(DeclarationError, match="models names 'tiny', which is neither a role"):
        team(around, *RUNGS, "tiny")
    assert team(around, *RUNGS).needed.keys() == {*RUNGS}
    assert team(LADDER, *RUNGS, "coder").needed.keys() == {"coder"}, "it needs no rung"


def test_a_request_says_nothing_of_the_ladder() -> None:
    """What a model is asked is the same on every rung; only who is asked differs."""
    seen: list[Request] = []

    def say(request: Request) -> str:
        seen.append(request)
        return HIGH if len(seen) > 1 else LOW

    same = {key: FunctionModel(say, key) for key in RUNGS}
    run(ALONE, LADDER, same)
    assert seen[0].system == seen[1].system
    assert "rung" not in f"{seen[1].messages}"
