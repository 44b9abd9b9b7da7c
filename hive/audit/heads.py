"""The head of a run as a small file of its own (floor 7): how many entries, and the last digest.

Kept where the journal's keeper cannot write, it shows what was cut off or written anew.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import orjson

from hive.board.canonical import encode
from hive.errors import SigningError

__all__ = ["FORM", "Head", "HeadFile"]

FORM = "hive-head/1"


class Head(NamedTuple):
    """The end of a run at some moment.

    `entries` counts those shared with other runs too; `head` is the digest (hex) of the last; `at`
    is when it was exported, in microseconds since 1970, by the clock of whoever did; `hive` is the
    version that did it.
    """

    run: str
    entries: int
    head: str
    at: int
    hive: str
    form: str = FORM

    def statement(self) -> bytes:
        """The bytes that are signed: RFC 8785 JSON of the fields."""
        return encode(self._asdict())


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadFile:
    """A head as it is exported; key and signature (hex, Ed25519) are "" where nobody signed it."""

    head: Head
    public_key: str = ""
    signature: str = ""

    @property
    def is_signed(self) -> bool:
        """Whether there is a signature, of whatever worth."""
        return bool(self.signature)

    def as_json(self) -> dict[str, Any]:
        """The documented keys of the file."""
        signed = {"public_key": self.public_key, "signature": self.signature}
        return {"statement": self.head._asdict(), **(signed if self.is_signed else {})}

    def text(self) -> str:
        """The file's text."""
        return orjson.dumps(self.as_json(), option=orjson.OPT_INDENT_2).decode() + "\n"

    @classmethod
    def read(cls, text: str | bytes) -> Self:
        """Read a file's text. Raises SigningError when it holds no head."""
        try:
            data = orjson.loads(text)
            statement = data["statement"]
            head = Head(**statement)
            whole = cls(
                head=head,
                public_key=data.get("public_key", ""),
                signature=data.get("signature", ""),
            )
        except (ValueError, TypeError, KeyError) as error:
            raise SigningError(f"this is no head that Hive exported: {error}") from None
        texts = (head.run, head.head, head.hive, head.form, whole.public_key, whole.signature)
        if head.form != FORM or not all(isinstance(text, str) for text in texts):
            raise SigningError(f"this is a head of the form {head.form!r}; this Hive reads {FORM}")
        if type(head.entries) is not int or type(head.at) is not int or head.entries < 1:
            raise SigningError("this head does not say how many entries there were")
        return whole
