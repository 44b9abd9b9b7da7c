"""How a replay writes: recorded entries again, with their times and places, and nothing else."""

import asyncio
from hashlib import sha256
from typing import Any

import orjson
import pytest

from hive.board.board import Board
from hive.board.contributions import Note
from hive.board.entry import Address, Entry, Row
from hive.board.payload import Payload
from hive.board.records import Request, Synthesis, Termination
from hive.board.tape import WholeTape
from hive.errors import ContentErased, Divergence, PayloadError
from hive.journal.rewriter import Rewriter
from tests.board import boards

HERE = Address(1, "a", (0, 2))
SYSTEM = b"a system prompt"


def log(*posts: tuple[Address, Payload]) -> Board:
    """A sealed board."""
    board = boards.board()
    for number, (address, payload) in enumerate(posts):
        board.post(address, "a", payload, 1000 + number, "o")
    board.seal()
    return board


def rewriter(recorded: Board, *, gone: tuple[str, ...] = ()) -> Rewriter:
    board = boards.board()
    return Rewriter("run", board, WholeTape(recorded.entries), gone)


def write(to: Rewriter, payload: Payload, address: Address = HERE, **changes: Any) -> Entry:
    return to.post(address, "a", payload, origin="o", **changes)


def test_the_recorded_entry_comes_with_its_time_and_number() -> None:
    recorded = log((HERE, Note(text="one")), (HERE._replace(turn=2), Note(text="two")))
    to = rewriter(recorded)
    assert write(to, Note(text="two"), HERE._replace(turn=2)) is recorded.entries[1]
    assert to.clock.now() == 1001
    assert write(to, Note(text="one")) is recorded.entries[0]
    assert (to.clock.now(), to.clock.elapsed(), to.posted) == (1000, 0, 2)
    asyncio.run(to.durable())


@pytest.mark.parametrize(
    "changes",
    [{"causes": ("0//1",)}, {"label": "outside"}, {"attempt": 1}],
    ids=lambda changes: next(iter(changes)),
)
def test_another_reason_is_another_entry(changes: dict[str, Any]) -> None:
    to = rewriter(log((HERE, Note(text="one"))))
    with pytest.raises(Divergence):
        write(to, Note(text="one"), **changes)


def test_both_sides_are_told() -> None:
    end = Termination(outcome="finished", reason="goal_reached", guard="", message="")
    ends = (Address(2, "", (0,)), end), (Address(2, "", (1,)), Synthesis(text="t"))
    recorded = log((HERE, Note(text="one")), *ends)
    to = rewriter(recorded)
    with pytest.raises(
        Divergence, match=r'holds Note by a .*"one".* it would be Note by a'
    ) as told:
        write(to, Note(text="two"))
    assert told.value.recorded is recorded.entries[0]
    assert told.value.now.payload == Note(text="two")
    with pytest.raises(Divergence, match="holds nothing") as told:
        write(to, Note(text="two"), HERE._replace(place=(0, 3)))
    assert told.value.recorded is None


def test_what_no_board_takes_is_refused_before_it_is_compared() -> None:
    to = rewriter(log((HERE, Note(text="one"))))
    with pytest.raises(PayloadError):
        write(to, Request(model="m", system="s", max_output=2**60, digest="d"))


def erased(entry: Entry) -> Entry:
    """An entry as it is read back once its content is gone."""
    return Entry.stored(Row(entry.seq, entry.header(), entry.digest), None, boards.VOCABULARY)


def test_of_what_was_erased_the_header_must_be_the_same_and_the_content_comes_back() -> None:
    recorded = log((HERE, Note(text="one")))
    recorded.entries[:] = [erased(entry) for entry in recorded.entries]
    assert write(rewriter(recorded), Note(text="one")).payload == Note(text="one")
    with pytest.raises(Divergence):
        write(rewriter(recorded), Synthesis(text="one"))
    with pytest.raises(ContentErased, match=r"1/a/0\.2"):
        rewriter(recorded).again(recorded.entries[0])


def test_stored_contents_keep_their_commitments_and_new_ones_are_told() -> None:
    to = rewriter(log((HERE, Note(text="one"))))
    to.board.remember("ab" * 32, SYSTEM)
    assert to.keep(SYSTEM) == "ab" * 32
    assert to.unknown == {}
    new = to.keep(b"another prompt")
    assert new == sha256(b"another prompt").hexdigest()
    assert to.unknown == {new: b"another prompt"}


def asked(system: str, digest: str = "d") -> Request:
    return Request(model="m", system=system, max_output=9, digest=digest)


def test_a_commitment_of_what_was_erased_is_not_compared_but_the_digest_is() -> None:
    recorded = log((HERE, asked("ab")))
    assert write(rewriter(recorded, gone=("ab",)), asked("cd")) is recorded.entries[0]
    for gone, now in (((), asked("cd")), (("ab",), asked("cd", "e"))):
        with pytest.raises(Divergence):
            write(rewriter(recorded, gone=gone), now)


def test_a_field_that_there_was_not_yet_is_read_as_its_default() -> None:
    recorded = log((HERE, asked("ab")))
    (entry,) = recorded.entries
    data = orjson.loads(entry.body)
    assert data.pop("form") == 1
    entry.body = orjson.dumps(data)
    entry.rest()
    assert write(rewriter(recorded), asked("ab")) is entry


def test_the_log_is_in_its_order_once_the_run_ends() -> None:
    """The answer is made from it."""
    end = Termination(outcome="finished", reason="goal_reached", guard="", message="")
    posts = [(Address(1, name, (0, 2)), Note(text=name)) for name in "ba"]
    recorded = log(*posts, (Address(2, "", (0,)), end))
    to = rewriter(recorded)
    for address, payload in reversed(posts):
        write(to, payload, address)
    assert [entry.seq for entry in to.board.entries] == [1, 0]
    write(to, end, Address(2, "", (0,)))
    assert [entry.seq for entry in to.board.entries] == [0, 1, 2]
    assert [entry.address.strand for entry in to.board.of_kind(Note)] == ["b", "a"]


def test_who_knew_no_workflow_made_another_answer() -> None:
    recorded = boards.board()
    recorded.lease = 2
    end = Termination(outcome="stopped", reason="cancelled", guard="", message="")
    recorded.post(Address(1, "", (0,)), "a", end, 1, "o")
    recorded.post(Address(1, "", (1,)), "a", Synthesis(text="theirs"), 1, "o")
    recorded.seal()
    to = rewriter(recorded)
    write(to, end, Address(1, "", (0,)))
    assert write(to, Synthesis(text="ours"), Address(1, "", (1,))).payload == Synthesis(
        text="theirs"
    )
