from __future__ import annotations

import pytest

from hive.board.contributions import Evidence, Finding, Note
from hive.board.records import Handoff
from hive.board.state import State
from hive.control import Mention, RoundRobin
from tests.control.states import decision, entry, folded, move, situation

TEAM = (move("coder"), move("reviewer"), move("coder", "tester"), move("red-team"))


def said(text: str, author: str = "planner") -> State:
    return folded(decision(1, author), entry(Note(text=text), author, turn=1))


def chosen(state: State) -> tuple[int, str]:
    choice = Mention().decide(situation(*TEAM, state=state))
    assert choice.deterministic
    return choice.index, choice.reason


def test_whoever_was_handed_over_to_goes_on() -> None:
    note = entry(Note(text="@coder should look"), "planner", turn=1)
    asked = entry(Handoff(to="reviewer"), "planner", turn=1, place=2)
    state = folded(decision(1, "planner"), note, asked)
    assert chosen(state) == (1, "planner handed over to reviewer")


def test_a_handoff_that_the_graph_does_not_allow_is_said() -> None:
    state = folded(decision(1, "planner"), entry(Handoff(to="arbiter"), "planner", turn=1))
    index, reason = chosen(state)
    assert index == 0
    assert reason.startswith("planner asked for arbiter, which may not act now; graph order: ")


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("over to the reviewer, then the coder", 1),
        ("the coder was quick; @reviewer please", 1),
        ("The Reviewer may look", 1),
        ("this is for red-team", 3),
        ("only the tester can tell", 2),
        ("coder", 0),
    ],
)
def test_a_name_in_the_newest_contribution_directs(text: str, index: int) -> None:
    assert chosen(said(text))[0] == index
    assert "planner named" in chosen(said(text))[1]


@pytest.mark.parametrize("text", ["", "the decoder", "coder-like", "reviewers", "nobody", "red"])
def test_what_only_looks_like_a_name_does_not(text: str) -> None:
    assert chosen(said(text))[1].startswith("nobody who may act was named; graph order: ")


def test_of_the_moves_of_who_was_named_the_smallest_is_made() -> None:
    moves = (move("coder", "tester"), move("coder"), move("tester", "coder"))
    assert Mention().decide(situation(*moves, state=said("coder"))).index == 1


def test_of_several_who_acted_beside_each_other_the_last_by_the_decision_is_heard() -> None:
    state = folded(
        decision(1, "writer", "critic"),
        entry(Note(text="coder, please"), "writer", turn=1),
        entry(Note(text="reviewer, please"), "critic", turn=1),
    )
    assert chosen(state) == (1, "critic named reviewer in its newest contribution")


def test_naming_oneself_is_not_heard() -> None:
    assert chosen(said("I, the coder, ask the reviewer", author="coder"))[0] == 1
    assert chosen(said("I am the coder", author="coder"))[1].startswith("nobody")


def test_names_are_found_in_nested_fields() -> None:
    finding = Finding(
        claim="seen", evidence=(Evidence(path="a.py", line=1, excerpt="ask @reviewer"),)
    )
    state = folded(decision(1, "planner"), entry(finding, "planner", turn=1))
    assert chosen(state)[0] == 1


def test_the_last_strand_of_the_turn_is_the_newest() -> None:
    state = folded(
        decision(1, "planner", "scout"),
        entry(Note(text="the coder"), "planner", turn=1),
        entry(Note(text="the reviewer"), "scout", turn=1),
    )
    assert chosen(state) == (1, "scout named reviewer in its newest contribution")
    later = folded(
        *(decision(1, "planner"), entry(Note(text="the reviewer"), "planner", turn=1)),
        decision(2, "planner"),
    )
    assert chosen(later)[1].startswith("nobody")


def test_what_tools_bring_in_directs_nobody() -> None:
    read = entry(Note(text="ask @reviewer"), "tool:read", turn=1, strand="planner")
    assert chosen(folded(decision(1, "planner"), read))[1].startswith("nobody")


def test_nobody_named_leaves_it_to_another_policy() -> None:
    seen = situation(move("a"), move("b"), state=State(turn=2, acted={"a": 2, "b": 1}))
    choice = Mention(otherwise=RoundRobin()).decide(seen)
    assert choice.index == 1
    assert "round robin: b last acted in turn 1" in choice.reason
