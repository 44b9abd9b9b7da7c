"""What a server's response headers say of its limits (models floor).

Three fashions are read: `x-ratelimit-limit-requests` and its like, of OpenAI, Azure and those who
speak as they do; `anthropic-ratelimit-requests-limit`; and the `ratelimit` and `ratelimit-policy`
fields of the IETF's draft (draft-ietf-httpapi-ratelimit-headers-10). What makes no sense is passed
over: a header can be wrong, and a call must not fail for it.
"""

import email.utils
import functools
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast, get_args

from hive.clock import SystemClock
from hive.models.failures import until

__all__ = ["MINUTE", "Counted", "Quota", "quotas"]

Counted = Literal["requests", "tokens", "input-tokens", "output-tokens"]
COUNTED: frozenset[str] = frozenset(get_args(Counted))

MINUTE = 60.0
FIELD = re.compile(r"(?:x|anthropic)-ratelimit-(.+)")
PARTS = ("limit", "remaining", "reset")
UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
SPAN = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhd])")
ITEM = re.compile(r'"([^"]*)"((?:\s*;\s*[a-z]+=(?:"[^"]*"|[^;,\s]+))*)')
PARAMETER = re.compile(r';\s*([a-z]+)=("[^"]*"|[^;,\s]+)')


@dataclass(frozen=True, slots=True)
class Quota:
    """What a server lets through: `limit` of what is `counted` in `span` seconds.

    `remaining` is what is left of it, None where it was not said, and `reset` in how many seconds
    all of it is there again. `name` tells several quotas on the same thing apart.
    """

    name: str
    counted: Counted
    limit: int
    remaining: int | None = None
    reset: float | None = None
    span: float = MINUTE


def quotas(headers: Mapping[str, str]) -> list[Quota]:
    """The quotas that response headers tell of, by the server's own clock where it shows it."""
    lower = ((name.lower(), value) for name, value in headers.items())
    said = {name: value for name, value in lower if "ratelimit" in name}
    if not said:
        return []
    return [*named(said, headers.get("date", "")), *drafted(said)]


def named(said: Mapping[str, str], date: str) -> Iterator[Quota]:
    """Those with a header for each number."""
    found: dict[Counted, dict[str, str]] = {}
    for name, value in said.items():
        if (field := meaning(name)) is not None:
            found.setdefault(field[0], {})[field[1]] = value
    for counted, numbers in found.items():
        limit = whole(numbers.get("limit", ""))
        if limit:
            yield Quota(
                counted,
                counted,
                limit,
                whole(numbers.get("remaining", "")),
                seconds(numbers.get("reset", ""), date),
            )


@functools.lru_cache(maxsize=256)
def meaning(name: str) -> tuple[Counted, str] | None:
    """What a header counts, and which number of it it holds."""
    field = FIELD.fullmatch(name)
    tail = "" if field is None else field[1]
    for part in PARTS:
        counted = tail.removeprefix(f"{part}-").removesuffix(f"-{part}")
        if counted != tail and counted in COUNTED:
            return cast("Counted", counted), part
    return None


def drafted(said: Mapping[str, str]) -> Iterator[Quota]:
    """Those in the fashion of the draft, where they count requests."""
    states = dict(items(said.get("ratelimit", "")))
    for name, policy in items(said.get("ratelimit-policy", "")):
        limit, span = whole(policy.get("q", "")), whole(policy.get("w", ""))
        if limit and span and policy.get("qu", "requests") == "requests":
            state = states.get(name, {})
            yield Quota(
                f"requests ({name})",
                "requests",
                limit,
                whole(state.get("r", "")),
                seconds(state.get("t", ""), ""),
                float(span),
            )


def items(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The members of a structured field's list: a name and its parameters."""
    for name, parameters in ITEM.findall(text):
        yield name, {key: value.strip('"') for key, value in PARAMETER.findall(parameters)}


def whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def seconds(text: str, date: str) -> float | None:
    """A time to wait: "6m0s", "120ms", plain seconds, or a moment (RFC 3339 or of HTTP)."""
    text = text.strip()
    spans = SPAN.findall(text)
    if spans and "".join(number + unit for number, unit in spans) == text:
        return sum(float(number) * UNITS[unit] for number, unit in spans)
    try:
        plain = float(text)
    except ValueError:
        return moment(text, date)
    return plain if math.isfinite(plain) and plain >= 0 else None


def moment(text: str, date: str) -> float | None:
    """Seconds until a moment, by the server's clock where `date` shows it."""
    now = SystemClock().now()
    try:
        then = datetime.fromisoformat(text)
    except ValueError:
        return until(text, date, now)
    if then.tzinfo is None:
        return None
    here = email.utils.parsedate_tz(date)
    start = now / 1_000_000 if here is None else email.utils.mktime_tz(here)
    return max(0.0, then.timestamp() - start)
