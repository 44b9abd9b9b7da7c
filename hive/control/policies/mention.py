"""Direction by mention (control floor): the team says who goes on, within what is allowed."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache

from hive.board.entry import Entry
from hive.board.state import State
from hive.control.graphs.move import Move
from hive.control.policies.policy import Choice, GraphOrder, Policy, Situation, certain
from hive.role import Role

__all__ = ["Mention"]


@dataclass(frozen=True)
class Mention:
    """The role that the last turn handed over to, or named first in its newest contribution.

    A handoff that was asked for comes before a name that was merely mentioned, and `@name` before
    `name`; naming oneself is not heard. When nobody who may act was named, `otherwise` decides.
    """

    otherwise: Policy = field(default_factory=GraphOrder)
    name: str = "mention"

    @property
    def advisor(self) -> Role | None:
        """The advisor of the policy behind this one."""
        return getattr(self.otherwise, "advisor", None)

    @property
    def inner(self) -> tuple[Policy, ...]:
        """The policy behind this one."""
        return (self.otherwise,)

    def decide(self, situation: Situation) -> Choice:
        """Choose the move of whoever was asked for or named."""
        moves = situation.candidates
        asked = situation.state.handoffs
        for source, target in asked:
            index = move_of(target, moves)
            if index is not None:
                return certain(index, situation, f"{source} handed over to {target}")
        named = mentioned(situation.state, moves)
        if named is not None:
            author, target, index = named
            return certain(index, situation, f"{author} named {target} in its newest contribution")
        choice = self.otherwise.decide(situation)
        heard = "nobody who may act was named"
        if asked:
            source, target = asked[0]
            heard = f"{source} asked for {target}, which may not act now"
        return replace(choice, reason=f"{heard}; {self.otherwise.name}: {choice.reason}")


def move_of(role: str, moves: tuple[Move, ...]) -> int | None:
    """The place of the smallest move in which a role acts."""
    sizes = [(len(move.roles), place) for place, move in enumerate(moves) if role in move.roles]
    return min(sizes)[1] if sizes else None


def mentioned(state: State, moves: tuple[Move, ...]) -> tuple[str, str, int] | None:
    """Who named whom in the newest contribution of the last turn, and that one's move."""
    entry = newest_contribution(state)
    if entry is None:
        return None
    names = {role: None for move in moves for role in move.roles if role != entry.author}
    if not names:
        return None
    text = "\n".join(texts(list(vars(entry.payload).values())))
    found = name_pattern(tuple(names)).findall(text)
    if not found:
        return None
    target = min(found, key=lambda match: not match[0])[1].lower()
    index = move_of(target, moves)
    assert index is not None
    return entry.author, target, index


def newest_contribution(state: State) -> Entry | None:
    """The last contribution that a role itself made in the last closed turn, in address order; what
    its tools brought in from outside directs nobody."""
    order = {role: place for place, role in enumerate(state.frontier)}
    entries = [
        entry
        for entry in state.newest.values()
        if entry.address.turn == state.turn
        and entry.author == entry.address.role in order
        and entry.level == "domain"
    ]
    if not entries:
        return None
    return max(entries, key=lambda e: (order[e.address.role], e.address.strand, e.address.place))


def texts(value: object) -> Iterator[str]:
    """Every text in a payload's fields, whatever it is nested in."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from texts(list(value.values()))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from texts(item)
    elif hasattr(value, "__dict__"):
        yield from texts(list(vars(value).values()))


@lru_cache(maxsize=256)
def name_pattern(names: tuple[str, ...]) -> re.Pattern[str]:
    """Any of some names as a whole word; the groups are the @, where there is one, and the name."""
    longest_first = sorted(names, key=len, reverse=True)
    return re.compile(rf"(?<![\w-])(@?)({'|'.join(longest_first)})(?![\w-])", re.IGNORECASE)
