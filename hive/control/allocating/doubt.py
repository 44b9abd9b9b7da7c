"""Doubts (control floor): signs in a turn that a role's work may not be good enough.

Escalation(("small", "medium", "large"), doubt=invalid | unsure() | refused)

A doubt is a small fold of what one turn holds about one role's work. It finds signs that are on the
board; it asks nobody.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn

from pydantic import JsonValue

from hive.board.contributions import Review, TestReport, Verdict
from hive.board.entry import Entry
from hive.board.payload import Payload
from hive.board.records import Fault, FaultCode, Observation
from hive.control.allocating.measuring import OWN
from hive.control.guards.detection import digest_of
from hive.control.guards.guard import at_least_one
from hive.control.guards.tested import TEST_TOOL
from hive.control.policies.policy import is_finite
from hive.errors import DeclarationError

__all__ = ["Doubt", "divided", "invalid", "refused", "tests_failed", "tool_errors", "unsure"]

Whose = Literal["own", "earlier"]


def anything(kind: type[Payload]) -> bool:
    return True


@dataclass(frozen=True)
class Doubt:
    """A named sign that work may not be good; doubts combine with `|` and `&`.

    `step(seen, entry)` folds the entries of one turn, from None on, and `says(seen)` tells in words
    what is doubtful, "" where nothing is; both are pure. They are given the entries of a role's own
    strands; with `whose="earlier"`, entries that judge the work of those who contributed in the
    turn before. `kinds` are the kinds that judge so; to post one is no contribution of work.
    `looks` says of a class of payloads whether entries of it can mean anything, so that others cost
    nothing.
    """

    name: str
    step: Callable[[JsonValue, Entry], JsonValue] = field(repr=False, compare=False)
    says: Callable[[JsonValue], str] = field(repr=False, compare=False)
    whose: Whose = "own"
    kinds: tuple[type[Payload], ...] = field(default=(), repr=False, compare=False)
    looks: Callable[[type[Payload]], bool] = field(default=anything, repr=False, compare=False)
    parts: "tuple[Doubt, ...]" = field(default=(), repr=False)
    joint: Literal["", "&", "|"] = field(default="", repr=False)

    def __or__(self, other: "Doubt") -> "Doubt":
        return self._with(other, "|")

    def __and__(self, other: "Doubt") -> "Doubt":
        return self._with(other, "&")

    def __bool__(self) -> NoReturn:
        raise DeclarationError(
            f"doubt {self.name} is not true or false by itself; combine doubts with & and | and"
            " not with and, or"
        )

    def __str__(self) -> str:
        return self.name

    @property
    def primitives(self) -> "tuple[Doubt, ...]":
        """The doubts that it is made of, each once."""
        if not self.parts:
            return (self,)
        return tuple({one.name: one for part in self.parts for one in part.primitives}.values())

    def told(self, seen: Mapping[str, JsonValue]) -> str:
        """What is doubtful, in words, from what each primitive has seen, by name; "" if nothing."""
        if not self.parts:
            return self.says(seen[self.name]) if self.name in seen else ""
        said = [part.told(seen) for part in self.parts]
        if self.joint == "&" and not all(said):
            return ""
        return ", ".join(dict.fromkeys(each for each in said if each))

    def _with(self, other: "Doubt", joint: Literal["&", "|"]) -> "Doubt":
        if not isinstance(other, Doubt):
            raise DeclarationError(
                f"doubt {self.name} {joint} {other!r}: only doubts can be combined"
            )
        inner = [
            f"({d.name})" if d.joint == "|" and joint == "&" else d.name for d in (self, other)
        ]
        return Doubt(f" {joint} ".join(inner), unseen, silent, parts=(self, other), joint=joint)


def unseen(seen: JsonValue, entry: Entry) -> JsonValue:
    return seen


def silent(seen: JsonValue) -> str:
    return ""


def counted(seen: JsonValue) -> int:
    return seen if isinstance(seen, int) else 0


def times(number: int, what: str) -> str:
    """So many of something, in words: `2 failed validations`."""
    return f"{number} {what}{'s' if number > 1 else ''}"


def broke(seen: JsonValue, entry: Entry) -> JsonValue:
    payload = entry.payload
    if isinstance(payload, Fault) and payload.code in INVALID:
        return counted(seen) + 1
    return seen


INVALID: frozenset[FaultCode] = OWN
"""Faults by a model's own doing."""

invalid = Doubt(
    "invalid",
    broke,
    lambda seen: times(counted(seen), "failed validation") if seen else "",
    looks=lambda cls: issubclass(cls, Fault),
)
"""A reply that broke the rules: it was no payload of its kind, was cut off, empty or refused, named
a tool that is not there, or the role did not come to an end; also where it was corrected."""


def tool_errors(most: int) -> Doubt:
    """So many tool calls of a turn that gave back an error."""
    at_least_one("tool_errors", most)

    def step(seen: JsonValue, entry: Entry) -> JsonValue:
        wrong = isinstance(entry.payload, Observation) and entry.payload.error
        return counted(seen) + 1 if wrong else seen

    return Doubt(
        f"tool_errors({most})",
        step,
        lambda seen: times(counted(seen), "tool error") if counted(seen) >= most else "",
        looks=lambda cls: issubclass(cls, Observation),
    )


def unsure(below: float | None = None) -> Doubt:
    """A contribution that says so itself: its `confidence` is "low", or a number under `below`
    where that is given. The newest of each strand counts."""

    if below is not None and not is_finite(below):
        raise DeclarationError(f"unsure({below!r}): give a number, as in unsure(0.5), or nothing")

    def step(seen: JsonValue, entry: Entry) -> JsonValue:
        said: Any = getattr(entry.payload, "confidence", None)
        if said is None or not is_own(entry):
            return seen
        is_number = isinstance(said, int | float) and not isinstance(said, bool)
        low = said == "low" or (below is not None and is_number and said < below)
        known: Any = seen or {}
        return {**known, entry.strand: said if low else ""}

    def says(seen: JsonValue) -> str:
        known: Any = seen or {}
        low = [said for said in known.values() if said != ""]
        return f"a confidence of {low[0]}" if low else ""

    name = "unsure" if below is None else f"unsure(below={below:g})"
    return Doubt(name, step, says, looks=lambda cls: "confidence" in cls.model_fields)


def is_own(entry: Entry) -> bool:
    """Whether an entry is a contribution of a role itself, and not of one of its tools."""
    return entry.level == "domain" and entry.author == entry.address.role


def answer_of(payload: Payload) -> JsonValue:
    return payload.model_dump(mode="json")


def divided(
    least: float,
    *,
    of: Callable[[Payload], JsonValue] = answer_of,
    kind: type[Payload] | None = None,
) -> Doubt:
    """Answers that differ: the most frequent one is given by less than a share `least` of those who
    answered.

    Compared are the last contributions of a role's samples in a turn, those for one entry with each
    other; or with `kind`, those of that kind by anybody, such as votes and reviews, which judge the
    work of the turn before. `of` gives what of a contribution is compared, and is pure.
    """
    if not is_finite(least) or not 0 < least <= 1:
        raise DeclarationError(f"divided({least!r}): give a share above 0, up to 1")

    wanted = kind or Payload

    def step(seen: JsonValue, entry: Entry) -> JsonValue:
        group, _, sample = entry.strand.partition("#")
        if not is_own(entry) or not isinstance(entry.payload, wanted) or not (sample or kind):
            return seen
        known: Any = seen or {}
        own = "" if kind else group
        answers = {**known.get(own, {}), entry.strand: digest_of(of(entry.payload))}
        return {**known, own: answers}

    def says(seen: JsonValue) -> str:
        known: Any = seen or {}
        for answers in known.values():
            most = max(Counter(answers.values()).values())
            if len(answers) > 1 and most / len(answers) < least:
                return f"{most} of {len(answers)} answers agree"
        return ""

    return Doubt(
        f"divided({least:g}" + (f", kind={kind.kind})" if kind else ")"),
        step,
        says,
        "earlier" if kind else "own",
        (kind,) if kind else (),
        lambda cls: cls.level == "domain" and issubclass(cls, wanted),
    )


def ruled(seen: JsonValue, entry: Entry) -> JsonValue:
    payload = entry.payload
    known: Any = seen or {}
    if isinstance(payload, Review):
        return {**known, entry.strand: "" if payload.approved else entry.author}
    if isinstance(payload, Verdict):
        against = payload.ruling in ("revise", "give_up")
        return {**known, entry.strand: entry.author if against else ""}
    return seen


def who_refused(seen: JsonValue) -> str:
    known: Any = seen or {}
    against = dict.fromkeys(author for author in known.values() if author)
    return f"{' and '.join(against)} did not approve" if against else ""


refused = Doubt(
    "refused",
    ruled,
    who_refused,
    "earlier",
    (Review, Verdict),
    lambda cls: issubclass(cls, Review | Verdict),
)
"""A Review in the turn after that does not approve, or a Verdict that rules against the work."""


def tested(seen: JsonValue, entry: Entry) -> JsonValue:
    if entry.origin != TEST_TOOL or not isinstance(entry.payload, TestReport):
        return seen
    report = entry.payload
    return [len(report.failed), report.complete and report.passed > 0]


def what_failed(seen: JsonValue) -> str:
    if seen is None:
        return ""
    known: Any = seen
    number, complete = known
    if number:
        return times(number, "failing test")
    return "" if complete else "a test run that did not come to its end"


tests_failed = Doubt(
    "tests_failed",
    tested,
    what_failed,
    "earlier",
    (TestReport,),
    lambda cls: issubclass(cls, TestReport),
)
"""Tests that fail in the newest report of the test tool: of a role's own turn where it has changed
the workspace in it, and else of the work of the turn before."""
