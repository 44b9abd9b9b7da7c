"""The bytes that are stored and hashed (floor 1): RFC 8785 JSON, written once and never re-made.

`encode` gives sorted keys, no white space and ECMAScript numbers. orjson does the work; only values
that may hold floats or foreign keys are walked in Python first.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from hive.errors import PayloadError

__all__ = ["LARGEST_INTEGER", "Form", "decode", "encode", "has_long_number", "write"]

LARGEST_INTEGER = 2**53 - 1
"""RFC 8785 numbers are IEEE doubles: larger integers would be read back wrong."""

OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER


class Odd(Exception):
    """A value that the quick walk does not write as RFC 8785 demands."""


def encode(value: Any) -> bytes:
    """Write a JSON-shaped value as RFC 8785 bytes.

    Lone surrogates become U+FFFD. Raises PayloadError for NaN, infinities, integers beyond
    ±(2^53-1) and anything that is not JSON, with the place in the value.
    """
    try:
        return write(quick(value))
    except UNWRITABLE:
        pass
    try:
        return write(normalise(value, ""))
    except (TypeError, RecursionError):  # nothing else is left to be wrong
        raise PayloadError("the value is nested too deeply; 200 levels are safe") from None


class Form:
    """How the fields of a typed object are written without looking at everything in them.

    `loose` are the fields that hold free-form JSON, mappings or floats, or models that do; `pieces`
    are the classes of the models inside, each with its own loose fields. Of the classes in
    `lasting`, one object stands in many payloads, and its bytes are kept.
    """

    __slots__ = ("_known", "lasting", "loose", "pieces")

    def __init__(
        self,
        loose: tuple[str, ...],
        pieces: Mapping[type, tuple[str, ...]],
        lasting: frozenset[type] = frozenset(),
    ) -> None:
        self.loose = loose
        self.pieces = pieces
        self.lasting = lasting
        self._known: dict[int, tuple[Any, orjson.Fragment]] = {}

    def encode(self, fields: dict[str, Any]) -> bytes | None:
        """Like `encode`; None when something in the fields is rare, and that must see to it."""
        try:
            if self.loose and not self.suits(fields, self.loose):
                return None
            return write(fields, self.fields_of)
        except UNWRITABLE:
            return None

    def suits(self, fields: dict[str, Any], loose: tuple[str, ...]) -> bool:
        """Whether orjson writes the loose fields as RFC 8785 demands."""
        for name in loose:
            value = fields.get(name)
            if type(value) not in SAFE and not self.is_plain(value):
                return False
        return True

    def is_plain(self, value: Any) -> bool:
        """Whether orjson writes a value as RFC 8785 demands. Raises TypeError for keys that are no
        text."""
        kind = type(value)
        if kind in self.pieces:
            loose = self.pieces[kind]
            return not loose or id(value) in self._known or self.suits(value.__dict__, loose)
        if kind is dict:
            if not "".join(value).isascii():
                return False
            value = value.values()
        elif kind is not tuple and kind is not list:
            return kind in SAFE or (
                kind is float and 1e-4 < abs(value) < 1e15 and not value.is_integer()
            )
        return SAFE.issuperset(map(type, value)) or all(map(self.is_plain, value))

    def fields_of(self, value: Any) -> Any:
        """The fields of a model, for orjson. Raises TypeError where it is no piece."""
        kind = type(value)
        if kind in self.lasting:
            known = self._known.get(id(value))  # whose object is held, so that the id is its own
            if known is None:
                if len(self._known) == MOST_KNOWN:
                    self._known.clear()
                written = orjson.Fragment(write(value.__dict__, self.fields_of))
                known = self._known[id(value)] = value, written
            return known[1]
        if kind in self.pieces:
            return value.__dict__
        raise TypeError


MOST_KNOWN = 256
"""Objects whose bytes a form keeps."""

SAFE = frozenset({str, int, bool, type(None)})
UNWRITABLE = (Odd, TypeError, AttributeError, RecursionError)
"""What the quick way raises for a lone surrogate, too large an integer, a key that is no text,
nesting without end, or no JSON at all."""


def quick(value: Any) -> Any:
    """The value with its floats as RFC 8785 writes them. Raises Odd for what is rare."""
    kind = type(value)
    if kind in SAFE:
        return value
    if kind is dict:
        if not "".join(value).isascii():
            raise Odd
        if SAFE.issuperset(map(type, value.values())):
            return value
        return {key: v if type(v) in SAFE else quick(v) for key, v in value.items()}
    if kind is list or kind is tuple:
        if SAFE.issuperset(map(type, value)):
            return value
        return [v if type(v) in SAFE else quick(v) for v in value]
    if kind is float:
        if -1e15 < value < 1e15 and value == int(value):
            return int(value)
        if 1e-4 < value < 1e15 or -1e15 < value < -1e-4:
            return value
    raise Odd


def write(value: Any, default: Callable[[Any], Any] | None = None) -> bytes:
    """orjson's bytes in memory of their own size: its own come in a buffer of 8 KB, which a run
    would keep for every entry."""
    return b"".join((orjson.dumps(value, default, OPTIONS), b""))  # of two pieces, so it copies


def decode(body: bytes) -> Any:
    """Read bytes that `encode` wrote. Raises PayloadError when they are not JSON."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise PayloadError(f"stored content is not JSON: {error}") from error
    return doubled(value) if has_long_number(body) else value


def has_long_number(body: bytes) -> bool:
    """Whether some bytes may hold a number that only a double can have been."""
    return LONG in body.translate(AS_ZEROS)


LONG = b"0" * 16
AS_ZEROS = bytes(b"0"[0] if b"0"[0] <= byte <= b"9"[0] else byte for byte in range(256))
"""Sixteen digits beside each other are found so in a fifth of the time that an expression takes."""


def doubled(value: Any) -> Any:
    """The value with whole numbers that only a double can have been as that double again."""
    if isinstance(value, dict):
        return {key: doubled(item) for key, item in value.items()}
    if isinstance(value, list):
        return [doubled(item) for item in value]
    if type(value) is int and not -LARGEST_INTEGER <= value <= LARGEST_INTEGER:
        return float(value)
    return value


def normalise(value: Any, place: str) -> Any:
    """Check a value and bring what orjson writes otherwise into the form RFC 8785 wants."""
    if value is None or value is True or value is False:
        return value
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, int):
        return checked_integer(value, place)
    if isinstance(value, float):
        return number(value, place)
    if isinstance(value, list | tuple):
        return [normalise(item, f"{place}[{index}]") for index, item in enumerate(value)]
    if isinstance(value, dict):
        return normalised_object(value, place)
    where = place or "the value"
    raise PayloadError(f"{where} is a {type(value).__name__}, which has no JSON form")


def clean(text: str) -> str:
    """The text with lone surrogates replaced by U+FFFD, so that it can be written as UTF-8."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def checked_integer(value: int, place: str) -> int:
    if -LARGEST_INTEGER <= value <= LARGEST_INTEGER:
        return int(value)
    raise PayloadError(
        f"{place or 'the value'} is {value}, beyond ±(2^53-1), and would be read back as another"
        " number; post it as text"
    )


def number(value: float, place: str) -> Any:
    """A float as ECMAScript prints it: integral values without a fraction, exponents from 1e21."""
    if not math.isfinite(value):
        raise PayloadError(
            f"{place or 'the value'} is {value}, which JSON cannot hold; leave the field out or"
            " post None"
        )
    if value.is_integer() and abs(value) < 1e21:
        whole = int(value)
        if abs(whole) <= LARGEST_INTEGER:
            return whole
        # The digits after the shortest form are zeros in ECMAScript, not the exact expansion.
        digits, _, exponent = repr(value).partition("e")
        return orjson.Fragment(integral_text(digits, exponent))
    if 1e-6 <= abs(value) < 1e-4:  # Python switches to an exponent two decades before ECMAScript
        return orjson.Fragment(fraction_text(repr(value)))
    return value


def integral_text(digits: str, exponent: str) -> str:
    """`1.5`, `+17` -> `150000000000000000`."""
    whole, _, fraction = digits.partition(".")
    fraction = fraction.rstrip("0")
    places = int(exponent or 0)
    return whole + fraction + "0" * (places - len(fraction)) if exponent else whole


def fraction_text(shortest: str) -> str:
    """`1.5e-05` -> `0.000015`."""
    digits, _, exponent = shortest.partition("e")
    if not exponent:
        return shortest
    sign = "-" if digits.startswith("-") else ""
    whole, _, fraction = digits.lstrip("-").partition(".")
    return f"{sign}0." + "0" * (-int(exponent) - 1) + whole + fraction.rstrip("0")


def normalised_object(value: dict[Any, Any], place: str) -> Any:
    """A mapping with its keys in UTF-16 order, which differs from orjson's beyond the BMP."""
    fields: dict[str, Any] = {}
    for key, item in value.items():
        if not isinstance(key, str):
            raise PayloadError(f"{place or 'the value'} has the key {key!r}; JSON keys are text")
        name = clean(key)
        if name in fields:
            raise PayloadError(
                f"{place or 'the value'} has two keys {name!r} once lone surrogates are replaced"
            )
        fields[name] = normalise(item, f"{place}.{name}" if place else name)
    if all(key.isascii() for key in fields):
        return fields
    ordered = sorted(fields.items(), key=lambda field: field[0].encode("utf-16-be"))
    pairs = (orjson.dumps(key) + b":" + orjson.dumps(item, option=OPTIONS) for key, item in ordered)
    return orjson.Fragment(b"{" + b",".join(pairs) + b"}")
