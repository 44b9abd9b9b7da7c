"""The parts of the test process that need no process: what is believed of its messages."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hive.tools.testing.hive_inside.options import Outcome, SessionResult, below

TOKEN = b"secret"


def told(*messages: dict[str, Any]) -> SessionResult:
    result = SessionResult()
    for message in messages:
        result.take(TOKEN + json.dumps(message).encode(), TOKEN)
    return result


COLLECTED = {"kind": "collected", "ids": ["a", "b"], "selected": ["a"], "seconds": 0.1}
PASSED = {"kind": "outcome", **asdict(Outcome("a", "passed"))}
END = {"kind": "end", "status": 0, "sound": True, "seconds": 0.2}


def test_a_session_is_complete_when_all_of_it_was_told() -> None:
    result = told(COLLECTED, {"kind": "started", "id": "a"}, PASSED, END)
    assert result.complete
    assert (result.collected, result.ids("passed")) == (["a", "b"], ["a"])


@pytest.mark.parametrize(
    "messages",
    [
        (COLLECTED, PASSED),
        (COLLECTED, END),
        (PASSED, END),
        (COLLECTED, PASSED, {**END, "sound": False}),
        (COLLECTED, PASSED, {**END, "status": 3}),
        (COLLECTED, PASSED, {"kind": "outcome", "id": "b"}, END),
        (COLLECTED, PASSED, {}, END),
        (COLLECTED, PASSED, {"kind": "crash"}, END),
    ],
)
def test_and_not_when_something_is_missing_or_odd(messages: tuple[dict[str, Any], ...]) -> None:
    assert not told(*messages).complete


@given(st.binary(max_size=60))
def test_bytes_without_the_token_spoil_the_result(noise: bytes) -> None:
    result = told(COLLECTED, PASSED)
    result.take(noise, TOKEN)
    result.take(TOKEN + json.dumps(END).encode(), TOKEN)
    assert not result.complete


@given(st.recursive(st.none() | st.text() | st.integers(), st.lists))
def test_no_message_is_too_odd_to_be_read(value: Any) -> None:
    for message in (value, {"kind": value}, {"kind": "outcome", "id": value}):
        result = SessionResult()
        result.take(TOKEN + json.dumps(message).encode(), TOKEN)
        assert not result.complete


def test_what_lies_below_a_file_or_folder() -> None:
    assert below("a/test_b.py::test_c", "a/test_b.py")
    assert below("a/test_b.py::test_c", "a")
    assert below("a/test_b.py::test_c", ".")
    assert not below("a/test_b.pyx::test_c", "a/test_b.py")
