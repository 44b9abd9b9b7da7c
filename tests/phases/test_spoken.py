"""What a person says becomes what their role may write, or is refused with the reason."""

from __future__ import annotations

import json
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from hive import Answer, Finding, Note, Payload, Plan, Question, Review, Role, Verdict
from hive.board.ballots import Vote
from hive.board.contributions import Attachment
from hive.board.entry import Address, Entry
from hive.phases.select import Invalid
from hive.phases.spoken import question_of, read, ways


class Colour(Payload):
    """A colour."""

    name: str


class Shade(Payload):
    """A colour too."""

    name: str


class Grade(Payload):
    """A mark from A to F."""

    said_as: ClassVar[str] = "a letter from A to F"

    mark: str

    @classmethod
    def in_words(cls, words: str) -> Grade | None:
        return cls(mark=words) if words in ("A", "B", "C", "D", "E", "F") else None


def person(*writes: type[Payload]) -> Role:
    return Role("owner", person=True, writes=writes)


@pytest.mark.parametrize(
    ("words", "approved", "reasons"),
    [
        ("yes", True, ()),
        ("Y", True, ()),
        (" yes, but mind the step ", True, ("but mind the step",)),
        ("no", False, ()),
        ("No: it says\nnothing of winter", False, ("it says\nnothing of winter",)),
        ("n - too long", False, ("too long",)),
    ],
)
def test_a_yes_or_a_no_is_a_review(words: str, approved: bool, reasons: tuple[str, ...]) -> None:
    assert read(person(Review), words) == (Review(approved=approved, reasons=reasons),)


@pytest.mark.parametrize("words", ["", "  ", "perhaps", "nothing", "yesterday", "not yet"])
def test_what_is_neither_is_no_review(words: str) -> None:
    assert isinstance(read(person(Review), words), Invalid)


def test_text_is_what_plain_text_can_fill_and_a_review_where_it_is_one() -> None:
    assert read(person(Note), '{"as": "it is"}') == (Note(text='{"as": "it is"}'),)
    assert read(person(Note, Review), "no, never") == (Review(approved=False, reasons=("never",)),)
    assert read(person(Note, Review), "never") == (Note(text="never"),)


def test_an_answer_is_given_to_a_question() -> None:
    role = person(Answer)
    assert read(role, "at noon", "3/a/0.2") == (Answer(text="at noon", question="3/a/0.2"),)
    refused = read(role, "at noon")
    assert isinstance(refused, Invalid)
    assert "cannot say that in words" in refused.message


def test_a_kind_says_itself_what_words_come_to() -> None:
    assert read(person(Grade, Note), "B") == (Grade(mark="B"),)
    assert read(person(Grade, Note), "G") == (Note(text="G"),)


def test_an_address_may_be_copied_with_the_brackets_that_it_is_shown_in() -> None:
    said = Vote(choice="1/author#0/0.2", reason="it is mine")
    assert read(person(Vote, Plan), "[1/author#0/0.2], it is mine") == (said,)


PLAN: dict[str, JsonValue] = {"summary": "s", "tasks": [], "done_when": "d"}


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (PLAN, (Plan(**PLAN),)),  # type: ignore[arg-type]
        ({"Plan": PLAN}, (Plan(**PLAN),)),  # type: ignore[arg-type]
        ([PLAN, {"name": "red"}], (Plan(**PLAN), Colour(name="red"))),  # type: ignore[arg-type]
    ],
)
def test_json_is_the_kind_that_it_fits(words: JsonValue, found: Any) -> None:
    assert read(person(Plan, Colour, Note), json.dumps(words)) == found


def test_several_contributions_may_be_words_and_json() -> None:
    words = json.dumps([PLAN, "yes, as I wrote it", "and mind the step"])
    plan = Plan(**PLAN)  # type: ignore[arg-type]
    said = Review(approved=True, reasons=("as I wrote it",))
    assert read(person(Plan, Review, Note), words) == (plan, said, Note(text="and mind the step"))
    assert isinstance(read(person(Plan, Review), words), Invalid), "all of them or none"


@pytest.mark.parametrize(
    ("writes", "words", "why"),
    [
        ((Plan,), "{", "this is no JSON"),
        ((Plan,), "[" * 100_000, "this is no JSON"),
        ((Plan,), '{"summary": "s"}', "no Plan: tasks: Field required, done_when"),
        ((Plan,), '{"Review": {"approved": true, "reasons": []}}', "no Plan"),
        ((Plan,), "[]", "nothing was said"),
        ((Plan,), "{}", "no Plan"),
        ((Plan,), "[1]", "no Plan: the whole"),
        ((Plan, Colour), '[{"name": "red"}, {"name": 1}]', "no Colour: name"),
        ((Colour, Shade), '{"name": "red"}', 'Colour and Shade; say which, as in {"Colour": {…}}'),
        ((Note, Plan), '{"summary": "s"}', "no Note: text"),
        ((Plan,), "looks good", "'owner' cannot say that in words"),
    ],
)
def test_what_does_not_fit_is_refused_and_says_why(writes: Any, words: str, why: str) -> None:
    found = read(person(*writes), words)
    assert isinstance(found, Invalid)
    assert why in found.message


@pytest.mark.parametrize(
    ("writes", "said"),
    [
        ((Review,), "Say yes or no, and why."),
        ((Review, Plan), "Say yes or no, and why; or the JSON of a Plan."),
        ((Vote,), f"Say {Vote.said_as}."),
        ((Verdict, Note), f"Say {Verdict.said_as}; or your own words, a Note."),
        ((Grade,), "Say a letter from A to F."),
        ((Note, Attachment), "Say your own words, a Note."),
        ((Answer,), "Say your own words, an Answer."),
    ],
)
def test_a_person_is_told_how_they_may_say_it(writes: Any, said: str) -> None:
    assert ways(person(*writes)) == said


def test_the_question_is_the_strands_own_or_the_newest_open_one() -> None:
    def entry(payload: Payload) -> Entry:
        return Entry(
            3, Address(1, "a", (0, 2)), 0, "a", "model:m", "model", (), 0, 1, payload,
            payload.body(),
        )  # fmt: skip

    assert question_of(entry(Question(text="when?")), ("1/b/0.2",)) == "1/a/0.2"
    assert question_of(entry(Note(text="n")), ("1/b/0.2", "1/c/0.2")) == "1/c/0.2"
    assert question_of(None, ()) is None


KINDS = (Note, Review, Plan, Answer, Colour, Shade, Grade, Finding)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
FITTING = st.sampled_from(
    [
        json.dumps(each)
        for each in (
            PLAN, {"Plan": PLAN}, {"name": "red"}, [{"text": "t"}, {"mark": "A"}],
            {"claim": "c"}, {"approved": True, "reasons": []}, {"Shade": {"name": "\ud800"}},
            {"summary": "s", "tasks": [{"id": "T", "title": "t"}], "done_when": "d"},
        )
    ]
)  # fmt: skip
WORDS = st.text() | VALUES.map(json.dumps) | FITTING | st.sampled_from(["yes", "no, why", "A"])


@given(
    writes=st.lists(st.sampled_from(KINDS), min_size=1, unique=True),
    words=WORDS,
    question=st.none() | st.just("1/a/0.2"),
)
def test_whatever_is_said_is_what_the_role_may_write_or_is_refused(
    writes: list[type[Payload]], words: str, question: str | None
) -> None:
    found = read(person(*writes), words, question)
    if isinstance(found, Invalid):
        assert found.message
    else:
        assert found
        assert {type(payload) for payload in found} <= set(writes)
        assert all(part.body() for payload in found for part in (payload, *payload.unfold()))
