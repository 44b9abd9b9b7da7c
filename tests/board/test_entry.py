"""Addresses, and the chain that anybody can recompute with nothing but SHA-256."""

import hashlib
import json

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from hive.board.contributions import Note
from hive.board.entry import LABELS, Address, Label, join_labels
from hive.errors import PayloadError
from tests.board import values as drawn
from tests.board.boards import Kept, board, post, sealed

names = st.from_regex(r"[a-z][a-z0-9_-]*", fullmatch=True)
references = st.builds("{}.{}".format, st.integers(0, 999), st.integers(0, 99))
strands = (
    st.just("")
    | names
    | st.builds("{}@{}".format, names, references)
    | st.builds("{}#{}".format, names, st.integers(0, 9))
    | st.builds("{}@{}#{}".format, names, references, st.integers(0, 9))
)
places = st.lists(st.integers(0, 40), min_size=1, max_size=5).map(tuple)
addresses = st.builds(Address, st.integers(0, 9999), strands, places)


@given(addresses)
def test_an_address_reads_as_it_was_written(address: Address) -> None:
    assert Address.parse(str(address)) == address


def test_an_address_is_turn_strand_and_place() -> None:
    address = Address.parse("12/coder@11.0/4.2.1")
    assert address == Address(12, "coder@11.0", (4, 2, 1))
    assert str(address) == "12/coder@11.0/4.2.1"


@given(st.lists(addresses))
def test_addresses_are_ordered_by_turn_then_strand_then_place_as_numbers(
    found: list[Address],
) -> None:
    ordered = sorted(found)
    assert ordered == sorted(found, key=lambda a: (a.turn, a.strand, a.place))


def test_places_are_compared_as_numbers_and_not_as_text() -> None:
    assert Address.parse("2/a/10.2") > Address.parse("2/a/9.11") > Address.parse("2/a/9")


@pytest.mark.parametrize(
    ("strand", "role"),
    [("", ""), ("coder", "coder"), ("coder@11.0", "coder"), ("a-b#2", "a-b"), ("c@1.2#3", "c")],
)
def test_a_strand_names_its_role(strand: str, role: str) -> None:
    assert Address(1, strand, (0,)).role == role


@pytest.mark.parametrize("wrong", ["", "1/a", "1/a/", "x/a/1", "1/a/1.x", "1/a/b/1", "1/a/1..2"])
def test_what_is_no_address_is_refused(wrong: str) -> None:
    with pytest.raises(PayloadError, match="is no address; one reads turn/strand/place"):
        Address.parse(wrong)


@given(st.lists(st.sampled_from(LABELS)), st.lists(st.sampled_from(LABELS)))
def test_labels_join_to_the_least_trusted(one: list[Label], other: list[Label]) -> None:
    assert join_labels(*one, *other) == max([*one, *other], key=LABELS.index, default="trusted")


def kept_of(texts: list[str]) -> list[Kept]:
    written = board()
    for place, text in enumerate(texts):
        post(written, Note(text=text), f"0//{place}", causes=("0//0",))
    kept = sealed(written)
    assert written.head == kept[-1].digest
    return kept


def flaw(kept: list[Kept]) -> str:
    """What is wrong with a chain, recomputed from stored bytes alone; "" if nothing is."""
    previous = bytes(32)
    for entry in kept:
        if hashlib.sha256(previous + entry.header).digest() != entry.digest:
            return "digest"
        if hashlib.sha256(entry.salt + entry.body).digest() != entry.commitment:
            return "content"
        if json.loads(entry.header)["content"] != entry.commitment.hex():
            return "commitment"
        previous = entry.digest
    return ""


@given(st.lists(drawn.texts, min_size=1, max_size=5), st.data())
def test_digests_can_be_recomputed_and_show_any_byte_that_was_changed(
    texts: list[str], data: st.DataObject
) -> None:
    kept = kept_of(texts)
    assert flaw(kept) == ""
    index = data.draw(st.integers(0, len(kept) - 1))
    field = data.draw(st.sampled_from(Kept._fields))
    raw = bytearray(getattr(kept[index], field))
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] ^= data.draw(st.integers(1, 255))
    planted = list(kept)
    planted[index] = kept[index]._replace(**{field: bytes(raw)})
    try:
        assert flaw(planted)
    except ValueError:
        assert field == "header"  # no JSON any more


@given(st.lists(drawn.texts, min_size=2, max_size=5), st.data())
def test_no_entry_can_be_left_out_or_moved(texts: list[str], data: st.DataObject) -> None:
    kept = kept_of(texts)
    one = data.draw(st.integers(0, len(kept) - 2))
    assert flaw([*kept[:one], *kept[one + 1 :]])
    kept[one], kept[one + 1] = kept[one + 1], kept[one]
    assert flaw(kept)


def test_sealing_in_pieces_gives_the_chain_of_sealing_at_once() -> None:
    boards = [board(salts=bytes), board(salts=bytes)]
    kept = []
    for place in range(6):
        for each in boards:
            each.post(Address(0, "", (place,)), "user", Note(text=str(place)), 7, "user")
        if place in (0, 3, 4):
            kept += sealed(boards[0])
    kept += sealed(boards[0])
    assert kept == sealed(boards[1])
    assert sealed(boards[0]) == []


def test_headers_are_canonical_and_say_where_who_what_and_why() -> None:
    written = board()
    entry = written.post(
        Address(3, "coder@2.1#1", (4, 2, 1)),
        "coder",
        Note(text="é"),
        1_700_000_000_000_000,
        "model:x:y",
        ("2/planner/0.2",),
        "outside",
        2,
    )
    (kept,) = sealed(written)
    header = json.loads(kept.header)
    assert rfc8785.dumps(header) == kept.header
    assert all(key.isascii() for key in header)
    assert header == {
        "v": 1, "turn": 3, "strand": "coder@2.1#1", "place": [4, 2, 1], "attempt": 2,
        "author": "coder", "kind": "Note", "kind_version": 1, "origin": "model:x:y",
        "label": "outside", "causes": ["2/planner/0.2"], "at": 1_700_000_000_000_000, "lease": 1,
        "content": kept.commitment.hex(),
    }  # fmt: skip
    assert kept.body == entry.body == b'{"text":"\xc3\xa9"}'
    assert len(kept.salt) == 16
