"""`hive answer`, and what a person is asked at the terminal."""

from __future__ import annotations

import getpass
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from hive.audit import Record
from hive.board.contributions import Plan, Review
from hive.board.payload import Payload
from hive.board.records import Approval, Spoken
from tests.cli.conftest import Here
from tests.cli.terminal import Terminal

USER = f"user:{getpass.getuser()}"
EDITED = {
    "summary": "fill it", "tasks": [{"id": "T2", "title": "fill"}], "done_when": "it is flat"
}  # fmt: skip


@pytest.fixture
def people(here: Here) -> Here:
    """The folder of `here`, with teams that people are in."""
    shutil.copy(Path(__file__).with_name("people_team.py"), here.folder / "people.py")
    return here


def found(people: Here, kind: type) -> list[object]:
    with Record.open(people.folder / ".hive/journal.db", people.runs()[0]["id"]) as record:
        return [entry.payload for entry in record.board.of_kind(kind)]


def written(people: Here, kind: type[Payload]) -> list[Any]:
    """Contributions as they stand in the journal."""
    with Record.open(people.folder / ".hive/journal.db", people.runs()[0]["id"]) as record:
        return [json.loads(entry.body) for entry in record.board.of_kind(kind)]


def test_a_run_waits_for_a_person_who_answers_at_the_shell(people: Here) -> None:
    ran = people.hive("run", "people:asking", "dig a hole")
    assert ran.code == 3
    assert "answer: Approve the plan. Say yes or no, and why; or the JSON of a Plan." in ran.out
    assert "hive answer" in ran.out
    assert people.runs()[0]["state"] == "waiting"
    asked = people.hive("answer", "last")
    assert (asked.code, asked.err) == (0, "")
    assert '"summary": "dig a hole"' in asked.out
    assert "1: 2/owner/0.0\nApprove the plan. Say yes or no" in asked.out
    shown = people.hive("answer", "last", "--json").json
    assert set(shown) == {"run", "state", "holder", "asked"}
    [question] = shown["asked"]
    assert question["subject"] == "2/owner/0.0"
    assert question["entries"] == ["0//1", "1/planner/0.2"]
    answered = people.hive("answer", "last", "yes, but quietly", "--by", "ann", "--json").json
    assert set(answered) == {"run", "state", "holder", "item", "question", "text", "by"}
    assert (answered["by"], answered["question"]) == ("user:ann", "2/owner/0.0")
    again = people.hive("answer", "last", "no")
    assert (again.code, "it was answered already" in again.err) == (2, True)
    ended = people.hive("resume", "last")
    assert (ended.code, "owner, by user:ann says: yes, but quietly" in ended.out) == (0, True)
    assert written(people, Review) == [
        {"approved": True, "evidence": [], "reasons": ["but quietly"]}
    ]
    assert people.hive("replay", "last").code == 0
    transcript = people.hive("show", "last").out
    assert "waits for an answer" in transcript
    assert "says  yes, but quietly" in transcript


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("perhaps", "'owner' cannot say that in words. Say yes or no, and why; or the JSON of"),
        ('{"summary": "half"}', "no Plan: tasks: Field required"),
        ("", "nothing was said"),
    ],
)
def test_what_does_not_fit_is_refused_at_the_shell(people: Here, words: str, why: str) -> None:
    people.hive("run", "people:asking", "dig a hole")
    answer = people.hive("answer", "last", words)
    assert (answer.code, why in answer.err) == (2, True)
    assert people.hive("answer", "last", "no").code == 0, "and nothing was sent"


def test_an_answer_may_stand_in_a_file(people: Here) -> None:
    people.hive("run", "people:asking", "dig a hole")
    (people.folder / "plan.json").write_text(json.dumps(EDITED))
    assert people.hive("answer", "last", "yes", "--file", "plan.json").code == 2
    assert people.hive("answer", "last", "--file", "plan.json").code == 0
    assert people.hive("resume", "last").code == 0
    assert [plan["summary"] for plan in written(people, Plan)] == ["dig a hole", "fill it"]
    [said] = found(people, Spoken)
    assert isinstance(said, Spoken)
    assert (said.by, json.loads(said.text)) == (USER, EDITED)


def test_one_of_several_questions_is_named(people: Here) -> None:
    assert people.hive("run", "people:two", "decide").code == 3
    unsaid = people.hive("answer", "last", "yes")
    assert unsaid.code == 2
    assert "say which of the questions that are open in run" in unsaid.err
    assert people.hive("answer", "last", "yes", "--question", "1/chief/0.0").code == 0
    assert people.hive("answer", "last", "no").code == 0, "the other one is the only one left"
    assert people.hive("resume", "last").code == 0
    assert len(found(people, Review)) == 2


def test_what_is_no_question_is_named_with_what_would_help(people: Here) -> None:
    people.hive("run", "people:asking", "dig a hole")
    wrong = people.hive("approve", "last")
    assert wrong.code == 2
    assert "no call of run" in wrong.err
    assert "`hive answer" in wrong.err


def test_a_team_that_has_no_such_person_any_more_is_told(people: Here) -> None:
    people.hive("run", "people:asking", "dig a hole")
    answer = people.hive("answer", "last", "yes", "--workflow", "people:careful")
    assert (answer.code, "it has changed since" in answer.err) == (2, True)


def test_a_person_is_asked_in_the_terminal_until_it_fits(people: Here) -> None:
    terminal = Terminal(people.folder, "run", "people:asking", "dig a hole")
    asked = terminal.until("owner> ")
    assert '"summary": "dig a hole"' in asked
    terminal.press("perhaps\n")
    terminal.until("That did not fit")
    terminal.until("owner> ")
    (people.folder / "plan.json").write_text(json.dumps(EDITED))
    terminal.press("@nowhere.json\n")
    terminal.until("cannot be read")
    terminal.press("@plan.json\n")
    assert terminal.end() == 0
    assert len(found(people, Plan)) == 2


def test_an_empty_line_leaves_it_for_later(people: Here) -> None:
    terminal = Terminal(people.folder, "run", "people:asking", "dig a hole", "--plain")
    terminal.until("owner> ")
    terminal.press("\n")
    assert terminal.end() == 3
    again = Terminal(people.folder, "resume", "last", "--plain")
    again.until("owner> ")
    again.press("no\n")
    assert again.end() == 0


def test_yes_says_nothing_in_the_place_of_a_person(people: Here) -> None:
    assert people.hive("run", "people:asking", "dig a hole", "--yes").code == 3


@pytest.mark.parametrize(
    ("options", "code", "told"),
    [((), 0, "all dug"), (("--deny", "--why", "not here"), 1, "denied the checkpoint before turn")],
)
def test_a_checkpoint_waits_for_a_yes(
    people: Here, options: tuple[str, ...], code: int, told: str
) -> None:
    ran = people.hive("run", "people:careful", "dig a hole")
    assert ran.code == 3
    assert "work, which may call dig (irreversible) by digger" in ran.out
    answer = people.hive("approve", "last", *options, "--by", "ann")
    assert answer.code == 0
    assert "1//0" in answer.out
    ended = people.hive("resume", "last")
    assert (ended.code, told in ended.out) == (code, True)
    assert people.hive("replay", "last").code == 0
    ruled = [each for each in found(people, Approval) if isinstance(each, Approval)][1]
    assert ruled.by == "user:ann"
    assert "the checkpoint, by user:ann" in people.hive("show", "last").out


@pytest.mark.parametrize(("key", "code"), [("y", 0), ("n", 1), ("l", 3)])
def test_a_checkpoint_is_asked_for_in_the_terminal(people: Here, key: str, code: int) -> None:
    terminal = Terminal(people.folder, "run", "people:careful", "dig a hole", "--plain")
    asked = terminal.until("[l]ater:")
    assert "work, which may call dig (irreversible) by digger.\r\nMay it begin?" in asked
    terminal.press(f"{key}\n")
    assert terminal.end() == code


def test_yes_passes_a_checkpoint(people: Here) -> None:
    assert people.hive("run", "people:careful", "dig a hole", "--yes").code == 0


CARELESS = """
from hive.control import require
from people import DIGS, Graph, Workflow, allow, digger, finish, start

graph = Graph(start(digger), finish(digger), require("approval", before="irreversible"))
team = Workflow(graph, model=DIGS, approvals=allow())
"""


def test_hive_check_finds_who_may_call_without_asking(people: Here) -> None:
    (people.folder / "careless.py").write_text(CARELESS)
    checked = people.hive("check", "careless:team")
    assert checked.code == 1
    assert "digger may call dig without asking anybody (allow()" in checked.out
    assert "the path that proves it: digger" in checked.out
    assert people.hive("check", "careless:team", "--json").json["flaws"][0]["code"] == "broken_rule"
