"""The final answer of a run, made from the board (control floor)."""

from dataclasses import dataclass, field
from typing import Protocol

from hive.board.ballots import Critique, Vote
from hive.board.board import Board
from hive.board.contributions import Note, Review, Verdict
from hive.board.entry import Address, Entry
from hive.board.records import Decision
from hive.control.graphs.graph import Ending
from hive.errors import DeclarationError
from hive.role import Role

__all__ = ["LastWord", "Synthesis", "WrittenBy"]

OPINIONS = (Critique, Review, Verdict, Vote)
"""What is said of others' work."""


class Synthesis(Protocol):
    """How a run's answer is made; a pure function of the board. A synthesis may also have

    - `advisor`, a Role that is asked for it first, in a turn of its own after all others.
    """

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
        for turn in range(board.state.turn - was_asked(board), 0, -1):
            for entry in reversed(spoken(board, turn)):
                if approves(entry):
                    chosen = board.at(getattr(entry.payload, "chosen", None) or "")
                    if chosen is not None and chosen.level == "domain":
                        return said(chosen)
                    judged = judged or entry
                elif judged is None or not isinstance(entry.payload, OPINIONS):
                    return said(entry)
            if judged is None:
                break
        return ending.message if judged is None else said(judged)


@dataclass(frozen=True)
class WrittenBy:
    """A role writes the answer from what is on the board, once, when the run has ended; it is told
    how that was.

    What its one call needs at least is kept back from the beginning where calls are capped. Where
    it says nothing (its call fails or is cut off, somebody stops the run, or its time is up), the
    answer is made `otherwise`. Raises DeclarationError for a role that could not answer at once.
    """

    advisor: Role
    otherwise: Synthesis = field(default_factory=LastWord)

    def __post_init__(self) -> None:
        role = self.advisor
        if not isinstance(role, Role):
            raise DeclarationError(f"WrittenBy({role!r}): give the Role that writes the answer")
        wrong = "has tools" if role.tools else "opens a strand per entry" if role.per else ""
        wrong = "is a person, for whom no run waits at its end" if role.person else wrong
        if wrong or role.posted:
            wrong = wrong or "writes several kinds"
            raise DeclarationError(
                f"WrittenBy: role {role.name!r} {wrong}, and who writes the answer is asked once;"
                " give it a role that writes one kind and has no tools"
            )

    def synthesise(self, board: Board, ending: Ending) -> str:
        """What the role has written, else what is made otherwise."""
        written = spoken(board, board.state.turn) if was_asked(board) else ()
        return said(written[-1]) if written else self.otherwise.synthesise(board, ending)


def was_asked(board: Board) -> bool:
    """Whether in the last turn a role was asked for the answer, and nobody made a move."""
    newest = board.state.latest(Decision)
    return newest is not None and newest.ending is not None


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
