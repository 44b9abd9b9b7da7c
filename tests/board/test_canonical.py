"""The bytes that are stored and hashed: RFC 8785, as an independent implementation writes it."""

import contextlib
import math
from typing import Any

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from hive.board.canonical import LARGEST_INTEGER, decode, encode
from hive.errors import PayloadError
from tests.board import values as drawn


@given(drawn.values)
@example(1e22)
@example({"\ufb33": 1, "\U0001f41d": 2, "a": 3})
@example([1e16, -1e16, 123456789012345680.0, 1e-5, -1.5e-6, 9.999e-7, -0.0])
def test_bytes_are_those_of_rfc_8785(value: Any) -> None:
    assert encode(value) == rfc8785.dumps(value)


@given(drawn.floats)
def test_every_number_is_written_as_ecmascript_does(value: float) -> None:
    assert encode(value) == rfc8785.dumps(value)
    assert float(encode(value)) == value


@given(drawn.values)
def test_what_was_read_is_written_as_the_same_bytes(value: Any) -> None:
    body = encode(value)
    assert encode(decode(body)) == body


@given(drawn.broken_texts)
def test_lone_surrogates_are_replaced_visibly_and_whole_characters_kept(text: str) -> None:
    read = decode(encode({"text": text}))["text"]
    assert read == text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    assert "\ufffd" in read or read == text


def test_a_lone_surrogate_in_a_key_is_replaced_too() -> None:
    assert decode(encode({"a\ud800": 1})) == {"a\ufffd": 1}


def test_keys_that_become_one_are_refused_rather_than_lost() -> None:
    with pytest.raises(PayloadError, match="two keys"):
        encode(dict.fromkeys(["\ud800", "\udc00"], 1))


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(
    ("build", "place"),
    [
        (lambda x: x, "the value"),
        (lambda x: {"a": [1, {"b": x}]}, r"a\[1\]\.b"),
        (lambda x: [[x]], r"\[0\]\[0\]"),
    ],
)
def test_what_json_cannot_hold_is_refused_with_its_place(
    wrong: float, build: Any, place: str
) -> None:
    with pytest.raises(PayloadError, match=f"^{place} is {wrong}"):
        encode(build(wrong))


@pytest.mark.parametrize("number", [2**53, -(2**53), 2**63, 2**64, 10**40])
def test_integers_that_would_be_read_back_as_others_are_refused(number: int) -> None:
    with pytest.raises(PayloadError, match=rf"^sizes\[1\] is {number}, beyond"):
        encode({"sizes": [1, number]})


def test_the_largest_integers_are_written() -> None:
    assert encode([LARGEST_INTEGER, -LARGEST_INTEGER]) == b"[9007199254740991,-9007199254740991]"


@pytest.mark.parametrize("key", [1, None, 2.5, True, b"x", ("a",)])
@pytest.mark.parametrize("beside", [{}, {"é": 0}])
def test_keys_are_text(key: Any, beside: dict[str, int]) -> None:
    with pytest.raises(PayloadError, match=r"^a has the key .*; JSON keys are text"):
        encode({"a": {key: 1, **beside}})


@pytest.mark.parametrize("thing", [object(), {1, 2}, b"bytes", 1j])
def test_what_has_no_json_form_is_refused(thing: object) -> None:
    with pytest.raises(PayloadError, match=rf"^a is a {type(thing).__name__}, which has no JSON"):
        encode({"a": thing})


@given(st.integers(150, 5000))
@example(200)
@example(254)
@example(5000)
def test_nesting_is_written_or_refused_and_nothing_else(depth: int) -> None:
    value: Any = 0
    for _ in range(depth):
        value = [value]
    with contextlib.suppress(PayloadError):
        body = encode(value)
        assert body == b"[" * depth + b"0" + b"]" * depth
        assert decode(body) == value


def test_two_hundred_levels_are_safe() -> None:
    value: Any = {"é": 0.5}
    for _ in range(198):
        value = [value]
    assert decode(encode(value)) == value
    for _ in range(200):
        value = [value]
    with pytest.raises(PayloadError, match="nested too deeply; 200 levels are safe"):
        encode(value)


def test_bytes_that_are_no_json_are_refused() -> None:
    with pytest.raises(PayloadError, match="stored content is not JSON"):
        decode(b"{")
