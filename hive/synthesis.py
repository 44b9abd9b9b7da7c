"""The ending (floor 6): the final answer, made from the board."""

from typing import Protocol

from hive.board.ballots import Critique, Vote
from hive.board.board import Board
from hive.board.contributions import Note, Review, Verdict
from hive.board.entry import Address, Entry
from hive.board.records import Decision
from hive.control.graph import Ending

__all__ = ["LastWord", "Synthesis"]


class Synthesis(Protocol):
    """How a run's answer is made; a pure function of the board."""

    def synthesise(self, board: Board, ending: Ending) -> str:
        """The final answer, as text."""
        ...


class LastWord:
    """The newest contribution of the last turn: its text, or its data as JSON.

    Where that is a judgement which approves, the answer is what was judged: what a Verdict has
    chosen, else the newest contribution of a role before it that judges nothing itself.
    """

    def synthesise(self, board: Board, ending: Ending) -> str:
        judged = None
        for turn in range(board.state.turn, 0, -1):
            for entry in reversed(spoken(board, turn)):
                if judged is not None and isinstance(entry.payload, Critique | Vote):
                    continue
                if not approves(entry):
                    return said(entry)
                chosen = board.at(getattr(entry.payload, "chosen", None) or "")
                if chosen is not None and chosen.level == "domain":
                    return said(chosen)
                judged = judged or entry
            if judged is None:
                break
        return ending.message if judged is None else said(judged)


def spoken(board: Board, turn: int) -> list[Entry]:
    """What the roles of a turn's move contributed, in address order; neither what the user said,
    nor tools, nor who only advised the policy."""
    decision = board.at(Address(turn, "", (0,)))
    plans = decision.payload.strands if decision and isinstance(decision.payload, Decision) else ()
    strands = {plan.strand for plan in plans}
    return [
        entry
        for entry in board.contributions(turn)
        if entry.address.strand in strands and not entry.origin.startswith("tool:")
    ]


def approves(entry: Entry) -> bool:
    """Whether an entry is a judgement in favour of something said before."""
    payload = entry.payload
    if isinstance(payload, Review):
        return payload.approved
    return isinstance(payload, Verdict) and payload.ruling == "accept"


def said(entry: Entry) -> str:
    payload = entry.payload
    if isinstance(payload, Note):
        return payload.text
    if isinstance(payload, Verdict):
        return f"{payload.ruling}: {'; '.join(payload.reasons)}"
    text = getattr(payload, "text", None) or getattr(payload, "summary", None)
    return text if isinstance(text, str) else entry.body.decode()
