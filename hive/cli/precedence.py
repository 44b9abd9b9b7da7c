"""Which model a role, a tier or everyone gets, and who says so.

The sources are, in this order, `--model`, the workflow, hive.toml and the environment. A role gets
the model that the first of them names for it; where none does, the first that says something of its
tier or of everyone counts, its tier before everyone. `--model NAME` is for all, whatever the others
say.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from hive.cli.near import listed, near_miss
from hive.control.allocating.allocation import ANYONE, Allocator, OneModel
from hive.models.model import Model
from hive.models.naming.configured import Configured, Given, means
from hive.role import Role

__all__ = ["WORKFLOW", "Choice", "Staff", "Unused", "chosen"]

COMMAND = "--model"
WORKFLOW = "the workflow"


class Choice(NamedTuple):
    """A model for a key, and who says so: "--model", "the workflow", "hive.toml" or a variable."""

    model: str | Model
    source: str


class Unused(NamedTuple):
    """What the configuration says and nobody in this workflow goes by."""

    given: Given
    why: str

    def as_json(self) -> dict[str, str]:
        """The documented keys."""
        return {**self.given._asdict(), "why": self.why}


@dataclass(frozen=True)
class Staff:
    """The roles of a workflow, and its allocator."""

    roles: Mapping[str, Role]
    allocator: Allocator

    @property
    def minds(self) -> tuple[str, ...]:
        """The roles that ask a model."""
        return tuple(name for name, role in self.roles.items() if role.asks_model)

    @property
    def tiers(self) -> tuple[str, ...]:
        """The tiers that its work may fall to, and the one key where the allocator has one."""
        tiers = getattr(self.allocator, "tiers", None)
        if tiers is not None:
            return tuple(tiers(self.roles.values()))
        own = [role.tier for role in self.roles.values() if role.tier]
        if isinstance(self.allocator, OneModel):
            own.append(self.allocator.key)
        return tuple(dict.fromkeys(own))

    def reached(self, keys: tuple[str, ...]) -> frozenset[str]:
        """The keys by which some role may get its model."""
        known = getattr(self.allocator, "reached", None)
        return frozenset(keys if known is None else known(self.roles.values(), keys))


def chosen(
    own: Mapping[str, str | Model], command: Mapping[str, str], found: Configured, staff: Staff
) -> tuple[dict[str, Choice], list[Unused]]:
    """The models by key, and what of the configuration nobody goes by; `own` is the workflow's."""
    everyone = ANYONE[0]
    keyed = {key: Choice(name, COMMAND) for key, name in command.items() if key != everyone}
    if everyone in command:
        models = dict.fromkeys(own or (everyone,), Choice(command[everyone], COMMAND)) | keyed
        return models, [Unused(given, "--model is for all") for given in found.models]
    models = {key: Choice(model, WORKFLOW) for key, model in own.items()} | keyed
    known = (*staff.minds, *staff.tiers, everyone)
    above = {*models, *((everyone,) if taken_by(everyone, models) else ())}
    offered = found.offers(known, staff.minds, above)
    used = staff.reached((*models, *offered)) & {*offered}
    models |= {
        key: Choice(offered[key].model, offered[key].source) for key in offered if key in used
    }
    served = {offered[key] for key in used}
    unused = [
        Unused(each, reason(each, models, staff)) for each in found.models if each not in served
    ]
    return models, unused


def taken_by(key: str, models: Mapping[str, Choice]) -> Choice | None:
    """What a key gives already; "default" is another word for "*"."""
    for same in ANYONE if key in ANYONE else (key,):
        if same in models:
            return models[same]
    return None


def reason(given: Given, models: Mapping[str, Choice], staff: Staff) -> str:
    """Why nobody goes by what is configured."""
    known = (*staff.roles, *staff.tiers, ANYONE[0])
    keys = [key for key in known if means(given, key)]
    if not keys:
        near = near_miss(given.key, known)
        return f"no role or tier here; {near}there are {listed(known)}"
    if keys[0] in staff.roles and keys[0] not in staff.minds:
        return "the role is a program and asks no model"
    choice = taken_by(keys[0], models)
    if choice is not None:
        return f"{choice.source} says another"
    everyone = taken_by(ANYONE[0], models)
    return f"{everyone.source} names one for everyone" if everyone else "nobody is left for it"
