"""The board: who may post what, how it is found again, and what becomes visible when."""

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hive.board.board import Board
from hive.board.contributions import Finding, Goal, Note, Plan, Task
from hive.board.entry import SHARED_BYTES, Address, Entry, commit
from hive.board.payload import Payload
from hive.board.records import Fault, Handoff, Inference
from hive.errors import PayloadError, WriteRefused
from hive.journal.memory import MemoryJournal
from hive.message import Usage
from tests.board.boards import board, close, post, reread, sealed, store

EVERYTHING = frozenset({"Goal", "Note", "Finding", "Task", "Plan", "Fault"})
PAYLOADS: tuple[Payload, ...] = (
    Note(text="a"),
    Finding(claim="b"),
    Handoff(to="c"),
    Fault(code="timeout", message="late"),
)


def test_a_role_may_write_what_it_declared_and_the_log_is_as_it_was_otherwise() -> None:
    target = board(writers={"critic": frozenset({"Note", "Finding"})})
    with pytest.raises(
        WriteRefused, match="role 'critic' may not write Plan; it writes Finding, Note"
    ):
        post(target, Plan(summary="s", tasks=(), done_when="d"), "1/critic/0.2", "critic")
    assert target.entries == []
    assert sealed(target) == []
    post(target, Note(text="x"), "1/critic/0.2", "critic")
    assert [entry.seq for entry in target.entries] == [0]


def test_records_are_not_a_roles_choice_and_others_may_post_anything() -> None:
    target = board(writers={"critic": frozenset({"Note"})})
    post(target, Handoff(to="x"), "1/critic/0.2", "critic")
    post(target, Plan(summary="s", tasks=(), done_when="d"), "1//3", "user")
    assert len(target.entries) == 2


entries_drawn = st.lists(
    st.tuples(
        st.sampled_from(PAYLOADS),
        st.sampled_from(["a", "b", "user"]),
        st.integers(0, 3),
        st.lists(st.integers(0, 3), max_size=3, unique=True),
        st.booleans(),
    ),
    max_size=20,
)


@given(entries_drawn)
def test_indexes_find_what_a_search_from_the_start_finds(
    drawn: list[tuple[Payload, str, int, list[int], bool]],
) -> None:
    target = board()
    for payload, author, place, causes, look in drawn:
        post(target, payload, f"1/{author}/{place}", author, tuple(f"1/a/{c}" for c in causes))
        if look:  # an index that is asked in between goes on from there
            check_indexes(target)
    check_indexes(target)


def check_indexes(target: Board) -> None:
    entries = target.entries
    for cls in (Note, Finding, Handoff, Fault, Goal):
        expected = [entry for entry in entries if entry.kind == cls.kind]
        assert target.of_kind(cls) == expected
        assert target.of_kind(cls.kind) == expected
    for author in ("a", "b", "user", "nobody"):
        assert target.of_author(author) == [e for e in entries if e.author == author]
    newest: dict[Address, Entry] = {entry.address: entry for entry in entries}
    effects: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        for cause in entry.causes:
            effects[cause].append(entry)
    for place in range(4):
        address = Address(1, "a", (place,))
        assert target.at(address) == target.at(str(address)) == newest.get(address)
        assert target.caused_by(address) == target.caused_by(str(address)) == effects[str(address)]


def test_entries_of_an_open_turn_are_shown_to_nobody() -> None:
    target = board()
    close(target, Goal(text="g"), Note(text="seen"))
    before = target.view(EVERYTHING, 1000)
    post(target, Note(text="not yet"), "2/a/0", "a")
    assert target.view(EVERYTHING, 1000) == before
    assert target.state.turn == 1
    target.close_turn(("a",))
    assert [e.payload for e in target.view(EVERYTHING, 1000).entries] == [
        Goal(text="g"),
        Note(text="seen"),
        Note(text="not yet"),
    ]


def test_a_turn_without_entries_changes_nothing() -> None:
    target = board()
    close(target, Goal(text="g"))
    state = target.state
    assert target.close_turn(("a",)) is state


arrivals = st.permutations(
    [(strand, place) for strand in ("zoe", "amy", "amy@0.1#1") for place in ((0, 2), (0, 10), (1,))]
)


@given(arrivals)
def test_the_order_of_arrival_is_seen_by_nobody(
    arrival: list[tuple[str, tuple[int, ...]]],
) -> None:
    def played(order: list[tuple[str, tuple[int, ...]]]) -> Board:
        target = board()
        close(target, Goal(text="g"))
        for strand, place in order:
            address = Address(2, strand, place)
            author = strand.partition("@")[0]
            target.post(address, author, Note(text=str(address)), 5, author)
        target.close_turn(("zoe", "amy@0.1#1", "amy"))
        return target

    one, other = played(arrival), played(sorted(arrival))
    assert one.view(EVERYTHING, 9999).parts == other.view(EVERYTHING, 9999).parts
    assert one.view(EVERYTHING, 9999).digest == other.view(EVERYTHING, 9999).digest
    assert one.state.newest["Note"].address == other.state.newest["Note"].address
    assert [e.address.strand for e in one.view(EVERYTHING, 9999).entries] == [
        "user", *["zoe"] * 3, *["amy@0.1#1"] * 3, *["amy"] * 3,
    ]  # fmt: skip
    for ordinal, entry in enumerate(one.view(EVERYTHING, 9999).entries[1:]):
        assert one.referenced(f"2.{ordinal}") == entry
        assert other.referenced(f"2.{ordinal}").address == entry.address


def test_a_reference_counts_contributions_of_a_closed_turn() -> None:
    target = board()
    post(target, Handoff(to="x"), "1/a/0", "a")
    task = post(target, Task(id="T1", title="t"), "1/a/1", "a")
    with pytest.raises(PayloadError, match=r"no contribution '1\.0' in the closed turns"):
        target.referenced("1.0")
    target.close_turn(("a",))
    assert target.referenced("1.0") is task


def test_final_faults_are_shown_and_other_records_only_where_a_role_asks_for_them() -> None:
    inference = Inference(model="m", parts=(), stop="end", usage=Usage(), digest="d")
    said = (
        Fault(code="timeout", message="corrected"),
        Fault(code="timeout", message="final", final=True),
        inference,
    )
    kinds = frozenset({"Fault", "Inference"})
    target = board()
    close(target, *said)
    assert [e.payload for e in target.view(kinds, 999).entries] == [said[1]]
    target = board(readable={"Inference"})
    close(target, *said)
    assert [e.payload for e in target.view(kinds, 999).entries] == [said[1], inference]


def test_contents_that_are_kept_are_kept_once() -> None:
    target = board()
    commitment = target.store(b"the same")
    assert target.store(b"the same") == commitment
    target.seal()
    assert target.kept() == []  # not before the entry that names it
    entries = [post(target, Note(text=text), f"0//{text}") for text in "01"]
    target.seal()
    [content] = target.kept()
    assert (content.commitment.hex(), content.body) == (commitment, b"the same")
    assert [entry.kept for entry in entries] == [(commitment,), ()]
    assert target.kept() == []
    other = board().store(b"the same")
    assert other != commitment  # salted: a guess cannot be confirmed across runs


def test_a_large_body_is_a_shared_content_and_stored_once() -> None:
    target, large = board(), Note(text="x" * SHARED_BYTES)
    first, again = [post(target, large, f"0//{place}") for place in range(2)]
    sealed = target.seal()
    assert sealed.bodies == sealed.salts == [None, None]
    assert first.commitment == again.commitment
    assert (first.kept, again.kept) == ((first.commitment.hex(),), ())
    [content] = target.kept()
    assert (content.commitment, content.body) == (first.commitment, first.body)
    assert content.salt is not None
    assert commit(content.salt, first.body) == first.commitment
    # Kept for another reason before the entry was sealed: named by whichever is first.
    later = post(target, Note(text="y" * SHARED_BYTES), "0//2")
    commitment = target.store(later.body)
    target.seal()
    assert later.commitment.hex() == commitment
    assert [each.commitment for each in target.kept()] == [later.commitment]
    post(target, large, "0//3")
    target.seal()
    assert target.kept() == []


def test_payloads_of_closed_records_are_read_again_when_asked() -> None:
    journal = MemoryJournal()
    target = board()
    close(target, *PAYLOADS)
    assert [entry.payload for entry in target.entries] == list(PAYLOADS)
    run = store(target, journal)
    assert reread(journal, run).entries == target.entries
    assert reread(journal, run).head == target.head
