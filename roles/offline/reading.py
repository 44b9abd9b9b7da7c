"""What an offline mind reads: the request that a language model would get, and nothing beside it.

The first message shows entries of the board, each as `[address] Kind by author (trust)` and a line
of JSON; the others hold what the mind asked of tools and what came back. Long texts may have lost
their middle, so single values are looked for where the whole cannot be parsed.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hive.message import Request, Text, ToolResult, ToolUse
from roles.offline.repair.conversation import find, items

__all__ = ["Called", "Shown", "called", "entries", "newest", "offers", "use"]

LONGEST = 12_000
"""Characters of an entry that are shown: of a longer one, two thirds from its head, the rest from
its tail."""

HEAD = re.compile(r"\[(?P<address>\S+)\] (?P<kind>.+) by (?P<author>\S+) \((?P<trust>\w+)\)")


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry as it was shown; `body` is its JSON. Where that has lost its middle, a NUL stands
    in its place, which no JSON may hold, so that what was cut cannot be taken for whole."""

    address: str
    kind: str
    author: str
    trust: str
    body: str

    @property
    def data(self) -> Mapping[str, Any] | None:
        """The entry's data; None when its JSON is not whole, or no object."""
        return as_object(self.body)

    def value(self, name: str) -> Any:
        """One field; None when there is none, or when it cannot be read."""
        return find(self.body, name)

    def objects(self, name: str, first: str) -> list[Mapping[str, Any]]:
        """The objects of a list, whose first field is `first`; those that are still whole."""
        return list(items(self.body, name, first))


@dataclass(frozen=True, slots=True)
class Called:
    """A tool that was called, and what came back; `text` is empty while nothing has."""

    tool: str
    arguments: Mapping[str, Any]
    text: str
    error: bool

    def value(self, name: str) -> Any:
        """One value of the result; None when there is none, or when it cannot be read."""
        return None if self.error else find(self.text, name)

    def objects(self, name: str, first: str) -> list[Mapping[str, Any]]:
        """The objects of a list in the result, whose first field is `first`; those still whole."""
        return [] if self.error else list(items(self.text, name, first))


def entries(request: Request, *kinds: str) -> tuple[Shown, ...]:
    """The entries that a request shows, oldest first; of some kinds, or all."""
    if not request.messages:
        return ()
    parts = request.messages[0].parts
    found = (shown(part.text) for part in parts if isinstance(part, Text))
    return tuple(entry for entry in found if entry and (not kinds or entry.kind in kinds))


def newest(request: Request, kind: str) -> Shown | None:
    """The newest entry of a kind, None when none is shown."""
    found = entries(request, kind)
    return found[-1] if found else None


def shown(text: str) -> Shown | None:
    """The entry that a text shows; None when it shows none."""
    head, newline, body = text.partition("\n")
    match = HEAD.fullmatch(head)
    if len(body) > LONGEST:
        body = f"{body[: LONGEST * 2 // 3]}\0{body[-(LONGEST // 3) :]}"
    return Shown(**match.groupdict(), body=body) if match and newline else None


def called(request: Request, tool: str | None = None) -> tuple[Called, ...]:
    """The calls made so far in this conversation, in order; of one tool, or all."""
    results = {part.id: part for part in parts_of(request) if isinstance(part, ToolResult)}
    found = []
    for part in parts_of(request):
        if isinstance(part, ToolUse) and tool in (None, part.name):
            result = results.get(part.id)
            text, error = ("", True) if result is None else (result.text, result.error)
            found.append(Called(part.name, part.arguments, text, error))
    return tuple(found)


def parts_of(request: Request) -> Iterator[object]:
    for message in request.messages:
        yield from message.parts


def offers(request: Request, tool: str) -> bool:
    """Whether a tool may be used."""
    return any(form.name == tool for form in request.tools)


def use(request: Request, tool: str, slot: int = 0, **arguments: Any) -> ToolUse:
    """A call of a tool, under an id that no other call of the conversation has."""
    return ToolUse(id=f"{tool}-{len(request.messages)}-{slot}", name=tool, arguments=arguments)


def as_object(text: str) -> Mapping[str, Any] | None:
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
