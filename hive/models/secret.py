"""Secrets that are sent to a server, and must not be told to anybody else (models floor).

A server may say a key back: in an error, a header, an answer. Whatever is kept of what it says goes
through `Secrets` first, which puts `[key]` or `[secret]` in the place of one.
"""

import logging
import sys
from collections.abc import Iterable
from typing import TypeVar, cast
from urllib.parse import quote
from weakref import WeakSet

from pydantic import ValidationError

__all__ = ["Pieces", "Secrets"]

SHORTEST = 8
"""Characters of the shortest secret that is looked for; a shorter one stands in many texts."""

LOGGERS = (
    *("openai", "openai._base_client", "openai._response"),
    *("anthropic", "anthropic._base_client", "anthropic._response"),
    *("httpx2", "httpcore2.connection", "httpcore2.http11", "httpcore2.http2", "httpcore2.proxy"),
)
"""Who may log what a server says; a filter holds for one logger, not for those below it."""

T = TypeVar("T")


class Secrets:
    """The key of a connection, and the values of other headers that are not for everybody."""

    def __init__(self, key: str, others: Iterable[str] = ()) -> None:
        words = dict.fromkeys(others, "[secret]") | {quote(key, safe=""): "[key]"}
        words[key] = "[key]"
        self.words = {
            secret: words[secret]
            for secret in sorted(words, key=len, reverse=True)
            if len(secret) >= SHORTEST
        }
        self.shortest = min(map(len, self.words), default=sys.maxsize)
        KNOWN.add(self)
        for name in LOGGERS:
            logging.getLogger(name).addFilter(UNLOGGED)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.words)})"

    def out_of(self, text: str) -> str:
        """The text without them."""
        for secret, word in self.words.items():
            if secret in text:
                text = text.replace(secret, word)
        return text

    def without(self, value: T) -> T:
        """A JSON value, or one of tuples and bytes, without them, in names of fields too."""
        if isinstance(value, str):
            return cast("T", value if len(value) < self.shortest else self.out_of(value))
        if value is None or isinstance(value, int | float):
            return value
        found: object = value
        if isinstance(value, dict):
            found = {self.without(name): self.without(inner) for name, inner in value.items()}
        elif isinstance(value, list | tuple):
            found = type(value)([self.without(inner) for inner in value])
        elif isinstance(value, bytes):
            found = self.out_of(value.decode("latin-1")).encode("latin-1")
        return cast("T", found)

    def begun(self, text: str) -> int:
        """Where the end of the text may be the beginning of one; its length if nowhere."""
        found = len(text)
        for secret in self.words:
            at = text.find(secret[0], max(0, len(text) - len(secret) + 1))
            while at >= 0 and not secret.startswith(text[at:]):
                at = text.find(secret[0], at + 1)
            found = min(found, at) if at >= 0 else found
        return found

    def clean(self, error: BaseException) -> None:
        """Take them out of everything that printing `error` and its causes would show.

        Where it was raised is left out: tools that print the variables of each frame would show
        there what was sent.
        """
        seen: set[int] = set()
        waiting: list[BaseException | None] = [error]
        while waiting:
            one = waiting.pop()
            if one is None or id(one) in seen:
                continue
            seen.add(id(one))
            if self.in_vain(one.__cause__):
                one.__cause__ = None
            if self.in_vain(one.__context__):
                one.__context__ = None
            waiting += [one.__cause__, one.__context__]
            one.__traceback__ = None
            one.args = tuple(self.without(arg) for arg in one.args)
            for name in ("message", "body", "api_message", "doc"):
                if hasattr(one, name):
                    setattr(one, name, self.without(getattr(one, name)))

    def in_vain(self, error: BaseException | None) -> bool:
        """Whether an exception cannot be cleaned: pydantic's show pieces of what they checked."""
        if not isinstance(error, ValidationError):
            return False
        shown = [repr(one["input"]) for one in error.errors(include_url=False)]
        return self.without(shown) != shown


class Pieces:
    """A text that comes in pieces, without the secrets in it, wherever it was cut."""

    def __init__(self, secrets: Secrets) -> None:
        self.secrets = secrets
        self.held = ""

    def take(self, piece: str) -> str:
        """What may be shown by now."""
        if not piece:
            return ""
        text = self.secrets.out_of(self.held + piece)
        at = self.secrets.begun(text)
        self.held = text[at:]
        return text[:at]

    def end(self) -> str:
        """What was held back, and is no secret."""
        held, self.held = self.held, ""
        return held


class Unlogged(logging.Filter):
    """Keeps the secrets of all open connections out of the logs of SDKs and network."""

    def filter(self, record: logging.LogRecord) -> bool:
        said = record.getMessage()
        clean = said
        for secrets in list(KNOWN):
            clean = secrets.out_of(clean)
        if clean != said:
            record.msg, record.args = clean, None
        return True


KNOWN: WeakSet[Secrets] = WeakSet()
UNLOGGED = Unlogged()
