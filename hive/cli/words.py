"""How the command says things: reasons, money, durations, shortened texts."""

import re
from decimal import Decimal
from typing import Any

import orjson

from hive.board.media import without_bytes
from hive.control.budgets.budget import usd

__all__ = [
    "arguments_of",
    "clean",
    "counted",
    "duration",
    "ended",
    "gist",
    "money",
    "number",
    "shortened",
]

REASONS = {
    "goal_reached": "the goal is reached",
    "no_candidate": "no move was allowed",
    "stalled": "no progress",
    "looped": "back where it was before",
    "repeated": "the same calls over again",
    "bloated": "ever more to read and no progress",
    "turns_exhausted": "out of turns",
    "tokens_exhausted": "out of tokens",
    "cost_exhausted": "out of money",
    "time_exhausted": "out of time",
    "budget_exhausted": "the budget is used up",
    "gave_up": "the team gave up",
    "guard": "a stop guard held",
    "policy_error": "the policy failed",
    "cancelled": "stopped by the user",
}
"""Every reason code of a Termination, in words."""

UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters, but for tab and line feed, and marks that reverse the order of letters."""

MOST_PLACES = 4
"""Pieces of evidence that are listed."""

TELLING = ("text", "summary", "claim", "title", "name")
"""Fields that say what a contribution is about, the best first."""


def ended(state: str, reason: str | None) -> str:
    """`stopped: no progress`, or the state alone: `in doubt`."""
    return f"{state}: {REASONS.get(reason, reason)}" if reason else state.replace("_", " ")


def money(nano: int) -> str:
    """Nano-dollars as a person reads them: `$0`, `$0.0042`, `$1.25`."""
    amount = usd(nano)
    if not amount:
        return "$0"
    if amount >= 1:
        return f"${amount:.2f}"
    if amount < Decimal("0.0001"):
        return "under $0.0001"
    return f"${amount:.4f}".rstrip("0")


def duration(microseconds: int) -> str:
    """`0.4 s`, `12 s`, `3:05`, `1:02:03`."""
    seconds = microseconds / 1_000_000
    if seconds < 0.001:
        return "under 1 ms"
    if seconds < 0.1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def number(value: int) -> str:
    """`12,301`."""
    return f"{value:,}"


def clean(text: str) -> str:
    """The text without what would move a terminal's cursor, change its colours or turn its lines
    round; models and files may have put it there. Line breaks and tabs stay."""
    return text if text.isprintable() else UNSAFE.sub("\ufffd", text)


def shortened(text: str, longest: int) -> str:
    """The text in one clean line, cut off with … where it is longer."""
    line = clean(" ".join(text.split()))
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def counted(count: int, one: str, several: str = "") -> str:
    """`1 file`, `12 files`."""
    return f"{number(count)} {one if count == 1 else several or one + 's'}"


def arguments_of(arguments: dict[str, Any], longest: int = 80) -> str:
    """A call's arguments as they would be written: `path='bank.py', first=1`."""
    said = ", ".join(f"{key}={brief(value)}" for key, value in arguments.items())
    return shortened(said, longest)


def brief(value: Any, longest: int = 48) -> str:
    """A value in a few letters: long texts by their lines, nested lists by their length."""
    if isinstance(value, str):
        lines = value.count("\n")
        return f"({lines} lines)" if lines > 1 else repr(shortened(value, longest))
    said = orjson.dumps(value).decode()
    if len(said) <= longest:
        return said
    if isinstance(value, list):
        return f"[{len(value)}]"
    return "{…}" if isinstance(value, dict) else shortened(said, longest)


def gist(kind: str, data: Any, longest: int = 160) -> str:
    """What a contribution of any kind says, in one line; never the bytes of images and files."""
    data = without_bytes(data)
    if not isinstance(data, dict):
        return shortened(orjson.dumps(data).decode(), longest)
    shaped = SHAPED.get(kind)
    try:
        text = shaped(data) if shaped else generic(data)
    except (KeyError, TypeError):  # a kind of the user's own that shares a shipped one's name
        text = generic(data)
    return shortened(text, longest)


def generic(data: dict[str, Any]) -> str:
    """The field that says most first, then the others."""
    lead = next((key for key in TELLING if isinstance(data.get(key), str)), None)
    rest = {
        key: value for key, value in data.items() if key != lead and value not in ("", [], None)
    }
    said = arguments_of(rest, 200)
    if lead is None:
        return said
    return f"{data[lead]} ({said})" if said else str(data[lead])


def plan(data: dict[str, Any]) -> str:
    return f"{data['summary']} ({counted(len(data['tasks']), 'task')})"


def review(data: dict[str, Any]) -> str:
    said = "; ".join(data["reasons"])
    return f"{'approved' if data['approved'] else 'not approved'}: {said}"


def verdict(data: dict[str, Any]) -> str:
    chosen = f" [{data['chosen']}]" if data.get("chosen") else ""
    dissent = f" · dissent: {'; '.join(data['dissent'])}" if data.get("dissent") else ""
    return f"{data['ruling']}{chosen}: {'; '.join(data['reasons'])}{dissent}"


def vote(data: dict[str, Any]) -> str:
    named = " > ".join(data["ranking"]) or data["choice"] or "nobody"
    return f"for {named}: {data['reason']}"


def critique(data: dict[str, Any]) -> str:
    return f"of {data['of']}: {'; '.join(data['points'])}"


def report(data: dict[str, Any]) -> str:
    collected, failed = len(data["collected"]), len(data["failed"])
    broken = "" if data["complete"] else ", the suite broke off"
    if not failed:
        return f"{data['passed']} of {collected} tests pass{broken}"
    names = ", ".join(item["id"].rpartition("::")[2] for item in data["failed"])
    return f"{failed} of {collected} tests fail{broken}: {names}"


def finding(data: dict[str, Any]) -> str:
    places = [f"{item['path']}:{item['line']}" for item in data["evidence"]]
    more = f" and {len(places) - MOST_PLACES} more" if len(places) > MOST_PLACES else ""
    shown = f" [{', '.join(places[:MOST_PLACES])}{more}]" if places else ""
    return f"{data['claim']}{shown}"


def task(data: dict[str, Any]) -> str:
    needs = f" (after {', '.join(data['needs'])})" if data.get("needs") else ""
    return f"{data['id']}: {data['title']}{needs}"


def change(data: dict[str, Any]) -> str:
    return f"{data['id']} {data['change']}: {data['reason']}"


def attachment(data: dict[str, Any]) -> str:
    return str(data["text"])


def artifact(data: dict[str, Any]) -> str:
    paths = ", ".join(data["paths"])
    return f"{data['summary']} [{paths}]" if paths else data["summary"]


SHAPED = {
    "Plan": plan,
    "Review": review,
    "Verdict": verdict,
    "Vote": vote,
    "Critique": critique,
    "TestReport": report,
    "Finding": finding,
    "Task": task,
    "TaskChange": change,
    "Artifact": artifact,
    "Attachment": attachment,
}
