"""What went wrong at a provider, in the words of `hive.errors` (models floor).

Everything here takes an answer apart that was written by somebody else's server: nothing is assumed
about its shape, and no key survives in its text.
"""

import email.utils
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from hive.errors import (
    BadReply,
    ContextOverflow,
    ModelError,
    RateLimited,
    RequestRefused,
    ServerFailed,
)
from hive.message import RetryReason

__all__ = [
    "Trouble",
    "moved",
    "reason_of",
    "retry_after",
    "told",
    "translate",
    "until",
]

OVERFLOW = re.compile(
    r"context[ _-](length|window|size|limit)|maximum context|(prompt|input) is too long"
    r"|too many (input |prompt )?tokens",
    re.IGNORECASE,
)
OVERFLOW_CODES = {"context_length_exceeded", "exceed_context_size_error", "string_above_max_length"}
RATE_CODES = {"rate_limit_error", "rate_limit_exceeded", "too_many_requests"}
SERVER_CODES = {
    "api_error",
    "internal_error",
    "internal_server_error",
    "overloaded_error",
    "server_error",
    "timeout_error",
    "vector_store_timeout",
}
KEY_CODES = {"authentication_error", "invalid_api_key", "permission_error"}
UNPAID = re.compile(r"insufficient_quota|billing|spend_limit")
REFUSED = re.compile(r"invalid|policy|not_found|unsupported|mismatch")

PAGE = re.compile(r"\s*<(!doctype|html|\?xml)\b", re.IGNORECASE)
UNSHOWN = re.compile(r"<(script|style)\b.*?(</\1[^>]*>|$)|<[^>]*>?", re.IGNORECASE | re.DOTALL)

LONGEST_QUOTE = 600


@dataclass(frozen=True, slots=True)
class Trouble:
    """What a server said: its words, its error codes and types, the HTTP status where it set one.

    `wait` is in seconds, where the server said how long.
    """

    message: str
    codes: frozenset[str] = frozenset()
    status: int | None = None
    wait: float | None = None


def told(body: object, status: int | None = None, wait: float | None = None) -> Trouble:
    """Find the message and the codes in an error's body, whichever server's fashion it follows."""
    if isinstance(body, bytes):
        try:
            body = json.loads(body)
        except (ValueError, RecursionError):
            text = body.decode("utf-8", "replace") if isinstance(body, bytes) else ""
            return Trouble(quoted(text), frozenset(), status, wait)
    outer = body if isinstance(body, Mapping) else {}
    error = outer.get("error", outer.get("detail", outer))
    inner = error if isinstance(error, Mapping) else {}
    message = inner.get("message") if inner else error
    details = inner.get("details")
    if status is None and isinstance(code := inner.get("code"), int) and 400 <= code < 600:
        status = code  # as OpenRouter tells what failed behind it, in an answer of status 200
    found = [inner.get("code"), inner.get("type"), outer.get("code")]
    if isinstance(details, Mapping):
        found.append(details.get("error_code"))
    codes = frozenset(code for code in found if isinstance(code, str))
    return Trouble(quoted(message if isinstance(message, str) else ""), codes, status, wait)


def quoted(text: str) -> str:
    """The text in one line of bearable length; of a page for people, what they would read."""
    if PAGE.match(text):
        text = UNSHOWN.sub(" ", text)
    text = " ".join(text.split())
    if len(text) <= LONGEST_QUOTE:
        return text
    # Cut between two words, for half a key could not be told from other words later.
    return text[: LONGEST_QUOTE + 1].rpartition(" ")[0] + "…"


def translate(trouble: Trouble, who: str, key_variable: str) -> ModelError:
    """The error that says what the server said; `who` is the model's name."""
    status, codes = trouble.status, trouble.codes
    where = f"{who} (status {status})" if status is not None else who
    words = trouble.message or ", ".join(sorted(codes)) or "it gave no reason"
    if overflows(trouble):
        return ContextOverflow(f"{where}: the request is too long for the model: {words}")
    if status == 402 or any(UNPAID.search(code) for code in codes):
        return RequestRefused(f"{where}: the account's quota or credit is used up: {words}")
    if status == 429 or codes & RATE_CODES:
        return RateLimited(f"{where}: asked to slow down: {words}", retry_after=trouble.wait)
    if status in (401, 403) or codes & KEY_CODES:
        return RequestRefused(
            f"{where}: the server does not accept the key; check {key_variable}. It says: {words}"
        )
    if failed(trouble):
        return ServerFailed(f"{where}: the server failed: {words}", retry_after=trouble.wait)
    if status == 404:
        return RequestRefused(f"{where}: no such model, or no such address: {words}")
    return RequestRefused(f"{where}: the request was refused: {words}")


def moved(who: str, status: int, headers: Mapping[str, str]) -> RequestRefused:
    """A server that sends calls elsewhere, which is not followed: the key is for this one alone."""
    where = urlsplit(headers.get("location", ""))
    there = f" to {where.scheme}://{where.hostname}{where.path}" if where.hostname else ""
    return RequestRefused(
        f"{who} (status {status}): the server sends calls elsewhere{there}, which is not followed; "
        "give the right address"
    )


def overflows(trouble: Trouble) -> bool:
    if trouble.status is not None and not 400 <= trouble.status < 500:
        return False
    if trouble.status == 413 or trouble.codes & OVERFLOW_CODES:
        return True
    return trouble.status != 429 and OVERFLOW.search(trouble.message) is not None


def failed(trouble: Trouble) -> bool:
    if trouble.status is not None:
        return trouble.status >= 500 or trouble.status in (408, 409)
    # An error in the midst of an answer: retryable unless it says that the request is at fault.
    if trouble.codes & SERVER_CODES:
        return True
    return not any(REFUSED.search(code) for code in trouble.codes)


def retry_after(headers: Mapping[str, str], now: int) -> float | None:
    """The seconds to wait that response headers ask for; `now` is wall time in microseconds."""
    for name, per_second in (("retry-after-ms", 1000), ("retry-after", 1)):
        try:
            seconds = float(headers.get(name, "")) / per_second
        except ValueError:
            continue
        return max(0.0, seconds) if math.isfinite(seconds) else None
    return until(headers.get("retry-after", ""), headers.get("date", ""), now)


def until(moment: str, server_now: str, now: int) -> float | None:
    """Seconds until an HTTP date, by the server's own clock where it shows it."""
    then, here = email.utils.parsedate_tz(moment), email.utils.parsedate_tz(server_now)
    if then is None:
        return None
    start = email.utils.mktime_tz(here) if here is not None else now / 1_000_000
    return max(0.0, email.utils.mktime_tz(then) - start)


def reason_of(error: ModelError) -> RetryReason:
    """The word under which an attempt that ended with `error` is recorded."""
    words: dict[type[ModelError], RetryReason] = {
        RateLimited: "rate_limited",
        ServerFailed: "server_failed",
        ContextOverflow: "context_overflow",
        RequestRefused: "refused",
        BadReply: "bad_reply",
    }
    return words.get(type(error), "failed")
