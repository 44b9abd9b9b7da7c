"""Doubts: signs in a turn that work may not be good, read from the entries of that turn."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import reduce
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from hive.board.contributions import Finding, Note, Review, Verdict
from hive.board.entry import Entry
from hive.board.payload import Payload
from hive.board.records import Fault, FaultCode, Observation
from hive.control import Doubt, divided, invalid, refused, tests_failed, tool_errors, unsure
from hive.control.guards.tested import TEST_TOOL
from hive.errors import DeclarationError
from tests.control.states import entry, report


class Guess(Payload):
    """A number, with how sure its author is of it."""

    number: int
    confidence: float


def told(doubt: Doubt, entries: Iterable[Entry]) -> str:
    """What a doubt says of the entries of one turn."""
    entries = list(entries)
    seen: dict[str, JsonValue] = {
        one.name: reduce(one.step, entries, None) for one in doubt.primitives
    }
    return doubt.told(seen)


def fault(code: FaultCode) -> Entry:
    return entry(Fault(code=code, message="no"), "coder")


def observed(error: bool) -> Entry:
    return entry(Observation(id="1", tool="look", text="t", error=error), "coder")


def found(confidence: str, strand: str = "coder") -> Entry:
    payload = Finding.model_validate({"claim": "c", "confidence": confidence})
    return entry(payload, "coder", strand=strand)


def test_replies_that_break_the_rules_are_counted_and_what_went_wrong_outside_is_not() -> None:
    assert told(invalid, [fault("invalid_output"), fault("truncated")]) == "2 failed validations"
    assert told(invalid, [fault("refusal")]) == "1 failed validation"
    outside: list[FaultCode] = ["model_error", "timeout", "budget_exhausted", "program_error"]
    assert told(invalid, [fault(code) for code in outside]) == ""
    assert told(invalid, []) == ""


@given(st.lists(st.booleans()), st.integers(1, 5))
def test_tool_errors_are_doubtful_from_so_many_on(errors: list[bool], most: int) -> None:
    said = told(tool_errors(most), [observed(error) for error in errors])
    assert bool(said) == (sum(errors) >= most)
    assert not said or said.startswith(f"{sum(errors)} tool error")


def test_the_newest_word_of_each_strand_says_how_sure_it_is() -> None:
    assert told(unsure(), [found("low")]) == "a confidence of low"
    assert told(unsure(), [found("low"), found("high")]) == ""
    assert told(unsure(), [found("high", "coder#0"), found("low", "coder#1")]) != ""
    assert told(unsure(), [entry(Note(text="low"), "coder")]) == ""


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_number_is_compared_with_a_limit_that_was_given(said: float, below: float) -> None:
    guess = entry(Guess(number=1, confidence=said), "coder")
    assert bool(told(unsure(below), [guess])) == (said < below)
    assert told(unsure(), [guess]) == "", "what is low is for the user to say"


@given(st.lists(st.integers(0, 3), min_size=2, max_size=6), st.floats(0.01, 1))
def test_samples_that_differ_are_doubtful(numbers: list[int], least: float) -> None:
    entries = [
        entry(Guess(number=number, confidence=place / 10), "coder", strand=f"coder#{place}")
        for place, number in enumerate(numbers)
    ]
    most = max(numbers.count(number) for number in numbers)
    said = told(divided(least, of=lambda guess: getattr(guess, "number", None)), entries)
    assert bool(said) == (most / len(numbers) < least)
    assert not said or said == f"{most} of {len(numbers)} answers agree"


def test_one_answer_alone_and_the_same_answer_are_no_disagreement() -> None:
    one = entry(Note(text="a"), "coder", strand="coder#0")
    two = entry(Note(text="a"), "coder", strand="coder#1")
    other = entry(Note(text="b"), "coder", strand="coder#1")
    assert told(divided(1), [one]) == ""
    assert told(divided(1), [one, two]) == ""
    assert told(divided(1), [one, other]) == "1 of 2 answers agree"
    assert told(divided(1), [one, other, two]) == "", "the last word of a strand counts"


def test_strands_for_different_entries_and_what_tools_post_are_not_compared() -> None:
    one = entry(Note(text="a"), "coder", strand="coder@1.0")
    two = entry(Note(text="b"), "coder", strand="coder@1.1")
    assert told(divided(1), [one, two]) == "", "another task has another answer"
    first = entry(Note(text="a"), "coder", strand="coder@1.0#0")
    second = entry(Note(text="b"), "coder", strand="coder@1.0#1")
    same = [entry(Note(text="c"), "coder", strand=f"coder@1.1#{n}") for n in (0, 1)]
    assert told(divided(1), [*same, first, second]) == "1 of 2 answers agree"
    measured = entry(Note(text="x"), "tool:measure", strand="coder@1.0#1")
    assert told(divided(1), [*same, measured]) == ""
    assert told(unsure(), [entry(found("low").payload, "tool:look", strand="coder")]) == ""


def test_a_judgement_by_others_is_a_doubt_about_earlier_work() -> None:
    no, yes = Review(approved=False, reasons=("no",)), Review(approved=True, reasons=())
    assert told(refused, [entry(no, "critic"), entry(yes, "second")]) == "critic did not approve"
    assert told(refused, [entry(no, "critic"), entry(yes, "critic")]) == ""
    panel = [entry(no, "critic", strand="critic#0"), entry(yes, "critic", strand="critic#1")]
    assert told(refused, panel) == told(refused, panel[::-1]) == "critic did not approve"
    revise, give_up = (Verdict(ruling=r, reasons=()) for r in ("revise", "give_up"))
    neither = Verdict(ruling="undecided", reasons=())
    assert told(refused, [entry(neither, "judge")]) == "", "which is for an arbiter"
    for against in (revise, give_up):
        assert told(refused, [entry(against, "judge")]) == "judge did not approve"
    split = divided(0.9, of=lambda one: getattr(one, "approved", None), kind=Review)
    assert told(split, [entry(no, "a"), entry(yes, "b"), entry(Note(text="?"), "c")]) != ""
    assert {refused.whose, split.whose, tests_failed.whose} == {"earlier"}
    assert {invalid.whose, unsure().whose, divided(1).whose, tool_errors(1).whose} == {"own"}


def test_only_the_newest_report_of_the_test_tool_counts() -> None:
    bad = entry(report("a", "b", failed=("a",)), TEST_TOOL, origin=TEST_TOOL)
    good = entry(report("a", "b"), TEST_TOOL, origin=TEST_TOOL)
    partial = entry(report("a", complete=False), TEST_TOOL, origin=TEST_TOOL)
    forged = entry(report("a"), "coder", origin="model:x")
    assert told(tests_failed, [bad]) == "1 failing test"
    assert told(tests_failed, [bad, good]) == ""
    assert told(tests_failed, [bad, forged]) == "1 failing test"
    assert told(tests_failed, [partial]) == "a test run that did not come to its end"
    assert told(tests_failed, []) == ""


def test_doubts_combine_by_name() -> None:
    both = invalid & (unsure() | tool_errors(2))
    assert str(both) == "invalid & (unsure | tool_errors(2))"
    assert told(both, [fault("truncated")]) == ""
    assert told(both, [fault("truncated"), found("low")]) == (
        "1 failed validation, a confidence of low"
    )
    either = invalid | unsure() | refused
    assert str(either) == "invalid | unsure | refused"
    assert [one.name for one in either.primitives] == ["invalid", "unsure", "refused"]
    assert told(either, [found("low")]) == "a confidence of low"


def test_what_is_no_doubt_is_refused() -> None:
    with pytest.raises(DeclarationError, match=r"combine doubts with & and \|"):
        _ = bool(invalid)
    with pytest.raises(DeclarationError, match="only doubts can be combined"):
        _ = invalid | 3  # type: ignore[operator]  # what is tested
    for share in (0, 1.1):
        with pytest.raises(DeclarationError, match="give a share above 0, up to 1"):
            divided(share)
    with pytest.raises(DeclarationError, match="give a whole number from 1 on"):
        tool_errors(0)


@pytest.mark.parametrize("wrong", [0, 1.5, math.nan, "half"])
def test_a_share_that_is_none_is_refused(wrong: Any) -> None:
    with pytest.raises(DeclarationError, match="give a share above 0"):
        divided(wrong)


@pytest.mark.parametrize("wrong", [math.nan, "low"])
def test_a_confidence_that_is_no_number_is_refused(wrong: Any) -> None:
    with pytest.raises(DeclarationError, match="give a number"):
        unsure(wrong)
