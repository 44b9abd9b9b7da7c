"""The escalation ladder, with minds that do as they are told: who climbs, why, and at what price is
read from the board."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hive import Budget, Finding, Graph, Review, Role, Workflow, finish, handoff, start, stop, turns
from hive.audit import Record
from hive.board.contributions import TestReport
from hive.board.payload import Payload
from hive.board.records import Decision, Fault, StrandPlan, Termination
from hive.board.state import State
from hive.control import (
    ByComplexity,
    ByPreference,
    Escalation,
    Figure,
    Preference,
    Watch,
    divided,
    escalating,
    invalid,
    looped,
    refinement,
    refused,
    tests_failed,
    tool_errors,
    unsure,
    worst_case,
)
from hive.control.ladder import climb_of
from hive.errors import DeclarationError
from hive.journal.memory import MemoryJournal
from hive.message import Request, ToolUse
from hive.models import ModelCard
from hive.models.catalog import Prices
from hive.run import Result
from hive.testing import FunctionModel, ScriptedModel
from hive.tools import ToolOutput, allow, tool, write_file
from tests.control.states import decision, entry, folded, report
from tests.sound import sound

RUNGS = ("small", "medium", "large")
coder = Role("coder", writes=(Finding,))
critic = Role("critic", writes=(Review,))
chief = Role("chief")
LADDER = Escalation(RUNGS, invalid | unsure())


def found(confidence: str) -> str:
    return Finding.model_validate({"claim": "c", "confidence": confidence}).model_dump_json()


LOW, HIGH = found("low"), found("high")
NO = Review(approved=False, reasons=("no",)).model_dump_json()
YES = Review(approved=True, reasons=()).model_dump_json()


def minds(**lines: Any) -> dict[str, Any]:
    """A script for each key."""
    return {key: ScriptedModel(given, key) for key, given in lines.items()}


def run(graph: Graph, ladder: Escalation, models: Mapping[str, Any], **options: Any) -> Result:
    result = Workflow(graph, models=models, allocator=ladder, **options).run_sync("g", seed=1)
    sound(result.entries)
    return result


def plans(result: Result, role: str = "coder") -> list[StrandPlan]:
    """What a role was given, turn by turn."""
    decided = [e.payload for e in result.entries if isinstance(e.payload, Decision)]
    return [plan for each in decided for plan in each.strands if plan.role == role]


def tiers(result: Result, role: str = "coder") -> list[str | None]:
    return [plan.tier for plan in plans(result, role)]


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
        for plan in plans(result):
            below = [o.probability for o in plan.options if RUNGS.index(o.key) <= at(plan)]
            if plan.because:
                assert plan.probability == pytest.approx(sum(below))
                seen.add(plan.key)
            else:
                assert plan.probability == pytest.approx(below[-1])
    assert seen == {"medium", "large"}


def at(plan: StrandPlan) -> int:
    return RUNGS.index(plan.key or "")


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


@tool(name="run_tests", effect="read", posts=(TestReport,))
def check(passes: bool) -> ToolOutput:
    """A suite of one test, which passes or does not."""
    return ToolOutput("ran", posts=(report("t", failed=() if passes else ("t",)),))


def use(name: str, **arguments: Any) -> ToolUse:
    return ToolUse(id=name, name=name, arguments=arguments)


def test_a_failing_test_moves_up_whose_work_it_is_about(tmp_path: Any) -> None:
    """The coder says that it is done; what counts is what the tests say of what it changed."""
    worker, tester = Role("coder", tools=(check, write_file)), Role("tester")
    ladder = Escalation(RUNGS, tests_failed)
    change = use("write_file", path="a.txt", text="x")
    graph = Graph(start(worker), *escalating(worker, ladder, then=tester), finish(tester))
    models = minds(
        small=[[change, use("run_tests", passes=False)], "done"],
        medium=[[change, use("run_tests", passes=True)], "done"],
        large=[],
        tester=["looks good"],
    )
    team = Workflow(graph, models=models, allocator=ladder, approvals=allow())
    result = team.run_sync("g", workspace=tmp_path)
    sound(result.entries)
    assert tiers(result) == ["small", "medium"]
    assert plans(result)[1].because.startswith("rung 2 of 3: 1 failing test in turn 1")
    assert len(plans(result, "tester")) == 1
    assert result.finished


def test_tests_that_another_role_runs_speak_of_the_work_before() -> None:
    worker, tester = Role("coder"), Role("tester", tools=(check,))
    ladder = Escalation(RUNGS, tests_failed)
    graph = Graph(
        start(worker),
        handoff(worker, tester),
        handoff(tester, worker, when=ladder.higher(worker)),
        finish(tester, when=~ladder.doubted(worker)),
        stop(when=ladder.exhausted(worker)),
    )
    runs = [use("run_tests", passes=False), "ran", use("run_tests", passes=True), "ran"]
    models = minds(small=["done"], medium=["done"], large=[], tester=runs)
    result = run(graph, ladder, models)
    assert tiers(result) == ["small", "medium"]
    assert plans(result)[1].because.startswith("rung 2 of 3: 1 failing test in turn 2")
    assert result.finished


def test_samples_that_differ_and_errors_of_tools_move_up() -> None:
    ladder = Escalation(("small", "large"), divided(0.6) | tool_errors(2))
    poet = Role("coder")
    graph = Graph(start(poet, samples=3), *escalating(poet, ladder, samples=3))
    models = minds(small=["one", "two", "three"], large=["one", "one", "two"])
    result = run(graph, ladder, models)
    assert tiers(result) == ["small"] * 3 + ["large"] * 3
    assert plans(result)[3].because.startswith("rung 2 of 2: 1 of 3 answers agree in turn 1")
    assert result.finished

    @tool(effect="read")
    def look() -> str:
        """Look."""
        raise LookupError("nothing there")

    looker = Role("coder", tools=(look,))
    graph = Graph(start(looker), *escalating(looker, ladder))
    models = minds(small=[use("look"), use("look"), "done"], large=["done"])
    result = run(graph, ladder, models)
    assert plans(result)[1].because.startswith("rung 2 of 2: 2 tool errors in turn 1")


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


STEPS = st.lists(st.tuples(st.sampled_from("ab"), st.booleans()), max_size=24)


def played(steps: list[tuple[str, bool]], number: int) -> list[State]:
    """The states of turns in which a role on its rung is in doubt or not."""
    ladder = Escalation([f"r{n}" for n in range(number)], unsure())
    entries, found, rung = [], [], {"a": 0, "b": 0}
    for turn, (role, doubtful) in enumerate(steps, 1):
        made = decision(turn, role)
        assert isinstance(made.payload, Decision)
        (plan,) = made.payload.strands
        plan = plan.model_copy(update={"key": f"r{rung[role]}"})
        entries.append(entry(
            made.payload.model_copy(update={"strands": (plan,)}), "coordinator", turn=turn, place=0
        ))  # fmt: skip
        payload: Payload = Finding(claim="c", confidence="low" if doubtful else "high")
        entries.append(entry(payload, role, turn=turn))
        found.append(folded(*entries, tallies=ladder.tallies))
        climb = climb_of(ladder.tally, found[-1], role)
        rung[role] = 0 if climb is None else climb.rung
    return found


@given(STEPS, st.integers(2, 4))
def test_a_role_stands_as_high_as_it_was_in_doubt_up_to_the_top(
    steps: list[tuple[str, bool]], number: int
) -> None:
    ladder = Escalation([f"r{n}" for n in range(number)], unsure())
    doubts = {"a": 0, "b": 0}
    held = {"a": 0, "b": 0}
    for (role, doubtful), state in zip(steps, played(steps, number), strict=True):
        other = "b" if role == "a" else "a"
        top = doubts[role] >= number - 1
        doubts[role] += doubtful
        climb = climb_of(ladder.tally, state, role)
        assert (0 if climb is None else climb.rung) == min(doubts[role], number - 1)
        assert ladder.doubted(role).test(state) == doubtful
        assert ladder.higher(role).test(state) == (doubtful and not top)
        assert ladder.exhausted(role).test(state) == (doubtful and top)
        assert not ladder.doubted(other).test(state), "each by its own work"
        held[role] += ladder.higher(role).test(state)
    assert all(count <= number - 1 for count in held.values()), "which is what bounds a cycle"


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
