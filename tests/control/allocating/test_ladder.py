"""Who stands on which rung, folded from the record: by a role's own turn, by tests, samples and
votes, each in a scenario read from the board."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hive import Artifact, Finding, Graph, Review, Role, Workflow, finish, handoff, start, stop
from hive.board.contributions import TestReport
from hive.board.entry import Entry
from hive.board.payload import Payload
from hive.board.records import Decision, Observation
from hive.board.state import State
from hive.control import (
    Doubt,
    Escalation,
    Proposal,
    Vote,
    divided,
    escalating,
    refused,
    tests_failed,
    tool_errors,
    unsure,
)
from hive.control.allocating.ladder import Doubtful, climb_of, climbing, doubt_in
from hive.message import ToolUse
from hive.models import ScriptedModel
from hive.tools import ToolOutput, allow, tool, write_file
from tests.control.climbs import RUNGS, minds, plans, run, tiers
from tests.control.states import decision, entry, folded, report
from tests.sound import sound


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


def test_votes_that_differ_move_up_whose_work_was_voted_on() -> None:
    proposer = Role("coder", writes=(Proposal,))
    voters = tuple(Role(f"voter{n}", writes=(Vote,)) for n in range(3))
    ladder = Escalation(RUNGS, divided(0.9, kind=Vote, of=lambda vote: vote.model_dump()["choice"]))
    graph = Graph(
        start(proposer),
        handoff(proposer, voters),
        handoff(voters, proposer, when=ladder.higher(proposer)),
        finish(voters, when=~ladder.doubted(proposer)),
        stop(when=ladder.exhausted(proposer)),
    )
    split, agreed = [["a", "b", "a"], ["a", "a", "a"]]

    def votes(place: int) -> ScriptedModel:
        said = [Vote(choice=turn[place], reason=f"voter {place}") for turn in (split, agreed)]
        return ScriptedModel([vote.model_dump_json() for vote in said], f"voter{place}")

    text = Proposal(text="so").model_dump_json()
    models = minds(small=[text], medium=[text], large=[])
    result = run(graph, ladder, {**models, **{f"voter{n}": votes(n) for n in range(3)}})
    assert tiers(result) == ["small", "medium"]
    assert plans(result)[1].because.startswith("rung 2 of 3: 2 of 3 answers agree in turn 2")
    assert result.finished


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


WORK, YES = Artifact(summary="s"), Review(approved=True, reasons=())
NO = Review(approved=False, reasons=("no",))
LOW = Finding(claim="c", confidence="low")


def acts(turn: int, *roles: str, keys: tuple[str, ...] = ("small",)) -> Entry:
    """Some strands act, each with the next of some keys."""
    made = decision(turn, *roles).payload
    assert isinstance(made, Decision)
    plans = [
        plan.model_copy(update={"key": keys[n % len(keys)]}) for n, plan in enumerate(made.strands)
    ]
    payload = made.model_copy(update={"strands": tuple(plans)})
    return entry(payload, "coordinator", turn=turn, place=0)


def by(role: str, payload: Payload, turn: int) -> Entry:
    return entry(payload, role, turn=turn)


def doubted(*entries: Entry, doubt: Doubt = refused) -> dict[str, Doubtful]:
    """Whose work is doubted after some entries."""
    tally = climbing(RUNGS, doubt)
    state: State = folded(*entries, tallies=[tally])
    found = {role: doubt_in(tally, state, role) for role in ("coder", "tester", "critic", "judge")}
    return {role: each for role, each in found.items() if each is not None}


def test_a_judgement_speaks_of_who_worked_last_however_long_others_have_judged_since() -> None:
    said = [acts(1, "coder"), by("coder", WORK, 1), acts(2, "critic"), by("critic", YES, 2)]
    assert doubted(*said) == {}
    said += [acts(3, "judge"), by("judge", NO, 3)]
    assert doubted(*said).keys() == {"coder"}


def test_nobody_judges_their_own_work() -> None:
    both = [acts(1, "coder", "tester"), by("coder", WORK, 1), by("tester", WORK, 1)]
    assert doubted(*both, acts(2, "coder"), by("coder", NO, 2)).keys() == {"tester"}


def test_what_a_tool_posts_is_no_work_of_the_role_that_called_it() -> None:
    posted = entry(WORK, "tool:format", turn=2, strand="critic")
    called = entry(Observation(id="1", tool="format", text="ok"), "critic", turn=2, place=2)
    said = [acts(1, "coder"), by("coder", WORK, 1), acts(2, "critic"), posted, called]
    assert doubted(*said, acts(3, "judge"), by("judge", NO, 3)).keys() == {"coder"}


@pytest.mark.parametrize("keys", [("small", "medium"), ("medium", "small")])
def test_samples_on_several_rungs_count_as_on_the_highest(keys: tuple[str, ...]) -> None:
    doubt = unsure()
    said = [
        acts(1, "coder#0", "coder#1", keys=keys),
        entry(LOW, "coder", turn=1, strand="coder#0"),
    ]
    tally = climbing(RUNGS, doubt)
    climb = climb_of(tally, folded(*said, tallies=[tally]), "coder")
    assert climb is not None
    assert RUNGS[climb.rung] == "large"
