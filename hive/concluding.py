"""Ending a run that nobody is at work on (floor 6): what is open is closed, then the run is."""

import time
from collections import Counter
from functools import partial

from hive.board.board import COORDINATOR, Board
from hive.board.contributions import EVERYWHERE
from hive.board.entry import Address, Entry, Label
from hive.board.payload import Payload, Vocabulary
from hive.board.records import (
    RECORDS,
    Fault,
    Synthesis,
    Termination,
    ToolCall,
)
from hive.board.state import State
from hive.control.graphs.graph import Ending
from hive.control.synthesis import LastWord
from hive.journal.journal import Batch, Journal, own_name
from hive.journal.reading import close_before, restore
from hive.journal.writer import Writer, salts
from hive.phases.unclosed import Unclosed, unclosed

__all__ = ["cancelled", "close_calls", "conclude", "cut_short", "last_record"]


def cancelled(reason: str) -> Ending:
    """The ending of a run that somebody stopped."""
    return Ending("stopped", "cancelled", "", reason)


def last_record(ending: Ending, state: State) -> Termination:
    """The record that ends a run."""
    return Termination(
        outcome=ending.outcome,
        reason=ending.reason,
        guard=ending.guard,
        message=ending.message,
        turns=state.turn,
        spent=state.spent,
        paid=state.paid,
        tokens=state.tokens,
        elapsed=state.elapsed,
    )


def conclude(journal: Journal, run: str, ending: Ending) -> None:
    """End a run that no process holds, without its workflow. A run that has ended stays as it is.

    Raises RunHeld when somebody has taken it up meanwhile, RunNotFound, and JournalError.
    """
    lease = journal.hold(run, own_name())
    try:
        board = Board(Vocabulary((*RECORDS, *EVERYWHERE)), salts=salts, lease=lease)
        restore(board, journal, run)
        if board.of_kind(Termination):
            return
        stored = len(board.entries) - board.shared
        cut_short(board)
        state = board.state
        end, word = Address(state.turn + 1, "", (0,)), Address(state.turn + 1, "", (1,))
        text = LastWord().synthesise(board, ending)
        posted(board, end, COORDINATOR, last_record(ending, state))
        posted(board, word, COORDINATOR, Synthesis(text=text), causes=(str(end),))
        batch = Batch(run, stored, board.seal(), board.kept(), lease)
        journal.append([batch], wait=True)
    finally:
        journal.release(run)


def cut_short(board: Board, writer: Writer | None = None) -> None:
    """Close what the open turn of a run that was read back left open, and the turn itself."""
    turn = close_calls(board, writer)
    if turn:
        close_before(board, turn, turn[0].address.turn + 1)


def close_calls(board: Board, writer: Writer | None = None) -> list[Entry]:
    """Close the calls that are open in the open turn; gives the entries that it had.

    A model call without an answer is settled at its worst case; of a tool call that was begun it is
    said that nobody knows its end; what waits for a person's yes waits no more.
    """
    post = partial(posted, board) if writer is None else writer.post
    aside = Counter[Address]() if writer is None else writer.aside
    turn = [entry for entry in board.entries if entry.address.turn > board.state.turn]
    for call in tuple(unclosed(turn)):
        before = board.at(call.end)
        post(
            call.end,
            call.entry.author,
            closing(call),
            COORDINATOR,
            (str(call.entry.address),),
            call.entry.label,
            0 if before is None else before.attempt + 1 - aside[call.end],
        )
    return turn


def closing(call: Unclosed) -> Fault:
    """The record that closes an open call, at its worst case."""
    payload = call.entry.payload
    if not isinstance(payload, ToolCall):
        message = "the process ended before the answer"
        return Fault(
            code="interrupted", message=message, cost=call.worst.cost, tokens=call.worst.tokens
        )
    if call.begun:
        message = f"{payload.tool} was begun and nobody knows whether it took effect"
        return Fault(code="interrupted", message=message)
    return Fault(code="withdrawn", message=f"{payload.tool} was stopped before it was made")


def posted(
    board: Board,
    address: Address,
    author: str,
    payload: Payload,
    origin: str = COORDINATOR,
    causes: tuple[str, ...] = (),
    label: Label = "trusted",
    attempt: int = 0,
) -> Entry:
    """Post without a writer, which needs an event loop."""
    at = time.time_ns() // 1000
    return board.post(address, author, payload, at, origin, causes, label, attempt)
