"""People at hand (floor 2): what they may be asked, and what they say."""

from typing import Literal, NamedTuple, Protocol

from hive.board.entry import Entry
from hive.tools.approval import ProposedCall

__all__ = ["Decided", "Enquiry", "Person", "Respondent", "Word"]

Decided = Literal["allow", "deny", "done", "again", "lost", "says"]
"""What a person may say: of a call that needs a yes the first two, of one in doubt the next three;
in a turn of their own whatever they like, which the word's text is."""


class Word(NamedTuple):
    """What a person says of what waits for them; `item` is that of the inbox."""

    decided: Decided
    by: str
    text: str = ""
    item: int = 0


class Person(Protocol):
    """Somebody who may be asked about a call that needs a yes, and at the checkpoint; None is for
    later."""

    async def decide(self, call: ProposedCall) -> Word | None: ...


class Enquiry(NamedTuple):
    """What a person is asked in a turn of theirs."""

    role: str
    text: str
    """What is wanted, and how it may be said."""
    subject: str
    """The address under which it is answered."""
    entries: tuple[Entry, ...] = ()
    """What the role may see of the board, in address order."""


class Respondent(Protocol):
    """Somebody at hand to whom the turns of a person's role are put; None is for later."""

    async def answer(self, enquiry: Enquiry) -> Word | None: ...
