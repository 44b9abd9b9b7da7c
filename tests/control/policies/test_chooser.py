from __future__ import annotations

import pytest

from hive.board.contributions import Note
from hive.control import Choose, Chooser, Mention, RoundRobin, agenda
from hive.errors import DeclarationError
from hive.role import Role
from tests.control.states import move, situation

TEAM = (move("coder"), move("reviewer"), move("tester", "coder"), move("scout", "scout"))


@pytest.mark.parametrize(
    ("said", "index"),
    [
        ("reviewer", 1),
        ("  Reviewer ", 1),
        ("`reviewer`", 1),
        ("2", 1),
        ("3", 2),
        ("2.", 1),
        ("2. reviewer", 1),
        ("3) tester + coder", 2),
        ("2. reviewer (coder → reviewer)", 1),
        ("tester + coder", 2),
        ("tester", 2),
        ("coder", 0),
        ("scout ×2", 3),
        ("scout", 3),
    ],
)
def test_lawful_advice_is_followed(said: str, index: int) -> None:
    advice = Choose(move=said, reason="12/a/1 is open")
    choice = Chooser().decide(situation(*TEAM, advice=advice))
    assert choice.index == index
    assert choice.deterministic
    assert choice.probabilities[index] == 1
    assert choice.reason == f"chooser chose {said.strip()}: 12/a/1 is open"


@pytest.mark.parametrize(
    "said",
    [
        "0",
        "5",
        "arbiter",
        "",
        "coder reviewer",
        "-1",
        "2. coder",
        "1. coder + tester",
        "5. reviewer",
        "1.5",
        "9" * 5000,
    ],
)
def test_other_advice_falls_back_and_says_so(said: str) -> None:
    advice = Choose(move=said, reason="why not")
    choice = Chooser(fallback=RoundRobin()).decide(situation(*TEAM, advice=advice))
    assert choice.index == 0
    assert (
        f"chooser chose {said!r}, which is none of coder, reviewer, tester + coder" in choice.reason
    )
    assert "round robin instead: coder has not acted yet" in choice.reason


def test_a_role_in_several_moves_is_not_guessed() -> None:
    seen = situation(
        move("a", "b"), move("a", "c"), advice=Choose(move="a", reason="it is the best")
    )
    assert "which is none of a + b, a + c" in Chooser().decide(seen).reason
    seen = situation(move("a", "b"), move("a", "c"), advice=Choose(move="c", reason="r"))
    assert Chooser().decide(seen).index == 1


def test_missing_or_strange_advice_falls_back() -> None:
    assert (
        "chooser gave no advice; graph order instead" in Chooser().decide(situation(*TEAM)).reason
    )
    alone = Chooser().decide(situation(TEAM[0]))
    assert "no advice" not in alone.reason, "nobody is asked about a single move"
    strange = Chooser(fallback=Mention()).decide(situation(*TEAM, advice=Note(text="reviewer")))
    assert "posted Note and not Choose" in strange.reason


def test_an_advisor_must_be_able_to_advise() -> None:
    own = Role("foreman", "Pick.", writes=(Choose,))
    assert Chooser(own).name == "chosen by foreman"
    with pytest.raises(DeclarationError, match="role 'foreman' cannot advise a Chooser"):
        Chooser(own.with_(writes=(Note,)))


def test_the_agenda_lists_moves_and_what_roles_are_for() -> None:
    roles = {
        "coder": Role("coder", "Mend the code.\nUse tools."),
        "reviewer": Role("reviewer"),
    }
    text = agenda(situation(*TEAM[:3], roles=roles))
    assert text == (
        "The moves allowed now:\n"
        "1. coder (… → coder)\n"
        "   coder: Mend the code.\n"
        "2. reviewer (… → reviewer)\n"
        "   reviewer: writes Note\n"
        "3. tester + coder (… → tester+coder)\n"
        "   coder: Mend the code."
    )
