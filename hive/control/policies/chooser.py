"""A model as chooser (control floor): an advisor proposes a move, the policy validates it."""

import re
from dataclasses import dataclass, field, replace

from pydantic import Field

from hive.board.payload import Payload
from hive.control.graphs.move import Move
from hive.control.policies.policy import Choice, GraphOrder, Policy, Situation, certain
from hive.errors import DeclarationError
from hive.role import Role

__all__ = ["Choose", "Chooser", "agenda"]

LONGEST_DUTY = 200
LISTED = re.compile(r"(\d{1,4})(?:[.):]\s*(.*))?")
"""`2`, or `2. critic (coder → critic)`."""


class Choose(Payload):
    """An advisor's pick among the moves allowed now."""

    move: str = Field(description="One of the moves offered: its number, or its name as it stands")
    reason: str = Field(description="Why this move comes next, in one sentence")


INSTRUCTIONS = """\
You decide who of the team acts next; you do not do the work yourself.
You are given the moves that are allowed now, each with a number. Read what is on the board, find
what the goal still lacks, and pick the move that brings it closest. Prefer who can settle an open
question or a failing check over who would repeat what is there. Pick exactly one of the moves, by
its number or its name as it stands, and give your reason in one sentence that cites an entry."""


def default_advisor() -> Role:
    return Role("chooser", INSTRUCTIONS, writes=(Choose,))


@dataclass(frozen=True)
class Chooser:
    """Lets an advisor choose, and another policy where the advice is missing or not lawful.

    The coordinator runs `advisor` as a recorded strand before each decision, with `agenda` as its
    task; what it posts is the situation's advice. The choice is deterministic in that advice: no
    probability is made up for what the model might have picked. Raises DeclarationError when the
    advisor cannot write Choose.
    """

    advisor: Role = field(default_factory=default_advisor)
    fallback: Policy = field(default_factory=GraphOrder)

    def __post_init__(self) -> None:
        if Choose.kind not in self.advisor.kinds_written:
            raise DeclarationError(
                f"role {self.advisor.name!r} cannot advise a Chooser: it does not write Choose;"
                " give it writes=(Choose,)"
            )

    @property
    def name(self) -> str:
        """`chosen by chooser`."""
        return f"chosen by {self.advisor.name}"

    @property
    def inner(self) -> tuple[Policy, ...]:
        """The policy that decides where the advisor does not."""
        return (self.fallback,)

    def decide(self, situation: Situation) -> Choice:
        """Choose what was advised, if it is one of the candidates."""
        advice = situation.advice
        if advice is None and len(situation.candidates) == 1:  # then nobody was asked
            return self.fallback.decide(situation)
        if not isinstance(advice, Choose):
            said = "gave no advice" if advice is None else f"posted {advice.kind} and not Choose"
            return self._otherwise(situation, said)
        index = matching(advice.move, situation.candidates)
        if index is not None:
            who = self.advisor.name
            return certain(index, situation, f"{who} chose {advice.move.strip()}: {advice.reason}")
        offered = ", ".join(move.name for move in situation.candidates)
        return self._otherwise(situation, f"chose {advice.move!r}, which is none of {offered}")

    def _otherwise(self, situation: Situation, said: str) -> Choice:
        choice = self.fallback.decide(situation)
        reason = f"{self.advisor.name} {said}; {self.fallback.name} instead: {choice.reason}"
        return replace(choice, reason=reason)


def matching(said: str, moves: tuple[Move, ...]) -> int | None:
    """The one candidate that is meant: by number from 1, by name, by both as the agenda lists it,
    or by a role that only it has."""
    text = said.strip().strip("'\"`.").strip().lower()
    listed = LISTED.fullmatch(text)
    if listed is not None:
        place, rest = int(listed[1]) - 1, listed[2] or ""
        if not 0 <= place < len(moves):
            return None
        name = moves[place].name
        return place if rest in ("", name) or rest.startswith(f"{name} (") else None
    named = [place for place, move in enumerate(moves) if text == move.name]
    acting = [place for place, move in enumerate(moves) if text in move.roles]
    for places in (named, acting):
        if len(places) == 1:
            return places[0]
    return None


def agenda(situation: Situation) -> str:
    """The moves allowed now as a numbered list for an advisor, with what each role is there for."""
    lines = ["The moves allowed now:"]
    for number, move in enumerate(situation.candidates, 1):
        lines.append(f"{number}. {move.name} ({move.edge})")
        lines += [
            f"   {name}: {duty(situation.roles[name])}"
            for name in move.roles
            if name in situation.roles
        ]
    return "\n".join(lines)


def duty(role: Role) -> str:
    """The first line of a role's instructions, or what it writes where it has none."""
    first = role.instructions.strip().partition("\n")[0][:LONGEST_DUTY]
    return first or f"writes {', '.join(sorted(role.kinds_written))}"
