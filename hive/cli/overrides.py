"""What the command line changes in a workflow for one run.

It stands in the run's first entry, so that `hive resume` changes the same again.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import JsonValue

from hive.cli.exits import Mistake
from hive.cli.loading import Declared
from hive.cli.near import listed, near_miss
from hive.control.allocation import ANYONE
from hive.errors import DeclarationError
from hive.workflow import Workflow

__all__ = ["Overrides", "given_models"]

KEYED = re.compile(r"([a-z*][a-z0-9_-]*)=(.+)", re.DOTALL)


@dataclass(frozen=True)
class Overrides:
    """Other models by role or tier ("*" replaces all), other caps, and where WORKFLOW was read."""

    models: Mapping[str, str] = field(default_factory=dict)
    usd: str | None = None
    seconds: float | None = None
    turns: int | None = None
    directory: str | None = None

    def apply(self, declared: Declared, name: str) -> Workflow:
        """The workflow with these changes. Raises Mistake for a key that nobody goes by, and what a
        Workflow raises when it is made."""
        anyone = self.models.get(ANYONE[0])
        keyed = {key: model for key, model in self.models.items() if key != ANYONE[0]}
        if isinstance(declared, Workflow):
            workflow = declared if anyone is None else everybody(declared, anyone)
        else:
            workflow = wrapped(declared, anyone, keyed, name)
        if keyed:
            check_keys(workflow, keyed)
            workflow = workflow.with_models(**keyed)
        caps = {"usd": self.usd, "seconds": self.seconds, "turns": self.turns}
        given: dict[str, Any] = {key: cap for key, cap in caps.items() if cap is not None}
        return workflow.with_(budget=replace(workflow.budget, **given)) if given else workflow

    def as_json(self) -> dict[str, JsonValue]:
        """What stands in the run's first entry."""
        values: dict[str, JsonValue] = {
            "models": dict(self.models) or None,
            "usd": self.usd,
            "seconds": self.seconds,
            "turns": self.turns,
            "directory": self.directory,
        }
        return {key: value for key, value in values.items() if value is not None}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Overrides":
        """Read what `as_json` wrote; what other programs put beside it is left alone."""
        known = ("models", "usd", "seconds", "turns", "directory")
        return cls(**{key: data[key] for key in known if key in data})


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
