"""What a turn has begun and not closed, with the most that it may have cost."""

from hive.board.board import Board
from hive.board.records import (
    Admission,
    Approval,
    Fault,
    Request,
    ToolCall,
)
from hive.concluding import close_calls
from hive.phases.unclosed import unclosed
from tests.board.boards import board, post


def request(grant: int, tokens: int) -> Request:
    return Request(
        model="m", system="00", max_output=9, grant=grant, grant_tokens=tokens, digest="d"
    )


def call(tool: str) -> ToolCall:
    return ToolCall(id="1", tool=tool, arguments={}, effect="write", repeat="never", key="k")


def begun() -> Board:
    """A turn in which a request with two further attempts, a call that was allowed and one that
    nobody has ruled on are open, and another request is closed."""
    made = board()
    post(made, request(100, 10), "1/a/0.0", "a")
    post(made, Admission(cost=40, tokens=4), "1/a/0.0.1.1", "a", ("1/a/0.0",))
    post(made, Admission(cost=2, tokens=1), "1/a/0.0.1.2", "a", ("1/a/0.0",))
    post(made, request(7, 7), "1/b/0.0", "b")
    post(made, Fault(code="model_error", message="no", final=True), "1/b/0.1", "b", ("1/b/0.0",))
    post(made, call("sent"), "1/c/0.2", "c")
    post(made, Approval(decision="allow", by="user:x"), "1/c/0.2.0", "c", ("1/c/0.2",))
    post(made, call("kept"), "1/c/0.3", "c")
    return made


def test_open_calls_are_found_with_what_was_admitted_beyond_their_grants() -> None:
    found = [(str(each.end), *each.worst, each.begun) for each in unclosed(begun().entries)]
    assert found == [
        ("1/a/0.1", 142, 15, True),
        ("1/c/0.2.1", 0, 0, True),
        ("1/c/0.3.1", 0, 0, False),
    ]


def test_a_run_that_is_ended_for_a_dead_process_settles_further_attempts_too() -> None:
    made = begun()
    close_calls(made)
    faults = {
        str(e.address): e.payload for e in made.of_kind(Fault) if isinstance(e.payload, Fault)
    }
    assert (faults["1/a/0.1"].cost, faults["1/a/0.1"].tokens) == (142, 15)
    assert faults["1/c/0.2.1"].code == "interrupted"
    assert faults["1/c/0.3.1"].code == "withdrawn"
    assert list(unclosed(made.entries)) == []
