import itertools

from hypothesis import given
from hypothesis import strategies as st

from hive.models.events import Decoder, Event

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
