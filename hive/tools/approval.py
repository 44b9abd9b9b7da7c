"""Who decides whether a tool may run (floor 2): rules in code, the first that fits wins."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from pydantic import JsonValue

from hive.board.board import COORDINATOR
from hive.board.entry import Label
from hive.errors import DeclarationError
from hive.tools.tool import Effect

__all__ = [
    "CHECKPOINT",
    "Approver",
    "Judgement",
    "ProposedCall",
    "Rules",
    "allow",
    "ask",
    "by_tool",
    "deny",
]

Ruling = Literal["allow", "deny", "ask"]

CHECKPOINT = "checkpoint"
"""The tool of a ProposedCall that is none: whether roles may act at all, on critical work."""


@dataclass(frozen=True, slots=True)
class ProposedCall:
    """A tool call that a role wants made, before it is; or the checkpoint, which the coordinator
    comes to before anything is touched."""

    tool: str
    effect: Effect
    arguments: Mapping[str, JsonValue]
    role: str
    label: Label = "model"
    """How far what led to the call can be trusted."""
    key: str = ""

    @property
    def is_checkpoint(self) -> bool:
        """Whether it is the checkpoint, and no call of a role."""
        return self.role == COORDINATOR


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether a call may be made, why, and by whose rule; it is always recorded."""

    decision: Ruling
    reason: str
    by: str


class Approver(Protocol):
    """Anything that judges proposed calls; "ask" suspends the strand until a person answers."""

    async def judge(self, call: ProposedCall) -> Judgement: ...


@dataclass(frozen=True, slots=True)
class Rule:
    """A ruling for the calls that fit."""

    decision: Ruling
    name: str
    fits: Callable[[ProposedCall], bool]


@dataclass(frozen=True, slots=True)
class Rules:
    """An approver made of rules, read in order; combine with `|`. What no rule fits is allowed, but
    for the checkpoint, at which a person is asked.

    deny(effect="egress") | ask(effect="irreversible")
    """

    rules: tuple[Rule, ...]

    def __or__(self, other: "Rules") -> "Rules":
        return Rules(self.rules + other.rules)

    async def judge(self, call: ProposedCall) -> Judgement:
        """The ruling of the first rule that fits the call."""
        for rule in self.rules:
            if rule.fits(call):
                return Judgement(rule.decision, f"{call.tool} has effect {call.effect}", rule.name)
        if call.is_checkpoint:
            return Judgement("ask", "no rule fits", CHECKPOINT)
        return Judgement("allow", "no rule fits", "default")


def allow(effect: Effect | None = None, role: str | None = None) -> Rules:
    """Allow calls of an effect, by a role; without either, all."""
    return rule("allow", effect, role)


def deny(effect: Effect | None = None, role: str | None = None) -> Rules:
    """Deny calls of an effect, by a role; without either, all."""
    return rule("deny", effect, role)


def ask(effect: Effect | None = None, role: str | None = None) -> Rules:
    """Ask a person before calls of an effect, by a role; without either, before all."""
    return rule("ask", effect, role)


def by_tool(**decisions: Ruling) -> Rules:
    """Rule by the tool's name: `by_tool(shell="ask", edit_file="allow")`."""
    for name, decision in decisions.items():
        if decision not in ("allow", "deny", "ask"):
            raise DeclarationError(f"by_tool({name}={decision!r}): say 'allow', 'deny' or 'ask'")
    return Rules(tuple(tool_rule(name, decision) for name, decision in decisions.items()))


def tool_rule(tool: str, decision: Ruling) -> Rule:
    return Rule(decision, f"by_tool({tool}={decision!r})", lambda call: call.tool == tool)


def rule(decision: Ruling, effect: Effect | None, role: str | None) -> Rules:
    given = {"effect": effect, "role": role}
    shown = ", ".join(f"{key}={value!r}" for key, value in given.items() if value is not None)

    def fits(call: ProposedCall) -> bool:
        return effect in (None, call.effect) and role in (None, call.role)

    return Rules((Rule(decision, f"{decision}({shown})", fits),))
