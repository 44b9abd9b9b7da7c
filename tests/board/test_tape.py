"""Tapes: what was recorded is served by address and digest; a whole one knows what is left."""

from collections.abc import Iterable

import pytest

from hive.board.contributions import Note, UserMessage
from hive.board.entry import Address, Entry
from hive.board.payload import Payload
from hive.board.records import (
    Approval,
    Complexity,
    Conclusion,
    Decision,
    Fault,
    Inference,
    Observation,
    Outcome,
    Paused,
    Reason,
    Request,
    Resumed,
    Shortage,
    Suspension,
    Synthesis,
    Termination,
    ToolCall,
)
from hive.board.tape import BreaksOff, Tape, WholeTape
from hive.errors import Divergence
from hive.message import Text, Usage
from tests.board import boards


def request(digest: str = "d", grant: int = 0) -> Request:
    return Request(model="m", system="s", max_output=9, digest=digest, grant=grant)


def reply(digest: str = "d") -> Inference:
    parts = (Text(text="t"),)
    return Inference(model="m", parts=parts, stop="end", usage=Usage(), digest=digest)


def cut(code: str = "cancelled", digest: str = "d") -> Fault:
    return Fault.model_validate({"code": code, "message": "m", "digest": digest})


def call(place: str = "p") -> ToolCall:
    return ToolCall(
        id="i", tool="look", arguments={"place": place}, effect="read", repeat="safe", key="k"
    )


def ruled(decision: str) -> Approval:
    return Approval.model_validate({"decision": decision, "by": "b"})


def ended(reason: Reason = "goal_reached", guard: str = "") -> Termination:
    outcome: Outcome = "finished" if reason == "goal_reached" else "stopped"
    return Termination(outcome=outcome, reason=reason, guard=guard, message="m")


def recorded(*posts: tuple[str, Payload] | tuple[str, Payload, int]) -> list[Entry]:
    """Entries in the order of arrival."""
    board = boards.board()
    for where, payload, *attempt in posts:
        address = Address.parse(where)
        board.post(address, "a", payload, 1, "o", attempt=sum(attempt))
    return board.entries


def at(text: str) -> Address:
    return Address.parse(text)


def drained(tape: WholeTape, entries: Iterable[Entry]) -> None:
    """Take what is no word from outside."""
    for entry in entries:
        tape.take(entry.address, entry.attempt)


def test_an_empty_tape_is_live_and_false() -> None:
    tape = Tape()
    assert (bool(tape), tape.live) == (False, True)
    assert tape.asked(at("1/a/0.0"), "d") == []
    assert tape.past(at("1/a/0.2"), call()) == []
    assert (tape.join(1), tape.cut_short(1)) == ([], None)
    tape.missing(at("1/a/0.0"), "anything")


def test_attempts_at_a_request_come_in_their_order_with_how_each_was_closed() -> None:
    tape = Tape(
        recorded(
            ("1/a/0.0", request(grant=1)),
            ("1/a/0.1", cut("interrupted", "")),
            ("1/a/0.0", request(grant=2), 1),
            ("1/a/0.1", cut("cancelled"), 1),
            ("1/a/0.0", request(grant=3), 2),
            ("1/a/0.1", reply(), 2),
        )
    )
    asked = tape.asked(at("1/a/0.0"), "d")
    assert [each.passed for each in asked] == [True, True, False]
    assert [each.request.grant for each in asked if each.request] == [1, 2, 3]
    assert tape.asked(at("1/a/0.0"), "another") == []
    assert bool(tape)


def test_a_request_that_was_never_closed_is_followed_by_another() -> None:
    (asked,) = Tape(recorded(("1/a/0.0", request()))).asked(at("1/a/0.0"), "d")
    assert (asked.passed, asked.closing) == (True, None)


def test_a_refusal_has_no_request() -> None:
    (asked,) = Tape(recorded(("1/a/0.1", cut("budget_exhausted")))).asked(at("1/a/0.0"), "d")
    assert (asked.passed, asked.request) == (False, None)


def test_the_whole_past_of_a_call_comes_in_the_order_in_which_it_came() -> None:
    entries = recorded(
        ("1/a/0.2", call()),
        ("1/a/0.2.0", ruled("ask")),
        ("1/a/0.2.0.0", Suspension(waits_for="approval", subject="1/a/0.2")),
        ("1/a/0.3", call("elsewhere")),
        ("1/a/0.2.0", ruled("allow"), 1),
        ("1/a/0.2.1", cut("withdrawn", "")),
        ("1/a/0.2.0", ruled("allow"), 2),
        ("1/a/0.2.1", Observation(id="i", tool="look", text="seen"), 1),
        ("1/a/0.2.2", Note(text="posted by the tool")),
    )
    tape = Tape(entries)
    where = at("1/a/0.2")
    assert tape.past(where, call()) == [e for e in entries if "0.2." in str(e.address)]
    assert tape.result(where, call()) is entries[7]
    assert tape.rulings(where) == 3
    assert (tape.past(where, call("q")), tape.result(where, call("q"))) == ([], None)


def test_a_ruling_that_was_withdrawn_does_not_count() -> None:
    posts = [("1/a/0.2", call()), ("1/a/0.2.0", ruled("allow")), ("1/a/0.2.1", cut("withdrawn"))]
    assert Tape(recorded(*posts[:2])).approval(at("1/a/0.2")) == ruled("allow")
    assert Tape(recorded(*posts)).approval(at("1/a/0.2")) is None


def test_every_entry_is_taken_once() -> None:
    (entry,) = entries = recorded(("1/a/0.0", request()))
    tape = WholeTape(entries)
    assert (bool(tape), tape.live) == (True, False)
    assert tape.take(entry.address, 1) is None
    assert tape.take(entry.address, 0) is entry
    assert tape.take(entry.address, 0) is None


def test_a_turn_is_joined_with_what_was_said_meanwhile() -> None:
    entries = recorded(
        ("1//0", ruled("allow")),
        ("1//8.0", UserMessage(text="x")),
        ("1//9", Paused(reason="r")),
        ("2//9", Paused(reason="r")),
    )
    tape = WholeTape(entries)
    drained(tape, entries[:1])
    assert tape.join(1) == entries[1:3]
    assert tape.join(1) == []
    assert tape.end() == entries[3:]


def test_what_never_comes_is_a_divergence_at_the_join() -> None:
    entries = recorded(("1/b/0.2", Note(text="x")), ("1/a/0.0", request()), ("2/a/0.0", request()))
    tape = WholeTape(entries)
    drained(tape, entries[1:])
    with pytest.raises(Divergence, match=r"1/b/0\.2, which now does not come") as caught:
        tape.join(1)
    assert (caught.value.recorded, caught.value.now) == (entries[0], None)
    with pytest.raises(Divergence):
        tape.closed(1, "b")
    with pytest.raises(Divergence):
        tape.end()
    tape.closed(1, "a")
    assert tape.join(2) == []


ENDS = (("3//0", ended()), ("3//1", Synthesis(text="t")))


def test_where_the_run_came_to_its_end_nothing_breaks_off() -> None:
    entries = recorded(("1/a/0.0", request()), ("2/a/0.0", request()), *ENDS)
    tape = WholeTape(entries)
    drained(tape, entries)
    for where in ("1/a/0.1", "2/a/0.1", "4//0"):
        with pytest.raises(Divergence, match="holds no reply"):
            tape.missing(at(where), "reply")


def test_an_unfinished_record_breaks_off_in_its_last_turn_where_nothing_is_left() -> None:
    entries = recorded(("1/a/0.0", request()), ("2/a/0.0", request()), ("2/b/0.0", request()))
    tape = WholeTape(entries)
    drained(tape, entries[:2])
    with pytest.raises(BreaksOff):
        tape.missing(at("2/a/0.1"), "reply")
    with pytest.raises(BreaksOff):
        tape.missing(at("3//0"), "decision")
    with pytest.raises(Divergence):
        tape.missing(at("2/b/0.1"), "reply")
    with pytest.raises(Divergence):
        tape.missing(at("1/a/0.1"), "reply")


@pytest.mark.parametrize(
    ("ending", "short"),
    [
        (ended("cancelled"), True),
        (ended("time_exhausted", "budget(seconds=1)"), True),
        (ended("time_exhausted", "elapsed(minutes=1)"), False),
        (ended("budget_exhausted", "budget(usd=1)"), False),
        (ended(), False),
    ],
)
def test_a_stop_and_a_deadline_cut_a_run_short(ending: Termination, short: bool) -> None:
    entries = recorded(("2/a/0.0", request()), ("3//0", ending), ENDS[1])
    tape = WholeTape(entries)
    drained(tape, entries)
    assert tape.cut_short(3) == (ending if short else None)
    assert tape.cut_short(2) is None
    with pytest.raises(BreaksOff if short else Divergence):
        tape.missing(at("2/a/0.1"), "reply")


def test_an_earlier_step_that_never_came_is_told_before_the_entry_that_differs() -> None:
    entries = recorded(("1/a/0.3", Note(text="x")), ("1/a/1.0", request()), ("2/a/0.0", request()))
    tape = WholeTape(entries)
    known = tape.take(entries[1].address, 0)
    with pytest.raises(Divergence) as caught:
        tape.differ(entries[1].address, known, entries[2], "differs")
    assert caught.value.recorded is entries[0]


def test_what_came_after_the_answer_is_given_at_the_end() -> None:
    entries = recorded(*ENDS, ("1//10.0", Note(text="redacted")))
    tape = WholeTape(entries)
    drained(tape, entries[:2])
    assert tape.join(1) == []
    assert tape.end() == entries[2:]


def test_a_turn_that_was_begun_anew_counts_from_there() -> None:
    entries = recorded(
        ("1/a/0.0", request("old")),
        ("1/a/0.1", cut("interrupted")),
        ("1//9", Resumed(anew=True)),
        ("1/a/0.0", request("new"), 1),
    )
    tape = WholeTape(entries)
    assert tape.aside[at("1/a/0.0")] == 1
    assert tape.asked(at("1/a/0.0"), "old") == []
    assert len(tape.asked(at("1/a/0.0"), "new")) == 1
    drained(tape, entries[3:])
    assert tape.join(1) == entries[:3]


def test_who_ended_a_run_without_having_been_at_work_on_it_did_not_know_its_workflow() -> None:
    for lease, elsewhere in ((1, False), (2, True)):
        board = boards.board()
        board.post(at("1/a/0.0"), "a", request(), 1, "o")
        board.post(at("1//9"), "a", Resumed(), 1, "o")
        board.lease = lease
        for where, payload in ENDS:
            board.post(at(where), "a", payload, 1, "o")
        assert WholeTape(board.entries).concluded is elsewhere


def decision(ending: Conclusion | None = None) -> Decision:
    return Decision(
        policy="p", chosen=0, candidates=(), strands=(), deterministic=True, reason="r",
        complexity=Complexity(level="simple", score=0), ending=ending,
    )  # fmt: skip


def test_a_tape_gives_back_what_was_decided_and_for_what_there_was_no_room() -> None:
    short = Shortage(roles={"a": {"*": "too dear"}}, left_out={"a": "too dear"})
    entries = recorded(
        ("1//0", decision()), ("1//9", Paused(reason="r")), ("2//7.0", short),
        ("3//9", Paused(reason="r")), ("4/a/0.0", request()),
    )  # fmt: skip
    tape = Tape(entries)
    assert (tape.decision(1), tape.decision(2)) == (decision(), None)
    assert (tape.shortage(2, 0), tape.shortage(2, 1), tape.shortage(1, 0)) == (short, None, None)
    assert [turn for turn in range(6) if tape.begun(turn)] == [1, 2, 4]
    assert WholeTape(entries).begun(9), "a whole record holds all there is"


@pytest.mark.parametrize(("closing", "breaks"), [(cut(), True), (reply(), False)])
def test_an_answer_that_was_cut_off_breaks_off_and_its_run_came_to_its_end(
    closing: Payload, breaks: bool
) -> None:
    ending = Conclusion(outcome="finished", reason="goal_reached", guard="", message="m")
    entries = recorded(
        ("2//0", decision(ending)), ("2/a/0.0", request()), ("2/a/0.1", closing), *ENDS
    )
    tape = WholeTape(entries)
    assert tape.join(2) == [], "nobody asks what is left of the turn in which the run ends"
    drained(tape, entries)
    with pytest.raises(BreaksOff if breaks else Divergence):
        tape.missing(at("2/a/1.0"), "reply")
    with pytest.raises(Divergence):
        tape.missing(at("1/a/0.0"), "reply")
    assert tape.cut_short(3) is None
