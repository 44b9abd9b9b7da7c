"""Review through each depth: who is asked how often, who sees what, and when an arbiter rules."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from hive import (
    Artifact,
    Graph,
    Note,
    Review,
    Role,
    State,
    Verdict,
    Workflow,
    finish,
    start,
    stop,
    turns,
)
from hive.audit import Record
from hive.board.entry import Entry
from hive.board.fold import fold
from hive.board.records import Complexity, Decision, Level5, Request, ReviewDepth
from hive.board.state import Folding
from hive.control import (
    TABLE,
    Allotment,
    ByComplexity,
    Critique,
    Proposal,
    Vote,
    blind,
    devils_advocate,
    require,
    reviewing,
    worst_case,
)
from hive.control.patterns.reviews import PANEL, found_more
from hive.errors import DeclarationError, GraphError
from hive.message import Request as Asked
from hive.run import Result
from hive.testing import FunctionModel
from hive.tools import read_file
from tests.control.states import decision, entry
from tests.sound import sound

author = Role("author", writes=(Artifact,))
reviewer = Role("reviewer", reads=(Artifact, Review, Verdict), writes=(Review,))
arbiter = Role("arbiter", writes=(Verdict,))
printer = Role("printer", reads=(Artifact, Verdict), writes=(Note,))
CLASSES: dict[ReviewDepth, Level5] = {
    "none": "trivial",
    "single": "simple",
    "panel": "complex",
    "adversarial": "critical",
    "exhaustive": "moderate",
}
DEEPEST = ByComplexity(TABLE.with_(moderate=Allotment("large", review="exhaustive")))

Say = Callable[[Asked, int], Any]
"""What a role answers, by its request and how often it was asked before."""


class Fixed:
    """An estimator that always says the same."""

    def __init__(self, level: Level5) -> None:
        self.level = level

    def estimate(self, goal: str, state: State) -> Complexity:
        return Complexity(level=self.level, score=1)


def approves(request: Asked, before: int) -> Any:
    return {"approved": True, "reasons": ["good"]}


def refuses(request: Asked, before: int) -> Any:
    return {"approved": False, "reasons": [f"bad, {before}"]}


def attacks(request: Asked, before: int) -> Any:
    return {"of": "1/author/0.2", "points": ["it leaks"]}


def made(
    depth: ReviewDepth, review: Say = approves, *, rule: Say | None = None, **more: Any
) -> Workflow:
    """One author, through a depth of review."""
    asked: dict[str, int] = {}
    lines: dict[str, Say] = {
        "author": lambda request, before: {"summary": f"version {before + 1}"},
        "reviewer": review,
        "advocate": attacks,
        "printer": lambda request, before: "printed",
        **({} if rule is None else {"arbiter": rule}),
    }

    def say(request: Asked) -> Any:
        role = request.system.split("'")[1]
        before = asked.get(role, 0)
        asked[role] = before + 1
        said = lines[role](request, before)
        return said if isinstance(said, str) else json.dumps(said)

    edges = reviewing(author, reviewer, arbiter=None if rule is None else arbiter, **more)
    ends = [finish(printer)] if "then" in more else []
    graph = Graph(start(author), *edges, *ends, stop(when=turns(12)))
    return Workflow(
        graph,
        model=FunctionModel(say, "minds"),
        estimator=Fixed(CLASSES[depth]),
        allocator=DEEPEST,
    )


def run(depth: ReviewDepth, review: Say = approves, **more: Any) -> Result:
    """A run whose board is sound."""
    result = made(depth, review, **more).run_sync("Make it.", seed=1)
    sound(result.entries)
    return result


def acted(result: Result) -> list[str]:
    """Who acted, turn by turn, with how many strands."""
    moves = [e.payload.strands for e in result.entries if isinstance(e.payload, Decision)]
    return [f"{plans[0].role} ×{len(plans)}" for plans in moves]


def verdicts(result: Result) -> list[Verdict]:
    return [e.payload for e in result.entries if isinstance(e.payload, Verdict)]


def shown(result: Result, role: str) -> set[str]:
    """The kinds of all contributions that a role was shown in the run."""
    kinds = {str(entry.address): entry.kind for entry in result.entries if entry.level == "domain"}
    asked = [e for e in result.entries if isinstance(e.payload, Request) and e.author == role]
    return {kinds[cause] for each in asked for cause in each.causes if cause in kinds}


@pytest.mark.parametrize(
    ("depth", "course"),
    [
        ("none", ["author ×1"]),
        ("single", ["author ×1", "reviewer ×1", "teller ×1"]),
        ("panel", ["author ×1", "reviewer ×3", "teller ×1"]),
        ("adversarial", ["author ×1", "advocate ×1", "reviewer ×3", "teller ×1"]),
        ("exhaustive", ["author ×1", "advocate ×1", "reviewer ×3", "teller ×1"]),
    ],
)
def test_good_work_goes_through_the_depth_that_its_class_is_allotted(
    depth: ReviewDepth, course: list[str]
) -> None:
    result = run(depth)
    assert acted(result) == course
    assert (result.outcome, result.text) == ("finished", "version 1")


def test_work_that_is_refused_goes_back_until_it_is_approved() -> None:
    result = run("single", lambda r, n: (refuses if n == 0 else approves)(r, n))
    assert acted(result) == ["author ×1", "reviewer ×1", "teller ×1"] * 2
    assert [v.ruling for v in verdicts(result)] == ["revise", "accept"]
    assert verdicts(result)[0].reasons[1] == "reviewer [2/reviewer/0.2]: bad, 0"
    assert (result.outcome, result.text) == ("finished", "version 2")


def test_a_panel_goes_by_its_majority_and_keeps_what_the_minority_said() -> None:
    result = run("panel", lambda r, n: (refuses if r.sample == 1 else approves)(r, n))
    (verdict,) = verdicts(result)
    assert (verdict.ruling, verdict.chosen) == ("accept", "1/author/0.2")
    assert verdict.reasons == ("1/author/0.2: 2 for and 1 against it",)
    assert len(verdict.dissent) == 1


def test_reviewers_are_blind_over_all_rounds_and_the_author_is_not() -> None:
    result = run("panel", lambda r, n: (refuses if n < PANEL else approves)(r, n))
    assert acted(result) == ["author ×1", "reviewer ×3", "teller ×1"] * 2
    assert shown(result, "reviewer") == {"Goal", "Artifact"}
    assert {"Review", "Verdict"} <= shown(result, "author")


def test_reviewers_read_what_the_advocate_found_and_the_dissent_keeps_it() -> None:
    result = run("adversarial")
    assert shown(result, "reviewer") == {"Goal", "Artifact", "Critique"}
    assert shown(result, "advocate") == {"Goal", "Artifact"}
    assert verdicts(result)[0].dissent == ("advocate [2/advocate/0.2]: it leaks",)


def objecting(*rounds: int) -> Say:
    """The first reviewer objects to a line for each round, others never."""

    def review(request: Asked, before: int) -> Any:
        number = before // PANEL
        if request.sample or number >= len(rounds):
            return approves(request, before)
        place = {"path": "a.py", "line": rounds[number], "excerpt": "x"}
        return {"approved": False, "reasons": [f"said anew: {number}"], "evidence": [place]}

    return review


@pytest.mark.parametrize(
    ("lines", "rounds"),
    [((), 1), ((7,), 2), ((7, 7), 2), ((7, 8), 3), ((7, 8, 9), 3)],
    ids=["nothing", "once", "the same again", "another one", "no end of it"],
)
def test_an_exhaustive_review_goes_on_until_a_round_finds_nothing_new(
    lines: tuple[int, ...], rounds: int
) -> None:
    result = run("exhaustive", objecting(*lines))
    assert acted(result) == ["author ×1", "advocate ×1", *["reviewer ×3"] * rounds, "teller ×1"]
    (verdict,) = verdicts(result)
    assert len([line for line in verdict.dissent if "said anew" in line]) == len(lines)
    reviews = [entry for entry in result.entries if isinstance(entry.payload, Review)]
    assert len(reviews) == PANEL * rounds


def accepts(request: Asked, before: int) -> Any:
    return {"ruling": "accept", "reasons": ["good enough"]}


def test_an_author_and_a_panel_who_disagree_twice_are_heard_by_the_arbiter() -> None:
    result = run("panel", refuses, rule=accepts)
    assert acted(result) == ["author ×1", "reviewer ×3", "teller ×1"] * 2 + ["arbiter ×1"]
    assert [v.ruling for v in verdicts(result)] == ["revise", "revise", "accept"]
    assert (result.outcome, result.text) == ("finished", "version 2")


def test_what_is_remembered_of_reviews_is_the_same_when_a_run_is_replayed(tmp_path: Path) -> None:
    where = f"sqlite:{tmp_path / 'journal.db'}"
    courses: list[tuple[ReviewDepth, Say]] = [("panel", refuses), ("exhaustive", objecting(7, 8))]
    for depth, review in courses:
        team = made(depth, review, rule=accepts)
        result = team.run_sync("Make it.", journal=where, seed=1)
        with Record.open(where, result.run) as record:
            assert asyncio.run(record.replay(team)).identical


def test_after_a_ruling_the_disagreement_begins_anew() -> None:
    def sends_back_once(request: Asked, before: int) -> Any:
        return {"ruling": "revise", "reasons": ["once more"]} if not before else accepts(request, 1)

    result = run("single", refuses, rule=sends_back_once)
    around = ["author ×1", "reviewer ×1", "teller ×1"]
    assert acted(result)[:7] == [*around, *around, "arbiter ×1"]
    assert acted(result)[7:] == around + around[:2]
    assert result.outcome == "stopped"


def test_an_arbiter_who_gives_up_ends_the_run_with_that_reason() -> None:
    result = run("single", refuses, rule=lambda r, n: {"ruling": "give_up", "reasons": ["no way"]})
    assert acted(result)[-1] == "arbiter ×1"
    assert (result.outcome, result.reason) == ("stopped", "gave_up")


def silent_but_for(sample: int) -> Say:
    return lambda r, n: approves(r, n) if r.sample == sample else "I would rather not."


def test_a_panel_of_which_most_are_silent_decides_nothing() -> None:
    result = run("panel", silent_but_for(1), rule=accepts)
    assert acted(result) == ["author ×1", "reviewer ×3", "teller ×1", "arbiter ×1"]
    assert [v.ruling for v in verdicts(result)] == ["undecided", "accept"]
    assert verdicts(result)[0].reasons == ("1/author/0.2: 1 of 3 have spoken, and 2 must",)


def test_without_an_arbiter_what_is_undecided_goes_back() -> None:
    result = run("panel", silent_but_for(1))
    assert acted(result)[:4] == ["author ×1", "reviewer ×3", "teller ×1", "author ×1"]
    assert (result.outcome, verdicts(result)[-1].ruling) == ("stopped", "undecided")


def test_what_is_accepted_can_go_on_to_another_role() -> None:
    assert acted(run("none", then=printer)) == ["author ×1", "printer ×1"]
    assert acted(run("single", then=printer))[-1] == "printer ×1"
    ruled_for = run("panel", refuses, rule=accepts, then=printer)
    assert acted(ruled_for)[-2:] == ["arbiter ×1", "printer ×1"]


def test_the_depth_can_change_as_the_work_is_judged_anew() -> None:
    class Rising:
        """Work that is harder once it has been refused."""

        def estimate(self, goal: str, state: State) -> Complexity:
            refused = state.latest(Verdict) is not None
            return Complexity(level="complex" if refused else "simple", score=1)

    def say(request: Asked) -> str:
        if "'author'" in request.system:
            return json.dumps({"summary": "s"})
        alone = request.messages[0].text.count("] Artifact by") == 1
        return json.dumps({"approved": not alone, "reasons": []})

    graph = Graph(start(author), *reviewing(author, reviewer), stop(when=turns(12)))
    team = Workflow(graph, model=FunctionModel(say), estimator=Rising())
    course = acted(team.run_sync("Make it."))
    assert course == [
        *("author ×1", "reviewer ×1", "teller ×1"),
        *("author ×1", "reviewer ×3", "teller ×1"),
    ]


def test_every_walk_through_the_edges_is_bounded_by_the_stop_and_only_by_it() -> None:
    edges = reviewing(author, reviewer, arbiter=arbiter)
    assert worst_case(Graph(start(author), *edges, stop(when=turns(12)))).turns == 12
    with pytest.raises(GraphError, match="can go round for ever"):
        Graph(start(author), *edges)


def test_what_skips_the_review_of_easy_work_breaks_a_rule_that_asks_for_one() -> None:
    edges = reviewing(author, reviewer)
    with pytest.raises(GraphError, match="require") as refused:
        Graph(start(author), *edges, stop(when=turns(9)), require(reviewer, before="finish"))
    assert refused.value.path == ("author", "finish")


def test_from_a_least_depth_on_there_is_no_way_around_the_reviewer() -> None:
    for least, course in (("single", ["reviewer ×1"]), ("panel", ["reviewer ×3"])):
        assert acted(run("none", least=least)) == ["author ×1", *course, "teller ×1"]
        assert acted(run("adversarial", least=least))[1] == "advocate ×1"
    assert acted(run("panel", least="exhaustive"))[1:3] == ["advocate ×1", "reviewer ×3"]
    edges = reviewing(author, reviewer, least="single")
    rule = require(reviewer, before="finish")
    assert Graph(start(author), *edges, stop(when=turns(9)), rule).rules == (rule,)
    with pytest.raises(DeclarationError, match="say 'none', 'single'"):
        reviewing(author, reviewer, least="deep")  # type: ignore[arg-type]  # no such depth


def test_a_blind_role_reads_no_opinions() -> None:
    seeing = Role("r", reads=(Artifact, Review, Vote, Verdict, Proposal, Critique))
    assert blind(seeing).reads == (Artifact, Proposal, Critique)
    with pytest.raises(DeclarationError, match="it reads all there is"):
        blind(Role("r"))


def test_the_advocate_sees_and_may_call_what_the_reviewer_does() -> None:
    own = reviewer.with_(tools=(read_file,), output=Review)
    advocate = devils_advocate(own)
    assert (advocate.name, advocate.writes) == ("advocate", (Critique,))
    assert (advocate.reads, advocate.tools) == (own.reads, own.tools)
    assert advocate.instructions != own.instructions
    owner = Role("owner", person=True, reads=(Artifact,), writes=(Review,))
    assert not devils_advocate(owner).person


def test_what_cannot_be_reviewed_is_refused() -> None:
    with pytest.raises(DeclarationError, match="reviewer writes no Review"):
        reviewing(author, Role("reviewer", reads=()))
    with pytest.raises(DeclarationError, match="say by output= which of them is its work"):
        reviewing(Role("author", writes=(Artifact, Note)), reviewer)
    with pytest.raises(DeclarationError, match="reviewer does not read Artifact, the work of"):
        reviewing(author, reviewer.with_(reads=(Note,)))
    assert reviewing(author, reviewer.with_(reads=(Note,), tools=(read_file,)))
    with pytest.raises(DeclarationError, match="author reads neither Verdict nor Review"):
        reviewing(author.with_(reads=(Note,)), reviewer)
    assert reviewing(author.with_(reads=(Verdict,)), reviewer)
    both = Role("author", writes=(Artifact, Note), output=Artifact)
    assert reviewing(both, reviewer)
    with pytest.raises(DeclarationError, match="rounds"):
        reviewing(author, reviewer, rounds=0)


GUARD = found_more(reviewer, Artifact, rounds=2)
WORK = [decision(1, "author"), entry(Artifact(summary="w"), "author", turn=1)]


def objects(turn: int, *reasons: str, approved: bool = False) -> list[Entry]:
    said = [
        entry(
            Review(approved=approved, reasons=(reason,)),
            "reviewer",
            turn=turn,
            strand=f"reviewer#{n}",
        )
        for n, reason in enumerate(reasons)
    ]
    return [decision(turn, "reviewer"), *said]


def held(*course: list[Entry]) -> list[bool]:
    folding, told = Folding(tallies=GUARD.tallies), []
    state = fold(State(), [entry(Note(text="goal"))], folding)
    for _, turn in groupby([e for each in course for e in each], lambda e: e.turn):
        state = fold(state, list(turn), folding)
        told.append(GUARD.test(state))
    return told


def test_objections_are_new_until_they_have_been_said_and_new_work_begins_anew() -> None:
    again = [decision(4, "author"), entry(Artifact(summary="v"), "author", turn=4)]
    assert held(WORK, objects(2, "x", "y"), objects(3, "Y ", "x")) == [False, True, False]
    assert held(WORK, objects(2, "x"), objects(3, "y")) == [False, True, False]  # two rounds
    assert held(WORK, objects(2, "x", approved=True)) == [False, False]
    assert held(WORK, objects(2, "x"), objects(3, "x"), again, objects(5, "x"))[-1]
    assert not held(WORK, objects(2, "x"), [decision(3, "author")])[-1]
