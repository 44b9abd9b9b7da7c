"""An entry as a person reads it: who did what, in one line.

Live display, plain lines and transcript share these words.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple

import orjson

from hive.board.contributions import UserMessage
from hive.board.entry import Entry
from hive.board.payload import Payload
from hive.board.records import (
    Approval,
    Decision,
    Fault,
    Handoff,
    Observation,
    Overrun,
    Paused,
    Redaction,
    Resumed,
    Shortage,
    Spoken,
    Suspension,
    Termination,
    ToolCall,
)
from hive.cli.results import result_of
from hive.cli.words import arguments_of, counted, duration, ended, gist, money, shortened
from hive.phases.judge import IN_DOUBT

__all__ = ["Told", "Tone", "deciding", "tell"]

Tone = Literal["plain", "good", "bad", "open", "quiet"]
"""How a line is meant: said, well done, gone wrong, waiting, or in passing."""


LONG = 100_000
"""Microseconds from which on it is said how long a tool took."""


class Told(NamedTuple):
    """One line: whose, what, and what came of it. `address` is the line's own; a later line with
    the same address stands in its place."""

    address: str
    who: str
    what: str
    result: str = ""
    tone: Tone = "plain"


def tell(entry: Entry, calls: dict[str, Told]) -> Told | None:
    """The line for an entry, None where there is nothing to say.

    `calls` holds the lines of tool calls by address, so that a result stands beside its call; it is
    added to.
    """
    if entry.erased:
        return Told(str(entry.address), entry.author, entry.kind, "[redacted]", "quiet")
    say = SAID.get(type(entry.payload))
    if say is not None:
        told = say(entry, entry.payload, calls)
    elif entry.payload.level == "domain" and entry.kind != "Goal":
        told = contributed(entry)
    else:
        return None
    if isinstance(entry.payload, ToolCall) and told is not None:
        calls[told.address] = told
    return told


def deciding(decision: Decision) -> str:
    """The move that was chosen, with its models: `coder (program:repair)`; where nobody acts, who
    was asked alone."""
    told = [
        f"{plan.strand} ({plan.model}{f', {plan.tier}' if plan.tier else ''})"
        for plan in decision.strands
    ]
    return ", ".join(told) or f"{', '.join(decision.advisors)} alone"


def spoke(entry: Entry, payload: UserMessage, calls: dict[str, Told]) -> Told:
    return Told(str(entry.address), entry.origin, "says", shortened(payload.text, 400), "open")


def contributed(entry: Entry) -> Told:
    data = orjson.loads(entry.body)
    tone: Tone = "plain"
    if entry.kind == "Review":
        tone = "good" if data.get("approved") else "bad"
    elif entry.kind == "Verdict":
        ruling = data.get("ruling")
        tone = "good" if ruling == "accept" else "plain" if ruling == "undecided" else "bad"
    elif entry.kind == "TestReport":
        tone = "bad" if data.get("failed") else "good"
    who = entry.address.role or entry.author
    return Told(str(entry.address), who, entry.kind, gist(entry.kind, data, 400), tone)


def called(entry: Entry, payload: ToolCall, calls: dict[str, Told]) -> Told:
    what = f"{payload.tool}({arguments_of(payload.arguments)})"
    return Told(str(entry.address), entry.author, what, "", "open")


def observed(entry: Entry, payload: Observation, calls: dict[str, Told]) -> Told:
    address = entry.causes[0] if entry.causes else str(entry.address)
    call = calls.get(address)
    what = call.what if call else payload.tool
    facts = [result_of(payload.tool, payload.text)]
    facts += [each.description for each in payload.media if each.description not in payload.text]
    if payload.changes:
        facts.insert(0, f"changed {', '.join(change.path for change in payload.changes)}")
    if payload.latency >= LONG:
        facts.append(duration(payload.latency))
    tone: Tone = "bad" if payload.error else "quiet"
    return Told(address, entry.author, what, " · ".join(filter(None, facts)), tone)


def judged(entry: Entry, payload: Approval, calls: dict[str, Told]) -> Told | None:
    if payload.decision == "allow" and payload.by.startswith(("default", "allow(", "by_tool")):
        return None
    call = calls.get(entry.causes[0]) if entry.causes else None
    if payload.reason in IN_DOUBT.values():
        result = f"{call.what if call else 'a call'} {payload.reason}, by {payload.by}"
        return Told(str(entry.address), entry.author, "settled", result, "quiet")
    what = {"allow": "allowed", "deny": "denied", "ask": "needs a person's yes"}[payload.decision]
    tone: Tone = {"allow": "good", "deny": "bad", "ask": "open"}[payload.decision]  # type: ignore[assignment]
    subject = "a call" if entry.address.strand else "the checkpoint"
    result = f"{call.what if call else subject}, by {payload.by}"
    return Told(str(entry.address), entry.author, what, result, tone)


def faulted(entry: Entry, payload: Fault, calls: dict[str, Told]) -> Told:
    cause = entry.causes[0] if entry.causes else ""
    if payload.code in ("cancelled", "withdrawn") and cause in calls:
        return calls[cause]._replace(result=payload.code, tone="bad")
    what = f"{'failed' if payload.final else 'corrected'}: {payload.code.replace('_', ' ')}"
    if payload.code in ("cancelled", "interrupted", "withdrawn"):
        what = payload.code
    tone: Tone = "bad" if payload.final else "quiet"
    return Told(str(entry.address), entry.author, what, shortened(payload.message, 400), tone)


def handed(entry: Entry, payload: Handoff, calls: dict[str, Told]) -> Told:
    what = f"asks for {payload.to}"
    return Told(str(entry.address), entry.author, what, shortened(payload.reason, 200))


def suspended(entry: Entry, payload: Suspension, calls: dict[str, Told]) -> Told:
    call = calls.get(payload.subject)
    what = {"approval": "waits for a yes", "answer": "waits for an answer", "in_doubt": "in doubt"}
    result = f"{call.what}: {payload.text}" if call else payload.text
    return Told(str(entry.address), entry.author, what[payload.waits_for], result, "open")


def answered(entry: Entry, payload: Spoken, calls: dict[str, Told]) -> Told:
    who = f"{entry.author}, by {payload.by}" if payload.by else entry.author
    return Told(str(entry.address), who, "says", shortened(payload.text, 400), "open")


def ran_short(entry: Entry, payload: Shortage, calls: dict[str, Told]) -> Told:
    told = []
    for name, keys in sorted((payload.roles | payload.strands).items()):
        why = payload.left_out.get(name) or min(keys.values())
        told.append(f"{name}: no room for {', '.join(sorted(keys))}, {why}")
    said = "; ".join(told)
    return Told(str(entry.address), entry.author, "is short of budget", said, "open")


def overran(entry: Entry, payload: Overrun, calls: dict[str, Told]) -> Told:
    said = f"{payload.scope} was granted {money(payload.granted)} and used {money(payload.used)}"
    return Told(str(entry.address), entry.author, "overrun", said, "bad")


def paused(entry: Entry, payload: Paused, calls: dict[str, Told]) -> Told:
    said = " · ".join(filter(None, (by(payload.by), payload.reason)))
    return Told(str(entry.address), entry.author, "paused", said, "open")


def resumed(entry: Entry, payload: Resumed, calls: dict[str, Told]) -> Told:
    after = f"after {duration(payload.idle)}" if payload.idle >= LONG else ""
    said = " · ".join(filter(None, (by(payload.by), payload.reason, after, *payload.accepted)))
    return Told(str(entry.address), entry.author, "resumed", said)


def by(who: str) -> str:
    return f"by {who}" if who else ""


def redacted(entry: Entry, payload: Redaction, calls: dict[str, Told]) -> Told:
    what = f"redacted {counted(len(payload.contents), 'content')}"
    return Told(str(entry.address), payload.by, what, payload.why)


def terminated(entry: Entry, payload: Termination, calls: dict[str, Told]) -> Told:
    tone: Tone = "good" if payload.outcome == "finished" else "bad"
    what = ended(payload.outcome, payload.reason)
    return Told(str(entry.address), entry.author, what, payload.message, tone)


SAID: dict[type[Payload], Callable[..., Told | None]] = {
    UserMessage: spoke,
    ToolCall: called,
    Observation: observed,
    Approval: judged,
    Fault: faulted,
    Handoff: handed,
    Suspension: suspended,
    Spoken: answered,
    Shortage: ran_short,
    Overrun: overran,
    Paused: paused,
    Resumed: resumed,
    Redaction: redacted,
    Termination: terminated,
}
