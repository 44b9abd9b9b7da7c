import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hive.models.events import LINE_END, Decoder, Event

STREAM = (
    "\ufeffevent: greeting\r\ndata: hé\r\ndata:llo ☺\r\n\r\n"
    ": a comment\n\nid: 7\nretry: 10\nunknown\n\n"
    "data: {}\r\rdata\n\nevent: lost\n\n"
    "data: the last"
).encode()
FOUND = [Event("greeting", "hé\nllo ☺"), Event("", "{}"), Event("", ""), Event("", "the last")]


def decoded(chunks: list[bytes]) -> list[Event]:
    decoder = Decoder()
    found = [event for chunk in chunks for event in decoder.feed(chunk)]
    return found + decoder.end()


@given(st.lists(st.integers(0, len(STREAM)), max_size=20))
def test_events_are_the_same_however_the_bytes_are_cut(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(STREAM)]
    chunks = [STREAM[a:b] for a, b in itertools.pairwise(places)]
    assert decoded(chunks) == FOUND


def test_every_single_byte_apart() -> None:
    assert decoded([bytes([byte]) for byte in STREAM]) == FOUND


def test_a_long_line_in_many_pieces_is_looked_through_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked_at = 0

    class Counting:
        def split(self, text: bytes) -> list[bytes]:
            nonlocal looked_at
            looked_at += len(text)
            return LINE_END.split(text)

    monkeypatch.setitem(Decoder.feed.__globals__, "LINE_END", Counting())
    body = b"data: " + b"x" * 100_000 + b"\r\n\r\n"
    chunks = [body[start : start + 100] for start in range(0, len(body), 100)]
    assert decoded(chunks) == [Event("", "x" * 100_000)]
    assert looked_at <= len(body) + 2  # a halved line end is looked at again
