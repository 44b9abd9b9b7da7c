"""Why a replay diverges (floor 7): what differs about the first entry, and what that comes from."""

from collections.abc import Callable, Mapping, Sequence
from difflib import unified_diff
from typing import Any, NamedTuple

import orjson

from hive.board.entry import Entry
from hive.board.records import (
    Decision,
    Fault,
    Overrun,
    Request,
    Synthesis,
    Termination,
    ToolCall,
)
from hive.errors import Divergence
from hive.fingerprint import part_of

__all__ = ["Difference", "differing", "likely_cause"]

Search = Callable[[str], bytes | None]
"""What is kept under a commitment (hex), recorded or new."""

HEADER = ("kind", "author", "origin", "label", "causes")
STORED = {"system": "the system prompt", "tools": "the tools' forms", "output": "the output's form"}


class Difference(NamedTuple):
    """One field in which two entries differ: as it is on record, and as it would be now. None
    where it is not there."""

    field: str
    recorded: str | None
    now: str | None


class Cause(NamedTuple):
    """What a difference probably comes from, and the parts of a workflow that have a say in it, by
    how their names in the fingerprint begin."""

    what: str
    parts: tuple[str, ...]


def differing(
    recorded: Entry, now: Entry, search: Search = lambda commitment: None
) -> list[Difference]:
    """The fields in which two entries of one address differ, with what their commitments mean."""
    found = []
    for field in HEADER:
        before, after = getattr(recorded, field), getattr(now, field)
        if before != after:
            found.append(Difference(field, shown(before), shown(after)))
    if recorded.kind != now.kind or recorded.erased:
        return found
    old, new = orjson.loads(recorded.body), orjson.loads(now.body)
    if not isinstance(old, dict) or not isinstance(new, dict):
        return [*found, Difference("payload", shown(old), shown(new))]
    for field in sorted({*old, *new}):
        before, after = old.get(field), new.get(field)
        if before == after:
            continue
        if recorded.cls is Request and field in STORED:
            found.append(resolved(field, before, after, search))
        else:
            found.append(Difference(field, shown(before), shown(after)))
    return found


def resolved(field: str, before: str | None, after: str | None, search: Search) -> Difference:
    """Two stored contents, as far as they are known: the lines in which they differ."""
    old, new = (text_of(commitment, search) for commitment in (before, after))
    if old is None or new is None:
        return Difference(field, old or before, new or after)
    lines = [*unified_diff(old.splitlines(), new.splitlines(), n=0, lineterm="")][2:]
    gone = [line[1:] for line in lines if line.startswith("-")]
    come = [line[1:] for line in lines if line.startswith("+")]
    return Difference(field, "\n".join(gone), "\n".join(come))


def text_of(commitment: str | None, search: Search) -> str | None:
    body = None if commitment is None else search(commitment)
    if body is None:
        return None
    if body[:1] == b"[":  # forms of tools, on one line of JSON
        return orjson.dumps(orjson.loads(body), option=orjson.OPT_INDENT_2).decode()
    return body.decode(errors="replace")


def shown(value: Any) -> str | None:
    """A value as a person reads it."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def likely_cause(
    divergence: Divergence, differences: Sequence[Difference], changed: Sequence[str]
) -> str:
    """What has probably been changed, in one sentence; `changed` are the differences between the
    recorded workflow and this one."""
    fields = [difference.field for difference in differences]
    cause = cause_of(divergence, fields)
    parts = list(dict.fromkeys(part_of(line) for line in changed))
    concerned = [part for part in parts if part.startswith(cause.parts)]
    if concerned:
        return f"{cause.what}; the workflow differs in {', '.join(concerned)}"
    if parts:
        return f"{cause.what}; the workflow differs in {', '.join(parts)}"
    return (
        f"{cause.what}; by its fingerprint the workflow is the recorded one, so the code behind it"
        " was changed, or does not always do the same"
    )


def cause_of(divergence: Divergence, fields: Sequence[str]) -> Cause:
    recorded, now = divergence.recorded, divergence.now
    if recorded is None or now is None or recorded.kind != now.kind:
        return another(recorded, now)
    rule = RULES.get(recorded.cls)
    if rule is not None:
        return rule(recorded, fields)
    role = recorded.author
    return Cause(f"what was made of a reply of {role} changed", (f"role {role}", "kind ", "tool "))


def another(recorded: Entry | None, now: Entry | None) -> Cause:
    """The cause where another entry comes than the recorded one, or none, or one that is new."""
    there = [entry for entry in (recorded, now) if entry is not None]
    kinds = {entry.cls for entry in there}
    role = there[0].author
    if not there[0].address.strand:
        if kinds & {Termination, Decision}:
            what = "whether the run goes on was decided otherwise: a guard, the graph or a cap"
            return Cause(what, ("graph", "budget", "kind "))
        return Cause("the run's course changed", ("graph", "policy"))
    if kinds == {Overrun}:
        return Cause("what counts as an overrun changed: the budget", ("budget",))
    if ToolCall in kinds or Fault in kinds:
        what = f"what counts as a call or an answer of {role} changed: a tool's form, or the role"
        return Cause(what, ("tool ", f"role {role}", "kind "))
    if Request in kinds:
        what = f"when {role} ends its turn changed"
        return Cause(what, (f"role {role}", "tool ", "limits", "kind "))
    what = f"what was made of a reply of {role} changed"
    return Cause(what, (f"role {role}", "kind ", "tool "))


def decided(entry: Entry, fields: Sequence[str]) -> Cause:
    if "policy" in fields:
        return Cause("the policy changed", ("policy",))
    if "candidates" in fields and "chosen" not in fields and "features" not in fields:
        return Cause("how moves are judged changed: the policy", ("policy",))
    if "features" in fields or "candidates" in fields:
        what = "which moves there are changed: the graph, or a guard on its edges"
        return Cause(what, ("graph", "role ", "limits", "policy"))
    if "complexity" in fields or "signature" in fields:
        return Cause("how hard the work is judged to be changed: the estimator", ("estimator",))
    if "strands" in fields:
        return Cause(
            "who has which mind changed: a model, a program or the allocator",
            ("allocator", "model ", "role "),
        )
    return Cause("who acts was decided otherwise: the policy", ("policy", "graph", "allocator"))


def requested(entry: Entry, fields: Sequence[str]) -> Cause:
    role = entry.author
    for field, what in STORED.items():
        if field in fields:
            parts = {"system": (f"role {role}", "graph"), "tools": ("tool ", f"role {role}")}
            return Cause(
                f"{what} of {role} changed", (*parts.get(field, (f"role {role}",)), "kind ")
            )
    if "settings" in fields:
        return Cause(f"the settings of {role} changed", (f"role {role}",))
    if "model" in fields or "origin" in fields:
        return Cause(f"the model of {role} changed", ("model ", "allocator"))
    if "causes" in fields:
        what = f"the view of {role} changed: it shows other entries"
        return Cause(what, ("limits", f"role {role}"))
    if "digest" in fields:
        what = f"the view of {role}, or what it was told, changed: the entries read otherwise"
        return Cause(what, ("limits", f"role {role}", "tool ", "kind "))
    if "max_output" in fields:
        return Cause(f"how much {role} may answer changed", ("limits", "budget"))
    return Cause(f"the request of {role} changed", (f"role {role}",))


def called(entry: Entry, fields: Sequence[str]) -> Cause:
    if "arguments" in fields or "tool" in fields:
        what = "how a reply becomes a call changed: the tool's form"
    else:
        what = "what is declared of a tool changed"
    return Cause(what, ("tool ", f"role {entry.author}"))


def ended(entry: Entry, fields: Sequence[str]) -> Cause:
    what = "how the run ends was decided otherwise: a guard, the graph or a cap"
    return Cause(what, ("graph", "budget", "policy"))


def answered(entry: Entry, fields: Sequence[str]) -> Cause:
    return Cause("how the answer is made changed: the synthesis", ("synthesis",))


RULES: Mapping[type[Any], Callable[[Entry, Sequence[str]], Cause]] = {
    Decision: decided,
    Request: requested,
    ToolCall: called,
    Termination: ended,
    Synthesis: answered,
}
