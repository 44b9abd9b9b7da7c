"""Every way to decide between proposals, by minds that do as they are told; read from the board."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hive import (
    Artifact,
    Graph,
    Note,
    Payload,
    Review,
    Role,
    Verdict,
    Workflow,
    finish,
    handoff,
    posted,
    start,
    stop,
    tests_pass,
    turns,
)
from hive.audit import Record
from hive.board.records import Decision, Request
from hive.control import (
    BordaCount,
    ByTests,
    DecidingRule,
    MajorityVote,
    Proposal,
    Vote,
    blind,
    ruled,
    teller,
    undecided,
)
from hive.message import Request as Asked
from hive.message import ToolUse
from hive.run import Result
from hive.testing import FunctionModel, ScriptedPerson
from hive.tools import run_tests, write_file
from tests.roles import projects
from tests.sound import sound

A, B, C = (f"1/author#{n}/0.2" for n in range(3))
author = Role("author", reads=(), writes=(Proposal,))
voter = Role("voter", reads=(Proposal, Vote, Verdict), writes=(Vote,))
arbiter = Role("arbiter", writes=(Verdict,))

Say = Callable[[Asked], Any]


def mind(**lines: Say) -> FunctionModel:
    """A mind that says for each role what its line gives: a text, JSON, or a use of a tool."""

    def say(request: Asked) -> Any:
        said = lines[request.system.split("'")[1]](request)
        return said if isinstance(said, str | ToolUse) else json.dumps(said)

    return FunctionModel(say, "minds")


def way(request: Asked) -> str:
    return f"way {request.sample}"


def votes(*choices: str | tuple[str, ...] | None) -> Say:
    """Voters by sample: for one, in an order, abstaining (None), or with what is no vote ("")."""

    def vote(request: Asked) -> Any:
        choice = choices[request.sample]
        if choice == "":
            return "I would rather not say."
        if choice is None:
            return {"reason": "no view", "abstain": True}
        named = {"choice": choice} if isinstance(choice, str) else {"ranking": choice}
        return {"reason": f"voter {request.sample} says so", **named}

    return vote


def poll(rule: DecidingRule, number: int = 3) -> Graph:
    """Three proposals, so many voters, a teller; and an arbiter for when it cannot decide."""
    count = teller(rule)
    return Graph(
        start(author, samples=3),
        handoff(author, voter, samples=number),
        handoff(voter, count),
        finish(count, when=ruled("accept")),
        handoff(count, arbiter, when=undecided),
        finish(arbiter),
        stop(when=turns(9)),
    )


def run(graph: Graph, model: FunctionModel, **options: Any) -> Result:
    result = Workflow(graph, model=model, **options).run_sync("Choose.", seed=1)
    sound(result.entries)
    return result


def acted(result: Result) -> list[str]:
    """Who acted, turn by turn, with how many strands."""
    moves = [e.payload.strands for e in result.entries if isinstance(e.payload, Decision)]
    return [f"{plans[0].role} ×{len(plans)}" for plans in moves]


def only(result: Result, kind: type[Payload]) -> Any:
    (found,) = [e.payload for e in result.entries if isinstance(e.payload, kind)]
    return found


def seen(result: Result, role: str) -> set[str]:
    """The kinds of all contributions that a role was shown in the run."""
    kinds = {str(entry.address): entry.kind for entry in result.entries if entry.level == "domain"}
    asked = [e for e in result.entries if isinstance(e.payload, Request) and e.author == role]
    return {kinds[cause] for entry in asked for cause in entry.causes if cause in kinds}


def test_the_majority_chooses_and_the_answer_is_what_it_chose() -> None:
    result = run(poll(MajorityVote()), mind(author=way, voter=votes(B, A, B)))
    assert acted(result) == ["author ×3", "voter ×3", "teller ×1"]
    verdict = only(result, Verdict)
    assert (verdict.ruling, verdict.chosen) == ("accept", B)
    assert verdict.dissent == (f"voter#1 [2/voter#1/0.2] is for {A}: voter 1 says so",)
    assert (result.outcome, result.text) == ("finished", "way 1")


def rules(request: Asked) -> dict[str, Any]:
    return {"ruling": "accept", "reasons": ["it is simpler"], "chosen": C}


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (MajorityVote(), (A, B, C)),
        (MajorityVote(), (A, B, None)),
        (MajorityVote(), (None, None, None)),
        (MajorityVote(), (A, "", "")),
        (MajorityVote(), (A, "9/author/1", "9/author/1")),
        (MajorityVote(quorum=3), (A, A, "")),
        (BordaCount(), ((A, B), (B, A), None)),
        (BordaCount(quorum=3), ((A, B, C), (A, B, C), "")),
    ],
    ids=["no majority", "a tie", "all abstain", "too few", "void", "a quorum", "borda", "absent"],
)
def test_where_the_rule_cannot_decide_the_arbiter_does(rule: DecidingRule, said: Any) -> None:
    result = run(poll(rule), mind(author=way, voter=votes(*said), arbiter=rules))
    assert acted(result)[-1] == "arbiter ×1"
    first, second = [e.payload for e in result.entries if isinstance(e.payload, Verdict)]
    assert (first.ruling, first.chosen) == ("undecided", None)
    assert (second.ruling, second.chosen) == ("accept", C)
    assert (result.outcome, result.text) == ("finished", "way 2")


def test_rankings_choose_what_nobody_minds_over_what_most_put_first() -> None:
    five = votes(*[(A, B, C)] * 3, *[(B, C, A)] * 2)
    by_majority = run(poll(MajorityVote(), 5), mind(author=way, voter=five))
    by_rankings = run(poll(BordaCount(), 5), mind(author=way, voter=five))
    assert (by_majority.text, by_rankings.text) == ("way 0", "way 1")
    assert len(only(by_rankings, Verdict).dissent) == 3


def twice(voters: Role) -> Result:
    """A run whose voters are asked again after a tie, and then agree."""
    count = teller(MajorityVote())
    graph = Graph(
        start(author, samples=3),
        handoff(author, voters, samples=2),
        handoff(voters, count),
        finish(count, when=ruled("accept")),
        handoff(count, voters, when=undecided & ~turns(6), samples=2),
        stop(when=turns(9)),
    )
    asked: list[int] = []

    def vote(request: Asked) -> dict[str, Any]:
        asked.append(request.sample)
        return {"reason": "so", "choice": A if len(asked) > 2 or not request.sample else B}

    return run(graph, mind(author=way, voter=vote))


def test_blind_voters_never_see_a_vote_however_often_they_are_asked() -> None:
    result = twice(blind(voter))
    assert acted(result) == ["author ×3", "voter ×2", "teller ×1", "voter ×2", "teller ×1"]
    assert seen(result, "voter") == {"Goal", "Proposal"}
    assert only_last(result).chosen == A


def test_voters_who_are_not_blind_see_the_first_votes_in_the_second_round() -> None:
    assert {"Vote", "Verdict"} <= seen(twice(voter), "voter")


def only_last(result: Result) -> Verdict:
    return [e.payload for e in result.entries if isinstance(e.payload, Verdict)][-1]


def test_a_judge_chooses_alone() -> None:
    judge = Role("judge", "Choose.", reads=(Proposal,), writes=(Verdict,))
    graph = Graph(
        start(author, samples=3), handoff(author, judge), finish(judge), stop(when=turns(4))
    )
    result = run(graph, mind(author=way, judge=rules))
    assert seen(result, "judge") == {"Goal", "Proposal"}
    assert (only(result, Verdict).chosen, result.text) == (C, "way 2")


@pytest.mark.parametrize("nowhere", ["the second one", "9/author/0.2", "1/author#0/0.1"])
def test_a_judge_who_chooses_what_is_not_there_is_told_so_and_chooses_again(nowhere: str) -> None:
    judge = Role("judge", "Choose.", reads=(Proposal,), writes=(Verdict,))
    graph = Graph(
        start(author, samples=2), handoff(author, judge), finish(judge), stop(when=turns(4))
    )
    asked: list[Asked] = []

    def choose(request: Asked) -> dict[str, Any]:
        asked.append(request)
        chosen = nowhere if len(asked) == 1 else f"[{A}]"
        return {"ruling": "accept", "reasons": ["so"], "chosen": chosen}

    result = run(graph, mind(author=way, judge=choose))
    assert f"there is no contribution at chosen={nowhere!r}" in str(asked[1].messages)
    assert (only(result, Verdict).chosen, result.text) == (A, "way 0")


def test_a_role_merges_what_was_proposed() -> None:
    merger = Role("merger", "Make one of all.", reads=(Proposal,), writes=(Note,))
    graph = Graph(
        start(author, samples=3), handoff(author, merger), finish(merger), stop(when=turns(4))
    )

    def merge(request: Asked) -> str:
        parts = [part.text for part in request.messages[0].parts if part.type == "text"]
        return " and ".join(json.loads(p.split("\n")[1])["text"] for p in parts if "Proposal" in p)

    result = run(graph, mind(author=way, merger=merge))
    assert result.text == "way 0 and way 1 and way 2"


@pytest.mark.asyncio
async def test_a_person_can_be_the_arbiter() -> None:
    owner = Role("arbiter", "Rule where the count cannot.", person=True, writes=(Verdict,))
    count = teller(MajorityVote())
    graph = Graph(
        start(author, samples=2),
        handoff(author, voter, samples=2),
        handoff(voter, count),
        finish(count, when=ruled("accept")),
        handoff(count, owner, when=undecided),
        finish(owner, when=ruled("accept")),
        stop(when=turns(9)),
    )
    under_way = Workflow(graph, model=mind(author=way, voter=votes(A, B))).start("Choose.")
    person = ScriptedPerson([f"accept [{B}], I have seen both"])
    under_way.attend(person)
    result = await under_way.result()
    ruling = only_last(result)
    assert (ruling.chosen, ruling.reasons) == (B, ("I have seen both",))
    assert (result.outcome, result.text) == ("finished", "way 1")


FIXED = projects.repaired(projects.BOUNDS)["bounds.py"]


def repaired_by(coder_writes: str, tmp_path: Path) -> Result:
    """A coder who changes a file, a reviewer who does not like it, and tests that decide."""
    coder = Role("coder", writes=(Artifact,), tools=(write_file,))
    critic = Role("critic", writes=(Review,), tools=(run_tests,))
    count = teller(ByTests())
    graph = Graph(
        start(coder),
        handoff(coder, critic),
        handoff(critic, count, when=posted(Review)),
        finish(count, when=ruled("accept") & tests_pass),
        stop(when=ruled("revise") | turns(6)),
    )

    def code(request: Asked) -> Any:
        if len(request.messages) == 1:
            return ToolUse(
                id="1", name="write_file", arguments={"path": "bounds.py", "text": coder_writes}
            )
        return {"summary": "done"}

    def judge(request: Asked) -> Any:
        if len(request.messages) == 1:
            return ToolUse(id="1", name="run_tests", arguments={})
        return {"approved": False, "reasons": ["I do not like it."]}

    project = projects.written(tmp_path / "project", projects.BOUNDS)
    team = Workflow(graph, model=mind(coder=code, critic=judge))
    return team.run_sync("Mend it.", workspace=project)


def test_the_tests_overrule_a_reviewer_whose_refusal_is_kept(tmp_path: Path) -> None:
    result = repaired_by(FIXED, tmp_path)
    assert result.outcome == "finished"
    verdict = only(result, Verdict)
    assert verdict.ruling == "accept"
    assert verdict.dissent == ("critic [2/critic/1.2]: I do not like it.",)


def test_the_tests_send_back_what_fails(tmp_path: Path) -> None:
    result = repaired_by(projects.BOUNDS["bounds.py"] + "\n", tmp_path)
    assert result.outcome == "stopped"
    verdict = only(result, Verdict)
    assert (verdict.ruling, verdict.dissent) == ("revise", ())
    assert "test_what_is_too_large_is_lowered" in verdict.reasons[1]


def test_a_count_can_be_made_again_from_the_record(tmp_path: Path) -> None:
    where = f"sqlite:{tmp_path / 'journal.db'}"
    team = Workflow(poll(MajorityVote()), model=mind(author=way, voter=votes(B, A, B)))
    result = team.run_sync("Choose.", journal=where, seed=1)
    before = [entry for entry in result.entries if entry.turn < 3]
    assert MajorityVote().decide(before) == only(result, Verdict)
    with Record.open(where, result.run) as record:
        replayed = asyncio.run(record.replay(team))
    assert replayed.identical
