"""What a server of the tests does wrong: lines for the script of a `loopback`."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Union

from hive.message import Reply, Text, Thinking, ToolUse

__all__ = [
    "Fault",
    "Line",
    "Part",
    "Sound",
    "Then",
    "closes",
    "cut",
    "drop",
    "error",
    "fails",
    "hangs",
    "linger",
    "odd",
    "paced",
    "raw",
    "resets",
]

Part = str | Text | Thinking | ToolUse
Then = Literal["end", "close", "reset", "hang"]
"""What follows what was sent of an answer: its proper end; the connection is closed without it, or
broken off; or nothing ever."""


@dataclass(frozen=True)
class Fault:
    """An answer that goes wrong, made by the functions below."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    message: str | None = None
    code: str = ""
    body: bytes | None = None
    line: "Line | None" = None
    keep: int | None = None
    """How many events of the streamed `line` are sent, or a plain one's bytes in a hundred; None
    for all of them."""
    then: Then = "end"
    odd: tuple[str, dict[str, Any]] | None = None
    between: Callable[[int], Awaitable[None]] | None = None


Sound = Union[Part, Sequence[Part], Reply, dict[str, Any]]  # noqa: UP007  # as the next
Line = Union[Sound, Fault]  # noqa: UP007  # refers to itself


def error(
    status: int, message: str = "", *, code: str = "", headers: Mapping[str, str] | None = None
) -> Fault:
    """An error answer in the endpoint's own fashion."""
    return Fault(status, headers or {}, message=message, code=code)


def raw(body: bytes, content_type: str = "text/html", status: int = 200) -> Fault:
    """Any bytes, whatever was asked."""
    return Fault(status, {"content-type": content_type}, body=body)


def cut(line: Sound, keep: int = 3) -> Fault:
    """An answer that ends too early: after `keep` events, or `keep` percent of its bytes."""
    return Fault(line=line, keep=keep)


def closes(line: Sound, keep: int = 3) -> Fault:
    """An answer in whose midst the connection is closed, against what its head had promised."""
    return Fault(line=line, keep=keep, then="close")


def resets(line: Sound, keep: int = 3) -> Fault:
    """An answer in whose midst the connection is reset."""
    return Fault(line=line, keep=keep, then="reset")


def hangs(line: Sound | None = None, keep: int = 3) -> Fault:
    """An answer in whose midst the server falls silent; without a line, before it."""
    return Fault(line=line, keep=keep, then="hang")


def fails(line: Sound, message: str, *, code: str = "", keep: int = 3) -> Fault:
    """A stream that after `keep` events says that something went wrong."""
    return Fault(line=line, keep=keep, message=message, code=code)


def linger(line: Sound) -> Fault:
    """A whole answer after which the server does not end it."""
    return Fault(line=line, then="hang")


def odd(line: Sound, name: str, data: dict[str, Any]) -> Fault:
    """A stream with an event in it that nobody has heard of."""
    return Fault(line=line, odd=(name, data))


def paced(line: Sound, between: Callable[[int], Awaitable[None]]) -> Fault:
    """A stream that drips: `between` is awaited before each event, which it is told the number of,
    and may take its time."""
    return Fault(line=line, between=between)


def drop() -> Fault:
    """No answer: the connection is closed."""
    return Fault(status=0)
