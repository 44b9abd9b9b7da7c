"""What the command line changes in a workflow for one run.

It stands in the run's first entry, so that `hive resume` changes the same again.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from hive.cli.exits import Mistake
from hive.cli.loading import Declared, load_part
from hive.cli.near import listed, near_miss
from hive.control.allocation import ANYONE
from hive.errors import DeclarationError
from hive.workflow import Workflow

__all__ = ["Overrides", "given_instructions", "given_models", "placed_from"]

KEYED = re.compile(r"([a-z*][a-z0-9_-]*)=(.+)", re.DOTALL)


@dataclass(frozen=True)
class Overrides:
    """Other models by role or tier ("*" replaces all), other caps, another policy or allocator
    (`module:name`), other instructions by role, and where WORKFLOW was read."""

    models: Mapping[str, str] = field(default_factory=dict)
    usd: str | None = None
    seconds: float | None = None
    turns: int | None = None
    directory: str | None = None
    policy: str | None = None
    allocator: str | None = None
    instructions: Mapping[str, str] = field(default_factory=dict)

    def apply(self, declared: Declared, name: str) -> Workflow:
        """The workflow with these changes. Raises Mistake for a key that nobody goes by, and what a
        Workflow raises when it is made."""
        anyone = self.models.get(ANYONE[0])
        keyed = {key: model for key, model in self.models.items() if key != ANYONE[0]}
        if isinstance(declared, Workflow):
            workflow = declared if anyone is None else everybody(declared, anyone)
        else:
            workflow = wrapped(declared, anyone, keyed, name)
        workflow = self._led(workflow)
        if keyed:
            check_keys(workflow, keyed)
            workflow = workflow.with_models(**keyed)
        if self.instructions:
            check_roles(workflow, self.instructions)
            workflow = workflow.with_instructions(**self.instructions)
        caps = {"usd": self.usd, "seconds": self.seconds, "turns": self.turns}
        given: dict[str, Any] = {key: cap for key, cap in caps.items() if cap is not None}
        return workflow.with_(budget=replace(workflow.budget, **given)) if given else workflow

    def _led(self, workflow: Workflow) -> Workflow:
        """The workflow with the policy and the allocator that were named."""
        here = None if self.directory is None else Path(self.directory)
        parts = {
            part: load_part(reference, method, here)
            for part, reference, method in (
                ("policy", self.policy, "decide"),
                ("allocator", self.allocator, "allocate"),
            )
            if reference is not None
        }
        return workflow.with_(**parts) if parts else workflow

    def over(self, earlier: "Overrides") -> "Overrides":
        """These changes where they say something, else the earlier ones; by role or tier where they
        are given so."""
        values = {
            each.name: getattr(self, each.name) or getattr(earlier, each.name)
            for each in fields(self)
        }
        values["models"] = {**earlier.models, **self.models}
        values["instructions"] = {**earlier.instructions, **self.instructions}
        return Overrides(**values)

    def as_json(self) -> dict[str, JsonValue]:
        """What stands in the run's first entry."""
        values: dict[str, JsonValue] = {
            each.name: dict(value) or None if isinstance(value, Mapping) else value
            for each in fields(self)
            for value in (getattr(self, each.name),)
        }
        return {key: value for key, value in values.items() if value is not None}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Overrides":
        """Read what `as_json` wrote; what other programs put beside it is left alone."""
        return cls(**{each.name: data[each.name] for each in fields(cls) if each.name in data})


def given_models(written: Sequence[str]) -> dict[str, str]:
    """`--model` options as a mapping: `coder=openai:x` for one role or tier, `openai:x` for "*"."""
    models: dict[str, str] = {}
    for text in written:
        keyed = KEYED.fullmatch(text)
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


def everybody(workflow: Workflow, model: str) -> Workflow:
    """The workflow with one model in every chair that a model can take."""
    models: dict[str, Any] = dict.fromkeys(workflow.models, model)
    if workflow.model is not None or not models:
        return workflow.with_(model=model, models=models)
    return workflow.with_(models=models)


def wrapped(
    declared: Declared, anyone: str | None, models: Mapping[str, str], name: str
) -> Workflow:
    """A workflow of a bare Graph, chain or Role."""
    assert not isinstance(declared, Workflow)
    try:
        return Workflow(declared, model=anyone, models=dict(models), name=name)
    except DeclarationError as error:
        if anyone is None and "has no model" in str(error):
            raise DeclarationError(f"{error}; give it one with --model provider:name") from None
        raise


def check_keys(workflow: Workflow, models: Mapping[str, str]) -> None:
    """Raise Mistake for a key of `--model` that would change nothing."""
    roles = workflow.roles
    tiers = {role.tier for role in roles.values() if role.tier}
    tiers |= set(getattr(workflow.allocator, "table", {}).values())
    known = {*roles, *tiers, *workflow.assigned}
    for key in models:
        if key in roles and roles[key].program is not None:
            raise Mistake(f"--model {key}=…: role {key!r} is a program and asks no model")
        if key not in known:
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
