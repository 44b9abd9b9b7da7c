"""Phase one (floor 5): what the model sees. A stable prefix, then the board, then the task.

Nothing is fetched here, and equal inputs give equal requests.
"""

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from hive.board.canonical import encode
from hive.board.entry import Entry
from hive.board.view import line_of
from hive.message import Message, Request, Text
from hive.phases.strand import Strand

__all__ = ["Talk", "assemble", "work_on"]


@dataclass(slots=True)
class Talk:
    """A strand's conversation so far: the messages after the first request, and what pins them."""

    messages: list[Message]
    causes: tuple[str, ...] = ()
    """Addresses of the entries that the next request adds to the one before."""
    digest: bytes = b""
    step: int = 0
    corrections: int = 0

    def add(self, messages: Sequence[Message], causes: tuple[str, ...]) -> None:
        """Go on to the next step with what the model said and what came of it."""
        running = hashlib.sha256(self.digest)
        for message in messages:
            running.update(message.role.encode())
            for part in message.parts:
                # As the record writes it: read back, an answer has its keys in another order.
                running.update(encode(part.model_dump(mode="json")))
        self.messages.extend(messages)
        self.digest = running.digest()
        self.causes = causes
        self.step += 1


def assemble(strand: Strand, talk: Talk) -> Request:
    """The next request of a strand; its digest is taken before any limit is lowered to fit."""
    briefing = strand.briefing
    limits, role = strand.desk.limits, strand.role
    view = strand.view
    last = closing(strand)
    if not talk.step:
        asked = f"{strand.plan.model}\n{last.text}".encode()
        talk.digest = hashlib.sha256(briefing.digest + asked + view.digest).digest()
        talk.causes = (*view.causes, strand.decision)
    first = Message("user", (*view.parts, last))
    return Request(
        model=strand.plan.model,
        system=briefing.system,
        messages=(first, *talk.messages),
        tools=briefing.tools,
        output=briefing.output,
        max_output=limits.output_tokens,
        settings=role.settings,
        sample=strand.plan.sample,
        digest=talk.digest.hex(),
        stable=len(view.parts),
    )


def work_on(cause: Entry) -> str:
    """What a strand is told of the entry that it was opened for."""
    return f"Work on this entry only: [{cause.address}] {cause.kind} {line_of(cause)}"


def closing(strand: Strand) -> Text:
    """The last words of the first message: whose turn it is, and for what."""
    cause = strand.view.cause
    work = "" if cause is None else work_on(cause)
    return last_words(strand.view.omitted, strand.role.name, strand.task, work)


@functools.lru_cache(maxsize=256)
def last_words(omitted: int, name: str, task: str, work: str) -> Text:
    """The last words as text; most turns of a role end alike."""
    lines = []
    if omitted:
        lines.append(f"({omitted} older entries are left out of this view to keep it short.)")
    lines.append(f"It is your turn, {name}.")
    lines += [line for line in (task, work) if line]
    return Text(text="\n".join(lines))
