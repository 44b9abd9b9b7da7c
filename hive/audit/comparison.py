"""Two boards beside each other (floor 7), compared address by address.

Left out is what differs between two runs that did the same: sequence, times, digests, leases, run
ids, salted commitments, records of pausing and resuming, whether something was served, and all
attempts at an address but the last.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import orjson

from hive.board.entry import Address, Entry, Label

__all__ = ["LIFECYCLE", "Comparable", "Parting", "comparable", "parting"]


class Comparable(NamedTuple):
    """What two runs of the same work have in common at one address."""

    kind: str
    author: str
    origin: str
    label: Label
    causes: tuple[str, ...]
    payload: Any


LIFECYCLE = frozenset({"Paused", "Resumed"})
ASIDE = LIFECYCLE | {"RunStarted", "Suspension", "Redaction"}
"""Kinds that say nothing of the course a run took: who it is, and what it waited for."""

OWN_TO_A_RUN: Mapping[str, frozenset[str]] = {
    "RunStarted": frozenset(
        {
            "run", "fingerprint", "vocabulary", "hive", "workspace", "snapshot", "parent", "cut",
            "cut_digest", "elapsed", "tags",
        }
    ),
    "Request": frozenset({"system", "tools", "output"}),
    "Inference": frozenset({"latency", "served"}),
    "Fault": frozenset({"served"}),
    "Spoken": frozenset({"served"}),
    "ToolCall": frozenset({"key"}),
    "Observation": frozenset({"latency", "served"}),
    "Change": frozenset({"before_content", "after_content"}),
    "Termination": frozenset({"elapsed", "paid"}),
}  # fmt: skip
"""Fields that differ from run to run: ids, salted commitments, measured times, what was served."""


def comparable(entries: Iterable[Entry]) -> dict[str, Comparable]:
    """Address to what stands there, for `assert comparable(one) == comparable(other)`."""
    return {
        str(address): compared(entry)
        for address, entry in standing(entries).items()
        if entry.kind not in LIFECYCLE
    }


class Parting(NamedTuple):
    """The first place where two courses part; None for a side that has nothing there.

    `fields` names what differs where both have an entry: fields of its payload, or of its header.
    """

    address: Address
    one: Entry | None
    other: Entry | None
    fields: tuple[str, ...]


def parting(one: Iterable[Entry], other: Iterable[Entry]) -> Parting | None:
    """The first place, in address order, where two runs part; None when neither does."""
    first, second = standing(one), standing(other)
    for address in sorted(first.keys() | second.keys()):
        left, right = first.get(address), second.get(address)
        if {"" if entry is None else entry.kind for entry in (left, right)} <= {"", *ASIDE}:
            continue
        if left is None or right is None:
            return Parting(address, left, right, ())
        fields = differing(compared(left), compared(right))
        if fields:
            return Parting(address, left, right, fields)
    return None


def standing(entries: Iterable[Entry]) -> dict[Address, Entry]:
    """Address to its last attempt, in address order."""
    ordered = sorted(entries, key=lambda entry: (entry.address, entry.attempt))
    return {entry.address: entry for entry in ordered}


def compared(entry: Entry) -> Comparable:
    """An entry without what is its run's own."""
    return Comparable(
        entry.kind, entry.author, entry.origin, entry.label, entry.causes, said(entry)
    )


def differing(one: Comparable, other: Comparable) -> tuple[str, ...]:
    """What differs between two entries: parts of the header, or fields of the payload."""
    header = tuple(name for name in one._fields[:-1] if getattr(one, name) != getattr(other, name))
    if "kind" in header or not (isinstance(one.payload, dict) and isinstance(other.payload, dict)):
        return header if header or one.payload == other.payload else ("payload",)
    keys = sorted({*one.payload, *other.payload})
    return (*header, *(key for key in keys if one.payload.get(key) != other.payload.get(key)))


def said(entry: Entry) -> Any:
    """The payload's data without what is its run's own; None where it was erased."""
    data = orjson.loads(entry.body) if entry.body else None
    if not isinstance(data, dict):
        return data
    for field in OWN_TO_A_RUN.get(entry.kind, ()):
        data.pop(field, None)
    for change in data.get("changes", ()) if entry.kind == "Observation" else ():
        for field in OWN_TO_A_RUN["Change"]:
            change.pop(field, None)
    return data
