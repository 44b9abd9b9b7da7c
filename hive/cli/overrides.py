"""What the command line and the configuration change in a workflow for one run.

It stands in the run's first entry, so that `hive resume` changes the same again.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import JsonValue

from hive.cli.configuration import configuration_json, recorded
from hive.cli.exits import Mistake
from hive.cli.loading import Declared, load_part
from hive.cli.near import listed, near_miss
from hive.cli.precedence import Staff, Unused, chosen
from hive.control.allocating.allocation import ANYONE, Allocator
from hive.control.allocating.escalation import Escalation
from hive.control.allocating.preference import Preference
from hive.control.allocating.preferring import ByPreference
from hive.control.patterns.consulting import AcrossModels
from hive.errors import DeclarationError
from hive.models.naming.configured import Configured, configured
from hive.team import advisors_of
from hive.workflow import Workflow

__all__ = ["Overrides", "Settled", "asked", "given_instructions", "placed_from"]

NOTHING = Configured()
WAYS = (
    "give it one with --model NAME, in the workflow with model=NAME, under [models] in hive.toml,"
    " or in HIVE_MODEL"
)
KEYED = re.compile(r"([a-z*][a-z0-9_-]*)=(.+)", re.DOTALL)


class Settled(NamedTuple):
    """A workflow with its changes, who gave the model of each key, and what of the configuration
    nobody goes by."""

    workflow: Workflow
    sources: Mapping[str, str]
    unused: list[Unused]


@dataclass(frozen=True)
class Overrides:
    """Other models by role or tier ("*" replaces all), other caps, another policy or allocator
    (`module:name`), other instructions by role, another preference, and where WORKFLOW was read;
    and what hive.toml and the environment say for those that nobody else gives a model."""

    models: Mapping[str, str] = field(default_factory=dict)
    usd: str | None = None
    seconds: float | None = None
    turns: int | None = None
    directory: str | None = None
    policy: str | None = None
    allocator: str | None = None
    instructions: Mapping[str, str] = field(default_factory=dict)
    prefer: str | None = None
    configured: Configured = NOTHING

    def apply(self, declared: Declared, name: str) -> Workflow:
        """The workflow with these changes. Raises Mistake for a key that nobody goes by, and what a
        Workflow raises when it is made."""
        return self.settled(declared, name).workflow

    def settled(self, declared: Declared, name: str) -> Settled:
        """The workflow with these changes, and where its models come from; raises as `apply`."""
        workflow = declared if isinstance(declared, Workflow) else Workflow(declared, name=name)
        own = workflow.assigned
        parts = self._leads()
        if self.prefer is not None:
            parts["allocator"] = preferring(parts.get("allocator", workflow.allocator), self.prefer)
        staff = staff_of(workflow, parts)
        check_keys(staff, own, self.models)
        models, unused = chosen(own, self.models, self.configured, staff)
        given = {key: choice.model for key, choice in models.items()}
        parts["model"] = given.pop(ANYONE[0], None)
        parts["models"] = given
        parts["cards"] = (*self.configured.cards, *workflow.cards)
        caps = {"usd": self.usd, "seconds": self.seconds, "turns": self.turns}
        capped: dict[str, Any] = {key: cap for key, cap in caps.items() if cap is not None}
        if capped:
            parts["budget"] = replace(workflow.budget, **capped)
        try:
            workflow = workflow.with_(**parts)
            workflow.check_models()
        except DeclarationError as error:
            if "has no model" in str(error):
                raise DeclarationError(f"{error}; {WAYS}") from None
            raise
        if self.instructions:
            check_roles(workflow, self.instructions)
            workflow = workflow.with_instructions(**self.instructions)
        sources = {key: choice.source for key, choice in models.items()}
        return Settled(workflow, sources, unused)

    def _leads(self) -> dict[str, Any]:
        """The policy and the allocator that were named."""
        here = None if self.directory is None else Path(self.directory)
        return {
            part: load_part(reference, method, here)
            for part, reference, method in (
                ("policy", self.policy, "decide"),
                ("allocator", self.allocator, "allocate"),
            )
            if reference is not None
        }

    def over(self, earlier: "Overrides") -> "Overrides":
        """These changes where they say something, else the earlier ones; by role or tier where they
        are given so. The configuration stays the earlier one."""
        values = {
            each.name: getattr(self, each.name) or getattr(earlier, each.name)
            for each in fields(self)
        }
        values["configured"] = earlier.configured
        values["models"] = {**earlier.models, **self.models}
        values["instructions"] = {**earlier.instructions, **self.instructions}
        return Overrides(**values)

    def as_json(self) -> dict[str, JsonValue]:
        """What stands in the run's first entry."""
        values: dict[str, JsonValue] = {
            each.name: dict(value) or None if isinstance(value, Mapping) else value
            for each in fields(self)
            if each.name != "configured"
            for value in (getattr(self, each.name),)
        }
        values["configured"] = configuration_json(self.configured)
        return {key: value for key, value in values.items() if value is not None}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Overrides":
        """Read what `as_json` wrote; what other programs put beside it is left alone."""
        values = {each.name: data[each.name] for each in fields(cls) if each.name in data}
        return cls(**{**values, "configured": recorded(data.get("configured", {}))})


def asked(written: Sequence[str], **others: Any) -> Overrides:
    """The changes that `--model` options and others make, over what hive.toml and the environment
    say. Raises Mistake, and DeclarationError for what is wrong in the file."""
    found = configured()
    models = {key: found.named(name) for key, name in given_models(written).items()}
    return Overrides(models, configured=found, **others)


def given_models(written: Sequence[str]) -> dict[str, str]:
    """`--model` options as a mapping: `coder=openai:x` for one role or tier, `openai:x` for "*"."""
    models: dict[str, str] = {}
    for text in written:
        keyed = KEYED.fullmatch(text)
        before, equals, _ = text.partition("=")
        if keyed is None and (not text.strip() or (equals and ":" not in before)):
            raise Mistake(
                f"--model {text!r}: write PROVIDER:MODEL for everyone, or ROLE=PROVIDER:MODEL for "
                "a role or a tier"
            )
        key, name = keyed.groups() if keyed else (ANYONE[0], text)
        if key in models:
            whom = "everybody" if key == ANYONE[0] else repr(key)
            raise Mistake(f"--model gives {whom} two models, {models[key]} and {name}; give one")
        models[key] = name
    return models


def given_instructions(written: Sequence[str]) -> dict[str, str]:
    """`--instruction` options as a mapping from role to text: `coder=TEXT`, or `coder=@FILE`."""
    instructions: dict[str, str] = {}
    for given in written:
        role, equals, text = given.partition("=")
        if not equals or not role:
            raise Mistake(f"--instruction {given!r}: write ROLE=TEXT, or ROLE=@FILE")
        if role in instructions:
            raise Mistake(f"--instruction gives {role!r} two texts; give one")
        instructions[role] = text_of(text.removeprefix("@")) if text.startswith("@") else text
    return instructions


def preferring(allocator: Allocator, preference: str) -> Allocator:
    """The allocator with another preference, its own or that of the one within. Raises Mistake
    where there is none, and for text that is no preference."""
    try:
        found = preferred(allocator, Preference.of(preference))
    except DeclarationError as error:
        raise Mistake(f"--prefer: {error}") from None
    if found is None:
        raise Mistake(
            f"--prefer {preference}: the team's models are chosen by {type(allocator).__name__},"
            " and by no preference; with allocator=ByPreference(preference, figures) they are"
        )
    return found


def preferred(allocator: Allocator, preference: Preference) -> Allocator | None:
    """The allocator with another preference; None where it goes by none."""
    if isinstance(allocator, ByPreference):
        return replace(allocator, preference=preference)
    if isinstance(allocator, AcrossModels | Escalation) and allocator.within is not None:
        within = preferred(allocator.within, preference)
        return None if within is None else replace(allocator, within=within)
    return None


def text_of(path: str) -> str:
    try:
        return Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise Mistake(f"--instruction: {path!r} cannot be read: {reason}") from None


def placed_from(reference: str | None) -> str | None:
    """A reference to a part of a file in a form that is good from any folder."""
    path, colon, name = (reference or "").rpartition(":")
    if not colon or not path.endswith(".py"):
        return reference
    return f"{Path(path).expanduser().resolve()}:{name}"


def staff_of(workflow: Workflow, parts: Mapping[str, Any]) -> Staff:
    """Who is to get models, once the policy and the allocator are those that were named."""
    policy = parts.get("policy", workflow.policy)
    advisors = advisors_of(policy, workflow.estimator, workflow.synthesis)
    return Staff({**workflow.graph.roles, **advisors}, parts.get("allocator", workflow.allocator))


def check_keys(staff: Staff, own: Collection[str], models: Collection[str]) -> None:
    """Raise Mistake for a key of `--model` that would change nothing."""
    known = {*staff.roles, *staff.tiers, *own}
    for key in models:
        if key in staff.roles and key not in staff.minds:
            raise Mistake(f"--model {key}=…: role {key!r} is a program and asks no model")
        if key not in known and key != ANYONE[0]:
            raise Mistake(
                f"--model {key}=…: {key!r} is neither a role nor a tier; "
                f"{near_miss(key, known)}there are {listed(known)}"
            )


def check_roles(workflow: Workflow, instructions: Mapping[str, str]) -> None:
    """Raise Mistake for an instruction that nobody would read."""
    roles = workflow.graph.roles
    for name in instructions:
        if name not in roles:
            raise Mistake(
                f"--instruction {name}=…: the team has no role {name!r};"
                f" {near_miss(name, roles)}there are {listed(roles)}"
            )
        if roles[name].program is not None:
            raise Mistake(f"--instruction {name}=…: role {name!r} is a program and reads none")
