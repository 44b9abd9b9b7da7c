"""Roles: what a member of the team may do, checked where it is written down."""

import re
from dataclasses import FrozenInstanceError
from typing import Any, ClassVar

import pytest

from hive import Finding, Goal, Note, Payload, Plan, Role, Task, TestReport, tool
from hive.board.contributions import Attachment, UserMessage
from hive.board.records import Decision, Fault
from hive.board.view import View
from hive.errors import DeclarationError
from hive.message import Settings
from hive.tools import Tool
from tests.phases.replies import Colour


@tool(effect="read", posts=(TestReport,))
async def look(where: str) -> str:
    """Look."""
    return where


@tool(effect="read", posts=(UserMessage,))
async def tells(text: str) -> str:
    """Speak for the user."""
    return text


async def nothing(view: View) -> None:
    """A program with nothing to say."""


def test_a_role_is_a_frozen_value_and_changes_make_another() -> None:
    role = Role("coder", "Write code.")
    other = role.with_(instructions="Write tests.", corrections=0)
    assert (role.instructions, role.corrections) == ("Write code.", 2)
    assert (other.name, other.instructions, other.corrections) == ("coder", "Write tests.", 0)
    assert role == Role("coder", "Write code.") != other
    assert hash(role) == hash(Role("coder", "Write code."))
    with pytest.raises(FrozenInstanceError):
        role.name = "other"  # type: ignore[misc]  # what is tested


def test_lists_are_taken_for_tuples() -> None:
    role = Role("a", writes=[Note, Colour], reads=[Note], tools=[look])  # type: ignore[arg-type]
    assert role == Role("a", writes=(Note, Colour), reads=(Note,), tools=(look,))


@pytest.mark.parametrize("name", ["", "Coder", "1a", "a b", "a/b", "a@b", "user", "coordinator"])
def test_a_name_must_fit_into_addresses(name: str) -> None:
    with pytest.raises(DeclarationError, match="cannot name a role; use lower-case letters"):
        Role(name)


class Secret(Payload):
    level: ClassVar[Any] = "control"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (
            {"writes": ()},
            "writes nothing, so its work would leave no trace; give it writes=(Note,)",
        ),
        ({"writes": (str,)}, "names <class 'str'> where a Payload class is wanted"),
        ({"reads": (Note(text="x"),)}, "where a Payload class is wanted"),
        ({"per": str}, "where a Payload class is wanted"),
        ({"writes": (Fault,)}, "may not write Fault; records are the coordinator's"),
        ({"writes": (Secret,)}, "may not write Secret; records are the coordinator's"),
        ({"writes": (TestReport,)}, "may not write TestReport; only the test tool posts it"),
        ({"writes": (Note, UserMessage)}, "may not write UserMessage, not even through its tools"),
        ({"writes": (Goal,)}, "may not write Goal, not even through its tools; it is the user's"),
        ({"tools": (tells,)}, "may not write UserMessage, not even through"),
        ({"output": Finding}, "has the output Finding but writes Note; add it to writes"),
        (
            {"writes": (Note, Attachment), "output": Attachment},
            "has the output Attachment, which nobody can write as JSON",
        ),
        ({"corrections": -1}, "has corrections=-1; from 0 on"),
        ({"tools": (look, look)}, "has two tools named 'look'"),
        ({"writes": Note}, "writes=Note; give a tuple, as in writes=(Note,)"),
        ({"reads": Note}, "reads=Note; give a tuple, as in reads=(Note,)"),
        ({"tools": look}, "tools=look; give a tuple, as in tools=(look,)"),
        ({"tools": (print,)}, "has the tool <built-in function print>, which is none; put @tool"),
    ],
)
def test_a_role_that_could_not_work_is_refused_where_it_is_written(
    options: dict[str, Any], says: str
) -> None:
    with pytest.raises(DeclarationError) as caught:
        Role("a", **options)
    assert str(caught.value).startswith("role 'a' ")
    assert says in str(caught.value)


@pytest.mark.parametrize("name", ["post_Note", "handoff", "pass", "ask"])
def test_the_words_of_the_turn_are_no_names_for_tools(name: str) -> None:
    async def run(arguments: Any, call: Any) -> str:
        return ""

    with pytest.raises(DeclarationError, match=f"has a tool named '{name}', a word the turn"):
        Role("a", tools=(Tool(name, "Do.", {}, run),))


@pytest.mark.parametrize(
    ("writes", "output", "final", "posted"),
    [
        ((Note,), None, Note, ()),
        ((Colour,), None, Colour, ()),
        ((Colour, Finding), None, None, (Colour, Finding)),
        ((Colour, Note), None, Note, (Colour,)),
        ((Colour, Finding), Finding, Finding, (Colour,)),
        ((Colour, Note), Colour, Colour, (Note,)),
        ((Attachment,), None, None, ()),
        ((Note, Attachment), None, Note, ()),
        ((Attachment, Colour), None, Colour, ()),
        ((Attachment, Colour, Finding), None, None, (Colour, Finding)),
    ],
)
def test_a_final_answer_is_the_output_the_only_kind_or_a_note(
    writes: Any, output: Any, final: Any, posted: Any
) -> None:
    role = Role("a", writes=writes, output=output)
    assert role.final is final
    assert role.posted == posted


def test_a_role_knows_all_kinds_that_can_come_from_it() -> None:
    role = Role("a", writes=(Plan,), tools=(look,))
    assert role.kinds_written == {"Plan", "Task", "TestReport"}


def test_roles_may_read_records_but_not_write_them() -> None:
    assert Role("a", reads=(Decision, Goal)).reads == (Decision, Goal)


def test_a_chain_is_written_with_arrows() -> None:
    a, b, c = Role("a"), Role("b"), Role("c", per=Task)
    assert (a >> b).roles == (a, b)
    assert (a >> b >> c).roles == (a >> (b >> c)).roles == (a, b, c)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"tools": (look,)}, "is a person and has tools=…"),
        ({"tier": "large"}, "is a person and has tier=…"),
        ({"output": Note}, "is a person and has output=…"),
        ({"settings": Settings(temperature=0)}, "is a person and has settings=…"),
        ({"program": nothing}, "is a person and has program=…"),
        ({"writes": (Attachment,)}, "writes Attachment, which nobody can say in words"),
    ],
)
def test_a_person_has_nothing_that_is_for_models(options: Any, problem: str) -> None:
    with pytest.raises(DeclarationError, match=re.escape(problem)):
        Role("owner", person=True, **options)


def test_a_person_asks_no_model() -> None:
    assert [Role("a").asks_model, Role("a", person=True).asks_model] == [True, False]
    assert not Role("a", program=nothing).asks_model
