"""The ending (floor 6): the final answer, made from the board."""

from typing import Protocol

from hive.board.board import Board
from hive.board.contributions import Note, Verdict
from hive.board.entry import Entry
from hive.control.graph import Ending

__all__ = ["LastWord", "Synthesis"]


class Synthesis(Protocol):
    """How a run's answer is made; a pure function of the board."""

    def synthesise(self, board: Board, ending: Ending) -> str:
        """The final answer, as text."""
        ...


class LastWord:
    """The newest contribution of the last turn: its text, or its data as JSON."""

    def synthesise(self, board: Board, ending: Ending) -> str:
        last = board.state.turn
        for entry in reversed(board.entries):
            if entry.address.turn < last:
                break
            if entry.address.turn == last and entry.level == "domain":
                return said(entry)
        return ending.message


def said(entry: Entry) -> str:
    payload = entry.payload
    if isinstance(payload, Note):
        return payload.text
    if isinstance(payload, Verdict):
        return f"{payload.ruling}: {'; '.join(payload.reasons)}"
    text = getattr(payload, "text", None) or getattr(payload, "summary", None)
    return text if isinstance(text, str) else entry.body.decode()
